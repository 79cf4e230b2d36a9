import { DatabaseError } from '#core/database/database-error.ts'
import type { MySqlConnection } from '#core/database/mysql-connection.ts'
import { applyChange } from '../apply.ts'
import { type Change, type DomainChange, isDomainChange, type MutableDomain } from '../change.ts'
import type { Domain } from '../model.ts'
import { Overlay } from '../overlay.ts'
import type { Transaction } from '../store.ts'
import { CollectingTransaction } from '../transaction.ts'
import { places } from './columns.ts'
import type { DomainCache } from './domain-cache.ts'
import { loadDomain } from './load.ts'
import { Stamps, WriteScope, type WriteSettings } from './scope.ts'
import type { StampClock } from './stamp-clock.ts'
import type { Sequence } from './stamps.ts'
import { writeChanges } from './write.ts'

/** What a transaction decides. */
export type Decide<T> = (transaction: Transaction) => Promise<T> | T

/** What came of `decide`: a value, or what it threw; or it has to run again after the commit of those before it. */
export type Verdict<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'postponed' }

/** What batches work with. */
export interface BatchParts {
  readonly cache: DomainCache
  readonly sequence: Sequence
  readonly clock: StampClock
  readonly writeSettings: WriteSettings
  /** A domain that is not locked, as it is committed. */
  readonly readDomain: (name: string) => Promise<Domain | undefined>
  /** The questions of the store, asked on this connection; domains are read by `domain`. */
  readonly queriesOn: (
    connection: Pick<MySqlConnection, 'rows'>,
    domain: (name: string) => Promise<Domain | undefined>,
  ) => Transaction['queries']
}

/** A locked domain. */
interface Held {
  readonly rowId: number
  /** Its stamp when it was locked. */
  readonly modified: number
  /** The committed state, once it is needed. */
  base: MutableDomain | undefined
  /** The state after some of the changes, when a later transaction needs it. */
  overlay: { view: Overlay; applied: number } | undefined
  readonly changes: { readonly change: DomainChange; readonly at: number }[]
  /** Whether a view of the changes would have to copy very much. */
  large: boolean
}

/** From this number of members or assertions on, a commit is cheaper than a copy. */
const LARGE = 5000

const LOCK_DOMAIN = 'SELECT domain_id AS id, modified, SYSDATE(3) AS now FROM domain WHERE name = ? FOR UPDATE'

/** How a domain was and will be: its modification stamp, or undefined when it does not exist. */
export interface Transition {
  readonly before: number | undefined
  readonly after: number | undefined
}

/**
 * One transaction of the database in which several transactions of the store run one after the other; each sees those
 * before it. They share the locks, the stamp of the domains and the commit, which is most of what a transaction costs.
 */
export class Batch {
  readonly #connection: MySqlConnection
  readonly #parts: BatchParts
  readonly #names: ReadonlySet<string>
  readonly #held = new Map<string, Held>()
  /** Keys of the rows of the locked domains as far as they exist by now. */
  readonly #domainIds = new Map<string, number>()
  readonly #changed = new Set<string>()
  readonly #replaced = new Set<string>()
  readonly #stamps = new Stamps()
  #lastStamp = 0
  #dirty = false

  private constructor(connection: MySqlConnection, names: readonly string[], parts: BatchParts) {
    this.#connection = connection
    this.#names = new Set(names)
    this.#parts = parts
  }

  /** Begins with the locks of the domains, taken in ascending order of names; the domains need not exist. */
  static async begin(connection: MySqlConnection, names: readonly string[], parts: BatchParts): Promise<Batch> {
    const batch = new Batch(connection, names, parts)
    for (const name of names) {
      const [row] = await connection.rows<{ id: number; modified: Date; now: Date }>(LOCK_DOMAIN, [name])
      if (row === undefined) continue
      const modified = row.modified.getTime()
      parts.clock.observe(row.now.getTime())
      batch.#held.set(name, { rowId: row.id, modified, base: undefined, overlay: undefined, changes: [], large: false })
      batch.#domainIds.set(name, row.id)
      batch.#lastStamp = Math.max(batch.#lastStamp, modified)
    }
    if (parts.clock.unset) {
      const [row] = await connection.rows<{ now: Date }>('SELECT SYSDATE(3) AS now')
      if (row !== undefined) parts.clock.observe(row.now.getTime())
    }
    return batch
  }

