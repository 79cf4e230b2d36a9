import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Glob } from '#core/rbac/glob.ts'
import { covers, overlaps } from '#core/rbac/pattern-relations.ts'

const TEXTS = ['', ...words(4)]
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 5 })
const matched = (glob: string) => TEXTS.filter((text) => new Glob(glob).matches(text))

/** All words over two letters up to a length. */
function words(length: number): string[] {
  if (length === 0) return []
  const shorter = words(length - 1)
  const longest = shorter.filter((word) => word.length === length - 1)
  const stems = length === 1 ? [''] : longest
  return [...shorter, ...stems.flatMap((word) => [`${word}a`, `${word}b`])]
}

describe('covers', () => {
  for (const [outer, inner, expected] of [
    ['sports:*', 'sports:thing.*', true],
    ['sports:thing.*', 'sports:*', false],
    ['*', 'a?c*', true],
    ['a?', 'a*', false],
    ['a*c', 'a*b*c', true],
    ['a?*', 'a*', false],
    ['a*', 'a?*', true],
    ['read', 'read', true],
    ['read', 'rea?', false],
  ] as const) {
    test(`${outer} ${expected ? 'covers' : 'does not cover'} ${inner}`, () => {
      assert.equal(covers(outer, inner), expected)
    })
  }

  test('is never wrong when it says yes', () => {
    fc.assert(
      fc.property(pattern, pattern, (outer, inner) => {
        if (!covers(outer, inner)) return
        const glob = new Glob(outer)
        assert.deepEqual(
          matched(inner).filter((text) => !glob.matches(text)),
          [],
        )
      }),
    )
  })
})

describe('overlaps', () => {
  test('is what texts say that both match', () => {
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        const both = matched(a).some((text) => new Glob(b).matches(text))
        if (both) assert.equal(overlaps(a, b), true)
        assert.equal(overlaps(a, b), overlaps(b, a))
      }),
    )
  })

  test('is not seen where no text is matched by both', () => {
    // With these short patterns, a text that both match has no more letters than both have characters.
    const short = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 2 })
    fc.assert(
      fc.property(short, short, (a, b) => {
        const both = matched(a).some((text) => new Glob(b).matches(text))
        assert.equal(overlaps(a, b), both)
      }),
    )
  })
})

describe('very long patterns', () => {
  const [stars, letters] = ['*'.repeat(7000), '*a'.repeat(30_000)]

  test('are not compared for long, and what is not known is said on the safe side', () => {
    const startMillis = performance.now()
    assert.equal(covers(stars, letters), false)
    assert.equal(overlaps(stars, letters), true)
    assert.equal(overlaps('*a'.repeat(500), '*b'.repeat(450)), false)
    assert.equal(overlaps('*'.repeat(1000), '*'.repeat(1000)), true)
    assert.ok(performance.now() - startMillis < 1000)
  })
})
