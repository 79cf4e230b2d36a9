import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { roleService } from '#zms/service/role.ts'
import { roleMembershipService } from '#zms/service/role-membership.ts'
import { roleMetaService } from '#zms/service/role-meta.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, policy, quotaOf } from './objects.ts'
import { body, byName, historyOf, names } from './role-answers.ts'

const services = [roleService, roleMetaService, roleMembershipService]
const returned = { headers: { 'Athenz-Return-Object': 'true' } }
const as = (owner: string, more: Record<string, string> = {}) => ({
  headers: { 'Athenz-Resource-Owner': owner, ...more },
})
const R1 = '/domain/sports/role/r1'
const DAY_MILLIS = 86_400_000

const zms = await Harness.open({ services })
beforeEach(async () => {
  await zms.createDomain('media')
  await zms.createDomain('sports')
})

const membersNow = async () => names((await zms.get(`${R1}?pending=true`)).body)
const dateIn = (millis: number) => new Date(zms.clock.millis + millis).toISOString()

describe('putRole', () => {
  test('creates a role whose members carry who asked for them', async () => {
    const { status, body: created } = await zms.put(
      R1,
      body(['user.joe', 'user.eve'], { description: 'text' }),
      returned,
    )
    assert.equal(status, 200)
    const { modified, auditLog, roleMembers, ...rest } = created
    assert.deepEqual(rest, { name: 'sports:role.r1', description: 'text' })
    assert.ok(Date.parse(modified) >= zms.clock.millis)
    const joined = { approved: true, requestPrincipal: 'user.admin' }
    assert.deepEqual(roleMembers.toSorted(byName), [
      { memberName: 'user.eve', ...joined },
      { memberName: 'user.joe', ...joined },
    ])
    assert.deepEqual(auditLog.map(historyOf).sort(), ['ADD user.eve by user.admin', 'ADD user.joe by user.admin'])
  })

  test('answers nothing unless the object is asked for', async () => {
    assert.deepEqual(await zms.put(R1, body()), NOTHING)
  })

  test('adds new members, removes those missing, and keeps the others', async () => {
    await zms.put(R1, body(['user.joe', 'user.eve']))
    const { roleMembers, auditLog } = (await zms.put(R1, body(['user.eve', 'user.tom']), returned)).body
    assert.deepEqual(roleMembers.toSorted(byName), [
      { memberName: 'user.eve', approved: true, requestPrincipal: 'user.admin' },
      { memberName: 'user.tom', approved: true },
    ])
    assert.deepEqual(auditLog.map(historyOf).sort(), [
      'ADD user.eve by user.admin',
      'ADD user.joe by user.admin',
      'ADD user.tom by user.admin',
      'DELETE user.joe by user.admin',
    ])
  })

  test('updates members whose dates change', async () => {
    await zms.put(R1, body(['user.joe', 'user.eve']))
    const expiration = new Date(zms.clock.millis + DAY_MILLIS).setMilliseconds(0)
    const dated = { memberName: 'user.joe', expiration: new Date(expiration).toISOString() }
    const { roleMembers, auditLog } = (await zms.put(R1, body([dated, 'user.eve']), returned)).body
    assert.deepEqual(
      roleMembers.map(({ memberName, expiration: date }: Record<string, string>) => [memberName, date]).sort(),
      [
        ['user.eve', undefined],
        ['user.joe', dated.expiration],
      ],
    )
    assert.deepEqual(auditLog.map(historyOf).at(-1), 'UPDATE user.joe by user.admin')
    assert.equal(auditLog.length, 3)
  })

  test('takes names in any letter case and the full name of the role; of repeated members the first', async () => {
    const expiration = dateIn(DAY_MILLIS)
    const members = [{ memberName: 'USER.Joe', expiration }, { memberName: 'user.joe' }]
    const answer = await zms.put('/domain/SPORTS/role/R1', body(members, { name: 'Sports:role.R1' }), returned)
    assert.deepEqual([answer.body.name, names(answer.body)], ['sports:role.r1', ['user.joe']])
    assert.ok(answer.body.roleMembers[0].expiration)
  })

  test('takes the old form of members', async () => {
    const answer = await zms.put(R1, { name: 'r1', members: ['User.Joe', 'user.eve'] }, returned)
    assert.deepEqual(names(answer.body), ['user.eve', 'user.joe'])
  })

  test('knows users by the alias of their domain', async () => {
    const config = { ...zms.deps.config, userDomainAlias: 'unix' }
    const aliased = await Harness.open({ services, parts: { config } })
    await aliased.createDomain('sports')
    const answer = await aliased.put(R1, body(['unix.joe', 'user.joe']), returned)
    assert.deepEqual(names(answer.body), ['user.joe'])
  })

  test('replaces all settings but tags', async () => {
    const settings = {
      selfServe: true,
      memberExpiryDays: 1,
      serviceExpiryDays: 2,
      groupExpiryDays: 3,
      memberReviewDays: 4,
      serviceReviewDays: 5,
      groupReviewDays: 6,
      tokenExpiryMins: 7,
      certExpiryMins: 8,
      maxMembers: 9,
      signAlgorithm: 'ec',
      reviewEnabled: true,
      notifyRoles: 'admin',
      notifyDetails: 'd',
      description: 'text',
      deleteProtection: true,
      selfRenew: true,
      selfRenewMins: 10,
      principalDomainFilter: 'user',
    }
    const tags = { a: { list: ['b'] } }
    const full = (await zms.put(R1, body([], { ...settings, tags }), returned)).body
    assert.deepEqual(full, { name: 'sports:role.r1', modified: full.modified, ...settings, tags })
    const bare = (await zms.put(R1, body([], { tags: {} }), returned)).body
    assert.deepEqual(bare, { name: 'sports:role.r1', modified: bare.modified, tags })
    const other = { c: { list: ['d'] } }
    assert.deepEqual((await zms.put(R1, body([], { tags: other }), returned)).body.tags, other)
  })

  test('judges the members that stay by the new settings', async () => {
    await zms.put(R1, body(['user.joe', 'media.api']))
    assert.deepEqual(
      await zms.put(R1, body(['user.joe', 'media.api'], { principalDomainFilter: 'user' })),
      refusal(400, 'Principal media.api is not allowed for the role'),
    )
    assert.equal((await zms.put(R1, body(['user.joe'], { principalDomainFilter: 'user' }))).status, 204)
  })

  test('keeps members whose domain is gone', async () => {
    await zms.put(R1, body(['media.api', 'user.joe']))
    await commit(zms, { kind: 'deleteDomain', domain: 'media' })
    assert.equal((await zms.put(R1, body(['media.api', 'user.eve']))).status, 204)
    assert.deepEqual(await membersNow(), ['media.api', 'user.eve'])
    assert.deepEqual(await zms.put(R1, body(['media.other'])), refusal(404, 'unknown domain - media.other'))
  })

  const groupMember = { memberName: 'media:group.staff' }
  const refused: [string, object | string, number, string][] = [
    [
      'another name',
      body([], { name: 'r2' }),
      400,
      'putRole: Inconsistent role names - expected: sports:role.r1, actual: r2',
    ],
    [
      'the name of another domain',
      body([], { name: 'media:role.r1' }),
      400,
      'putRole: Inconsistent role names - expected: sports:role.r1, actual: media:role.r1',
    ],
    [
      'members in both forms',
      body(['user.joe'], { members: ['user.eve'] }),
      400,
      'validateRoleMembers: Role cannot have both members and roleMembers set',
    ],
    [
      'members of a delegated role',
      body(['user.joe'], { trust: 'media' }),
      400,
      'validateRoleMembers: Role cannot have both roleMembers and delegated domain set',
    ],
    [
      'members of a delegated role in the old form',
      { name: 'r1', members: ['user.joe'], trust: 'media' },
      400,
      'validateRoleMembers: Role cannot have both members and delegated domain set',
    ],
    [
      'delegation to its own domain',
      body([], { trust: 'Sports' }),
      400,
      'validateRoleMembers: Role cannot be delegated to itself',
    ],
    [
      'delegation to an unknown domain',
      body([], { trust: 'nosuch' }),
      400,
      'Delegated role assigned to non existing domain',
    ],
    ['members of unknown domains', body(['nosuch.api']), 404, 'unknown domain - nosuch.api'],
    [
      'roles to notify that are no list of names',
      body([], { notifyRoles: 'admin, readers' }),
      400,
      'Invalid ResourceNames error: admin, readers is not a list of role names',
    ],
    ['unknown groups', body([groupMember]), 400, 'Principal media:group.staff is not valid'],
    [
      'external members without a validator',
      body(['media:ext.joe@example.com']),
      400,
      'External member validator for domain media is not available',
    ],
    [
      'self-renewal without minutes',
      body([], { selfRenew: true }),
      400,
      'Role cannot enable self-renew without a positive selfRenewMins value',
    ],
    [
      'self-renewal for 0 minutes',
      body([], { selfRenew: true, selfRenewMins: 0 }),
      400,
      'Role cannot enable self-renew without a positive selfRenewMins value',
    ],
    [
      'an attribute without an authority',
      body([], { userAuthorityFilter: 'employee' }),
      400,
      'User Authority filter specified without a valid user authority',
    ],
    [
      'a date attribute without an authority',
      body([], { userAuthorityExpiration: 'until' }),
      400,
      'User Authority expiry specified without a valid user authority',
    ],
    [
      'a filter with an unknown domain',
      body([], { principalDomainFilter: 'user,-nosuch' }),
      400,
      'No such domain: nosuch',
    ],
    [
      'an audit flag that its domain does not have',
      body([], { auditEnabled: true }),
      400,
      'Role cannot be set as audit-enabled if the domain is not audit-enabled',
    ],
    [
      'more members than it allows',
      body(['user.joe', 'user.eve'], { maxMembers: 1 }),
      429,
      'role max members exceeded - limit: 1 actual: 2',
    ],
  ]
  for (const [title, request, status, message] of refused) {
    test(`refuses ${title}`, async () => assert.deepEqual(await zms.put(R1, request), refusal(status, message)))
  }

  for (const field of [
    'memberExpiryDays',
    'serviceExpiryDays',
    'groupExpiryDays',
    'memberReviewDays',
    'serviceReviewDays',
    'groupReviewDays',
    'tokenExpiryMins',
    'certExpiryMins',
    'maxMembers',
    'selfRenewMins',
  ]) {
    test(`refuses a negative ${field}`, async () => {
      assert.deepEqual(await zms.put(R1, body([], { [field]: -1 })), refusal(400, `${field} cannot be negative`))
    })
  }

  test('refuses strangers and unknown domains', async () => {
    assert.deepEqual(await zms.put(R1, body(), { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.equal((await zms.put('/domain/nosuch/role/r1', body())).status, 404)
  })

  test('a whole write that is refused changes nothing', async () => {
    await zms.put(R1, body(['user.joe']))
    await zms.put(R1, body(['user.eve', 'nosuch.api']))
    assert.deepEqual(await membersNow(), ['user.joe'])
  })
})

describe('the admin role', () => {
  const ADMIN = '/domain/sports/role/admin'
  const admin = (more: object) => ({ name: 'admin', ...more })

  test('has members in the full form, or is delegated', async () => {
    const refused = refusal(400, 'putRole: Admin role must have at least one member')
    assert.deepEqual(await zms.put(ADMIN, admin({})), refused)
    assert.deepEqual(await zms.put(ADMIN, admin({ roleMembers: [] })), refused)
    assert.deepEqual(await zms.put(ADMIN, admin({ members: ['user.joe'] })), refused)
    assert.equal((await zms.put(ADMIN, admin({ roleMembers: [{ memberName: 'user.admin' }] }))).status, 204)
    assert.equal((await zms.put(ADMIN, admin({ trust: 'media' }))).status, 204)
  })

  test('takes no groups, unless the server allows them', async () => {
    const request = admin({ roleMembers: [{ memberName: 'media:group.staff' }] })
    await commit(zms, group('media', 'staff', ['user.joe']))
    assert.deepEqual(await zms.put(ADMIN, request), refusal(400, 'Group principals are not allowed in the role'))
    const open = await Harness.open({ services, properties: { disallow_groups_in_admin_role: 'false' } })
    await open.createDomain('media')
    await open.createDomain('sports')
    await commit(open, group('media', 'staff', ['user.joe']))
    assert.equal((await open.put(ADMIN, request)).status, 204)
  })
})

describe('limits of roles', () => {
  const quota = quotaOf({ role: 3, roleMember: 2 })

  test('members are counted before roles; one more role is counted when one is replaced', async () => {
    await zms.createDomain('small', { quota })
    const put = (name: string, ...members: string[]) => zms.put(`/domain/small/role/${name}`, body(members, { name }))
    assert.deepEqual(
      await put('r1', 'user.a', 'user.b', 'user.c'),
      refusal(429, 'role member quota exceeded - limit: 2 actual: 3'),
    )
    assert.deepEqual(
      await zms.put('/domain/small/role/r1', body(['user.a', 'user.b', 'user.c'], { name: 'r1', maxMembers: 1 })),
      refusal(429, 'role max members exceeded - limit: 1 actual: 3'),
      'the maximum of the role comes first',
    )
    assert.equal((await put('r1', 'user.a', 'user.b', 'USER.A')).status, 204)
    assert.equal((await put('r2')).status, 204)
    const full = refusal(429, 'role quota exceeded - limit: 3 actual: 4')
    assert.deepEqual(await put('r3'), full)
    assert.deepEqual(await put('r1'), full)
  })

  test('tags without values, which no quota counts, are not kept', async () => {
    const empty = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`k${n}`, { list: [] }]))
    const tags = { a: { list: ['b'] } }
    assert.deepEqual((await zms.put(R1, body([], { tags: { ...empty, ...tags } }), returned)).body.tags, tags)
    assert.equal((await zms.put(R1, body([], { tags: empty }), returned)).body.tags, undefined)
    assert.equal((await zms.get(R1)).body.tags, undefined)
  })

  test('tags are counted by their values', async () => {
    const tags = (count: number) => ({ a: { list: Array.from({ length: count }, (_, n) => `v${n}`) } })
    assert.equal((await zms.put(R1, body([], { tags: tags(25) }))).status, 204)
    assert.deepEqual(
      await zms.put(R1, body([], { tags: tags(26) })),
      refusal(400, 'role tag quota exceeded - limit: 25, current tags count: 0, new tags count: 26'),
    )
  })
})

