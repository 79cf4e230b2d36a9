import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { roleService } from '#zms/service/role.ts'
import { roleMetaService } from '#zms/service/role-meta.ts'
import type { RoleBase, RoleMember } from '#zms/store/model.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, policy, role, service } from './objects.ts'

const services = [roleService, roleMetaService]
const R1 = '/domain/sports/role/r1'
const META = `${R1}/meta`
const SYSTEM = `${META}/system/auditenabled`
const DAY_MILLIS = 86_400_000
const reference = { headers: { 'Y-Audit-Ref': 'ticket' } }
const as = (owner: string) => ({ headers: { 'Athenz-Resource-Owner': owner } })

const zms = await Harness.open({ services })
beforeEach(() => zms.createDomain('sports'))

const make = (members: readonly (string | RoleMember)[] = [], settings: Partial<RoleBase> = {}) =>
  commit(zms, role('sports', 'r1', members, settings))

/** The settings of the role as reads show them, without members. */
async function settingsNow(): Promise<Record<string, unknown>> {
  const { name: _, modified: __, roleMembers: ___, ...settings } = (await zms.get(R1)).body
  return settings
}

/** Days from now until the membership of each member ends and is to be reviewed; undefined for never. */
async function daysOf(harness = zms): Promise<Record<string, [number | undefined, number | undefined]>> {
  const days = (date: number | undefined) =>
    date === undefined ? undefined : Math.floor((date - harness.clock.millis) / DAY_MILLIS + 0.5)
  const members = (await harness.domain('sports')).roles.get('r1')?.members ?? []
  return Object.fromEntries(
    [...members].map(({ memberName, expiration, reviewReminder }) => [
      memberName,
      [days(expiration), days(reviewReminder)],
    ]),
  )
}

