import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { readJsonWebKeySet } from '#core/crypto/json-web-keys.ts'
import { messageOf } from '#core/error/message-of.ts'
import { JsonClient, type JsonClientTls } from '#core/http/json-client.ts'
import type { Clock } from '#core/seam/clock.ts'
import type { ZpeLog } from './policy-folder.ts'

/** Where the keys of ZTS are published, and who asks for them. */
export interface RemoteKeySetOptions {
  /** `https://HOST/zts/v1/oauth2/keys?rfc=true`. */
  readonly url: URL
  readonly proxyUrl: string | undefined
  /** Files of the client's certificate and key, and of the authorities that vouch for ZTS; read for each question. */
  readonly certificateFile: string | undefined
  readonly keyFile: string | undefined
  readonly authoritiesFile: string | undefined
  /** Least time between two questions that were answered. */
  readonly coolDownMillis: number
  readonly clock: Clock
  readonly log: ZpeLog
}

const TIMEOUT_MILLIS = 10_000
/** Least time between two questions after one that was not answered. */
const RETRY_MILLIS = 10_000

/**
 * The keys of ZTS as it publishes them: read when a key id is not known, at most once in a while, whatever ids are asked
 * for. What was read last stays in use while ZTS cannot be reached.
 */
export class RemoteKeySet {
  readonly #options: RemoteKeySetOptions
  #keys: ReadonlyMap<string, KeyObject> = new Map()
  #readyAt = Number.NEGATIVE_INFINITY
  #askedAt = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined
  readonly #closing = new AbortController()

  constructor(options: RemoteKeySetOptions) {
    this.#options = options
  }

  /** The key of that id as far as it is known. */
  known(keyId: string): KeyObject | undefined {
    return this.#keys.get(keyId)
  }

  /** Asks for the keys unless it was done a moment ago; one question for all who wait. Never rejects. */
  refresh(): Promise<void> {
    const { clock } = this.#options
    const now = clock()
    // A clock that was set back must not stop the questions.
    const isTooEarly = now >= this.#askedAt && now < this.#readyAt
    if (this.#asking === undefined && (isTooEarly || this.#closing.signal.aborted)) return Promise.resolve()
    this.#asking ??= this.#ask(now).finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  close(): void {
    this.#closing.abort()
  }

  async #ask(now: number): Promise<void> {
    const { url, coolDownMillis, log } = this.#options
    this.#askedAt = now
    try {
      this.#keys = await this.#read()
      this.#readyAt = now + coolDownMillis
    } catch (error) {
      this.#readyAt = now + Math.min(RETRY_MILLIS, coolDownMillis)
      log('warn', `keys of ZTS are not read, those known stay in use: ${url.href}: ${messageOf(error)}`)
    }
  }

  async #read(): Promise<ReadonlyMap<string, KeyObject>> {
    const { url, proxyUrl } = this.#options
    const timeouts = { connectTimeoutMillis: TIMEOUT_MILLIS, readTimeoutMillis: TIMEOUT_MILLIS }
    // Files may have been renewed since the last question, and questions are rare.
    const client = new JsonClient({ ...timeouts, proxyUrl, connections: 1, tls: await this.#tls() })
    const stop = () => void client.close()
    this.#closing.signal.addEventListener('abort', stop)
    try {
      const { status, value } = await client.ask(url)
      if (status !== 200) throw new Error(`the answer has status ${status}`)
      const keys = readJsonWebKeySet(value)
      if (keys === undefined) throw new Error('the answer is no key set')
      return new Map(keys.flatMap(({ keyId, key }) => (keyId === undefined ? [] : [[keyId, key] as const])))
    } finally {
      this.#closing.signal.removeEventListener('abort', stop)
      await client.close()
    }
  }

  async #tls(): Promise<JsonClientTls> {
    const { certificateFile, keyFile, authoritiesFile } = this.#options
    return { cert: await textOf(certificateFile), key: await textOf(keyFile), ca: await textOf(authoritiesFile) }
  }
}

const textOf = async (file: string | undefined): Promise<string | undefined> =>
  file === undefined ? undefined : await readFile(file, 'utf8')
