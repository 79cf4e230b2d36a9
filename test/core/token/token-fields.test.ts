import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { parseRoleToken } from '#core/token/role-token.ts'
import { isCompoundName, joinFields, parseSeconds, scanFields } from '#core/token/token-fields.ts'

/** Texts that look like tokens: fields in any order and number, with damage. */
const tokenLike = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('v=S1', 'v=Z1', 'd=a.b', 'n=c', 'r=x,y', 'e=1', 't=1', 's=YWJj', 'bs=YWJj'),
      },
      { weight: 2, arbitrary: fc.constantFrom('', '=', ';', 'k', 'k=', '=v', 'b=,', 'bn=x.y', 'bk=', '__proto__=1') },
      { weight: 1, arbitrary: fc.string() },
    ),
    { maxLength: 20 },
  )
  .map((items) => items.join(';'))

describe('token parsers', () => {
  for (const [name, parse] of [
    ['parsePrincipalToken', parsePrincipalToken],
    ['parseRoleToken', parseRoleToken],
  ] as const) {
    it(`${name} never throws and always says why it refuses`, () => {
      fc.assert(
        fc.property(fc.oneof(tokenLike, fc.string({ unit: 'binary' })), (text) => {
          const parsed = parse(text)
          if (!parsed.ok) assert.ok(parsed.failure.reason.length > 0 && parsed.failure.reason.length < 400)
        }),
        { numRuns: 2000 },
      )
    })

    it(`${name} reads only what the signature covers`, () => {
      fc.assert(
        fc.property(tokenLike, (text) => {
          const parsed = parse(text)
          if (parsed.ok) assert.ok(text.startsWith(`${parsed.token.signedText};s=${parsed.token.signature}`))
        }),
        { numRuns: 2000 },
      )
    })

    it(`${name} takes linear time`, () => {
      const hostile = [
        ';'.repeat(1_000_000),
        'a=1;'.repeat(250_000),
        `d=${'a.'.repeat(500_000)}`,
        `v=Z1;d=${'a-'.repeat(3_000)}!;n=c;r=x;e=1;s=YWJj`,
        `v=Z1;d=a;n=c;r=${'x,'.repeat(500_000)};e=1;s=YWJj`,
        `s=${'-'.repeat(1_000_000)}`,
        '='.repeat(1_000_000),
      ]
      const started = performance.now()
      for (const text of hostile) assert.equal(parse(text).ok, false)
      assert.ok(performance.now() - started < 1000)
    })
  }
})

describe('joinFields', () => {
  it('leaves out fields without a value', () => {
    assert.equal(
      joinFields([
        ['v', 'S1'],
        ['h', undefined],
        ['i', ''],
        ['t', 0],
      ]),
      'v=S1;t=0',
    )
  })

  for (const value of ['a;d=sys.auth', 'a=b', 'a b', 'a\nb', 'é', '\0']) {
    it(`refuses the value ${JSON.stringify(value)}`, () => {
      assert.throws(() => joinFields([['h', value]]), { name: 'RangeError', message: /token field h/ })
    })
  }

  it('writes what scanFields reads', () => {
    const value = fc.stringMatching(/^[!-:<>-~]{1,20}$/)
    const entries = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,4}$/), value), {
      selector: ([key]) => key,
      minLength: 1,
    })
    fc.assert(
      fc.property(entries, (fields) => {
        const scanned = scanFields(joinFields(fields), 100_000)
        assert.ok(scanned.ok)
        assert.deepEqual(
          [...scanned.token].map(([key, field]) => [key, field.value]),
          fields,
        )
      }),
    )
  })
})

describe('parseSeconds', () => {
  for (const [text, expected] of [
    ['0', 0],
    ['1700000000', 1_700_000_000],
    ['999999999999999', 999_999_999_999_999],
    ['1000000000000000', undefined],
    ['', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['١', undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as ${expected}`, () => assert.equal(parseSeconds(text), expected))
  }
})

describe('isCompoundName', () => {
  for (const name of ['a', 'sys.auth', 'A_1-x.y', '0.1']) {
    it(`accepts ${name}`, () => assert.equal(isCompoundName(name), true))
  }
  for (const name of ['', '.', 'a.', '.a', 'a..b', '-a', 'a:b', 'a/b', 'a*', 'a\n', 'ä']) {
    it(`refuses ${JSON.stringify(name)}`, () => assert.equal(isCompoundName(name), false))
  }
})
