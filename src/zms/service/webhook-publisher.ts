import { createHmac } from 'node:crypto'
import { Agent } from 'undici'
import type { Logger } from '#core/log/logger.ts'
import { systemWait, type Wait } from '#core/main/periodic-job.ts'
import type { ChangePublisher, DomainChangeMessage } from './change-messages.ts'

/** What a webhook is made with. */
export interface WebhookOptions {
  readonly url: URL
  readonly topic: string
  /** Signs what is sent; nothing is signed without. */
  readonly secret?: string
  /** PEM certificates of the authorities of the receiver; those of Node.js when absent. */
  readonly ca?: string
  /** For one delivery, from the connection to the end of the answer. */
  readonly timeoutMillis: number
  /** Further attempts at a delivery that failed. */
  readonly retries: number
  /** Messages that wait; further ones are dropped. */
  readonly queueMax: number
  readonly log: Logger
  readonly now: () => number
  readonly wait?: Wait
}

const BATCH_MAX = 100
const FIRST_PAUSE_MILLIS = 500
const LONGEST_PAUSE_MILLIS = 60_000
const MILLIS_PER_SECOND = 1000

/**
 * Posts messages as JSON `{"topic":…,"messages":[…]}`, in their order, those that wait together up to 100 at a time. An
 * answer other than 2xx, or none in time, is tried again at growing intervals; then the messages are dropped and that is
 * logged. Nobody ever waits for it.
 *
 * Headers as in Standard Webhooks: `webhook-id` (the same for every attempt), `webhook-timestamp` (epoch seconds) and,
 * with a secret, `webhook-signature`: `v1,` and the base64 HMAC-SHA-256 of `{id}.{timestamp}.{body}`.
 */
export class WebhookPublisher implements ChangePublisher {
  readonly #options: WebhookOptions
  readonly #agent: Agent
  readonly #closing = new AbortController()
  #queue: DomainChangeMessage[] = []
  #running: Promise<void> | undefined
  #dropped = 0

  constructor(options: WebhookOptions) {
    const { timeoutMillis, ca } = options
    this.#options = options
    this.#agent = new Agent({
      connections: 1,
      // Its own time-outs start again with every piece, so that a trickle would never end: a delivery has one for all.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: timeoutMillis, ...(ca !== undefined && { ca }) },
    })
  }

  publish(message: DomainChangeMessage): void {
    const { queueMax, log, topic } = this.#options
    if (this.#queue.length >= queueMax || this.#closing.signal.aborted) {
      if (this.#dropped++ === 0) log.error({ topic, queueMax }, 'messages about changes are dropped: too many wait')
      return
    }
    this.#queue.push(message)
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  /** Tries once more to deliver what waits. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
    await this.#agent.destroy()
  }

  async #run(): Promise<void> {
    // What a request publishes goes together.
    await new Promise((resolve) => setImmediate(resolve))
    const { log, topic } = this.#options
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, BATCH_MAX)
      const delivered = await this.#deliver(batch)
      this.#queue.splice(0, batch.length)
      if (!delivered && this.#closing.signal.aborted) {
        this.#dropped += batch.length + this.#queue.length
        this.#queue = []
      } else if (!delivered) this.#dropped += batch.length
      if (this.#dropped > 0) log.error({ topic, messages: this.#dropped }, 'messages about changes were dropped')
      this.#dropped = 0
    }
  }

  /** Whether the messages were delivered, at last. */
  async #deliver(messages: readonly DomainChangeMessage[]): Promise<boolean> {
    const { retries, log, topic, url, wait = systemWait } = this.#options
    const { signal } = this.#closing
    const id = messages[0]?.messageId ?? ''
    const body = JSON.stringify({ topic, messages })
    for (let attempt = 0; ; attempt++) {
      const last = attempt >= retries || signal.aborted
      try {
        await this.#post(id, body)
        return true
      } catch (error) {
        log.warn({ err: error, host: url.host, topic, attempt: attempt + 1, last }, 'a webhook was not delivered')
      }
      if (last) return false
      // Only closing ends the pause early.
      await wait(Math.min(FIRST_PAUSE_MILLIS * 2 ** attempt, LONGEST_PAUSE_MILLIS), signal).catch(() => {})
    }
  }

  async #post(id: string, body: string): Promise<void> {
    const { url, secret, timeoutMillis, now } = this.#options
    const timestamp = String(Math.floor(now() / MILLIS_PER_SECOND))
    const signature =
      secret === undefined
        ? undefined
        : createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64')
    const { statusCode, body: answer } = await this.#agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        ...(signature !== undefined && { 'webhook-signature': `v1,${signature}` }),
      },
      body,
      signal: AbortSignal.timeout(timeoutMillis),
    })
    // Nothing of the answer is needed; a long one costs its connection.
    await answer.dump()
    if (statusCode < 200 || statusCode > 299) throw new Error(`the receiver answered with status ${statusCode}`)
  }
}
