import { CommandRefusal } from './failure.ts'
import { localName } from './names.ts'
import type { Session } from './session.ts'
import { signedContents } from './signed-contents.ts'

const TYPES: ReadonlySet<string> = new Set(['domain', 'role', 'group', 'policy', 'service'])

/** Something that may have an owner. */
interface Owned {
  readonly name: string
  readonly resourceOwnership?: unknown
}

/** Removes the owners of objects of these types, named between commas. Refuses other words. */
export async function resetOwners(session: Session, domainName: string, words: string): Promise<void> {
  const types = new Set(words.split(','))
  for (const type of types) if (!TYPES.has(type)) throw new CommandRefusal('invalid resource type')
  const contents = await signedContents(session, domainName)
  const owned = (type: string, objects: readonly Owned[] | null | undefined): Owned[] =>
    types.has(type) ? (objects ?? []).filter(({ resourceOwnership }) => resourceOwnership) : []
  if (types.has('domain') && contents.resourceOwnership) {
    await session.call('putResourceDomainOwnership', { domainName, body: {} })
  }
  for (const { name } of owned('role', contents.roles)) {
    await session.call('putResourceRoleOwnership', { domainName, roleName: localName(name, 'role'), body: {} })
  }
  for (const { name } of owned('group', contents.groups)) {
    await session.call('putResourceGroupOwnership', { domainName, groupName: localName(name, 'group'), body: {} })
  }
  for (const { name } of owned('policy', contents.policies?.contents.policies)) {
    await session.call('putResourcePolicyOwnership', { domainName, policyName: localName(name, 'policy'), body: {} })
  }
  for (const { name } of owned('service', contents.services)) {
    const service = name.slice(domainName.length + 1)
    await session.call('putResourceServiceIdentityOwnership', { domainName, service, body: {} })
  }
}
