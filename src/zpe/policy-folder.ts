import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '#core/error/message-of.ts'
import type { Clock } from '#core/seam/clock.ts'
import { DomainPolicies, type PolicyVersion } from './domain-policies.ts'
import { type PolicyVerification, readPolicyDocument } from './policy-document.ts'

/** Writes a line of a log. */
export type ZpeLog = (level: 'info' | 'warn' | 'error', message: string) => void

/** Where policies come from, and what they must be like. */
export interface PolicyFolderOptions extends PolicyVerification {
  readonly folder: string
  /** Longest time between two looks at the folder. */
  readonly scanMillis: number
  /** Seconds after the end of their life from which policies deny everything; undefined for never. */
  readonly denyAfterExpirySeconds: number | undefined
  readonly clock: Clock
  readonly log: ZpeLog
}

/** How the loading of policy files has gone so far. */
export interface LoadCounts {
  readonly loaded: number
  readonly failed: number
}

/** A file as it was last seen. */
interface KnownFile {
  /** Differs when the file was written or replaced. */
  state: string
  policies: DomainPolicies | undefined
  /** Why it could not be read in that state. */
  problem: string | undefined
}

const SUFFIX = '.pol'
/** A file that could not be used is tried again after this time: a key may be known by then. */
const RETRY_MILLIS = 5_000
/** What follows within this time is looked at together. */
const GATHERING_MILLIS = 10

/**
 * The policies of a folder of files `DOMAIN.pol`, noticed when they change: at once where the system tells, otherwise with
 * the next scan. Each domain is replaced as a whole; a file that cannot be used leaves what was there before, and one that
 * is deleted leaves a domain without assertions.
 */
export class PolicyFolder {
  readonly #options: PolicyFolderOptions
  readonly #files = new Map<string, KnownFile>()
  readonly #domains = new Map<string, DomainPolicies>()
  readonly #counts = { loaded: 0, failed: 0 }
  #watcher: FSWatcher | undefined
  /** Of the folder that is watched. */
  #watched = ''
  #timer: NodeJS.Timeout | undefined
  #scanning: Promise<void> | undefined
  #again = false
  #closed = false
  #complaint = ''

  constructor(options: PolicyFolderOptions) {
    this.#options = options
  }

  /** The policies of a domain; undefined when there have never been any. */
  get(domain: string): DomainPolicies | undefined {
    return this.#domains.get(domain)
  }

  /** How many domains there are, those that have lost their file included. */
  get size(): number {
    return this.#domains.size
  }

  /** Versions of all domains. */
  versions(): PolicyVersion[] {
    return [...this.#domains.values()].map(({ version }) => version)
  }

  get counts(): LoadCounts {
    return { ...this.#counts }
  }

  /** Begins to watch, and to scan; resolves after the first scan. Never rejects. */
  async start(): Promise<void> {
    await this.scan()
  }

  /** Looks at the folder now; resolves when what is there has been taken over. Never rejects. */
  scan(): Promise<void> {
    // What has changed since a scan began may have been missed by it.
    if (this.#scanning !== undefined) this.#again = true
    this.#scanning ??= this.#scanAll().finally(() => {
      this.#scanning = undefined
      this.#plan(this.#isAnyFailing() ? Math.min(RETRY_MILLIS, this.#options.scanMillis) : this.#options.scanMillis)
    })
    return this.#scanning
  }

  /** Looks at the folder no more; the policies stay. */
  async close(): Promise<void> {
    this.#closed = true
    this.#watcher?.close()
    clearTimeout(this.#timer)
    await this.#scanning
  }

  #isAnyFailing(): boolean {
    return this.#complaint !== '' || [...this.#files.values()].some(({ problem }) => problem !== undefined)
  }

  #plan(millis: number): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.scan(), millis)
    this.#timer.unref()
  }

  async #scanAll(): Promise<void> {
    do {
      this.#again = false
      try {
        // Watching begins before the look, so that nothing falls in between.
        await this.#watch()
        await this.#look(await readdir(this.#options.folder))
        this.#complain('')
      } catch (error) {
        this.#complain(`policies in ${this.#options.folder} cannot be read: ${messageOf(error)}`)
      }
    } while (this.#again && !this.#closed)
  }

