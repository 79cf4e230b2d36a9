import { isIPv4, isIPv6 } from 'node:net'
import {
  type Asn1,
  contextPrimitive,
  oid,
  printableString,
  requireIa5,
  sequence,
  set,
  toDer,
  utf8String,
} from './certificate-asn1.ts'

const ATTRIBUTE_OIDS = {
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  street: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
} as const

/** Types of name attributes that can be written. */
export type NameAttributeType = keyof typeof ATTRIBUTE_OIDS

/** How the text of an attribute is stored; names are compared byte for byte by many clients, so the kind matters. */
export type NameEncoding = 'utf8' | 'printable'

/** One attribute of a distinguished name, e.g. `{ type: 'CN', value: 'sports.api' }`. */
export interface NameAttribute {
  readonly type: NameAttributeType
  readonly value: string
  /** UTF8String by default; `C` and `serialNumber` are PrintableString whatever is said here (RFC 5280, A.1). */
  readonly encoding?: NameEncoding
}

/** A distinguished name: its attributes in the order in which they are written, one per relative name. */
export type DistinguishedName = readonly NameAttribute[]

/**
 * The ASN.1 Name of a distinguished name.
 * @throws RangeError when a PrintableString cannot hold its text
 */
export function nameToAsn1(name: DistinguishedName): Asn1 {
  return sequence(
    ...name.map((attribute) => set(sequence(oid(ATTRIBUTE_OIDS[attribute.type]), attributeText(attribute)))),
  )
}

/** The DER bytes of a distinguished name; throws as {@link nameToAsn1} does. */
export const encodeName = (name: DistinguishedName): Buffer => toDer(nameToAsn1(name))

function attributeText({ type, value, encoding = 'utf8' }: NameAttribute): Asn1 {
  const printable = encoding === 'printable' || type === 'C' || type === 'serialNumber'
  return printable ? printableString(value) : utf8String(value)
}

/** One subject alternative name. `ip` takes IPv4 or IPv6 text. */
export interface AlternativeName {
  readonly type: 'dns' | 'ip' | 'uri' | 'email'
  readonly value: string
}

// Tags of GeneralName, RFC 5280, 4.2.1.6.
const GENERAL_NAME_TAGS = { email: 1, dns: 2, uri: 6, ip: 7 } as const

/**
 * The ASN.1 GeneralNames of alternative names, in the order given.
 * @throws RangeError for a text that is not printable ASCII, is empty, or is not an address
 */
export function alternativeNamesToAsn1(names: readonly AlternativeName[]): Asn1 {
  return sequence(
    ...names.map(({ type, value }) => {
      if (value === '') throw new RangeError(`empty alternative name of type ${type}`)
      const bytes = type === 'ip' ? addressBytes(value) : Buffer.from(requireIa5(value), 'latin1')
      return contextPrimitive(GENERAL_NAME_TAGS[type], bytes)
    }),
  )
}

/**
 * The 4 or 16 bytes of an IP address in network order.
 * @throws RangeError when the text is neither IPv4 nor IPv6, or names a zone
 */
export function addressBytes(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number))
  if (!isIPv6(text) || text.includes('%')) throw new RangeError(`not an IP address: ${JSON.stringify(text)}`)
  const [head = '', tail] = text.split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => 0)
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]))
}

// 16-bit groups of one side of an IPv6 address; its last part may be written as IPv4.
function groupsOf(side: string): number[] {
  if (side === '') return []
  return side.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}
