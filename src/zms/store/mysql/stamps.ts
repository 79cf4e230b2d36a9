import { DatabaseError } from '#core/database/database-error.ts'
import type { MySqlConnection } from '#core/database/mysql-connection.ts'
import { type InList, inLists, listStatements } from './bulk.ts'

/** Row and modification time of a domain at some moment. */
export interface Stamp {
  readonly rowId: number
  readonly modified: number
}

/** What every answer says of its question. */
export interface Asked {
  /** Place of the question among all events of this process (see `Sequence`). */
  readonly sentAt: number
  /** The answer is that of a copy, which may be behind. */
  readonly isReplica: boolean
}

/** Stamps of the domains that exist, of one moment. */
export interface Stamps extends Asked {
  readonly byName: ReadonlyMap<string, Stamp>
}

/** When the domains of rows were modified; rows that are gone are not there. */
export interface RowStamps extends Asked {
  readonly modifiedOf: ReadonlyMap<number, number>
}

/** A connection on which stamps are asked for. */
export interface StampConnection {
  readonly connection: MySqlConnection
  readonly isReplica: boolean
}

/** What a reader of stamps is made of. */
export interface StampReaderOptions {
  readonly sequence: Sequence
  /** Gives a connection for this reader alone. */
  readonly open: () => Promise<StampConnection>
  /** Whether questions still belong on the connection that it has. */
  readonly isRight: (connection: StampConnection) => boolean
  /** Called when a server takes no writes any more: another one may have its place, and what it holds may be old. */
  readonly onReadOnly: () => void
}

/** A counter that tells which of two events in this process was first. */
export class Sequence {
  #last = 0

  next(): number {
    this.#last += 1
    return this.#last
  }
}

/** What is asked together by all who ask before it is sent. */
class Question<T, A> {
  readonly about = new Set<T>()
  readonly #settled = Promise.withResolvers<A>()

  get answer(): Promise<A> {
    return this.#settled.promise
  }

  async ask(send: (about: readonly T[]) => Promise<A>): Promise<void> {
    try {
      this.#settled.resolve(await send([...this.about]))
    } catch (error) {
      this.#settled.reject(error)
    }
  }
}

/** A connection of the reader, for one question at a time. */
interface Lane {
  current: StampConnection | undefined
  busy: boolean
}

/** Names of domains are ASCII; anything else is not worth a question, and some of it cannot even be compared. */
export const isAskable = (name: string): boolean => /^[\x21-\x7e]+$/.test(name)

interface StampRow {
  readonly id: number
  readonly modified: Date | null
}

/**
 * The stamp of a row of `domain`; none from a server that has stopped to take writes. That costs next to nothing in the
 * same statement, and nothing else would tell a server that only reads that another database has taken its place.
 */
const WATCHED_STAMP = 'IF(@@GLOBAL.read_only, NULL, modified) AS modified'

const rowStatements = (column: string) =>
  listStatements((list) => `SELECT domain_id AS id, ${column} FROM domain WHERE domain_id IN (${list})`)
const WATCHED_ROW_STAMPS = rowStatements(WATCHED_STAMP)
const ROW_STAMPS = rowStatements('modified')

function millisOf(modified: Date | null): number {
  if (modified !== null) return modified.getTime()
  throw new DatabaseError('read-only', 'the server takes no writes any more: what it holds may be old')
}

/** Stamps of the domains in a list of names; `column` is how their stamp is asked for. */
export async function readStamps(
  connection: MySqlConnection,
  { places, values }: InList<string>,
  column = 'modified',
): Promise<[string, Stamp][]> {
  const rows = await connection.rows<StampRow & { readonly name: string }>(
    `SELECT domain_id AS id, name, ${column} FROM domain WHERE name IN (${places})`,
    values,
  )
  return rows.map(({ id, name, modified }) => [name, { rowId: id, modified: millisOf(modified) }])
}

/** How often a question is asked again when its connection breaks. */
const ATTEMPTS = 3

/**
 * Questions on their way at the same time. With a database two milliseconds away and 128 clients, an answer takes 3.0 ms
 * instead of 4.1 with one; more of them, and more questions, bring nothing.
 */
const LANES = 2

/**
 * For so many turns of the event loop the next question waits after an answer, so that clients whose requests were just
 * answered are in it again: with 16 of them, 38 µs of processor time for a request instead of 42 after three turns. Turns
 * without work take next to no time.
 */
const GATHERING_TURNS = 8

