import { type Change, type DomainChange, isDomainChange, type MutableDomain } from './change.ts'
import { requireWithinLimits } from './limits.ts'
import type { Domain } from './model.ts'
import { overlay } from './overlay.ts'
import type { Transaction } from './store.ts'

/** How a transaction reads domains: the locked ones as the store loaded them, others as they are committed now. */
export type LoadDomain = (name: string) => Domain | undefined | Promise<Domain | undefined>

/**
 * The view over committed domains plus the changes collected so far, shared by the stores. It never touches the
 * committed domains: a domain that changes of this transaction concern is read through an overlay of them.
 */
export class CollectingTransaction implements Transaction {
  readonly now: number
  readonly queries: Transaction['queries']
  readonly #locked: ReadonlySet<string>
  readonly #load: LoadDomain
  readonly #changes: Change[] = []
  /** The same by domain: a request with many members asks for its domain once for each. */
  readonly #domainChanges = new Map<string, DomainChange[]>()
  readonly #views = new Map<string, { count: number; domain: Domain | undefined }>()

  constructor(options: {
    now: number
    locked: ReadonlySet<string>
    load: LoadDomain
    queries: Transaction['queries']
  }) {
    this.now = options.now
    this.#locked = options.locked
    this.#load = options.load
    this.queries = options.queries
  }

  /** What was collected, in order. */
  get changes(): readonly Change[] {
    return this.#changes
  }

  async domain(name: string): Promise<Domain | undefined> {
    const committed = await this.#load(name)
    const changes = this.#domainChanges.get(name)
    if (changes === undefined) return committed
    const view = this.#views.get(name)
    if (view?.count === changes.length) return view.domain
    const domain = this.#after(committed as MutableDomain | undefined, changes)
    this.#views.set(name, { count: changes.length, domain })
    return domain
  }

  apply(...changes: Change[]): void {
    for (const change of changes) {
      if (isDomainChange(change) && !this.#locked.has(change.domain)) {
        throw new Error(`the transaction does not hold the domain of a change: ${change.kind} in ${change.domain}`)
      }
      requireWithinLimits(change)
      this.#changes.push(change)
      if (isDomainChange(change)) this.#rememberOf(change)
    }
  }

  #rememberOf(change: DomainChange): void {
    const earlier = this.#domainChanges.get(change.domain)
    if (earlier) earlier.push(change)
    else this.#domainChanges.set(change.domain, [change])
  }

  #after(committed: MutableDomain | undefined, changes: readonly DomainChange[]): Domain | undefined {
    let base = committed
    let pending: DomainChange[] = []
    for (const change of changes) {
      if (change.kind === 'createDomain') [base, pending] = [change.value as MutableDomain, []]
      else if (change.kind === 'deleteDomain') [base, pending] = [undefined, []]
      else pending.push(change)
    }
    return base && (pending.length > 0 ? overlay(base, pending, this.now) : base)
  }
}
