import { ResourceAccessList } from '#zms/api/access.ts'
import { type Command, command, domainCommand, MANY } from './command.ts'
import { CommandRefusal } from './failure.ts'
import { indented, item } from './lines.ts'
import { blockText } from './list-text.ts'
import { domainOf, principalName } from './names.ts'
import { assertionText } from './policy-text.ts'
import { message, shown } from './result.ts'
import type { Session } from './session.ts'

const USAGE = 'action resource [alt_identity [trust_domain]]'

/** Questions for decisions. */
export const accessCommands: readonly Command[] = [
  domainCommand(
    ['show-access', USAGE, 'Tells whether somebody may do something.'],
    [2, MANY],
    async (session, domain, [action = '', word = '', ...asked]) => {
      const resource = resourceOf(domain, word)
      const { granted } = await session.call('getAccess', { action, resource, ...principalOf(session, asked) })
      return message(`access: ${granted ? 'granted' : 'denied'}`)
    },
  ),
  domainCommand(
    ['show-access-ext', USAGE, 'Tells the same of resources with any characters.'],
    [2, MANY],
    async (session, domain, [action = '', word = '', ...asked]) => {
      const resource = resourceOf(domain, word)
      const { granted } = await session.call('getAccessExt', { action, resource, ...principalOf(session, asked) })
      return message(`access: ${granted ? 'granted' : 'denied'}`)
    },
  ),
  command(
    ['show-resource', 'principal action', 'Shows on what somebody may do something; an empty word stands for all.'],
    [2, 2],
    async (session, [principal = '', action = '']) => {
      const asked = { ...(principal !== '' && { principal }), ...(action !== '' && { action }) }
      const found = await session.call('getResourceAccessList', asked)
      return shown(found, ResourceAccessList.wire, () => {
        const items = (found.resources ?? []).flatMap((access) => {
          const lines = (access.assertions ?? []).map((assertion) => `- ${assertionText(assertion, session.flags)}`)
          return item([`principal: ${access.principal}`, 'assertions:', ...indented(2, lines)])
        })
        return blockText('resource-access', items)
      })
    },
  ),
]

function resourceOf(domain: string, word: string): string {
  if (!word.includes(':')) return `${domain}:${word}`
  const named = domainOf(word)
  if (named === domain) return word
  throw new CommandRefusal(`domain name mismatch. Expected ${domain}, encountered in resource ${named}`)
}

function principalOf({ flags }: Session, [principal, trustDomain]: readonly string[]) {
  return {
    ...(principal !== undefined && { checkPrincipal: principalName(principal, flags.userDomain) }),
    ...(trustDomain !== undefined && { domain: trustDomain }),
  }
}
