/** Reads the members of a record; each throws Error with the member's name when the value is not of its type. */
export class RecordMembers {
  readonly #members: ReadonlyMap<string, unknown>
  readonly #source: string

  /** `source` names the record in messages. */
  constructor(members: ReadonlyMap<string, unknown>, source: string) {
    this.#members = members
    this.#source = source
  }

  text(name: string): string {
    return this.#required(name, this.optionalText(name))
  }

  /** Null counts as absent, as for every optional member. */
  optionalText(name: string): string | undefined {
    const value = this.#members.get(name) ?? undefined
    if (value === undefined || typeof value === 'string') return value
    throw this.#unfit(name)
  }

  /** Epoch milliseconds. */
  time(name: string): number {
    return this.#required(name, this.optionalTime(name))
  }

  optionalTime(name: string): number | undefined {
    const value = this.#members.get(name) ?? undefined
    if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value))) return value
    throw this.#unfit(name)
  }

  /** False when absent. */
  flag(name: string): boolean {
    const value = this.#members.get(name) ?? false
    if (typeof value === 'boolean') return value
    throw this.#unfit(name)
  }

  #required<T>(name: string, value: T | undefined): T {
    if (value === undefined) throw this.#unfit(name)
    return value
  }

  #unfit(name: string): Error {
    return new Error(`${this.#source}: ${name} is not what it should be`)
  }
}
