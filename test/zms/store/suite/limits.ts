import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from '#zms/store/change.ts'
import { TEXT_LIMITS } from '#zms/store/limits.ts'
import { plain } from '../../../support/plain.ts'
import { Fixture, failure, type OpenStore } from './fixture.ts'
import { assertionOn, domainWith, groupWith, plainService, plainSettings, policyWith, roleWith } from './samples.ts'

const stamps = { modified: 0, created: 0 }

const conditions = (domain: string, key: string, operator: string, value: string): Change => ({
  kind: 'putAssertion',
  domain,
  policy: 'read',
  version: '0',
  value: { ...assertionOn('x:y'), conditions: new Map([[1, new Map([[key, { operator, value }]])]]) },
})

const tagged = (domain: string, key: string, value: string): Change[] => {
  const tags = new Map([[key, [value]]])
  return [
    { kind: 'putDomain', domain, value: { ...plainSettings(domain), tags } },
    { kind: 'putRole', domain, value: { name: 'readers', ...stamps, tags } },
    { kind: 'putGroup', domain, value: { name: 'team', ...stamps, tags } },
    { kind: 'putPolicy', domain, value: { name: 'read', version: '0', active: true, ...stamps, tags } },
    { kind: 'putService', domain, value: { name: 'api', ...stamps, tags } },
  ]
}

const contacts = (domain: string, type: string, name: string): Change => ({
  kind: 'putDomain',
  domain,
  value: { ...plainSettings(domain), contacts: new Map([[type, name]]) },
})

const ownership = (text: string) => new Map([['object', text.slice('object:'.length)]])

/** Each place of a text that has a limit, with a change of a domain that puts a text there. */
function* changesWithText(): Generator<[string, number, (domain: string, text: string) => Change]> {
  const { domain: settings, role, group, member, pendingMember, audit, policy, assertion, service } = TEXT_LIMITS
  for (const [key, limit] of settable(settings)) {
    // They never change.
    if (key === 'name' || key === 'id') continue
    yield [
      `domain ${key}`,
      limit,
      (domain, text) => ({ kind: 'putDomain', domain, value: { ...plainSettings(domain), [key]: text } }),
    ]
  }
  for (const [key, limit] of settable(role)) {
    yield [
      `role ${key}`,
      limit,
      (domain, text) => ({ kind: 'putRole', domain, value: { name: 'readers', ...stamps, [key]: text } }),
    ]
  }
  for (const [key, limit] of settable(group)) {
    yield [
      `group ${key}`,
      limit,
      (domain, text) => ({ kind: 'putGroup', domain, value: { name: 'team', ...stamps, [key]: text } }),
    ]
  }
  for (const [key, limit] of settable(member)) {
    const value = (text: string) => ({ memberName: 'user.joe', [key]: text })
    yield [
      `member ${key}`,
      limit,
      (domain, text) => ({ kind: 'putRoleMember', domain, role: 'readers', value: value(text) }),
    ]
    if (key === 'reviewServer') continue
    yield [
      `group member ${key}`,
      limit,
      (domain, text) => ({ kind: 'putGroupMember', domain, group: 'team', value: value(text) }),
    ]
  }
  for (const [key, limit] of settable(pendingMember)) {
    if (key === 'pendingState') continue
    const value = (text: string) =>
      ({ memberName: 'user.joe', requestTime: 1_900_000_000_000, pendingState: 'ADD', [key]: text }) as const
    yield [
      `pending ${key}`,
      limit,
      (domain, text) => ({ kind: 'putPendingRoleMember', domain, role: 'readers', value: value(text) }),
    ]
    yield [
      `pending group member ${key}`,
      limit,
      (domain, text) => ({ kind: 'putPendingGroupMember', domain, group: 'team', value: value(text) }),
    ]
  }
  for (const [key, limit] of settable(audit)) {
    if (key === 'action') continue
    const value = (text: string) =>
      ({ admin: 'user.admin', member: 'user.joe', created: 1_900_000_000_000, action: 'ADD', [key]: text }) as const
    yield [
      `audit ${key}`,
      limit,
      (domain, text) => ({ kind: 'addRoleAudit', domain, role: 'readers', value: value(text) }),
    ]
    yield [
      `group audit ${key}`,
      limit,
      (domain, text) => ({ kind: 'addGroupAudit', domain, group: 'team', value: value(text) }),
    ]
  }
  for (const [key, limit] of settable(policy)) {
    const value = (text: string) => ({ name: 'read', version: '0', active: true, ...stamps, [key]: text })
    yield [`policy ${key}`, limit, (domain, text) => ({ kind: 'putPolicy', domain, value: value(text) })]
  }
  for (const [key, limit] of settable(assertion)) {
    if (key === 'effect') continue
    const value = (text: string) => ({ ...assertionOn('x:y'), [key]: text })
    yield [
      `assertion ${key}`,
      limit,
      (domain, text) => ({ kind: 'putAssertion', domain, policy: 'read', version: '0', value: value(text) }),
    ]
  }
  for (const [key, limit] of settable(service)) {
    yield [
      `service ${key}`,
      limit,
      (domain, text) => ({ kind: 'putService', domain, value: { name: 'api', ...stamps, [key]: text } }),
    ]
  }
  for (const [key, limit] of settable(TEXT_LIMITS.entity)) {
    yield [
      `entity ${key}`,
      limit,
      (domain, text) => ({ kind: 'putEntity', domain, value: { name: 'e', value: '{}', [key]: text } }),
    ]
  }
  const { condition, tag, contact, publicKey, host, template, resourceOwnership } = TEXT_LIMITS
  yield ['condition key', condition.key, (domain, text) => conditions(domain, text, 'EQUALS', 'v')]
  yield ['condition operator', condition.operator, (domain, text) => conditions(domain, 'k', text, 'v')]
  yield ['condition value', condition.value, (domain, text) => conditions(domain, 'k', 'EQUALS', text)]
  for (const [index, { kind }] of tagged('', 'k', 'v').entries()) {
    yield [`${kind} tag key`, tag.key, (domain, text) => tagged(domain, text, 'v')[index] as Change]
    yield [`${kind} tag value`, tag.value, (domain, text) => tagged(domain, 'k', text)[index] as Change]
  }
  yield ['contact type', contact.type, (domain, text) => contacts(domain, text, 'user.joe')]
  yield ['contact name', contact.name, (domain, text) => contacts(domain, 'type', text)]
  yield [
    'key id',
    publicKey.keyId,
    (domain, text) => ({ kind: 'putPublicKey', domain, service: 'api', keyId: text, key: 'k' }),
  ]
  yield ['host', host.name, (domain, text) => ({ kind: 'putHosts', domain, service: 'api', hosts: new Set([text]) })]
  yield ['template', template.template, (domain, text) => ({ kind: 'putTemplate', domain, template: text, version: 1 })]
  yield [
    'resource ownership',
    resourceOwnership.text,
    (domain, text) => ({
      kind: 'putRole',
      domain,
      value: { name: 'readers', ...stamps, resourceOwnership: ownership(text) },
    }),
  ]
  const { dependency, principal } = TEXT_LIMITS
  yield [
    'dependent domain',
    dependency.domain,
    (_, text) => ({ kind: 'putDependency', dependentDomain: text, service: 'a.b' }),
  ]
  yield [
    'dependency service',
    dependency.service,
    (_, text) => ({ kind: 'putDependency', dependentDomain: 'a', service: text }),
  ]
  yield ['principal', principal.name, (_, text) => ({ kind: 'putPrincipal', principal: text, suspended: 0 })]
}

