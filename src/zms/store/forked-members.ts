import { type GroupReference, type MemberEntry, Members, type WildcardMember } from '#core/rbac/members.ts'

/**
 * Members that begin as those of another list and take changes of their own, at a cost that does not depend on how many
 * there are: for what a transaction sees of a role of a hundred thousand. The other list must not change meanwhile.
 */
export class ForkedMembers<M extends MemberEntry> extends Members<M> {
  readonly #base: Members<M>
  /** Lower-case names of the base → what they are here: another entry, or no longer a member. */
  readonly #changed = new Map<string, M | undefined>()
  readonly #added = new Members<M>()
  #removedCount = 0

  constructor(base: Members<M>) {
    super()
    this.#base = base
  }

  override get size(): number {
    return this.#base.size - this.#removedCount + this.#added.size
  }

  override get wildcards(): readonly WildcardMember<M>[] {
    return this.#special((members) => members.wildcards)
  }

  override get groups(): readonly GroupReference<M>[] {
    return this.#special((members) => members.groups)
  }

  override getFolded(name: string): M | undefined {
    const added = this.#added.getFolded(name)
    if (added !== undefined) return added
    return this.#changed.has(name) ? this.#changed.get(name) : this.#base.getFolded(name)
  }

  override set(entry: M): this {
    const name = entry.memberName.toLowerCase()
    // One that was removed before comes in again as the last.
    if (this.#isOfBase(name)) this.#changed.set(name, entry)
    else this.#added.set(entry)
    return this
  }

  override delete(name: string): boolean {
    const folded = name.toLowerCase()
    if (!this.#isOfBase(folded)) return this.#added.delete(folded)
    this.#changed.set(folded, undefined)
    this.#removedCount += 1
    return true
  }

  override *values(): IterableIterator<M> {
    for (const entry of this.#base.values()) {
      const name = entry.memberName.toLowerCase()
      const current = this.#changed.has(name) ? this.#changed.get(name) : entry
      if (current !== undefined) yield current
    }
    yield* this.#added.values()
  }

  /** Whether the base has the name and it was not removed here. */
  #isOfBase(name: string): boolean {
    return this.#changed.has(name) ? this.#changed.get(name) !== undefined : this.#base.getFolded(name) !== undefined
  }

  #special<S extends { readonly entry: M }>(of: (members: Members<M>) => readonly S[]): readonly S[] {
    const replaced = [...this.#changed.values()].filter((entry) => entry !== undefined)
    return [
      ...of(this.#base).filter(({ entry }) => !this.#changed.has(entry.memberName.toLowerCase())),
      ...of(new Members(replaced)),
      ...of(this.#added),
    ]
  }
}
