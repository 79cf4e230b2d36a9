import { LRUCache } from 'lru-cache'
import type { Clock } from '#core/seam/clock.ts'
import { AthenzClientError } from './client-error.ts'
import { SharedFlights } from './shared-flights.ts'
import { isValid, type KeptToken } from './token-freshness.ts'

/** One kind of tokens: how they are asked for, and when they are good. */
export interface TokenKind<Request extends object, Token> {
  /** For those who are told of prefetches. */
  readonly name: 'role token' | 'access token' | 'id token' | 'AWS credentials'
  /** Under which tokens of a request are kept; `principal` is the full name of the caller. */
  key(request: Request, principal: string): string
  fetch(request: Request, signal: AbortSignal): Promise<Token>
  /** Epoch milliseconds. */
  expiresAtMillis(token: Token, askedAtMillis: number): number
  /** Whether a kept token may be given out for a request. */
  isFresh(kept: KeptToken<Token>, request: Request, nowMillis: number): boolean
  /** A token that another program of this machine keeps. */
  local?(request: Request): Promise<KeptToken<Token> | undefined>
}

/** How tokens are kept. */
export interface TokenKeeperOptions {
  readonly clock: Clock
  /** Full name of the caller; nothing is kept while it is not known. */
  readonly principal: () => string | undefined
  /** 0: nothing is kept. */
  readonly maxEntries: number
  /** Longest time that callers wait for one fetch. */
  readonly flightTimeoutMillis: number
  /** Tokens are renewed before they are asked for, unless a call says otherwise. */
  readonly prefetch: boolean
  /** Told of each token that is to be renewed before it is asked for. */
  readonly onPrefetchable: () => void
  readonly onPrefetch: ((event: PrefetchEvent) => void) | undefined
}

/** A token was renewed before it was asked for, or could not be. */
export interface PrefetchEvent {
  readonly kind: TokenKind<object, unknown>['name']
  /** Names the token: caller, domain and roles. */
  readonly key: string
  /** Why there is no new token; undefined for success. */
  readonly error?: unknown
}

/** How one call wants its token. */
export interface TokenCall {
  /** Asks the server whatever is kept, and keeps the answer. */
  readonly ignoreCache?: boolean
  readonly prefetch?: boolean
  /** Ends this call; others that wait for the same token go on. */
  readonly signal?: AbortSignal
}

interface Entry<Request, Token> extends KeptToken<Token> {
  readonly request: Request
  readonly prefetch: boolean
  /** When it was last given out. */
  usedAtMillis: number
  /** When it was got, or when renewing it last failed. */
  triedAtMillis: number
  /** When the server last failed to give a new one. */
  failedAtMillis?: number
}

/** After a failure a kept token is given out for this time before the server is asked again. */
const BACK_OFF_MILLIS = 10_000
/** Tokens that nobody has asked for in this time are not renewed any more. */
const IDLE_MILLIS = 86_400_000
const PREFETCHES_AT_A_TIME = 8

/**
 * Tokens of one kind: given out while they are fresh, fetched once for all who wait, renewed in advance. While the server
 * does not give a new one, the kept one is given out until it expires.
 */
export class TokenKeeper<Request extends object, Token extends object> {
  readonly #kind: TokenKind<Request, Token>
  readonly #options: TokenKeeperOptions
  readonly #kept: LRUCache<string, Entry<Request, Token>> | undefined
  readonly #flights = new SharedFlights<Token>()

  constructor(kind: TokenKind<Request, Token>, options: TokenKeeperOptions) {
    this.#kind = kind
    this.#options = options
    this.#kept = options.maxEntries > 0 ? new LRUCache({ max: options.maxEntries }) : undefined
  }