describe('owners of roles', () => {
  test('a new role is owned by who makes it; an answer shows the owners it had before', async () => {
    const first = await zms.put(R1, body(['user.joe']), as('TF', returned.headers))
    assert.equal(first.body.resourceOwnership, undefined)
    const all = { metaOwner: 'TF', membersOwner: 'TF', objectOwner: 'TF' }
    assert.deepEqual((await zms.get(R1)).body.resourceOwnership, all)
    assert.deepEqual((await zms.put(R1, body([]), as('tf', returned.headers))).body.resourceOwnership, all)
  })

  test('members are owned where a request has some', async () => {
    await zms.put(R1, body(), as('tf'))
    assert.deepEqual((await zms.get(R1)).body.resourceOwnership, { metaOwner: 'tf', objectOwner: 'tf' })
  })

  test('members of a self-serve role have no owner', async () => {
    await zms.put(R1, body(['user.joe'], { selfServe: true }), as('tf'))
    assert.deepEqual((await zms.get(R1)).body.resourceOwnership, { metaOwner: 'tf', objectOwner: 'tf' })
  })

  test('others and nobody are refused', async () => {
    await zms.put(R1, body(), as('tf'))
    const message = (given: string) => `Invalid resource owner for role: sports:role.r1, tf vs. ${given}`
    assert.deepEqual(await zms.put(R1, body()), refusal(409, message('null')))
    assert.deepEqual(await zms.put(R1, body(), as('ui')), refusal(409, message('ui')))
    assert.deepEqual(await zms.delete(R1), refusal(409, 'Invalid resource owner for object: tf vs. null'))
    assert.equal((await zms.put(R1, body(), as('ui:force'))).status, 204)
    assert.equal((await zms.delete(R1, as('UI'))).status, 204)
  })
})

