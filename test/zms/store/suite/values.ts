import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import { plain } from '../../../support/plain.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { assertionOn, domainWith, emptyDomain, plainSettings, policyWith, roleWith } from './samples.ts'

/** Texts that a careless store changes. */
const TEXTS = [
  `it's`,
  `"quoted"`,
  'back\\slash \\n \\u0041 \\',
  'line\nfeed\r\nand\ttab',
  ' leading and trailing ',
  'Grüße, ñandú, ﬁ',
  'e\u0301 and é',
  '日本語 한국어',
  'עברית العربية',
  '%_?;--/*',
  '${name} {{name}} <b>&amp;</b>',
  "'; DROP TABLE domain; --",
  'a\u2028b\u2029c',
  '\u00a0\u200b\ufeff',
  'null',
  '0',
  'undefined',
]

/** Names that mean something to a careless JavaScript program. */
const NAMES = ['__proto__', 'constructor', 'prototype', 'tostring', 'hasownproperty', '0', '00', '1', 'length', 'null']

export function valueTests(open: OpenStore): void {
  const fixture = new Fixture(open)

  for (const text of TEXTS) {
    test(`keeps the text ${JSON.stringify(text)}`, async () => {
      const tags = new Map([['key', [text, `${text}2`]]])
      const domain = await fixture.create((own) => ({ ...emptyDomain(own), description: text, tags }))
      const value = JSON.stringify({ text })
      await fixture.commit(
        [domain],
        { kind: 'putRole', domain, value: { ...roleWith('readers'), description: text } },
        { kind: 'putRoleMember', domain, role: 'readers', value: { memberName: 'user.joe', auditRef: text } },
        { kind: 'putEntity', domain, value: { name: 'e', value } },
      )
      const found = await fixture.read(domain)
      assert.equal(found.description, text)
      assert.deepEqual([...(found.tags?.get('key') ?? [])].sort(), [text, `${text}2`].sort())
      assert.equal(found.roles.get('readers')?.description, text)
      assert.equal(found.roles.get('readers')?.members.get('user.joe')?.auditRef, text)
      assert.equal(found.entities.get('e')?.value, value)
    })
  }

  test('keeps characters outside of the basic plane, or refuses them; it never changes them', async () => {
    const domain = await fixture.create(emptyDomain)
    const description = 'party 🎉 and 𝒢'
    const outcome = await fixture
      .commit([domain], { kind: 'putDomain', domain, value: { ...plainSettings(domain), description } })
      .catch((error: unknown) => error)
    const found = (await fixture.read(domain)).description
    if (outcome === undefined) assert.equal(found, description)
    else {
      assert.ok(outcome instanceof ServiceError && outcome.code === 'bad-request')
      assert.equal(found, undefined)
    }
  })

  for (const name of NAMES) {
    test(`takes ${name} for a name like any other`, async () => {
      const domain = await fixture.create((own) =>
        domainWith(own, {
          settings: { tags: new Map([[name, ['value']]]), contacts: new Map([[name, 'user.joe']]) },
          roles: [roleWith(name, [`user.${name}`])],
          policies: [policyWith(name, [assertionOn(`${own}:${name}`, name, name)])],
        }),
      )
      await fixture.commit(
        [domain],
        { kind: 'putService', domain, value: { name, modified: 0, created: 0 } },
        { kind: 'putPublicKey', domain, service: name, keyId: name, key: 'key' },
        { kind: 'putEntity', domain, value: { name, value: '{"__proto__":{"polluted":1}}' } },
        { kind: 'putTemplate', domain, template: name, version: 1 },
      )
      await fixture.reopen()
      const found = await fixture.read(domain)
      assert.deepEqual([...(found.tags?.keys() ?? [])], [name])
      assert.deepEqual([...(found.contacts ?? [])], [[name, 'user.joe']])
      assert.deepEqual([...found.roles.keys()], [name])
      assert.ok(found.roles.get(name)?.members.has(`user.${name}`))
      assert.deepEqual([...found.policies.keys()], [name])
      assert.deepEqual([...(found.services.get(name)?.publicKeys ?? [])], [[name, 'key']])
      assert.equal(found.entities.get(name)?.value, '{"__proto__":{"polluted":1}}')
      assert.deepEqual([...found.templates.keys()], [name])
      assert.deepEqual(await fixture.store.domainsByTag(name), [domain])
      await fixture.commit([domain], { kind: 'deleteDomain', domain })
      assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
    })
  }

  test('tells tag keys apart by letter case', async () => {
    const tags = new Map([
      ['Key', ['a']],
      ['key', ['b']],
      ['KEY', ['c']],
    ])
    const domain = await fixture.create((own) => ({ ...emptyDomain(own), tags }))
    await fixture.commit([domain], { kind: 'putRole', domain, value: { ...roleWith('readers'), tags } })
    const found = await fixture.read(domain)
    assert.deepEqual(plain(found.tags), plain(tags))
    assert.deepEqual(plain(found.roles.get('readers')?.tags), plain(tags))
  })

  test('keeps the letter case of texts, and finds members in any', async () => {
    const domain = await fixture.create((own) =>
      domainWith(own, {
        settings: { description: 'MiXeD', productId: 'Product-X' },
        roles: [roleWith('readers', ['user.joe'])],
        policies: [policyWith('read', [assertionOn(`${own}:MiXeD`, 'readers', 'ReAd')])],
      }),
    )
    const { description, productId, roles, policies } = await fixture.read(domain)
    assert.deepEqual([description, productId], ['MiXeD', 'Product-X'])
    assert.equal(roles.get('readers')?.members.get('User.JOE')?.memberName, 'user.joe')
    const [assertion] = policies.get('read')?.get('0')?.assertions.values() ?? []
    assert.deepEqual([assertion?.resource, assertion?.action], [`${domain}:MiXeD`, 'ReAd'])
  })

  test('has nothing where nothing was set', async () => {
    const domain = await fixture.create((own) =>
      domainWith(own, {
        roles: [roleWith('readers', ['user.joe'])],
        policies: [policyWith('read', [assertionOn('x:y')])],
      }),
    )
    await fixture.reopen()
    const found = await fixture.read(domain)
    const { roles, policies } = found
    const texts = [
      JSON.stringify(plain({ ...found, roles: [], policies: [] })),
      JSON.stringify(plain(roles.get('readers'))),
      JSON.stringify(plain(policies.get('read')?.get('0'))),
    ]
    assert.deepEqual(
      texts.map((text) => Object.keys(JSON.parse(text) as object).sort()),
      [
        [
          'auditEnabled',
          'autoDeleteTenantAssumeRoleAssertions',
          'clientIdSelfUpdate',
          'created',
          'enabled',
          'entities',
          'groups',
          'id',
          'modified',
          'name',
          'policies',
          'roles',
          'services',
          'templates',
          'ypmId',
        ],
        ['created', 'members', 'modified', 'name', 'pending'],
        ['active', 'assertions', 'created', 'modified', 'name', 'version'],
      ],
    )
    assert.deepEqual(plain(roles.get('readers')?.members), [{ memberName: 'user.joe' }])
  })

  test('keeps times of the far past and future', async () => {
    const domain = await fixture.create((own) => domainWith(own, { roles: [roleWith('readers')] }))
    for (const expiration of [Date.UTC(1975, 0, 1), Date.UTC(2038, 0, 20), Date.UTC(2999, 11, 31, 23, 59, 59)]) {
      const value = { memberName: 'user.joe', expiration }
      await fixture.commit([domain], { kind: 'putRoleMember', domain, role: 'readers', value })
      assert.equal((await fixture.read(domain)).roles.get('readers')?.members.get('user.joe')?.expiration, expiration)
    }
  })
}
