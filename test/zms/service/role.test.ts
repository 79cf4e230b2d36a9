import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { roleService } from '#zms/service/role.ts'
import { roleMembershipService } from '#zms/service/role-membership.ts'
import { roleMetaService } from '#zms/service/role-meta.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, policy, role } from './objects.ts'

const services = [roleService, roleMetaService, roleMembershipService]
const returned = { headers: { 'Athenz-Return-Object': 'true' } }
const as = (owner: string, more: Record<string, string> = {}) => ({
  headers: { 'Athenz-Resource-Owner': owner, ...more },
})
const R1 = '/domain/sports/role/r1'
const DAY_MILLIS = 86_400_000

/** A role in a request. */
const body = (members: readonly (string | object)[] = [], more: object = {}) => ({
  name: 'r1',
  roleMembers: members.map((member) => (typeof member === 'string' ? { memberName: member } : member)),
  ...more,
})

/** What a test looks at in a member of an answer. */
interface ShownMember {
  memberName: string
  pendingState?: string
}

/** Names of the members in an answer, those of requests with what is asked for; in order of their names. */
const names = (answer: { roleMembers?: ShownMember[] }) =>
  (answer.roleMembers ?? [])
    .map(({ memberName, pendingState }) => (pendingState ? `${memberName} ${pendingState}` : memberName))
    .sort()

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

const byName = (a: ShownMember, b: ShownMember) => (a.memberName < b.memberName ? -1 : 1)
const historyOf = ({ action, member, admin }: Record<string, string>) => `${action} ${member} by ${admin}`

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

describe('roles whose members need approval', () => {
  test('new members become requests, and those missing go', async () => {
    await zms.put(R1, body(['user.joe', 'user.tom']))
    const { body: answer } = await zms.put(R1, body(['user.joe', 'user.eve'], { reviewEnabled: true }), returned)
    assert.deepEqual(names(answer), ['user.eve ADD', 'user.joe'])
    const { requestTime, ...request } = answer.roleMembers.find(({ pendingState }: ShownMember) => pendingState)
    assert.ok(requestTime)
    assert.deepEqual(request, { memberName: 'user.eve', active: false, approved: false, pendingState: 'ADD' })
    assert.ok(answer.auditLog.map(historyOf).includes('REQUEST user.eve by user.admin'))
  })

  test('those missing become requests under delete protection', async () => {
    await zms.put(R1, body(['user.joe', 'user.tom']))
    await zms.put(R1, body(['user.joe'], { reviewEnabled: true, deleteProtection: true }))
    assert.deepEqual(await membersNow(), ['user.joe', 'user.tom', 'user.tom DELETE'])
  })

  test('delete protection alone protects nobody', async () => {
    await zms.put(R1, body(['user.joe']))
    await zms.put(R1, body([], { deleteProtection: true }))
    assert.deepEqual(await membersNow(), [])
  })

  test('dates of those who stay are kept', async () => {
    const reviewed = { reviewEnabled: true, memberExpiryDays: 5 }
    await zms.put(R1, body(['user.joe']))
    await zms.put(R1, body([{ memberName: 'user.joe', expiration: dateIn(DAY_MILLIS) }], reviewed))
    assert.equal((await zms.get(R1)).body.roleMembers[0].expiration, undefined)
  })

  test('the contrary of what is asked for already is refused', async () => {
    const reviewed = { reviewEnabled: true, deleteProtection: true }
    await commit(
      zms,
      role('sports', 'r1', ['user.joe'], reviewed),
      ...['user.joe', 'user.eve'].map((memberName) => ({
        kind: 'putPendingRoleMember' as const,
        domain: 'sports',
        role: 'r1',
        value: {
          memberName,
          requestTime: 0,
          pendingState: memberName === 'user.joe' ? ('ADD' as const) : ('DELETE' as const),
        },
      })),
    )
    const message = (name: string) => `The user ${name} already has a pending request in a different state`
    assert.deepEqual(await zms.put(R1, body([], reviewed)), refusal(400, message('user.joe')))
    assert.deepEqual(await zms.put(R1, body(['user.joe', 'user.eve'], reviewed)), refusal(400, message('user.eve')))
  })
})

