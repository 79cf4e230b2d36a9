import type { AssertionOf, PolicyView } from './compiled-policies.ts'
import type { Needs } from './domain-view.ts'
import type { MemberEntry } from './members.ts'

/** Whether a membership counts at some moment, or why not. */
export type EntryState = 'active' | 'expired' | 'disabled'

/** An entry of a role or group that counts and matches the principal by its name or as a wildcard. */
export interface EntryHolding {
  readonly via: 'direct' | 'wildcard'
  readonly entry: MemberEntry
}

/** A group that is a member of the role, and the entry of the group that matches the principal. */
export interface GroupHolding {
  readonly via: 'group'
  /** The role's entry for the group. */
  readonly entry: MemberEntry
  /** Full name of the group, `sports:group.editors`. */
  readonly group: string
  /** How the principal is in the group. */
  readonly within: EntryHolding
}

/** How a principal holds a role by the role's own members. */
export type OwnHolding = EntryHolding | GroupHolding

/** A delegated role: the trusted domain lets the members of one of its own roles assume it. */
export interface TrustHolding<P extends PolicyView = PolicyView> {
  readonly via: 'trust'
  /** The trusted domain. */
  readonly domain: string
  /** Local name of its role that the principal holds. */
  readonly role: string
  /** What lets the members of that role assume the delegated one. */
  readonly policy: P
  readonly assertion: AssertionOf<P>
  /** How the principal holds that role. */
  readonly within: OwnHolding
}

/** How a principal holds a role. */
export type Holding<P extends PolicyView = PolicyView> = OwnHolding | TrustHolding<P>

/** A role that a principal holds. */
export interface HeldRole<H = Holding> {
  /** Local name. */
  readonly role: string
  readonly holding: H
}

/** An entry that matches the principal but does not count. */
export interface Lapse {
  readonly domain: string
  /** Local name of the role it belongs to, directly or through the group. */
  readonly role: string
  /** Full name of the group, when the entry is one of the group's. */
  readonly group?: string | undefined
  readonly entry: MemberEntry
  /** `pending`: a request that awaits a decision. */
  readonly state: Exclude<EntryState, 'active'> | 'pending'
}

/** Domains without which a membership cannot be told. */
export class Missing {
  readonly domains: readonly string[]

  constructor(domains: readonly string[]) {
    this.domains = domains
  }
}

/** The answer that more domains are needed, each named once. */
export function needs(missing: Iterable<Missing>): Needs {
  const domains = new Set<string>()
  for (const each of missing) for (const domain of each.domains) domains.add(domain)
  return { outcome: 'needs', domains: [...domains] }
}

/** Whether the expiration of a membership lies before the moment (epoch milliseconds); one that is NaN does. */
export function hasExpired(entry: MemberEntry, now: number): boolean {
  return entry.expiration !== undefined && !(entry.expiration >= now)
}

/** Whether a membership counts at the moment (epoch milliseconds), or why not. */
export function stateOf(entry: MemberEntry, now: number): EntryState {
  if (entry.systemDisabled !== undefined && entry.systemDisabled !== 0) return 'disabled'
  return hasExpired(entry, now) ? 'expired' : 'active'
}
