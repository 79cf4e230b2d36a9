import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { toPem } from './certificate-asn1.ts'
import type { AlternativeName } from './certificate-name.ts'
import { readAlternativeNames, readSubject, type SubjectAttributes } from './certificate-name-reader.ts'
import { DerError, DerReader, derTags, idOf, readOid } from './der-reader.ts'
import { findSoundKeyKind, KEY_KINDS, type KeyFamily, type KeyKind } from './key-kind.ts'

/** What a certificate request says. Nothing has been compared with anything yet. */
export interface ParsedCertificateRequest {
  /** All of it. */
  readonly der: Buffer
  /** DER of the name, to be copied byte for byte. */
  readonly subjectDer: Buffer
  /** Values of the attributes in the order given; more than one is for the reader to judge. */
  readonly subject: SubjectAttributes
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKeyDer: Buffer
  readonly alternativeNames: readonly AlternativeName[]
  /** What the key says of itself; how long an RSA key is, shows when it is read. */
  readonly keyKind: KeyKind
  /** It wants to be a CA, by its basic constraints or by a key usage of a CA. */
  readonly asksForAuthority: boolean
  /** What the signature is over. */
  readonly body: Buffer
  readonly signature: Buffer
  readonly signatureAlgorithm: CertificateRequestAlgorithm
}

/** How a request is signed. */
export interface CertificateRequestAlgorithm {
  readonly family: KeyFamily
  readonly digest: 'sha256' | 'sha384' | 'sha512' | null
}

/** RFC 4055, RFC 5758, RFC 8410. SHA-1 is deliberately not among them. */
const SIGNATURE_ALGORITHMS: ReadonlyMap<string, CertificateRequestAlgorithm> = new Map([
  [idOf('1.2.840.113549.1.1.11'), { family: 'rsa', digest: 'sha256' }],
  [idOf('1.2.840.113549.1.1.12'), { family: 'rsa', digest: 'sha384' }],
  [idOf('1.2.840.113549.1.1.13'), { family: 'rsa', digest: 'sha512' }],
  [idOf('1.2.840.10045.4.3.2'), { family: 'ec', digest: 'sha256' }],
  [idOf('1.2.840.10045.4.3.3'), { family: 'ec', digest: 'sha384' }],
  [idOf('1.2.840.10045.4.3.4'), { family: 'ec', digest: 'sha512' }],
  [idOf('1.3.101.112'), { family: 'ed25519', digest: null }],
])
const RSA_KEY = idOf('1.2.840.113549.1.1.1')
const EC_KEY = idOf('1.2.840.10045.2.1')
const ED25519_KEY = idOf('1.3.101.112')
/** RFC 5480, 2.1.1.1. */
const CURVES: ReadonlyMap<string, KeyKind['name']> = new Map([
  [idOf('1.2.840.10045.3.1.7'), 'P-256'],
  [idOf('1.3.132.0.34'), 'P-384'],
  [idOf('1.3.132.0.35'), 'P-521'],
])

/** PKCS #9 extensionRequest, RFC 2985, 5.4.2. */
const EXTENSION_REQUEST = idOf('1.2.840.113549.1.9.14')
const SUBJECT_ALTERNATIVE_NAME = idOf('2.5.29.17')
const BASIC_CONSTRAINTS = idOf('2.5.29.19')
const KEY_USAGE = idOf('2.5.29.15')
/** Bits 5 and 6 of KeyUsage, RFC 5280, 4.2.1.3: keyCertSign and cRLSign. */
const AUTHORITY_USAGES = 0b0000_0110

/**
 * Takes a PKCS #10 request (RFC 2986) apart. Alternative names other than DNS names, addresses, URIs and e-mail
 * addresses are left out, as is every other extension. The signature is not verified here.
 * Throws {@link DerError} with the reason.
 */
export function parseCertificateRequest(der: Buffer): ParsedCertificateRequest {
  const outer = new DerReader(der)
  const request = outer.enter()
  outer.end()
  const body = request.next(derTags.sequence)
  const signatureAlgorithm = readSignatureAlgorithm(request.enter())
  const signature = request.wholeBits()
  request.end()

  const fields = new DerReader(body.content)
  const version = fields.next(derTags.integer).content
  if (version.length !== 1 || version[0] !== 0) throw new DerError('it is not of version 1')
  const subject = fields.next(derTags.sequence)
  const publicKey = fields.next(derTags.sequence)
  const kind = readKeyKind(publicKey.content)
  const extensions = readAttributes(fields)
  fields.end()
  return {
    der,
    body: body.bytes,
    signature,
    signatureAlgorithm,
    subjectDer: subject.bytes,
    subject: readSubject(subject.content),
    publicKeyDer: publicKey.bytes,
    keyKind: kind,
    alternativeNames: readAlternativeNames(extensions.get(SUBJECT_ALTERNATIVE_NAME)),
    asksForAuthority:
      isAuthorityConstraint(extensions.get(BASIC_CONSTRAINTS)) || isAuthorityUsage(extensions.get(KEY_USAGE)),
  }
}

/**
 * The public key of a request after its signature has been verified with it, which shows that the sender has the private
 * key. Works on the thread pool, so that no key, however costly, holds up the event loop.
 * Throws {@link DerError} with the reason.
 */
