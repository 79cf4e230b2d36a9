import type { X509Certificate } from 'node:crypto'

/** The client certificate of a TLS connection, verified by TLS against the trust store. */
export interface PeerCertificateChain {
  readonly leaf: X509Certificate
  /** DER bytes of the leaf. */
  readonly raw: Buffer
  readonly remoteAddress: string
}
