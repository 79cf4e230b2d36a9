import { inTurns } from '#core/seam/steps.ts'
import { type DomainData, domainDataSteps } from '../cache/domain-data.ts'
import { MalformedDomain } from '../cache/json-reading.ts'
import { MemoryDomains } from '../cache/memory-domains.ts'
import type { ListedDomain } from './change-log-store.ts'
import type { DomainFiles } from './domain-files.ts'
import type { DomainVerifier } from './domain-verifier.ts'
import type { SyncStatus } from './sync-status.ts'

/** The version of a domain that this server has. */
interface Copy {
  /** Epoch milliseconds. */
  readonly modified: number
  readonly enabled: boolean
  /** When it was received, in epoch milliseconds; undefined until somebody looks at its file. */
  savedMillis: number | undefined
}

/** What a replica is made of. */
export interface DomainReplicaParts {
  readonly files: DomainFiles
  readonly verifier: Pick<DomainVerifier, 'verify'>
  readonly status: SyncStatus
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** Domains of a replica that the source does not have. */
export interface MissingDomains {
  readonly deleted: readonly string[]
  /** Perhaps not deleted, but lost together with everything else that is younger than a backup. */
  readonly lost: readonly string[]
}

/** What was found in the local copy. */
export interface LoadedCopy {
  readonly files: number
  /** Files that are torn, or not genuine. */
  readonly damaged: number
}

/** Files that are read at the same time. */
const PARALLEL_READS = 16

/** The domain that decides about the servers themselves; nothing is believed of a source that does not have it. */
export const SYSTEM_DOMAIN = 'sys.auth'

/**
 * What this server has of the domains, in memory and in files. A version goes in only when it is genuine, whole and no
 * older than the one that is there; nothing else ever takes a domain's place.
 */
export class DomainReplica {
  readonly domains = new MemoryDomains()
  readonly #files: DomainFiles
  readonly #verifier: Pick<DomainVerifier, 'verify'>
  readonly #status: SyncStatus
  readonly #now: () => number
  /** By name, disabled domains among them. */
  readonly #copies = new Map<string, Copy>()
  /** Names of files that are of no use: they cannot be read, or could not be removed. */
  readonly #damaged = new Set<string>()
  /** Domains that are in memory only. */
  readonly #unsaved = new Set<string>()

  constructor({ files, verifier, status, now }: DomainReplicaParts) {
    this.#files = files
    this.#verifier = verifier
    this.#status = status
    this.#now = now
  }

  /** How many domains there are, disabled ones included. */
  get size(): number {
    return this.#copies.size
  }

  has(name: string): boolean {
    return this.#copies.has(name)
  }

