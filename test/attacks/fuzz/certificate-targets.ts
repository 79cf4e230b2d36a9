import { ok as assertOk, deepStrictEqual, strictEqual } from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import * as fc from 'fast-check'
import { nameAttributes, parseName } from '#core/authority/distinguished-name.ts'
import { readForwardedCertificate } from '#core/authority/forwarded-certificate.ts'
import { buildCertificate, selfIssuer } from '#core/crypto/certificate.ts'
import { certificateAlternativeNames } from '#core/crypto/certificate-alternative-names.ts'
import { toDer } from '#core/crypto/certificate-asn1.ts'
import { alternativeNamesToAsn1, encodeName } from '#core/crypto/certificate-name.ts'
import { readAlternativeNames, readSubject } from '#core/crypto/certificate-name-reader.ts'
import { DerError, DerReader } from '#core/crypto/der-reader.ts'
import { findKeyKind } from '#core/crypto/key-kind.ts'
import { loadPublicKey } from '#core/crypto/keys.ts'
import { pemBlocks } from '#core/crypto/pem.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { parseSshPublicKey, sshKeyLine, sshPublicKey } from '#core/crypto/ssh-public-key.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { readCertificateRequest } from '#zts/cert/certificate-request.ts'
import { readPresentedCertificate } from '#zts/cert/presented-certificate.ts'
import { requestDer, requestOf, requestPem } from '../../support/certificate-requests.ts'
import type { FuzzTarget } from './fuzz-target.ts'

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsaKeys = generateKeyPairSync('rsa', { modulusLength: 2048 })
const signer = createSigner(keys.privateKey, '0', 'certificate')
const text = (input: Buffer): string => input.toString('latin1')
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')

const SUBJECT = [
  { type: 'O', value: 'Athenz' },
  { type: 'OU', value: 'Testing' },
  { type: 'CN', value: 'sports.api' },
] as const
const NAMES = [
  { type: 'dns', value: 'api.sports.athenz.cloud' },
  { type: 'ip', value: '2001:db8::1' },
  { type: 'uri', value: 'athenz://instanceid/sys.auth.zts/i-1' },
  { type: 'uri', value: 'spiffe://sports/sa/api' },
  { type: 'email', value: 'joe@example.com' },
] as const

/** Beginnings of DER values: long, indefinite and impossible lengths, tags of several bytes, names of interest. */
const DER_WORDS = [
  '30',
  '3080',
  '0000',
  '31',
  '0603551d11',
  '0603551d13',
  '30030101ff',
  '0484ffffffff',
  '1fffffff7f',
  'a000',
  'a3',
  '8200',
  '8600',
  '8704',
  '0500',
  '0101ff',
  '0c00',
  '1e01',
  '03020780',
  '30820000',
  '308400000001',
  '06028001',
].map(bytes)

/** Values of DER inside each other, whose lengths are right and whose contents mean nothing. */
const derTree = fc.letrec<{ value: Buffer }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 12, depthSize: 'medium' },
    fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 12 })).map(([tag, content]) => tlv(tag, Buffer.from(content))),
    fc
      .tuple(fc.constantFrom(0x30, 0x31, 0xa0, 0xa3, 0x04, 0x03), fc.array(tie('value'), { maxLength: 5 }))
      .map(([tag, parts]) => tlv(tag, Buffer.concat(parts))),
  ),
})).value

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...head), content])
}

const certificatePem = await buildCertificate({
  subject: SUBJECT,
  publicKey: signer.publicKey,
  issuer: selfIssuer(SUBJECT, signer),
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2027-01-01T00:00:00Z'),
  subjectAlternativeNames: NAMES,
})
const certificateDer = new X509Certificate(certificatePem).raw

const requestsDer = [
  requestDer({ subject: SUBJECT, names: NAMES, key: keys.privateKey }),
  requestDer({ subject: SUBJECT, key: rsaKeys.privateKey }),
]

/** Reads every value within a value, as far as they are values. */
function walk(reader: DerReader, depth: number): void {
  while (!reader.done) {
    const constructed = ((reader.nextTag ?? 0) & 0x20) !== 0
    const { bytes: whole, content } = reader.next()
    strictEqual(whole.subarray(whole.length - content.length).equals(content), true)
    if (constructed && depth < 100) walk(new DerReader(content), depth + 1)
  }
  reader.end()
}

const isDerError = (error: unknown): boolean => error instanceof DerError
const isServiceError = (error: unknown): boolean => error instanceof ServiceError && error.status === 400

const der: FuzzTarget = {
  name: 'der',
  seeds: [certificateDer, ...requestsDer],
  words: DER_WORDS,
  grammar: derTree,
  isRefusal: isDerError,
  read: (input) => walk(new DerReader(input), 0),
}

const alternativeNames: FuzzTarget = {
  name: 'alternative-names',
  seeds: [toDer(alternativeNamesToAsn1(NAMES))],
  words: [...DER_WORDS, '\u0000', '%', '*.', 'spiffe://', 'athenz://'],
  grammar: derTree,
  isRefusal: isDerError,
  read: (input) => {
    const names = readAlternativeNames(input)
    for (const { value } of names) assertOk(value !== '')
  },
}

const subject: FuzzTarget = {
  name: 'subject',
  seeds: [encodeName(SUBJECT)],
  words: [...DER_WORDS, '\u0000', '\r\n', '\u0085'],
  grammar: derTree,
  isRefusal: isDerError,
  read: (input) => {
    for (const values of readSubject(new DerReader(input).next(0x30).content).values()) {
      for (const value of values) assertOk(!/\p{Cc}/u.test(value) && value !== '')
    }
  },
}

