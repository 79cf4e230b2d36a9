import { createServer, isIP, type Server, type Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { Logger } from '../log/logger.ts'

const V1_MAX_LENGTH = 107
const V2_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const V2_HEAD_LENGTH = 16
const V2_COMMAND_PROXY = 0x21
const V2_COMMAND_LOCAL = 0x20
const V2_IPV4 = 0x1
const V2_IPV6 = 0x2
/** Longest version 2 header with the addresses and what else load balancers append. */
const V2_MAX_LENGTH = 4096

/** What the beginning of a connection says: nothing yet, nonsense, or a header and where it ends. */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid' }
  /** `address` is that of the client; undefined when the load balancer speaks for itself. */
  | { readonly kind: 'header'; readonly length: number; readonly address: string | undefined }

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' }
const INVALID: ProxyHeader = { kind: 'invalid' }

/** How the front of a server treats new connections. */
export interface ProxyFrontOptions {
  /** A connection without a good header within this time is cut: anybody could claim anything. */
  readonly timeoutMillis: number
  readonly log: Logger
}

/**
 * Takes the connections of `server`: reads the PROXY protocol header (versions 1 and 2) of each and hands it on under the
 * address of the client. Closing it closes `server`.
 */
export function createProxyFront(server: Server, { timeoutMillis, log }: ProxyFrontOptions): Server {
  // The TLS socket above a connection asks the operating system, which knows the load balancer only.
  const clients = new Map<string, string>()
  server.prependListener('secureConnection', (socket: Socket) => {
    const address = clients.get(endOf(socket))
    if (address !== undefined) rename(socket, address)
  })
  const handOver = (socket: Socket, address: string | undefined): void => {
    const end = endOf(socket)
    if (address !== undefined) {
      clients.set(end, address)
      socket.once('close', () => clients.delete(end))
      rename(socket, address)
    }
    server.emit('connection', socket)
    // TLS fetches what was left in the socket by itself.
    if (!(server instanceof TlsServer)) socket.resume()
  }
  const front = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    readHeader(socket, timeoutMillis, (reason, address) => {
      if (reason === undefined) return handOver(socket, address)
      log.warn({ peerAddress: socket.remoteAddress, reason }, 'connection without PROXY header')
      socket.destroy()
    })
  })
  // The server behind it starts its time limits when it listens, and stops them when it closes.
  front.on('listening', () => server.emit('listening'))
  front.on('close', () => server.close(() => {}))
  return front
}

/** The other end of a connection: unique among those of one port. */
const endOf = (socket: Socket): string => `${socket.remoteAddress}/${socket.remotePort}`

const rename = (socket: Socket, address: string): void => {
  Object.defineProperty(socket, 'remoteAddress', { value: address, configurable: true })
}

/** Reads up to the end of the header; what follows stays in the socket. */
function readHeader(
  socket: Socket,
  timeoutMillis: number,
  done: (reason: string | undefined, address?: string) => void,
): void {
  let received: Buffer = Buffer.alloc(0)
  const finish = (reason: string | undefined, address?: string): void => {
    clearTimeout(timer)
    socket.off('data', onData)
    socket.off('error', onEnd)
    socket.off('close', onEnd)
    done(reason, address)
  }
  const onEnd = (): void => finish('connection lost')
  const onData = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk])
    const header = parseProxyHeader(received)
    if (header.kind === 'incomplete') return
    if (header.kind === 'invalid') return finish('malformed')
    socket.pause()
    if (header.length < received.length) socket.unshift(received.subarray(header.length))
    finish(undefined, header.address)
  }
  const timer = setTimeout(() => finish('timeout'), timeoutMillis)
  socket.on('data', onData)
  socket.on('error', onEnd)
  socket.on('close', onEnd)
}

/** Reads the header at the start of `bytes` (HAProxy's specification, versions 1 and 2). */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  const common = Math.min(bytes.length, V2_SIGNATURE.length)
  if (bytes.subarray(0, common).equals(V2_SIGNATURE.subarray(0, common))) {
    return bytes.length < V2_HEAD_LENGTH ? INCOMPLETE : parseVersion2(bytes)
  }
  return parseVersion1(bytes)
}

function parseVersion1(bytes: Buffer): ProxyHeader {
  const end = bytes.indexOf('\r\n')
  if (end === -1 || end + 2 > V1_MAX_LENGTH) {
    const prefix = 'PROXY '.slice(0, bytes.length)
    return end === -1 && bytes.length < V1_MAX_LENGTH && bytes.toString('latin1', 0, 6).startsWith(prefix)
      ? INCOMPLETE
      : INVALID
  }
  const [mark, family, source, ...rest] = bytes.toString('latin1', 0, end).split(' ')
  if (mark !== 'PROXY') return INVALID
  if (family === 'UNKNOWN') return { kind: 'header', length: end + 2, address: undefined }
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : -1
  if (rest.length !== 3 || isIP(source ?? '') !== version || isIP(rest[0] ?? '') !== version) return INVALID
  return { kind: 'header', length: end + 2, address: source }
}

function parseVersion2(bytes: Buffer): ProxyHeader {
  const command = bytes[12] as number
  const family = (bytes[13] as number) >> 4
  const length = V2_HEAD_LENGTH + bytes.readUInt16BE(14)
  if ((command !== V2_COMMAND_PROXY && command !== V2_COMMAND_LOCAL) || length > V2_MAX_LENGTH) return INVALID
  if (bytes.length < length) return INCOMPLETE
  if (command === V2_COMMAND_LOCAL) return { kind: 'header', length, address: undefined }
  const addresses = bytes.subarray(V2_HEAD_LENGTH, length)
  if (family === V2_IPV4 && addresses.length >= 12) return { kind: 'header', length, address: ipv4(addresses) }
  if (family === V2_IPV6 && addresses.length >= 36) return { kind: 'header', length, address: ipv6(addresses) }
  return INVALID
}

const ipv4 = (bytes: Buffer): string => [...bytes.subarray(0, 4)].join('.')

/** As URLs and the operating system write it. */
function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
}
