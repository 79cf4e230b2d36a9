import { createHash, type KeyObject, randomBytes, type X509Certificate } from 'node:crypto'
import {
  type Asn1,
  children,
  contextConstructed,
  fromDer,
  integer,
  isContext,
  nullValue,
  oid,
  primitiveBytes,
  sequence,
  time,
  toDer,
  toPem,
} from './certificate-asn1.ts'
import { type Extensions, extensionsToAsn1 } from './certificate-extension.ts'
import { type DistinguishedName, encodeName } from './certificate-name.ts'
import { derTags } from './der-reader.ts'
import { derValue } from './der-writer.ts'
import type { KeyFamily } from './key-kind.ts'
import type { Signer } from './signing.ts'

/** Who signs certificates. Make one with {@link issuerOf} or {@link selfIssuer}. */
export interface CertificateIssuer {
  /** DER bytes of the name, exactly as they stand in the issuer's own certificate. */
  readonly nameDer: Buffer
  /** Made for the use `certificate`; its key id does not matter here. */
  readonly signer: Signer
  /** Written as authority key identifier; none when the issuer's certificate has none. */
  readonly keyIdentifier?: Buffer
}

/** What the certificates of one kind have in common. */
export interface CertificateKind extends Omit<Extensions, 'subjectAlternativeNames'> {
  readonly issuer: CertificateIssuer
  /** Which key identifiers are written; both unless said. */
  readonly keyIdentifiers?: { readonly subject: boolean; readonly authority: boolean }
}

/** What a certificate has of its own. */
export interface CertificateOwner extends Pick<Extensions, 'subjectAlternativeNames'> {
  /** A name, or the DER of one, which is written as it is. */
  readonly subject: DistinguishedName | Buffer
  /** A key, or the DER of its SubjectPublicKeyInfo, which is written as it is. */
  readonly publicKey: KeyObject | Buffer
  /** Valid from and to, both inclusive; parts of a second are dropped. */
  readonly notBefore: Date
  readonly notAfter: Date
  /** Big-endian, positive, at most 20 bytes; 16 random bytes when absent. */
  readonly serialNumber?: Buffer
}

/** What a certificate says. */
export interface CertificateSpecification extends CertificateKind, CertificateOwner {}

// RFC 4055 (RSA with its NULL parameters), RFC 5758 (ECDSA), RFC 8410 (Ed25519).
const SIGNATURE_ALGORITHMS: Readonly<Record<KeyFamily, Buffer>> = {
  rsa: toDer(sequence(oid('1.2.840.113549.1.1.11'), nullValue())),
  ec: toDer(sequence(oid('1.2.840.10045.4.3.2'))),
  ed25519: toDer(sequence(oid('1.3.101.112'))),
}
const VERSION_3 = toDer(contextConstructed(0, integer(2)))
const EXTENSIONS_TAG = 0xa3
const EMPTY_NAME = encodeName([])

/**
 * Builds and signs an X.509 v3 certificate (RFC 5280) with SHA-256; gives it as PEM. RSA signatures are made on the
 * thread pool.
 * @throws RangeError for a value that cannot be written, or a validity that ends before it begins
 */
export const buildCertificate = async (specification: CertificateSpecification): Promise<string> =>
  prepareCertificates(specification)(specification)

/**
 * Prepares certificates of one kind: what they have in common is encoded once. Gives what builds and signs them, as
 * {@link buildCertificate} does. Throws as that does, too.
 */
export function prepareCertificates(kind: CertificateKind): (owner: CertificateOwner) => Promise<string> {
  const { issuer, keyIdentifiers = { subject: true, authority: true } } = kind
  const algorithm = SIGNATURE_ALGORITHMS[issuer.signer.kind.family]
  const common = extensionsToAsn1({ ...kind, subjectAlternativeNames: [] }, {}, false).map(toDer)
  const { keyIdentifier } = issuer
  const authority = keyIdentifiers.authority && keyIdentifier ? { authority: keyIdentifier } : {}
  const last = extensionsToAsn1({}, authority, false).map(toDer)

  return async ({ subject, publicKey, subjectAlternativeNames, notBefore, notAfter, serialNumber }) => {
    if (notAfter < notBefore) throw new RangeError('the validity ends before it begins')
    const name = Buffer.isBuffer(subject) ? subject : encodeName(subject)
    const key = Buffer.isBuffer(publicKey) ? publicKey : encodePublicKey(publicKey)
    const names = subjectAlternativeNames && { subjectAlternativeNames }
    const identifier = keyIdentifiers.subject ? { subject: keyIdentifierOf(fromDer(key)) } : {}
    const own = extensionsToAsn1({ ...names }, identifier, name.equals(EMPTY_NAME)).map(toDer)
    const body = derValue(
      derTags.sequence,
      VERSION_3,
      derValue(derTags.integer, positiveSerialNumber(serialNumber ?? randomSerialNumber())),
      algorithm,
      issuer.nameDer,
      derValue(derTags.sequence, toDer(time(notBefore)), toDer(time(notAfter))),
      name,
      key,
      derValue(EXTENSIONS_TAG, derValue(derTags.sequence, ...common, ...own, ...last)),
    )
    return toPem('CERTIFICATE', await signedDer(body, issuer.signer))
  }
}

