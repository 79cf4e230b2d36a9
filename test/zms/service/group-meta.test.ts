import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { groupService } from '#zms/service/group.ts'
import { groupMetaService } from '#zms/service/group-meta.ts'
import type { GroupBase, GroupMember } from '#zms/store/model.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, role } from './objects.ts'

const services = [groupService, groupMetaService]
const G1 = '/domain/sports/group/g1'
const META = `${G1}/meta`
const SYSTEM = `${META}/system/auditenabled`
const DAY_MILLIS = 86_400_000
const reference = { headers: { 'Y-Audit-Ref': 'ticket' } }
const as = (owner: string) => ({ headers: { 'Athenz-Resource-Owner': owner } })

const zms = await Harness.open({ services })
beforeEach(() => zms.createDomain('sports'))

const make = (members: readonly (string | GroupMember)[] = [], settings: Partial<GroupBase> = {}) =>
  commit(zms, group('sports', 'g1', members, settings))

/** The settings of the group as reads show them, without members. */
async function settingsNow(): Promise<Record<string, unknown>> {
  const { name: _, modified: __, groupMembers: ___, ...settings } = (await zms.get(G1)).body
  return settings
}

/** Days from now until the membership of each member ends; undefined for never. */
async function daysOf(harness = zms): Promise<Record<string, number | undefined>> {
  const members = (await harness.domain('sports')).groups.get('g1')?.members ?? []
  return Object.fromEntries(
    [...members].map(({ memberName, expiration }) => [
      memberName,
      expiration === undefined ? undefined : Math.floor((expiration - harness.clock.millis) / DAY_MILLIS + 0.5),
    ]),
  )
}

