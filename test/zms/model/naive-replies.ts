import type { Collection, Policy } from './naive-state.ts'

const MEMBER_LISTS = { role: 'roleMembers', group: 'groupMembers' } as const

/** Order of texts by their code units. */
export const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

const timeOf = (expiration: number | undefined) =>
  expiration === undefined ? {} : { expiration: new Date(expiration).toISOString() }

/** A role or group. */
export function collectionReply(domain: string, { kind, name, settings, members, pending }: Collection): unknown {
  const list = [
    ...members.map(({ memberName, expiration, requestPrincipal, systemDisabled }) => ({
      memberName,
      ...timeOf(expiration),
      approved: true,
      ...(kind === 'role' && requestPrincipal && { requestPrincipal }),
      ...(systemDisabled && { systemDisabled }),
    })),
    ...(settings.trust ? [] : pending).map(({ memberName, expiration, pendingState }) => ({
      memberName,
      ...timeOf(expiration),
      active: false,
      approved: false,
      pendingState,
    })),
  ]
  const on = Object.fromEntries(Object.entries(settings).filter(([, value]) => value))
  return { name: `${domain}:${kind}.${name}`, ...on, ...(list.length > 0 && { [MEMBER_LISTS[kind]]: list }) }
}

/** One membership, as it is read at a time. */
export function membershipReply(domain: string, collection: Collection, memberName: string, now: number): unknown {
  const names = { memberName, [`${collection.kind}Name`]: `${domain}:${collection.kind}.${collection.name}` }
  const member = collection.members.find((each) => each.memberName === memberName)
  if (member) {
    const { expiration, requestPrincipal, systemDisabled } = member
    return {
      ...names,
      ...isMemberAt(expiration, now),
      ...timeOf(expiration),
      approved: true,
      ...(requestPrincipal && { requestPrincipal }),
      ...(systemDisabled && { systemDisabled }),
    }
  }
  const pending = collection.pending.find((each) => each.memberName === memberName)
  if (!pending) return { ...names, isMember: false }
  const { expiration, requestPrincipal, pendingState } = pending
  const dates = { ...isMemberAt(expiration, now), ...timeOf(expiration) }
  return { ...names, ...dates, approved: false, requestPrincipal, pendingState }
}

const isMemberAt = (expiration: number | undefined, now: number) => ({
  isMember: expiration === undefined || expiration >= now,
})

/** What a write of a membership answers: what it wrote, and that it did. */
export function writtenReply(domain: string, collection: Collection, memberName: string, isRequest: boolean): unknown {
  const members = isRequest ? [] : collection.members
  return membershipReply(domain, { ...collection, members }, memberName, Number.NEGATIVE_INFINITY)
}

/** A version of a policy. */
export function policyReply(domain: string, { name, version, active, assertions }: Policy) {
  const full = assertions.map(({ role, ...rest }) => ({ ...rest, role: `${domain}:role.${role}` }))
  return { name: `${domain}:policy.${name}`, assertions: full, version, active }
}

/** Members of replies that no model can know. */
const UNKNOWN = new Set(['modified', 'id', 'auditLog', 'auditRef', 'requestTime'])

/** A reply without what differs from run to run, with its members and lists in a fixed order. */
export function normal(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(normal).sort((a, b) => compare(JSON.stringify(a), JSON.stringify(b)))
  }
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([name]) => !UNKNOWN.has(name))
  return Object.fromEntries(members.sort(([a], [b]) => compare(a, b)).map(([name, member]) => [name, normal(member)]))
}
