import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Exchange } from './exchange.ts'

/** What is the same for all requests of a connection. */
export interface Connection {
  /** Whether TLS protects it. */
  readonly secure: boolean
  readonly localPort: number
  /** Address of the other end. */
  readonly peerAddress: string
  /** TLS version, e.g. `TLSv1.3`. */
  readonly protocol: string | undefined
  /** Standard (IANA) name of the cipher suite. */
  readonly cipher: string | undefined
  /** Serial number of the client certificate in decimal. */
  readonly certificateSerial: string | undefined
  /** Set when it is to end after the answers to what has come on it. */
  retiring: boolean
  /** Set once an answer has said that it is the last one: what comes behind it is not served. */
  ended: boolean
  /** Set once it was told that what it sent is no request. */
  refused: boolean
  /** Requests without an answer. */
  pending: number
  /** Whether it has had an answer. */
  served: boolean
  /** The last exchange begun on it, until it is answered and its request has arrived as a whole. */
  latest: Exchange | undefined
}

const CONNECTION = Symbol('connection')
const MAPPED_IPV4 = '::ffff:'

/** What is known of the connection behind a socket; read once and kept with the socket. */
export function connectionOf(socket: Socket & { [CONNECTION]?: Connection }): Connection {
  socket[CONNECTION] ??= describe(socket)
  return socket[CONNECTION]
}

const isSecure = (socket: Socket): socket is TLSSocket => (socket as Partial<TLSSocket>).encrypted === true

function describe(socket: Socket): Connection {
  const address = socket.remoteAddress ?? ''
  const common = {
    localPort: socket.localPort ?? 0,
    peerAddress: address.startsWith(MAPPED_IPV4) ? address.slice(MAPPED_IPV4.length) : address,
    retiring: false,
    ended: false,
    refused: false,
    pending: 0,
    served: false,
    latest: undefined,
  }
  if (!isSecure(socket)) {
    return { ...common, secure: false, protocol: undefined, cipher: undefined, certificateSerial: undefined }
  }
  const serialNumber = socket.getPeerX509Certificate()?.serialNumber
  return {
    ...common,
    secure: true,
    protocol: socket.getProtocol() ?? undefined,
    cipher: socket.getCipher()?.standardName,
    certificateSerial: serialNumber === undefined ? undefined : BigInt(`0x${serialNumber}`).toString(),
  }
}
