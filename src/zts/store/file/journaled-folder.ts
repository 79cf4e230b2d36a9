import { messageOf } from '#core/error/message-of.ts'
import { ServiceError } from '#core/error/service-error.ts'
import type { Journal } from '#core/journal/journal.ts'
import { reopenJournal } from '#core/journal/reopen-journal.ts'
import { replayJournal } from '#core/journal/replay-journal.ts'
import { type FileSystem, nodeFileSystem } from '#core/seam/file-system.ts'
import { RecordFolder } from './record-folder.ts'

/** Where records are kept, and when they get into their files. */
export interface JournaledFolderOptions {
  readonly folder: string
  readonly fileSystem?: FileSystem
  /** Longest time that a change is in the journal alone. */
  readonly delayMillis?: number
  /** Size of the journal in bytes from which on nobody waits for that time. */
  readonly journalBytes?: number
  /** Most records that are not in their files; further changes wait. */
  readonly limit?: number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

const DELAY_MILLIS = 10_000
const JOURNAL_BYTES = 4 * 1024 * 1024
const LIMIT = 10_000

/** A record, or null when there is to be none. */
type State = Readonly<Record<string, unknown>> | null

/** A change as the journal has it. */
interface JournaledChange {
  readonly name: string
  readonly record: State
}

/**
 * A folder of records whose changes are durable in a journal beside it, many in one write, before they get into their
 * files: soon, each record once however often it has changed. A program that ends as it should leaves nothing but the
 * files; after a crash the next start reads the journal.
 */
export class JournaledFolder {
  readonly #files: RecordFolder
  readonly #journal: Journal
  readonly #options: Required<Pick<JournaledFolderOptions, 'delayMillis' | 'journalBytes' | 'limit' | 'log'>>
  /** What is in the journal only, by name. */
  #ahead: Map<string, State>
  /** What is on its way into the files. */
  #onTheWay: ReadonlyMap<string, State> = new Map()
  #settling: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** The last attempt to bring changes into the files has failed: the next one has time. */
  #failed = false

  private constructor(
    files: RecordFolder,
    journal: Journal,
    ahead: Map<string, State>,
    { delayMillis = DELAY_MILLIS, journalBytes = JOURNAL_BYTES, limit = LIMIT, log }: JournaledFolderOptions,
  ) {
    this.#files = files
    this.#journal = journal
    this.#ahead = ahead
    this.#options = { delayMillis, journalBytes, limit, log }
    if (ahead.size > 0) this.#schedule()
  }

  /**
   * Opens the folder and its journal, the folder of the same name with `.journal` behind it.
   * @throws ConfigError when another process uses it; DamageError when changes that were acknowledged cannot be read
   */
  static async open(options: JournaledFolderOptions): Promise<JournaledFolder> {
    const { folder, fileSystem = nodeFileSystem, log } = options
    const files = await RecordFolder.open(folder, fileSystem)
    try {
      const place = { folder: `${folder}.journal`, fileSystem }
      await fileSystem.makeFolder(place.folder)
      const ahead = new Map<string, State>()
      const replay = await replayJournal({ ...place, known: Number.POSITIVE_INFINITY }, ({ changes }) => {
        for (const { name, record } of changes as JournaledChange[]) ahead.set(name, record)
      })
      return new JournaledFolder(files, await reopenJournal({ ...place, replay, log }), ahead, options)
    } catch (error) {
      await files.close()
      throw error
    }
  }

  /** The folder of the files. */
  get folder(): string {
    return this.#files.folder
  }

  /** Names of all records. */
  async names(): Promise<string[]> {
    // Before the files, lest one that gets there meanwhile is in neither.
    const known = new Map([...this.#onTheWay, ...this.#ahead])
    const names = (await this.#files.names()).filter((name) => !known.has(name))
    for (const [name, record] of known) if (record !== null) names.push(name)
    return names
  }

  /** The members of a record; undefined when there is none. Throws Error that names the file when it is damaged. */
  async read(name: string): Promise<ReadonlyMap<string, unknown> | undefined> {
    const state = this.#ahead.has(name) ? this.#ahead.get(name) : this.#onTheWay.get(name)
    if (state === undefined) return this.#files.read(name)
    return state === null ? undefined : new Map(Object.entries(state))
  }

  /**
   * Replaces a record; resolves when that survives a crash. Errors: `unavailable`, nothing has changed then; `bad-request`
   * for a name that no file can have.
   */
  write(name: string, record: Readonly<Record<string, unknown>>): Promise<void> {
    return this.#change(name, record)
  }

  /** Removes a record, as `write` replaces one; nothing happens when there is none. */
  async remove(name: string): Promise<void> {
    if ((await this.read(name)) !== undefined) await this.#change(name, null)
  }

  /** What is wrong with the writing of changes; undefined when nothing is. */
  async check(): Promise<string | undefined> {
    if (!(await this.#journal.check())) return `changes cannot be stored in ${this.folder}.journal`
    return this.#failed ? `changes are kept in ${this.folder}.journal only, the files cannot be written` : undefined
  }

  /** Does the work when nobody else is at work on the same record. */
  inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#files.inTurn(name, work)
  }

  /** Brings all changes so far into the files. Rejects when a file cannot be written; the journal keeps them then. */
  settle(): Promise<void> {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined
    })
    return this.#settling
  }

  /** Waits for the work under way, brings everything into the files, and lets others use the folder. */
  async close(): Promise<void> {
    await this.#files.idle()
    await this.#settling?.catch(() => {})
    await this.#settleSoon()
    clearTimeout(this.#timer)
    await this.#journal.close()
    await this.#files.close()
  }

  async #change(name: string, record: State): Promise<void> {
    this.#files.requireName(name)
    const { journalBytes, limit } = this.#options
    while (this.#ahead.size + this.#onTheWay.size >= limit) await this.#makeRoom()
    const change: JournaledChange = { name, record }
    const changes = JSON.stringify([change])
    // Nobody asks for the time of a change.
    await this.#journal.append({ at: 0, changes, durable: () => void this.#ahead.set(name, record) })
    if (this.#journal.bytes >= journalBytes && !this.#failed) void this.#settleSoon()
    else this.#schedule()
  }

  async #makeRoom(): Promise<void> {
    try {
      await this.settle()
    } catch (cause) {
      throw new ServiceError('unavailable', 'The change could not be stored', { cause, detail: messageOf(cause) })
    }
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#settleSoon()
    }, this.#options.delayMillis).unref()
  }

  /** A failure is for the log: nothing is lost by it, and there is a next time. */
  async #settleSoon(): Promise<void> {
    if (this.#settling) return
    try {
      await this.settle()
      this.#failed = false
    } catch (error) {
      this.#failed = true
      this.#options.log('error', `${this.folder}: changes are kept in the journal only: ${messageOf(error)}`)
    }
    if (this.#ahead.size > 0) this.#schedule()
  }

  async #settle(): Promise<void> {
    if (this.#ahead.size === 0) return
    const number = await this.#journal.rotate()
    const states = this.#ahead
    this.#onTheWay = states
    this.#ahead = new Map()
    try {
      await this.#files.apply(this.#notOvertaken(states))
    } catch (error) {
      this.#ahead = new Map([...states, ...this.#ahead])
      this.#onTheWay = new Map()
      throw error
    }
    this.#onTheWay = new Map()
    await this.#journal.removeBefore(number)
  }

  /** Those that have not changed again meanwhile: the next time is early enough for the others. */
  *#notOvertaken(states: ReadonlyMap<string, State>): Generator<readonly [string, State]> {
    for (const each of states) if (!this.#ahead.has(each[0])) yield each
  }
}
