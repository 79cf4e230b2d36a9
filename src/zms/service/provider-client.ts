import { setTimeout as wait } from 'node:timers/promises'
import { Agent } from 'undici'
import type { TlsMaterial } from '#core/http/tls-material.ts'
import type { TlsSource } from '#core/http/tls-source.ts'
import type { Logger } from '#core/log/logger.ts'

/** What a provider is asked before an object that may use its service is deleted. */
export interface DependencyQuestion {
  readonly operation: 'delete'
  readonly domainName: string
  readonly objectType: 'domain'
  readonly objectName: string
  /** Who wants to delete it. */
  readonly principal: string
  /** The provider that is asked. */
  readonly provider: string
}

/** What a provider says, or what is assumed when it says nothing of use. */
export interface DependencyAnswer {
  readonly allowed: boolean
  /** Why not, for the client. */
  readonly message?: string
}

/** Asks providers. Never rejects: whatever goes wrong is a refusal. */
export interface ProviderClient {
  ask(url: URL, question: DependencyQuestion): Promise<DependencyAnswer>
  close(): Promise<void>
}

/** Times and limits of a client. */
export interface ProviderClientLimits {
  readonly connectionsPerProvider: number
  readonly connections: number
  readonly retries: number
  readonly retryIntervalMillis: number
  readonly connectTimeoutMillis: number
  readonly readTimeoutMillis: number
}

const BODY_MAX_BYTES = 65_536
const MESSAGE_MAX_LENGTH = 1000
const UNAVAILABLE = 503

/** What was wrong with an answer or with getting one; `again` tells whether another try may help. */
class Failure extends Error {
  readonly again: boolean

  constructor(message: string, again: boolean, options?: ErrorOptions) {
    super(message, options)
    this.again = again
  }
}

/** Asks over HTTPS with a client certificate, which is taken anew when its files change. */
export class HttpsProviderClient implements ProviderClient {
  readonly #tls: TlsSource
  readonly #limits: ProviderClientLimits
  readonly #log: Logger
  readonly #slots: Slots
  #agent: Agent

  constructor(options: { tls: TlsSource; limits: ProviderClientLimits; log: Logger }) {
    this.#tls = options.tls
    this.#limits = options.limits
    this.#log = options.log
    this.#slots = new Slots(options.limits.connections)
    this.#agent = this.#newAgent(options.tls.material)
    options.tls.onChange((material) => {
      const former = this.#agent
      this.#agent = this.#newAgent(material)
      void former.close()
    })
  }

  async ask(url: URL, question: DependencyQuestion): Promise<DependencyAnswer> {
    for (let retries = this.#limits.retries; ; retries--) {
      try {
        return await this.#slots.use(() => this.#askOnce(url, question))
      } catch (error) {
        const failure =
          error instanceof Failure ? error : new Failure('the provider cannot be reached', true, { cause: error })
        this.#log.warn({ err: failure, url: url.href, provider: question.provider }, 'a provider gave no answer')
        if (!failure.again || retries <= 0) return { allowed: false, message: failure.message }
      }
      await wait(this.#limits.retryIntervalMillis)
    }
  }

  async close(): Promise<void> {
    this.#tls.close()
    await this.#agent.close()
  }

  async #askOnce(url: URL, question: DependencyQuestion): Promise<DependencyAnswer> {
    const { statusCode, body } = await this.#agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(question),
    })
    const text = await bodyText(body)
    if (statusCode >= 300)
      throw new Failure(`the provider answered with status ${statusCode}`, statusCode === UNAVAILABLE)
    return answerOf(text)
  }

  #newAgent({ key, cert, ca }: TlsMaterial): Agent {
    const { connectionsPerProvider, connectTimeoutMillis, readTimeoutMillis } = this.#limits
    return new Agent({
      connections: connectionsPerProvider,
      headersTimeout: readTimeoutMillis,
      bodyTimeout: readTimeoutMillis,
      connect: { key, cert, timeout: connectTimeoutMillis, ...(ca && { ca: [...ca] }) },
    })
  }
}

async function bodyText(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    // Leaving the loop destroys the stream and its connection.
    if (size > BODY_MAX_BYTES) throw new Failure('the answer of the provider is too long', false)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** Only the word `allow` allows. */
function answerOf(text: string): DependencyAnswer {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Failure('the answer of the provider is no JSON', false, { cause })
  }
  const { status, message } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (status === 'allow') return { allowed: true }
  const given = typeof message === 'string' ? message.slice(0, MESSAGE_MAX_LENGTH) : ''
  return { allowed: false, ...(given !== '' && { message: given }) }
}

/** So many may work at the same time; others wait in the order they came. */
class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
