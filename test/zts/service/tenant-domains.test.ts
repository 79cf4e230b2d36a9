import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tenantDomainsService } from '#zts/service/tenant-domains.ts'
import { Harness, type HarnessOptions, refusal } from './harness.ts'

const role = (name: string, ...members: string[]) => ({
  name: `provider:role.${name}`,
  roleMembers: members.map((memberName) => ({ memberName })),
})

const open = (options: Partial<HarnessOptions> = {}) =>
  Harness.open({
    services: [tenantDomainsService],
    ...options,
    domains: [
      { name: 'fans' },
      { name: 'fans.young' },
      { name: 'club' },
      {
        name: 'provider',
        roles: [
          role('storage.tenant.fans.reader', 'user.ann'),
          role('storage.tenant.fans.writer', 'user.ann'),
          role('storage.tenant.fans.young.reader', 'user.ann'),
          role('storage.tenant.club.group.writer', 'user.ann'),
          role('api.tenant.club.admin', 'user.bob'),
          role('storage.tenant.nosuch.reader', 'user.ann'),
          role('storage.other.club.reader', 'user.cid'),
          role('storage.tenant.reader', 'user.cid'),
        ],
      },
    ],
  })

const cases: { why: string; user: string; query?: string; tenants: string[] }[] = [
  { why: 'all tenants, each once', user: 'user.ann', tenants: ['fans', 'fans.young', 'club'] },
  { why: 'those of a bare user name', user: 'ANN', tenants: ['fans', 'fans.young', 'club'] },
  {
    why: 'those of a service',
    user: 'user.ann',
    query: 'serviceName=storage',
    tenants: ['fans', 'fans.young', 'club'],
  },
  { why: 'none of another service', user: 'user.bob', query: 'serviceName=storage', tenants: [] },
  {
    why: 'those by the end of role names',
    user: 'user.ann',
    query: 'roleName=reader',
    tenants: ['fans', 'fans.young'],
  },
  { why: 'those by role with resource group', user: 'user.ann', query: 'roleName=group.writer', tenants: ['club'] },
  { why: 'none by an unknown role', user: 'user.ann', query: 'roleName=nosuch', tenants: [] },
  { why: 'nothing that other roles look like', user: 'user.cid', tenants: [] },
  { why: 'nothing for a stranger', user: 'user.eve', tenants: [] },
]
for (const { why, user, query = '', tenants } of cases) {
  test(`lists ${why}`, async () => {
    const { body } = await (await open()).get(`/providerdomain/provider/user/${user}?${query}`)
    assert.deepEqual(body, { tenantDomainNames: tenants })
  })
}

test('answers 404 without the provider domain', async () => {
  assert.deepEqual(
    await (await open()).get('/providerdomain/nosuch/user/user.ann'),
    refusal(404, 'getTenantDomains: No such provider domain: nosuch'),
  )
})

test('takes the alias of the user domain for it', async () => {
  const { config } = (await open()).parts
  const zts = await open({ parts: { config: { ...config, userDomainAlias: 'people' } } })
  assert.deepEqual((await zts.get('/providerdomain/provider/user/people.bob')).body, { tenantDomainNames: ['club'] })
})

for (const query of ['roleName=', 'serviceName=', 'roleName=a,b', 'serviceName=a+b']) {
  test(`answers 400 for ${query}`, async () => {
    const { status, body } = await (await open()).get(`/providerdomain/provider/user/user.ann?${query}`)
    assert.equal(status, 400)
    assert.match(String(body.message), /^Invalid (?:EntityName|ServiceName) error: /)
  })
}
