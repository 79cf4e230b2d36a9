import { createHmac } from 'node:crypto'
import { Agent } from 'undici'
import { ConfigError } from '../config/config-error.ts'
import type { PrivateKeyStore } from '../crypto/private-key-store.ts'
import type { Logger } from '../log/logger.ts'
import { systemWait, type Wait } from '../main/periodic-job.ts'
import { isThisMachine, readAuthorities } from './receiver.ts'

/** Where a webhook posts to, and how patient it is. */
export interface WebhookOptions {
  readonly url: URL
  /** Signs what is sent; nothing is signed without. */
  readonly secret?: string
  /** PEM certificates of the authorities of the receiver; those of Node.js when absent. */
  readonly ca?: string
  /** For one delivery, from the connection to the end of the answer. */
  readonly timeoutMillis: number
  /** Further attempts at a delivery that failed. */
  readonly retries: number
  readonly log: Logger
  readonly now: () => number
  readonly wait?: Wait
}

const FIRST_PAUSE_MILLIS = 500
const LONGEST_PAUSE_MILLIS = 60_000
const MILLIS_PER_SECOND = 1000

/**
 * Posts JSON. Headers as in Standard Webhooks: `webhook-id` (the same for every attempt), `webhook-timestamp` (epoch
 * seconds) and, with a secret, `webhook-signature`: `v1,` and the base64 HMAC-SHA-256 of `{id}.{timestamp}.{body}`.
 */
export class Webhook {
  readonly #options: WebhookOptions
  readonly #agent: Agent
  readonly #closing = new AbortController()

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

  /** Whether it is ending: then a delivery is tried once more and not again. */
  get closing(): boolean {
    return this.#closing.signal.aborted
  }

  /**
   * Delivers a body; an answer other than 2xx, or none in time, is logged with `about` and tried again at growing
   * intervals. False when the last attempt failed too.
   */
  async deliver(id: string, body: string, about: Readonly<Record<string, unknown>> = {}): Promise<boolean> {
    const { retries, log, url, wait = systemWait } = this.#options
    const { signal } = this.#closing
    for (let attempt = 0; ; attempt++) {
      const last = attempt >= retries || signal.aborted
      try {
        await this.#post(id, body)
        return true
      } catch (error) {
        const line = { ...about, err: error, host: url.host, attempt: attempt + 1, last }
        log.warn(line, 'a webhook was not delivered')
      }
      if (last) return false
      // Only closing ends the pause early.
      await wait(Math.min(FIRST_PAUSE_MILLIS * 2 ** attempt, LONGEST_PAUSE_MILLIS), signal).catch(() => {})
    }
  }

  /** Ends pauses between attempts. */
  stopWaiting(): void {
    this.#closing.abort()
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    this.stopWaiting()
    await this.#agent.destroy()
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

/** What the properties say of a webhook. */
export interface WebhookSettings {
  readonly url: string | undefined
  /** The secret, or its name in the private key store. */
  readonly secret: string | undefined
  readonly keyGroup: string | undefined
  readonly caFile: string | undefined
  readonly timeoutMillis: number
  readonly retries: number
}

/**
 * What a webhook is made with, from properties that begin with `prefix` (`…_url`, `…_ca_file`).
 * @throws ConfigError when the URL is missing or not encrypted, or a file or secret cannot be read
 */
export async function webhookOptions(
  { url: text, secret: secretName, keyGroup, caFile, timeoutMillis, retries }: WebhookSettings,
  parts: {
    readonly prefix: string
    /** Application under which the private key store has the secret. */
    readonly appName: string
    readonly privateKeyStore: PrivateKeyStore
    readonly log: Logger
  },
): Promise<WebhookOptions> {
  const { prefix, appName, privateKeyStore, log } = parts
  if (text === undefined) {
    throw new ConfigError([`${prefix}_url: not set (give the URL that messages are posted to)`])
  }
  const url = new URL(text)
  if (url.protocol !== 'https:' && !isThisMachine(url.hostname)) {
    // Paths of receivers are often as secret as passwords.
    throw new ConfigError([`${prefix}_url: ${url.origin}/… is not encrypted (write https://…)`])
  }
  const secret =
    secretName === undefined ? undefined : await privateKeyStore.applicationSecret(appName, keyGroup, secretName)
  const ca = caFile === undefined ? undefined : await readAuthorities(`${prefix}_ca_file`, caFile)
  return {
    url,
    ...(secret !== undefined && { secret }),
    ...(ca !== undefined && { ca }),
    timeoutMillis,
    retries,
    log,
    now: Date.now,
  }
}
