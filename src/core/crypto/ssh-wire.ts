/** Pieces of the binary form of SSH (RFC 4251, 5): numbers are big-endian, a string is its length and its bytes. */

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export const uint64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

/** Text is UTF-8. */
export const sshString = (value: Buffer | string): Buffer => {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([uint32(bytes.length), bytes])
}

/** A string that holds other pieces. */
export const sshStrings = (pieces: readonly Buffer[]): Buffer => sshString(Buffer.concat(pieces))

/** A positive number from its big-endian bytes: without zeros in front, and with one where the first bit is set. */
export const mpint = (value: Buffer): Buffer => {
  const start = value.findIndex((byte) => byte !== 0)
  const digits = start === -1 ? Buffer.alloc(0) : value.subarray(start)
  return sshString((digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits)
}

/** Reads pieces one after the other; each read throws RangeError when the bytes end before the piece does. */
export class SshReader {
  readonly #bytes: Buffer
  #position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  uint32(): number {
    if (this.#position + 4 > this.#bytes.length) throw new RangeError('it ends too early')
    const value = this.#bytes.readUInt32BE(this.#position)
    this.#position += 4
    return value
  }

  uint64(): bigint {
    const high = this.uint32()
    return (BigInt(high) << 32n) | BigInt(this.uint32())
  }

  string(): Buffer {
    const length = this.uint32()
    const end = this.#position + length
    if (end > this.#bytes.length) throw new RangeError('it ends too early')
    const value = this.#bytes.subarray(this.#position, end)
    this.#position = end
    return value
  }

  /** Bytes of a positive number without zeros in front. */
  mpint(): Buffer {
    const bytes = this.string()
    const start = bytes.findIndex((byte) => byte !== 0)
    if (start === -1 || (bytes[0] as number) >= 0x80) throw new RangeError('a number is not positive')
    return bytes.subarray(start)
  }

  /** Whether everything has been read. */
  get atEnd(): boolean {
    return this.#position === this.#bytes.length
  }
}