describe('audit-enabled roles', () => {
  const reference = { 'Y-Audit-Ref': 'ticket' }
  const audited = { auditEnabled: true }
  beforeEach(() => zms.createDomain('sports', audited))

  test('new ones may have members, which become requests', async () => {
    assert.equal((await zms.put(R1, body(['user.joe'], audited), { headers: reference })).status, 204)
    assert.deepEqual(await membersNow(), ['user.joe ADD'])
  })

  test('the flag comes without members only, and does not go', async () => {
    await zms.put(R1, body(['user.joe']), { headers: reference })
    const put = (members: string[], more: object) => zms.put(R1, body(members, more), { headers: reference })
    assert.deepEqual(
      await put(['user.joe'], audited),
      refusal(400, 'Only system admins can set the role as audit-enabled if it has members'),
    )
    await put([], {})
    assert.equal((await put([], audited)).status, 204)
    const removed = refusal(400, 'Only system admins can remove the audit-enabled flag from a role')
    assert.deepEqual(await put([], {}), removed)
    assert.deepEqual(await put([], { auditEnabled: false }), removed)
  })

  test('their domain needs a reference for every change', async () => {
    const needed = (api: string) => refusal(400, `${api}: Audit reference required for domain: sports`)
    assert.deepEqual(await zms.put(R1, body()), needed('putrole'))
    assert.deepEqual(await zms.put(R1, body(), { headers: { 'Y-Audit-Ref': '' } }), needed('putrole'))
    await zms.put(R1, body(['user.joe']), { headers: reference })
    assert.deepEqual(await zms.delete(R1), needed('deleterole'))
    assert.equal((await zms.delete(R1, { headers: reference })).status, 204)
  })

  test('members and history carry the reference', async () => {
    const headers = { ...reference, ...returned.headers }
    const { roleMembers, auditLog } = (await zms.put(R1, body(['user.joe']), { headers })).body
    assert.deepEqual([roleMembers[0].auditRef, auditLog[0].auditRef], ['ticket', 'ticket'])
    assert.equal(zms.audit.at(-1)?.why, 'ticket')
  })

  test('they need one of their own where their domain needs none', async () => {
    await zms.createDomain('sports')
    await commit(zms, role('sports', 'r1', [], audited))
    const needed = (api: string) => refusal(400, `${api}: Audit reference required for object: r1`)
    assert.deepEqual(await zms.put(R1, body([], audited)), needed('putrole'))
    assert.deepEqual(await zms.delete(R1), needed('deleterole'))
  })

  test('a server may not look at roles', async () => {
    const free = await Harness.open({ services, properties: { audit_ref_check_objects: 'group' } })
    await free.createDomain('sports', audited)
    assert.equal((await free.put(R1, body())).status, 204)
  })
})

describe('the date of the last review', () => {
  const put = (millis: number) => zms.put(R1, body([], { lastReviewedDate: dateIn(millis) }))
  const refused = (millis: number, why: string) => refusal(400, `Last reviewed date: ${dateIn(millis)} is ${why}`)

  test('it is at most 5 minutes ahead', async () => {
    assert.equal((await put(5 * 60_000)).status, 204)
    assert.deepEqual(await put(5 * 60_000 + 1000), refused(5 * 60_000 + 1000, 'in the future'))
  })

  test('it is at most 365 days ago for a new role, 7 days for another, or unchanged', async () => {
    assert.deepEqual(await put(-366 * DAY_MILLIS), refused(-366 * DAY_MILLIS, 'too far in the past'))
    assert.equal((await put(-364 * DAY_MILLIS)).status, 204)
    assert.equal((await put(-364 * DAY_MILLIS)).status, 204)
    assert.deepEqual(await put(-8 * DAY_MILLIS), refused(-8 * DAY_MILLIS, 'too far in the past'))
    assert.equal((await put(-6 * DAY_MILLIS)).status, 204)
  })
})

