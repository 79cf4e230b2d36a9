import type { IncomingMessage } from 'node:http'
import type { AuthenticationOutcome } from '../authority/chain.ts'
import type { Networks } from '../authority/networks.ts'
import { plainAddress, remoteAddressOf } from '../authority/remote-address.ts'
import { ServiceError } from '../error/service-error.ts'
import type { Logger } from '../log/logger.ts'
import { addressKey } from './address-key.ts'
import { type Connection, connectionOf } from './connection.ts'
import { isPromise } from './maybe-promise.ts'
import type { Authenticator } from './pipeline.ts'
import type { RequestFilter } from './server.ts'
import { TokenBuckets } from './token-buckets.ts'

/** What is limited. */
export type RateLimit = 'connections' | 'address' | 'failures' | 'principal'

/** How much is allowed; 0 is no limit. */
export interface RateLimitsOptions {
  /** New connections of one address. */
  readonly connectionsPerSecond: number
  /** Requests of one address on connections without client certificate. */
  readonly addressRequestsPerSecond: number
  /** Credentials of one address, or of one client certificate, that are refused. */
  readonly failuresPerMinute: number
  /** Requests of one principal. */
  readonly principalRequestsPerSecond: number
  /** For how many seconds what was not used may be saved up. */
  readonly burstSeconds: number
  /** Addresses to which no limit applies. */
  readonly exempt: Networks
  /** Addresses and principals that are remembered. */
  readonly maxKeys: number
  readonly log: Logger
  /** How many processes count together. Each is told what the others have admitted; this one alone when absent. */
  readonly sharers?: number
  /** Told of everything that is admitted under a limit. */
  readonly onAdmitted?: ((limit: RateLimit, key: string) => void) | undefined
  /** Told of everything that is refused. */
  readonly onRefused?: (limit: RateLimit) => void
  /** Milliseconds of a clock that does not go back. */
  readonly now?: () => number
}

/** What is the same for all requests of a connection. */
interface Peer {
  /** The peer itself; who is behind a proxy on this machine is told by its requests. */
  readonly key: string
  readonly isExempt: boolean
  /** Serial number of the client certificate, which the handshake has verified. */
  readonly certificate: string | undefined
}

const MILLIS_PER_SECOND = 1000
const SECONDS_PER_MINUTE = 60
/** Refusals are logged once in a while for each limit: they come in masses. */
const LOG_INTERVAL_MILLIS = 60_000

/**
 * Keeps one client from taking the server away from all others, before it costs much: connections before their TLS
 * handshake, requests without client certificate and those of clients whose credentials were refused before their
 * credentials are looked at, those of known principals before they are served. A client with a certificate is not held
 * responsible for the others at its address. What is refused gets 429 with Retry-After; a connection is just cut.
 */
export class RateLimits {
  readonly #options: RateLimitsOptions
  readonly #connections: TokenBuckets | undefined
  readonly #addresses: TokenBuckets | undefined
  readonly #failures: TokenBuckets | undefined
  readonly #principals: TokenBuckets | undefined
  readonly #byLimit: Readonly<Record<RateLimit, TokenBuckets | undefined>>
  readonly #peers = new WeakMap<Connection, Peer>()
  readonly #loggedAt = new Map<RateLimit, number>()
  readonly #now: () => number

