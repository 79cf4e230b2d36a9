/** A setting that may change while the server runs: read `value` at every use, do not keep it. */
export interface Dynamic<T> {
  readonly value: T
}

/** The writable side of a Dynamic, held by the loader alone. */
export class DynamicValue<T> implements Dynamic<T> {
  #value: T

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    this.#value = value
  }
}
