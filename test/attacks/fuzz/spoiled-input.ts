import * as fc from 'fast-check'
import type { FuzzTarget } from './fuzz-target.ts'

/** Longer inputs are cut off. */
export const INPUT_MAX_BYTES = 65_536
/** Places are drawn from as many as this and then scaled to the length that an input has by then. */
const PLACES = 0x1_0000
const REPEATS_MAX = 400

/** A change of an input. */
type Change = (input: Buffer) => Buffer

/** Bytes that lengths, tags, escapes and separators are made of. */
const TELLING_BYTES = [
  0x00, 0x01, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2a, 0x2b, 0x2e, 0x2f, 0x30, 0x3b, 0x3d, 0x5c, 0x7b, 0x7f, 0x80, 0x81,
  0x82, 0x84, 0xa0, 0xc0, 0xed, 0xfe, 0xff,
]

const place = fc.nat(PLACES - 1)
const at = (input: Buffer, drawn: number): number => Math.floor((drawn / PLACES) * (input.length + 1))

const put = (input: Buffer, start: number, end: number, bytes: Buffer): Buffer =>
  Buffer.concat([input.subarray(0, start), bytes, input.subarray(end)])

function changes({ words, seeds }: FuzzTarget): fc.Arbitrary<Change> {
  const bits = fc.tuple(place, fc.nat(7)).map(
    ([drawn, bit]): Change =>
      (input) => {
        if (input.length === 0) return input
        const changed = Buffer.from(input)
        const index = Math.min(at(input, drawn), input.length - 1)
        changed[index] = (changed[index] as number) ^ (1 << bit)
        return changed
      },
  )
  const replaced = fc.tuple(place, fc.nat(8), fc.uint8Array({ maxLength: 8 })).map(
    ([drawn, drop, bytes]): Change =>
      (input) =>
        put(input, at(input, drawn), at(input, drawn) + drop, Buffer.from(bytes)),
  )
  const byte = fc.tuple(place, fc.constantFrom(...TELLING_BYTES)).map(
    ([drawn, value]): Change =>
      (input) =>
        put(input, at(input, drawn), at(input, drawn) + 1, Buffer.of(value)),
  )
  const cutOff = place.map(
    (drawn): Change =>
      (input) =>
        input.subarray(0, at(input, drawn)),
  )
  const removed = fc.tuple(place, place).map(
    ([from, to]): Change =>
      (input) =>
        put(input, Math.min(at(input, from), at(input, to)), Math.max(at(input, from), at(input, to)), Buffer.alloc(0)),
  )
  const repeated = fc.tuple(place, fc.nat(32), fc.integer({ min: 2, max: REPEATS_MAX })).map(
    ([drawn, length, times]): Change =>
      (input) => {
        const start = at(input, drawn)
        const piece = input.subarray(start, start + length)
        return put(input, start, start, Buffer.concat(Array.from({ length: times }, () => piece)))
      },
  )
  const spliced = fc.tuple(place, place, fc.nat(seeds.length - 1)).map(
    ([from, to, other]): Change =>
      (input) => {
        const tail = seeds[other] as Buffer
        return Buffer.concat([input.subarray(0, at(input, from)), tail.subarray(at(tail, to))])
      },
  )
  const word = fc.tuple(place, fc.nat(4), fc.constantFrom(...words), fc.integer({ min: 1, max: 4 })).map(
    ([drawn, drop, text, times]): Change =>
      (input) => {
        const pieces = Array.from({ length: times }, () => (typeof text === 'string' ? Buffer.from(text) : text))
        return put(input, at(input, drawn), at(input, drawn) + drop, Buffer.concat(pieces))
      },
  )
  return fc.oneof(
    { arbitrary: bits, weight: 4 },
    { arbitrary: byte, weight: 4 },
    { arbitrary: replaced, weight: 2 },
    { arbitrary: word, weight: 4 },
    { arbitrary: removed, weight: 1 },
    { arbitrary: cutOff, weight: 1 },
    { arbitrary: repeated, weight: 1 },
    { arbitrary: spliced, weight: 1 },
  )
}

/** Inputs for a target: good ones with a few changes, and some that were never good. */
export function spoiledInput(target: FuzzTarget): fc.Arbitrary<Buffer> {
  const change = changes(target)
  const seed = fc.constantFrom(...target.seeds)
  const start = target.grammar
    ? fc.oneof({ arbitrary: seed, weight: 3 }, { arbitrary: target.grammar, weight: 1 })
    : seed
  const spoiled = fc
    .tuple(start, fc.array(change, { minLength: 1, maxLength: 5 }))
    .map(([good, list]) => list.reduce((input, each) => each(input).subarray(0, INPUT_MAX_BYTES), good))
  const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
  return fc.oneof({ arbitrary: spoiled, weight: 30 }, { arbitrary: noise, weight: 1 })
}
