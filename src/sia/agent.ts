import { messageOf } from '#core/error/message-of.ts'
import type { Wait } from '#core/main/periodic-job.ts'
import type { Clock } from '#core/seam/clock.ts'
import { type Failures, isDue, mayTryAgain, type Validity } from './renewal-schedule.ts'

/** Something on disk that has to be got, and renewed before it ends. */
export interface Renewable {
  readonly kind: 'service certificate' | 'SSH certificate' | 'role certificate' | 'access token'
  /** Full name of the service or role; domain and roles of a token. */
  readonly name: string
  /** How long what is on disk is good; undefined when nothing of use is there. */
  validity(): Promise<Validity | undefined>
  /** Gets a new one and writes it. Rejects with the reason when that is not possible. */
  renew(): Promise<void>
}

/** What an agent works with. */
export interface AgentOptions {
  /** The certificate of the service first: the others are asked for with it. */
  readonly items: readonly Renewable[]
  readonly clock: Clock
  readonly wait: Wait
  /** From 0 to below 1. */
  readonly random: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** After each look at everything: what was renewed in it. */
  readonly onPass: (outcome: Pass) => Promise<void>
}

/** What one look at everything has brought. */
export interface Pass {
  readonly renewed: readonly Renewable[]
  readonly failed: readonly Renewable[]
  readonly states: readonly ItemState[]
}

/** An item and how long it is good. */
export interface ItemState {
  readonly item: Renewable
  readonly validity: Validity | undefined
}

/** What is renewed together with the certificate of the service. */
const BRINGS_IDENTITY: ReadonlySet<Renewable['kind']> = new Set(['service certificate', 'SSH certificate'])
/** So often everything is looked at: timers stand still while a machine sleeps. */
const LOOK_MILLIS = 30_000

/** Keeps certificates and tokens of a service renewed. */
export class SiaAgent {
  readonly #options: AgentOptions
  readonly #failures = new Map<Renewable, Failures>()
  readonly #chance: number

  constructor(options: AgentOptions) {
    this.#options = options
    this.#chance = options.random()
  }

  /** Looks at everything until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.pass({ signal })
      // Only the end of the agent ends a wait early.
      await this.#options.wait(LOOK_MILLIS, signal).catch(() => {})
    }
  }

  /**
   * Renews what is due, everything when `force` is set; those that failed wait for their time unless `retry` is set. Never
   * rejects because something could not be renewed.
   */
  async pass({ signal, force = false, retry = false }: PassOptions = {}): Promise<Pass> {
    const { items, clock, onPass } = this.#options
    const [renewed, failed, states]: [Renewable[], Renewable[], ItemState[]] = [[], [], []]
    for (const item of items) {
      if (signal?.aborted) break
      const validity = await this.#validity(item)
      const now = clock()
      const may = retry || mayTryAgain(this.#failures.get(item), validity, now)
      // Access tokens are bound to the certificate that they were asked for with, which an SSH certificate comes with.
      const isBound = item.kind === 'access token' && renewed.some(({ kind }) => BRINGS_IDENTITY.has(kind))
      const isWanted = may && (force || isBound || isDue(validity, now, this.#chance))
      if (isWanted) ((await this.#renewed(item, validity)) ? renewed : failed).push(item)
      states.push({ item, validity: isWanted ? await this.#validity(item) : validity })
      // Nothing else can be had without a certificate of the service.
      if (states[0]?.validity === undefined) break
    }
    const outcome = { renewed, failed, states }
    await onPass(outcome)
    return outcome
  }

  async #validity(item: Renewable): Promise<Validity | undefined> {
    try {
      return await item.validity()
    } catch (error) {
      this.#options.log('error', `${item.kind} ${item.name} cannot be read: ${messageOf(error)}`)
      return undefined
    }
  }

  async #renewed(item: Renewable, validity: Validity | undefined): Promise<boolean> {
    const { clock, random, log } = this.#options
    const { kind, name } = item
    try {
      await item.renew()
      this.#failures.delete(item)
      const until = (await item.validity())?.untilMillis
      log('info', `${kind} ${name} is new${until === undefined ? '' : `, good until ${new Date(until).toISOString()}`}`)
      return true
    } catch (error) {
      const count = (this.#failures.get(item)?.count ?? 0) + 1
      this.#failures.set(item, { count, lastMillis: clock(), chance: random() })
      const left =
        validity === undefined
          ? 'there is none'
          : `the present one is good until ${new Date(validity.untilMillis).toISOString()}`
      log('error', `${kind} ${name} cannot be renewed (failure ${count}, ${left}): ${messageOf(error)}`)
      return false
    }
  }
}

/** How everything is looked at. */
export interface PassOptions {
  readonly signal?: AbortSignal
  readonly force?: boolean
  readonly retry?: boolean
}
