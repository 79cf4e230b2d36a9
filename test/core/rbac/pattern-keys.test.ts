import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { Glob, isGlob } from '#core/rbac/glob.ts'
import { PatternKeys } from '#core/rbac/pattern-keys.ts'

const matches = (pattern: string, text: string) =>
  isGlob(pattern) ? new Glob(pattern).matches(text) : pattern === text

describe('keys of patterns', () => {
  test('miss no pattern that matches, and give ascending positions', () => {
    const part = fc.constantFrom('a', 'b', 'ab', ':', '.', 'ü', '🙂', '*', '?')
    const pattern = fc.array(part, { maxLength: 4 }).map((parts) => parts.join(''))
    const text = pattern.map((each) => each.replaceAll('*', 'ab').replaceAll('?', 'b'))
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 40 }), text, (patterns, about) => {
        const found = PatternKeys.of(patterns)?.candidates(about)
        assert.ok(found)
        assert.deepEqual(
          found,
          [...found].sort((a, b) => a - b),
        )
        const missed = patterns.filter((each, position) => matches(each, about) && !found.includes(position))
        assert.deepEqual(missed, [])
      }),
      { numRuns: 2000 },
    )
  })

  test('leave out what cannot match', () => {
    const patterns = ['sports:a', 'sports:b', 'sports:a*', 'sports:b*', '*', 'sports:a?c', 'sports:abc']
    assert.deepEqual(PatternKeys.of(patterns)?.candidates('sports:a'), [0, 2, 4, 5])
    assert.deepEqual(PatternKeys.of(patterns)?.candidates('sports:abc'), [2, 4, 5, 6])
    assert.deepEqual(PatternKeys.of(patterns)?.candidates('s'), [4])
    assert.deepEqual(PatternKeys.of([])?.candidates('s'), [])
  })

  test('are not made of globs that begin in many lengths', () => {
    const globs = (count: number) => Array.from({ length: count }, (_, length) => `${'a'.repeat(length)}*`)
    assert.deepEqual(PatternKeys.of(globs(8))?.candidates('aa'), [0, 1, 2])
    assert.equal(PatternKeys.of(globs(9)), undefined)
  })
})
