import { DatabaseError } from '#core/database/database-error.ts'
import type { MySqlConnection } from '#core/database/mysql-connection.ts'
import { applyChange } from '../apply.ts'
import { type Change, type DomainChange, isDomainChange, type MutableDomain } from '../change.ts'
import type { Domain } from '../model.ts'
import { Overlay } from '../overlay.ts'
import type { Transaction } from '../store.ts'
import { CollectingTransaction } from '../transaction.ts'
import type { DomainCache } from './domain-cache.ts'
import { loadDomain } from './load.ts'
import type { TimedChange } from './runs.ts'
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

/** A domain that is locked and exists. */
interface Held {
  readonly rowId: number
  /** Its stamp when it was locked. */
  readonly modified: number
  /** The committed state, when it is in memory. */
  base: MutableDomain | undefined
  /** Changes so far that a later transaction must see. */
  readonly accepted: TimedChange<DomainChange>[]
  /** The state after the first so many of them, when a later transaction asked for it. */
  overlay: { readonly view: Overlay; applied: number } | undefined
}

/** How a domain was and will be: its modification stamp, or undefined when it does not exist. */
export interface Transition {
  readonly before: number | undefined
  readonly after: number | undefined
}

const LOCK_DOMAIN = 'SELECT domain_id AS id, modified, SYSDATE(3) AS now FROM domain WHERE name = ? FOR UPDATE'

/**
 * The time of the database, whose epoch milliseconds come back as the key of an inserted row: that is how an UPDATE can say
 * something (UNIX_TIMESTAMP would end in 2038).
 */
const NOTED_NOW = `TIMESTAMPADD(MICROSECOND, 1000 * LAST_INSERT_ID(
  TIMESTAMPDIFF(MICROSECOND, '1970-01-01', NOW(3)) DIV 1000), '1970-01-01')`

/**
 * One transaction of the database for several transactions of the store, which run one after the other; each sees those
 * before it. They share the locks, the stamp and the commit, which is most of what a transaction costs, and what they
 * change is written together at the end.
 */
export class Batch {
  readonly #connection: MySqlConnection
  /**
   * The event before the first lock. A node of a cluster waits then, and not again before the end of the transaction, for
   * what others have committed: they may commit more to the locked domains, at the cost of this batch, and what is loaded
   * here lacks it.
   */
  readonly #begunAt: number
  readonly #parts: BatchParts
  readonly #names: ReadonlySet<string>
  readonly #held = new Map<string, Held>()
  /** Changed domains whose new state is not worth working out, or cannot be, before the commit. */
  readonly #opaque = new Set<string>()
  /** Changes of each transaction. */
  readonly #accepted: (readonly TimedChange[])[] = []
  /** Changes as they are to be made in memory. */
  readonly #written: TimedChange<DomainChange>[] = []
  /** Keys of the rows of the locked domains as far as they exist by now. */
  readonly #domainIds = new Map<string, number>()
  readonly #changed = new Set<string>()
  /** The time of the latest transaction; to begin with, the earliest that one may have: after the last stamps. */
  #lastTime = 0
  #isStampUnsure = false
  /** Statements that were prepared when the first lock was taken. */
  #preparedBefore = 0
  /** The event before the commit was sent. */
  #committingAt = 0

  private constructor(connection: MySqlConnection, names: readonly string[], parts: BatchParts, begunAt: number) {
    this.#connection = connection
    this.#begunAt = begunAt
    this.#names = new Set(names)
    this.#parts = parts
  }

  /** Begins with the locks of the domains, taken in ascending order of names; the domains need not exist. */
  static async begin(connection: MySqlConnection, names: readonly string[], parts: BatchParts): Promise<Batch> {
    const batch = new Batch(connection, names, parts, parts.sequence.next())
    for (const name of names) {
      const [row] = await connection.rows<{ id: number; modified: Date; now: Date }>(LOCK_DOMAIN, [name])
      if (name === names[0]) batch.#preparedBefore = connection.preparedStatements
      if (row === undefined) continue
      const stamp = { rowId: row.id, modified: row.modified.getTime() }
      parts.clock.observe(row.now.getTime())
      batch.#held.set(name, { ...stamp, base: parts.cache.at(name, stamp), accepted: [], overlay: undefined })
      batch.#domainIds.set(name, row.id)
      batch.#lastTime = Math.max(batch.#lastTime, stamp.modified + 1)
    }
    if (parts.clock.unset) {
      const [row] = await connection.rows<{ now: Date }>('SELECT SYSDATE(3) AS now')
      if (row !== undefined) parts.clock.observe(row.now.getTime())
    }
    return batch
  }

  /** Whether there is something to commit. */
  get dirty(): boolean {
    return this.#accepted.length > 0
  }

