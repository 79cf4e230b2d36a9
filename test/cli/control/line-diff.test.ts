import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { lineDiff } from '../../../src/cli/control/line-diff.ts'

const shown = (before: string, after: string) => lineDiff(before, after).map(({ sign, text }) => `${sign}${text}`)

describe('the difference of two texts', () => {
  test('keeps the lines that both have', () => {
    assert.deepEqual(shown('a\nb\nc\n', 'a\nx\nc\nd\n'), [' a', '-b', '+x', ' c', '+d'])
  })

  test('a text that was not there is new as a whole, one that is no more is gone as a whole', () => {
    assert.deepEqual(shown('', 'a\nb\n'), ['+a', '+b'])
    assert.deepEqual(shown('a\nb\n', ''), ['-a', '-b'])
    assert.deepEqual(shown('', ''), [])
  })

  test('gives both texts back, and never more lines than replacing everything', () => {
    const line = fc.constantFrom('a', 'b', 'c', 'd')
    const text = fc.array(line, { maxLength: 12 })
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = lineDiff(before.join('\n'), after.join('\n'))
        const side = (sign: '-' | '+') => lines.filter((each) => each.sign !== sign).map((each) => each.text)
        assert.deepEqual(side('+'), before)
        assert.deepEqual(side('-'), after)
        assert.ok(lines.length <= before.length + after.length)
      }),
    )
  })

  test('very long texts are replaced as a whole', () => {
    const long = Array.from({ length: 2001 }, (_, at) => `line ${at}`).join('\n')
    const lines = lineDiff(long, 'x')
    assert.equal(lines.length, 2002)
    assert.deepEqual(lines.at(-1), { sign: '+', text: 'x' })
  })
})
