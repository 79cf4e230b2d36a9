import { type Command, InvalidArgumentError } from 'commander'
import type { ZmsClient } from '#client/zms-client.ts'
import { CommandFailure } from '../command-failure.ts'
import { addControl, type Words, wordAt } from './control-command.ts'
import { EXIT } from './exit-status.ts'
import { listParts } from './list-parts.ts'
import type { Session, SessionOptions } from './session.ts'

interface HistoryOptions extends SessionOptions {
  readonly filter?: string
  readonly limit: number
}

const ENTRIES = 100

/** Adds the command `athenz history`. */
export function addHistory(program: Command): void {
  addControl<HistoryOptions>(program, {
    usage: 'history <domain> [kind] [name]',
    description:
      'print who changed members, the newest first: of a domain, or of its role or group (kind) of that name',
    options: (command) =>
      command
        .option('--filter <text>', 'only entries with this in a name')
        .option('--limit <number>', 'so many entries at most', parseEntries, ENTRIES),
    run: history,
  })
}

async function history(session: Session, words: Words, { filter, limit }: HistoryOptions): Promise<number> {
  const [domain, kind, name] = [wordAt(words, 0), wordAt(words, 1), wordAt(words, 2)]
  if (kind !== '' && ((kind !== 'role' && kind !== 'group') || name === '')) {
    throw new CommandFailure('write DOMAIN alone, or DOMAIN role NAME, or DOMAIN group NAME')
  }
  const zms = await session.zms()
  const asked = { domainName: domain, ...(filter !== undefined && { filter }) }
  const entries = kind === '' ? await ofDomain(zms, asked, limit) : await ofCollection(zms, kind, name, asked, limit)
  await session.print({
    value: entries,
    table: {
      columns: ['WHEN', 'WHAT', 'MEMBER', 'OF', 'BY', 'REASON'],
      rows: entries.map((each) => [
        each.created,
        each.action,
        each.member,
        `${each.kind} ${each.name}`,
        each.admin,
        each.auditRef,
      ]),
    },
  })
  return EXIT.done
}

/** Whose history is asked for, and which entries of it. */
interface Asked {
  readonly domainName: string
  readonly filter?: string
}

const ofDomain = (zms: ZmsClient, asked: Asked, limit: number) =>
  listParts((query) => zms.call('getDomainMemberHistory', { ...asked, ...query }), limit)

async function ofCollection(zms: ZmsClient, kind: 'role' | 'group', name: string, asked: Asked, limit: number) {
  const entries = await listParts(
    (query) =>
      kind === 'role'
        ? zms.call('getRoleMemberHistory', { ...asked, roleName: name, ...query })
        : zms.call('getGroupMemberHistory', { ...asked, groupName: name, ...query }),
    limit,
  )
  return entries.map((each) => ({ kind, name, ...each }))
}

function parseEntries(text: string): number {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (count < 1) throw new InvalidArgumentError('Write a number from 1.')
  return count
}
