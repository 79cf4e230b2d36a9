import { Command, InvalidArgumentError } from 'commander'
import { addControl, wordAt } from './control-command.ts'
import { EXIT } from './exit-status.ts'
import type { Session, SessionOptions } from './session.ts'

interface TokenOptions extends SessionOptions {
  readonly role?: string[]
  readonly minutes?: number
}

const ROLES = ['--role <role...>', 'local names of the roles it names (default: all that you hold)'] as const
const LIFE = ['--minutes <number>', 'its life', parseMinutes] as const

/** The command `athenz token`: tokens of the caller; people see the token alone. */
export function tokenCommand(): Command {
  const token = new Command('token').description('tokens of yours, from ZTS')
  addControl<TokenOptions>(token, {
    usage: 'role <domain>',
    description: 'a role token for a domain',
    options: (command) => command.option(...ROLES).option(...LIFE),
    run: async (session, words, { role, minutes }) => {
      const seconds = minutes === undefined ? undefined : minutes * 60
      const zts = await session.zts()
      const answer = await zts.getRoleToken(wordAt(words, 0), {
        ...(role && { role: role.join(',') }),
        ...(seconds !== undefined && { minExpirySeconds: seconds, maxExpirySeconds: seconds }),
      })
      return printToken(session, answer, answer.token)
    },
  })
  addControl<TokenOptions>(token, {
    usage: 'access <domain>',
    description: 'an access token for a domain',
    options: (command) => command.option(...ROLES).option(...LIFE),
    run: async (session, words, { role, minutes }) => {
      const zts = await session.zts()
      const answer = await zts.getAccessToken(wordAt(words, 0), {
        ...(role && { roles: role }),
        ...(minutes !== undefined && { expirySeconds: minutes * 60 }),
      })
      return printToken(session, answer, answer.access_token ?? '')
    },
  })
  addControl<TokenOptions & { readonly domain?: string }>(token, {
    usage: 'id <service>',
    description: 'an id token for a service, given by its full name',
    options: (command) =>
      command
        .option('--domain <name>', 'domain of the roles')
        .option(ROLES[0], 'roles of that domain in it')
        .option(...LIFE),
    run: async (session, words, { role, minutes, domain }) => {
      const zts = await session.zts()
      const answer = await zts.getIdToken(wordAt(words, 0), {
        ...(domain !== undefined && { domain }),
        ...(role && { roles: role }),
        ...(minutes !== undefined && { expirySeconds: minutes * 60 }),
      })
      return printToken(session, answer, answer.id_token)
    },
  })
  return token
}

async function printToken(session: Session, answer: unknown, token: string): Promise<number> {
  await session.print({ value: answer, table: () => [token] })
  return EXIT.done
}

function parseMinutes(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Write a number of minutes.')
  return Number(text)
}
