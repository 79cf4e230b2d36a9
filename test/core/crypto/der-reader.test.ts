import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DerError, DerReader, derTags, idOf, readOid } from '#core/crypto/der-reader.ts'

const readerOf = (hexadecimal: string) => new DerReader(Buffer.from(hexadecimal.replaceAll(' ', ''), 'hex'))

describe('DerReader', () => {
  it('reads values one after the other', () => {
    const reader = readerOf('30 06 02 01 05 01 01 ff 05 00')
    const inner = reader.enter()
    assert.deepEqual(inner.next(derTags.integer).content, Buffer.from([5]))
    assert.equal(inner.nextTag, derTags.boolean)
    assert.deepEqual(inner.next().bytes, Buffer.from([1, 1, 0xff]))
    inner.end()
    assert.equal(reader.done, false)
    assert.equal(reader.next(derTags.null).content.length, 0)
    reader.end()
    assert.equal(reader.nextTag, undefined)
  })

  it('reads lengths of several bytes', () => {
    assert.equal(readerOf(`04 81 80 ${'00'.repeat(0x80)}`).next().content.length, 0x80)
    assert.equal(readerOf(`04 82 01 00 ${'00'.repeat(0x100)}`).next().content.length, 0x100)
  })

  it('compares object identifiers by their content', () => {
    assert.equal(readOid(readerOf('06 03 55 1d 11')), idOf('2.5.29.17'))
  })

  for (const bytes of ['06 00', '06 01 80', '06 02 55 80', '06 03 55 80 01']) {
    it(`refuses the object identifier ${bytes}`, () => {
      assert.throws(() => readOid(readerOf(bytes)), new DerError('it has a malformed object identifier'))
    })
  }

  const refused: readonly [string, string, string][] = [
    ['nothing', '', 'it ends too early'],
    ['a tag alone', '30', 'it ends too early'],
    ['a value shorter than it says', '04 02 00', 'it ends too early'],
    ['a length shorter than it says', '04 82 01', 'it ends too early'],
    ['an indefinite length', '30 80 05 00 00 00', 'it has an indefinite length'],
    ['a long form for a short length', '04 81 01 00', 'it has a length that is not in its shortest form'],
    [
      'a length with a zero in front',
      `04 82 00 80 ${'00'.repeat(0x80)}`,
      'it has a length that is not in its shortest form',
    ],
    ['a length beyond all memory', '04 84 ff ff ff ff', 'it ends too early'],
    ['a length of five bytes', '04 85 01 00 00 00 00', 'it has a length beyond all bounds'],
    ['a tag of two bytes', '1f 81 00 00', 'it has a tag of more than one byte'],
    ['an end-of-contents mark', '00 00', 'it has an end-of-contents mark'],
  ]
  for (const [what, bytes, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => readerOf(bytes).next(), new DerError(message))
    })
  }

  it('refuses another type than the one asked for, and what stands behind the end', () => {
    assert.throws(() => readerOf('04 00').next(derTags.sequence), /type 0x04 for 0x30/)
    const reader = readerOf('05 00 05 00')
    reader.next()
    assert.throws(() => reader.end(), new DerError('it has something behind its end'))
  })

  it('refuses a bit string with unused bits, or without its first byte', () => {
    assert.deepEqual(readerOf('03 02 00 aa').wholeBits(), Buffer.from([0xaa]))
    assert.throws(() => readerOf('03 02 01 aa').wholeBits(), /not of whole bytes/)
    assert.throws(() => readerOf('03 00').wholeBits(), /not of whole bytes/)
  })

  it('gives back the bytes that it read, whatever they are, or says why not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const buffer = Buffer.from(bytes)
        try {
          const { bytes: read, content } = new DerReader(buffer).next()
          assert.ok(
            buffer.subarray(0, read.length).equals(read) &&
              read.subarray(-content.length || read.length).equals(content),
          )
        } catch (error) {
          assert.ok(error instanceof DerError, String(error))
        }
      }),
    )
  })
})
