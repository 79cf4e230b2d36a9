import type { KeyObject } from 'node:crypto'
import type { KeyFile } from './key-files.ts'
import type { PolicyKeys } from './policy-document.ts'
import type { RemoteKeySet } from './remote-key-set.ts'

/** Where public keys are looked for, in this order. */
export interface PublicKeySources {
  /** `athenz.conf`, and the file of agents with JSON web keys. */
  readonly files: readonly KeyFile[]
  /** Where ZTS publishes its keys. */
  readonly remote: RemoteKeySet | undefined
  /** Asked for keys of ZMS that are in no file; nobody unless given. */
  readonly zmsKey?: (keyId: string) => Promise<KeyObject | undefined>
  /** Time between two looks at the files, and the time after which the published keys are read again. */
  readonly lookMillis: number
  readonly remoteMillis: number
}

/**
 * The public keys of ZTS and ZMS. Files are looked at now and then, and at once for a key that is not known, so that new
 * keys need no restart and keys that were withdrawn are no longer accepted.
 */
export class PublicKeys implements PolicyKeys {
  readonly #sources: PublicKeySources
  readonly #listeners: (() => void)[] = []
  readonly #timers: readonly NodeJS.Timeout[]
  /** Of ZTS, as they were last used. */
  #used = new Map<string, KeyObject>()
  #refreshing: Promise<void> | undefined

  /** Reads the files for the first time. */
  static async open(sources: PublicKeySources): Promise<PublicKeys> {
    for (const file of sources.files) await file.refresh()
    return new PublicKeys(sources)
  }

  private constructor(sources: PublicKeySources) {
    this.#sources = sources
    const { lookMillis, remoteMillis, remote } = sources
    const looking = setInterval(() => void this.refresh(), lookMillis)
    const asking = remote && setInterval(() => void this.#refreshRemote(remote), remoteMillis)
    this.#timers = asking ? [looking, asking] : [looking]
    for (const timer of this.#timers) timer.unref()
  }

  /** Calls `listener` when keys that were used are there no longer. */
  onWithdrawal(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** The key of ZTS of that id; a promise when it has to be looked for. */
  zts(keyId: string): Promise<KeyObject | undefined> | KeyObject | undefined {
    return this.#use(keyId) ?? this.#seek(keyId)
  }

  /** The key of ZMS of that id. */
  zms(keyId: string): Promise<KeyObject | undefined> | KeyObject | undefined {
    const find = () => this.#sources.files.map(({ keys }) => keys.zms.get(keyId)).find((key) => key !== undefined)
    return find() ?? this.refresh().then(() => find() ?? this.#sources.zmsKey?.(keyId))
  }

  /** Looks at the files now. Never rejects. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refreshFiles().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#sources.remote?.close()
  }

  async #seek(keyId: string): Promise<KeyObject | undefined> {
    await this.refresh()
    const found = this.#use(keyId)
    if (found !== undefined || this.#sources.remote === undefined) return found
    await this.#refreshRemote(this.#sources.remote)
    return this.#use(keyId)
  }

  #find(keyId: string): KeyObject | undefined {
    const { files, remote } = this.#sources
    for (const { keys } of files) {
      const key = keys.zts.get(keyId)
      if (key !== undefined) return key
    }
    return remote?.known(keyId)
  }

  #use(keyId: string): KeyObject | undefined {
    const key = this.#find(keyId)
    if (key !== undefined) this.#used.set(keyId, key)
    return key
  }

  async #refreshFiles(): Promise<void> {
    let isChanged = false
    for (const file of this.#sources.files) if (await file.refresh()) isChanged = true
    if (isChanged) this.#compare()
  }

  async #refreshRemote(remote: RemoteKeySet): Promise<void> {
    await remote.refresh()
    this.#compare()
  }

  #compare(): void {
    const isKept = [...this.#used].every(([keyId, key]) => this.#find(keyId)?.equals(key) === true)
    if (isKept) return
    this.#used = new Map()
    for (const listener of this.#listeners) listener()
  }
}
