import { DatabaseError } from '#core/database/database-error.ts'
import type { MySqlConnection } from '#core/database/mysql-connection.ts'
import type { MySqlPool } from '#core/database/mysql-pool.ts'
import { conflict, ServiceError } from '#core/error/service-error.ts'
import { Batch, type BatchParts, type Decide, type Transition } from './batch.ts'
import type { DomainReader } from './domain-reader.ts'
import { Attempts, asServiceError, type RetrySettings, readPatiently } from './retry.ts'

/** A transaction that waits for its turn, and for whom. */
interface Job {
  readonly decide: Decide<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Most transactions in one batch: what waits longest should not wait for everybody. */
const LARGEST_BATCH = 64

/**
 * Runs transactions. Those of the same domains go one batch after the other; whatever arrives while a batch is on its way
 * forms the next one. So a domain that many change takes one connection and one commit for all of them, and no request
 * waits in the database for a lock that this process holds itself.
 */
export class Transactions {
  readonly #pool: MySqlPool
  readonly #reader: DomainReader
  readonly #parts: BatchParts
  readonly #retry: RetrySettings
  readonly #random: () => number
  readonly #onReadOnly: () => void
  /** Jobs that wait, by the domains they lock; an entry without jobs means that a batch is on its way. */
  readonly #waiting = new Map<string, Job[]>()

  constructor(options: {
    pool: MySqlPool
    reader: DomainReader
    parts: BatchParts
    retry: RetrySettings
    random: () => number
    /** Called when the server takes no writes: another one may have its place. */
    onReadOnly: () => void
  }) {
    this.#pool = options.pool
    this.#reader = options.reader
    this.#parts = options.parts
    this.#retry = options.retry
    this.#random = options.random
    this.#onReadOnly = options.onReadOnly
  }

  /** Runs a transaction that changes the named domains. Throws ServiceError, or what `decide` throws. */
  run<T>(domains: readonly string[], decide: Decide<T>): Promise<T> {
    const names = [...new Set(domains)].sort()
    const key = names.join('\n')
    return new Promise<T>((resolve, reject) => {
      const job: Job = { decide, resolve: resolve as (value: unknown) => void, reject }
      const waiting = this.#waiting.get(key)
      if (waiting) {
        waiting.push(job)
        return
      }
      const queue = [job]
      this.#waiting.set(key, queue)
      void this.#work(key, names, queue)
    })
  }

  async #work(key: string, names: readonly string[], queue: Job[]): Promise<void> {
    while (queue.length > 0) await this.#runBatch(names, queue.splice(0, LARGEST_BATCH))
    this.#waiting.delete(key)
  }

  /** Settles every job. */
  async #runBatch(names: readonly string[], jobs: readonly Job[]): Promise<void> {
    const attempts = new Attempts(this.#retry, this.#random)
    const undone: UndoneStamps = new Map()
    let left = jobs
    let preparations = 0
    while (left.length > 0) {
      try {
        left = await this.#attempt(names, left, undone)
        undone.clear()
      } catch (error) {
        if (error instanceof StatementsPrepared && ++preparations < MOST_PREPARATIONS) continue
        if (error instanceof DatabaseError && error.fault === 'read-only') this.#onReadOnly()
        if (await attempts.next(error)) continue
        await this.#giveUp(names, left, error)
        return
      }
    }
  }

