import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DamageError } from '#core/journal/damage-error.ts'
import type { FileSystem } from '#core/seam/file-system.ts'
import { type Document, encodeDocument, readDocument, replaceFile, TEMPORARY } from './document.ts'
import { extended, type HistoryAddition, type HistoryExtent } from './history.ts'

const SHARDS = Array.from({ length: 16 }, (_, shard) => shard.toString(16))
const DOCUMENT = '.json'
const HISTORY = '.history'
/** Names that are file names as they are. Longer ones would not fit where a file name has 255 bytes at most. */
const PLAIN_NAME = /^[a-z0-9_][a-z0-9_.-]{0,199}$/
/** Reads under way at the same time: twice the threads that do them. */
const PARALLEL_READS = 8

/** A document of a domain, which also says how much of its history file counts. */
export interface DomainDocument extends Document {
  readonly history?: HistoryExtent
}

/**
 * The files of domains: a document each, and a history file for those that have a history. They are in sixteen folders,
 * so that none becomes very large.
 */
export class DomainDocuments {
  readonly #folder: string
  readonly #fileSystem: FileSystem

  constructor(folder: string, fileSystem: FileSystem) {
    this.#folder = folder
    this.#fileSystem = fileSystem
  }

  /** Makes the folders where they are missing. */
  async prepare(): Promise<void> {
    for (const shard of SHARDS) await this.#fileSystem.makeFolder(join(this.#folder, shard))
  }

  /**
   * Reads all documents, in no particular order. `apply` gives the domain's name. Files that were being written and
   * history files that no document speaks of are removed.
   * @throws DamageError when one cannot be read or its history file is missing
   */
  async readAll(apply: (path: string, document: DomainDocument) => string): Promise<void> {
    const paths: string[] = []
    const histories = new Set<string>()
    for (const shard of SHARDS) {
      const folder = join(this.#folder, shard)
      for (const name of await this.#fileSystem.list(folder)) {
        if (name.endsWith(DOCUMENT)) paths.push(join(folder, name))
        else if (name.endsWith(HISTORY)) histories.add(join(folder, name))
        else if (name.endsWith(TEMPORARY)) await this.#fileSystem.remove(join(folder, name))
      }
    }
    let next = 0
    const reader = async () => {
      for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
        const document: DomainDocument | undefined = await readDocument(this.#fileSystem, path)
        if (!document) throw new DamageError(path, 0, 'the file has vanished')
        const domain = apply(path, document)
        if (!document.history) continue
        const history = this.#historyFile(domain, document.history.since)
        if (!histories.delete(history)) throw new DamageError(history, 0, 'the file is missing')
      }
    }
    await Promise.all(Array.from({ length: PARALLEL_READS }, reader))
    for (const path of histories) await this.#fileSystem.remove(path)
  }

  /** The history file of a domain that begins with that transaction. */
  readHistory(domain: string, since: number): Promise<Buffer> {
    return this.#fileSystem.readFile(this.#historyFile(domain, since))
  }

  /**
   * Replaces a domain's document, after adding to its history what is to be added. Gives the extent of the history. All
   * of it survives a crash after the next `sync`; a crash before leaves the former document with its history.
   */
  async write(
    domain: string,
    sequence: number,
    content: readonly Buffer[],
    addition: HistoryAddition | undefined,
  ): Promise<HistoryExtent | undefined> {
    const { folder, stem } = this.#placeOf(domain)
    const history = addition && (await this.#addHistory(domain, addition))
    const members = { sequence, ...(history && { history }) }
    await replaceFile(this.#fileSystem, folder, stem + DOCUMENT, encodeDocument(members, content))
    return history
  }

  /** Removes a domain's document, if there is one. */
  async remove(domain: string): Promise<void> {
    const { folder, stem } = this.#placeOf(domain)
    await this.#removeIfThere(join(folder, stem + DOCUMENT))
  }

  /** Removes a history file that no document speaks of any more. */
  async removeHistory(domain: string, since: number): Promise<void> {
    await this.#removeIfThere(this.#historyFile(domain, since))
  }

  /** Makes all writes and removals of these domains survive a crash. */
  async sync(domains: Iterable<string>): Promise<void> {
    const folders = new Set([...domains].map((domain) => this.#placeOf(domain).folder))
    for (const folder of folders) await this.#fileSystem.syncFolder(folder)
  }

  async #addHistory(domain: string, { extent, lines }: HistoryAddition): Promise<HistoryExtent> {
    if (lines.length === 0) return extent
    const text = Buffer.from(lines.join(''))
    const isNew = extent.bytes === 0
    const file = await this.#fileSystem.open(this.#historyFile(domain, extent.since), isNew ? 'replace' : 'existing')
    try {
      await file.write(text, extent.bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    // The document that speaks of the file must not survive a crash without it.
    if (isNew) await this.#fileSystem.syncFolder(this.#placeOf(domain).folder)
    return extended(extent, text)
  }

  async #removeIfThere(path: string): Promise<void> {
    await this.#fileSystem.remove(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }

  #historyFile(domain: string, since: number): string {
    const { folder, stem } = this.#placeOf(domain)
    return join(folder, `${stem}.${since}${HISTORY}`)
  }

  /** Where a domain's files are. Names that are no plain file names are told apart by their digest. */
  #placeOf(domain: string): { folder: string; stem: string } {
    const digest = createHash('sha256').update(domain).digest('hex')
    const plain = PLAIN_NAME.test(domain)
    const stem = plain ? domain : `${domain.replace(/[^a-z0-9_.-]/g, '_').slice(0, 100)}~${digest}`
    return { folder: join(this.#folder, digest.charAt(0)), stem }
  }
}
