import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { FileSystem } from '#core/seam/file-system.ts'
import { DamageError } from './damage.ts'
import { type Document, encodeDocument, readDocument, replaceFile, TEMPORARY } from './document.ts'

const SHARDS = Array.from({ length: 16 }, (_, shard) => shard.toString(16))
const SUFFIX = '.json'
/** Names that are file names as they are. Longer ones would not fit where a file name has 255 bytes at most. */
const PLAIN_NAME = /^[a-z0-9_][a-z0-9_.-]{0,199}$/
/** Reads under way at the same time. */
const PARALLEL_READS = 8

/** Documents of domains: one file each, in one of sixteen folders so that none becomes very large. */
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
    await this.#fileSystem.syncFolder(this.#folder)
  }

  /** Reads all documents, in no particular order; files that were just being written are removed. */
  async readAll(apply: (path: string, document: Document) => void): Promise<void> {
    const paths: string[] = []
    for (const shard of SHARDS) {
      const folder = join(this.#folder, shard)
      for (const name of await this.#fileSystem.list(folder)) {
        if (name.endsWith(SUFFIX)) paths.push(join(folder, name))
        else if (name.endsWith(TEMPORARY)) await this.#fileSystem.remove(join(folder, name))
      }
    }
    let next = 0
    const reader = async () => {
      for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
        const document = await readDocument(this.#fileSystem, path)
        if (!document) throw new DamageError(path, 0, 'the file has vanished')
        apply(path, document)
      }
    }
    await Promise.all(Array.from({ length: PARALLEL_READS }, reader))
  }

  /** Replaces a domain's document. It survives a crash after the next `sync`. */
  async write(domain: string, sequence: number, pieces: readonly Buffer[]): Promise<void> {
    const { shard, name } = placeOf(domain)
    await replaceFile(this.#fileSystem, join(this.#folder, shard), name, encodeDocument(sequence, pieces))
  }

  /** Removes a domain's document, if there is one. */
  async remove(domain: string): Promise<void> {
    const { shard, name } = placeOf(domain)
    await this.#fileSystem.remove(join(this.#folder, shard, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }

  /** Makes all writes and removals of these domains survive a crash. */
  async sync(domains: Iterable<string>): Promise<void> {
    const shards = new Set([...domains].map((domain) => placeOf(domain).shard))
    for (const shard of shards) await this.#fileSystem.syncFolder(join(this.#folder, shard))
  }
}

/** Where a domain's document is. Names that are no plain file names are told apart by their digest. */
function placeOf(domain: string): { shard: string; name: string } {
  const digest = createHash('sha256').update(domain).digest('hex')
  const stem = PLAIN_NAME.test(domain) ? domain : `${domain.replace(/[^a-z0-9_.-]/g, '_').slice(0, 100)}~${digest}`
  return { shard: digest.charAt(0), name: stem + SUFFIX }
}