describe('putRoleMeta', () => {
  test('changes nothing where somebody else has changed the role since it was read, for those who ask for that', async () => {
    await make()
    const modifiedNow = async () => String((await zms.get(R1)).body.modified)
    const since = (modified: string) => zms.put(`${META}?unchangedSince=${modified}`, { memberExpiryDays: 9 })
    const read = await modifiedNow()
    await zms.put(META, { selfServe: true, memberExpiryDays: 5 })
    assert.deepEqual(await since(read), refusal(409, `putrolemeta: sports:role.r1 was changed after ${read}`))
    assert.equal((await since('never')).status, 409)
    assert.equal((await settingsNow())['memberExpiryDays'], 5)
    assert.deepEqual(await since(await modifiedNow()), NOTHING)
    assert.equal((await settingsNow())['memberExpiryDays'], 9)
  })

  const full = {
    selfServe: true,
    memberExpiryDays: 1,
    serviceExpiryDays: 2,
    groupExpiryDays: 3,
    memberReviewDays: 4,
    serviceReviewDays: 5,
    groupReviewDays: 6,
    tokenExpiryMins: 7,
    certExpiryMins: 8,
    signAlgorithm: 'ec',
    reviewEnabled: true,
    notifyRoles: 'admin',
    notifyDetails: 'd',
    description: 'text',
    deleteProtection: true,
    selfRenew: true,
    selfRenewMins: 9,
    maxMembers: 10,
    principalDomainFilter: 'user',
    tags: { a: { list: ['b'] } },
  }

  test('replaces what a request has; three flags are off when absent', async () => {
    await make()
    assert.deepEqual(await zms.put(META, full), NOTHING)
    assert.deepEqual(await settingsNow(), full)
    await zms.put(META, {})
    const { selfServe: _, reviewEnabled: __, deleteProtection: ___, ...kept } = full
    assert.deepEqual(await settingsNow(), kept)
  })

  test('clears what is zero, empty or false, but tags', async () => {
    await make()
    await zms.put(META, full)
    const cleared = Object.entries(full).map(([name, value]) => [name, emptyOf(value)])
    assert.equal((await zms.put(META, Object.fromEntries(cleared))).status, 204)
    assert.deepEqual(await settingsNow(), { tags: full.tags })
  })

  test('keeps the members and who owns them', async () => {
    await make(['user.joe'], { resourceOwnership: new Map([['members', 'tf']]) })
    await zms.put(META, { description: 'text' })
    const { roleMembers, resourceOwnership } = (await zms.get(R1)).body
    assert.deepEqual([roleMembers.length, resourceOwnership], [1, { membersOwner: 'tf' }])
  })

  test('lets those in who may update the role or its settings', async () => {
    await make()
    const target = (who: string) => zms.put(META, { description: who }, { as: who })
    const refused = refusal(403, 'putRoleMeta: principal is not authorized to update metadata')
    assert.deepEqual(await target('user.eve'), refused)
    await commit(
      zms,
      role('sports', 'describers', ['user.eve']),
      policy('sports', 'p1', [{ id: 1, role: 'describers', resource: 'sports:role.r1', action: 'update_meta' }]),
    )
    assert.equal((await target('user.eve')).status, 204)
    assert.deepEqual(await zms.put(R1, { name: 'r1' }, { as: 'user.eve' }), refusal(403, 'Forbidden'))
  })

  const refused: [string, object, string][] = [
    ['a negative number', { certExpiryMins: -1 }, 'certExpiryMins cannot be negative'],
    [
      'roles to notify that are no list of names',
      { notifyRoles: 'b!d' },
      'Invalid ResourceNames error: b!d is not a list of role names',
    ],
    [
      'self-renewal without minutes',
      { selfRenew: true },
      'Role cannot enable self-renew without a positive selfRenewMins value',
    ],
    [
      'self-renewal for 0 minutes',
      { selfRenew: true, selfRenewMins: 0 },
      'Role cannot enable self-renew without a positive selfRenewMins value',
    ],
    [
      'an attribute without an authority',
      { userAuthorityFilter: 'employee' },
      'User Authority filter specified without a valid user authority',
    ],
    ['a filter with an unknown domain', { principalDomainFilter: 'nosuch' }, 'No such domain: nosuch'],
    [
      'an audit flag that its domain does not have',
      { auditEnabled: true },
      'Role cannot be set as audit-enabled if the domain is not audit-enabled',
    ],
    [
      'too many tags',
      { tags: { a: { list: Array.from({ length: 26 }, (_, n) => `v${n}`) } } },
      'role tag quota exceeded - limit: 25, current tags count: 0, new tags count: 26',
    ],
  ]
  for (const [title, body, message] of refused) {
    test(`refuses ${title}`, async () => {
      await make()
      assert.deepEqual(await zms.put(META, body), refusal(400, message))
    })
  }

  test('refuses a date of the last review that is ahead or long ago', async () => {
    await make()
    for (const [millis, why] of [
      [301_000, 'in the future'],
      [-8 * DAY_MILLIS, 'too far in the past'],
    ] as const) {
      const lastReviewedDate = new Date(zms.clock.millis + millis).toISOString()
      assert.deepEqual(
        await zms.put(META, { lastReviewedDate }),
        refusal(400, `Last reviewed date: ${lastReviewedDate} is ${why}`),
      )
    }
  })

  test('self-renewal may use the minutes that are there', async () => {
    await make([], { selfRenewMins: 5 })
    assert.equal((await zms.put(META, { selfRenew: true })).status, 204)
  })

  test('minutes of self-renewal stay while it is allowed', async () => {
    await make([], { selfRenew: true, selfRenewMins: 5 })
    const noTime = refusal(400, 'Role cannot enable self-renew without a positive selfRenewMins value')
    assert.deepEqual(await zms.put(META, { selfRenewMins: 0 }), noTime)
    assert.equal((await zms.put(META, { selfRenew: false })).status, 204)
    assert.equal((await zms.put(META, { selfRenewMins: 0 })).status, 204)
    await make([], { selfRenew: true })
    assert.equal((await zms.put(META, { description: 'text' })).status, 204)
  })

  test('values that cannot be matter before the role and who asks', async () => {
    await make()
    const negative = refusal(400, 'memberExpiryDays cannot be negative')
    assert.deepEqual(await zms.put(META, { memberExpiryDays: -1 }, { as: 'user.eve' }), negative)
    assert.deepEqual(await zms.put('/domain/sports/role/nosuch/meta', { memberExpiryDays: -1 }), negative)
  })

  test('unknown roles and domains are missing', async () => {
    const missing = refusal(404, 'Invalid domain/role name specified')
    assert.deepEqual(await zms.put('/domain/sports/role/nosuch/meta', {}), missing)
    assert.deepEqual(await zms.put('/domain/nosuch/role/r1/meta', {}), missing)
  })

  test('minds the owner of the settings, and makes one', async () => {
    await make()
    assert.equal((await zms.put(META, {}, as('tf'))).status, 204)
    assert.deepEqual((await settingsNow())['resourceOwnership'], { metaOwner: 'tf' })
    assert.deepEqual(await zms.put(META, {}), refusal(409, 'Role has a resource owner: tf'))
    assert.deepEqual(
      await zms.put(META, {}, as('ui')),
      refusal(409, 'Invalid resource meta owner for role: sports:role.r1, tf vs. ui'),
    )
    assert.equal((await zms.put(META, {}, as('ui:force'))).status, 204)
    assert.deepEqual((await settingsNow())['resourceOwnership'], { metaOwner: 'ui' })
  })
})