const settable = (limits: object) => Object.entries(limits) as [string, number][]

export function limitTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  const create = () =>
    fixture.create((own) =>
      domainWith(own, {
        roles: [roleWith('readers')],
        groups: [groupWith('team')],
        policies: [policyWith('read')],
        services: [plainService('api')],
      }),
    )

  test('refuses each text that is one character too long, and changes nothing', async () => {
    const domain = await create()
    const before = plain(await fixture.read(domain))
    for (const [what, limit, changeWith] of changesWithText()) {
      const attempt = fixture.commit(
        [domain],
        { kind: 'touchDomain', domain },
        changeWith(domain, 'ü'.repeat(limit + 1)),
      )
      await assert.rejects(attempt, failure('bad-request', 'Schema violation - data too long'), what)
    }
    assert.deepEqual(plain(await fixture.read(domain)), before)
  })

  test('takes each text of the greatest length', async () => {
    for (const [what, limit, changeWith] of changesWithText()) {
      const domain = await create()
      const text = 'ü'.repeat(limit)
      await fixture.commit([domain], changeWith(domain, text))
      if (what.includes('audit')) continue
      const inDomain = JSON.stringify(plain(await fixture.read(domain)))
      if (what === 'resource ownership') assert.ok(inDomain.includes('ü'.repeat(limit - 'object:'.length)), what)
      else if (!/dependen|principal$/.test(what)) assert.ok(inDomain.includes(text), what)
    }
  })

  test('refuses a domain that holds a text too long, and does not create it', async () => {
    const name = fixture.name()
    const value = domainWith(name, { roles: [roleWith('readers', [`user.${'x'.repeat(508)}`])] })
    await assert.rejects(
      fixture.commit([name], { kind: 'createDomain', domain: name, value }),
      failure('bad-request', 'Schema violation - data too long'),
    )
    assert.equal(await fixture.store.domain(name), undefined)
  })

  test('takes the longest names', async () => {
    const name = `long${'x'.repeat(508)}`
    const member = `user.${'y'.repeat(507)}`
    const value = domainWith(name, { settings: { id: 'long' }, roles: [roleWith('r'.repeat(512), [member])] })
    await fixture.commit([name], { kind: 'createDomain', domain: name, value })
    await fixture.reopen()
    assert.ok((await fixture.read(name)).roles.get('r'.repeat(512))?.members.has(member))
    assert.deepEqual(await fixture.store.rolesOfMember(member), [{ domain: name, collection: 'r'.repeat(512), member }])
    await fixture.commit([name], { kind: 'deleteDomain', domain: name })
  })

  test('takes keys and entities of a million characters', async () => {
    const domain = await create()
    const text = 'k'.repeat(1_000_000)
    await fixture.commit(
      [domain],
      { kind: 'putPublicKey', domain, service: 'api', keyId: '0', key: text },
      { kind: 'putEntity', domain, value: { name: 'e', value: JSON.stringify(text) } },
    )
    const found = await fixture.read(domain)
    assert.ok(found.services.get('api')?.publicKeys.get('0') === text)
    assert.ok(found.entities.get('e')?.value === JSON.stringify(text))
  })
}
