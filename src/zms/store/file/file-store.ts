import { join } from 'node:path'
import { DamageError } from '#core/journal/damage-error.ts'
import { reopenJournal } from '#core/journal/reopen-journal.ts'
import { replayJournal } from '#core/journal/replay-journal.ts'
import { type Clock, systemClock } from '#core/seam/clock.ts'
import { type FileLock, type FileSystem, nodeFileSystem } from '#core/seam/file-system.ts'
import { Locks } from '../locks.ts'
import { changeOf } from './change-form.ts'
import { Checkpoint, readGlobals } from './checkpoint.ts'
import { replaceFile, TEMPORARY } from './document.ts'
import { DomainDocuments } from './domain-documents.ts'
import { type DomainForm, domainOf, SharedTexts } from './domain-form.ts'
import { domainsOf, EmbeddedStore } from './embedded-store.ts'
import { History } from './history.ts'
import { Memory } from './memory.ts'
import { isLock, lockStore } from './store-folder.ts'
import { completeReplacement } from './store-replacement.ts'

/** Where a file store keeps its data, and what it stands on. */
export interface FileStoreOptions {
  /** Folder of the data; made when it is missing. Nothing else may be in it. */
  readonly folder: string
  readonly fileSystem?: FileSystem
  readonly clock?: Clock
  /** Size of the journal in bytes from which on documents take its place. */
  readonly checkpointBytes?: number
  /** A line for the server's log. */
  readonly log?: (level: 'info' | 'warn' | 'error', message: string) => void
}

const CHECKPOINT_BYTES = 16 * 1024 * 1024

/** The store's folder: `format.json`, `global.json`, locks, and the folders `domains` and `journal`. */
const FORMAT_FILE = 'format.json'
const FORMAT = { format: 'zms-store', version: 1 }

/**
 * Opens the embedded store: all data in memory, every change durable before its answer. One process at a time. Data that
 * were about to take the place of others when the program ended do so now.
 * @throws Error when the folder is in use by another process, holds something else or cannot be used; DamageError when
 *   changes that were acknowledged cannot be read back
 */
export async function openFileStore(options: FileStoreOptions): Promise<EmbeddedStore> {
  const { folder, fileSystem = nodeFileSystem } = options
  await completeReplacement(fileSystem, folder)
  await fileSystem.makeFolder(folder)
  const lock = await lockStore(fileSystem, folder)
  try {
    await checkFormat(fileSystem, folder)
    return await load(options, fileSystem, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

/** The data of a store that nobody else may use meanwhile. */
export interface LockedData {
  readonly memory: Memory
  release(): void
}

/**
 * Reads all data of a store and keeps everybody else away. Undefined when there is no store in the folder.
 * @throws as `openFileStore` does
 */
export async function lockFileData(options: FileStoreOptions): Promise<LockedData | undefined> {
  const { folder, fileSystem = nodeFileSystem } = options
  await completeReplacement(fileSystem, folder)
  const names = await fileSystem.list(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!names?.includes(FORMAT_FILE)) return undefined
  const lock = await lockStore(fileSystem, folder)
  try {
    await checkFormat(fileSystem, folder)
    const { memory } = await read(options, fileSystem)
    return { memory, release: () => lock.release() }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** All data, and where documents and journal stand. */
async function read(options: FileStoreOptions, fileSystem: FileSystem) {
  const { folder } = options
  const journalFolder = join(folder, 'journal')
  const documents = new DomainDocuments(join(folder, 'domains'), fileSystem)
  await fileSystem.makeFolder(journalFolder)
  await documents.prepare()

  const texts = new SharedTexts()
  const { memory, written, known } = await readDocuments(fileSystem, folder, documents, texts)
  /** Domains whose documents are behind → sequence of their last transaction. */
  const changed = new Map<string, number>()
  const replay = await replayJournal({ folder: journalFolder, fileSystem, known }, (transaction) => {
    const changes = transaction.changes.map((change) => changeOf(change, texts))
    const isWritten = (domain: string) => transaction.sequence <= (written.get(domain) ?? 0)
    memory.reapply(changes, transaction, isWritten)
    for (const domain of domainsOf(changes)) if (!isWritten(domain)) changed.set(domain, transaction.sequence)
  })
  const sequence = replay.end?.sequence ?? 0
  let newest = known
  for (const last of written.values()) newest = Math.max(newest, last)
  if (sequence < newest) {
    throw new DamageError(journalFolder, 0, `the transactions from ${sequence + 1} to ${newest} are missing`)
  }
  return { memory, documents, journalFolder, changed, replay, sequence }
}

async function load(options: FileStoreOptions, fileSystem: FileSystem, lock: FileLock): Promise<EmbeddedStore> {
  const { folder, clock = systemClock, checkpointBytes = CHECKPOINT_BYTES, log = () => {} } = options
  const { memory, documents, journalFolder, changed, replay, sequence } = await read(options, fileSystem)
  const latestStamp = memory.lastModified
  const journal = await reopenJournal({ folder: journalFolder, fileSystem, replay, latestStamp, log })
  const locks = new Locks()
  const checkpoint = new Checkpoint({ folder, fileSystem, documents, memory, locks, journal, sequence, changed })
  return new EmbeddedStore({ memory, journal, locks, checkpoint, lock, clock, checkpointBytes, log })
}

/** Reads the documents: the data, and which transactions are in them for each domain and for all. */
async function readDocuments(fileSystem: FileSystem, folder: string, documents: DomainDocuments, texts: SharedTexts) {
  const memory = new Memory(new History((domain, since) => documents.readHistory(domain, since)))
  const written = new Map<string, number>()
  await documents.readAll((path, { sequence, content, history }) => {
    const domain = domainOf(content as DomainForm, texts)
    if (written.has(domain.name)) throw new DamageError(path, 0, `there is another document of ${domain.name}`)
    memory.restore(domain)
    if (history) memory.history.restore(domain.name, history)
    written.set(domain.name, sequence)
    return domain.name
  })
  const stored = await readGlobals(fileSystem, folder)
  if (stored) memory.restoreGlobals(stored.globals)
  return { memory, written, known: stored?.sequence ?? 0 }
}

/** Makes an empty folder a store's, or checks that it is one's. */
async function checkFormat(fileSystem: FileSystem, folder: string): Promise<void> {
  const names = await fileSystem.list(folder)
  if (!names.includes(FORMAT_FILE)) {
    const foreign = names.find((name) => !isLock(name) && name !== FORMAT_FILE + TEMPORARY)
    if (foreign !== undefined) {
      throw new Error(`${folder} is no data store: it holds ${foreign} but no ${FORMAT_FILE}; name an empty folder`)
    }
    await writeFormat(fileSystem, folder)
    return
  }
  const { format, version } = parseFormat((await fileSystem.readFile(join(folder, FORMAT_FILE))).toString())
  if (format !== FORMAT.format) throw new Error(`${join(folder, FORMAT_FILE)} is not that of a ZMS data store`)
  if (version !== FORMAT.version) {
    throw new Error(`${folder} has format version ${String(version)}, this program knows ${FORMAT.version}`)
  }
}

/** Makes an empty folder a store's; that survives a crash then. */
export async function writeFormat(fileSystem: FileSystem, folder: string): Promise<void> {
  await replaceFile(fileSystem, folder, FORMAT_FILE, Buffer.from(`${JSON.stringify(FORMAT)}\n`))
  await fileSystem.syncFolder(folder)
}

function parseFormat(text: string): { format?: unknown; version?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as object
  } catch {
    return {}
  }
}
