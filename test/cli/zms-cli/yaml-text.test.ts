import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { quotedText, type YamlValue, yamlText } from '../../../src/cli/zms-cli/yaml-text.ts'

/** What the reader of this test takes for a number, as YAML 1.1 words its pattern, and then cannot tell which. */
const NUMBER_WITHOUT_DIGITS = /^[-+]?(?:\._*|(?:\._*)?[eE][-+]?\d+)$/

describe('YAML in the form of the original', () => {
  test('lists stand under their name, maps right of it', () => {
    const value = { name: 'a', list: ['x', { b: 1, c: ['z'] }, []], map: { d: { e: true } }, none: {}, nothing: null }
    assert.equal(
      yamlText(value),
      'name: a\nlist:\n- x\n- b: 1\n  c:\n  - z\n- []\nmap:\n  d:\n    e: true\nnone: {}\nnothing: null\n',
    )
    assert.equal(yamlText(['a', 'b']), '- a\n- b\n')
    assert.equal(yamlText([]), '[]\n')
    assert.equal(yamlText('text'), 'text\n')
  })

  test('texts are quoted only when they need it', () => {
    const written: readonly (readonly [text: string, yaml: string])[] = [
      ['plain words', 'plain words'],
      ['[done]', "'[done]'"],
      ["it's: so", "'it''s: so'"],
      ['a #b', "'a #b'"],
      ['a#b', 'a#b'],
      ['- x', "'- x'"],
      ['-x', '-x'],
      [' x', "' x'"],
      ['', '""'],
      ['0', '"0"'],
      ['1_000', '"1_000"'],
      ['0x1f', '"0x1f"'],
      ['12:30', '"12:30"'],
      ['2027-01-02T03:04:05.678Z', '"2027-01-02T03:04:05.678Z"'],
      ['yes', '"yes"'],
      ['Off', '"Off"'],
      ['~', '"~"'],
      ['tab\t', '"tab\\t"'],
      ['\u0001', '"\\x01"'],
      ['line\n', '|\n  line'],
      ['a\nb', '|-\n  a\n  b'],
      // No numbers, though the pattern of YAML 1.1 admits a point alone; the original writes them bare too.
      ['.', '.'],
      ['e5', 'e5'],
    ]
    for (const [text, yaml] of written) assert.equal(yamlText({ text }), `text: ${yaml}\n`, text)
  })

  test('a long text is broken at the first blank behind column 80', () => {
    const message = "no domain specified. Use -d argument to specify the domain. Type 'zms-cli' to see help information"
    assert.equal(
      yamlText({ message }),
      "message: no domain specified. Use -d argument to specify the domain. Type 'zms-cli'\n  to see help information\n",
    )
  })

  test('is read back as it was', () => {
    const text = fc
      .oneof(
        fc.string({ unit: fc.constantFrom(...Array.from(' :#-\'"?,[]{}!&*%@\\a0.~y_')), maxLength: 120 }),
        fc.string({ unit: 'grapheme', maxLength: 40 }),
      )
      .filter((drawn) => !NUMBER_WITHOUT_DIGITS.test(drawn))
    const value: fc.Arbitrary<YamlValue> = fc.letrec<{ value: YamlValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        text,
        fc.integer(),
        fc.boolean(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie('value'), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).value
    fc.assert(
      fc.property(value, (given) => {
        assert.deepEqual(parse(yamlText(given), { version: '1.1' }), given)
      }),
    )
  })

  test('a value in the form for people is quoted only where it would be no text', () => {
    const written: readonly (readonly [text: string, yaml: string])[] = [
      ['true', 'true'],
      ['0', '0'],
      ['a: b', "'a: b'"],
      ['*', "'*'"],
      ['two\nlines', '"two\\nlines"'],
    ]
    for (const [text, yaml] of written) assert.equal(quotedText(text), yaml)
  })
})
