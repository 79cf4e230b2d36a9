import { constants, createHash, hkdfSync } from 'node:crypto'
import https from 'node:https'
import type { TLSSocket, TlsOptions } from 'node:tls'
import type { Logger } from '../log/logger.ts'
import type { TlsMaterial } from './tls-material.ts'
import type { TlsSource } from './tls-source.ts'

/** Versions of TLS that a port may speak. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

/** How a port uses TLS. */
export interface PortTls {
  readonly source: TlsSource
  /** Refuse clients without certificate; one that does not verify is refused always. */
  readonly clientCertificateNeeded?: boolean
  /** Refuse requests of clients that did not say which host they want. */
  readonly sniRequired?: boolean
  /** Refuse requests whose Host header differs from the host asked for in TLS. */
  readonly sniHostCheck?: boolean
  /** OpenSSL cipher list; the runtime's when absent. */
  readonly ciphers?: string
  /** Oldest version to offer, TLS 1.2 by default. */
  readonly minVersion?: TlsVersion
  readonly maxVersion?: TlsVersion
  /** How long a session may be resumed. */
  readonly sessionTimeoutSeconds?: number
  /**
   * Of which the keys of session tickets are made, together with key and certificates: servers with the same secret resume
   * each other's sessions as long as they have the same material. Random keys when absent.
   */
  readonly ticketSecret?: Uint8Array
  /** Log failed handshakes as warnings; as debug lines otherwise. */
  readonly logFailures?: boolean
}

const DEFAULT_SESSION_TIMEOUT_SECONDS = 300

/**
 * An HTTPS server that asks for client certificates when it has trust anchors, and takes over new keys, certificates and
 * trust anchors while it runs.
 *
 * A client certificate that does not verify ends the connection, as with the original: such a client must not go on as
 * if it had sent none. One that is missing ends it only when certificates are needed. Sessions are resumed by tickets,
 * which carry the verified certificate; new material comes with new ticket keys, so that no session outlives the trust
 * it was made under. Connections cannot be renegotiated.
 */
export function createSecureServer(
  httpOptions: https.ServerOptions,
  tls: PortTls,
  handshakeTimeoutMillis: number,
  log: Logger,
): https.Server {
  const { source, clientCertificateNeeded = false, logFailures = false } = tls
  const asked = source.material.ca !== undefined
  if (clientCertificateNeeded && !asked)
    throw new Error('client certificates are needed but no trust store is configured')
  const logFailure = (socket: TLSSocket, reason: string): void => {
    log[logFailures ? 'warn' : 'debug']({ peerAddress: socket.remoteAddress, reason }, 'TLS handshake failed')
  }
  const server = https.createServer({
    ...httpOptions,
    ...contextOptions(tls, source.material),
    requestCert: asked,
    rejectUnauthorized: clientCertificateNeeded,
    handshakeTimeout: handshakeTimeoutMillis,
  })
  source.onChange((material) => server.setSecureContext(contextOptions(tls, material)))
  server.on('listening', () => {
    // A process of a cluster gets the keys of the one that listened first, made for the material of that time.
    const keys = ticketKeys(tls, source.material)
    if (keys) server.setTicketKeys(keys)
  })
  // First in line, so that nothing is read from a client that is refused.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (socket.authorized || socket.getPeerX509Certificate() === undefined) return
    logFailure(socket, String(socket.authorizationError))
    socket.destroy()
  })
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    logFailure(socket, error.code ?? error.message)
  })
  return server
}

const TICKET_KEY_BYTES = 48

function ticketKeys({ ticketSecret }: PortTls, { key, cert, ca = [] }: TlsMaterial): Buffer | undefined {
  if (ticketSecret === undefined) return undefined
  const material = createHash('sha256')
    .update(JSON.stringify([key, cert, ca]))
    .digest()
  return Buffer.from(hkdfSync('sha256', ticketSecret, material, 'TLS session tickets', TICKET_KEY_BYTES))
}

function contextOptions(tls: PortTls, material: TlsMaterial): TlsOptions {
  const { key, cert, ca } = material
  const keys = ticketKeys(tls, material)
  const { ciphers, minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3', sessionTimeoutSeconds } = tls
  return {
    key,
    cert,
    // Absent trust anchors would mean the public authorities of the runtime; an empty list means nobody.
    ca: ca ? [...ca] : [],
    minVersion,
    maxVersion,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: sessionTimeoutSeconds ?? DEFAULT_SESSION_TIMEOUT_SECONDS,
    ...(ciphers !== undefined && { ciphers }),
    ...(keys && { ticketKeys: keys }),
  }
}
