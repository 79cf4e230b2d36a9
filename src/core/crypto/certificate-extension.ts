import {
  type Asn1,
  bitString,
  boolean,
  contextPrimitive,
  integer,
  octetString,
  oid,
  sequence,
  toDer,
} from './certificate-asn1.ts'
import { type AlternativeName, alternativeNamesToAsn1 } from './certificate-name.ts'

// Positions of the bits of KeyUsage, RFC 5280, 4.2.1.3.
const KEY_USAGE_BITS = {
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  crlSign: 6,
} as const

/** What a certificate's key may be used for. */
export type KeyUsage = keyof typeof KEY_USAGE_BITS

const EXTENDED_KEY_USAGE_OIDS = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
} as const

/** Purposes a certificate is limited to. */
export type ExtendedKeyUsage = keyof typeof EXTENDED_KEY_USAGE_OIDS

/** The certificate is a CA; `pathLength` limits how many CA certificates may follow below it. */
export interface CaConstraint {
  readonly pathLength?: number
}

/** The extensions that a request asks for and a certificate carries. What is absent is not written. */
export interface Extensions {
  readonly subjectAlternativeNames?: readonly AlternativeName[]
  /** A constraint: the certificate is a CA. `false`: it says that it is none. */
  readonly ca?: CaConstraint | false
  readonly keyUsage?: readonly KeyUsage[]
  readonly extendedKeyUsage?: readonly ExtendedKeyUsage[]
  /** Those of the two that clients may pass over without understanding them; both are critical otherwise. */
  readonly notCritical?: readonly ('ca' | 'keyUsage')[]
}

/** The extensions that tie a certificate to its own key and to its issuer's: SHA-1 identifiers, RFC 5280, 4.2.1.2. */
export interface KeyIdentifiers {
  readonly subject?: Buffer
  readonly authority?: Buffer
}

/**
 * Encodes extensions in a fixed order. Constraints and key usage are critical unless the opposite is said; alternative
 * names are critical when there is no other subject (RFC 5280, 4.2.1.6).
 * @throws RangeError for alternative names that cannot be written, or for a negative path length
 */
export function extensionsToAsn1(extensions: Extensions, identifiers: KeyIdentifiers, emptySubject: boolean): Asn1[] {
  const { subjectAlternativeNames: names = [], ca, keyUsage = [], extendedKeyUsage = [], notCritical = [] } = extensions
  const list: Asn1[] = []
  if (ca !== undefined) list.push(extension('2.5.29.19', !notCritical.includes('ca'), basicConstraints(ca)))
  if (keyUsage.length > 0) list.push(extension('2.5.29.15', !notCritical.includes('keyUsage'), keyUsageBits(keyUsage)))
  if (extendedKeyUsage.length > 0) {
    const purposes = extendedKeyUsage.map((purpose) => oid(EXTENDED_KEY_USAGE_OIDS[purpose]))
    list.push(extension('2.5.29.37', false, sequence(...purposes)))
  }
  if (names.length > 0) list.push(extension('2.5.29.17', emptySubject, alternativeNamesToAsn1(names)))
  if (identifiers.subject) list.push(extension('2.5.29.14', false, octetString(identifiers.subject)))
  if (identifiers.authority) {
    list.push(extension('2.5.29.35', false, sequence(contextPrimitive(0, identifiers.authority))))
  }
  return list
}

function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  const content = octetString(toDer(value))
  return critical ? sequence(oid(id), boolean(true), content) : sequence(oid(id), content)
}

function basicConstraints(ca: CaConstraint | false): Asn1 {
  if (ca === false) return sequence()
  if (ca.pathLength === undefined) return sequence(boolean(true))
  if (!Number.isInteger(ca.pathLength) || ca.pathLength < 0) throw new RangeError(`path length: ${ca.pathLength}`)
  return sequence(boolean(true), integer(ca.pathLength))
}

function keyUsageBits(usages: readonly KeyUsage[]): Asn1 {
  const bits = usages.reduce((all, usage) => all | (0x80 >> KEY_USAGE_BITS[usage]), 0)
  // DER drops the trailing zero bits of a named bit list.
  const unused = 31 - Math.clz32(bits & -bits)
  return bitString(Buffer.from([bits]), unused)
}
