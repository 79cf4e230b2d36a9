import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { publicKeyToAsn1 } from '#core/crypto/certificate.ts'
import {
  type Asn1,
  bitString,
  boolean,
  contextConstructed,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  set,
  toDer,
  toPem,
} from '#core/crypto/certificate-asn1.ts'
import {
  type AlternativeName,
  alternativeNamesToAsn1,
  type DistinguishedName,
  nameToAsn1,
} from '#core/crypto/certificate-name.ts'
import { publicKeyOf } from '#core/crypto/keys.ts'

/** An extension of a request: its id and its value. */
export interface RequestedExtension {
  readonly id: string
  readonly value: Asn1 | Buffer
  readonly critical?: boolean
}

/** A request for a certificate, with everything that can be wrong in one. */
export interface RequestParts {
  readonly key?: KeyObject
  readonly subject?: DistinguishedName | Asn1
  readonly names?: readonly AlternativeName[]
  readonly extensions?: readonly RequestedExtension[]
  /** In place of the attribute with names and extensions. */
  readonly attributes?: readonly Asn1[]
  readonly version?: number
  readonly digest?: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  readonly publicKey?: Asn1
  readonly algorithm?: Asn1
  readonly signature?: Buffer
}

/** A P-256 key for tests in which it does not matter which. */
export const REQUEST_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
const ALGORITHMS = {
  rsa: {
    sha1: '1.2.840.113549.1.1.5',
    sha256: '1.2.840.113549.1.1.11',
    sha384: '1.2.840.113549.1.1.12',
    sha512: '1.2.840.113549.1.1.13',
  },
  ec: {
    sha1: '1.2.840.10045.4.1',
    sha256: '1.2.840.10045.4.3.2',
    sha384: '1.2.840.10045.4.3.3',
    sha512: '1.2.840.10045.4.3.4',
  },
} as const

/** An attribute that asks for extensions. */
export const extensionRequest = (...extensions: readonly RequestedExtension[]): Asn1 =>
  sequence(
    oid(EXTENSION_REQUEST),
    set(
      sequence(
        ...extensions.map(({ id, value, critical }) =>
          sequence(
            oid(id),
            ...(critical === undefined ? [] : [boolean(critical)]),
            octetString(Buffer.isBuffer(value) ? value : toDer(value)),
          ),
        ),
      ),
    ),
  )

/** The DER of a request, signed with its key. */
export function requestDer(parts: RequestParts = {}): Buffer {
  const { key = REQUEST_KEY, subject = [], names = [], version = 0, digest = 'sha256', attributes } = parts
  const extensions = [
    ...(names.length > 0 ? [{ id: SUBJECT_ALTERNATIVE_NAME, value: alternativeNamesToAsn1(names) }] : []),
    ...(parts.extensions ?? []),
  ]
  const asked = attributes ?? (extensions.length > 0 ? [extensionRequest(...extensions)] : [])
  const body = sequence(
    integer(version),
    Array.isArray(subject) ? nameToAsn1(subject) : (subject as Asn1),
    parts.publicKey ?? publicKeyToAsn1(publicKeyOf(key)),
    contextConstructed(0, ...asked),
  )
  const family = key.asymmetricKeyType
  const algorithm = () =>
    family === 'ed25519'
      ? sequence(oid('1.3.101.112'))
      : sequence(oid(ALGORITHMS[family === 'rsa' ? 'rsa' : 'ec'][digest]), ...(family === 'rsa' ? [nullValue()] : []))
  const signature = parts.signature ?? sign(family === 'ed25519' ? null : digest, toDer(body), key)
  return toDer(sequence(body, parts.algorithm ?? algorithm(), bitString(signature)))
}

/** DER as a request in PEM. */
export const requestPem = (der: Buffer): string => toPem('CERTIFICATE REQUEST', der)

/** A request in PEM, signed with its key. */
export const requestOf = (parts: RequestParts = {}): string => requestPem(requestDer(parts))

/** What a request for `commonName` with alternative names, written `DNS:x`, `IP:x`, `URI:x` or `email:x`, is made of. */
export const requestFor = (
  commonName: string | undefined,
  names: readonly string[] = [],
  more: RequestParts = {},
): string =>
  requestOf({
    subject: [
      { type: 'O', value: 'Athenz' },
      ...(commonName === undefined ? [] : [{ type: 'CN' as const, value: commonName }]),
    ],
    names: names.map(alternativeName),
    ...more,
  })

function alternativeName(text: string): AlternativeName {
  const colon = text.indexOf(':')
  return { type: text.slice(0, colon).toLowerCase() as AlternativeName['type'], value: text.slice(colon + 1) }
}
