import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  anyObject,
  bool,
  decoded,
  emptyKept,
  enumeration,
  flag,
  formatTimestamp,
  initially,
  int32,
  int64,
  isMappingIssue,
  list,
  lower,
  mapOf,
  nullable,
  optional,
  parseTimestamp,
  record,
  struct,
  text,
  time,
  timestamp,
  unlessEmpty,
  uuid,
  type WireType,
} from '#core/http/wire.ts'

/** Value, or which of the two ways a value is refused in. */
const read = (type: WireType<unknown>, value: unknown): unknown => {
  const result = type.safeParse(value)
  if (result.success) return result.data
  return result.error.issues.some(isMappingIssue) ? 'cannot be mapped' : 'breaks a rule'
}

const REFUSED = 'cannot be mapped'
const BROKEN = 'breaks a rule'

const table = (
  name: string,
  type: WireType<unknown>,
  cases: readonly (readonly [value: unknown, outcome: unknown])[],
) => {
  describe(name, () => {
    for (const [value, outcome] of cases) {
      test(`${JSON.stringify(value) ?? 'absent'} → ${JSON.stringify(outcome) ?? 'absent'}`, () => {
        assert.deepEqual(read(type, value), outcome)
      })
    }
  })
}

table('text that is percent-encoded once more', decoded(text(/^[a-z/]*$/)), [
  ['path%2Fname', 'path/name'],
  ['path/name', 'path/name'],
  ['path%252Fname', BROKEN],
  ['100%', BROKEN],
  ['%zz', BROKEN],
  ['a%20b', BROKEN],
  [undefined, BROKEN],
])

table('text', text(), [
  ['a', 'a'],
  ['', ''],
  [5, '5'],
  [1.5, '1.5'],
  [true, 'true'],
  [null, BROKEN],
  [undefined, BROKEN],
  [{}, REFUSED],
  [['a'], REFUSED],
])

table('text with a pattern and a length', text(/^[a-z]+$/, 3), [
  ['abc', 'abc'],
  ['abcd', BROKEN],
  ['a1', BROKEN],
  ['', BROKEN],
  [1, BROKEN],
  [[], REFUSED],
])

table('lower', lower(text(/^[A-Za-z]+$/)), [
  ['AbC', 'abc'],
  ['a1', BROKEN],
  [{}, REFUSED],
  [null, BROKEN],
])

table('int32', int32(), [
  [7, 7],
  [-7, -7],
  [1.9, 1],
  [-1.9, -1],
  [-0.5, 0],
  ['12', 12],
  [' 12 ', 12],
  ['+5', 5],
  ['1.5', REFUSED],
  ['0x10', REFUSED],
  ['1e3', REFUSED],
  ['x', REFUSED],
  ['', BROKEN],
  [true, REFUSED],
  [2_147_483_647, 2_147_483_647],
  [2_147_483_648, REFUSED],
  [99_999_999_999, REFUSED],
  ['99999999999', REFUSED],
  [Number.POSITIVE_INFINITY, REFUSED],
  [null, BROKEN],
  [[1], REFUSED],
])

table('int64', int64(), [
  [99_999_999_999, 99_999_999_999],
  ['9007199254740991', 9_007_199_254_740_991],
  ['9007199254740993', REFUSED],
  ['abc', REFUSED],
])

table('bool', bool(), [
  [true, true],
  [false, false],
  ['true', true],
  ['TRUE', true],
  ['False', false],
  ['tRue', REFUSED],
  ['yes', REFUSED],
  ['', BROKEN],
  [1, true],
  [0, false],
  [0.5, REFUSED],
  [null, BROKEN],
  [{}, REFUSED],
])

table('flag of a query', initially(false, flag()), [
  ['true', true],
  ['TRUE', true],
  ['tRue', true],
  ['yes', false],
  ['1', false],
  ['', false],
  [undefined, false],
])

table('enumeration', enumeration('Effect', ['ALLOW', 'DENY']), [
  ['DENY', 'DENY'],
  ['deny', REFUSED],
  ['', REFUSED],
  [1, REFUSED],
  [null, BROKEN],
])

table('optional', optional(int32()), [
  [3, 3],
  [undefined, undefined],
  [null, undefined],
  ['', undefined],
  ['x', REFUSED],
])

