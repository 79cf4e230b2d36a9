import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { tenancyService } from '#zms/service/tenancy.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, policy, role, service } from './objects.ts'

const file = {
  services: Object.fromEntries(
    ['media.storage', 'media.other'].map((name) => [
      name,
      {
        allowedOperations: [
          'puttenancy',
          'deletetenancy',
          'putproviderresourcegrouproles',
          'deleteproviderresourcegrouproles',
        ].map((operation) => ({ name: operation })),
      },
    ]),
  ),
}
const services = [tenancyService]
const zms = await Harness.open({
  services,
  parts: { authorizedServices: AuthorizedServices.parse(JSON.stringify(file)) },
})

const TENANCY = '/domain/sports/tenancy/media.storage'
const TENANT = '/domain/media/service/storage/tenant/sports'
const PROVIDER_GROUP = `${TENANT}/resourceGroup/g1`
const TENANT_GROUP = '/domain/sports/provDomain/media/provService/storage/resourceGroup/g1'
const tenancy = { domain: 'sports', service: 'media.storage' }
const READER = { role: 'reader', action: 'read' }
const WRITER = { role: 'writer', action: 'write' }
const resourceGroup = (roles: readonly object[] = [READER, WRITER], more: object = {}) => ({
  domain: 'media',
  service: 'storage',
  tenant: 'sports',
  resourceGroup: 'g1',
  roles,
  ...more,
})

beforeEach(async () => {
  await zms.createDomain('media')
  await zms.createDomain('sports')
  await commit(
    zms,
    ...service('media', 'storage'),
    ...role('media', 'tenants', ['media.storage']),
    ...policy('media', 'tenants', [{ role: 'tenants', resource: 'media:tenant.storage', action: 'update' }]),
    ...role('sys.auth', 'service_providers', []),
    { kind: 'deleteRoleMember', domain: 'sys.auth', role: 'service_providers', member: 'media.storage' },
  )
})

/** Assertions of a policy: role, action, resource. */
async function rulesOf(domain: string, name: string): Promise<string[]> {
  const versions = (await zms.domain(domain)).policies.get(name)
  return [...(versions?.get('0')?.assertions.values() ?? [])].map(
    (each) => `${each.effect} ${each.role} ${each.action} ${each.resource}`,
  )
}

/** Local names of roles beside those that every test begins with. */
async function rolesOf(domain: string): Promise<string[]> {
  return [...(await zms.domain(domain)).roles.keys()].filter((name) => name !== 'admin' && name !== 'tenants').sort()
}

/** Policies likewise. */
async function policiesOf(domain: string): Promise<string[]> {
  return [...(await zms.domain(domain)).policies.keys()].filter((name) => name !== 'admin' && name !== 'tenants').sort()
}

const register = () => commit(zms, ...role('sys.auth', 'service_providers', ['media.storage']))
const needed = (api: string, domain: string) => refusal(400, `${api}: Audit reference required for domain: ${domain}`)
const dependencies = () => zms.store.dependentServices('sports')

