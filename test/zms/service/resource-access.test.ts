import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accessService } from '#zms/service/access.ts'
import type { ResourceSpelling } from '#zms/service/cloud-resources.ts'
import { Harness } from './harness.ts'
import { commit, group, policy, role } from './objects.ts'

const zms = await Harness.open({ services: [accessService] })
const { millis } = zms.clock
const past = millis - 1000
await zms.createDomain('sports', { account: '111,222', gcpProject: 'proj' })
await zms.createDomain('tenant')
await commit(
  zms,
  role('sports', 'readers', ['user.alice', { memberName: 'user.late', expiration: past }]),
  role('sports', 'suspended', [{ memberName: 'user.alice', systemDisabled: 4 }]),
  role('sports', 'team', ['sports:group.team']),
  role('sports', 'delegated', [], { trust: 'tenant' }),
  role('sports', 'others', [], { trust: 'sys' }),
  role('sports', 'everywhere', [], { trust: 'tenant' }),
  role('sports', 'all', ['user.alice']),
  group('sports', 'team', ['user.carol', { memberName: 'user.late', expiration: past }]),
  policy('sports', 'data', [
    { role: 'readers', action: 'Read', resource: 'sports:Data' },
    { role: 'readers', action: 'read', resource: 'sports:secret', effect: 'DENY' },
    { role: 'suspended', action: 'read', resource: 'sports:suspended' },
    { role: 'team', action: 'play', resource: 'sports:pitch' },
    { role: 'delegated', action: 'borrow', resource: 'sports:book' },
    { role: 'others', action: 'borrow', resource: 'sports:other' },
    { role: 'everywhere', action: 'roam', resource: 'sports:field' },
    { role: 'al*', action: 'see', resource: 'sports:pattern' },
  ]),
  policy('sports', 'data', [{ role: 'readers', action: 'read', resource: 'sports:old' }], {
    version: '1',
    active: false,
  }),
  policy('sports', 'cloud', [
    { role: 'readers', action: 'assume_aws_role', resource: 'sports:reader' },
    { role: 'readers', action: 'assume_aws_role', resource: 'tenant:foreign' },
    { role: 'readers', action: 'assume_gcp_role', resource: 'sports:viewer' },
    { role: 'readers', action: 'assume_gcp_role', resource: 'sports:groups/viewers' },
    { role: 'readers', action: 'assume_gcp_service', resource: 'sports:services/view' },
  ]),
  role('tenant', 'borrowers', ['user.dave']),
  role('tenant', 'roamers', ['user.erin']),
  role('tenant', 'everywhere', [], { trust: 'sys' }),
  policy('tenant', 'roam', [{ role: 'everywhere', action: 'roam', resource: 'tenant:field' }]),
  policy('tenant', 'assume', [
    { role: 'borrowers', action: 'assume_role', resource: 'sports:role.delegated' },
    { role: 'borrowers', action: 'assume_role', resource: 'sports:role.others' },
    { role: 'borrowers', action: 'assume_role', resource: 'sports:role.al*' },
    { role: 'borrowers', action: 'assume_aws_role', resource: 'tenant:x' },
    { role: 'roamers', action: 'assume_role', resource: '*:role.everywhere' },
  ]),
)

async function resources(query: string): Promise<string[]> {
  const { status, body } = await zms.get(`/resource?${query}`)
  assert.equal(status, 200)
  const [found] = body.resources
  return found.assertions.map(({ action, resource }: { action: string; resource: string }) => `${action} ${resource}`)
}

