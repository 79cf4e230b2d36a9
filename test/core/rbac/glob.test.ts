import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { Glob, isGlob, literalPrefix, patternsAfter } from '#core/rbac/glob.ts'
import { naiveGlob } from './naive-model.ts'

/** Pattern, texts that match, texts that do not; each checked against `String.matches` of a Java runtime. */
const CASES: readonly (readonly [pattern: string, matching: readonly string[], other: readonly string[]])[] = [
  ['', [''], ['a', '\n']],
  ['abc', ['abc'], ['', 'ab', 'abcd', 'ABC', ' abc', 'abc\n']],
  [
    '*',
    ['', 'a', 'a.b:c', '*', '?', '\0', '\t', '\v', '\f', '😀'],
    ['\n', 'a\n', '\ra', 'a\u0085b', '\u2028', '\u2029'],
  ],
  ['**', ['', 'a', 'aa'], ['\n']],
  ['?', ['a', '?', '*', '.', 'é', '😀', '\0'], ['', 'ab', '\n', '\r', '\u0085', '\u2028', '\u2029']],
  ['??', ['ab', '😀😀', 'a😀'], ['a', 'abc', '😀']],
  ['*?', ['a', 'abc', '😀'], ['']],
  ['*??', ['ab', '😀😀', '😀a'], ['', 'a', '😀']],
  ['?*?', ['ab', 'abc', '😀😀'], ['', 'a', '😀']],
  ['abc*', ['abc', 'abcd', 'abc.d:e', 'abc*'], ['ab', 'xabc', 'abc\n', 'abcd\nabc']],
  ['*abc', ['abc', 'xabc', 'abcabc'], ['ab', 'abcx', '\nabc', 'x\nabc']],
  ['a*c', ['ac', 'abc', 'abcbc', 'a*c'], ['a', 'c', 'abcd', 'a\nc', 'acx']],
  ['aba*aba', ['abaaba', 'abaxaba'], ['aba', 'ababa', 'abaab']],
  ['a*b*c', ['abc', 'axbxc', 'abcbc', 'abbc'], ['acb', 'ac', 'bc', 'ab\nc']],
  ['*a*a*a*b', ['aaab', 'xaxaxaxb', 'aaaab'], ['aab', 'aaa', 'aaaba']],
  ['*a?c*', ['abc', 'xabcx', 'aabc', 'aXcabc', 'a😀c', 'aa?c'], ['ac', 'a\nc', 'abbc']],
  ['*a??d*?', ['abcde', 'aabcdxd', 'a😀😀d😀'], ['abcd', 'a😀de']],
  ['a?c', ['abc', 'a?c', 'a😀c'], ['ac', 'abbc', 'a\nc', 'a\u2029c']],
  ['a.c', ['a.c'], ['abc']],
  ['a+', ['a+'], ['aa', 'a']],
  ['(a|b)', ['(a|b)'], ['a', 'b']],
  ['[a-z]*', ['[a-z]', '[a-z]x'], ['b', 'bx']],
  ['a{2}', ['a{2}'], ['aa']],
  ['*}', ['}', 'a}'], ['a', '}a']],
  ['*]', [']', 'a]'], ['a']],
  ['^a$', ['^a$'], ['a']],
  ['\\*', ['\\', '\\x', '\\*'], ['*', 'x']],
  ['\\?', ['\\x', '\\?'], ['?', '\\']],
  ['a\\b', ['a\\b'], ['ab']],
  ['-&&#', ['-&&#'], ['']],
  ['straße*', ['straße', 'straßenbahn'], ['strasse', 'STRASSE']],
  ['caf?', ['café', 'cafe'], ['cafe\u0301', 'caf']],
  ['a\n*', ['a\n', 'a\nb'], ['a', 'ab', 'a\nb\n', 'a\r\nb', 'a\rb']],
  ['a*\n*b', ['a\nb', 'ax\nxb'], ['ab', 'a\n\nb', 'a\r\nb', 'a\nx\nb']],
  ['a?\r\nb', ['ax\r\nb'], ['a\r\nb', 'a\r\r\nb', 'ax\nb']],
  ['*😀', ['😀', 'a😀'], ['😁', '😀a', '']],
  ['?😀*', ['a😀', '😁😀b'], ['😀', '😀😁', 'a😁']],
  ['a*😀?', ['a😀b', 'a😀😀', 'a😁😀😁'], ['a😀', 'a😁😁']],
]

const textOf = (...units: string[]) => fc.string({ unit: fc.constantFrom(...units), minLength: 30, maxLength: 70 })

function bestMillis(job: () => void): number {
  const runs = Array.from({ length: 5 }, () => {
    const start = performance.now()
    job()
    return performance.now() - start
  })
  return Math.min(...runs)
}

