import { type Change, isDomainChange } from './change.ts'

/**
 * New assertions have no ids before the commit. Until then, and in later changes of the same transaction, they are known
 * by negative numbers that the store replaces: in a new domain by the keys of its maps, otherwise by these.
 */

/** Below the keys of the assertions of new domains, which begin at -1. */
const FIRST = -1_000_000_000

/** Stand-in of the assertion added by the change at that place among those of its domain. */
export const standInAt = (place: number): number => FIRST - place

/** Stand-ins of all changes by their places among those of their domain; places begin anew when it is created or deleted. */
export function standInsOf(changes: readonly Change[]): Map<Change, number> {
  const standIns = new Map<Change, number>()
  const places = new Map<string, number>()
  for (const change of changes) {
    if (!isDomainChange(change)) continue
    if (change.kind === 'createDomain' || change.kind === 'deleteDomain') {
      places.delete(change.domain)
      continue
    }
    const place = places.get(change.domain) ?? 0
    places.set(change.domain, place + 1)
    standIns.set(change, standInAt(place))
  }
  return standIns
}
