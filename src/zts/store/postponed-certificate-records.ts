import { messageOf } from '#core/error/message-of.ts'
import { ServiceError } from '#core/error/service-error.ts'
import type { CertificateRecord, CertificateRecords, UnrefreshedClaim } from './certificate-records.ts'

/** How records are kept while their store is away. */
export interface PostponedRecordsOptions {
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Time between two attempts to write what was postponed. */
  readonly retryMillis?: number
  /** Most records that are kept; then registrations are refused as well. */
  readonly limit?: number
}

const RETRY_MILLIS = 5_000
const LIMIT = 10_000

/**
 * Records of a store that may be away: those of new instances are kept in memory until it is back. Nothing else is
 * relaxed: a renewal needs the record of its instance, and waits when neither the store nor the memory has it. What was
 * postponed ends with the process.
 */
export class PostponedCertificateRecords implements CertificateRecords {
  readonly #store: CertificateRecords
  readonly #log: PostponedRecordsOptions['log']
  readonly #retryMillis: number
  readonly #limit: number
  readonly #postponed = new Map<string, CertificateRecord>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined

  constructor(store: CertificateRecords, { log, retryMillis = RETRY_MILLIS, limit = LIMIT }: PostponedRecordsOptions) {
    this.#store = store
    this.#log = log
    this.#retryMillis = retryMillis
    this.#limit = limit
  }

  /** Records that are not written yet. */
  get postponed(): number {
    return this.#postponed.size
  }

  async get(provider: string, instanceId: string, service: string): Promise<CertificateRecord | undefined> {
    const postponed = this.#postponed.get(keyOf({ provider, instanceId, service }))
    return postponed ?? (await this.#store.get(provider, instanceId, service))
  }

  async insert(record: CertificateRecord): Promise<void> {
    const key = keyOf(record)
    if (!this.#postponed.has(key)) {
      try {
        await this.#store.insert(record)
        return
      } catch (error) {
        if (!isAway(error) || this.#postponed.size >= this.#limit) throw error
      }
    }
    if (this.#postponed.size === 0) {
      this.#log('error', 'certificate records cannot be written: registrations go on, renewals wait')
    }
    this.#postponed.set(key, record)
    this.#schedule()
  }

  async update(record: CertificateRecord, replaced: string): Promise<boolean> {
    const key = keyOf(record)
    const postponed = this.#postponed.get(key)
    if (postponed === undefined) return this.#store.update(record, replaced)
    if (postponed.currentSerial !== replaced) return false
    this.#postponed.set(key, record)
    return true
  }

  async delete(provider: string, instanceId: string, service: string): Promise<void> {
    // The store may have an older one of the same instance.
    await this.#store.delete(provider, instanceId, service)
    this.#postponed.delete(keyOf({ provider, instanceId, service }))
  }

  deleteExpired(before: number, limit: number): Promise<number> {
    return this.#store.deleteExpired(before, limit)
  }

  /** What is postponed was issued a moment ago. */
  async claimUnrefreshed(claim: UnrefreshedClaim): Promise<CertificateRecord[]> {
    return (await this.#store.claimUnrefreshed?.(claim)) ?? []
  }

  /** Tries once more to write what was postponed. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.write()
    clearTimeout(this.#timer)
    if (this.#postponed.size > 0) {
      this.#log('error', `${this.#postponed.size} certificate records are lost: their instances have to register again`)
    }
    await this.#store.close?.()
  }

  /** Writes what was postponed, as far as the store takes it. */
  write(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  async #write(): Promise<void> {
    const count = this.#postponed.size
    for (const [key, record] of this.#postponed) {
      try {
        await this.#store.insert(record)
      } catch (error) {
        if (isAway(error)) {
          this.#schedule()
          return
        }
        const reason = messageOf(error)
        this.#log('error', `the certificate record of ${record.instanceId} of ${record.service} is lost: ${reason}`)
      }
      // A renewal may have come meanwhile: its record is written in another round.
      if (this.#postponed.get(key) === record) this.#postponed.delete(key)
    }
    if (this.#postponed.size > 0) this.#schedule()
    else if (count > 0) this.#log('info', 'certificate records can be written again, and all that waited are written')
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.write(), this.#retryMillis)
    this.#timer.unref()
  }
}

const isAway = (error: unknown): boolean => error instanceof ServiceError && error.code === 'unavailable'

const keyOf = ({ provider, instanceId, service }: Pick<CertificateRecord, 'provider' | 'instanceId' | 'service'>) =>
  JSON.stringify([provider, instanceId, service])
