import { badRequest } from '#core/error/service-error.ts'
import type { ZmsDependencies } from './dependencies.ts'

/**
 * 400 when a contact is of a type that is not configured, or its user is not known to the user authority. An empty name
 * removes a contact and is not looked up.
 */
export async function requireContacts(
  { config, userAuthority, memberRules }: Pick<ZmsDependencies, 'config' | 'userAuthority' | 'memberRules'>,
  contacts: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [type, name] of contacts) {
    if (!config.zms.domainContactTypes.has(type)) throw badRequest(`invalid domain contact type: ${type}`)
    if (name === '' || !userAuthority) continue
    if ((await memberRules.userType(name)) !== 'active') throw badRequest(`invalid domain contact: ${type}`)
  }
}

/** Contacts with a name; undefined when there is none. */
export function contactsOf(contacts: ReadonlyMap<string, string> | undefined): ReadonlyMap<string, string> | undefined {
  const named = new Map([...(contacts ?? [])].filter(([, name]) => name !== ''))
  return named.size > 0 ? named : undefined
}
