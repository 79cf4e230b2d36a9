import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import type { Change } from '#zms/store/change.ts'
import type { Domain } from '#zms/store/model.ts'
import type { Store } from '#zms/store/store.ts'

/** A store on data of its own. */
export interface OpenedStore {
  readonly store: Store
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<Store>
  /** Closes the store and removes its data. */
  dispose(): Promise<void>
}

/** Opens a store without any data. */
export type OpenStore = () => Promise<OpenedStore>

/** The store that the tests of one `describe` share, each in domains of its own. */
export class Fixture {
  #opened: OpenedStore | undefined
  #store: Store | undefined
  #names = 0

  constructor(open: OpenStore) {
    before(async () => {
      this.#opened = await open()
      this.#store = this.#opened.store
    })
    after(() => this.#opened?.dispose())
  }

  get store(): Store {
    assert.ok(this.#store)
    return this.#store
  }

  /** Goes on with the store opened again. */
  async reopen(): Promise<void> {
    this.#store = await this.#opened?.reopen()
  }

  /** A name of a domain that no test has used. */
  name(stem = 'domain'): string {
    this.#names += 1
    return `${stem}${this.#names}`
  }

  /** Creates a domain under a name of its own. */
  async create(value: (name: string) => Domain, stem?: string): Promise<string> {
    const name = this.name(stem)
    await this.commit([name], { kind: 'createDomain', domain: name, value: value(name) })
    return name
  }

  /** Commits the changes in one transaction. */
  async commit(domains: readonly string[], ...changes: Change[]): Promise<void> {
    await this.store.transact(domains, (transaction) => transaction.apply(...changes))
  }

  /** The domain, which must exist. */
  async read(name: string): Promise<Domain> {
    const domain = await this.store.domain(name)
    assert.ok(domain, `domain ${name} exists`)
    return domain
  }
}

/** What `assert.rejects` expects of a failure that clients are told about. */
export const failure = (code: ServiceError['code'], message?: string) => (error: unknown) => {
  assert.ok(error instanceof ServiceError, String(error))
  assert.equal(error.code, code, error.message)
  if (message !== undefined) assert.equal(error.message, message)
  return true
}