describe('getResourceAccessList', () => {
  test('lists the assertions about roles of a principal, those of inactive versions too', async () => {
    assert.deepEqual(await resources('principal=user.alice&action=read'), [
      'Read sports:Data',
      'read sports:secret',
      'read sports:old',
    ])
  })

  test('writes an assertion with role, effect and id, without conditions', async () => {
    const { body } = await zms.get('/resource?principal=user.alice&action=READ')
    const [{ principal, assertions }] = body.resources
    const { id, ...first } = assertions[0]
    assert.equal(principal, 'user.alice')
    assert.equal(typeof id, 'number')
    assert.deepEqual(first, { role: 'sports:role.readers', resource: 'sports:Data', action: 'Read', effect: 'ALLOW' })
  })

  test('reaches roles through groups', async () => {
    assert.deepEqual(await resources('principal=user.carol'), ['play sports:pitch'])
  })

  test('reaches delegated roles that are named in full, without the assertions that delegate them', async () => {
    assert.deepEqual(await resources('principal=user.dave'), ['assume_aws_role tenant:x', 'borrow sports:book'])
  })

  test('reaches roles of one name that every domain has delegated', async () => {
    assert.deepEqual(await resources('principal=user.erin'), ['roam sports:field'])
  })

  test('lists nothing for a suspended principal, whatever has become of its memberships', async () => {
    const change = { kind: 'putPrincipal', principal: 'user.erin', suspended: 2 } as const
    await zms.store.transact([], (transaction) => transaction.apply(change))
    assert.deepEqual(await resources('principal=user.erin'), [])
  })

  test('lists assume_role when it is asked for', async () => {
    assert.deepEqual(await resources('principal=user.dave&action=assume_role'), [
      'assume_role sports:role.delegated',
      'assume_role sports:role.others',
      'assume_role sports:role.al*',
    ])
  })

  test('leaves out expired and suspended memberships', async () => {
    assert.deepEqual(await resources('principal=user.late'), [])
  })

  test('spells out the role in each AWS account, without resources of other domains', async () => {
    assert.deepEqual(await resources('principal=user.alice&action=assume_aws_role'), [
      'assume_aws_role arn:aws:iam::111:role/reader',
      'assume_aws_role arn:aws:iam::222:role/reader',
    ])
  })

  test('spells out roles and services in the Google project', async () => {
    assert.deepEqual(await resources('principal=user.alice&action=assume_gcp_role'), [
      'assume_gcp_role projects/proj/roles/viewer',
      'assume_gcp_role projects/proj/groups/viewers',
    ])
    assert.deepEqual(await resources('principal=user.alice&action=assume_gcp_service'), [
      'assume_gcp_service projects/proj/services/view',
    ])
  })

  test('selects one account or project', async () => {
    assert.deepEqual(await resources('principal=user.alice&action=assume_aws_role&filter=222'), [
      'assume_aws_role arn:aws:iam::222:role/reader',
    ])
    assert.deepEqual(await resources('principal=user.alice&action=assume_gcp_role&filter=other'), [])
    assert.equal((await resources('principal=user.alice&action=assume_aws_role&filter=')).length, 2)
    const { status, body } = await zms.get('/resource?principal=user.nobody&filter=b!d')
    assert.deepEqual([status, body.message], [400, 'Invalid SimpleName error: not a valid SimpleName'])
  })

  test('leaves out the cloud roles of a domain without account', async () => {
    assert.deepEqual(await resources('principal=user.dave&action=assume_aws_role'), [])
  })

  test('does not spell out resources unless the action is asked for', async () => {
    assert.ok((await resources('principal=user.alice')).includes('assume_aws_role sports:reader'))
  })

  test('asks a plug-in for the resources of its action', async () => {
    const twice: ResourceSpelling = { action: 'play', spell: (_, resource) => [`${resource}/1`, `${resource}/2`] }
    const { getResourceAccessList } = accessService({ ...zms.deps, resourceSpellings: [twice] })
    const query = { principal: 'user.carol', action: 'play', filter: undefined }
    const request = { query, params: {}, headers: {}, body: undefined }
    const { body } = await getResourceAccessList(request, {} as never)
    const { resources: found } = body as { resources: { assertions: { resource: string }[] }[] }
    assert.deepEqual(
      found[0]?.assertions.map(({ resource }) => resource),
      ['pitch/1', 'pitch/2'],
    )
  })

  test('answers 404 for a principal that nobody knows', async () => {
    const { status, body } = await zms.get('/resource?principal=user.nobody')
    assert.deepEqual([status, body.message], [404, 'unknown principal - user.nobody'])
  })

  for (const query of ['', 'principal=']) {
    test(`answers 400 without a principal: ${query || 'none'}`, async () => {
      const { status, body } = await zms.get(`/resource?${query}`)
      assert.deepEqual([status, body.message], [400, 'principal is required for resource access list'])
    })
  }
})
