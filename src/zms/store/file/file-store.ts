import { join } from 'node:path'
import { type Clock, systemClock } from '#core/seam/clock.ts'
import { type FileLock, type FileSystem, nodeFileSystem } from '#core/seam/file-system.ts'
import { Locks } from '../locks.ts'
import type { Store } from '../store.ts'
import { changeOf } from './change-form.ts'
import { Checkpoint, readGlobals } from './checkpoint.ts'
import { DamageError } from './damage.ts'
import { replaceFile, TEMPORARY } from './document.ts'
import { DomainDocuments } from './domain-documents.ts'
import { type DomainForm, domainOf, SharedTexts } from './domain-form.ts'
import { domainsOf, EmbeddedStore } from './embedded-store.ts'
import { History } from './history.ts'
import { Journal, journalFile } from './journal.ts'
import { Memory } from './memory.ts'
import { replayJournal } from './replay-journal.ts'

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
const FORMAT_FILE = 'format.json'
const FORMAT = { format: 'zms-store', version: 1 }

/**
 * Opens the embedded store: all data in memory, every change durable before its answer. One process at a time.
 * @throws Error when the folder is in use by another process, holds something else or cannot be used; DamageError when
 *   changes that were acknowledged cannot be read back
 */
export async function openFileStore(options: FileStoreOptions): Promise<Store> {
  const { folder, fileSystem = nodeFileSystem } = options
  await fileSystem.makeFolder(folder)
  const lock = await fileSystem.lock(join(folder, 'lock'))
  if (!lock) throw new Error(`${folder} is in use by another process`)
  try {
    return await load(options, fileSystem, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function load(options: FileStoreOptions, fileSystem: FileSystem, lock: FileLock): Promise<Store> {
  const { folder, clock = systemClock, checkpointBytes = CHECKPOINT_BYTES, log = () => {} } = options
  const journalFolder = join(folder, 'journal')
  const documents = new DomainDocuments(join(folder, 'domains'), fileSystem)
  await prepare(fileSystem, folder)
  await fileSystem.makeFolder(journalFolder)
  await documents.prepare()

  const memory = new Memory(new History((domain, since) => documents.readHistory(domain, since)))
  const texts = new SharedTexts()
  /** Domain → sequence of the last transaction in its document. */
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
  const known = stored?.sequence ?? 0

  const replayed: { sequence: number; domains: Set<string> }[] = []
  const replay = await replayJournal(
    { folder: journalFolder, fileSystem, known },
    ({ sequence, at, stamp, changes }) => {
      const decoded = changes.map((change) => changeOf(change, texts))
      memory.reapply(decoded, { sequence, at, stamp }, (domain) => sequence <= (written.get(domain) ?? 0))
      replayed.push({ sequence, domains: domainsOf(decoded) })
    },
  )
  const end = replay.end ?? { number: 0, bytes: 0, sequence: 0, stamp: 0 }
  const newest = Math.max(known, ...written.values())
  if (end.sequence < newest) {
    throw new DamageError(journalFolder, 0, `the transactions from ${end.sequence + 1} to ${newest} are missing`)
  }
  for (const line of replay.recovered) log('warn', `recovered: ${line}`)

  const file = replay.end && (await fileSystem.open(journalFile(journalFolder, end.number), 'existing'))
  if (replay.cut) await file?.truncate(end.bytes)
  // What was read must survive a crash before anybody is told of it.
  await file?.sync()
  await fileSystem.syncFolder(journalFolder)
  const journal = new Journal({
    folder: journalFolder,
    fileSystem,
    end: { ...end, stamp: Math.max(end.stamp, memory.lastModified) },
    file,
    abandoned: (path, reason) => log('error', `${path} is left and a new journal file begun: ${reason}`),
  })
  const locks = new Locks()
  const checkpoint = new Checkpoint({
    folder,
    fileSystem,
    documents,
    memory,
    locks,
    journal,
    sequence: end.sequence,
  })
  for (const { sequence, domains } of replayed) checkpoint.note(sequence, domains)
  return new EmbeddedStore({ memory, journal, locks, checkpoint, lock, clock, checkpointBytes, log })
}

/** Makes a new folder a store's, or checks that it is one's. */
async function prepare(fileSystem: FileSystem, folder: string): Promise<void> {
  const names = await fileSystem.list(folder)
  if (!names.includes(FORMAT_FILE)) {
    const foreign = names.find((name) => name !== 'lock' && name !== FORMAT_FILE + TEMPORARY)
    if (foreign !== undefined) {
      throw new Error(`${folder} is no data store: it holds ${foreign} but no ${FORMAT_FILE}; name an empty folder`)
    }
    await replaceFile(fileSystem, folder, FORMAT_FILE, Buffer.from(`${JSON.stringify(FORMAT)}\n`))
    await fileSystem.syncFolder(folder)
    return
  }
  const { format, version } = parseFormat((await fileSystem.readFile(join(folder, FORMAT_FILE))).toString())
  if (format !== FORMAT.format) throw new Error(`${join(folder, FORMAT_FILE)} is not that of a ZMS data store`)
  if (version !== FORMAT.version) {
    throw new Error(`${folder} has format version ${String(version)}, this program knows ${FORMAT.version}`)
  }
}

function parseFormat(text: string): { format?: unknown; version?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as object
  } catch {
    return {}
  }
}
