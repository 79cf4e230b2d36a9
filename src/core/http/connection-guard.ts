import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from '../log/logger.ts'
import { connectionOf } from './connection.ts'
import { errorBody, statusText } from './errors.ts'
import { STATUS_CODES } from './node-http.ts'

/** What the guard needs of its server. */
export interface GuardOptions {
  readonly idleTimeoutMillis: number
  /** Header lines of every answer, each with its line end. */
  readonly headerLines: string
  readonly log: Logger
}

/** An error of the HTTP parser or of a time limit. */
interface ConnectionError {
  readonly code?: string
  readonly rawPacket?: Buffer
  /** How much of the packet was good. */
  readonly bytesParsed?: number
}

/** For a client to read the answer to a broken request before its connection is cut. */
const LINGER_MILLIS = 1000
const LOOKS_LIKE_A_METHOD = /^[A-Z][A-Z-]{1,30} /

const STATUS_OF_CODE: ReadonlyMap<string, number> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
])

/** Errors after which nobody is there to read an answer, or nobody who could. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT', 'ERR_TLS_HANDSHAKE_TIMEOUT'])

/**
 * Answers what is no proper request (JSON, then the connection ends) and ends connections without traffic. A connection
 * whose request is complete and waits for its handler is left alone, however long that takes.
 */
export function guardConnections(server: Server, options: GuardOptions): void {
  // The number of headers is checked by the server: Node would drop those beyond its limit without a word.
  server.maxHeadersCount = 0
  server.setTimeout(options.idleTimeoutMillis, (socket: Socket) => {
    if (isWaitingForHandler(socket)) return
    refuse(socket, { code: 'ERR_HTTP_REQUEST_TIMEOUT' }, options)
  })
  server.on('clientError', (error: ConnectionError, socket: Socket) => refuse(socket, error, options))
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    answerAndEnd(socket, 405, options)
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    request.resume()
    const body = errorBody(417, statusText(417))
    response.writeHead(417, { connection: 'close', 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  })
}

/** Whether a complete request is still to be answered. */
function isWaitingForHandler(socket: Socket): boolean {
  const { pending, latest } = connectionOf(socket)
  return pending > 0 && (latest === undefined || latest.request.complete)
}

function refuse(socket: Socket, error: ConnectionError, options: GuardOptions): void {
  // Nobody is told, and TLS may have nothing left to ask: Node would end the process.
  if (socket.destroyed) return
  const { pending, latest, served, refused } = connectionOf(socket)
  // What a client goes on sending fails again and again: it has been told.
  if (refused) return
  const code = error.code ?? ''
  // What follows is no request of its own while one waits for its answer, or had it before it was complete.
  const entangled = isWaitingForHandler(socket) || (pending === 0 && latest?.request.complete === false)
  const merelyIdle = code === 'ERR_HTTP_REQUEST_TIMEOUT' && pending === 0 && served
  if (!socket.writable || GONE.has(code) || entangled || merelyIdle) {
    socket.destroy()
    return
  }
  latest?.abandon()
  answerAndEnd(socket, statusOf(error), options, code)
}

function statusOf({ code = '', rawPacket = Buffer.alloc(0), bytesParsed = 0 }: ConnectionError): number {
  if (code !== 'HPE_INVALID_METHOD') return STATUS_OF_CODE.get(code) ?? 400
  // Requests before it may have come in the same packet.
  const start = rawPacket.lastIndexOf('\n', bytesParsed) + 1
  return LOOKS_LIKE_A_METHOD.test(rawPacket.toString('latin1', start, start + 40)) ? 405 : 400
}

function answerAndEnd(socket: Socket, status: number, { headerLines, log }: GuardOptions, code?: string): void {
  const connection = connectionOf(socket)
  connection.refused = true
  log.info({ peerAddress: connection.peerAddress, status, code }, 'malformed request')
  const body = errorBody(status, statusText(status))
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headerLines}content-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\ndate: ${new Date().toUTCString()}\r\nconnection: close\r\n\r\n${body}`,
  )
  setTimeout(() => socket.destroy(), LINGER_MILLIS).unref()
}