describe('a glob', () => {
  for (const [pattern, matching, other] of CASES) {
    test(`${JSON.stringify(pattern)} matches what the peer's does`, () => {
      const glob = new Glob(pattern)
      for (const text of matching) assert.equal(glob.matches(text), true, JSON.stringify(text))
      for (const text of other) assert.equal(glob.matches(text), false, JSON.stringify(text))
    })
  }

  test('agrees with a simple matcher on any pattern and text', () => {
    const letters = fc.constantFrom('a', 'b', '*', '?', '\n', '\u2028', '.', '😀', '😁')
    const pattern = fc.string({
      unit: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'b', '*', '?') }, letters),
    })
    const text = fc.string({ unit: fc.oneof({ weight: 4, arbitrary: fc.constantFrom('a', 'b') }, letters) })
    fc.assert(
      fc.property(pattern, text, (p, t) => new Glob(p).matches(t) === naiveGlob(p, t)),
      { numRuns: 20_000 },
    )
  })

  test('agrees with it on long stretches with `?`', () => {
    fc.assert(
      fc.property(textOf('a', 'a', '?'), textOf('a', 'a', 'b'), textOf('a', 'b'), (stretch, before, after) => {
        const pattern = `*${stretch}*b`
        const fitting = before + stretch.replaceAll('?', 'a') + after
        return [fitting, before + after].every((t) => new Glob(pattern).matches(t) === naiveGlob(pattern, t))
      }),
    )
  })

  test('may let a single final `*` cross lines, as clients do', () => {
    const options = { trailingStarCrossesLines: true }
    assert.ok(new Glob('*', options).matches('a\nb'))
    assert.ok(new Glob('a*', options).matches('a\r\nb'))
    assert.ok(new Glob('a\nb*', options).matches('a\nb\nc'))
    assert.ok(!new Glob('a*', options).matches('b\n'))
    for (const pattern of ['*a', 'a*b', '?*', 'a**']) assert.ok(!new Glob(pattern, options).matches('a\nb'), pattern)
  })

  test('with more different characters than there are substitutes still matches the first two thousand', () => {
    const many = String.fromCodePoint(...Array.from({ length: 2_100 }, (_, i) => 0x10000 + i))
    const pattern = new Glob(`?${many}*`)
    assert.ok(!pattern.matches(`a${many.slice(0, -2)}😀`))
    assert.ok(!pattern.matches(`a${many.slice(2)}`))
    assert.ok(new Glob(`?${many.slice(0, 4_000)}*`).matches(`a${many}`))
  })
})

describe('time', () => {
  const HOSTILE = {
    'stars and letters': `${'*a'.repeat(200)}*c*b`,
    'stars and pairs': `${'*aa'.repeat(200)}*ac*b`,
    'a long stretch': `*${'a'.repeat(500)}c*b`,
    'a long stretch that begins with what is missing': `*c${'a'.repeat(500)}*b`,
    'a long stretch with jokers': `*${'a?'.repeat(250)}c*b`,
    'jokers only': `*${'?'.repeat(400)}*c*b`,
    everything: `${'*a?'.repeat(100)}*${'a'.repeat(100)}c*?b`,
  }
  for (const [name, pattern] of Object.entries(HOSTILE)) {
    test(`grows linearly with the text: ${name}`, () => {
      const glob = new Glob(pattern)
      const shortMillis = bestMillis(() => glob.matches(`${'a'.repeat(20_000)}b`))
      // Ten times the text; a quadratic matcher would take a hundred times as long.
      const longMillis = bestMillis(() => glob.matches(`${'a'.repeat(200_000)}b`))
      assert.ok(longMillis < 40 * Math.max(shortMillis, 0.2), `${shortMillis} → ${longMillis} ms`)
    })
  }
})

test('what remains of a pattern after a prefix matches what follows the prefix', () => {
  assert.deepEqual(patternsAfter('sports:data.*', 'sports:'), ['data.*'])
  assert.deepEqual(patternsAfter('media:*', 'sports:'), [])
  assert.deepEqual(patternsAfter('*:data', 'sports:').toSorted(), ['*:data', 'data'])
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ':', '😀'), maxLength: 4 })
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', ':', '*', '*', '?', '😀'), maxLength: 7 })
  fc.assert(
    fc.property(pattern, text, text, (whole, prefix, rest) => {
      const remaining = patternsAfter(whole, prefix).some((each) => naiveGlob(each, rest))
      assert.equal(remaining, naiveGlob(whole, prefix + rest))
    }),
    { numRuns: 3000 },
  )
})

test('isGlob and literalPrefix tell patterns from literals', () => {
  assert.deepEqual(['a.b', 'a*', 'a?b', ''].map(isGlob), [false, true, true, false])
  assert.deepEqual(['a.b', 'a*b', 'a?b*', '*', ''].map(literalPrefix), ['a.b', 'a', 'a', '', ''])
})
