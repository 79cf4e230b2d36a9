import type { CallArguments } from '#client/api-client.ts'
import { AthenzClientError } from '#client/client-error.ts'
import type { OperationResult } from '#client/operation.ts'
import type { ZmsClient } from '#client/zms-client.ts'
import { zmsEndpoints } from '#zms/api/index.ts'

type Operations = typeof zmsEndpoints

/** ZMS as a page sees it: called in the name of the person. */
export interface Zms {
  /** As `ZmsClient.call`. */
  call<K extends keyof Operations>(
    operation: K,
    ...args: CallArguments<Operations[K]>
  ): Promise<OperationResult<Operations[K]>>
  /** The same; undefined when ZMS answers that there is no such thing (404). */
  find<K extends keyof Operations>(
    operation: K,
    ...args: CallArguments<Operations[K]>
  ): Promise<OperationResult<Operations[K]> | undefined>
}

/** What ZMS was asked before it refused. */
export interface DeniedAccess {
  readonly action: string
  readonly resource: string
}

/** The calls of one request of a browser. They are counted, and what they were refused is remembered. */
export class ZmsCalls implements Zms {
  readonly #client: ZmsClient
  readonly #headers: () => Promise<Readonly<Record<string, string>>>
  readonly #signal: AbortSignal
  readonly #denied = new WeakMap<AthenzClientError, DeniedAccess>()
  /** Calls made so far. */
  count = 0
  /** Time during which at least one call was under way. */
  millis = 0
  #underWay = 0
  #beganMillis = 0

  constructor(client: ZmsClient, headers: () => Promise<Readonly<Record<string, string>>>, signal: AbortSignal) {
    this.#client = client
    this.#headers = headers
    this.#signal = signal
  }

  async call<K extends keyof Operations>(
    operation: K,
    ...[request, options]: CallArguments<Operations[K]>
  ): Promise<OperationResult<Operations[K]>> {
    this.count++
    if (this.#underWay++ === 0) this.#beganMillis = performance.now()
    try {
      const headers = { ...(await this.#headers()), ...options?.headers }
      const together = { signal: this.#signal, ...options, headers }
      return await this.#client.call(operation, ...([request, together] as CallArguments<Operations[K]>))
    } catch (error) {
      if (error instanceof AthenzClientError && error.status === 403) this.#remember(error, operation, request)
      throw error
    } finally {
      if (--this.#underWay === 0) this.millis += performance.now() - this.#beganMillis
    }
  }

  async find<K extends keyof Operations>(
    operation: K,
    ...args: CallArguments<Operations[K]>
  ): Promise<OperationResult<Operations[K]> | undefined> {
    try {
      return await this.call(operation, ...args)
    } catch (error) {
      if (error instanceof AthenzClientError && error.status === 404) return undefined
      throw error
    }
  }

  /** What a refusal (403) was about, by the rule that the operation declares; undefined where a handler decides. */
  denied(error: AthenzClientError): DeniedAccess | undefined {
    return this.#denied.get(error)
  }

  #remember(error: AthenzClientError, operation: keyof Operations, request: unknown): void {
    const { access } = zmsEndpoints[operation]
    if (access.kind !== 'authorize') return
    const values = new Map(Object.entries(request ?? {}))
    const resource = access.resource.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value: unknown = values.get(name)
      return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
    })
    this.#denied.set(error, { action: access.action, resource: resource.toLowerCase() })
  }
}