  /** Whether what is there of a domain is older than a moment (epoch milliseconds). */
  isOlder(name: string, modified: number): boolean {
    return (this.#copies.get(name)?.modified ?? Number.NEGATIVE_INFINITY) < modified
  }

  /** Whether all that was taken over is in files. */
  get isSaved(): boolean {
    return this.#unsaved.size === 0
  }

  /** Reads the local copy. */
  async load(): Promise<LoadedCopy> {
    const names = await this.#files.names()
    const queue = names.values()
    const read = async () => {
      for (const name of queue) await this.#loadFile(name)
    }
    await Promise.all(Array.from({ length: PARALLEL_READS }, read))
    return { files: names.length, damaged: this.#damaged.size }
  }

  /**
   * Takes over a signed domain; gives whether it is another version than before. Rejects with the reason, and changes
   * nothing, when it is not genuine, not that domain or older than what is there.
   */
  async accept(name: string, signed: Uint8Array): Promise<boolean> {
    const data = await this.#read(name, signed)
    const former = this.#copies.get(name)
    if (former && data.modified < former.modified) {
      throw new MalformedDomain(`it is older (${timeText(data.modified)}) than the copy (${timeText(former.modified)})`)
    }
    // First to the disk: after a restart without ZMS nobody must get back what was taken away.
    await this.#save(name, signed)
    const isNew = former?.modified !== data.modified || former.enabled !== data.enabled
    await this.#put(data, this.#now())
    this.#damaged.delete(name)
    if (isNew) this.#status.updated(former && this.#now() - data.modified)
    return isNew
  }

  /** Forgets a domain. */
  async remove(name: string): Promise<void> {
    try {
      await this.#files.remove(name)
      this.#damaged.delete(name)
      this.#status.condition('remove', undefined)
    } catch (error) {
      // It is missing in the next whole list as well, and tried again then.
      this.#damaged.add(name)
      this.#status.condition('remove', `files of deleted domains cannot be removed: ${(error as Error).message}`)
    }
    this.#unsaved.delete(name)
    if (this.#copies.delete(name)) this.#status.counters.removals++
    this.domains.remove(name)
  }

  /** Keeps the tag of a list of changes, all of which are in files; gives whether it could be written. */
  async saveTag(tag: string): Promise<boolean> {
    try {
      await this.#files.saveTag(tag)
      this.#status.condition('disk', undefined)
      return true
    } catch (error) {
      this.#complainOfDisk(error)
      return false
    }
  }

  /** Of a list, the domains that the source has in a newer version, or in another state. */
  outdated(list: readonly ListedDomain[]): ListedDomain[] {
    return list.filter(({ name, modified, enabled }) => {
      const copy = this.#copies.get(name)
      return copy === undefined ? enabled : copy.modified < modified || copy.enabled !== enabled
    })
  }

  /** Of a list, the domains that the source has in an older version. */
  newerThan(list: readonly ListedDomain[]): ListedDomain[] {
    return list.filter(({ name, modified }) => (this.#copies.get(name)?.modified ?? modified) > modified)
  }

  /**
   * Domains of this replica that a whole list lacks. A list with domains in an older version than the copy is that of a
   * source which was restored from a backup, and the backup is no older than these versions: what has not changed since
   * then was in it, and has been deleted; what has changed may have been made after it.
   */
  missingIn(list: readonly ListedDomain[]): MissingDomains {
    const listed = new Set(list.map(({ name }) => name))
    const missing = [...this.#copies.keys(), ...this.#damaged].filter((name) => !listed.has(name))
    const restored = this.newerThan(list)
    if (restored.length === 0) return { deleted: missing, lost: [] }
    const backup = restored.reduce((latest, { modified }) => Math.max(latest, modified), Number.NEGATIVE_INFINITY)
    const isLost = (name: string) => (this.#copies.get(name)?.modified ?? Number.NEGATIVE_INFINITY) > backup
    return { deleted: missing.filter((name) => !isLost(name)), lost: missing.filter(isLost) }
  }

  /** Names of domains to fetch again: those that are not in files, and then those received before a moment, oldest first. */
  async olderThan(epochMillis: number, count: number): Promise<string[]> {
    for (const [name, copy] of this.#copies) {
      copy.savedMillis ??= (await this.#files.savedMillis(name)) ?? this.#now()
    }
    const old = [...this.#copies].filter(([, { savedMillis }]) => (savedMillis as number) < epochMillis)
    old.sort(([, a], [, b]) => (a.savedMillis as number) - (b.savedMillis as number))
    return [...new Set([...this.#unsaved, ...old.slice(0, count).map(([name]) => name)])]
  }

  async #loadFile(name: string): Promise<void> {
    try {
      await this.#put(await this.#read(name, await this.#files.read(name)), undefined)
    } catch (error) {
      this.#damaged.add(name)
      this.#status.domainFailed(name, new MalformedDomain(`its local copy cannot be used: ${(error as Error).message}`))
    }
  }

  async #read(name: string, signed: Uint8Array): Promise<DomainData> {
    const data = await inTurns(domainDataSteps(await this.#verifier.verify(signed)))
    if (data.name !== name) throw new MalformedDomain(`it is another domain, ${data.name}`)
    return data
  }

  async #put(data: DomainData, savedMillis: number | undefined): Promise<void> {
    await this.domains.putPrepared(data)
    this.#copies.set(data.name, { modified: data.modified, enabled: data.enabled, savedMillis })
    this.#status.has(data.modified)
  }

  /** What cannot be saved counts all the same: it may take rights away. */
  async #save(name: string, signed: Uint8Array): Promise<void> {
    try {
      await this.#files.save(name, signed)
      this.#unsaved.delete(name)
      if (this.#unsaved.size === 0) this.#status.condition('disk', undefined)
    } catch (error) {
      this.#unsaved.add(name)
      this.#complainOfDisk(error)
    }
  }

  #complainOfDisk(error: unknown): void {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    this.#status.condition(
      'disk',
      `changes cannot be saved in ${this.#files.folder} (${reason}); they are in memory only`,
    )
  }
}

const timeText = (epochMillis: number): string => new Date(epochMillis).toISOString()
