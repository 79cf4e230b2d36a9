import { DEFAULT_CIPHERS } from 'node:tls'
import { type CipherSuiteChoice, cipherList } from './cipher-suites.ts'
import type { TlsVersion } from './secure-server.ts'

/** What is offered to the other end of a connection, as the runtime takes it. */
export interface TlsOffer {
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  /** OpenSSL cipher list; the runtime's when absent. */
  readonly ciphers?: string
}

/**
 * What remains of TLS 1.2 and 1.3, older ones are never offered, and of the cipher suites. Throws Error when nothing does,
 * and for a suite the runtime does not know.
 */
export function tlsOffer(suites: CipherSuiteChoice, excludedVersions: ReadonlySet<string>): TlsOffer {
  if (excludedVersions.has('TLSv1.2') && excludedVersions.has('TLSv1.3')) throw new Error('no version of TLS remains')
  const ciphers = cipherList(suites, DEFAULT_CIPHERS)
  return {
    minVersion: excludedVersions.has('TLSv1.2') ? 'TLSv1.3' : 'TLSv1.2',
    maxVersion: excludedVersions.has('TLSv1.3') ? 'TLSv1.2' : 'TLSv1.3',
    ...(ciphers !== undefined && { ciphers }),
  }
}
