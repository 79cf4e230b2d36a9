import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isName } from '#core/names/patterns.ts'
import type { FileSystem } from '#core/seam/file-system.ts'

/** File with the tag of the last list of changes. Names that begin with a period are no domains. */
const STATE_FILE = '.lastModTime'
const TEMPORARY = '.tmp'

/**
 * The local copy of the domains, in the layout of the original so that either server can go on with the other's: a file
 * per domain, named after it, and the tag of the last list of changes. Files are replaced in one step and survive a
 * crash; whether what one holds is whole and genuine shows from the signature in it.
 */
export class DomainFiles {
  readonly #fileSystem: FileSystem
  readonly #folder: string
  readonly #isWritten: boolean

  /**
   * Makes the folder for this user only when it is not there, and clears away what an interrupted write has left; a disk
   * that does not allow that has a good copy all the same.
   */
  static async open(folder: string, fileSystem: FileSystem): Promise<DomainFiles> {
    await fileSystem.makeFolder(folder)
    for (const name of await fileSystem.list(folder)) {
      if (name.startsWith('.') && name.endsWith(TEMPORARY)) await fileSystem.remove(join(folder, name)).catch(() => {})
    }
    return new DomainFiles(folder, fileSystem, true)
  }

  /** Opens files that another process writes, whose part it is to keep what is to be saved or removed here, too. */
  static async openToRead(folder: string, fileSystem: FileSystem): Promise<DomainFiles> {
    await fileSystem.makeFolder(folder)
    return new DomainFiles(folder, fileSystem, false)
  }

  private constructor(folder: string, fileSystem: FileSystem, isWritten: boolean) {
    this.#folder = folder
    this.#fileSystem = fileSystem
    this.#isWritten = isWritten
  }

  /** Where they are. */
  get folder(): string {
    return this.#folder
  }

  /** Names of the domains that have a file. */
  async names(): Promise<string[]> {
    return (await this.#fileSystem.list(this.#folder)).filter((name) => isName('DomainName', name))
  }

  /** The content of the file of a domain. Rejects as node:fs does. */
  read(domain: string): Promise<Buffer> {
    return this.#fileSystem.readFile(this.#path(domain))
  }

  /** When the file of a domain was written, in epoch milliseconds; undefined when there is none. */
  async savedMillis(domain: string): Promise<number | undefined> {
    try {
      return (await stat(this.#path(domain))).mtimeMs
    } catch {
      return undefined
    }
  }

  /** Replaces the file of a domain; resolves when the new one survives a crash. */
  async save(domain: string, content: Uint8Array): Promise<void> {
    if (!this.#isWritten) return
    await this.#replace(this.#checked(domain), content)
  }

  /** Removes the file of a domain, if there is one. */
  async remove(domain: string): Promise<void> {
    if (!this.#isWritten) return
    try {
      await this.#fileSystem.remove(this.#path(domain))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    await this.#fileSystem.syncFolder(this.#folder)
  }

  /** Keeps the tag, as it was received, of a list of changes that were all saved. */
  async saveTag(tag: string): Promise<void> {
    if (!this.#isWritten) return
    await this.#replace(STATE_FILE, Buffer.from(JSON.stringify({ lastModTime: tag })))
  }

  async #replace(name: string, content: Uint8Array): Promise<void> {
    const temporary = join(this.#folder, `${name.startsWith('.') ? '' : '.'}${name}${TEMPORARY}`)
    const file = await this.#fileSystem.open(temporary, 'replace')
    try {
      await file.write(content, 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await this.#fileSystem.rename(temporary, join(this.#folder, name))
    await this.#fileSystem.syncFolder(this.#folder)
  }

  #path(domain: string): string {
    return join(this.#folder, this.#checked(domain))
  }

  /** Only what is a domain name ever becomes a file name. */
  #checked(domain: string): string {
    if (!isName('DomainName', domain)) throw new Error(`${JSON.stringify(domain)} is no domain name`)
    return domain
  }
}