const readRequest = async (pem: string): Promise<object> => {
  const { subjectDer, publicKeyDer, alternativeNames: names } = await readCertificateRequest(pem)
  return { subjectDer, publicKeyDer, names }
}
const goodRequests = await Promise.all(requestsDer.map((each) => readRequest(requestPem(each))))

/** What is signed cannot be another one: a request that is read is one of those that were made here. */
async function readKnownRequest(pem: string): Promise<void> {
  const found = await readRequest(pem)
  assertOk(
    goodRequests.some((good) => isSame(good, found)),
    `another request is accepted: ${pem}`,
  )
}

function isSame(one: object, other: object): boolean {
  try {
    deepStrictEqual(one, other)
    return true
  } catch {
    return false
  }
}

const certificateRequest: FuzzTarget = {
  name: 'certificate-request',
  seeds: requestsDer,
  words: DER_WORDS,
  grammar: derTree,
  isRefusal: isServiceError,
  read: (input) => readKnownRequest(requestPem(input)),
}

const PEM_WORDS = [
  '-----BEGIN CERTIFICATE REQUEST-----',
  '-----END CERTIFICATE REQUEST-----',
  '-----BEGIN NEW CERTIFICATE REQUEST-----',
  '-----BEGIN ',
  '-----',
  '\n',
  '\r',
  '=',
  ' ',
]
const certificateRequestText: FuzzTarget = {
  name: 'certificate-request-text',
  seeds: requestsDer.map((each) => Buffer.from(requestPem(each))),
  words: PEM_WORDS,
  isRefusal: isServiceError,
  read: (input) => readKnownRequest(text(input)),
}

/** A certificate as OpenSSL reads it, then as it is read here: whatever OpenSSL takes must not harm. */
const certificate: FuzzTarget = {
  name: 'certificate',
  seeds: [certificateDer],
  words: DER_WORDS,
  grammar: derTree,
  isRefusal: () => false,
  read: (input) => {
    const found = readForwardedCertificate(input.toString('base64'))
    if (typeof found === 'string') return
    const { instanceId, uris } = readPresentedCertificate(found)
    assertOk(instanceId === undefined || uris.length >= 0)
    const names = certificateAlternativeNames(found)
    if (names) for (const uri of names.uris) strictEqual(typeof uri, 'string')
  },
}

const forwardedCertificate: FuzzTarget = {
  name: 'forwarded-certificate',
  seeds: [
    encodeURIComponent(certificatePem),
    `:${certificateDer.toString('base64')}:`,
    certificatePem.replaceAll('\n', ' '),
  ].map((each) => Buffer.from(each)),
  words: ['%', '%0A', '%zz', ':', '=', '-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', ' ', ','],
  isRefusal: () => false,
  read: (input) => {
    const found = readForwardedCertificate(text(input))
    if (typeof found !== 'string') assertOk(found instanceof X509Certificate)
  },
}

const publicKeyPem = signer.publicKey.export({ type: 'spki', format: 'pem' }) as string
const publicKey: FuzzTarget = {
  name: 'public-key',
  seeds: [publicKeyPem, certificatePem, rsaKeys.publicKey.export({ type: 'pkcs1', format: 'pem' }) as string].map(
    (each) => Buffer.from(each),
  ),
  words: [...PEM_WORDS, '-----BEGIN PUBLIC KEY-----', '-----BEGIN RSA PUBLIC KEY-----', '-----BEGIN PRIVATE KEY-----'],
  isRefusal: isServiceError,
  read: (input) => {
    const key = loadPublicKey(text(input))
    strictEqual(key.type, 'public')
    assertOk(typeof findKeyKind(key, 'token') !== 'string')
  },
}

const pem: FuzzTarget = {
  name: 'pem',
  seeds: [certificatePem + publicKeyPem, requestOf({ subject: SUBJECT })].map((each) => Buffer.from(each)),
  words: PEM_WORDS,
  isRefusal: () => false,
  read: (input) => {
    for (const block of pemBlocks(text(input))) assertOk(text(input).includes(block.label))
  },
}

const sshKey: FuzzTarget = {
  name: 'ssh-public-key',
  seeds: [keys, rsaKeys].map((pair) => Buffer.from(`${sshKeyLine(sshPublicKey(pair.publicKey))} joe@host`)),
  words: ['ssh-rsa ', 'ssh-ed25519 ', 'ecdsa-sha2-nistp256 ', 'AAAA', '=', ' ', '\n', '//8='],
  isRefusal: isServiceError,
  read: (input) => {
    const key = parseSshPublicKey(text(input))
    strictEqual(key.key.type, 'public')
    // What is certified is written anew.
    deepStrictEqual(parseSshPublicKey(sshKeyLine(key)).fields, key.fields)
  },
}

const distinguishedName: FuzzTarget = {
  name: 'distinguished-name',
  seeds: ['CN=Athenz CA,OU=Testing,O="Yahoo, Inc.",C=US', 'CN=a\\,b\\2Cc'].map((each) => Buffer.from(each)),
  words: [',', '=', '"', '\\', '\\2C', '+', ' ', 'CN=', '1.2.3=#0403'],
  isRefusal: () => false,
  read: (input) => {
    const name = parseName(input.toString('utf8'))
    strictEqual(name === undefined, nameAttributes(input.toString('utf8')) === undefined)
  },
}

/** Readers of requests for certificates, certificates and keys. */
export const CERTIFICATE_TARGETS: readonly FuzzTarget[] = [
  der,
  alternativeNames,
  subject,
  certificateRequest,
  certificateRequestText,
  certificate,
  forwardedCertificate,
  publicKey,
  pem,
  sshKey,
  distinguishedName,
]
