/**
 * Finds the first place where a text fits a sequence of literal UTF-16 code units and jokers (which fit any unit), by
 * the bit-parallel shift-and method: one step per unit of the text for every 32 units of the sequence, never more.
 */
export class JokerSearch {
  readonly #length: number
  /** For a unit: which places of the sequence accept it, as bits. */
  readonly #accepting = new Map<number, Int32Array>()
  /** The same for units that the sequence does not contain: the jokers. */
  readonly #jokers: Int32Array

  constructor(sequence: string, joker: number) {
    this.#length = sequence.length
    this.#jokers = new Int32Array(Math.ceil(sequence.length / 32))
    for (let i = 0; i < sequence.length; i++) if (sequence.charCodeAt(i) === joker) setBit(this.#jokers, i)
    for (let i = 0; i < sequence.length; i++) {
      const unit = sequence.charCodeAt(i)
      if (unit === joker) continue
      let places = this.#accepting.get(unit)
      if (places === undefined) this.#accepting.set(unit, (places = this.#jokers.slice()))
      setBit(places, i)
    }
  }

  /** Index in text of the first fit that lies within from (inclusive) and end (exclusive), or -1. */
  find(text: string, from: number, end: number): number {
    const words = this.#jokers.length
    const lastBit = 1 << ((this.#length - 1) % 32)
    // Bit i is set while the units just read fit the first i + 1 places.
    const state = new Int32Array(words)
    for (let at = from; at < end; at++) {
      const places = this.#accepting.get(text.charCodeAt(at)) ?? this.#jokers
      let carry = 1
      for (let word = 0; word < words; word++) {
        const before = state[word] as number
        state[word] = ((before << 1) | carry) & (places[word] as number)
        carry = before >>> 31
      }
      if (((state[words - 1] as number) & lastBit) !== 0) return at - this.#length + 1
    }
    return -1
  }
}

function setBit(bits: Int32Array, index: number): void {
  const word = index >>> 5
  bits[word] = (bits[word] as number) | (1 << (index % 32))
}
