import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { domainCheckService } from '#zms/service/domain-check.ts'
import { Harness } from './harness.ts'
import { commit, group, policy, role, service } from './objects.ts'

const zms = await Harness.open({ services: [domainCheckService] })
const DOMAINS = ['sports', 'sports.api', 'sports.api.eu', 'provider', 'tenant', 'careless', 'half', 'empty']
for (const name of DOMAINS) {
  await zms.createDomain(name)
}
await commit(
  zms,
  role('sports', 'used', ['user.a', 'user.b']),
  role('sports', 'unused'),
  role('sports', 'used.before'),
  role('sports', 'assuming'),
  group('sports', 'team', ['user.a', 'user.b', 'user.c']),
  policy('sports', 'p', [
    { role: 'used', action: 'read', resource: 'sports:x' },
    { role: 'missing', action: 'read', resource: 'sports:y' },
    { role: 'missing', action: 'write', resource: 'sports:y' },
    { role: 'us*', action: 'read', resource: 'sports:z' },
    { role: 'assuming', action: 'assume_role', resource: 'provider:role.reader' },
  ]),
  policy('sports', 'p', [{ role: 'used.before', action: 'read', resource: 'sports:x' }], {
    version: '1',
    active: false,
  }),
  service('sports', 'api', { 0: 'key', 1: 'key' }),
  { kind: 'putHosts', domain: 'sports', service: 'api', hosts: new Set(['h1']) },
  { kind: 'putEntity', domain: 'sports', value: { name: 'e', value: '{}' } },
  // Both sides of a tenancy, and tenancies of which one side is missing or not there in full.
  role('provider', 'storage.tenant.tenant.admin', [], { trust: 'tenant' }),
  role('provider', 'storage.tenant.tenant.res_group.g1.reader', [], { trust: 'tenant' }),
  role('provider', 'storage.tenant.careless.admin', [], { trust: 'careless' }),
  role('provider', 'storage.tenant.half.admin', [], { trust: 'half' }),
  role('provider', 'storage.tenant.half.res_group.g1.reader', [], { trust: 'half' }),
  role('tenant', 'readers', ['user.a']),
  policy('tenant', 'tenancy.provider.storage.admin', [
    { role: 'readers', action: 'assume_role', resource: 'provider:role.storage.tenant.tenant.admin' },
    { role: 'gone', action: 'assume_role', resource: 'provider:role.storage.tenant.tenant.admin' },
  ]),
  policy('tenant', 'tenancy.provider.storage.res_group.g1.reader', [
    { role: 'readers', action: 'assume_role', resource: 'provider:role.storage.tenant.tenant.res_group.g1.reader' },
  ]),
  policy('tenant', 'tenancy.provider.storage.res_group.g2.reader', [
    { role: 'readers', action: 'assume_role', resource: 'provider:role.storage.tenant.tenant.res_group.g2.reader' },
  ]),
  policy('tenant', 'tenancy.provider.compute.admin', [
    { role: 'readers', action: 'assume_role', resource: 'provider:role.storage.tenant.tenant.admin' },
    { role: 'readers', action: 'assume_role', resource: 'provider:role.compute.tenant.tenant.admin' },
  ]),
  policy('tenant', 'tenancy.nosuch.cache.admin', [
    { role: 'readers', action: 'assume_role', resource: 'nosuch:role.cache.tenant.tenant.admin' },
  ]),
  policy('tenant', 'tenancy.odd', [{ role: 'never', action: 'assume_role', resource: 'odd:role.x' }]),
  policy('half', 'anything', [
    { role: 'admin', action: 'assume_role', resource: 'provider:role.storage.tenant.half.admin' },
  ]),
)

const check = async (domain: string) => (await zms.get(`/domain/${domain}/check`, { as: 'user.eve' })).body

describe('getDomainDataCheck', () => {
  test('finds roles that no active assertion uses; assuming a role is no use outside of a tenancy', async () => {
    assert.deepEqual((await check('sports')).danglingRoles, ['unused', 'used.before', 'assuming'])
  })

  test('finds assertions about roles that do not exist, each of them, patterns among them', async () => {
    assert.deepEqual((await check('sports')).danglingPolicies, [
      { policyName: 'p', roleName: 'missing' },
      { policyName: 'p', roleName: 'missing' },
      { policyName: 'p', roleName: 'us*' },
    ])
  })

  test('takes the assertions of a tenancy for others, and no notice of roles assumed elsewhere', async () => {
    assert.deepEqual((await check('tenant')).danglingPolicies, [
      { policyName: 'tenancy.provider.storage.admin', roleName: 'gone' },
    ])
  })

  test('counts all versions of policies and the assertions in force', async () => {
    const { policyCount, assertionCount, roleWildCardCount } = await check('sports')
    assert.deepEqual([policyCount, assertionCount, roleWildCardCount], [3, 6, 0])
  })

  test('finds tenants that do not assume all their roles', async () => {
    assert.deepEqual((await check('provider')).tenantsWithoutAssumeRole, ['careless', 'half'])
  })

  test('finds providers, or their resource groups, that do not trust their tenant with all it assumes', async () => {
    const { providersWithoutTrust, danglingRoles } = await check('tenant')
    assert.deepEqual(providersWithoutTrust, ['provider.storage.res_group.g2', 'provider.compute', 'nosuch.cache'])
    assert.equal(danglingRoles, undefined)
  })

  test('leaves out what there is nothing of', async () => {
    assert.deepEqual(await check('empty'), { policyCount: 1, assertionCount: 1, roleWildCardCount: 0 })
  })

  test('answers 404 for an unknown domain', async () => {
    const { status, body } = await zms.get('/domain/nosuch/check')
    assert.deepEqual([status, body.message], [404, "getDomainDataCheck: Domain not found: 'nosuch'"])
  })
})

describe('getStats', () => {
  test('counts what a domain holds, with all versions of policies and the domains below it', async () => {
    assert.deepEqual((await zms.get('/domain/sports/stats', { as: 'user.eve' })).body, {
      name: 'sports',
      subdomain: 2,
      role: 5,
      roleMember: 4,
      policy: 3,
      assertion: 7,
      entity: 1,
      service: 1,
      serviceHost: 1,
      publicKey: 2,
      group: 1,
      groupMember: 3,
    })
  })

  test('answers 404 for an unknown domain', async () => {
    const { status, body } = await zms.get('/domain/nosuch/stats')
    assert.deepEqual([status, body.message], [404, 'unknown domain - nosuch'])
  })
})

describe('getSystemStats', () => {
  test('counts what all domains hold, without a name', async () => {
    const { body } = await zms.get('/sys/stats')
    assert.equal(body.name, undefined)
    assert.equal(body.subdomain, (await zms.store.domainNames()).length)
    assert.equal(body.publicKey, 2)
  })

  test('refuses who may not', async () => {
    assert.equal((await zms.get('/sys/stats', { as: 'user.eve' })).status, 403)
  })
})
