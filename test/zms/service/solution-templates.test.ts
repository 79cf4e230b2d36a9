import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { SolutionTemplates } from '#zms/service/solution-templates.ts'

const parse = (templates: object) => SolutionTemplates.parse(JSON.stringify({ templates }))
const metadata = (more: object) => ({ metadata: { latestVersion: 2, ...more } })

describe('the file of templates', () => {
  test('is shipped with two', () => {
    const file = new URL('../../../conf/zms_server/solution_templates.json', import.meta.url)
    const templates = SolutionTemplates.parse(readFileSync(file, 'utf8'))
    assert.deepEqual(templates.names, ['user_provisioning', 'zts_instance_launch_provider'])
    assert.equal(templates.get('user_provisioning')?.latestVersion, undefined)
    assert.equal(templates.get('zts_instance_launch_provider')?.latestVersion, 1)
    assert.equal(templates.get('nosuch'), undefined)
  })

  test('may hold nothing', () => {
    assert.deepEqual(SolutionTemplates.none().names, [])
    assert.deepEqual(SolutionTemplates.parse('{}').names, [])
    assert.deepEqual(parse({}).names, [])
    assert.deepEqual(parse({ empty: {} }).get('empty')?.reply, { roles: [], policies: [] })
  })

  test('gives names in order and in lower case, also those of the language', () => {
    const templates = SolutionTemplates.parse('{"templates":{"__proto__":{},"Zoo":{},"bar":{},"constructor":{}}}')
    assert.deepEqual(templates.names, ['__proto__', 'bar', 'constructor', 'zoo'])
    assert.equal(templates.get('tostring'), undefined)
  })

  test('updates only what asks for it and needs no parameter', () => {
    const templates = parse({
      off: metadata({}),
      on: metadata({ autoUpdate: true }),
      keyword: metadata({ autoUpdate: true, keywordsToReplace: '_service_' }),
      blank: metadata({ autoUpdate: true, keywordsToReplace: '' }),
    })
    assert.deepEqual(
      templates.names.map((name) => [name, templates.get(name)?.autoUpdate]),
      [
        ['blank', true],
        ['keyword', false],
        ['off', false],
        ['on', true],
      ],
    )
  })

  test('is read as replies write it', () => {
    const role = { name: '_domain_:role.r', modified: '2020-01-02T03:04:05.000Z', selfServe: true, unknown: 1 }
    const { reply } =
      parse({ t: { roles: [role], metadata: { timestamp: '2020-06-16T00:00:00.000Z' } } }).get('t') ?? {}
    const { unknown: _, ...known } = role
    assert.deepEqual(JSON.parse(JSON.stringify(reply)), {
      roles: [known],
      policies: [],
      metadata: { timestamp: '2020-06-16T00:00:00.000Z' },
    })
  })

  const wrong: readonly (readonly [string, object, RegExp])[] = [
    [
      'a delegated role with members',
      { roles: [{ name: '_domain_:role.r', trust: 'media', roleMembers: [{ memberName: 'user.a' }] }] },
      /^Error: \$\.templates\.t: role _domain_:role\.r has both members and a trusted domain$/,
    ],
    [
      'a delegated role with members of the old form',
      { roles: [{ name: '_domain_:role.r', trust: 'media', members: ['user.a'] }] },
      /has both members and a trusted domain/,
    ],
    [
      'a role of another domain',
      { roles: [{ name: 'media:role.r' }] },
      /\$\.templates\.t: media:role\.r is no name of an/,
    ],
    ['a policy of another domain', { policies: [{ name: 'media:policy.p', assertions: [] }] }, /media:policy\.p/],
    ['a group of another domain', { groups: [{ name: 'media:group.g' }] }, /media:group\.g/],
    ['a service of another domain', { services: [{ name: 'media.s' }] }, /media\.s/],
    ['a name that cannot be', { roles: [{ name: 'a b' }] }, /^Error: \$\.templates\.t\.roles\[0\]\.name: /],
    [
      'a policy without assertions',
      { policies: [{ name: '_domain_:policy.p' }] },
      /\.policies\[0\]\.assertions: missing/,
    ],
    ['roles that are no list', { roles: {} }, /roles: not an array/],
  ]
  for (const [what, template, message] of wrong) {
    test(`must not hold ${what}`, () => {
      assert.throws(() => parse({ t: template }), message)
    })
  }

  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['text that ends', '{"templates":', /JSON/],
    ['text that is no JSON, with its place', '{"templates":{\n  "a":{},\n  }}', /\(line 3 column 3\)/],
    ['a list', '[]', /^Error: \$: not an object$/],
    ['nothing', 'null', /^Error: \$: not an object$/],
    ['another member instead', '{"template":{}}', /^Error: \$\.templates: missing$/],
    ['templates in a list', '{"templates":[{}]}', /^Error: \$\.templates: not an object$/],
    ['a template that is none', '{"templates":{"a b":"x"}}', /^Error: \$\.templates\["a b"\]: not an object$/],
    [
      'a template twice',
      '{"templates":{"Team":{},"team":{}}}',
      /^Error: \$\.templates\.team: there is a template team/,
    ],
  ]
  for (const [what, text, message] of broken) {
    test(`must not be ${what}`, () => {
      assert.throws(() => SolutionTemplates.parse(text), message)
    })
  }

  test('may come to others that are known, under names of its own', () => {
    const known = parse({ a: metadata({}) })
    const both = SolutionTemplates.parse('{"templates":{"b":{}}}', known)
    assert.deepEqual(both.names, ['a', 'b'])
    assert.equal(both.get('a'), known.get('a'))
    assert.deepEqual(known.names, ['a'])
    assert.throws(
      () => SolutionTemplates.parse('{"templates":{"A":{}}}', known),
      /\$\.templates\.A: there is a template a/,
    )
  })
})