  constructor(options: RateLimitsOptions) {
    const { connectionsPerSecond, addressRequestsPerSecond, failuresPerMinute, principalRequestsPerSecond } = options
    this.#options = options
    this.#connections = this.#buckets('connections', connectionsPerSecond)
    this.#addresses = this.#buckets('address', addressRequestsPerSecond)
    this.#failures = this.#buckets('failures', failuresPerMinute / SECONDS_PER_MINUTE, SECONDS_PER_MINUTE)
    this.#principals = this.#buckets('principal', principalRequestsPerSecond)
    this.#byLimit = {
      connections: this.#connections,
      address: this.#addresses,
      failures: this.#failures,
      principal: this.#principals,
    }
    this.#now = options.now ?? (() => performance.now())
  }

  /** Whether a new connection of this address is taken. */
  admitsConnection(address: string | undefined): boolean {
    if (this.#connections === undefined || address === undefined) return true
    const plain = plainAddress(address)
    if (this.#isExempt(plain) || this.#connections.take(addressKey(plain), this.#now()) === 0) return true
    this.#refused('connections', plain)
    return false
  }

  /** Answers requests that come too fast, by what is known before anybody has looked at their credentials. */
  readonly filter: RequestFilter = (exchange, writer) => {
    const peer = this.#peer(exchange.connection)
    const key = this.#clientOf(peer, exchange.request)
    if (key === undefined) return false
    const now = this.#now()
    const blockedMillis = this.#failures?.wait(key, now) ?? 0
    if (blockedMillis > 0) {
      writer.sendError(exchange, this.#refusal('failures', key, blockedMillis))
      return true
    }
    if (peer.certificate !== undefined) return false
    const waitMillis = this.#addresses?.take(key, now) ?? 0
    if (waitMillis === 0) return false
    writer.sendError(exchange, this.#refusal('address', key, waitMillis))
    return true
  }

  /** Counts what another process has admitted under a limit. */
  charge(limit: RateLimit, key: string, count: number): void {
    this.#byLimit[limit]?.charge(key, count, this.#now())
  }

  /** The same authenticator, which refuses principals whose requests come too fast and notes whose credentials are bad. */
  authenticator(inner: Authenticator): Authenticator {
    return {
      authenticate: (request, optional) => {
        const outcome = inner.authenticate(request, optional)
        return isPromise(outcome)
          ? outcome.then((settled) => this.#judge(request, settled))
          : this.#judge(request, outcome)
      },
    }
  }

  #judge(request: IncomingMessage, outcome: AuthenticationOutcome): AuthenticationOutcome {
    const { principal, failure } = outcome
    const peer = this.#peer(connectionOf(request.socket))
    if (failure !== undefined) {
      const key = failure.status === UNAUTHORIZED ? this.#clientOf(peer, request) : undefined
      if (key !== undefined) this.#failures?.take(key, this.#now())
      return outcome
    }
    if (principal === undefined || peer.isExempt || this.#principals === undefined) return outcome
    const waitMillis = this.#principals.take(principal.fullName, this.#now())
    if (waitMillis === 0) return outcome
    return { failure: this.#refusal('principal', principal.fullName, waitMillis), reasons: 'rate limit' }
  }

  /** Who is to be limited; undefined for those who are not. */
  #clientOf(peer: Peer, request: IncomingMessage): string | undefined {
    if (peer.certificate !== undefined) return peer.isExempt ? undefined : `certificate ${peer.certificate}`
    if (!peer.isExempt) return peer.key
    const address = remoteAddressOf(request)
    return address === peer.key || this.#isExempt(address) ? undefined : addressKey(address)
  }

  #peer(connection: Connection): Peer {
    let peer = this.#peers.get(connection)
    if (peer === undefined) {
      const { peerAddress, certificateSerial } = connection
      const isExempt = this.#isExempt(peerAddress)
      peer = { key: isExempt ? peerAddress : addressKey(peerAddress), isExempt, certificate: certificateSerial }
      this.#peers.set(connection, peer)
    }
    return peer
  }

  #isExempt(address: string): boolean {
    return this.#options.exempt.includes(address)
  }

  #refusal(limit: RateLimit, key: string, waitMillis: number): ServiceError {
    this.#refused(limit, key)
    return new ServiceError('quota', 'Too many requests, try again later', {
      detail: `${limit}: ${key}`,
      headers: { 'retry-after': String(Math.ceil(waitMillis / MILLIS_PER_SECOND)) },
    })
  }

  #refused(limit: RateLimit, client: string): void {
    const { log, onRefused } = this.#options
    onRefused?.(limit)
    const now = this.#now()
    if (now - (this.#loggedAt.get(limit) ?? Number.NEGATIVE_INFINITY) < LOG_INTERVAL_MILLIS) return
    this.#loggedAt.set(limit, now)
    log.warn({ limit, client }, 'rate limit: requests are refused')
  }

  #buckets(limit: RateLimit, perSecond: number, burstSeconds = this.#options.burstSeconds): TokenBuckets | undefined {
    if (perSecond === 0) return undefined
    const { maxKeys, sharers = 1, onAdmitted } = this.#options
    return new TokenBuckets({
      perSecond,
      burst: perSecond * burstSeconds,
      maxKeys,
      sharers,
      onTaken: onAdmitted && ((key) => onAdmitted(limit, key)),
    })
  }
}

const UNAUTHORIZED = 401
