/** Fields whose values no page shows again or keeps: they are written again. */
export const SECRET_FIELDS: readonly string[] = ['credential', 'password', 'token']

/** Fields of a query or of a form that was sent; a name may come several times. */
export class Fields {
  readonly #entries: readonly (readonly [name: string, value: string])[]

  private constructor(entries: readonly (readonly [string, string])[]) {
    this.#entries = entries
  }

  static of(entries: Iterable<readonly [name: string, value: string]>): Fields {
    return new Fields([...entries])
  }

  /** Reads `application/x-www-form-urlencoded`, which queries are written in, too. */
  static parse(text: string): Fields {
    return new Fields([...new URLSearchParams(text)])
  }

  static readonly none = new Fields([])

  /** The first value of a name without spaces around it; undefined when it is absent or empty. */
  text(name: string): string | undefined {
    const value = this.#entries.find(([key]) => key === name)?.[1].trim()
    return value === '' ? undefined : value
  }

  /** The first value as it was sent, undefined when the name is absent. */
  exact(name: string): string | undefined {
    return this.#entries.find(([key]) => key === name)?.[1]
  }

  has(name: string): boolean {
    return this.#entries.some(([key]) => key === name)
  }

  /** All values of a name, without empty ones. */
  list(name: string): string[] {
    return this.#entries.flatMap(([key, value]) => (key === name && value.trim() !== '' ? [value.trim()] : []))
  }

  /** The same fields, with nothing in those that are secret. */
  withoutSecrets(): Fields {
    return new Fields(this.#entries.map(([name, value]) => [name, SECRET_FIELDS.includes(name) ? '' : value]))
  }

  /** Names of the secret fields among them. */
  get secrets(): readonly string[] {
    return SECRET_FIELDS.filter((name) => this.has(name))
  }

  /** All fields but those of some names, in their order. */
  without(names: readonly string[]): readonly (readonly [name: string, value: string])[] {
    return this.#entries.filter(([key]) => !names.includes(key))
  }
}
