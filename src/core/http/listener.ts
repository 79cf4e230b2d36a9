import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type https from 'node:https'
import { type AddressInfo, Server, type Socket } from 'node:net'
import type { Logger } from '../log/logger.ts'
import { connectionOf } from './connection.ts'
import { guardConnections } from './connection-guard.ts'
import type { HttpLimits } from './limits.ts'
import { createServer } from './node-http.ts'
import { createProxyFront } from './proxy-protocol.ts'
import { createSecureServer, type PortTls } from './secure-server.ts'

/** One port of a server. */
export interface PortOptions {
  /** 0: one that is free. */
  readonly port: number
  /** Address to listen on; all when absent. */
  readonly host?: string
  /** Plain HTTP when absent. */
  readonly tls?: PortTls
  /** Connections begin with the PROXY protocol header of a load balancer, version 1 or 2. */
  readonly proxyProtocol?: boolean
  /** Whether this port serves a request; others get 404. Everything when absent. */
  readonly serves?: (method: string, path: string) => boolean
}

/** What a port needs of its server. */
export interface ListenerContext {
  readonly limits: HttpLimits
  readonly log: Logger
  /** Header lines of every answer, each with its line end. */
  readonly headerLines: string
  readonly onRequest: (request: IncomingMessage, response: ServerResponse, port: PortOptions) => void
  /** Whether a connection of an address is taken; all are when absent. */
  readonly admits?: ((address: string | undefined, port: PortOptions) => boolean) | undefined
}

/** A port that takes connections, and their end. */
export class Listener {
  readonly #port: PortOptions
  readonly #server: HttpServer | https.Server
  /** Takes the connections: the server itself, or what reads their PROXY header first. */
  readonly #front: Server
  readonly #sockets = new Set<Socket>()
  readonly #idleLingerMillis: number
  #closing = false

  constructor(port: PortOptions, context: ListenerContext) {
    const { limits, log, headerLines, onRequest, admits } = context
    this.#port = port
    this.#idleLingerMillis = limits.idleLingerMillis
    const options = httpOptions(limits)
    this.#server = port.tls
      ? createSecureServer(options, port.tls, limits.handshakeTimeoutMillis, log)
      : createServer(options)
    if (admits) refuseConnections(this.#server, (address) => admits(address, port))
    guardConnections(this.#server, { idleTimeoutMillis: limits.idleTimeoutMillis, headerLines, log })
    this.#server.on('connection', (socket: Socket) => this.#track(socket))
    if (port.tls) this.#server.on('secureConnection', (socket: Socket) => this.#track(socket))
    port.tls?.source.onChange(() => this.#retireConnections())
    this.#server.on('request', (request, response) => onRequest(request, response, port))
    this.#front = port.proxyProtocol
      ? createProxyFront(this.#server, { timeoutMillis: limits.headersTimeoutMillis, log })
      : this.#server
  }

  /** Starts to listen; gives the address. */
  listen(): Promise<AddressInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>()
    const { port, host } = this.#port
    this.#front.once('error', reject)
    this.#front.listen({ port, ...(host !== undefined && { host }) }, () => {
      this.#front.off('error', reject)
      resolve(this.#front.address() as AddressInfo)
    })
    return promise
  }

  /**
   * Takes no more connections, ends those that are there after their last answer, idle ones after the time for requests
   * that are on their way, and resolves when the last one has ended.
   */
  async close(): Promise<void> {
    this.#closing = true
    this.#retireConnections()
    const { promise, resolve } = Promise.withResolvers<void>()
    // The way of HTTP servers would end idle connections at once.
    Server.prototype.close.call(this.#front, () => resolve())
    let silent = this.#silentSockets()
    const endIdle = () => {
      this.#server.closeIdleConnections()
      // For Node a connection is busy until it has had its first request.
      for (const socket of silent) if (socket.bytesRead === 0) socket.destroy()
      silent = this.#silentSockets()
    }
    // Timers come before what has arrived meanwhile is read: under load that may be the request of a connection.
    const idle = setInterval(() => setImmediate(endIdle), Math.max(1, this.#idleLingerMillis))
    if (this.#idleLingerMillis === 0) endIdle()
    await promise
    clearInterval(idle)
    // Ends its look at the time limits of requests, too.
    this.#server.close(() => {})
  }

  /** Cuts all connections. */
  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Those that have not sent a byte: none at all, or none since their handshake. */
  #silentSockets(): Socket[] {
    return [...this.#sockets].filter(({ bytesRead }) => bytesRead === 0)
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    // A handshake may come to its end after the port was closed.
    if (this.#closing) connectionOf(socket).retiring = true
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Lets every connection end after its next answer. */
  #retireConnections(): void {
    for (const socket of this.#sockets) connectionOf(socket).retiring = true
  }
}

/** Cuts connections that are not admitted before the server, and TLS in it, has any work with them. */
function refuseConnections(server: Server, admits: (address: string | undefined) => boolean): void {
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (!admits(socket.remoteAddress)) {
      socket.destroy()
      return
    }
    for (const listener of listeners) listener.call(server, socket)
  })
}

function httpOptions(limits: HttpLimits): https.ServerOptions {
  const { headerBytes, headersTimeoutMillis, requestTimeoutMillis, checkIntervalMillis } = limits
  return {
    maxHeaderSize: headerBytes,
    headersTimeout: Math.min(headersTimeoutMillis, requestTimeoutMillis),
    requestTimeout: requestTimeoutMillis,
    // Idle connections are ended by the time limit of the socket, which is set once; this one would be set and unset anew
    // with every request.
    keepAliveTimeout: 0,
    // Streams that have nothing to say are made to end by three more turns of the event loop.
    optimizeEmptyRequests: true,
    connectionsCheckingInterval: checkIntervalMillis,
    // A missing Host header is answered by us, in JSON.
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
  }
}