describe('the tenant of a provider', () => {
  const ADMIN = 'tenancy.media.storage.admin'

  test('may assume the role of administrators there', async () => {
    assert.deepEqual(await zms.put(TENANCY, tenancy, { as: 'user.owner' }), NOTHING)
    const admin = (await zms.domain('sports')).roles.get(ADMIN)
    assert.equal(admin?.members.size, 0)
    assert.deepEqual(await rulesOf('sports', ADMIN), [
      'ALLOW admin assume_role media:role.storage.tenant.sports.admin',
      `ALLOW ${ADMIN} assume_role media:role.storage.tenant.sports.admin`,
      `ALLOW ${ADMIN} update sports:tenancy.media.storage`,
    ])
    assert.deepEqual(await rolesOf('media'), [])
  })

  test('may do without a role of its own for that', async () => {
    assert.deepEqual(await zms.put(TENANCY, { ...tenancy, createAdminRole: false }), NOTHING)
    assert.deepEqual([await rolesOf('sports'), await policiesOf('sports')], [[], []])
    assert.equal((await zms.put(TENANT_GROUP, resourceGroup([READER], { createAdminRole: false }))).status, 200)
    assert.deepEqual(await rolesOf('sports'), ['media.storage.res_group.g1.reader'])
    assert.deepEqual(await policiesOf('sports'), ['tenancy.media.storage.res_group.g1.reader'])
  })

  test('keeps what it has made of its role and policy', async () => {
    await commit(
      zms,
      ...role('sports', ADMIN, ['user.alice']),
      ...policy('sports', ADMIN, [{ role: ADMIN, resource: 'sports:x', action: 'read' }]),
    )
    assert.deepEqual(await zms.put(TENANCY, tenancy), NOTHING)
    assert.ok((await zms.domain('sports')).roles.get(ADMIN)?.members.has('user.alice'))
    assert.deepEqual(await rulesOf('sports', ADMIN), [`ALLOW ${ADMIN} read sports:x`])
  })

  test('ends it by its policy; the role stays', async () => {
    await zms.put(TENANCY, tenancy)
    assert.deepEqual(await zms.delete(TENANCY), NOTHING)
    assert.deepEqual(await policiesOf('sports'), [])
    assert.deepEqual(await rolesOf('sports'), [ADMIN])
    assert.deepEqual(await zms.delete(TENANCY), NOTHING)
  })

  const refused: readonly (readonly [string, object, number, string])[] = [
    [TENANCY, { ...tenancy, domain: 'other' }, 400, 'Invalid tenancy object'],
    [TENANCY, { ...tenancy, service: 'storage' }, 400, 'Invalid tenancy object'],
    ['/domain/sports/tenancy/storage', { domain: 'sports', service: 'storage' }, 400, 'Invalid tenancy object'],
    [
      '/domain/media/tenancy/media.storage',
      { domain: 'media', service: 'media.storage' },
      400,
      'Provider and tenant domains cannot be the same',
    ],
    [
      '/domain/sports/tenancy/media.none',
      { domain: 'sports', service: 'media.none' },
      404,
      'Unable to retrieve service=media.none',
    ],
    [
      '/domain/sports/tenancy/nowhere.api',
      { domain: 'sports', service: 'nowhere.api' },
      404,
      'Unable to retrieve service=nowhere.api',
    ],
  ]
  for (const [target, body, status, message] of refused) {
    test(`is refused: ${target} ${JSON.stringify(body)}`, async () => {
      assert.deepEqual(await zms.put(target, body), refusal(status, message))
      assert.deepEqual(await rolesOf('sports'), [])
    })
  }

  test('needs the right, and a service to end it with', async () => {
    const eve = { as: 'user.eve' }
    assert.deepEqual(await zms.put(TENANCY, tenancy, eve), refusal(403, 'Forbidden'))
    assert.deepEqual(await zms.delete(TENANCY, eve), refusal(403, 'Forbidden'))
    assert.deepEqual(
      await zms.delete('/domain/sports/tenancy/media.none'),
      refusal(404, 'Unable to retrieve service: media.none'),
    )
  })
})