  /** Whether there is something to commit. */
  get dirty(): boolean {
    return this.#dirty
  }

  /** Whether no further transaction may run: a domain was created or deleted, and its state is not known in memory. */
  get full(): boolean {
    return this.#replaced.size > 0
  }

  /** Names of the domains that were changed. */
  get changedNames(): readonly string[] {
    return [...this.#changed]
  }

  /**
   * Runs one transaction and writes its changes. What `decide` throws is its verdict, and then nothing of it stays; the
   * verdict holds only if the batch is committed. Throws DatabaseError when the database fails. The first transaction is
   * never postponed.
   */
  async run<T>(decide: Decide<T>): Promise<Verdict<T>> {
    const now = Math.max(this.#parts.clock.now(), this.#lastStamp + 1)
    const faults = new FaultWatch(this.#connection)
    const load = (name: string) => faults.watch(this.#domain(name))
    const queries = this.#parts.queriesOn(faults, load)
    const transaction = new CollectingTransaction({ now, locked: this.#names, load, queries })
    const verdict = await settle(transaction, decide)
    // Even if `decide` went on regardless: after a deadlock, say, the locks are gone.
    faults.rethrow()
    if (faults.postponed) return { kind: 'postponed' }
    if (verdict.kind === 'value' && transaction.changes.length > 0) {
      this.#dirty = true
      this.#lastStamp = now
      await this.#write(transaction.changes, now)
    }
    return verdict
  }

  /** What the commit makes of the domains, given their stamp. */
  transitions(stamp: number): ReadonlyMap<string, Transition> {
    return new Map(
      this.changedNames.map((name) => {
        const after = this.#domainIds.has(name) ? stamp : undefined
        return [name, { before: this.#held.get(name)?.modified, after }]
      }),
    )
  }

  /**
   * Stamps what was changed, which is the last step before the commit. The domains get the time of this moment: whoever
   * asks what has changed since a time waits for the commit of all earlier stamps, and finds later ones the next time.
   */
  async stamp(): Promise<number> {
    await this.#stamps.write(this.#connection)
    const ids = this.changedNames.flatMap((name) => this.#domainIds.get(name) ?? [])
    const least = new Date(Math.max(this.#parts.clock.ofDatabase ? 0 : this.#parts.clock.now(), this.#lastStamp))
    if (ids.length === 0) return least.getTime()
    const list = places(ids.length)
    const time = this.#parts.clock.ofDatabase ? 'GREATEST(NOW(3), CAST(? AS DATETIME(3)))' : '?'
    const [, rows] = await this.#connection.script(
      `UPDATE domain SET modified = ${time} WHERE domain_id IN (${list});
       SELECT modified FROM domain WHERE domain_id IN (${list}) LIMIT 1`,
      [least, ...ids, ...ids],
    )
    const [row] = (rows ?? []) as { modified: Date }[]
    if (row === undefined) throw new DatabaseError('contention', 'the changed domains vanished while they were locked')
    return row.modified.getTime()
  }

  async commit(): Promise<void> {
    await this.#connection.script('COMMIT')
  }

  /** Brings memory up to date after the commit; synchronous, so that readers see all of it or nothing. */
  remember(stamp: number): void {
    const { cache, sequence } = this.#parts
    for (const name of this.#changed) {
      const held = this.#held.get(name)
      if (held?.base === undefined || this.#replaced.has(name)) {
        cache.forget(name)
        continue
      }
      for (const { change, at } of held.changes) applyChange(held.base, change, at)
      held.base.modified = stamp
      cache.changed(held.base, sequence.next())
    }
  }

  async #domain(name: string): Promise<Domain | undefined> {
    if (!this.#names.has(name)) return this.#parts.readDomain(name)
    const held = this.#held.get(name)
    if (held === undefined) return undefined
    if (held.large) throw new CommitFirst()
    await this.#loadBase(name, held)
    return currentState(held)
  }

  /** The committed state; must come before the first change of the domain is written. */
  async #loadBase(name: string, held: Held): Promise<void> {
    if (held.base !== undefined) return
    const { cache, sequence } = this.#parts
    held.base = cache.at(name, held)
    if (held.base !== undefined) return
    const startedAt = sequence.next()
    const loaded = await loadDomain(this.#connection, held.rowId)
    if (loaded === undefined) throw new DatabaseError('contention', `domain ${name} vanished while it was locked`)
    held.base = cache.keep(loaded, startedAt)
  }

  /** The state before the transaction that is being written, as far as it is worth knowing. */
  #before(name: string): MutableDomain | undefined | 'unknown' {
    const held = this.#held.get(name)
    if (held?.large) return 'unknown'
    return held && currentState(held)
  }

  async #write(changes: readonly Change[], at: number): Promise<void> {
    for (const change of changes) {
      if (!isDomainChange(change)) continue
      const held = this.#held.get(change.domain)
      if (held) await this.#loadBase(change.domain, held)
      this.#changed.add(change.domain)
      if (change.kind === 'createDomain' || change.kind === 'deleteDomain') this.#replaced.add(change.domain)
    }
    const scope = new WriteScope({
      connection: this.#connection,
      at: new Date(at),
      settings: this.#parts.writeSettings,
      domainIds: this.#domainIds,
      before: (name) => this.#before(name),
      stamps: this.#stamps,
    })
    const written = await writeChanges(scope, changes)
    for (const change of written) {
      const held = this.#held.get(change.domain)
      held?.changes.push({ change, at })
      if (held?.base !== undefined && isLarge(held.base, change)) held.large = true
    }
  }
}

/** The domain after the changes so far. */
function currentState(held: Held): MutableDomain | undefined {
  if (held.base === undefined || held.changes.length === 0) return held.base
  held.overlay ??= { view: new Overlay(held.base), applied: 0 }
  const { view } = held.overlay
  for (const { change, at } of held.changes.slice(held.overlay.applied)) view.apply(change, at)
  held.overlay.applied = held.changes.length
  return view.domain
}

async function settle<T>(transaction: Transaction, decide: Decide<T>): Promise<Verdict<T>> {
  try {
    return { kind: 'value', value: await decide(transaction) }
  } catch (error) {
    return { kind: 'error', error }
  }
}

/** Whether a view of the change has to copy a large object. */
function isLarge(domain: MutableDomain, change: DomainChange): boolean {
  if ('role' in change) return (domain.roles.get(change.role)?.members.size ?? 0) > LARGE
  if ('group' in change) return (domain.groups.get(change.group)?.members.size ?? 0) > LARGE
  if (!('policy' in change)) return false
  return [...(domain.policies.get(change.policy)?.values() ?? [])].some(({ assertions }) => assertions.size > LARGE)
}

/** Stops a transaction that would have to see the changes of those before it. */
class CommitFirst extends Error {}

/** Remembers what kept a transaction from reading. */
class FaultWatch implements Pick<MySqlConnection, 'rows'> {
  readonly #connection: MySqlConnection
  #fault: DatabaseError | undefined
  #postponed = false

  constructor(connection: MySqlConnection) {
    this.#connection = connection
  }

  rows<Row>(...question: Parameters<MySqlConnection['rows']>): Promise<Row[]> {
    return this.watch(this.#connection.rows<Row>(...question))
  }

  async watch<T>(reading: Promise<T>): Promise<T> {
    try {
      return await reading
    } catch (error) {
      if (error instanceof CommitFirst) this.#postponed = true
      // A text that cannot be compared is the question's fault and leaves the transaction as it is.
      if (error instanceof DatabaseError && error.fault !== 'bad-value') this.#fault ??= error
      throw error
    }
  }

  /** Whether the transaction has to wait for a commit, whatever it made of that. */
  get postponed(): boolean {
    return this.#postponed
  }

  rethrow(): void {
    if (this.#fault !== undefined) throw this.#fault
  }
}