const emptyOf = (value: unknown) => {
  if (typeof value === 'number') return 0
  if (typeof value === 'string') return ''
  return typeof value === 'boolean' ? false : {}
}

describe('the audit flag', () => {
  beforeEach(() => zms.createDomain('sports', { auditEnabled: true }))

  test('settings set it while there are no members, and do not take it away', async () => {
    await make(['user.joe'])
    assert.deepEqual(
      await zms.put(META, { auditEnabled: true }),
      refusal(400, 'Only system admins can set the role as audit-enabled if it already has members'),
    )
    await commit(zms, { kind: 'deleteRoleMember', domain: 'sports', role: 'r1', member: 'user.joe' })
    assert.equal((await zms.put(META, { auditEnabled: true })).status, 204, 'the domain alone needs no reference')
    assert.deepEqual(
      await zms.put(META, {}),
      refusal(400, 'putrolemeta: Audit reference required for object: sports:role.r1'),
    )
    assert.equal((await zms.put(META, { auditEnabled: false }, reference)).status, 204)
    assert.equal((await settingsNow())['auditEnabled'], true)
  })

  test('system settings set it and take it away, and keep the others', async () => {
    const settings = { description: 'text', principalDomainFilter: 'user', userAuthorityFilter: 'employee' }
    await make(['user.joe'], settings)
    assert.deepEqual(await zms.put(SYSTEM, { auditEnabled: true }, reference), NOTHING)
    assert.deepEqual(await settingsNow(), { ...settings, auditEnabled: true })
    assert.equal((await zms.put(SYSTEM, { auditEnabled: false }, reference)).status, 204)
    assert.deepEqual(await settingsNow(), settings)
  })

  test('system settings ask for a reference, an audited domain, their one attribute, and a role, in this order', async () => {
    await make()
    const on = { auditEnabled: true }
    assert.deepEqual(
      await zms.put(SYSTEM, on),
      refusal(400, 'putrolesystemmeta: Audit reference required for domain: sports'),
    )
    assert.deepEqual(
      await zms.put(`${META}/system/colour`, on, reference),
      refusal(400, 'unknown role system meta attribute: colour'),
    )
    assert.deepEqual(
      await zms.put('/domain/sports/role/nosuch/meta/system/auditenabled', on, reference),
      refusal(404, 'Invalid domain/role name specified'),
    )
    assert.deepEqual(await zms.put(SYSTEM, on, { as: 'user.owner' }), refusal(403, 'Forbidden'))
    assert.equal((await zms.put('/domain/nosuch/role/r1/meta/system/auditenabled', on)).status, 404)
    await zms.createDomain('sports')
    for (const target of [SYSTEM, `${META}/system/colour`]) {
      assert.deepEqual(
        await zms.put(target, on),
        refusal(400, 'putrolesystemmeta: auditEnabled flag not set for domain: sports to add it on the role: r1'),
      )
    }
  })

  test('groups in the role must have it', async () => {
    await make(['user.joe', 'sports:group.g1'])
    await commit(zms, group('sports', 'g1'))
    assert.deepEqual(
      await zms.put(SYSTEM, { auditEnabled: true }, reference),
      refusal(400, 'role member: sports:group.g1 must have audit flag enabled'),
    )
    assert.equal((await zms.put(SYSTEM, { auditEnabled: false }, reference)).status, 204)
    await commit(zms, group('sports', 'g1', [], { auditEnabled: true }))
    assert.equal((await zms.put(SYSTEM, { auditEnabled: true }, reference)).status, 204)
  })
})