describe('the provider of a tenant', () => {
  const ADMIN = 'storage.tenant.sports.admin'

  test('delegates a role for administrators', async () => {
    assert.deepEqual(await zms.put(TENANT, tenancy, { as: 'media.storage' }), NOTHING)
    const admin = (await zms.domain('media')).roles.get(ADMIN)
    assert.equal(admin?.trust, 'sports')
    assert.deepEqual(await rulesOf('media', ADMIN), [`ALLOW ${ADMIN} * media:service.storage.tenant.sports.*`])
    assert.deepEqual(await rolesOf('sports'), [])
  })

  test('keeps what its policy says beside', async () => {
    await commit(zms, ...policy('media', ADMIN, [{ role: ADMIN, resource: 'media:x', action: 'read' }]))
    await zms.put(TENANT, tenancy)
    await zms.put(TENANT, tenancy)
    assert.deepEqual(await rulesOf('media', ADMIN), [
      `ALLOW ${ADMIN} read media:x`,
      `ALLOW ${ADMIN} * media:service.storage.tenant.sports.*`,
    ])
  })

  test('has that role always: the switch is about the one in the tenant', async () => {
    assert.deepEqual(await zms.put(TENANT, { ...tenancy, createAdminRole: false }), NOTHING)
    assert.deepEqual(await rolesOf('media'), [ADMIN])
  })

  test('makes an ordinary role a delegated one, without its members', async () => {
    await commit(zms, ...role('media', ADMIN, ['user.mallory'], { description: 'kept' }))
    await zms.put(TENANT, tenancy)
    const admin = (await zms.domain('media')).roles.get(ADMIN)
    assert.equal(admin?.trust, 'sports')
    assert.equal(admin.members.size, 0)
    assert.equal(admin.description, 'kept')
  })

  test('ends it without its resource groups, and without tenants below it', async () => {
    await zms.put(TENANT, tenancy)
    await zms.put(PROVIDER_GROUP, resourceGroup([READER]))
    await zms.createDomain('sports.api')
    const target = '/domain/media/service/storage/tenant/sports.api'
    await zms.put(target, { domain: 'sports.api', service: 'media.storage' })
    await commit(
      zms,
      ...role('media', 'storage.tenant.sports.old.reader', [], { trust: 'sports' }),
      ...role('media', 'storage.tenant.sports.api.reader', [], { trust: 'sports' }),
    )
    assert.deepEqual(await zms.delete(TENANT), NOTHING)
    const left = ['storage.tenant.sports.api.admin', 'storage.tenant.sports.res_group.g1.reader']
    assert.deepEqual(await policiesOf('media'), left)
    assert.deepEqual(await rolesOf('media'), [...left, 'storage.tenant.sports.api.reader'].sort())
    assert.deepEqual(await zms.delete(TENANT), NOTHING)
  })

  const refused: readonly (readonly [string, object, number, string])[] = [
    ['/domain/media/service/storage/tenant/media', tenancy, 400, 'Provider and tenant domains cannot be the same'],
    [TENANT, { ...tenancy, domain: 'x' }, 400, 'Invalid tenancy object'],
    [TENANT, { ...tenancy, service: 'media.other' }, 400, 'Invalid tenancy object'],
    [
      '/domain/media/service/storage/tenant/media',
      { domain: 'media', service: 'media.storage' },
      400,
      'Provider and tenant domains cannot be the same',
    ],
    [
      '/domain/media/service/none/tenant/sports',
      { domain: 'sports', service: 'media.none' },
      404,
      'Unable to retrieve service=none',
    ],
    [
      '/domain/media/service/storage/tenant/nowhere',
      { domain: 'nowhere', service: 'media.storage' },
      404,
      'puttenant: Unknown tenant domain: nowhere',
    ],
  ]
  for (const [target, body, status, message] of refused) {
    test(`is refused: ${target} ${JSON.stringify(body)}`, async () => {
      assert.deepEqual(await zms.put(target, body), refusal(status, message))
      assert.deepEqual(await rolesOf('media'), [])
    })
  }

  test('needs the right, and a service to end it with', async () => {
    const owner = { as: 'user.eve' }
    assert.deepEqual(await zms.put(TENANT, tenancy, owner), refusal(403, 'Forbidden'))
    assert.deepEqual(await zms.delete(TENANT, owner), refusal(403, 'Forbidden'))
    assert.deepEqual(
      await zms.delete('/domain/media/service/none/tenant/sports'),
      refusal(404, 'Unable to retrieve service=none'),
    )
  })
})