describe('deleteRole', () => {
  test('deletes a role with everything in it', async () => {
    await zms.put(R1, body(['user.joe']))
    assert.deepEqual(await zms.delete('/domain/sports/role/R1'), NOTHING)
    assert.deepEqual(await zms.get(R1), refusal(404, "getRole: Role not found: 'sports:role.r1'"))
    assert.deepEqual(await zms.delete(R1), refusal(404, 'Role does not exist'))
  })

  test('refuses the admin role, strangers and unknown domains', async () => {
    assert.deepEqual(
      await zms.delete('/domain/sports/role/admin'),
      refusal(400, 'deleteRole: admin role cannot be deleted'),
    )
    await zms.put(R1, body())
    assert.deepEqual(await zms.delete(R1, { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.equal((await zms.delete('/domain/nosuch/role/r1')).status, 404)
  })

  test('keeps roles that policies name where the server is told to look', async () => {
    const strict = await Harness.open({ services, properties: { validate_policy_assertion_roles: 'true' } })
    await strict.createDomain('sports')
    await strict.put(R1, body())
    const change = policy('sports', 'p1', [{ id: 1, role: 'r1', resource: 'sports:x', action: 'read' }])
    await commit(strict, change)
    assert.deepEqual(
      await strict.delete(R1),
      refusal(400, 'deleteRole: the role: r1 associated to policy: p1, it cannot be deleted'),
    )
    await commit(strict, { kind: 'deletePolicy', domain: 'sports', policy: 'p1', version: '0' })
    assert.equal((await strict.delete(R1)).status, 204)
  })
})

describe('an authorized service', () => {
  test('may do what its file lists', async () => {
    const file = { services: { 'ui.server': { allowedOperations: [{ name: 'putrole' }] } } }
    const parts = { authorizedServices: AuthorizedServices.parse(JSON.stringify(file)) }
    const chained = await Harness.open({ services, parts })
    await chained.createDomain('sports')
    const through = (authorizedService: string) => ({ principal: { authorizedService } })
    assert.equal((await chained.put(R1, body(), through('ui.server'))).status, 204)
    assert.deepEqual(await chained.put(R1, body(), through('ui.other')), refusal(403, 'Unauthorized Service ui.other'))
    const refused: [Promise<unknown>, string][] = [
      [chained.delete(R1, through('ui.server')), 'deleterole'],
      [chained.put(`${R1}/meta`, {}, through('ui.server')), 'putrolemeta'],
      [chained.put(`${R1}/review`, body(), through('ui.server')), 'putrolereview'],
      [chained.put(`${R1}/ownership`, {}, through('ui.server')), 'putresourceroleownership'],
      [chained.put(`${R1}/member/user.joe`, { memberName: 'user.joe' }, through('ui.server')), 'putmembership'],
      [chained.delete(`${R1}/member/user.joe`, through('ui.server')), 'deletemembership'],
      [chained.delete(`${R1}/pendingmember/user.joe`, through('ui.server')), 'deletependingmembership'],
      [chained.delete('/domain/sports/member/user.joe', through('ui.server')), 'deletedomainrolemember'],
    ]
    for (const [answer, operation] of refused) {
      assert.deepEqual(await answer, refusal(403, `Unauthorized Operation (${operation}) for Service ui.server`))
    }
  })
})
