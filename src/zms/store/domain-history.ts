import type { MemberAudit } from './model.ts'

/** How many entries of the histories of roles, and of those of groups, were made before: places of entries. */
export interface HistoryPlaces {
  readonly role?: number
  readonly group?: number
}

/** Which part of the history of a domain is asked for. */
export interface DomainHistoryQuery {
  readonly domain: string
  /** Only that of one role or group. */
  readonly of?: { readonly kind: 'role' | 'group'; readonly collection: string }
  /** At most so many entries. */
  readonly limit: number
  /** Of each kind only entries at lower places. */
  readonly before?: HistoryPlaces
  /** Only entries about members, or by somebody, whose name contains this text in any letter case. */
  readonly filter?: string
}

/** An entry in the history of the members of a role or group. */
export interface DomainHistoryEntry extends MemberAudit {
  kind: 'role' | 'group'
  /** Local name of the role or group. */
  collection: string
  /** Later entries of the same kind have greater places. */
  place: number
}

/** What is asked about the history of a whole domain. */
export interface DomainHistoryQueries {
  /** What happened to the members of all roles and groups of a domain, newest first; nothing when there is no such domain. */
  domainHistory(query: DomainHistoryQuery): Promise<DomainHistoryEntry[]>
}

/** Of entries of roles and of groups, each newest first, the newest; of the same second those of roles come first. */
export function newestOf(
  roles: readonly DomainHistoryEntry[],
  groups: readonly DomainHistoryEntry[],
  limit: number,
): DomainHistoryEntry[] {
  const newest: DomainHistoryEntry[] = []
  let [nextRole, nextGroup] = [0, 0]
  while (newest.length < limit) {
    const [role, group] = [roles[nextRole], groups[nextGroup]]
    const isRole = role !== undefined && (group === undefined || role.created >= group.created)
    const next = isRole ? role : group
    if (next === undefined) break
    newest.push(next)
    if (isRole) nextRole++
    else nextGroup++
  }
  return newest
}
