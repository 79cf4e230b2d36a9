import { createRequire } from 'node:module'
import type forge from 'node-forge'

/** A node of an ASN.1 tree; build it with the functions here, turn it into bytes with {@link toDer}. */
export type Asn1 = forge.asn1.Asn1

// The package's own entry loads its ciphers and TLS stack as well, at several times the start-up cost of this one file.
const asn1 = createRequire(import.meta.url)('node-forge/lib/asn1.js') as typeof forge.asn1

const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class
const { Type } = asn1
// Context tags are numbers of the structure at hand, where the package's types only know the universal ones.
const createContext = asn1.create as (...node: [typeof CONTEXT_SPECIFIC, number, boolean, string | Asn1[]]) => Asn1

const bytesOf = (value: Buffer): string => value.toString('latin1')
const primitive = (type: forge.asn1.Type, value: string): Asn1 => asn1.create(UNIVERSAL, type, false, value)

export const sequence = (...items: Asn1[]): Asn1 => asn1.create(UNIVERSAL, Type.SEQUENCE, true, items)
export const set = (...items: Asn1[]): Asn1 => asn1.create(UNIVERSAL, Type.SET, true, items)
export const oid = (dotted: string): Asn1 => primitive(Type.OID, asn1.oidToDer(dotted).getBytes())
export const boolean = (value: boolean): Asn1 => primitive(Type.BOOLEAN, value ? '\xff' : '\x00')
export const nullValue = (): Asn1 => primitive(Type.NULL, '')
/** A small integer (|value| < 2^31). */
export const integer = (value: number): Asn1 => primitive(Type.INTEGER, asn1.integerToDer(value).getBytes())
/** A positive integer from its big-endian bytes; the first bit must be 0. */
export const integerFromBytes = (value: Buffer): Asn1 => primitive(Type.INTEGER, bytesOf(value))
export const octetString = (value: Buffer): Asn1 => primitive(Type.OCTETSTRING, bytesOf(value))
/** A bit string; `unusedBits` of the last byte do not count. */
export const bitString = (value: Buffer, unusedBits = 0): Asn1 =>
  primitive(Type.BITSTRING, String.fromCharCode(unusedBits) + bytesOf(value))
export const utf8String = (text: string): Asn1 => primitive(Type.UTF8, bytesOf(Buffer.from(text, 'utf8')))

/**
 * A PrintableString: letters, digits, space and `'()+,-./:=?`.
 * @throws RangeError for any other character
 */
export function printableString(text: string): Asn1 {
  if (!/^[A-Za-z0-9 '()+,./:=?-]*$/.test(text)) throw new RangeError(`not a PrintableString: ${JSON.stringify(text)}`)
  return primitive(Type.PRINTABLESTRING, text)
}

/**
 * An IA5String without control characters.
 * @throws RangeError for any character outside 0x20–0x7e
 */
export function ia5String(text: string): Asn1 {
  return primitive(Type.IA5STRING, requireIa5(text))
}

/** The text itself when it may stand in an IA5String; throws as {@link ia5String} does. */
export function requireIa5(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new RangeError(`not printable ASCII: ${JSON.stringify(text)}`)
  return text
}

/** A point in time, in whole seconds: UTCTime up to 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
export function time(value: Date): Asn1 {
  const stamp = value.toISOString().replace(/\.\d+|[-:T]/g, '')
  const year = value.getUTCFullYear()
  if (year >= 1950 && year < 2050) return primitive(Type.UTCTIME, stamp.slice(2))
  if (year < 0 || year > 9999) throw new RangeError(`year outside 0–9999: ${year}`)
  return primitive(Type.GENERALIZEDTIME, stamp)
}

/** `[tag]` around other nodes (explicit, or a constructed implicit one). */
export const contextConstructed = (tag: number, ...items: Asn1[]): Asn1 =>
  createContext(CONTEXT_SPECIFIC, tag, true, items)
/** `[tag]` around plain bytes (implicit). */
export const contextPrimitive = (tag: number, value: Buffer): Asn1 =>
  createContext(CONTEXT_SPECIFIC, tag, false, bytesOf(value))

/** The DER bytes of a tree. */
export const toDer = (node: Asn1): Buffer => Buffer.from(asn1.toDer(node).getBytes(), 'latin1')

/**
 * The tree of one DER value. Bit strings stay opaque.
 * @throws Error when the bytes are malformed or have a tail
 */
export const fromDer = (der: Buffer): Asn1 =>
  asn1.fromDer(bytesOf(der), { strict: true, parseAllBytes: true, decodeBitStrings: false } as unknown as boolean)

/**
 * The children of a constructed node.
 * @throws Error when it has none because it is primitive
 */
export function children(node: Asn1 | undefined): readonly Asn1[] {
  if (node === undefined || typeof node.value === 'string')
    throw new Error('malformed ASN.1: constructed value expected')
  return node.value
}

/** Whether the node is `[tag]`. */
export const isContext = (node: Asn1 | undefined, tag: number): boolean =>
  node !== undefined && node.tagClass === CONTEXT_SPECIFIC && (node.type as number) === tag

/** The bytes of a primitive node. */
export function primitiveBytes(node: Asn1 | undefined): Buffer {
  if (node === undefined || typeof node.value !== 'string') throw new Error('malformed ASN.1: primitive value expected')
  return Buffer.from(node.value, 'latin1')
}

/** Bytes as PEM under the given label, lines of 64 characters. */
export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