describe('days that change', () => {
  const MEMBERS = ['user.joe', 'sports.api', 'sports:group.g1']
  beforeEach(async () => {
    await commit(zms, group('sports', 'g1'), service('sports', 'api'))
    await make(MEMBERS)
  })

  test('limit the dates of members of that kind', async () => {
    await zms.put(META, { memberExpiryDays: 3, serviceExpiryDays: 4, groupExpiryDays: 5 })
    const expiry = { 'user.joe': [3, undefined], 'sports.api': [4, undefined], 'sports:group.g1': [5, undefined] }
    assert.deepEqual(await daysOf(), expiry)
    await zms.put(META, { memberReviewDays: 1, serviceReviewDays: 2, groupReviewDays: 1 })
    assert.deepEqual(await daysOf(), { 'user.joe': [3, 1], 'sports.api': [4, 2], 'sports:group.g1': [5, 1] })
  })

  test('never move dates further away', async () => {
    await zms.put(META, { memberExpiryDays: 3 })
    await zms.put(META, { memberExpiryDays: 50 })
    assert.equal((await daysOf())['user.joe']?.[0], 3)
    await zms.put(META, { memberExpiryDays: 0 })
    assert.equal((await daysOf())['user.joe']?.[0], 3)
  })

  test('leave the dates alone when they go, and when others become fewer', async () => {
    await zms.createDomain('sports', { memberExpiryDays: 2 })
    await make([{ memberName: 'user.joe', expiration: zms.clock.millis + 9 * DAY_MILLIS }], { memberExpiryDays: 10 })
    await zms.put(META, { memberExpiryDays: 0, serviceExpiryDays: 1, memberReviewDays: 5 })
    assert.deepEqual(await daysOf(), { 'user.joe': [9, 5] })
  })

  test('leave an entry in the history of each member that they move', async () => {
    await zms.put(META, { memberExpiryDays: 3 })
    await zms.put(META, { memberExpiryDays: 4 })
    const history = await zms.store.roleAudit('sports', 'r1')
    assert.deepEqual(
      history.map(({ action, member }) => `${action} ${member}`),
      ['UPDATE user.joe'],
    )
  })
})

/** Only `user.joe` has attributes and a date. */
const userAuthority: Authority = {
  id: 'test',
  credentialSource: 'header',
  allowAuthorization: true,
  booleanAttributes: () => new Set(['employee']),
  dateAttributes: () => new Set(['until']),
  isAttributeSet: (name) => name === 'user.joe',
  dateAttribute: (name) => (name === 'user.joe' ? zms.clock.millis + 15 * DAY_MILLIS : undefined),
}
const knowing = await Harness.open({ services, userAuthority })