describe('a resource group at the provider', () => {
  const PREFIX = 'storage.tenant.sports.res_group.g1.'

  test('has a delegated role and a policy for each action, and the administrators have all groups', async () => {
    const { status, body } = await zms.put(PROVIDER_GROUP, resourceGroup())
    assert.equal(status, 200)
    assert.deepEqual(body, resourceGroup())
    assert.deepEqual(await rolesOf('media'), ['storage.tenant.sports.admin', `${PREFIX}reader`, `${PREFIX}writer`])
    assert.deepEqual(await rulesOf('media', `${PREFIX}reader`), [`ALLOW ${PREFIX}reader read media:service.${PREFIX}*`])
    assert.deepEqual(await rulesOf('media', 'storage.tenant.sports.admin'), [
      'ALLOW storage.tenant.sports.admin * media:service.storage.tenant.sports.res_group.*',
    ])
    assert.deepEqual((await zms.get(PROVIDER_GROUP, { as: 'user.eve' })).body, resourceGroup())
  })

  test('overwrites what is given, and keeps the rest', async () => {
    await zms.put(PROVIDER_GROUP, resourceGroup())
    await zms.put(PROVIDER_GROUP, resourceGroup([{ role: 'reader', action: 'LIST' }]))
    assert.deepEqual((await zms.get(PROVIDER_GROUP)).body.roles, [{ role: 'reader', action: 'list' }, WRITER])
  })

  test('counts the last of several actions for a role', async () => {
    await zms.put(PROVIDER_GROUP, resourceGroup([READER, { role: 'reader', action: 'list' }]))
    assert.deepEqual((await zms.get(PROVIDER_GROUP)).body.roles, [{ role: 'reader', action: 'list' }])
  })

  test('has one action for a role, and an empty one where there is no policy', async () => {
    await commit(
      zms,
      ...role('media', `${PREFIX}bare`, [], { trust: 'sports' }),
      ...role('media', `${PREFIX}rich`, [], { trust: 'sports' }),
      ...policy('media', `${PREFIX}rich`, [
        { role: 'tenants', resource: 'media:x', action: 'other' },
        { role: `${PREFIX}rich`, resource: 'media:x', action: 'read' },
        { role: `${PREFIX}rich`, resource: 'media:x', action: 'write' },
      ]),
    )
    assert.deepEqual((await zms.get(PROVIDER_GROUP)).body.roles, [
      { role: 'bare', action: '' },
      { role: 'rich', action: 'read' },
    ])
  })

  test('is told apart from groups whose names begin alike, and from other tenants', async () => {
    const other = `${TENANT}/resourceGroup/g1.sub`
    await zms.put(PROVIDER_GROUP, resourceGroup([READER]))
    await zms.put(other, resourceGroup([WRITER], { resourceGroup: 'g1.sub' }))
    await commit(zms, ...role('media', `${PREFIX}foreign`, [], { trust: 'other' }), ...role('media', `${PREFIX}own`))
    assert.deepEqual((await zms.get(PROVIDER_GROUP)).body.roles, [READER])
    assert.deepEqual(await zms.delete(PROVIDER_GROUP), NOTHING)
    assert.deepEqual((await zms.get(PROVIDER_GROUP)).body.roles, [])
    assert.deepEqual((await zms.get(other)).body.roles, [WRITER])
    const { roles } = await zms.domain('media')
    assert.ok(roles.has(`${PREFIX}foreign`) && roles.has(`${PREFIX}own`))
    assert.deepEqual(await zms.delete(PROVIDER_GROUP), NOTHING)
  })

  const MISMATCH = 'Invalid tenant resource group role object'
  const refused: readonly (readonly [object, number, string])[] = [
    [resourceGroup([]), 400, MISMATCH],
    [resourceGroup([READER], { domain: 'x' }), 400, MISMATCH],
    [resourceGroup([READER], { service: 'x' }), 400, MISMATCH],
    [resourceGroup([READER], { tenant: 'x' }), 400, MISMATCH],
    [resourceGroup([READER], { resourceGroup: 'x' }), 400, MISMATCH],
    [resourceGroup([{ role: 'r', action: '' }]), 400, 'Assertion action cannot be empty'],
    [resourceGroup([{ role: 'r', action: 'a\nb' }]), 400, 'Assertion action contains control characters: a\nb'],
  ]
  for (const [body, status, message] of refused) {
    test(`is refused: ${JSON.stringify(body)}`, async () => {
      assert.deepEqual(await zms.put(PROVIDER_GROUP, body), refusal(status, message))
      assert.deepEqual(await rolesOf('media'), [])
    })
  }

  test('is refused for the provider itself and for nobody; whether there is a service does not matter', async () => {
    const put = (target: string, more: object) => zms.put(target, resourceGroup([READER], more))
    assert.deepEqual(
      await put('/domain/media/service/storage/tenant/media/resourceGroup/g1', { tenant: 'media' }),
      refusal(400, 'Provider and tenant domains cannot be the same'),
    )
    assert.deepEqual(
      await put('/domain/media/service/storage/tenant/nowhere/resourceGroup/g1', { tenant: 'nowhere' }),
      refusal(404, 'puttenantresourcegrouproles: Unknown tenant domain: nowhere'),
    )
    assert.equal(
      (await put('/domain/media/service/none/tenant/sports/resourceGroup/g1', { service: 'none' })).status,
      200,
    )
    assert.deepEqual(
      await zms.get('/domain/nowhere/service/storage/tenant/sports/resourceGroup/g1'),
      refusal(404, 'getTenantResourceGroupRoles: No such domain: nowhere'),
    )
    assert.deepEqual(await zms.put(PROVIDER_GROUP, resourceGroup(), { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.deepEqual(await zms.delete(PROVIDER_GROUP, { as: 'user.eve' }), refusal(403, 'Forbidden'))
  })
})

describe('a resource group in the tenant', () => {
  const PREFIX = 'media.storage.res_group.g1.'

  test('has roles that assume those of the provider, with the caller as member', async () => {
    const { status, body } = await zms.put(TENANT_GROUP, resourceGroup([READER]), { as: 'user.owner' })
    assert.equal(status, 200)
    assert.deepEqual(body, { ...resourceGroup([READER]), createAdminRole: true, skipPrincipalMember: false })
    assert.deepEqual(await rolesOf('sports'), [`${PREFIX}reader`, 'tenancy.media.storage.admin'])
    const [member] = (await zms.domain('sports')).roles.get(`${PREFIX}reader`)?.members ?? []
    assert.deepEqual(member, { memberName: 'user.owner', requestPrincipal: 'user.owner' })
    assert.deepEqual(await rulesOf('sports', `tenancy.${PREFIX}reader`), [
      `ALLOW ${PREFIX}reader assume_role media:role.storage.tenant.sports.res_group.g1.reader`,
    ])
    assert.deepEqual(await rolesOf('media'), [])
    const roles = [{ role: 'reader', action: 'n/a' }]
    assert.deepEqual((await zms.get(TENANT_GROUP)).body, resourceGroup(roles))
  })

  test('keeps its members and gets one more, unless that is not wanted', async () => {
    await commit(zms, ...role('sports', `${PREFIX}reader`, ['user.alice']))
    const skipping = resourceGroup([READER], { skipPrincipalMember: true, createAdminRole: false })
    assert.deepEqual((await zms.put(TENANT_GROUP, skipping)).body, skipping)
    const members = async () =>
      [...((await zms.domain('sports')).roles.get(`${PREFIX}reader`)?.members ?? [])].map(
        ({ memberName }) => memberName,
      )
    assert.deepEqual(await members(), ['user.alice'])
    await zms.put(TENANT_GROUP, resourceGroup([READER, READER]))
    await zms.put(TENANT_GROUP, resourceGroup([READER]))
    assert.deepEqual(await members(), ['user.alice', 'user.admin'])
  })

  test('keeps what its policy says beside', async () => {
    const name = `tenancy.${PREFIX}reader`
    await commit(zms, ...policy('sports', name, [{ role: 'admin', resource: 'sports:x', action: 'read' }]))
    await zms.put(TENANT_GROUP, resourceGroup([READER]))
    await zms.put(TENANT_GROUP, resourceGroup([READER]))
    assert.deepEqual(await rulesOf('sports', name), [
      'ALLOW admin read sports:x',
      `ALLOW ${PREFIX}reader assume_role media:role.storage.tenant.sports.res_group.g1.reader`,
    ])
  })

  test('obeys the rules of its role: days, and decisions', async () => {
    await commit(zms, ...role('sports', `${PREFIX}reader`, [], { memberExpiryDays: 10 }))
    await commit(zms, ...role('sports', `${PREFIX}writer`, [], { reviewEnabled: true }))
    await zms.put(TENANT_GROUP, resourceGroup())
    const { roles } = await zms.domain('sports')
    const expiration = roles.get(`${PREFIX}reader`)?.members.get('user.admin')?.expiration
    assert.equal(expiration, Math.floor(zms.clock.millis / 1000) * 1000 + 10 * 86_400_000)
    assert.equal(roles.get(`${PREFIX}writer`)?.members.size, 0)
    assert.equal(roles.get(`${PREFIX}writer`)?.pending.get('user.admin')?.pendingState, 'ADD')
  })

  test('goes with its policies, and its roles unless another policy names them', async () => {
    await zms.put(TENANT_GROUP, resourceGroup())
    const other = TENANT_GROUP.replace('/g1', '/g1.sub')
    await zms.put(other, resourceGroup([READER], { resourceGroup: 'g1.sub' }))
    await commit(zms, ...policy('sports', 'mine', [{ role: `${PREFIX}writer`, resource: 'sports:x', action: 'read' }]))
    assert.deepEqual(await zms.delete(TENANT_GROUP), NOTHING)
    assert.deepEqual(await rolesOf('sports'), [
      'media.storage.res_group.g1.sub.reader',
      `${PREFIX}writer`,
      'tenancy.media.storage.admin',
    ])
    assert.deepEqual(await policiesOf('sports'), [
      'mine',
      'tenancy.media.storage.admin',
      'tenancy.media.storage.res_group.g1.sub.reader',
    ])
    assert.deepEqual(await zms.delete(TENANT_GROUP), NOTHING)
  })

  test('is refused for what does not fit', async () => {
    const mismatch = refusal(400, 'Invalid provider resource group role object')
    for (const more of [{ domain: 'x' }, { service: 'x' }, { tenant: 'x' }, { resourceGroup: 'x' }, { roles: [] }]) {
      assert.deepEqual(await zms.put(TENANT_GROUP, resourceGroup([READER], more)), mismatch)
    }
    assert.deepEqual(
      await zms.put(
        '/domain/media/provDomain/media/provService/storage/resourceGroup/g1',
        resourceGroup([READER], { tenant: 'media' }),
      ),
      refusal(400, 'Provider and tenant domains cannot be the same'),
    )
    const unknown = '/domain/sports/provDomain/media/provService/none/resourceGroup/g1'
    assert.equal(
      (await zms.put(unknown, resourceGroup([READER], { service: 'none' }))).status,
      200,
      'without a service',
    )
    assert.deepEqual(
      await zms.get('/domain/nowhere/provDomain/media/provService/storage/resourceGroup/g1'),
      refusal(404, 'No such domain: nowhere'),
    )
    assert.deepEqual(await zms.put(TENANT_GROUP, resourceGroup(), { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.deepEqual(await zms.delete(TENANT_GROUP, { as: 'user.eve' }), refusal(403, 'Forbidden'))
  })
})

describe('a provider that acts through its own chained token', () => {
  const chained = { as: 'user.owner', principal: { authorizedService: 'media.storage' } }

  test('does both sides', async () => {
    assert.deepEqual(await zms.put(TENANCY, tenancy, chained), NOTHING)
    assert.deepEqual(await rolesOf('sports'), ['tenancy.media.storage.admin'])
    assert.deepEqual(await rolesOf('media'), ['storage.tenant.sports.admin'])
    assert.equal((await zms.put(TENANT_GROUP, resourceGroup(), chained)).status, 200)
    assert.deepEqual((await zms.get(PROVIDER_GROUP)).body.roles, [READER, WRITER])
    assert.deepEqual(await zms.delete(TENANT_GROUP, chained), NOTHING)
    assert.deepEqual((await zms.get(PROVIDER_GROUP)).body.roles, [])
    assert.deepEqual(await zms.delete(TENANCY, chained), NOTHING)
    assert.deepEqual(await rolesOf('media'), [])
    assert.deepEqual(await policiesOf('media'), [])
  })

  test('may do without the role for administrators in the tenant', async () => {
    await zms.put(TENANCY, { ...tenancy, createAdminRole: false }, chained)
    assert.deepEqual([await rolesOf('sports'), await policiesOf('sports')], [[], []])
    await zms.put(TENANT_GROUP, resourceGroup([READER], { createAdminRole: false }), chained)
    assert.deepEqual(await rolesOf('sports'), ['media.storage.res_group.g1.reader'])
    assert.deepEqual(await rolesOf('media'), [
      'storage.tenant.sports.admin',
      'storage.tenant.sports.res_group.g1.reader',
    ])
  })

  const mismatch = (acting: string) => refusal(400, `Authorized service provider mismatch: media.storage/${acting}`)

  test('may manage its tenants, or the side of the tenant is all it does', async () => {
    await commit(zms, { kind: 'deletePolicy', domain: 'media', policy: 'tenants' })
    assert.deepEqual(await zms.put(TENANCY, tenancy, chained), mismatch('media.storage'))
    assert.equal((await zms.put(TENANT_GROUP, resourceGroup(), chained)).status, 200)
    assert.deepEqual(await rolesOf('media'), [])
    assert.deepEqual(await zms.delete(TENANT_GROUP, chained), NOTHING)
    assert.deepEqual(await rolesOf('sports'), ['tenancy.media.storage.admin'])
  })

  test('makes no tenancy of another; resource groups and ends of tenancies are those of the tenant then', async () => {
    const other = { ...chained, principal: { authorizedService: 'media.other' } }
    assert.deepEqual(await zms.put(TENANCY, tenancy, other), mismatch('media.other'))
    assert.deepEqual(await rolesOf('sports'), [])
    assert.equal((await zms.put(TENANT_GROUP, resourceGroup(), other)).status, 200)
    assert.deepEqual(await rolesOf('media'), [])
    assert.deepEqual(await zms.delete(TENANT_GROUP, other), NOTHING)
    await zms.put(TENANT, tenancy)
    assert.deepEqual(await zms.delete(TENANCY, other), NOTHING)
    assert.deepEqual(await policiesOf('sports'), [])
    assert.deepEqual(await rolesOf('media'), ['storage.tenant.sports.admin'])
  })

  test('is limited to what its entry in the list of services allows', async () => {
    const unlisted = { as: 'user.admin', principal: { authorizedService: 'media.unknown' } }
    assert.deepEqual(await zms.put(TENANCY, tenancy, unlisted), refusal(403, 'Unauthorized Service media.unknown'))
    assert.deepEqual(
      await zms.put(TENANT, tenancy, { principal: { authorizedService: 'media.storage' } }),
      refusal(403, 'Unauthorized Operation (puttenant) for Service media.storage'),
    )
  })
})

describe('a tenancy with a registered provider', () => {
  test('is noted as a dependency on the side of the provider, whoever makes it, until the last group ends', async () => {
    await register()
    await zms.put(TENANT, tenancy)
    assert.deepEqual(await dependencies(), ['media.storage'])
    await zms.put(PROVIDER_GROUP, resourceGroup())
    assert.deepEqual(await zms.delete(TENANT), NOTHING)
    assert.deepEqual(await dependencies(), ['media.storage'])
    assert.deepEqual(await zms.delete(PROVIDER_GROUP), NOTHING)
    assert.deepEqual(await dependencies(), [])
    await zms.put(PROVIDER_GROUP, resourceGroup(), { as: 'media.storage' })
    assert.deepEqual(await dependencies(), ['media.storage'])
    const other = PROVIDER_GROUP.replace('/g1', '/g2')
    await zms.put(other, resourceGroup([READER], { resourceGroup: 'g2' }))
    await zms.delete(PROVIDER_GROUP)
    assert.deepEqual(await dependencies(), ['media.storage'])
    await zms.delete(other)
    assert.deepEqual(await dependencies(), [])
    await zms.put(TENANT, tenancy)
    await zms.delete(TENANT)
    assert.deepEqual(await dependencies(), [])
  })

  test('is noted when the provider acts for somebody, until the last group ends', async () => {
    await register()
    const chained = { as: 'user.owner', principal: { authorizedService: 'media.storage' } }
    await zms.put(TENANCY, tenancy, chained)
    assert.deepEqual(await dependencies(), ['media.storage'])
    await zms.delete(TENANCY, chained)
    assert.deepEqual(await dependencies(), [])
    await zms.put(TENANT_GROUP, resourceGroup(), chained)
    assert.deepEqual(await dependencies(), ['media.storage'])
    await zms.delete(TENANCY, chained)
    assert.deepEqual(await dependencies(), ['media.storage'])
    await zms.delete(TENANT_GROUP, chained)
    assert.deepEqual(await dependencies(), [])
  })

  test('is not noted when only the tenant does its side, nor forgotten', async () => {
    await register()
    await zms.put(TENANCY, tenancy)
    await zms.put(TENANT_GROUP, resourceGroup())
    assert.deepEqual(await dependencies(), [])
    await zms.put(TENANT, tenancy)
    await zms.delete(TENANT_GROUP)
    await zms.delete(TENANCY)
    assert.deepEqual(await dependencies(), ['media.storage'])
    await zms.delete(TENANT)
  })

  test('is not noted without registration', async () => {
    await zms.put(TENANT, tenancy, { as: 'media.storage' })
    await zms.put(PROVIDER_GROUP, resourceGroup())
    assert.deepEqual(await dependencies(), [])
  })
})

test('tenancies need an audit reference where that is demanded', async () => {
  const audited = await Harness.open({ services, properties: { audit_ref_check_objects: 'tenancy' } })
  await audited.createDomain('sports', { auditEnabled: true })
  await audited.createDomain('media', { auditEnabled: true })
  await commit(audited, ...service('media', 'storage'))
  assert.deepEqual(await audited.put(TENANCY, tenancy), needed('puttenancy', 'sports'))
  assert.deepEqual(await audited.delete(TENANCY), needed('deletetenancy', 'sports'))
  assert.deepEqual(await audited.put(TENANT, tenancy), needed('puttenant', 'media'))
  assert.deepEqual(await audited.delete(TENANT), needed('deletetenant', 'media'))
  assert.deepEqual(await audited.put(PROVIDER_GROUP, resourceGroup()), needed('puttenantresourcegrouproles', 'media'))
  assert.deepEqual(await audited.delete(PROVIDER_GROUP), needed('deletetenantresourcegrouproles', 'media'))
  assert.deepEqual(await audited.put(TENANT_GROUP, resourceGroup()), needed('putproviderresourcegrouproles', 'sports'))
  assert.deepEqual(await audited.delete(TENANT_GROUP), needed('deleteproviderresourcegrouproles', 'sports'))
  assert.deepEqual(await audited.put(TENANCY, tenancy, { headers: { 'Y-Audit-Ref': 'why' } }), NOTHING)
})