describe('putGroupMeta', () => {
  test('changes nothing where somebody else has changed the group since it was read, for those who ask for that', async () => {
    await make()
    const modifiedNow = async () => String((await zms.get(G1)).body.modified)
    const since = (modified: string) => zms.put(`${META}?unchangedSince=${modified}`, { memberExpiryDays: 9 })
    const read = await modifiedNow()
    await zms.put(META, { selfServe: true, memberExpiryDays: 5 })
    assert.deepEqual(await since(read), refusal(409, `putgroupmeta: sports:group.g1 was changed after ${read}`))
    assert.equal((await since('never')).status, 409)
    assert.equal((await settingsNow())['memberExpiryDays'], 5)
    assert.deepEqual(await since(await modifiedNow()), NOTHING)
    assert.equal((await settingsNow())['memberExpiryDays'], 9)
  })

  const full = {
    selfServe: true,
    memberExpiryDays: 1,
    serviceExpiryDays: 2,
    reviewEnabled: true,
    notifyRoles: 'admin',
    notifyDetails: 'd',
    deleteProtection: true,
    selfRenew: true,
    selfRenewMins: 3,
    maxMembers: 4,
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
    const cleared = {
      memberExpiryDays: 0,
      serviceExpiryDays: 0,
      notifyRoles: '',
      notifyDetails: '',
      selfRenew: false,
      selfRenewMins: 0,
      maxMembers: 0,
      principalDomainFilter: '',
      tags: {},
    }
    assert.equal((await zms.put(META, cleared)).status, 204)
    assert.deepEqual(await settingsNow(), { tags: full.tags })
  })

  const refused: [string, object, string][] = [
    ['a negative number', { serviceExpiryDays: -1 }, 'serviceExpiryDays cannot be negative'],
    [
      'roles to notify that are no list of names',
      { notifyRoles: 'b!d' },
      'Invalid ResourceNames error: b!d is not a list of role names',
    ],
    [
      'self-renewal for 0 minutes',
      { selfRenew: true, selfRenewMins: 0 },
      'Group cannot enable self-renew without a positive selfRenewMins value',
    ],
    [
      'an attribute without an authority',
      { userAuthorityFilter: 'employee' },
      'User Authority filter specified without a valid user authority',
    ],
    ['a filter with an unknown domain', { principalDomainFilter: '-nosuch' }, 'No such domain: nosuch'],
    [
      'an audit flag that its domain does not have',
      { auditEnabled: true },
      'Group cannot be set as audit-enabled if the domain is not audit-enabled',
    ],
  ]
  for (const [title, body, message] of refused) {
    test(`refuses ${title}`, async () => {
      await make()
      assert.deepEqual(await zms.put(META, body), refusal(400, message))
    })
  }

  test('refuses strangers and unknown groups', async () => {
    await make()
    assert.deepEqual(await zms.put(META, {}, { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.deepEqual(
      await zms.put('/domain/sports/group/nosuch/meta', {}),
      refusal(404, 'Invalid domain/group name specified'),
    )
    assert.equal((await zms.put('/domain/nosuch/group/g1/meta', {})).status, 404)
  })

  test('minds the owner of the settings, and makes one', async () => {
    await make()
    assert.equal((await zms.put(META, {}, as('tf'))).status, 204)
    assert.deepEqual(await zms.put(META, {}), refusal(409, 'Group has a resource owner: tf'))
    assert.deepEqual(
      await zms.put(META, {}, as('ui')),
      refusal(409, 'Invalid resource meta owner for group: sports:group.g1, tf vs. ui'),
    )
  })

  test('days limit the dates of members of that kind, and never move them further away', async () => {
    await make(['user.joe', 'sports.api'])
    await zms.put(META, { memberExpiryDays: 3 })
    assert.deepEqual(await daysOf(), { 'user.joe': 3, 'sports.api': undefined })
    await zms.put(META, { memberExpiryDays: 9, serviceExpiryDays: 4 })
    assert.deepEqual(await daysOf(), { 'user.joe': 3, 'sports.api': 4 })
  })
})

describe('the audit flag', () => {
  beforeEach(() => zms.createDomain('sports', { auditEnabled: true }))

  test('settings set it while there are no members, and do not take it away', async () => {
    await make(['user.joe'])
    assert.deepEqual(
      await zms.put(META, { auditEnabled: true }),
      refusal(400, 'Only system admins can set the group as audit-enabled if it already has members'),
    )
    await commit(zms, { kind: 'deleteGroupMember', domain: 'sports', group: 'g1', member: 'user.joe' })
    assert.equal((await zms.put(META, { auditEnabled: true })).status, 204)
    assert.deepEqual(
      await zms.put(META, {}),
      refusal(400, 'putgroupmeta: Audit reference required for object: sports:group.g1'),
    )
    await zms.put(META, { auditEnabled: false }, reference)
    assert.equal((await settingsNow())['auditEnabled'], true)
  })

  test('system settings set it and take it away, and keep the others', async () => {
    const settings = { principalDomainFilter: 'user', userAuthorityFilter: 'employee' }
    await make(['user.joe'], settings)
    assert.deepEqual(await zms.put(SYSTEM, { auditEnabled: true }, reference), NOTHING)
    assert.deepEqual(await settingsNow(), { ...settings, auditEnabled: true })
    await zms.put(SYSTEM, { auditEnabled: false }, reference)
    assert.deepEqual(await settingsNow(), settings)
  })

  test('system settings refuse what does not fit', async () => {
    await make()
    const on = { auditEnabled: true }
    assert.deepEqual(
      await zms.put(SYSTEM, on),
      refusal(400, 'putgroupsystemmeta: Audit reference required for domain: sports'),
    )
    assert.deepEqual(
      await zms.put(`${META}/system/colour`, on, reference),
      refusal(400, 'unknown group system meta attribute: colour'),
    )
    assert.deepEqual(await zms.put(SYSTEM, on, { as: 'user.owner' }), refusal(403, 'Forbidden'))
    await zms.createDomain('sports')
    assert.deepEqual(
      await zms.put(SYSTEM, on),
      refusal(400, 'auditEnabled flag not set for domain: sports to add it on the group: g1'),
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
  test('an attribute demanded suspends users without it; a date ends memberships by then', async () => {
    await knowing.createDomain('sports')
    await commit(knowing, group('sports', 'g1', ['user.joe', 'user.eve', 'sports.api']))
    await knowing.put(META, { userAuthorityFilter: 'employee', userAuthorityExpiration: 'until' })
    const members = [...((await knowing.domain('sports')).groups.get('g1')?.members ?? [])]
    assert.deepEqual(
      members.filter(({ systemDisabled }) => systemDisabled === 1).map(({ memberName }) => memberName),
      ['user.eve'],
    )
    assert.deepEqual(await daysOf(knowing), { 'user.joe': 15, 'user.eve': 0, 'sports.api': undefined })
  })

  test('what a role demands of a group stays', async () => {
    await knowing.createDomain('sports')
    const demands = { userAuthorityFilter: 'employee', userAuthorityExpiration: 'until' }
    const without = (names: object) => knowing.put(META, names)
    await commit(knowing, group('sports', 'g1', [], demands), role('sports', 'r1', ['sports:group.g1'], demands))
    assert.deepEqual(
      await without({ userAuthorityFilter: '' }),
      refusal(
        400,
        'Setting  user authority filter on the group will not satisfy sports:role.r1 role filter requirements',
      ),
    )
    assert.deepEqual(
      await without({ userAuthorityExpiration: '' }),
      refusal(
        400,
        'Setting  user authority expiration on the group will not satisfy sports:role.r1 role expiration requirements',
      ),
    )
    assert.deepEqual(await without({ memberExpiryDays: 5 }), NOTHING)
    await commit(knowing, role('sports', 'r1', ['sports:group.g1']))
    assert.deepEqual(await without({ userAuthorityFilter: '', userAuthorityExpiration: '' }), NOTHING)
  })
})

describe('putResourceGroupOwnership', () => {
  const target = `${G1}/ownership`

  test('replaces owners; members of self-serve groups have none', async () => {
    await make()
    const owners = { metaOwner: 'A', membersOwner: 'B', objectOwner: 'C' }
    assert.deepEqual(await zms.put(target, owners), NOTHING)
    assert.deepEqual((await settingsNow())['resourceOwnership'], owners)
    await make([], { selfServe: true })
    await zms.put(target, owners)
    assert.deepEqual((await settingsNow())['resourceOwnership'], { metaOwner: 'A', objectOwner: 'C' })
  })

  test('refuses what does not fit', async () => {
    await make()
    assert.deepEqual(
      await zms.put('/domain/sports/group/nosuch/ownership', {}),
      refusal(400, 'Invalid group name specified'),
    )
    assert.deepEqual(await zms.put(target, undefined), refusal(400, 'Invalid resource group ownership: null'))
    assert.deepEqual(await zms.put(target, {}, { as: 'user.eve' }), refusal(403, 'Forbidden'))
  })
})
