import { connect, type TLSSocket } from 'node:tls'
import { Agent, type buildConnector, errors } from 'undici'
import { messageOf } from '#core/error/message-of.ts'
import { boundedText } from '#core/http/bounded-body.ts'
import type { TlsOffer } from '#core/http/tls-offer.ts'
import type { TlsSource } from '#core/http/tls-source.ts'

/** How a remote signer is reached. */
export interface SignerConnectionOptions {
  readonly tls: Pick<TlsSource, 'material' | 'onChange'>
  readonly offer: TlsOffer
  /** For the answer, from the sending of the request on. */
  readonly requestTimeoutMillis: number
  /** For TCP. */
  readonly connectTimeoutMillis: number
  /** For TLS, after that. */
  readonly handshakeTimeoutMillis: number
  readonly connections: number
  /** Connections that are older get no more requests. */
  readonly connectionLifeMillis: number
}

/** What the signer answered. */
export interface SignerAnswer {
  readonly status: number
  readonly body: string
}

/** No connection came about, so that the signer cannot have seen the request. */
export class ConnectFailure extends Error {}

/** A certificate with its chain; a longer answer is none. */
const ANSWER_MAX_BYTES = 1_048_576

/** Connections to a remote signer with mutual TLS. New key material is for new connections. */
export class SignerConnection {
  readonly #options: SignerConnectionOptions
  #agent: Agent

  constructor(options: SignerConnectionOptions) {
    this.#options = options
    this.#agent = this.#open()
    options.tls.onChange(() => {
      const previous = this.#agent
      this.#agent = this.#open()
      void previous.close()
    })
  }

  /** Sends JSON, or asks when there is none. Rejects with {@link ConnectFailure} or another Error. */
  async ask(url: URL, json?: object): Promise<SignerAnswer> {
    try {
      const { statusCode, body } = await this.#agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: json === undefined ? 'GET' : 'POST',
        headers: { accept: 'application/json', ...(json && { 'content-type': 'application/json' }) },
        ...(json && { body: JSON.stringify(json) }),
        signal: AbortSignal.timeout(this.#options.requestTimeoutMillis),
      })
      return { status: statusCode, body: await boundedText(body, ANSWER_MAX_BYTES) }
    } catch (cause) {
      if (isConnectFailure(cause)) throw new ConnectFailure(`no connection to ${url.host}: ${cause.message}`, { cause })
      throw new Error(`no answer from ${url.host}: ${messageOf(cause)}`, {
        cause,
      })
    }
  }

  /** Ends all connections; requests under way fail. */
  close(): Promise<void> {
    return this.#agent.destroy()
  }

  #open(): Agent {
    const { connections, connectionLifeMillis } = this.#options
    return new Agent({
      connections,
      clientTtl: connectionLifeMillis,
      // Its own time-outs start again with every piece, so that a trickle would never end: each request has one for all.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (target, callback) => this.#connect(target, callback),
    })
  }

  #connect({ hostname, port, servername }: buildConnector.Options, callback: buildConnector.Callback): void {
    const { tls, offer, connectTimeoutMillis, handshakeTimeoutMillis } = this.#options
    const { key, cert, ca } = tls.material
    const socket: TLSSocket = connect({
      host: hostname,
      port: Number(port) || 443,
      servername: servername ?? hostname,
      key,
      cert,
      ALPNProtocols: ['http/1.1'],
      ...offer,
      ...(ca && { ca: [...ca] }),
    })
    let timer = setTimeout(() => socket.destroy(new Failure('the connection takes too long')), connectTimeoutMillis)
    const failed = (cause: Error) => {
      clearTimeout(timer)
      callback(cause instanceof Failure ? cause : new Failure(cause.message, { cause }), null)
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      timer = setTimeout(() => socket.destroy(new Failure('the TLS handshake takes too long')), handshakeTimeoutMillis)
    })
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      callback(null, socket)
    })
  }
}

/** Marks errors from before there was a connection. */
class Failure extends Error {}

const isConnectFailure = (cause: unknown): cause is Error =>
  cause instanceof Failure || cause instanceof errors.ConnectTimeoutError