export async function verifiedPublicKey(request: ParsedCertificateRequest): Promise<KeyObject> {
  const { body, signature, signatureAlgorithm, keyKind } = request
  if (keyKind.family !== signatureAlgorithm.family) {
    throw new DerError('it is signed with another kind of key than its own')
  }
  const key = readKey(request.publicKeyDer)
  // The details of other keys are all in their kind, and slow to ask for.
  const refusal =
    keyKind.family === 'rsa' ? findSoundKeyKind(key, 'certificate', rsaModulus(request.publicKeyDer)) : keyKind
  if (typeof refusal === 'string') throw new DerError(`its key is refused: ${refusal}`)
  const valid = await new Promise<boolean>((resolve, reject) => {
    verify(signatureAlgorithm.digest, body, key, signature, (error, result) => {
      if (error) reject(error)
      else resolve(result)
    })
  })
  if (!valid) throw new DerError('its signature is not that of its key')
  return key
}

/** The modulus of an RSA key that has been parsed already (RFC 8017, A.1.1). */
function rsaModulus(publicKeyDer: Buffer): bigint {
  const fields = new DerReader(publicKeyDer).enter()
  fields.next(derTags.sequence)
  const { content } = new DerReader(fields.wholeBits()).enter().next(derTags.integer)
  return BigInt(`0x${content.toString('hex')}`)
}

function readKey(der: Buffer): KeyObject {
  try {
    // A third of the time that Node takes for the same in DER.
    return createPublicKey(toPem('PUBLIC KEY', der))
  } catch {
    throw new DerError('its key does not parse')
  }
}

function readSignatureAlgorithm(reader: DerReader): CertificateRequestAlgorithm {
  const algorithm = SIGNATURE_ALGORITHMS.get(readOid(reader))
  if (algorithm === undefined)
    throw new DerError('its signature algorithm is not accepted (use SHA-256 with RSA or ECDSA)')
  // The parameters are NULL with RSA, which some leave out, and absent with the others (RFC 5758, 3.2).
  if (algorithm.family === 'rsa' && !reader.done) requireNull(reader)
  reader.end()
  return algorithm
}

function requireNull(reader: DerReader): void {
  if (reader.next(derTags.null).content.length > 0) throw new DerError('it has a NULL with a content')
}

/** Before the key is made: other kinds of keys, and curves given by their parameters, can take long to read. */
function readKeyKind(content: Buffer): KeyKind {
  const fields = new DerReader(content)
  const algorithm = fields.enter()
  fields.wholeBits()
  fields.end()
  const name = keyName(readOid(algorithm), algorithm)
  const kind = KEY_KINDS.find((row) => row.name === name)
  if (kind === undefined) throw new DerError('its kind of key is not accepted (use RSA, or P-256, P-384 or P-521)')
  return kind
}

function keyName(id: string, parameters: DerReader): KeyKind['name'] | undefined {
  if (id === RSA_KEY) return 'RSA'
  if (id === ED25519_KEY) return 'Ed25519'
  return id === EC_KEY && parameters.nextTag === derTags.oid ? CURVES.get(readOid(parameters)) : undefined
}

/** The content of each extension asked for, by its id. */
function readAttributes(fields: DerReader): Map<string, Buffer> {
  let extensions = new Map<string, Buffer>()
  // Some leave the attributes out when there are none, against RFC 2986.
  if (fields.done) return extensions
  const attributes = fields.enter(0xa0)
  const types = new Set<string>()
  while (!attributes.done) {
    const attribute = attributes.enter()
    const type = readOid(attribute)
    if (types.has(type)) throw new DerError('it has the same attribute twice')
    types.add(type)
    const values = attribute.enter(derTags.set)
    attribute.end()
    if (type !== EXTENSION_REQUEST) continue
    extensions = readExtensions(values.enter())
    values.end()
  }
  return extensions
}

function readExtensions(list: DerReader): Map<string, Buffer> {
  const extensions = new Map<string, Buffer>()
  while (!list.done) {
    const extension = list.enter()
    const type = readOid(extension)
    if (extensions.has(type)) throw new DerError('it asks for the same extension twice')
    if (extension.nextTag === derTags.boolean) readBoolean(extension)
    extensions.set(type, extension.next(derTags.octetString).content)
    extension.end()
  }
  return extensions
}

function readBoolean(reader: DerReader): boolean {
  const { content } = reader.next(derTags.boolean)
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
    throw new DerError('it has a malformed BOOLEAN')
  return content[0] !== 0
}

function isAuthorityConstraint(content: Buffer | undefined): boolean {
  if (content === undefined) return false
  const outer = new DerReader(content)
  const constraint = outer.enter()
  outer.end()
  return constraint.nextTag === derTags.boolean && readBoolean(constraint)
}

function isAuthorityUsage(content: Buffer | undefined): boolean {
  if (content === undefined) return false
  const outer = new DerReader(content)
  const [unusedBits, bits = 0] = outer.next(derTags.bitString).content
  outer.end()
  if (unusedBits === undefined || unusedBits > 7) throw new DerError('it has a malformed key usage')
  return (bits & AUTHORITY_USAGES) !== 0
}
