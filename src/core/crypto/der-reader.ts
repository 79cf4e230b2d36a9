import { oid, primitiveBytes } from './certificate-asn1.ts'

/** Bytes that are not the DER they should be. The message is a reason for people: `it ends too early`. */
export class DerError extends Error {}

/** One value: its identifier octet, what is inside, and all of it as it stands in the text. */
export interface DerValue {
  readonly tag: number
  readonly content: Buffer
  readonly bytes: Buffer
}

/** Identifier octets of universal types. */
export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

const HIGH_TAG = 0x1f
const LONG_FORM = 0x80
/** Four bytes of length: far more than any text that gets here. */
const LENGTH_MAX_BYTES = 4

/**
 * Reads values of DER (ITU-T X.690, 10) one after the other, strictly: definite lengths in their shortest form, nothing
 * behind the last value. It neither copies nor recurses, so that time and memory are linear in the bytes whatever they
 * say: the reader for what strangers send, where a lenient one and the next program may read different things.
 * Throws {@link DerError}.
 */
export class DerReader {
  readonly #bytes: Buffer
  #position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Whether everything has been read. */
  get done(): boolean {
    return this.#position === this.#bytes.length
  }

  /** Identifier octet of the next value; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#position]
  }

  /** The next value, which must have the given tag, if one is given. */
  next(tag?: number): DerValue {
    const start = this.#position
    const found = this.#byte()
    if ((found & HIGH_TAG) === HIGH_TAG) throw new DerError('it has a tag of more than one byte')
    if (found === 0) throw new DerError('it has an end-of-contents mark')
    if (tag !== undefined && found !== tag) throw new DerError(`it has a value of type ${hex(found)} for ${hex(tag)}`)
    const length = this.#length()
    const from = this.#position
    if (length > this.#bytes.length - from) throw new DerError('it ends too early')
    this.#position = from + length
    return {
      tag: found,
      content: this.#bytes.subarray(from, this.#position),
      bytes: this.#bytes.subarray(start, this.#position),
    }
  }

  /** A reader of what is inside the next value. */
  enter(tag: number = derTags.sequence): DerReader {
    return new DerReader(this.next(tag).content)
  }

  /** Makes sure that everything has been read. */
  end(): void {
    if (!this.done) throw new DerError('it has something behind its end')
  }

  /** The bits of the next value, a bit string of whole bytes. */
  wholeBits(): Buffer {
    const { content } = this.next(derTags.bitString)
    if (content[0] !== 0) throw new DerError('it has a bit string that is not of whole bytes')
    return content.subarray(1)
  }

  #byte(): number {
    const byte = this.#bytes[this.#position]
    if (byte === undefined) throw new DerError('it ends too early')
    this.#position++
    return byte
  }

  #length(): number {
    const first = this.#byte()
    if (first < LONG_FORM) return first
    const count = first - LONG_FORM
    if (count === 0) throw new DerError('it has an indefinite length')
    if (count > LENGTH_MAX_BYTES) throw new DerError('it has a length beyond all bounds')
    let length = 0
    for (let index = 0; index < count; index++) length = length * 0x100 + this.#byte()
    if (length < LONG_FORM || length < 0x100 ** (count - 1)) {
      throw new DerError('it has a length that is not in its shortest form')
    }
    return length
  }
}

const hex = (tag: number) => `0x${tag.toString(16).padStart(2, '0')}`

/** An object identifier as a key of maps and sets: its content in hexadecimal. */
export const idOf = (dotted: string): string => primitiveBytes(oid(dotted)).toString('hex')

/** The next value, an object identifier, in the same form. */
export function readOid(reader: DerReader): string {
  const { content } = reader.next(derTags.oid)
  if (!isOid(content)) throw new DerError('it has a malformed object identifier')
  return content.toString('hex')
}

/** Numbers in base 128: without zeros in front, the last byte of each below 128. */
function isOid(content: Buffer): boolean {
  let atStart = true
  for (const byte of content) {
    if (atStart && byte === 0x80) return false
    atStart = byte < 0x80
  }
  return content.length > 0 && atStart
}
