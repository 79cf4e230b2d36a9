import type { MySqlConnection } from '#core/database/mysql-connection.ts'
import type { MutableDomain } from '../change.ts'
import type { Domain } from '../model.ts'
import { inLists, LONGEST_LIST } from './bulk.ts'
import type { DomainCache } from './domain-cache.ts'
import { loadDomain, loadDomainSnapshot } from './load.ts'
import type { ReadSource } from './read-source.ts'
import {
  type Asked,
  isAskable,
  type RowStamps,
  readStamps,
  type Sequence,
  type Stamp,
  type StampReader,
} from './stamps.ts'

/** Tries again, or gives up, when a domain could not be read. */
export type Recover = (error: unknown) => Promise<Domain | undefined>

const rethrow: Recover = async (error) => {
  throw error
}

/** A domain that is being loaded. */
type Loading = Promise<MutableDomain | undefined>

/**
 * Current domains: from memory when their stamp in the database says that they are, else loaded. Callers that miss the
 * same domain at the same time share one load.
 */
export class DomainReader {
  readonly #cache: DomainCache
  readonly #stamps: StampReader
  readonly #sequence: Sequence
  readonly #source: Pick<ReadSource, 'use' | 'fromReplica'>
  readonly #loading = new Map<string, Loading>()
  /** Commits of this process on their way, by domain. */
  readonly #committing = new Map<string, Promise<void>>()

  constructor(
    cache: DomainCache,
    stamps: StampReader,
    sequence: Sequence,
    source: Pick<ReadSource, 'use' | 'fromReplica'>,
  ) {
    this.#cache = cache
    this.#stamps = stamps
    this.#sequence = sequence
    this.#source = source
  }

  /**
   * The domain as it is at a moment after the call. Where nothing changed, the result is one turn of the microtasks
   * after the answer of the database; what goes wrong is handed to `recover`.
   */
  domain(name: string, recover: Recover = rethrow): Promise<Domain | undefined> {
    const kept = this.#cache.kept(name)
    if (kept?.rowId === undefined) return this.#named(name).catch(recover)
    return this.#stamps
      .readRow(kept.rowId)
      .then((stamps) => this.#checked(kept, stamps)?.catch(recover) ?? kept, recover)
  }

  async #named(name: string): Promise<Domain | undefined> {
    const asked = await this.#stamps.read([name])
    const stamp = asked.byName.get(name)
    return stamp && (this.#kept(name, stamp, asked) ?? this.#newer(name, stamp, asked))
  }

  /** What to use in place of the domain that was in memory when the stamps were asked for; undefined: that one. */
  #checked(kept: MutableDomain, asked: RowStamps): Promise<Domain | undefined> | undefined {
    const { name, rowId = 0 } = kept
    const modified = asked.modifiedOf.get(rowId)
    // There may be another domain of that name.
    if (modified === undefined) return this.#named(name)
    if (!asked.isReplica && this.#cache.isSince(kept, modified, asked.sentAt)) return undefined
    return this.#newer(name, { rowId, modified }, asked)
  }

  /** Several domains as they are at one moment after the call. */
  async domains(names: readonly string[]): Promise<ReadonlyMap<string, Domain>> {
    for (let attempt = 1; attempt <= SHARED_ATTEMPTS; attempt++) {
      const found =
        (await this.#fromMemory(names)) ??
        (await this.#source.use((connection, isReplica) =>
          // A copy may be behind what is in memory, and must not take its place.
          isReplica ? this.#loadApart(connection, names) : this.#loadTogether(connection, names),
        ))
      if (found) return found
    }
    return this.#source.use((connection) => this.#loadApart(connection, names))
  }

  /** The domains when all of them are current in memory. */
  async #fromMemory(names: readonly string[]): Promise<ReadonlyMap<string, Domain> | undefined> {
    // More names take several questions, which are not of one moment.
    if (names.length > LONGEST_LIST) return undefined
    const { byName, sentAt, isReplica } = await this.#stamps.read(names)
    if (isReplica) return undefined
    const stale = names.filter((name) => {
      const stamp = byName.get(name)
      return stamp !== undefined && this.#cache.at(name, stamp) === undefined
    })
    if (stale.length === 0) return this.#allAt(names, byName)
    // A domain that this process is changing just now will be current in a moment.
    if (!stale.every((name) => this.#committing.has(name) || this.#cache.changedSince(name, sentAt))) return undefined
    for (const name of stale) await this.#committing.get(name)
    const again = await this.#stamps.read(names)
    const current = names.every((name) => {
      const stamp = again.byName.get(name)
      return stamp === undefined || this.#cache.at(name, stamp) !== undefined
    })
    return current ? this.#allAt(names, again.byName) : undefined
  }

  #allAt(names: readonly string[], stamps: ReadonlyMap<string, Stamp>): ReadonlyMap<string, Domain> {
    const found = new Map<string, Domain>()
    for (const name of names) {
      const stamp = stamps.get(name)
      const domain = stamp && this.#cache.at(name, stamp)
      if (domain) found.set(name, domain)
    }
    return found
  }

  /** Announces a commit to those who find that memory is older than the database: it will not be for long. */
  async whileCommitting<T>(names: readonly string[], commit: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const name of names) this.#committing.set(name, promise)
    try {
      return await commit()
    } finally {
      for (const name of names) if (this.#committing.get(name) === promise) this.#committing.delete(name)
      resolve()
    }
  }

  /** The domain in memory, provided that it is not older than the stamp. */
  #kept(name: string, stamp: Stamp, { sentAt, isReplica }: Asked): MutableDomain | undefined {
    // While only a copy of the database answers, what is in memory may be newer, and then it counts.
    return isReplica ? this.#cache.notBefore(name, stamp) : this.#cache.since(name, stamp, sentAt)
  }