  /**
   * One of several may be to blame, e.g. by a value that does not fit: each gets an answer of its own. What may have been
   * committed is not run again.
   */
  async #giveUp(names: readonly string[], jobs: readonly Job[], error: unknown): Promise<void> {
    const [first] = jobs
    const isBlameless = error instanceof DatabaseError ? BLAMELESS.has(error.fault) : error instanceof ServiceError
    if (jobs.length === 1 || isBlameless) {
      for (const job of jobs) job.reject(asServiceError(error))
    } else if (first !== undefined) {
      for (const job of jobs) await this.#runBatch(names, [job])
    }
  }

  /** Runs and commits jobs; gives those that have to go into another batch. Throws when none of them counts. */
  async #attempt(names: readonly string[], jobs: readonly Job[], undone: UndoneStamps): Promise<readonly Job[]> {
    const connection = await this.#pool.acquire()
    let ended = false
    try {
      const batch = await Batch.begin(connection, names, this.#parts)
      if (undone.size > 0 && connection.isOfCluster) await requireStamps(connection, undone)
      const answers: (() => void)[] = []
      for (const { decide, resolve, reject } of jobs) {
        const verdict = await batch.run(decide)
        if (verdict.kind === 'postponed') break
        answers.push(verdict.kind === 'value' ? () => resolve(verdict.value) : () => reject(verdict.error))
      }
      if (batch.dirty) {
        const changed = new Set(batch.changedNames)
        const unchanged = names.filter((name) => !changed.has(name))
        if (connection.isOfCluster) await holdEverywhere(connection, unchanged)
        await this.#reader.whileCommitting(batch.changedNames, () => this.#commit(batch, connection, undone))
        ended = true
      }
      for (const answer of answers) answer()
      return jobs.slice(answers.length)
    } finally {
      if (!ended && connection.usable) await connection.script('ROLLBACK').catch(() => connection.close())
      this.#pool.release(connection)
    }
  }

  async #commit(batch: Batch, connection: MySqlConnection, undone: UndoneStamps): Promise<void> {
    const stamp = await batch.write()
    if (batch.mayHaveLostLocks) throw new StatementsPrepared('contention', 'statements were prepared meanwhile')
    try {
      await batch.commit()
    } catch (error) {
      if (!(error instanceof DatabaseError) || UNCOMMITTED.has(error.fault)) throw error
      // An interrupted one may be usable still, with the transaction open; and there might be no room for another one.
      connection.close()
      this.#pool.release(connection)
      await this.#settleUnclearCommit(error, { batch, stamp, undone })
    }
    batch.remember(stamp)
  }

  /**
   * The answer to a COMMIT did not arrive, or does not tell. The stamps tell what became of it. Returns when it was
   * committed; throws `lost`, to try again, or what the database said, when it was not; and a conflict when nobody can
   * tell: others have changed the domains since, or the database cannot be asked. Then nothing may be repeated, since it
   * may have happened.
   */
  async #settleUnclearCommit(
    failure: DatabaseError,
    { batch, stamp, undone }: { batch: Batch; stamp: number; undone: UndoneStamps },
  ): Promise<void> {
    const transitions = batch.transitions(stamp)
    const attempts = new Attempts(this.#retry, this.#random)
    const { fates, isOfCluster } = await readPatiently(attempts, () => this.#fatesOf(transitions)).catch((error) => {
      throw nobodyCanTell('the database could not be asked', error)
    })
    const isCommitted = fates.length > 0 && fates.every((fate) => fate === 'committed')
    // Of two transactions that begin with a stamp ahead of the clock, each gives the next one.
    if (isCommitted && batch.isStampUnsure) throw nobodyCanTell('another server may have given the same stamp')
    if (isCommitted && !isOfCluster) return
    // On two nodes at the same time two transactions get the same stamp, and one of them is committed.
    if (isCommitted) throw nobodyCanTell('another node may have given the same stamp')
    if (fates.some((fate) => fate !== 'undone')) throw nobodyCanTell('the domains have been changed since')
    for (const [name, { before }] of transitions) undone.set(name, before)
    // What the database objects to, it may object to again; in a cluster the commit may still be on its way.
    const isBroken = failure.fault === 'lost' || failure.fault === 'timeout'
    if (!isBroken && !isOfCluster) throw failure
    // Changes outside of domains can be repeated without harm.
    throw new DatabaseError('lost', 'the commit did not happen')
  }

  /** What the stamps say of a transaction. They are locked first, so that it has ended when they are read. */
  #fatesOf(transitions: ReadonlyMap<string, Transition>): Promise<{ fates: Fate[]; isOfCluster: boolean }> {
    return this.#pool.use(async (connection) => {
      try {
        const fates: Fate[] = []
        for (const [name, transition] of [...transitions].sort(([a], [b]) => (a < b ? -1 : 1))) {
          const [row] = await connection.rows<{ modified: Date }>(
            'SELECT modified FROM domain WHERE name = ? FOR UPDATE',
            [name],
          )
          fates.push(fateOf(transition, row?.modified.getTime()))
        }
        return { fates, isOfCluster: connection.isOfCluster }
      } finally {
        if (connection.usable) await connection.script('ROLLBACK')
      }
    })
  }
}

/**
 * Locks of one node are nothing to the others: those take a transaction to meet another one only when both have changed
 * the same row. So the rows of domains that are locked and stay as they are are changed and changed back.
 */
async function holdEverywhere(connection: MySqlConnection, names: readonly string[]): Promise<void> {
  for (const name of names) {
    for (const sign of ['+', '-']) {
      await connection.change(`UPDATE domain SET modified = modified ${sign} INTERVAL 1 SECOND WHERE name = ?`, [name])
    }
  }
}

/** Stamps that domains had when a commit without an answer was found not to have happened. */
type UndoneStamps = Map<string, number | undefined>

/**
 * Locks of one node do not keep others from committing: there, what was not committed yet may have been on its way, and
 * arrived since. Throws a conflict when the locked domains are not as they were.
 */
async function requireStamps(connection: MySqlConnection, stamps: UndoneStamps): Promise<void> {
  for (const [name, stamp] of stamps) {
    const [row] = await connection.rows<{ modified: Date }>('SELECT modified FROM domain WHERE name = ?', [name])
    if (row?.modified.getTime() !== stamp) throw nobodyCanTell('the domains have been changed since')
  }
}

/** All is to be done again, now that the connection knows the statements. */
class StatementsPrepared extends DatabaseError {}

/** As often in a row at once, since a connection knows more statements each time; then as after any other conflict. */
const MOST_PREPARATIONS = 50

const nobodyCanTell = (why: string, cause?: unknown) =>
  conflict('Concurrent update conflict, please retry your operation later.', {
    detail: `the connection broke during a commit, and ${why}`,
    cause,
  })

type Fate = 'committed' | 'undone' | 'unknown'

function fateOf({ before, after }: Transition, found: number | undefined): Fate {
  if (found === after) return 'committed'
  return found === before ? 'undone' : 'unknown'
}

/** Faults with which a commit surely did not happen. */
const UNCOMMITTED: ReadonlySet<string> = new Set(['unreachable', 'contention', 'read-only', 'refused-commit'])

/** Faults that no transaction brings about by itself. */
const BLAMELESS: ReadonlySet<string> = new Set(['unreachable', 'lost', 'contention', 'read-only', 'refused-commit'])