/**
 * Modification stamps of domains, for the check whether what is in memory is still current. Two questions at a time are on
 * their way; all that are asked meanwhile go together in the next one, so the database sees a bounded number of them
 * however many requests come. Every request is answered by a question that was sent after it came, so that no answer is
 * older than the request it serves.
 */
export class StampReader {
  readonly #options: StampReaderOptions
  readonly #lanes: readonly Lane[] = Array.from({ length: LANES }, () => ({ current: undefined, busy: false }))
  #names: Question<string, Stamps> | undefined
  #rows: Question<number, RowStamps> | undefined
  #closed = false

  constructor(options: StampReaderOptions) {
    this.#options = options
  }

  /** Stamps of the named domains (and perhaps others) at a moment after the call. */
  read(names: readonly string[]): Promise<Stamps> {
    const question = (this.#names ??= new Question())
    for (const name of names) if (isAskable(name)) question.about.add(name)
    this.#wake()
    return question.answer
  }

  /** The stamp of the domain of a row (and perhaps others): for one that is in memory, since rows are found in half the time. */
  readRow(rowId: number): Promise<RowStamps> {
    const question = (this.#rows ??= new Question())
    question.about.add(rowId)
    this.#wake()
    return question.answer
  }

  close(): void {
    this.#closed = true
    for (const { current } of this.#lanes) current?.connection.close()
  }

  #wake(): void {
    for (const lane of this.#lanes) {
      if (lane.busy) continue
      lane.busy = true
      // What else arrives in this turn of the event loop goes with it.
      setImmediate(() => void this.#askAll(lane))
      return
    }
  }

  async #askAll(lane: Lane): Promise<void> {
    for (;;) {
      const [rows, names] = [this.#rows, this.#names]
      if (rows === undefined && names === undefined) break
      this.#rows = undefined
      this.#names = undefined
      await rows?.ask((ids) => this.#insist(lane, (used) => rowStamps(used, ids)))
      await names?.ask((list) => this.#insist(lane, (used) => nameStamps(used, list)))
      await new Promise<void>((resolve) => afterTurns(GATHERING_TURNS, resolve))
    }
    lane.busy = false
  }

  /** Asks, and asks again when the connection breaks. */
  async #insist<A extends object>(lane: Lane, ask: (connection: MySqlConnection) => Promise<A>): Promise<A & Asked> {
    for (let attempt = 1; ; attempt++) {
      const sentAt = this.#options.sequence.next()
      try {
        const { connection, isReplica } = await this.#usableConnection(lane)
        return { ...(await ask(connection)), sentAt, isReplica }
      } catch (error) {
        const fault = error instanceof DatabaseError ? error.fault : undefined
        if (fault === 'read-only') this.#options.onReadOnly()
        else if (fault !== 'lost') throw error
        if (attempt >= ATTEMPTS || this.#closed) throw error
      }
    }
  }

  async #usableConnection(lane: Lane): Promise<StampConnection> {
    const { current } = lane
    if (current?.connection.usable && this.#options.isRight(current)) return current
    current?.connection.close()
    if (!this.#closed) lane.current = await this.#options.open()
    if (this.#closed || lane.current === undefined) {
      lane.current?.connection.close()
      throw new DatabaseError('unreachable', 'the store is closed')
    }
    return lane.current
  }
}

/** Calls something after so many turns of the event loop. */
function afterTurns(turns: number, call: () => void): void {
  if (turns === 0) call()
  else setImmediate(afterTurns, turns - 1, call)
}

async function nameStamps(connection: MySqlConnection, names: readonly string[]): Promise<Pick<Stamps, 'byName'>> {
  const byName = new Map<string, Stamp>()
  const column = connection.tookWrites ? WATCHED_STAMP : 'modified'
  for (const list of inLists(names)) {
    for (const [name, stamp] of await readStamps(connection, list, column)) byName.set(name, stamp)
  }
  return { byName }
}

async function rowStamps(connection: MySqlConnection, ids: readonly number[]): Promise<Pick<RowStamps, 'modifiedOf'>> {
  const modifiedOf = new Map<number, number>()
  const statements = connection.tookWrites ? WATCHED_ROW_STAMPS : ROW_STAMPS
  for (const { values } of inLists(ids)) {
    const rows = await connection.rows<StampRow>(statements.get(values.length) as string, values)
    for (const { id, modified } of rows) modifiedOf.set(id, millisOf(modified))
  }
  return { modifiedOf }
}
