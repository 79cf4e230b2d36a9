import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { AuthenticationResult, Authority } from './authority.ts'
import type { PeerCertificateChain } from './peer-certificate.ts'

/** What is known of the client of one connection, for as long as its certificate stays the same. */
export interface PeerConnection {
  /** The verified client certificate; undefined when the client has sent none. */
  readonly peer: PeerCertificateChain | undefined
  /** Epoch milliseconds; the certificate is worth nothing after it. */
  readonly notAfterMillis: number
  /** Why the certificate that was sent is not good. */
  readonly refused: string | undefined
  /** What the certificate authorities have made of it. */
  readonly results: Map<Authority, AuthenticationResult | Promise<AuthenticationResult>>
  /** Identifies the handshake where there may be another one on the same connection. */
  readonly handshake: Buffer | undefined
}

const WITHOUT_TLS: PeerConnection = {
  peer: undefined,
  notAfterMillis: Number.POSITIVE_INFINITY,
  refused: undefined,
  results: new Map(),
  handshake: undefined,
}

/** Client certificates by connection: read once, and again only after a renegotiation. */
export class PeerConnections {
  readonly #known = new WeakMap<Socket, PeerConnection>()

  /** What is known of the client at the other end of `socket`. */
  of(socket: Socket): PeerConnection {
    if (!isSecure(socket)) return WITHOUT_TLS
    const known = this.#known.get(socket)
    if (known !== undefined && isCurrent(known, socket)) return known
    const connection = describe(socket)
    this.#known.set(socket, connection)
    return connection
  }
}

const isSecure = (socket: Socket): socket is TLSSocket => (socket as Partial<TLSSocket>).encrypted === true

function isCurrent({ handshake }: PeerConnection, socket: TLSSocket): boolean {
  if (handshake === undefined) return true
  const latest = socket.getPeerFinished()
  return latest !== undefined && handshake.equals(latest)
}

function describe(socket: TLSSocket): PeerConnection {
  // A resumed session brings the certificate along with it; only the rest of the chain is lost.
  const leaf: X509Certificate | undefined = socket.getPeerX509Certificate()
  // TLS 1.3 knows no renegotiation; before it, another handshake may bring another certificate.
  const handshake = socket.getProtocol() === 'TLSv1.3' ? undefined : (socket.getPeerFinished() ?? Buffer.alloc(0))
  if (leaf === undefined) return { ...WITHOUT_TLS, results: new Map(), handshake }
  return {
    peer: { leaf, raw: leaf.raw, remoteAddress: socket.remoteAddress ?? '' },
    notAfterMillis: leaf.validToDate.getTime(),
    // Where TLS only asks for a certificate, the connection lives on with one that it could not verify.
    refused: socket.authorized ? undefined : `client certificate is not trusted: ${String(socket.authorizationError)}`,
    results: new Map(),
    handshake,
  }
}
