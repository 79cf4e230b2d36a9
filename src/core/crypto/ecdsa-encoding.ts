/**
 * The two ways to write an ECDSA signature: as an ASN.1 sequence of two integers in DER (RFC 3279, 2.2.3), and as both
 * numbers in full length, one after the other (IEEE P1363; RFC 7518, 3.4). OpenSSL works with the first one; translating
 * here costs one microsecond, where Node takes 25.
 */

const SEQUENCE = 0x30
const INTEGER = 0x02
const LONG_LENGTH = 0x80

/**
 * r || s, each of `coordinateBytes`, of a signature in DER as OpenSSL makes them. Throws a RangeError for anything else:
 * what others send is never translated this way.
 */
export function derToP1363(der: Uint8Array, coordinateBytes: number): Buffer {
  const raw = Buffer.alloc(2 * coordinateBytes)
  let at = (der[1] ?? 0) < LONG_LENGTH ? 2 : 3
  for (const end of [coordinateBytes, 2 * coordinateBytes]) {
    const length = der[at + 1] ?? 0
    const first = at + 2
    at = first + length
    // A first byte of zero only keeps the number from being negative.
    const start = der[first] === 0 ? first + 1 : first
    if (length === 0 || at > der.length || at - start > coordinateBytes) throw new RangeError('no signature in DER')
    raw.set(der.subarray(start, at), end - (at - start))
  }
  if (der[0] !== SEQUENCE || at !== der.length) throw new RangeError('no signature in DER')
  return raw
}

/** A signature in DER, of r || s in equal parts. */
export function p1363ToDer(raw: Uint8Array): Buffer {
  const half = raw.length / 2
  const integers = [integer(raw.subarray(0, half)), integer(raw.subarray(half))]
  const length = integers.reduce((sum, { length: bytes }) => sum + bytes, 0)
  const head = length < LONG_LENGTH ? [SEQUENCE, length] : [SEQUENCE, LONG_LENGTH + 1, length]
  return Buffer.concat([Buffer.from(head), ...integers])
}

/** The shortest form of a positive number. */
function integer(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const digits = bytes.subarray(start)
  const sign = (digits[0] ?? 0) >= 0x80 ? [0] : []
  return Buffer.from([INTEGER, sign.length + digits.length, ...sign, ...digits])
}