  /** A folder that was replaced is another one, however it is called. */
  async #watch(): Promise<void> {
    const { folder, log } = this.#options
    const { ino, dev } = await stat(folder)
    const identity = `${dev} ${ino}`
    if (this.#watcher !== undefined && this.#watched === identity) return
    this.#watcher?.close()
    this.#watched = identity
    try {
      this.#watcher = watch(folder, { persistent: false }, () => this.#plan(GATHERING_MILLIS))
      this.#watcher.on('error', (error) => {
        log('warn', `${folder} is scanned only, it cannot be watched: ${error.message}`)
        this.#watcher?.close()
        this.#watcher = undefined
      })
    } catch (error) {
      this.#watcher = undefined
      log('warn', `${folder} is scanned only, it cannot be watched: ${messageOf(error)}`)
    }
  }

  #complain(complaint: string): void {
    if (complaint !== '' && complaint !== this.#complaint) this.#options.log('error', complaint)
    this.#complaint = complaint
  }

  async #look(names: readonly string[]): Promise<void> {
    const present = new Set(names.filter((name) => name.endsWith(SUFFIX)))
    for (const name of present) await this.#lookAt(name)
    for (const name of [...this.#files.keys()].filter((known) => !present.has(known))) this.#forget(name)
  }

  async #lookAt(name: string): Promise<void> {
    const file = join(this.#options.folder, name)
    const known = this.#files.get(name)
    const state = await stateOf(file)
    // Deleted since the folder was listed: the next look sees that.
    if (state === undefined) return
    if (known?.state === state && known.problem === undefined) return
    try {
      const policies = await this.#load(file)
      const former = known?.policies?.version
      this.#files.set(name, { state, policies, problem: undefined })
      this.#counts.loaded++
      this.#choose(policies.version.domain)
      if (former !== undefined && former.domain !== policies.version.domain) this.#choose(former.domain)
      this.#tell(policies.version, former)
    } catch (error) {
      const problem = messageOf(error)
      this.#counts.failed++
      if (known?.problem !== problem || known.state !== state) {
        const consequence = known?.policies === undefined ? '' : '; the policies read before stay in use'
        this.#options.log('error', `${file} cannot be used: ${problem}${consequence}`)
      }
      this.#files.set(name, { state, policies: known?.policies, problem })
    }
  }

  async #load(file: string): Promise<DomainPolicies> {
    const { clock, denyAfterExpirySeconds } = this.#options
    const text = await readFile(file)
    const { domain, assertions, modifiedMillis, expiresMillis, form, keyId } = await readPolicyDocument(
      text,
      this.#options,
    )
    const version = { domain, modifiedMillis, expiresMillis, loadedMillis: clock(), form, keyId, file }
    const deniesFrom = denyAfterExpirySeconds === undefined ? undefined : expiresMillis + denyAfterExpirySeconds * 1000
    return new DomainPolicies(version, assertions, deniesFrom)
  }

  #tell(version: PolicyVersion, former: PolicyVersion | undefined): void {
    const { log, clock } = this.#options
    const { domain, file, modifiedMillis, expiresMillis } = version
    const modified = new Date(modifiedMillis).toISOString()
    log('info', `policies of ${domain} of ${modified} are in use, from ${file}`)
    if (former?.domain === domain && former.modifiedMillis > modifiedMillis) {
      log('warn', `the policies of ${domain} in ${file} are older than those that they replace`)
    }
    if (expiresMillis < clock()) log('warn', `the policies of ${domain} in ${file} have expired`)
  }

  #forget(name: string): void {
    const known = this.#files.get(name)
    this.#files.delete(name)
    if (known?.policies === undefined) return
    const { domain } = known.policies.version
    this.#options.log('warn', `${name} is gone, so ${domain} has no policies from it any more`)
    this.#choose(domain)
  }

  /** Takes, of the files with policies of a domain, the one that is named after it, or else the latest. */
  #choose(domain: string): void {
    const candidates = [...this.#files].flatMap(([name, { policies }]) =>
      policies?.version.domain === domain ? [{ policies, isOwn: name === domain + SUFFIX }] : [],
    )
    const [best] = candidates.toSorted(
      (a, b) =>
        Number(b.isOwn) - Number(a.isOwn) || b.policies.version.modifiedMillis - a.policies.version.modifiedMillis,
    )
    if (best !== undefined) this.#domains.set(domain, best.policies)
    else {
      const former = this.#domains.get(domain)
      if (former !== undefined) this.#domains.set(domain, former.emptied(this.#options.clock()))
    }
  }
}

/** Undefined when there is no such file. */
async function stateOf(file: string): Promise<string | undefined> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(file)
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`
  } catch {
    return undefined
  }
}
