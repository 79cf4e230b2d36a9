import { LRUCache } from 'lru-cache'
import type { MutableDomain } from '../change.ts'
import { samePolicies } from './same-policies.ts'
import type { Sequence, Stamp } from './stamps.ts'

/** Revisions of the policies of two loads of a domain are so far apart that changes in memory never close the gap. */
const REVISION_STEP = 2 ** 20

/** How new the state of a domain is. Events are those of `Sequence`. */
interface Newness {
  /** An event at which the database had nothing newer; none is known of what comes of a copy. */
  readonly at: number
  /** The event at which memory had it. */
  readonly until: number
  /** A change by this process: an answer to a question sent before `until` that says `former` was given before the change. */
  readonly former?: number
}

/**
 * Domains in memory, each with what is known of how new it is. A domain stays the same object while it is kept: what is
 * derived from it stays valid, too.
 */
export class DomainCache {
  readonly #domains: LRUCache<string, MutableDomain>
  readonly #newness = new WeakMap<MutableDomain, Newness>()
  readonly #sequence: Sequence
  #revision = 0

  /** `maxObjects`: how many roles, members, assertions and so on all domains together may have before the least used go. */
  constructor(maxObjects: number, sequence: Sequence) {
    this.#sequence = sequence
    this.#domains = new LRUCache({ maxSize: maxObjects, sizeCalculation: sizeOf })
  }

  get size(): number {
    return this.#domains.size
  }

  /** The domain as it is in memory, however old. */
  kept(name: string): MutableDomain | undefined {
    return this.#domains.get(name)
  }

  /** The domain as it was at the stamp. */
  at(name: string, stamp: Stamp): MutableDomain | undefined {
    const domain = this.#domains.get(name)
    return domain?.rowId === stamp.rowId && domain.modified === stamp.modified ? domain : undefined
  }

  /** The domain at the stamp or, by its stamp, later. */
  notBefore(name: string, stamp: Stamp): MutableDomain | undefined {
    const domain = this.#domains.get(name)
    return domain?.rowId === stamp.rowId && domain.modified >= stamp.modified ? domain : undefined
  }

  /**
   * The domain as it is in memory, provided that it is not older than a stamp that was asked for at `sentAt`: it is at the
   * stamp, or it was the newest one after the question was sent, or the answer was given before an own change.
   */
  since(name: string, stamp: Stamp, sentAt: number): MutableDomain | undefined {
    const domain = this.#domains.get(name)
    return domain?.rowId === stamp.rowId && this.isSince(domain, stamp.modified, sentAt) ? domain : undefined
  }

  /** Whether a domain in memory is not older than a stamp of its row, likewise. */
  isSince(domain: MutableDomain, modified: number, sentAt: number): boolean {
    return domain.modified === modified || this.#isAhead(domain, modified, sentAt)
  }

  /**
   * Keeps a domain whose loading began at `startedAt`, in place of the former state, unless that was the newest one
   * later; gives the object to use. What comes of a copy of the database may be older than its loading; `startedAt` is
   * the event at which its stamp was asked for then.
   */
  keep(loaded: MutableDomain, startedAt: number, isOfCopy = false): MutableDomain {
    const newness = { at: isOfCopy ? Number.NEGATIVE_INFINITY : startedAt, until: this.#sequence.next() }
    const kept = this.#domains.get(loaded.name)
    if (kept === undefined || kept.rowId !== loaded.rowId) {
      this.#revision += REVISION_STEP
      loaded.policiesRevision = this.#revision
      this.#domains.set(loaded.name, loaded)
      this.#newness.set(loaded, newness)
      return loaded
    }
    if (this.#isAhead(kept, loaded.modified, startedAt)) return kept.modified === loaded.modified ? kept : loaded
    // Of two that were loaded at the same time the first to begin may be the newer one; whoever has it must not see it go back.
    if (kept.modified > loaded.modified && this.changedSince(loaded.name, startedAt)) return loaded
    replace(kept, loaded)
    this.#domains.set(kept.name, kept)
    this.#newness.set(kept, newness)
    return kept
  }

  /**
   * Notes that this process has just changed the domain, from the state of the stamp `former`; `committingAt` is an event
   * before the commit was sent. By now others may have changed it further.
   */
  changed(domain: MutableDomain, former: number, committingAt: number): void {
    this.#newness.set(domain, { at: committingAt, until: this.#sequence.next(), former })
  }

  /** Whether this process has changed or loaded the domain after the event. */
  changedSince(name: string, event: number): boolean {
    const domain = this.#domains.peek(name)
    const newness = domain && this.#newness.get(domain)
    return newness !== undefined && newness.until > event
  }

  forget(name: string): void {
    this.#domains.delete(name)
  }

  /** Whether a domain in memory is newer than what the database said, or had, after the event. */
  #isAhead(domain: MutableDomain, modified: number, event: number): boolean {
    const newness = this.#newness.get(domain)
    if (newness === undefined) return false
    return newness.at > event || (newness.former === modified && newness.until > event)
  }
}

/** Gives an object the state of another one; policies that are the same stay what they are. */
function replace(kept: MutableDomain, loaded: MutableDomain): void {
  const unchanged = samePolicies(kept.policies, loaded.policies)
  const policies = unchanged ? kept.policies : loaded.policies
  const policiesRevision = kept.policiesRevision + (unchanged ? 0 : 1)
  // Members that the new state lacks are set to undefined; a deletion would make every later access slow.
  const absent = Object.fromEntries(
    Object.keys(kept)
      .filter((key) => !(key in loaded))
      .map((key) => [key, undefined]),
  )
  Object.assign(kept, absent, loaded, { policies, policiesRevision })
}

/** Rough number of objects in a domain. */
function sizeOf(domain: MutableDomain): number {
  let size = 1 + domain.entities.size
  for (const { members, pending } of domain.roles.values()) size += 1 + members.size + pending.size
  for (const { members, pending } of domain.groups.values()) size += 1 + members.size + pending.size
  for (const versions of domain.policies.values()) {
    for (const { assertions } of versions.values()) size += 1 + assertions.size
  }
  for (const { publicKeys, hosts } of domain.services.values()) size += 1 + publicKeys.size + hosts.size
  return size
}