describe('attributes of users', () => {
  beforeEach(async () => {
    await knowing.createDomain('sports')
    const bits = { memberName: 'user.tom', systemDisabled: 4 }
    await commit(knowing, role('sports', 'r1', ['user.joe', 'user.eve', bits, 'sports.api']))
  })

  /** Suspension bits by member, without those who have none. */
  const suspended = async () =>
    Object.fromEntries(
      [...((await knowing.domain('sports')).roles.get('r1')?.members ?? [])].flatMap(
        ({ memberName, systemDisabled }) => (systemDisabled ? [[memberName, systemDisabled]] : []),
      ),
    )

  test('an attribute demanded suspends users without it, until it is no longer demanded', async () => {
    assert.equal((await knowing.put(META, { userAuthorityFilter: 'employee' })).status, 204)
    assert.deepEqual(await suspended(), { 'user.eve': 1, 'user.tom': 5 })
    assert.equal((await knowing.put(META, { description: 'text' })).status, 204)
    assert.deepEqual(await suspended(), { 'user.eve': 1, 'user.tom': 5 })
    await knowing.put(META, { userAuthorityFilter: '' })
    assert.deepEqual(await suspended(), { 'user.tom': 4 })
  })

  test('a date demanded ends memberships by then, and at once for users without it', async () => {
    await knowing.put(META, { userAuthorityExpiration: 'until' })
    const days = await daysOf(knowing)
    assert.deepEqual([days['user.joe']?.[0], days['user.eve']?.[0], days['sports.api']?.[0]], [15, 0, undefined])
  })

  test('the earlier of date and days counts, and both changes may come together', async () => {
    const body = { userAuthorityExpiration: 'until', userAuthorityFilter: 'employee', memberExpiryDays: 3 }
    await knowing.put(META, body)
    const days = await daysOf(knowing)
    assert.deepEqual([days['user.joe']?.[0], days['user.eve']?.[0]], [3, 0])
    assert.deepEqual(await suspended(), { 'user.eve': 1, 'user.tom': 5 })
  })

  test('groups in the role must demand the same', async () => {
    await commit(
      knowing,
      group('sports', 'g1', [], { userAuthorityFilter: 'employee' }),
      role('sports', 'r1', ['sports:group.g1']),
    )
    assert.equal((await knowing.put(META, { userAuthorityFilter: 'employee' })).status, 204)
    assert.deepEqual(
      await knowing.put(META, { userAuthorityExpiration: 'until' }),
      refusal(400, 'Group sports:group.g1 does not have same user authority expiration until configured'),
    )
    await commit(knowing, group('sports', 'g1'))
    assert.deepEqual(
      await knowing.put(META, { userAuthorityFilter: 'employee' }),
      refusal(400, 'Group sports:group.g1 does not have same user authority filter employee configured'),
    )
  })
})

describe('putResourceRoleOwnership', () => {
  const target = `${R1}/ownership`

  test('replaces and removes owners; members of self-serve roles have none', async () => {
    await make()
    const owners = { metaOwner: 'A', membersOwner: 'B', objectOwner: 'C' }
    assert.deepEqual(await zms.put(target, owners), NOTHING)
    assert.deepEqual((await settingsNow())['resourceOwnership'], owners)
    await zms.put(target, { objectOwner: 'D' })
    assert.deepEqual((await settingsNow())['resourceOwnership'], { objectOwner: 'D' })
    await zms.put(target, {})
    assert.equal((await settingsNow())['resourceOwnership'], undefined)
    await make([], { selfServe: true })
    await zms.put(target, owners)
    assert.deepEqual((await settingsNow())['resourceOwnership'], { metaOwner: 'A', objectOwner: 'C' })
  })

  test('needs a reference in audit-enabled domains', async () => {
    await zms.createDomain('sports', { auditEnabled: true })
    await make()
    assert.deepEqual(
      await zms.put(target, {}),
      refusal(400, 'putresourceroleownership: Audit reference required for domain: sports'),
    )
    assert.deepEqual(await zms.put(target, {}, reference), NOTHING)
  })

  test('refuses what does not fit', async () => {
    await make()
    assert.deepEqual(
      await zms.put('/domain/sports/role/nosuch/ownership', {}),
      refusal(400, 'Invalid role name specified'),
    )
    for (const body of [undefined, 'null']) {
      assert.deepEqual(await zms.put(target, body), refusal(400, 'Invalid resource role ownership: null'))
    }
    assert.equal((await zms.put(target, { objectOwner: 'a b' })).status, 400)
    assert.deepEqual(await zms.put(target, {}, { as: 'user.eve' }), refusal(403, 'Forbidden'))
  })
})