  async #newer(name: string, stamp: Stamp, asked: Asked): Promise<Domain | undefined> {
    await this.#committing.get(name)
    for (;;) {
      const kept = this.#kept(name, stamp, asked)
      if (kept) return kept
      const under = this.#loading.get(name)
      if (under === undefined) return this.#load(name, stamp, asked)
      // It may have begun before the stamp was set; its result tells.
      const shared = await under.catch(() => undefined)
      if (shared?.rowId === stamp.rowId && shared.modified === stamp.modified) return shared
    }
  }

  #load(name: string, stamp: Stamp, asked: Asked): Loading {
    const loading = this.#loadOnce(stamp, asked).finally(() => this.#loading.delete(name))
    this.#loading.set(name, loading)
    return loading
  }

  async #loadOnce(stamp: Stamp, { sentAt }: Asked): Loading {
    const copy = await this.#loadFromReplica(stamp)
    if (copy) return this.#cache.keep(copy, sentAt, true)
    const startedAt = this.#sequence.next()
    return this.#source.use(async (connection, isReplica) => {
      const loaded = await loadDomainSnapshot(connection, stamp.rowId)
      return loaded && this.#cache.keep(loaded, startedAt, isReplica)
    })
  }

  /** The domain from the replica, provided that the replica has caught up with the stamp. */
  async #loadFromReplica(stamp: Stamp): Loading {
    const copy = await this.#source.fromReplica((connection) => loadDomainSnapshot(connection, stamp.rowId))
    return copy?.modified === stamp.modified ? copy : undefined
  }

  /**
   * Loads what memory lacks in one snapshot, by whose stamps everything is taken. Undefined when a domain was changed in
   * memory meanwhile, so that the domains are no longer of one moment.
   */
  async #loadTogether(
    connection: MySqlConnection,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, Domain> | undefined> {
    const startedAt = this.#sequence.next()
    const found = new Map<string, MutableDomain>()
    const stamps = await inSnapshot(connection, async () => {
      const known = await stampsIn(connection, names)
      for (const [name, stamp] of known) {
        const domain = this.#cache.at(name, stamp) ?? (await loadDomain(connection, stamp.rowId))
        if (domain) found.set(name, this.#cache.at(name, stamp) ?? this.#cache.keep(domain, startedAt))
      }
      return known
    })
    return [...found].every(([name, { modified }]) => stamps.get(name)?.modified === modified) ? found : undefined
  }

  /** Loads copies that nobody else has, in one snapshot. */
  async #loadApart(connection: MySqlConnection, names: readonly string[]): Promise<ReadonlyMap<string, Domain>> {
    return inSnapshot(connection, async () => {
      const found = new Map<string, Domain>()
      for (const [name, { rowId }] of await stampsIn(connection, names)) {
        const domain = await loadDomain(connection, rowId)
        if (domain) found.set(name, domain)
      }
      return found
    })
  }
}

/** How often domains are taken from the memory that all share before copies are made. */
const SHARED_ATTEMPTS = 3

async function inSnapshot<T>(connection: MySqlConnection, read: () => Promise<T>): Promise<T> {
  await connection.script('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
  try {
    return await read()
  } finally {
    if (connection.usable) await connection.script('COMMIT')
  }
}

async function stampsIn(connection: MySqlConnection, names: readonly string[]): Promise<Map<string, Stamp>> {
  const stamps = new Map<string, Stamp>()
  for (const list of inLists([...new Set(names)].filter(isAskable))) {
    for (const [name, stamp] of await readStamps(connection, list)) stamps.set(name, stamp)
  }
  return stamps
}
