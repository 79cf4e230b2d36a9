import { messageOf } from '../error/message-of.ts'
import type { Exchange } from '../http/exchange.ts'
import { type AuthHistoryStore, type AuthUse, useKey } from './auth-use.ts'
import { usedDomain } from './used-domain.ts'

/** What a recorder is made of. */
export interface AuthUseRecorderOptions {
  readonly store: Pick<AuthHistoryStore, 'record'>
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Uses that wait at most; what is beyond is lost and reported. */
  readonly maxWaiting?: number
  /** Time between two deliveries. */
  readonly intervalMillis: number
}

const MAX_WAITING = 50_000
const MAX_ENDPOINT_LENGTH = 512
/** Statuses from here on are refusals: nothing was used. */
const REFUSED = 400
const MILLIS_PER_SECOND = 1000

/**
 * Notes which principals use which domains, and hands that to a store in batches: of a principal and a domain one use for
 * each batch. An observer of exchanges; a request costs two look-ups, and waits for nothing.
 */
export class AuthUseRecorder {
  readonly #options: AuthUseRecorderOptions
  readonly #maxWaiting: number
  #waiting = new Map<string, AuthUse>()
  #lost = 0
  #failing = false
  #delivery: Promise<void> | undefined
  readonly #timer: NodeJS.Timeout

  constructor(options: AuthUseRecorderOptions) {
    this.#options = options
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING
    this.#timer = setInterval(() => void this.deliver(), options.intervalMillis).unref()
  }

  /** Takes note of an exchange that was answered. */
  readonly observe = (exchange: Exchange): void => {
    const { principal, status } = exchange
    if (principal === undefined || status >= REFUSED) return
    const { url = '' } = exchange.request
    const uriDomain = exchange.concernedDomain ?? usedDomain(url)
    if (uriDomain === undefined) return
    const epochSeconds = Math.floor(this.#options.now() / MILLIS_PER_SECOND)
    const principalName = localName(principal.fullName, principal.domain)
    const who = { uriDomain, principalDomain: principal.domain, principalName }
    const key = useKey(who)
    // Within a batch the first request stands for those that follow: what they looked like is not worth the copies.
    if (this.#waiting.has(key)) return
    if (this.#waiting.size >= this.#maxWaiting) {
      this.#lost++
      return
    }
    const target = exchange.secretQuery ? url.split('?', 1)[0] : url
    this.#waiting.set(key, { ...who, endpoint: printable(`${exchange.method} ${target}`), epochSeconds })
  }

  /** Gives the store what waits; resolves when that has come to its end, in whatever way. */
  deliver(): Promise<void> {
    this.#delivery ??= this.#deliver().finally(() => (this.#delivery = undefined))
    return this.#delivery
  }

  /** Delivers what waits and takes note of nothing more. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#delivery
    await this.deliver()
  }

  async #deliver(): Promise<void> {
    const { store, log } = this.#options
    if (this.#lost > 0) log('warn', `the history of authentication lost ${this.#lost} uses: too many in one interval`)
    this.#lost = 0
    const batch = this.#waiting
    if (batch.size === 0) return
    this.#waiting = new Map()
    try {
      await store.record([...batch.values()])
      if (this.#failing) log('info', 'the history of authentication is kept again')
      this.#failing = false
    } catch (error) {
      if (!this.#failing) log('error', `the history of authentication cannot be kept: ${messageOf(error)}`)
      this.#failing = true
      this.#takeBack(batch)
    }
  }

  /** What could not be delivered waits again, as far as there is room. */
  #takeBack(batch: ReadonlyMap<string, AuthUse>): void {
    for (const [key, use] of batch) {
      if (this.#waiting.has(key)) continue
      if (this.#waiting.size >= this.#maxWaiting) this.#lost++
      else this.#waiting.set(key, use)
    }
  }
}

const localName = (fullName: string, domain: string): string =>
  fullName.startsWith(`${domain}.`) ? fullName.slice(domain.length + 1) : fullName

/** Targets are what clients make of them. */
const printable = (text: string): string => text.slice(0, MAX_ENDPOINT_LENGTH).replaceAll(/[^\x20-\x7e]/g, '?')