/**
 * The issuer that a CA certificate and its private key make. Its name is copied byte for byte, because clients choose
 * their certificate by comparing these bytes with the names of the CAs that a server accepts.
 * @throws RangeError when the key is not the certificate's, or the certificate is not that of a CA
 */
export function issuerOf(certificate: X509Certificate, signer: Signer): CertificateIssuer {
  if (!certificate.checkPrivateKey(signer.privateKey))
    throw new RangeError('the private key does not fit the CA certificate')
  if (!certificate.ca) throw new RangeError('the certificate is not that of a CA')
  const body = children(children(fromDer(certificate.raw))[0])
  // Version is written only when it is not 1; then serial, algorithm, issuer, validity, subject, key and the rest.
  const [, , , , subject, , ...rest] = isContext(body[0], 0) ? body.slice(1) : body
  if (!subject) throw new RangeError('malformed CA certificate')
  return { nameDer: toDer(subject), signer, keyIdentifier: subjectKeyIdentifier(rest) }
}

/** The issuer of a self-signed certificate for `subject`. */
export function selfIssuer(subject: DistinguishedName, signer: Signer): CertificateIssuer {
  const keyIdentifier = keyIdentifierOf(fromDer(encodePublicKey(signer.publicKey)))
  return { nameDer: encodeName(subject), signer, keyIdentifier }
}

/** Sixteen random bytes that form a positive integer: 126 random bits, more than the 64 that CAs must provide. */
export function randomSerialNumber(): Buffer {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return serial
}

/** Signs the DER of a structure and wraps both as certificates and requests do: body, algorithm, signature. */
export async function signedDer(body: Buffer, signer: Signer): Promise<Buffer> {
  const signature = derValue(derTags.bitString, WHOLE_BYTES, await signer.sign(body))
  return derValue(derTags.sequence, body, SIGNATURE_ALGORITHMS[signer.kind.family], signature)
}

/** All bits of the last byte of a bit string count. */
const WHOLE_BYTES = Buffer.from([0])

/** The SubjectPublicKeyInfo of a public key. */
export const publicKeyToAsn1 = (publicKey: KeyObject): Asn1 => fromDer(encodePublicKey(publicKey))

const encodePublicKey = (publicKey: KeyObject): Buffer => publicKey.export({ type: 'spki', format: 'der' })

// SHA-1 over the bits of the public key: the first method of RFC 5280, 4.2.1.2. An identifier, not a protection.
function keyIdentifierOf(publicKey: Asn1): Buffer {
  const bits = primitiveBytes(children(publicKey)[1])
  return createHash('sha1').update(bits.subarray(1)).digest()
}

function subjectKeyIdentifier(fields: readonly Asn1[]): Buffer | undefined {
  const wrapped = fields.find((field) => isContext(field, 3))
  if (!wrapped) return undefined
  const wanted = primitiveBytes(oid('2.5.29.14'))
  const found = children(children(wrapped)[0]).find((item) => primitiveBytes(children(item)[0]).equals(wanted))
  return found && primitiveBytes(fromDer(primitiveBytes(children(found).at(-1))))
}

function positiveSerialNumber(serial: Buffer): Buffer {
  const start = serial.findIndex((byte) => byte !== 0)
  if (start === -1) throw new RangeError('the serial number must be positive')
  const digits = serial.subarray(start)
  const positive = (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits
  if (positive.length > 20) throw new RangeError('the serial number has more than 20 bytes')
  return positive
}
