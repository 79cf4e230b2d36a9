import { randomBytes, X509Certificate } from 'node:crypto'
import { type CertificateOwner, issuerOf, prepareCertificates } from '#core/crypto/certificate.ts'
import type { Signer } from '#core/crypto/signing.ts'
import type { CertificateSigner, SigningRequest } from '../certificate-signer.ts'

/** What certificates of a local authority are like. */
export interface LocalSigningRules {
  readonly maxExpiryMins: number
  readonly keyUsageCritical: boolean
  readonly authorityKeyIdentifier: boolean
  /** Epoch milliseconds. */
  readonly now: () => number
}

const MINUTE_MILLIS = 60_000
const SERIAL_NUMBER_BYTES = 20

/**
 * Signs with the key of an authority that this server has. A certificate takes subject, key and alternative names from the
 * request; everything else is the same in all of them: both sides of TLS, no CA, signatures and key encipherment. The
 * usage that is asked for does not matter, as with the peer; the life is never above the maximum, other than there.
 */
export class LocalCertificateSigner implements CertificateSigner {
  readonly #certificate: (owner: CertificateOwner) => Promise<string>
  readonly #authority: string
  readonly #rules: LocalSigningRules

  /** Throws RangeError when the key is not the certificate's, or the certificate is not that of a CA. */
  constructor(authority: X509Certificate, signer: Signer, rules: LocalSigningRules) {
    this.#certificate = prepareCertificates({
      issuer: issuerOf(authority, signer),
      ca: false,
      keyUsage: ['digitalSignature', 'keyEncipherment'],
      extendedKeyUsage: ['clientAuth', 'serverAuth'],
      notCritical: rules.keyUsageCritical ? ['ca'] : ['ca', 'keyUsage'],
      keyIdentifiers: { subject: false, authority: rules.authorityKeyIdentifier },
    })
    this.#authority = authority.toString()
    this.#rules = rules
  }

  get maxExpiryMins(): number {
    return this.#rules.maxExpiryMins
  }

  sign({ request, expiryMins }: SigningRequest): Promise<string> {
    const { maxExpiryMins, now } = this.#rules
    const notBefore = now()
    const life = expiryMins > 0 && expiryMins < maxExpiryMins ? expiryMins : maxExpiryMins
    return this.#certificate({
      subject: request.subjectDer,
      publicKey: request.publicKeyDer,
      serialNumber: newSerialNumber(),
      notBefore: new Date(notBefore),
      notAfter: new Date(notBefore + life * MINUTE_MILLIS),
      subjectAlternativeNames: request.alternativeNames,
    })
  }

  caCertificate(): Promise<string> {
    return Promise.resolve(this.#authority)
  }
}

/** As many random bits as a serial number holds (RFC 5280, 4.1.2.2): positive, 20 bytes. */
function newSerialNumber(): Buffer {
  const serial = randomBytes(SERIAL_NUMBER_BYTES)
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0)
  return serial
}