describe('attributes of users', () => {
  const userAuthority: Authority = {
    id: 'test',
    credentialSource: 'header',
    allowAuthorization: true,
    booleanAttributes: () => new Set(['employee', 'local']),
    dateAttributes: () => new Set(['until']),
    isAttributeSet: (name) => name === 'user.joe',
    dateAttribute: (name) => (name === 'user.joe' ? Date.UTC(2040, 0, 1) : undefined),
  }
  const open = async () => {
    const knowing = await Harness.open({ services, userAuthority })
    await knowing.createDomain('sports')
    return knowing
  }

  test('settings name those the authority knows', async () => {
    const knowing = await open()
    assert.deepEqual(
      await knowing.put(R1, body([], { userAuthorityFilter: 'employee,until' })),
      refusal(400, 'until is not a valid user authority attribute'),
    )
    assert.deepEqual(
      await knowing.put(R1, body([], { userAuthorityExpiration: 'employee' })),
      refusal(400, 'employee is not a valid user authority date attribute'),
    )
    const both = { userAuthorityFilter: 'employee,local', userAuthorityExpiration: 'until' }
    assert.equal((await knowing.put(R1, body([], both))).status, 204)
  })

  test('users have them, those who stay as well', async () => {
    const knowing = await open()
    await knowing.put(R1, body(['user.joe', 'user.eve']))
    const filtered = await knowing.put(R1, body(['user.joe', 'user.eve'], { userAuthorityFilter: 'employee' }))
    assert.equal(filtered.status, 400)
    assert.match(filtered.body.message, /^Required user authority filter employee not valid for the member\. /)
    assert.deepEqual(
      await knowing.put(R1, body(['user.joe', 'user.eve'], { userAuthorityExpiration: 'until' })),
      refusal(400, 'Invalid member: user.eve. No expiry date attribute specified in user authority'),
    )
    const dated = await knowing.put(R1, body(['user.joe'], { userAuthorityExpiration: 'until' }), returned)
    assert.equal(dated.body.roleMembers[0].expiration, '2040-01-01T00:00:00.000Z')
  })
})

