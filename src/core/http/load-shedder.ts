import { Networks } from '../authority/networks.ts'
import { plainAddress } from '../authority/remote-address.ts'
import { ServiceError } from '../error/service-error.ts'
import type { Logger } from '../log/logger.ts'
import { seldom } from '../log/seldom.ts'
import { pathOf } from './request-target.ts'
import type { RequestsInFlight } from './requests-in-flight.ts'
import type { RequestFilter } from './server.ts'

/** Why something is refused. */
export type ShedReason = 'delay' | 'in-flight' | 'connection'

/** When a server has more to do than it can. */
export interface LoadShedderOptions {
  /** Standing delay of the event loop from which on requests are refused; 0 is no limit. */
  readonly delayMillis: number
  /** Requests that are worked on; 0 is no limit. */
  readonly maxWorking: number
  /** Counts of the server. */
  readonly inFlight: Readonly<RequestsInFlight>
  /** Paths that are served whatever happens: who asks wants to know whether the server is there. */
  readonly vitalPaths: ReadonlySet<string>
  readonly log: Logger
  /** Told of everything that is refused. */
  readonly onShed?: (reason: ShedReason) => void
}

/** Below half of the limit the server recovers; between half and all of it nothing changes. */
const RECOVERY_SHARE_OF_LIMIT = 0.5
/** Of what is still served, so much is refused more after each half second above the limit; twice that at twice the limit. */
const STEP_UP = 0.25
const MAX_STEP_UP = 0.5
const STEP_DOWN = 0.8
const NEGLIGIBLE_SHARE = 0.02
/** Some always go on, so that a server whose delay comes from something else is not shut for all. */
const MAX_SHARE = 0.98
/** From this share on refusing requests is not enough: handshakes are refused, too. */
const CONNECTIONS_FROM_SHARE = 0.5
/** Refusing because of too many requests ends when so much of the limit is left in flight. */
const IN_FLIGHT_RECOVERY = 0.9
const MAX_RETRY_SECONDS = 5
const THIS_MACHINE = Networks.read(['127.0.0.0/8', '::1'], 'this machine')

/**
 * Refuses work while a server has more than it can do, so that it answers some in time instead of all too late. Requests
 * are refused with 503 and Retry-After before anybody looks at their credentials or bodies; when that does not help,
 * connections are cut before their handshake, but not those of this machine, from where proxies and health checks come.
 *
 * The share that is refused grows while the delay of the event loop stands above its limit, shrinks slowly below half of
 * it, and stays in between, so that the server neither swings between all and nothing nor forgets in a lull. Which
 * requests are refused does not depend on chance: at a share of a third it is every third.
 */
export class LoadShedder {
  readonly #options: LoadShedderOptions
  readonly #refusals = Array.from({ length: MAX_RETRY_SECONDS + 1 }, (_, seconds) => refusal(seconds))
  #share = 0
  #isFull = false
  readonly #warnOfFull: (requests: number) => void
  /** What adds up to the next one to be refused. */
  #requestDebt = 0
  #connectionDebt = 0

  constructor(options: LoadShedderOptions) {
    this.#options = options
    this.#warnOfFull = seldom((requests: number) =>
      options.log.warn({ requests }, 'overload: too many requests are in work, further ones are refused'),
    )
  }

  /** Which share of the requests is refused because of the delay, from 0 to 1. */
  get share(): number {
    return this.#share
  }

  /** Takes note of the standing delay of the event loop. */
  noteDelay(standingMillis: number): void {
    const { delayMillis, log } = this.#options
    if (delayMillis === 0) return
    const before = this.#share
    if (standingMillis > delayMillis) {
      const step = Math.min(MAX_STEP_UP, (STEP_UP * standingMillis) / delayMillis)
      this.#share = Math.min(MAX_SHARE, before + (1 - before) * step)
      if (before === 0) log.warn({ delayMillis: Math.round(standingMillis) }, 'overload: requests are refused')
    } else if (before > 0 && standingMillis < delayMillis * RECOVERY_SHARE_OF_LIMIT) {
      const less = before * STEP_DOWN
      this.#share = less < NEGLIGIBLE_SHARE ? 0 : less
      if (this.#share === 0) log.warn('overload: it is over, all requests are served')
    }
  }

  /** Answers requests that are too much. */
  readonly filter: RequestFilter = (exchange, writer) => {
    const { maxWorking, inFlight, vitalPaths, onShed } = this.#options
    if (this.#share === 0 && !this.#isFull && (maxWorking === 0 || inFlight.working < maxWorking)) return false
    if (vitalPaths.has(pathOf(exchange.request.url ?? ''))) return false
    const reason = this.#isTooMany() ? 'in-flight' : this.#isNextToShed() ? 'delay' : undefined
    if (reason === undefined) return false
    onShed?.(reason)
    writer.sendError(exchange, this.#refusals[Math.ceil(1 + this.#share * (MAX_RETRY_SECONDS - 1))])
    return true
  }

  /** Whether a new connection is taken. */
  admitsConnection(address: string | undefined): boolean {
    if (this.#share <= CONNECTIONS_FROM_SHARE || address === undefined) return true
    if (THIS_MACHINE.includes(plainAddress(address))) return true
    this.#connectionDebt += (this.#share - CONNECTIONS_FROM_SHARE) / (1 - CONNECTIONS_FROM_SHARE)
    if (this.#connectionDebt < 1) return true
    this.#connectionDebt -= 1
    this.#options.onShed?.('connection')
    return false
  }

  #isTooMany(): boolean {
    const { maxWorking, inFlight } = this.#options
    if (maxWorking === 0) return false
    if (!this.#isFull && inFlight.working >= maxWorking) {
      this.#isFull = true
      this.#warnOfFull(inFlight.working)
    } else if (this.#isFull && inFlight.working < maxWorking * IN_FLIGHT_RECOVERY) {
      this.#isFull = false
    }
    return this.#isFull
  }

  #isNextToShed(): boolean {
    this.#requestDebt += this.#share
    if (this.#requestDebt < 1) return false
    this.#requestDebt -= 1
    return true
  }
}

/** Made once: under load not even the trace of an error is free. */
const refusal = (seconds: number): ServiceError =>
  new ServiceError('unavailable', 'Server has too much to do, try again later', {
    detail: 'load shedding',
    headers: { 'retry-after': String(seconds) },
  })
