import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { principalMembershipService } from '#zms/service/principal-memberships.ts'
import { Harness } from './harness.ts'
import { commit, group, policy, role } from './objects.ts'

const zms = await Harness.open({ services: [principalMembershipService] })
const expiration = Date.UTC(2029, 0, 1)
const reviewReminder = Date.UTC(2031, 0, 1)
const [expired, due] = ['2029-01-01T00:00:00.000Z', '2031-01-01T00:00:00.000Z']
await zms.createDomain('sports')
await zms.createDomain('tenant')
await commit(
  zms,
  role('sports', 'readers', [{ memberName: 'user.alice', expiration, reviewReminder, systemDisabled: 4 }]),
  role('sports', 'writers', [{ memberName: 'sports:group.team', expiration }]),
  role('sports', 'services', ['sports.api']),
  role('sports', 'delegated', [], { trust: 'tenant' }),
  role('sports', 'delegated.all', [], { trust: 'tenant' }),
  role('sports', 'other', [], { trust: 'sys' }),
  role('sports', 'lookers', ['user.looker']),
  group('sports', 'team', [{ memberName: 'user.alice', expiration, systemDisabled: 4 }]),
  policy('sports', 'lookup', [{ role: 'lookers', action: 'access', resource: 'sports:meta.role.lookup' }]),
  role('tenant', 'borrowers', [{ memberName: 'user.alice', expiration, reviewReminder, systemDisabled: 4 }]),
  role('tenant', 'team', ['sports:group.team']),
  policy('tenant', 'assume', [
    { role: 'borrowers', action: 'assume_role', resource: 'sports:role.delegated' },
    { role: 'team', action: 'assume_role', resource: 'sports:role.delegated.*' },
    { role: 'borrowers', action: 'assume_role', resource: 'sports:role.other' },
  ]),
  policy('tenant', 'old', [{ role: 'borrowers', action: 'assume_role', resource: 'sports:role.delegated.all' }], {
    version: '1',
    active: false,
  }),
)

const direct = [
  { roleName: 'readers', domainName: 'sports', expiration: expired, reviewReminder: due, systemDisabled: 4 },
  { roleName: 'borrowers', domainName: 'tenant', expiration: expired, reviewReminder: due, systemDisabled: 4 },
]
const expanded = [
  ...direct,
  { roleName: 'writers', domainName: 'sports', memberName: 'sports:group.team', expiration: expired },
  { roleName: 'team', domainName: 'tenant', memberName: 'sports:group.team' },
  { roleName: 'delegated', domainName: 'sports', expiration: expired, trustRoleName: 'tenant:role.borrowers' },
  {
    roleName: 'delegated.all',
    domainName: 'sports',
    memberName: 'sports:group.team',
    trustRoleName: 'tenant:role.team',
  },
]
const byRole = (a: { roleName: string }, b: { roleName: string }) => (a.roleName < b.roleName ? -1 : 1)

describe('getPrincipalRoles', () => {
  test('lists the direct roles of the caller, expired and suspended ones too', async () => {
    const { body } = await zms.get('/role', { as: 'user.alice' })
    assert.deepEqual(body, { memberName: 'user.alice', memberRoles: direct })
  })

  test('lists the roles of another principal', async () => {
    assert.deepEqual((await zms.get('/role?principal=USER.Alice', { as: 'user.eve' })).body.memberRoles, direct)
  })

  test('lists the roles in one domain', async () => {
    assert.deepEqual((await zms.get('/role?principal=user.alice&domain=tenant')).body.memberRoles, [direct[1]])
  })

  test('adds roles through groups and delegation', async () => {
    const { body } = await zms.get('/role?expand=true', { as: 'user.alice' })
    assert.deepEqual(body.memberRoles.toSorted(byRole), expanded.toSorted(byRole))
  })

  test('adds delegated roles before it keeps to one domain', async () => {
    const { body } = await zms.get('/role?expand=true&domain=sports', { as: 'user.alice' })
    const inSports = expanded.filter(({ domainName }) => domainName === 'sports')
    assert.deepEqual(body.memberRoles.toSorted(byRole), inSports.toSorted(byRole))
  })

  const callers = [
    { who: 'a system administrator', as: 'user.admin', query: 'principal=user.alice', status: 200 },
    {
      who: 'who may look up roles in the domain',
      as: 'user.looker',
      query: 'principal=user.alice&domain=sports',
      status: 200,
    },
    {
      who: 'who may look up roles in another domain',
      as: 'user.looker',
      query: 'principal=user.alice&domain=tenant',
      status: 403,
    },
    { who: 'who may change the service', as: 'user.owner', query: 'principal=sports.api', status: 200 },
    {
      who: 'an administrator of the domain',
      as: 'user.owner',
      query: 'principal=user.alice&domain=sports',
      status: 200,
    },
    { who: 'an administrator without domain', as: 'user.owner', query: 'principal=user.alice', status: 403 },
    { who: 'a stranger', as: 'user.eve', query: 'principal=user.alice', status: 403 },
    { who: 'a stranger, about an unknown principal', as: 'user.eve', query: 'principal=user.nobody', status: 403 },
  ]
  for (const { who, as, query, status } of callers) {
    test(`${status === 200 ? 'expands' : 'refuses to expand'} the roles of others for ${who}`, async () => {
      const answer = await zms.get(`/role?expand=true&${query}`, { as })
      assert.equal(answer.status, status)
      if (status === 403) {
        assert.equal(answer.body.message, 'principal is not authorized to request expanded role lookup')
      }
    })
  }

  test('answers 404 for an unknown principal, in a domain or not', async () => {
    for (const query of ['principal=user.nobody', 'principal=user.nobody&domain=nosuch']) {
      const { status, body } = await zms.get(`/role?${query}`)
      assert.deepEqual([status, body.message], [404, 'unknown principal - user.nobody'])
    }
  })

  test('answers 404 for an unknown domain', async () => {
    const { status, body } = await zms.get('/role?principal=user.alice&domain=nosuch')
    assert.deepEqual([status, body.message], [404, 'unknown domain - nosuch'])
  })
})

describe('getPrincipalGroups', () => {
  const memberGroups = [{ groupName: 'team', domainName: 'sports', expiration: expired, systemDisabled: 4 }]

  test('lists the groups of the caller, expired and suspended memberships too', async () => {
    assert.deepEqual((await zms.get('/group', { as: 'user.alice' })).body, { memberName: 'user.alice', memberGroups })
  })

  test('lists the groups in one domain', async () => {
    const inSports = await zms.get('/group?principal=user.alice&domain=sports')
    assert.deepEqual(inSports.body.memberGroups, memberGroups)
    const inTenant = await zms.get('/group?principal=user.alice&domain=tenant')
    assert.deepEqual(inTenant.body.memberGroups, [])
  })

  test('answers 404 for an unknown principal or domain', async () => {
    const unknown = await zms.get('/group?principal=user.nobody')
    assert.deepEqual([unknown.status, unknown.body.message], [404, 'unknown principal - user.nobody'])
    const elsewhere = await zms.get('/group?principal=user.alice&domain=nosuch')
    assert.deepEqual([elsewhere.status, elsewhere.body.message], [404, 'unknown domain - nosuch'])
  })
})