describe('limits of roles', () => {
  const quota = {
    subdomain: 9,
    role: 3,
    roleMember: 2,
    policy: 9,
    assertion: 9,
    entity: 9,
    service: 9,
    serviceHost: 9,
    publicKey: 9,
    group: 9,
    groupMember: 9,
    modified: 0,
  }

  test('members are counted before roles; one more role is counted when one is replaced', async () => {
    await zms.createDomain('small', { quota })
    const put = (name: string, ...members: string[]) => zms.put(`/domain/small/role/${name}`, body(members, { name }))
    assert.deepEqual(
      await put('r1', 'user.a', 'user.b', 'user.c'),
      refusal(429, 'role member quota exceeded - limit: 2 actual: 3'),
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
      refusal(400, 'role tag quota exceeded - limit: 25, current tags count: 25, new tags count: 26'),
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

  describe('of a delegated role', () => {
    const assumes = (action: string, resource: string, id: number) => ({ id, role: 'staff', resource, action })
    const left = async (flags: { server?: boolean; domain?: boolean }) => {
      const properties = { auto_delete_tenant_assume_role_assertions: String(flags.server ?? true) }
      const tenants = await Harness.open({ services, properties })
      await tenants.createDomain('media', { autoDeleteTenantAssumeRoleAssertions: flags.domain ?? true })
      await tenants.createDomain('sports')
      const assertions = [
        assumes('assume_role', 'sports:role.r1', 1),
        assumes('assume_role', 'sports:role.r*', 2),
        assumes('read', 'sports:role.r1', 3),
        assumes('ASSUME_ROLE', 'Sports:role.R1', 4),
      ]
      await commit(tenants, policy('media', 'p1', assertions))
      await tenants.put(R1, body([], { trust: 'media' }))
      assert.equal((await tenants.delete(R1)).status, 204)
      const stored = (await tenants.domain('media')).policies.get('p1')?.get('0')?.assertions.values() ?? []
      return [...stored].map(({ action, resource }) => `${action} ${resource}`)
    }
    const all = [
      'assume_role sports:role.r1',
      'assume_role sports:role.r*',
      'read sports:role.r1',
      'ASSUME_ROLE Sports:role.R1',
    ]

    test('the assertions of the trusted domain for exactly that role go too', async () => {
      assert.deepEqual(await left({}), [all[1], all[2]])
    })

    test('they stay where server or domain do not want that', async () => {
      assert.deepEqual(await left({ server: false }), all)
      assert.deepEqual(await left({ domain: false }), all)
    })
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

describe('reads of roles', () => {
  test('names come in order and in pages', async () => {
    await commit(zms, role('sports', 'r2'), role('sports', 'r1'))
    const list = async (query: string) => (await zms.get(`/domain/sports/role${query}`)).body
    assert.deepEqual(await list(''), { names: ['admin', 'r1', 'r2'] })
    assert.deepEqual(await list('?limit=2'), { names: ['admin', 'r1'], next: 'r1' })
    assert.deepEqual(await list('?limit=2&skip=R1'), { names: ['r2'] })
    assert.deepEqual(await list('?limit=0'), { names: ['admin', 'r1', 'r2'] })
  })

  test('lists show members and all settings on request', async () => {
    await commit(zms, role('sports', 'r1', ['user.joe', 'sports.api'], { maxMembers: 5, memberExpiryDays: 3 }))
    const r1 = async (query: string) => {
      const { list } = (await zms.get(`/domain/sports/roles${query}`)).body
      const { modified: _, ...found } = list.find(({ name }: { name: string }) => name === 'sports:role.r1')
      return found
    }
    assert.deepEqual(await r1(''), { name: 'sports:role.r1', memberExpiryDays: 3 })
    const { roleMembers, ...settings } = await r1('?members=true')
    assert.deepEqual(settings, { name: 'sports:role.r1', memberExpiryDays: 3, maxMembers: 5 })
    assert.deepEqual(roleMembers.toSorted(byName), [
      { memberName: 'sports.api', principalType: 2 },
      { memberName: 'user.joe', principalType: 1 },
    ])
  })

  test('lists are filtered by tags, letter by letter', async () => {
    await zms.put(R1, body([], { tags: { Tier: { list: ['gold', 'new'] } } }))
    const listed = async (query: string) =>
      (await zms.get(`/domain/sports/roles?${query}`)).body.list.map(({ name }: { name: string }) => name)
    assert.deepEqual(await listed('tagKey=Tier'), ['sports:role.r1'])
    assert.deepEqual(await listed('tagKey=Tier&tagValue=new'), ['sports:role.r1'])
    assert.deepEqual(await listed('tagKey=Tier&tagValue=NEW'), [])
    assert.deepEqual(await listed('tagKey=tier'), [])
  })

  test('a role shows requests and history on request only', async () => {
    await zms.put(R1, body(['user.joe'], { reviewEnabled: true }))
    assert.deepEqual([(await zms.get(R1)).body.roleMembers, (await zms.get(R1)).body.auditLog], [undefined, undefined])
    assert.deepEqual(names((await zms.get(`${R1}?pending=true`)).body), ['user.joe ADD'])
    const { auditLog, roleMembers } = (await zms.get(`${R1}?auditLog=true`)).body
    assert.deepEqual([auditLog.map(historyOf), roleMembers], [['REQUEST user.joe by user.admin'], undefined])
  })

  test('groups are expanded on request, with the earlier of both dates', async () => {
    const [soon, late] = [Date.UTC(2031, 0, 1), Date.UTC(2032, 0, 1)]
    await commit(
      zms,
      group('media', 'staff', [
        { memberName: 'user.eve', expiration: late },
        { memberName: 'user.tom', systemDisabled: 1 },
      ]),
      role('sports', 'r1', ['user.joe', { memberName: 'media:group.staff', expiration: soon }]),
    )
    assert.deepEqual(names((await zms.get(R1)).body), ['media:group.staff', 'user.joe'])
    const { roleMembers } = (await zms.get(`${R1}?expand=true`)).body
    const expiration = new Date(soon).toISOString()
    assert.deepEqual(roleMembers.toSorted(byName), [
      { memberName: 'user.eve', expiration, approved: true },
      { memberName: 'user.joe', approved: true },
      { memberName: 'user.tom', expiration, approved: true, systemDisabled: 1 },
    ])
  })

  test('a delegated role is expanded to the members of the roles that assume it', async () => {
    await zms.put(R1, body([], { trust: 'media' }))
    await commit(
      zms,
      role('media', 'staff', ['user.joe']),
      role('media', 'guests', ['user.eve']),
      policy('media', 'p1', [{ id: 1, role: 'staff', resource: 'sports:role.r1', action: 'assume_role' }]),
    )
    assert.equal((await zms.get(R1)).body.roleMembers, undefined)
    assert.deepEqual((await zms.get(`${R1}?expand=true`)).body.roleMembers, [
      { memberName: 'user.joe', principalType: 1 },
    ])
  })

  const missing: [string, string][] = [
    ['/domain/nosuch/role', 'unknown domain - nosuch'],
    ['/domain/nosuch/roles', "getRoles: Domain not found: 'nosuch'"],
    ['/domain/nosuch/role/r1', "getRole: Role not found: 'nosuch:role.r1'"],
    ['/domain/sports/role/r9', "getRole: Role not found: 'sports:role.r9'"],
  ]
  for (const [target, message] of missing) {
    test(`${target} is missing`, async () => assert.deepEqual(await zms.get(target), refusal(404, message)))
  }

  test('everybody who is known may read', async () => {
    assert.equal((await zms.get('/domain/sports/role/admin', { as: 'user.eve' })).status, 200)
  })
})
