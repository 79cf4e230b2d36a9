import type { Calls } from '#core/workers/calls.ts'
import { changeOf } from './change-form.ts'
import { type DomainForm, domainOf, SharedTexts } from './domain-form.ts'
import type { DurableTransaction } from './embedded-store.ts'
import { History } from './history.ts'
import { Memory } from './memory.ts'
import { type CopiedDomains, type CopyBeginning, FEED } from './store-feed.ts'

/** Domains that are asked for at a time. */
const BATCH = 50

/**
 * A copy of the data of an embedded store in another process, which follows it: transactions arrive in their order, after
 * the mark was set to their sequence.
 */
export class CopiedData {
  readonly memory = new Memory(new NoHistory())
  readonly #calls: Calls
  /** Domains that are still to be copied: what happens to them before is in their copies. */
  readonly #missing = new Set<string>()
  readonly #texts = new SharedTexts()
  readonly #waiting: { readonly sequence: number; readonly resolve: () => void }[] = []
  #sequence = 0

  /** Copies all data. */
  static async open(calls: Calls): Promise<CopiedData> {
    const data = new CopiedData(calls)
    await data.#copy()
    return data
  }

  private constructor(calls: Calls) {
    this.#calls = calls
    calls.on(`${FEED}.copy`, (beginning: CopyBeginning) => this.#begin(beginning))
    calls.on(`${FEED}.domains`, (copied: CopiedDomains) => this.#insert(copied))
    calls.on(`${FEED}.changes`, (transaction: DurableTransaction) => this.#apply(transaction))
  }

  /** Sequence of the last transaction that is in the copy. */
  get sequence(): number {
    return this.#sequence
  }

  /** Resolves when the copy is that far. */
  reached(sequence: number): Promise<void> {
    if (this.#sequence >= sequence) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ sequence, resolve }))
  }

  async #copy(): Promise<void> {
    await this.#calls.call(`${FEED}.copy`)
    while (this.#missing.size > 0) await this.#calls.call(`${FEED}.domains`, [...this.#missing].slice(0, BATCH))
  }

  #begin({ names, sequence, ...globals }: CopyBeginning): void {
    this.memory.restoreGlobals(globals)
    for (const name of names) this.#missing.add(name)
    this.#sequence = sequence
  }

  #insert(copied: CopiedDomains): void {
    for (const [name, text] of copied) {
      this.#missing.delete(name)
      if (text !== undefined) this.memory.restore(domainOf(JSON.parse(text) as DomainForm, this.#texts))
    }
  }

  #apply({ changes, ...place }: DurableTransaction): void {
    const texts = new SharedTexts()
    const parsed = (JSON.parse(changes) as object[]).map((form) => changeOf(form, texts))
    this.memory.reapply(parsed, place, (domain) => this.#missing.has(domain))
    this.#sequence = place.sequence
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting.splice(0)
    for (const each of waiting) {
      if (each.sequence <= this.#sequence) each.resolve()
      else this.#waiting.push(each)
    }
  }
}

/** What happened to members is read where it is kept. */
class NoHistory extends History {
  constructor() {
    super(() => Promise.reject(new Error('a copy has no history')))
  }

  override add(): void {}
  override forget(): void {}
  override forgetDomain(): void {}
}
