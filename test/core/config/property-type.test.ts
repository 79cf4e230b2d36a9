import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as types from '#core/config/property-type.ts'
import { uriListIncludes } from '#core/config/uri-list.ts'

const read = <Value>(type: types.PropertyType<Value>, text: string): Value | string => {
  const result = type.safeParse(text)
  return result.success ? result.data : `refused: ${result.error.issues.map((issue) => issue.message).join()}`
}

const table = <Value>(
  name: string,
  type: types.PropertyType<Value>,
  cases: readonly (readonly [string, unknown])[],
) => {
  describe(name, () => {
    for (const [text, expected] of cases) {
      it(JSON.stringify(text), () => {
        const value = read(type, text)
        if (expected instanceof RegExp) assert.match(String(value), expected)
        else assert.deepEqual(value, expected)
      })
    }
  })
}

table('a switch is true only as "true" in any letters', types.booleanType, [
  ['true', true],
  ['TRUE', true],
  ['tRuE', true],
  ['false', false],
  ['', false],
  ['yes', false],
  ['1', false],
  ['true ', false],
])

table('a whole number', types.integerType(-5, 100), [
  ['0', 0],
  ['42', 42],
  ['+42', 42],
  ['-5', -5],
  ['007', 7],
  ['', /^refused: is empty \(write a whole number/],
  ['4 2', /^refused: "4 2" is not a whole number \(write digits only\)$/],
  ['42 ', /not a whole number/],
  ['1e2', /not a whole number/],
  ['0x10', /not a whole number/],
  ['4.2', /not a whole number/],
  ['10_000', /not a whole number/],
  ['٣', /not a whole number/],
  ['101', /^refused: 101 is out of range \(write -5 to 100\)$/],
  ['-6', /out of range/],
  ['99999999999999999999', /not a whole number/],
])

table('a port', types.portType, [
  ['0', 0],
  ['-1', 0],
  ['4443', 4443],
  ['65535', 65535],
  ['65536', /^refused: 65536 is not a port \(write 0 to 65535\)$/],
  ['https', /not a port/],
  ['', /not a port/],
])

table('a number of workers', types.workersType, [
  ['auto', 'auto'],
  [' auto ', 'auto'],
  ['0', 0],
  ['1', 1],
  ['256', 256],
  ['257', /^refused: 257 is out of range \(write 1 to 256, or auto\)$/],
  ['two', /^refused: "two" is no number of workers \(write 1 to 256, or auto\)$/],
  ['-1', /is no number of workers/],
  ['1.5', /is no number of workers/],
  ['', /is no number of workers/],
])

table('a list', types.listType, [
  ['', []],
  [' , ,', []],
  ['a', ['a']],
  ['b, a ,b', ['b', 'a', 'b']],
])

table('a set', types.setType, [
  ['', new Set()],
  ['b, a,b', new Set(['b', 'a'])],
])

table('a set between bars', types.barSetType, [['Athenz, Inc.|Other', new Set(['Athenz, Inc.', 'Other'])]])

table('a word', types.wordType(['EC', 'RSA']), [
  ['EC', 'EC'],
  [' RSA ', 'RSA'],
  ['rsa', /^refused: "rsa" is not one of EC, RSA$/],
])

table('a set of words', types.wordSetType(['role', 'group']), [
  ['role,group', new Set(['role', 'group'])],
  ['role,grop', /^refused: "grop" is not one of role, group$/],
])

table('a URL', types.urlType, [
  ['https://zms.example.com:4443/', 'https://zms.example.com:4443/'],
  ['zms.example.com', /is not a URL/],
  ['file:///etc/passwd', /is not a URL/],
  ['https://', /is not a URL/],
  ['ftp://joe:secret@sports@host/x', /^refused: "…@host\/x" is not a URL/],
])

table('the address of a page', types.originType, [
  ['https://Page.example.com/', 'https://page.example.com'],
  [' https://page.example.com:443', 'https://page.example.com'],
  ['https://page.example.com:9443', 'https://page.example.com:9443'],
  ['https://page.example.com/ui', /is not an address without a path/],
  ['https://joe:secret@page.example.com', /^refused: "…@page\.example\.com" is not an address/],
  ['http://page.example.com', /is not an address without a path/],
  ['page.example.com', /is not an address without a path/],
  ['', /is not an address without a path/],
])

table('a time zone', types.timeZoneType, [
  ['GMT', 'GMT'],
  ['Europe/Berlin', 'Europe/Berlin'],
  ['Moon/Sea', /is not a time zone/],
  ['', /is not a time zone/],
])

table('response headers', types.headersType, [
  ['{"X-Frame-Options":"DENY","X-A":"b"}', { 'X-Frame-Options': 'DENY', 'X-A': 'b' }],
  ['{"__proto__":"x"}', JSON.parse('{"__proto__":"x"}')],
  ['X-A: b', /is not JSON/],
  ['["X-A"]', /is not a JSON object/],
  ['null', /is not a JSON object/],
  ['{"X A":"b"}', /"X A" is not a header name/],
  ['{"X-A":1}', /the value of X-A is not header text/],
  ['{"X-A":"b\\r\\nSet-Cookie: c"}', /the value of X-A is not header text/],
])

table('text loses blanks around it, a secret does not', types.textType, [[' a b ', 'a b']])
table('a secret', types.secretType, [[' a b ', ' a b ']])

table('a pattern', types.patternType, [
  ['[a-z', /^refused: is not a regular expression/],
  ['a)(b', /^refused: is not a regular expression/],
])

describe('a pattern', () => {
  it('matches whole texts only', () => {
    const pattern = types.patternType.parse('a|b')
    assert.deepEqual(
      ['a', 'b', 'ab', 'a\nb', ' a'].map((text) => pattern.test(text)),
      [true, true, false, false, false],
    )
  })
})

describe('a list of paths', () => {
  const list = types.uriListType.parse('/zms/v1/status, /zms/v1/schema,/zms/v1/domain/.+/role,/a.c')

  const cases: readonly (readonly [path: string, listed: boolean])[] = [
    ['/zms/v1/status', true],
    ['/zms/v1/schema', true],
    ['/zms/v1/statusx', false],
    ['/zms/v1/domain/sports/role', true],
    ['/zms/v1/domain/sports/role/x', false],
    ['/x/zms/v1/domain/sports/role', false],
    ['/a.c', true],
    // Without a plus sign the item is a text, not an expression.
    ['/abc', false],
    ['', false],
  ]
  for (const [path, listed] of cases) {
    it(`${listed ? 'has' : 'has not'} ${path || '(empty)'}`, () => assert.equal(uriListIncludes(list, path), listed))
  }

  for (const text of ['/zms/(+', '/a+)(b', '/a++']) {
    it(`is refused with the bad expression ${text}`, () => {
      const outcome = read(types.uriListType, `/zms/v1/status,${text}`)
      assert.match(typeof outcome === 'string' ? outcome : 'accepted', /is not a regular expression: /)
    })
  }
})