  /** Whether somebody else may give the same stamp when this batch is not committed: it is ahead of the clock. */
  get isStampUnsure(): boolean {
    return this.#isStampUnsure
  }

  /**
   * Whether the locks may be gone without a word. When a node of a cluster takes a transaction back for another one, the
   * next statement fails; but MariaDB (10.11) says nothing when that happens while a statement is prepared, and what
   * follows is a transaction of its own: 26 of 15,000 conflicting transactions were both committed, none of 44,000 whose
   * statements had all been prepared before.
   */
  get mayHaveLostLocks(): boolean {
    return this.#connection.preparedStatements > this.#preparedBefore
  }

  /** Names of the domains that were changed. */
  get changedNames(): readonly string[] {
    return [...this.#changed]
  }

  /**
   * Runs one transaction and keeps its changes. What `decide` throws is its verdict, and then nothing of it stays; the
   * verdict holds only if the batch is committed. Throws DatabaseError when the database fails. The first transaction is
   * never postponed.
   */
  async run<T>(decide: Decide<T>): Promise<Verdict<T>> {
    // Those of one batch may have the same time: a millisecond for each would bring the stamp ahead of the clock.
    const now = Math.max(this.#parts.clock.now(), this.#lastTime)
    const watch = new Watch()
    const load = (name: string) => watch.over(() => this.#domain(name))
    const queries = this.#parts.queriesOn({ rows: (sql, values) => watch.over(() => this.#rows(sql, values)) }, load)
    const transaction = new CollectingTransaction({ now, locked: this.#names, load, queries })
    const verdict = await settle(transaction, decide)
    // Even if `decide` went on regardless: after a deadlock, say, the locks are gone.
    if (watch.fault !== undefined) throw watch.fault
    if (watch.postponed) return { kind: 'postponed' }
    if (verdict.kind === 'value' && transaction.changes.length > 0) this.#accept([...transaction.changes], now)
    return verdict
  }

  /** Writes all changes and gives their stamp. Nothing may follow but the commit. */
  async write(): Promise<number> {
    const stamp = await this.#stampDomains()
    const stamps = new Stamps()
    const scope = new WriteScope({
      connection: this.#connection,
      stamp: new Date(stamp),
      settings: this.#parts.writeSettings,
      domainIds: this.#domainIds,
      before: (name) => this.#before(name),
      stamps,
    })
    for (const changes of together(this.#accepted)) this.#written.push(...(await writeChanges(scope, changes)))
    await stamps.write(this.#connection)
    return stamp
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

  async commit(): Promise<void> {
    this.#committingAt = this.#parts.sequence.next()
    await this.#connection.script('COMMIT')
  }

  /** Brings memory up to date after the commit; synchronous, so that readers see all of it or nothing. */
  remember(stamp: number): void {
    const { cache, clock } = this.#parts
    // The answer to the commit may come late: what was loaded since has the changes, and perhaps those of others.
    const unchanged = new Map([...this.#changed].map((name) => [name, this.#stillBefore(name)]))
    for (const { change, at } of this.#written) {
      const base = unchanged.get(change.domain)
      if (base !== undefined) applyChange(base, change, at)
    }
    for (const [name, base] of unchanged) {
      const held = this.#held.get(name)
      if (base !== undefined && held !== undefined) {
        base.modified = stamp
        cache.changed(base, held.modified, this.#committingAt)
      } else if (held?.base === undefined || this.#isReplaced(name)) {
        cache.forget(name)
      }
      // A domain that is made again must not have the stamp of the one that was deleted.
      clock.reach(this.#domainIds.has(name) ? stamp : stamp + 1)
    }
  }

  /** The domain in memory when it is in the state in which it was locked and still exists. */
  #stillBefore(name: string): MutableDomain | undefined {
    const held = this.#held.get(name)
    return held?.base?.modified === held?.modified && !this.#isReplaced(name) ? held?.base : undefined
  }

  /** Whether the domain is another one than when it was locked. */
  #isReplaced(name: string): boolean {
    return this.#held.get(name)?.rowId !== this.#domainIds.get(name)
  }

  async #domain(name: string): Promise<Domain | undefined> {
    if (!this.#names.has(name)) return this.#parts.readDomain(name)
    if (this.#opaque.has(name)) throw new CommitFirst()
    const held = this.#held.get(name)
    if (held === undefined) return undefined
    if (held.base === undefined) {
      const loaded = await loadDomain(this.#connection, held.rowId)
      if (loaded === undefined) throw new DatabaseError('contention', `domain ${name} vanished while it was locked`)
      held.base = this.#parts.cache.keep(loaded, this.#begunAt)
    }
    return currentState(held.base, held)
  }

  async #rows<Row>(...question: Parameters<MySqlConnection['rows']>): Promise<Row[]> {
    // The answer would lack the changes of those before.
    if (this.dirty) throw new CommitFirst()
    return this.#connection.rows<Row>(...question)
  }

  #accept(changes: readonly Change[], at: number): void {
    this.#accepted.push(changes.map((change) => ({ change, at })))
    this.#lastTime = at
    for (const change of changes) {
      if (!isDomainChange(change)) continue
      this.#changed.add(change.domain)
      const held = this.#held.get(change.domain)
      held?.accepted.push({ change, at })
      if (held === undefined || isOpaque(held.base, change)) this.#opaque.add(change.domain)
    }
  }

  /**
   * Gives the changed domains their stamp before anything else is written: the time of this moment. Whoever asks what has
   * changed waits from now on for the commit, so that nobody is told of a later stamp and not of this one. Only as they
   * were locked: whatever a cluster makes of locks, no change of somebody else is overwritten.
   */
  async #stampDomains(): Promise<number> {
    const { clock } = this.#parts
    const held = this.changedNames.flatMap((name) => this.#held.get(name) ?? [])
    const least = Math.max(this.#lastTime, clock.ofDatabase ? clock.floor : clock.now())
    if (held.length === 0) return Math.max(least, clock.now())
    const given = 'CAST(? AS DATETIME(3))'
    const time = clock.ofDatabase ? `GREATEST(${NOTED_NOW}, ${given})` : `IF(${NOTED_NOW} IS NULL, NULL, ${given})`
    const { found, insertId: now } = await this.#connection.change(
      `UPDATE domain SET modified = ${time} WHERE ${held.map(() => '(domain_id = ? AND modified = ?)').join(' OR ')}`,
      [new Date(least), ...held.flatMap(({ rowId, modified }) => [rowId, new Date(modified)])],
    )
    if (found !== held.length) {
      throw new DatabaseError('contention', 'the changed domains are not as they were when they were locked')
    }
    const stamp = clock.ofDatabase ? Math.max(now, least) : least
    this.#isStampUnsure = stamp > now
    return stamp
  }

  /** The domain before all changes, as far as it is known. */
  #before(name: string): MutableDomain | undefined | 'unknown' {
    const held = this.#held.get(name)
    return held && (held.base ?? 'unknown')
  }
}

/** The domain after the changes so far. */
function currentState(base: MutableDomain, held: Held): MutableDomain {
  if (held.accepted.length === 0) return base
  held.overlay ??= { view: new Overlay(base), applied: 0 }
  const { view } = held.overlay
  for (const { change, at } of held.accepted.slice(held.overlay.applied)) view.apply(change, at)
  held.overlay.applied = held.accepted.length
  return view.domain
}

/** From this number of members or assertions on, a commit is cheaper than a copy. */
const LARGE = 5000

/** Whether nobody can see the change before the commit: its ids come from the database, or it takes a large copy. */
function isOpaque(base: MutableDomain | undefined, change: DomainChange): boolean {
  if (change.kind === 'createDomain' || change.kind === 'deleteDomain') return true
  if (change.kind === 'putAssertion' && change.value.id === undefined) return true
  if (base === undefined) return false
  if ('role' in change) return (base.roles.get(change.role)?.members.size ?? 0) > LARGE
  if ('group' in change) return (base.groups.get(change.group)?.members.size ?? 0) > LARGE
  if (!('policy' in change)) return false
  return [...(base.policies.get(change.policy)?.values() ?? [])].some(({ assertions }) => assertions.size > LARGE)
}

/** Changes of all transactions in lists that can be written as one: stand-ins of ids mean something in theirs only. */
function together(transactions: readonly (readonly TimedChange[])[]): TimedChange[][] {
  const lists: TimedChange[][] = []
  let last: TimedChange[] | undefined
  for (const changes of transactions) {
    const isOwn = changes.some(({ change: { kind } }) => kind === 'createDomain' || kind === 'putAssertion')
    if (isOwn || last === undefined) lists.push([...changes])
    else last.push(...changes)
    last = isOwn ? undefined : lists.at(-1)
  }
  return lists
}

async function settle<T>(transaction: Transaction, decide: Decide<T>): Promise<Verdict<T>> {
  try {
    return { kind: 'value', value: await decide(transaction) }
  } catch (error) {
    return { kind: 'error', error }
  }
}

/** Stops a transaction that would have to see the changes of those before it. */
class CommitFirst extends Error {}

/** Remembers what kept a transaction from reading, whatever the transaction makes of it. */
class Watch {
  fault: DatabaseError | undefined
  postponed = false

  async over<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (error instanceof CommitFirst) this.postponed = true
      // A text that cannot be compared is the question's fault and leaves the transaction as it is.
      if (error instanceof DatabaseError && error.fault !== 'bad-value') this.fault ??= error
      throw error
    }
  }
}
