import { messageOf } from '../error/message-of.ts'
import { type ErrorCode, ServiceError } from '../error/service-error.ts'
import type { MessagePort } from './message-port.ts'

/** What a process lets the other one call, by name. */
export type Methods = Readonly<Record<string, (...args: never[]) => unknown>>

/** What crosses the channel. */
type Message =
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'notice'; readonly topic: string; readonly value: unknown }

/** An error as it crosses the channel; a `ServiceError` is one again on the other side. */
interface Failure {
  readonly message: string
  readonly code?: ErrorCode | undefined
  readonly detail?: string | undefined
  readonly headers?: ServiceError['headers']
}

interface PendingCall {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/**
 * Calls of methods and notices between two processes. What one side sends arrives in order: a notice that was sent before a
 * call was answered is there before its answer. Arguments and results are those that structured clone takes.
 */
export class Calls {
  readonly #port: MessagePort
  readonly #methods = new Map<string, (...args: never[]) => unknown>()
  readonly #listeners = new Map<string, ((value: never) => void)[]>()
  readonly #pending = new Map<number, PendingCall>()
  #lastId = 0
  #closed = false

  constructor(port: MessagePort) {
    this.#port = port
    port.onMessage((message) => this.#receive(message as Message))
    port.onClose(() => this.#close())
  }

  /** Calls a method of the other process. Rejects with its error, and with `unavailable` when that process has ended. */
  call<T>(method: string, ...args: readonly unknown[]): Promise<T> {
    if (this.#closed) return Promise.reject(gone())
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending.set(id, { resolve, reject })
    this.#port.send({ type: 'call', id, method, args } satisfies Message)
    return promise as Promise<T>
  }

  /** Lets the other process call methods, as `SERVICE.METHOD`. */
  serve(service: string, methods: Methods): void {
    for (const [name, method] of Object.entries(methods)) this.#methods.set(`${service}.${name}`, method)
  }

  /** Tells the other process something, without an answer. */
  notify(topic: string, value?: unknown): void {
    this.#port.send({ type: 'notice', topic, value } satisfies Message)
  }

  /** Calls `listener` with what the other process tells about a topic. */
  on(topic: string, listener: (value: never) => void): void {
    const listeners = this.#listeners.get(topic) ?? []
    this.#listeners.set(topic, listeners)
    listeners.push(listener)
  }

  /** Calls `listener` when the other process has ended. */
  onClose(listener: () => void): void {
    this.#port.onClose(listener)
  }

  #receive(message: Message): void {
    switch (message.type) {
      case 'call':
        void this.#answer(message)
        return
      case 'result':
        this.#take(message.id)?.resolve(message.value)
        return
      case 'failure':
        this.#take(message.id)?.reject(errorOf(message.failure))
        return
      case 'notice':
        for (const listener of this.#listeners.get(message.topic) ?? []) listener(message.value as never)
        return
      default:
      // Others may use the channel, too.
    }
  }

  async #answer({ id, method, args }: Message & { type: 'call' }): Promise<void> {
    const called = this.#methods.get(method)
    try {
      if (!called) throw new Error(`${method} is not served`)
      const value = await called(...(args as never[]))
      this.#port.send({ type: 'result', id, value } satisfies Message)
    } catch (error) {
      this.#port.send({ type: 'failure', id, failure: failureOf(error) } satisfies Message)
    }
  }

  #take(id: number): PendingCall | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #close(): void {
    this.#closed = true
    for (const { reject } of this.#pending.values()) reject(gone())
    this.#pending.clear()
  }
}

/** The methods of an object in the other process, of which all give promises. */
export function remote<T extends object>(
  calls: Pick<Calls, 'call'>,
  service: string,
  methods: readonly (keyof T & string)[],
): T {
  return Object.fromEntries(
    methods.map((name) => [name, (...args: unknown[]) => calls.call(`${service}.${name}`, ...args)]),
  ) as T
}

/** Methods of an object, to be served. */
export function methodsOf<T extends object>(object: T, names: readonly (keyof T & string)[]): Methods {
  return Object.fromEntries(
    names.flatMap((name) => {
      const method: unknown = object[name]
      return typeof method === 'function' ? [[name, (...args: never[]): unknown => method.apply(object, args)]] : []
    }),
  )
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof ServiceError)) return { message: messageOf(error) }
  const { message, code, headers } = error
  return {
    message,
    code,
    headers,
    detail: error.detail ?? (error.cause === undefined ? undefined : messageOf(error.cause)),
  }
}

const errorOf = ({ message, code, detail, headers }: Failure): Error =>
  code === undefined
    ? new Error(message)
    : new ServiceError(code, message, { ...(detail !== undefined && { detail }), ...(headers && { headers }) })

const gone = (): ServiceError =>
  new ServiceError('unavailable', 'The server is not available', { detail: 'another process of this server has ended' })
