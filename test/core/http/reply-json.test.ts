import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { replySerializer } from '#core/http/reply-json.ts'
import { anyObject, int32, list, mapOf, optional, struct, text } from '#core/http/wire.ts'

const Tags = mapOf(text(), struct({ list: list(text()) }))
const Role = struct('Role', { name: text(), tags: optional(Tags), count: optional(int32()) })
const odd = new Map([
  ['__proto__', { list: ['a'] }],
  ['constructor', { list: [] }],
])

describe('the serializer of a reply', () => {
  const cases: [name: string, shape: Parameters<typeof replySerializer>[0], value: unknown, json: string][] = [
    ['a shape without maps', struct({ name: text() }).wire, { name: 'é"', other: 1 }, '{"name":"é\\"","other":1}'],
    [
      'a map',
      Role.wire,
      { name: 'r', tags: odd },
      '{"name":"r","tags":{"__proto__":{"list":["a"]},"constructor":{"list":[]}}}',
    ],
    [
      'an object where a map may be',
      Role.wire,
      { name: 'r', tags: { a: { list: [] } } },
      '{"name":"r","tags":{"a":{"list":[]}}}',
    ],
    ['an absent map', Role.wire, { name: 'r', tags: undefined }, '{"name":"r"}'],
    [
      'maps in a list',
      struct({ list: list(Role) }).wire,
      { list: [{ tags: new Map() }, { name: 'b' }] },
      '{"list":[{"tags":{}},{"name":"b"}]}',
    ],
    [
      'maps in a map',
      mapOf(text(), Tags).wire,
      new Map([['a', odd]]),
      '{"a":{"__proto__":{"list":["a"]},"constructor":{"list":[]}}}',
    ],
    [
      'free members',
      struct({ any: anyObject() }).wire,
      { any: { x: [new Map([['k', 1]])] } },
      '{"any":{"x":[{"k":1}]}}',
    ],
    [
      'no shape at all',
      undefined,
      { a: new Map([['k', new Map()]]), d: new Date(0) },
      '{"a":{"k":{}},"d":"1970-01-01T00:00:00.000Z"}',
    ],
    ['null', Role.wire, null, 'null'],
  ]
  for (const [name, shape, value, json] of cases) {
    test(`writes ${name}`, () => assert.equal(replySerializer(shape)(value), json))
  }

  test('leaves the value as it was', () => {
    const value = { name: 'r', tags: odd }
    replySerializer(Role.wire)(value)
    assert.equal(value.tags, odd)
    assert.equal(({} as { list?: unknown }).list, undefined)
  })
})
