import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { decodeYBase64, encodeYBase64, parseYBase64 } from '#core/crypto/ybase64.ts'
import { ServiceError } from '#core/error/service-error.ts'

const VECTORS: [bytes: number[], text: string][] = [
  [[0xfb, 0xef, 0xbe], '....'],
  [[0xff, 0xff, 0xff], '____'],
  [[0xff, 0xff], '__8-'],
  [[0xfb], '.w--'],
  [[0x61, 0x62, 0x63], 'YWJj'],
]

describe('encodeYBase64', () => {
  for (const [bytes, text] of VECTORS) {
    it(`writes ${text}`, () => assert.equal(encodeYBase64(Uint8Array.from(bytes)), text))
  }

  it('takes a string as UTF-8', () => assert.equal(encodeYBase64('é'), 'w6k-'))

  it('respects the window of a typed array', () => {
    assert.equal(encodeYBase64(Uint8Array.from([1, 0x61, 0x62, 0x63, 2]).subarray(1, 4)), 'YWJj')
  })
})

describe('decodeYBase64', () => {
  for (const [bytes, text] of VECTORS) {
    it(`reads ${text}`, () => assert.deepEqual([...decodeYBase64(text)], bytes))
  }

  it('gives back what was encoded, and only one text decodes to it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        assert.deepEqual(new Uint8Array(decodeYBase64(encodeYBase64(bytes))), bytes)
      }),
    )
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/), (text) => {
        const bytes = parseYBase64(text)
        if (typeof bytes !== 'string') assert.equal(encodeYBase64(bytes), text)
      }),
    )
  })

  const refused: [name: string, text: string, reason: RegExp][] = [
    ['an empty text', '', /empty/],
    ['plain base64', 'a+b/cw==', /plain base64 where ybase64 is expected: write '\.' for '\+'/],
    ['plain base64 in lines', 'YWJj\nYWJj', /plain base64 where ybase64 is expected/],
    ['a foreign character', 'YWJ!', /a character outside/],
    ['a character beyond ASCII', 'YWJé', /a character outside/],
    ['a truncated text', 'YWJjY', /multiple of four/],
    ['padding in the middle', 'YW--YWJj', /misplaced padding/],
    ['padding alone', '----', /misplaced padding/],
    ['surplus bits', 'YWK-'.replace('K', 'L'), /surplus bits/],
  ]
  for (const [name, text, reason] of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => decodeYBase64(text),
        (error) => error instanceof ServiceError && error.status === 400 && reason.test(error.message),
      )
    })
  }
})
