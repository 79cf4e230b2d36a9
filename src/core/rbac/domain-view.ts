import type { CompiledPolicies, PolicyView } from './compiled-policies.ts'
import type { MemberEntry, MembersView } from './members.ts'

/** A requested change of membership that awaits a decision. Never counts; explanations tell of it. */
export interface PendingEntry extends MemberEntry {
  /** Absent means ADD. */
  readonly pendingState?: 'ADD' | 'DELETE'
}

/** What the engine reads of a role. */
export interface RoleView {
  /** Domain the role is delegated to; it counts only while the role has no members of its own. */
  readonly trust?: string | undefined
  readonly members: MembersView
  readonly pending?: { values(): Iterable<PendingEntry> } | undefined
}

/** What the engine reads of a group. */
export interface GroupView {
  readonly members: MembersView
  readonly pending?: { values(): Iterable<PendingEntry> } | undefined
}

/** What the engine reads of a domain: the stores' and caches' own objects fit, nothing is copied. */
export interface DomainView<P extends PolicyView = PolicyView> {
  /** Lower case. */
  readonly name: string
  readonly enabled: boolean
  /** By lower-case local name. */
  readonly roles: ReadonlyMap<string, RoleView>
  /** By lower-case local name. */
  readonly groups: ReadonlyMap<string, GroupView>
  readonly policies: CompiledPolicies<P>
}

/**
 * How the engine gets at other domains (of groups and delegated roles), by lower-case name: the domain, null when it
 * does not exist (or shall not count), undefined when it is not in memory: the engine then answers which domains it
 * needs, and the caller loads them and asks again.
 */
export type DomainLookup<P extends PolicyView = PolicyView> = (name: string) => DomainView<P> | null | undefined

/** Answer of the engine when it cannot tell without domains that are not in memory. */
export interface Needs {
  readonly outcome: 'needs'
  /** All that it can know to need at once; there may be more when it is asked again. */
  readonly domains: readonly string[]
}
