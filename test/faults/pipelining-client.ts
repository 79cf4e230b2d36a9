import { once } from 'node:events'
import tls from 'node:tls'

/** What a client has seen of its connection. */
export interface ConnectionStory {
  /** Requests that were sent. */
  readonly sent: number
  /** Statuses of the answers, in order. */
  readonly statuses: readonly number[]
  /** Whether the last answer said that the connection ends. */
  readonly toldOfEnd: boolean
  /** Whether it ended by the other end, properly. */
  readonly ended: boolean
  /** Bytes behind the last whole answer. */
  readonly leftBytes: number
}

/** A connection on which requests are sent without waiting for answers, as HTTP/1.1 allows it. */
export class PipeliningClient {
  readonly #socket: tls.TLSSocket
  #bytes = Buffer.alloc(0)
  #sent = 0
  readonly #statuses: number[] = []
  #toldOfEnd = false
  #ended = false
  #onAnswer: (() => void) | undefined
  /** Entity tag of the last answer. */
  etag = ''
  /** Its body. */
  body = ''
  readonly closed: Promise<unknown>

  private constructor(socket: tls.TLSSocket) {
    this.#socket = socket
    this.closed = once(socket, 'close').catch(() => undefined)
    socket.on('error', () => {})
    socket.on('end', () => (this.#ended = true))
    socket.on('close', () => this.#onAnswer?.())
    socket.on('data', (data: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, data])
      while (this.#takeAnswer()) this.#onAnswer?.()
    })
  }

  /** Connects, with a client certificate; `localAddress` is who it comes from. */
  static async connect(options: tls.ConnectionOptions & { readonly localAddress?: string }): Promise<PipeliningClient> {
    const socket = tls.connect({ ...options, servername: 'localhost' })
    await once(socket, 'secureConnect')
    return new PipeliningClient(socket)
  }

  /** Whether more may be sent. */
  get isOpen(): boolean {
    return !this.#toldOfEnd && !this.#ended && this.#socket.writable
  }

  get story(): ConnectionStory {
    return {
      sent: this.#sent,
      statuses: this.#statuses,
      toldOfEnd: this.#toldOfEnd,
      ended: this.#ended,
      leftBytes: this.#bytes.length,
    }
  }

  /** Sends requests in one piece. */
  send(requests: readonly string[]): void {
    this.#sent += requests.length
    this.#socket.write(requests.join(''))
  }

  /** Resolves when all that was sent is answered, or the connection is over. */
  async settled(): Promise<void> {
    while (this.#statuses.length < this.#sent && !this.#socket.closed) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#onAnswer = resolve
      await promise
    }
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #takeAnswer(): boolean {
    const headEnd = this.#bytes.indexOf('\r\n\r\n')
    if (headEnd === -1) return false
    const head = this.#bytes.toString('latin1', 0, headEnd).toLowerCase()
    this.etag = /\r\netag: ([^\r]+)/i.exec(this.#bytes.toString('latin1', 0, headEnd))?.[1] ?? this.etag
    const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0)
    const end = headEnd + 4 + length
    if (this.#bytes.length < end) return false
    this.body = this.#bytes.toString('utf8', headEnd + 4, end)
    this.#bytes = this.#bytes.subarray(end)
    this.#statuses.push(Number(head.slice(9, 12)))
    if (head.includes('\r\nconnection: close')) this.#toldOfEnd = true
    return true
  }
}

/** The text of a request without a body, or with a JSON one. */
export function requestText(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body = '') {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const content = body === '' ? '' : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}${content}\r\n${body}`
}