  /** A token for the request. Rejects with the error of the server when there is none to give out. */
  async get(request: Request, { ignoreCache = false, prefetch, signal }: TokenCall = {}): Promise<Token> {
    signal?.throwIfAborted()
    const wanted = { request, prefetch: prefetch ?? this.#options.prefetch }
    const principal = this.#options.principal()
    const key = principal === undefined || this.#kept === undefined ? undefined : this.#kind.key(request, principal)
    // Its own request: one that began before may have an answer from before what the caller knows of.
    if (ignoreCache) return this.#fetch(key, wanted, signal)
    if (key === undefined) return this.#shared(JSON.stringify(request), undefined, wanted, signal)

    const now = this.#options.clock()
    const entry = this.#kept?.get(key)
    if (entry && this.#kind.isFresh(entry, request, now)) return this.#use(entry, now)
    const justFailed = entry?.failedAtMillis !== undefined && Math.abs(now - entry.failedAtMillis) < BACK_OFF_MILLIS
    if (entry && justFailed && isValid(entry, now)) return this.#use(entry, now)
    const local = await this.#kind.local?.(request)
    if (local && this.#kind.isFresh(local, request, now)) return this.#keep(key, wanted, local)
    try {
      return await this.#shared(`${key}\n${JSON.stringify(request)}`, key, wanted, signal)
    } catch (error) {
      if (signal?.aborted) throw error
      const failedAt = this.#options.clock()
      const kept = this.#kept?.get(key)
      if (kept === undefined || !isValid(kept, failedAt)) throw error
      kept.failedAtMillis = failedAt
      return this.#use(kept, failedAt)
    }
  }

  /** Renews the tokens that are due: those of which half of the time since the last try until expiry has passed. */
  async renewDue(): Promise<void> {
    const now = this.#options.clock()
    const due = [...(this.#kept?.entries() ?? [])].filter(([key, entry]) => {
      if (!isValid(entry, now)) this.#kept?.delete(key)
      const { prefetch, usedAtMillis, triedAtMillis, expiresAtMillis } = entry
      const dueAt = triedAtMillis + (expiresAtMillis - triedAtMillis) / 2
      return prefetch && now >= dueAt && now < expiresAtMillis && now - usedAtMillis < IDLE_MILLIS
    })
    const renewNext = async (): Promise<void> => {
      for (let next = due.pop(); next !== undefined; next = due.pop()) await this.#renew(...next)
    }
    await Promise.all(Array.from({ length: PREFETCHES_AT_A_TIME }, renewNext))
  }

  /** Makes all tokens due: who asked for them is now known by another certificate. */
  makeAllDue(): void {
    for (const entry of this.#kept?.values() ?? []) entry.triedAtMillis = 0
  }

  async #renew(key: string, entry: Entry<Request, Token>): Promise<void> {
    const { name } = this.#kind
    const { onPrefetch, clock } = this.#options
    try {
      await this.#shared(`${key}\n${JSON.stringify(entry.request)}`, key, entry)
      onPrefetch?.({ kind: name, key })
    } catch (error) {
      entry.triedAtMillis = clock()
      onPrefetch?.({ kind: name, key, error })
    }
  }

  #use(entry: Entry<Request, Token>, nowMillis: number): Token {
    entry.usedAtMillis = nowMillis
    return entry.token
  }

  #shared(flight: string, key: string | undefined, wanted: Wanted<Request>, signal?: AbortSignal): Promise<Token> {
    return this.#flights.run(flight, (end) => this.#fetch(key, wanted, end), signal)
  }

  async #fetch(key: string | undefined, wanted: Wanted<Request>, signal?: AbortSignal): Promise<Token> {
    const { clock, flightTimeoutMillis } = this.#options
    const timeout = AbortSignal.timeout(flightTimeoutMillis)
    const askedAtMillis = clock()
    const token = await this.#kind
      .fetch(wanted.request, signal ? AbortSignal.any([signal, timeout]) : timeout)
      .catch((cause: unknown) => {
        if (signal?.aborted || !timeout.aborted) throw cause
        throw new AthenzClientError(`no ${this.#kind.name} in time`, { kind: 'timeout', cause })
      })
    const kept = { token, askedAtMillis, expiresAtMillis: this.#kind.expiresAtMillis(token, askedAtMillis) }
    return key === undefined ? token : this.#keep(key, wanted, kept)
  }

  #keep(key: string, { request, prefetch, usedAtMillis }: Wanted<Request>, kept: KeptToken<Token>): Token {
    const now = this.#options.clock()
    this.#kept?.set(key, { ...kept, request, prefetch, usedAtMillis: usedAtMillis ?? now, triedAtMillis: now })
    if (prefetch) this.#options.onPrefetchable()
    return kept.token
  }
}

interface Wanted<Request> {
  readonly request: Request
  readonly prefetch: boolean
  /** Absent when somebody waits for the token. */
  readonly usedAtMillis?: number
}