table('optional text', optional(text(/^a*b$/)), [
  ['ab', 'ab'],
  [null, undefined],
  ['', BROKEN],
])

table('text of a query', unlessEmpty(text(/^a*b$/)), [
  ['ab', 'ab'],
  ['', undefined],
  [undefined, undefined],
  ['c', BROKEN],
])

table('initially', initially(0, int32()), [
  [3, 3],
  [undefined, 0],
  [null, 0],
  ['', 0],
  ['x', REFUSED],
])

table('uuid', uuid(), [
  ['0f8fad5b-d9cb-469f-a165-70867728950e', '0f8fad5b-d9cb-469f-a165-70867728950e'],
  ['0f8fad5b', REFUSED],
  [5, REFUSED],
])

table('list', list(int32()), [
  [
    [1, '2'],
    [1, 2],
  ],
  [[], []],
  [{}, REFUSED],
  ['1', REFUSED],
  [[1, null], BROKEN],
  [[1, {}], REFUSED],
  [null, BROKEN],
])

describe('many bad parts', () => {
  const count = 100_000
  const issuesOf = (type: WireType<unknown>, value: unknown): number => type.safeParse(value).error?.issues.length ?? 0
  const times = (length: number, part: unknown) => Array.from({ length }, () => part)
  const object = (part: unknown) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, part]))

  test('of which one cannot be mapped are not looked at any further', () => {
    assert.equal(issuesOf(list(int32()), times(count, {})), 1)
    assert.equal(issuesOf(list(struct({ a: list(int32()) })), times(count, 0)), 1)
    assert.equal(issuesOf(mapOf(text(), int32()), object({})), 1)
  })

  test('that break a rule are reported as far as anybody reads', () => {
    assert.equal(issuesOf(list(int32()), times(count, null)), 100)
    assert.equal(issuesOf(list(struct({ a: int32() })), times(count, {})), 100)
    assert.equal(issuesOf(mapOf(text(/^x$/), int32()), object(1)), 100)
  })

  test('say where they are', () => {
    const [first] = mapOf(text(), list(int32())).safeParse({ a: [1], b: [1, null] }).error?.issues ?? []
    assert.deepEqual(first?.path, ['b', 1])
    assert.equal(first?.message, 'missing')
  })
})

table('nullable', nullable(list(int32())), [
  [null, null],
  [[1], [1]],
  [undefined, BROKEN],
])

describe('timestamp', () => {
  const EXPECTED = Date.UTC(2030, 0, 2, 3, 4, 5)
  table('is read in these forms', timestamp(), [
    ['2030-01-02T03:04:05.678Z', EXPECTED + 678],
    ['2030-01-02T03:04:05Z', EXPECTED],
    ['2030-01-02T03:04:05.6Z', EXPECTED + 600],
    ['2030-01-02T03:04:05.678999Z', EXPECTED + 678],
    ['2030-01-02T03:04:05+02:00', EXPECTED - 7_200_000],
    ['2030-01-02T03:04:05-0130', EXPECTED + 5_400_000],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
  ])
  table('is dropped in all others', timestamp(), [
    ['2030-01-02 03:04:05', undefined],
    ['2030-01-02', undefined],
    ['1893553445000', undefined],
    [1_893_553_445_000, undefined],
    ['', undefined],
    ['not a date', undefined],
    [true, undefined],
    [null, undefined],
    [undefined, undefined],
    ['2030-02-30T00:00:00Z', undefined],
    ['2030-13-01T00:00:00Z', undefined],
    ['2030-00-01T00:00:00Z', undefined],
    ['2030-01-02T24:00:00Z', undefined],
    ['2030-01-02T03:60:00Z', undefined],
    ['2030-01-02T03:04:60Z', undefined],
    ['2030-01-02T03:04:05', undefined],
    ['2030-01-02T03:04:05+19:00', undefined],
    ['2030-01-02T03:04:05+02:60', undefined],
    ['0001-01-01T00:00:00Z', undefined],
    [`2030-01-02T03:04:05.${'0'.repeat(100)}Z`, undefined],
    // As long as what servers write.
    ['2028-02-29T03:04:05.006Z', Date.UTC(2028, 1, 29, 3, 4, 5, 6)],
    ['2030-02-29T03:04:05.006Z', undefined],
    ['2030-13-02T03:04:05.006Z', undefined],
    ['2030-01-00T03:04:05.006Z', undefined],
    ['2030-01-02T24:04:05.006Z', undefined],
    ['2030-01-02T03:60:05.006Z', undefined],
    ['2030-01-02T03:04:60.006Z', undefined],
    ['2030-01-02T03:04:05.0x6Z', undefined],
    ['2030-01-02T03:04:05,006Z', undefined],
    ['2030-01-02 03:04:05.006Z', undefined],
    ['0099-01-02T03:04:05.006Z', undefined],
  ])
  table('refuses what is no scalar', timestamp(), [
    [{}, REFUSED],
    [[], REFUSED],
  ])

  test('is written in UTC with milliseconds', () => {
    assert.equal(formatTimestamp(EXPECTED + 7), '2030-01-02T03:04:05.007Z')
    assert.equal(parseTimestamp(formatTimestamp(EXPECTED + 7)), EXPECTED + 7)
  })

  table('in a reply stays a text', time(), [
    ['2030-01-02T03:04:05.678Z', '2030-01-02T03:04:05.678Z'],
    ['tomorrow', REFUSED],
  ])
})

describe('struct', () => {
  const member = struct('Member', { name: text(/^[a-z]+$/), days: optional(int32()) })

  table('reads its members and ignores the others', member, [
    [{ name: 'a' }, { name: 'a' }],
    [{ name: 'a', days: null }, { name: 'a' }],
    [
      { name: 'a', days: '3', colour: {} },
      { name: 'a', days: 3 },
    ],
    [{}, BROKEN],
    [{ name: 'A' }, BROKEN],
    [{ days: {} }, REFUSED],
    [[{ name: 'a' }], REFUSED],
    ['text', REFUSED],
    [5, REFUSED],
    [null, BROKEN],
    [undefined, BROKEN],
  ])

  table(
    'prefers the mapping failure of one part to the broken rule of another',
    struct({ a: member, b: list(member) }),
    [
      [{ a: { name: 'A' }, b: [{ name: 'b', days: [] }] }, REFUSED],
      [{ a: {}, b: {} }, REFUSED],
      [{ a: { name: 'A' }, b: [] }, BROKEN],
    ],
  )

  test('takes no members from a member called __proto__', () => {
    assert.deepEqual(read(member, JSON.parse('{"name":"a","__proto__":{"days":1}}')), { name: 'a' })
  })

  test('knows its shape', () => {
    assert.equal(member.wire.name, 'Member')
    assert.deepEqual([...(member.wire.members?.keys() ?? [])], ['name', 'days'])
    assert.deepEqual(member.wire.members?.get('days'), { base: 'Int32', optional: true })
    assert.deepEqual(emptyKept(text()).wire, { base: 'String', optional: true, emptyKept: true })
    assert.deepEqual(list(member).wire.items, member.wire)
  })
})

describe('maps', () => {
  const type = mapOf(lower(text(/^\w+$/)), int32())

  test('keep any member name', () => {
    const map = read(type, JSON.parse('{"__proto__":1,"B":"2"}'))
    assert.deepEqual(
      map,
      new Map([
        ['__proto__', 1],
        ['b', 2],
      ]),
    )
  })

  table('check names and values', type, [
    [{ 'a b': 1 }, BROKEN],
    [{ a: [] }, REFUSED],
    [[], REFUSED],
    [null, BROKEN],
  ])

  test('are objects in replies', () => {
    assert.deepEqual(read(record(text(), int32()), { a: 1 }), { a: 1 })
    const read2 = read(record(text(), int32()), JSON.parse('{"__proto__":1}')) as object
    assert.deepEqual(Object.entries(read2), [['__proto__', 1]])
  })
})

test('an object without members of its own is kept as it is', () => {
  const value = { a: [1, { b: null }] }
  assert.equal(read(anyObject(), value), value)
  assert.equal(read(anyObject(), [1]), REFUSED)
  assert.equal(read(anyObject(), 'x'), REFUSED)
})
