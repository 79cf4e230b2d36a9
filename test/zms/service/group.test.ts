import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { groupService } from '#zms/service/group.ts'
import { groupMembershipService } from '#zms/service/group-membership.ts'
import { groupMetaService } from '#zms/service/group-meta.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, role, service } from './objects.ts'

const services = [groupService, groupMetaService, groupMembershipService]
const returned = { headers: { 'Athenz-Return-Object': 'true' } }
const as = (owner: string, more: Record<string, string> = {}) => ({
  headers: { 'Athenz-Resource-Owner': owner, ...more },
})
const G1 = '/domain/sports/group/g1'
const DAY_MILLIS = 86_400_000

/** A group in a request. */
const body = (members: readonly (string | object)[] = [], more: object = {}) => ({
  name: 'g1',
  groupMembers: members.map((member) => (typeof member === 'string' ? { memberName: member } : member)),
  ...more,
})

/** What a test looks at in a member of an answer. */
interface ShownMember {
  memberName: string
  pendingState?: string
}

const byName = (a: ShownMember, b: ShownMember) => (a.memberName < b.memberName ? -1 : 1)
const historyOf = ({ action, member, admin }: Record<string, string>) => `${action} ${member} by ${admin}`

/** Names of the members in an answer, those of requests with what is asked for; in order of their names. */
const names = (answer: { groupMembers?: ShownMember[] }) =>
  (answer.groupMembers ?? [])
    .map(({ memberName, pendingState }) => (pendingState ? `${memberName} ${pendingState}` : memberName))
    .sort()

const zms = await Harness.open({ services })
beforeEach(async () => {
  await zms.createDomain('media')
  await zms.createDomain('sports')
  await commit(zms, service('sports', 'api'))
})

const membersNow = async () => names((await zms.get(`${G1}?pending=true`)).body)
const dateIn = (millis: number) => new Date(zms.clock.millis + millis).toISOString()

describe('putGroup', () => {
  test('creates a group', async () => {
    const { status, body: created } = await zms.put(G1, body(['user.joe', 'sports.api']), returned)
    assert.equal(status, 200)
    const { modified, auditLog, groupMembers, ...rest } = created
    assert.deepEqual(rest, { name: 'sports:group.g1' })
    assert.ok(Date.parse(modified) >= zms.clock.millis)
    assert.deepEqual(groupMembers.toSorted(byName), [
      { memberName: 'sports.api', approved: true },
      { memberName: 'user.joe', approved: true },
    ])
    assert.deepEqual(auditLog.map(historyOf).sort(), ['ADD sports.api by user.admin', 'ADD user.joe by user.admin'])
  })

  test('answers nothing unless the object is asked for', async () => {
    assert.deepEqual(await zms.put(G1, body()), NOTHING)
  })

  test('adds new members, removes those missing, and updates those whose date changes', async () => {
    await zms.put(G1, body(['user.joe', 'user.eve', 'sports.api']))
    const dated = { memberName: 'user.eve', expiration: dateIn(DAY_MILLIS) }
    const { groupMembers, auditLog } = (await zms.put(G1, body([dated, 'user.tom', 'sports.api']), returned)).body
    assert.deepEqual(
      groupMembers
        .toSorted(byName)
        .map(({ memberName, expiration }: Record<string, string>) => [memberName, !!expiration]),
      [
        ['sports.api', false],
        ['user.eve', true],
        ['user.tom', false],
      ],
    )
    assert.deepEqual(auditLog.map(historyOf).slice(3).sort(), [
      'ADD user.tom by user.admin',
      'DELETE user.joe by user.admin',
      'UPDATE user.eve by user.admin',
    ])
  })

  test('takes names in any letter case and the full name of the group; of repeated members the first', async () => {
    const request = body(['USER.Joe', 'user.joe'], { name: 'Sports:group.G1' })
    const answer = await zms.put('/domain/SPORTS/group/G1', request, returned)
    assert.deepEqual([answer.body.name, names(answer.body)], ['sports:group.g1', ['user.joe']])
  })

  test('replaces all settings but tags', async () => {
    const settings = {
      selfServe: true,
      memberExpiryDays: 1,
      serviceExpiryDays: 2,
      maxMembers: 3,
      reviewEnabled: true,
      notifyRoles: 'admin',
      notifyDetails: 'd',
      deleteProtection: true,
      selfRenew: true,
      selfRenewMins: 4,
      principalDomainFilter: 'user',
    }
    const tags = { a: { list: ['b'] } }
    const full = (await zms.put(G1, body([], { ...settings, tags }), returned)).body
    assert.deepEqual(full, { name: 'sports:group.g1', modified: full.modified, ...settings, tags })
    const bare = (await zms.put(G1, body([]), returned)).body
    assert.deepEqual(bare, { name: 'sports:group.g1', modified: bare.modified, tags })
  })

  test('judges the members that stay', async () => {
    await zms.put(G1, body(['user.joe', 'sports.api']))
    assert.deepEqual(
      await zms.put(G1, body(['user.joe', 'sports.api'], { principalDomainFilter: 'user' })),
      refusal(400, 'Principal sports.api is not allowed for the group'),
    )
    await commit(zms, { kind: 'deleteService', domain: 'sports', service: 'api' })
    assert.deepEqual(
      await zms.put(G1, body(['user.joe', 'sports.api'])),
      refusal(400, 'Principal sports.api is not a valid service'),
    )
    assert.deepEqual(await membersNow(), ['sports.api', 'user.joe'])
  })

  const refused: [string, object, number, string][] = [
    [
      'another name',
      body([], { name: 'g2' }),
      400,
      'putGroup: Inconsistent group names - expected: sports:group.g1, actual: g2',
    ],
    ['unknown services', body(['sports.nosuch']), 400, 'Principal sports.nosuch is not a valid service'],
    ['services of unknown domains', body(['nosuch.api']), 400, 'Principal nosuch.api is not a valid service'],
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
      'Group cannot enable self-renew without a positive selfRenewMins value',
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
    ['a filter with an unknown domain', body([], { principalDomainFilter: '+nosuch' }), 400, 'No such domain: nosuch'],
    [
      'an audit flag that its domain does not have',
      body([], { auditEnabled: true }),
      400,
      'Group cannot be set as audit-enabled if the domain is not audit-enabled',
    ],
    [
      'more members than it allows',
      body(['user.joe', 'user.eve'], { maxMembers: 1 }),
      429,
      'group max members exceeded - limit: 1 actual: 2',
    ],
    ['a negative memberExpiryDays', body([], { memberExpiryDays: -1 }), 400, 'memberExpiryDays cannot be negative'],
    ['a negative serviceExpiryDays', body([], { serviceExpiryDays: -1 }), 400, 'serviceExpiryDays cannot be negative'],
    ['a negative maxMembers', body([], { maxMembers: -1 }), 400, 'maxMembers cannot be negative'],
    ['a negative selfRenewMins', body([], { selfRenewMins: -1 }), 400, 'selfRenewMins cannot be negative'],
    [
      'roles to notify that are no list of names',
      body([], { notifyRoles: 'admin, readers' }),
      400,
      'Invalid ResourceNames error: admin, readers is not a list of role names',
    ],
  ]
  for (const [title, request, status, message] of refused) {
    test(`refuses ${title}`, async () => assert.deepEqual(await zms.put(G1, request), refusal(status, message)))
  }

  for (const member of ['*', 'user.*', 'media:group.g1']) {
    test(`refuses ${member}`, async () => assert.equal((await zms.put(G1, body([member]))).status, 400))
  }

  test('refuses strangers and unknown domains', async () => {
    assert.deepEqual(await zms.put(G1, body(), { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.equal((await zms.put('/domain/nosuch/group/g1', body())).status, 404)
  })
})

describe('groups whose members need approval', () => {
  test('new members become requests; those missing do under delete protection', async () => {
    await zms.put(G1, body(['user.joe', 'user.tom']))
    await zms.put(G1, body(['user.joe', 'user.eve'], { reviewEnabled: true, deleteProtection: true }))
    assert.deepEqual(await membersNow(), ['user.eve ADD', 'user.joe', 'user.tom', 'user.tom DELETE'])
    await zms.put(G1, body(['user.tom'], { reviewEnabled: true }))
    assert.deepEqual(await membersNow(), ['user.eve ADD', 'user.tom', 'user.tom DELETE'])
  })
})

describe('audit-enabled groups', () => {
  const reference = { headers: { 'Y-Audit-Ref': 'ticket' } }
  const audited = { auditEnabled: true }
  beforeEach(() => zms.createDomain('sports', audited))

  test('the flag comes without members only, and does not go', async () => {
    await zms.put(G1, body(['user.joe']), reference)
    assert.deepEqual(
      await zms.put(G1, body(['user.joe'], audited), reference),
      refusal(400, 'Only system admins can set the group as audit-enabled if it has members'),
    )
    await zms.put(G1, body(), reference)
    assert.equal((await zms.put(G1, body([], audited), reference)).status, 204)
    assert.deepEqual(
      await zms.put(G1, body(), reference),
      refusal(400, 'Only system admins can remove the audit-enabled flag from a group'),
    )
  })

  test('what is missing, and who owns it, matters before the reference', async () => {
    assert.deepEqual(await zms.delete(G1), refusal(404, 'Group does not exist'))
    await commit(zms, group('sports', 'g1', [], { resourceOwnership: new Map([['object', 'tf']]) }))
    const message = 'Invalid resource owner for group: sports:group.g1, tf vs. null'
    assert.deepEqual(await zms.put(G1, body()), refusal(409, message))
    assert.deepEqual(await zms.delete(G1), refusal(409, 'Invalid resource owner for object: tf vs. null'))
  })

  test('domain and group need a reference', async () => {
    const ofDomain = (api: string) => refusal(400, `${api}: Audit reference required for domain: sports`)
    assert.deepEqual(await zms.put(G1, body()), ofDomain('putgroup'))
    await zms.put(G1, body(), reference)
    assert.deepEqual(await zms.delete(G1), ofDomain('deletegroup'))
    await zms.createDomain('sports')
    await commit(zms, group('sports', 'g1', [], audited))
    assert.deepEqual(
      await zms.delete(G1),
      refusal(400, 'deletegroup: Audit reference required for object: sports:group.g1'),
    )
    assert.equal((await zms.delete(G1, reference)).status, 204)
  })
})

describe('the date of the last review', () => {
  test('it is at most 5 minutes ahead, and not too old', async () => {
    const put = (millis: number) => zms.put(G1, body([], { lastReviewedDate: dateIn(millis) }))
    const message = (millis: number, why: string) => refusal(400, `Last reviewed date: ${dateIn(millis)} is ${why}`)
    assert.deepEqual(await put(301_000), message(301_000, 'in the future'))
    assert.deepEqual(await put(-366 * DAY_MILLIS), message(-366 * DAY_MILLIS, 'too far in the past'))
    assert.equal((await put(-364 * DAY_MILLIS)).status, 204)
    assert.deepEqual(await put(-8 * DAY_MILLIS), message(-8 * DAY_MILLIS, 'too far in the past'))
  })
})

describe('users of a user authority', () => {
  const userAuthority: Authority = {
    id: 'test',
    credentialSource: 'header',
    allowAuthorization: true,
    userType: (name) => (name === 'user.nobody' ? 'invalid' : name === 'user.gone' ? 'suspended' : 'active'),
    booleanAttributes: () => new Set(['employee']),
    dateAttributes: () => new Set(['until']),
    isAttributeSet: (name) => name === 'user.joe',
    dateAttribute: (name) => (name === 'user.joe' ? Date.UTC(2040, 0, 1) : undefined),
  }

  test('are known, and have what the group demands', async () => {
    const knowing = await Harness.open({ services, userAuthority })
    await knowing.createDomain('sports')
    const put = (member: string, more: object = {}) => knowing.put(G1, body([member], more), returned)
    assert.deepEqual(await put('user.nobody'), refusal(400, 'Principal user.nobody is not valid'))
    assert.deepEqual(await put('user.gone'), refusal(403, 'User is suspended: user.gone'))
    assert.deepEqual(
      await put('user.joe', { userAuthorityFilter: 'until' }),
      refusal(400, 'until is not a valid user authority attribute'),
    )
    const filter = { userAuthorityFilter: 'employee' }
    assert.match((await put('user.eve', filter)).body.message, /^Required user authority filter employee not valid/)
    const expiration = { userAuthorityExpiration: 'until' }
    assert.deepEqual(
      await put('user.eve', expiration),
      refusal(400, 'Invalid member: user.eve. No expiry date attribute specified in user authority'),
    )
    const { groupMembers } = (await put('user.joe', { ...filter, ...expiration })).body
    assert.equal(groupMembers[0].expiration, '2040-01-01T00:00:00.000Z')
  })
})

describe('limits of groups', () => {
  test('members are counted before groups; one more group is counted when one is replaced', async () => {
    const small = await Harness.open({ services, properties: { quota_group: '1', quota_group_member: '1' } })
    await small.createDomain('sports')
    assert.deepEqual(
      await small.put(G1, body(['user.a', 'user.b'])),
      refusal(429, 'group member quota exceeded - limit: 1 actual: 2'),
    )
    assert.equal((await small.put(G1, body(['user.a']))).status, 204)
    assert.deepEqual(await small.put(G1, body()), refusal(429, 'group quota exceeded - limit: 1 actual: 2'))
  })

  test('tags are counted by their values', async () => {
    const tags = { a: { list: Array.from({ length: 26 }, (_, n) => `v${n}`) } }
    assert.deepEqual(
      await zms.put(G1, body([], { tags })),
      refusal(400, 'group tag quota exceeded - limit: 25, current tags count: 0, new tags count: 26'),
    )
  })
})

describe('owners of groups', () => {
  test('a new group is owned by who makes it, and refused to others', async () => {
    await zms.put(G1, body(['user.joe']), as('TF'))
    const all = { metaOwner: 'TF', membersOwner: 'TF', objectOwner: 'TF' }
    assert.deepEqual((await zms.get(G1)).body.resourceOwnership, all)
    const message = (given: string) => `Invalid resource owner for group: sports:group.g1, TF vs. ${given}`
    assert.deepEqual(await zms.put(G1, body()), refusal(409, message('null')))
    assert.deepEqual(await zms.put(G1, body(), as('ui')), refusal(409, message('ui')))
    assert.deepEqual(await zms.delete(G1, as('ui')), refusal(409, 'Invalid resource owner for object: TF vs. ui'))
    assert.equal((await zms.delete(G1, as('tf'))).status, 204)
  })

  test('members of a self-serve group have no owner', async () => {
    await zms.put(G1, body(['user.joe'], { selfServe: true }), as('tf'))
    assert.deepEqual((await zms.get(G1)).body.resourceOwnership, { metaOwner: 'tf', objectOwner: 'tf' })
  })
})

describe('deleteGroup', () => {
  test('deletes a group', async () => {
    await zms.put(G1, body(['user.joe']))
    assert.deepEqual(await zms.delete('/domain/sports/group/G1'), NOTHING)
    assert.deepEqual(await zms.get(G1), refusal(404, "getGroup: Group not found: 'sports:group.g1'"))
    assert.deepEqual(await zms.delete(G1), refusal(404, 'Group does not exist'))
  })

  test('keeps groups that are members of roles, of the own domain or another', async () => {
    await zms.put(G1, body())
    for (const domain of ['sports', 'media']) {
      await commit(zms, role(domain, 'r1', ['sports:group.g1']))
      assert.deepEqual(
        await zms.delete(G1),
        refusal(400, `Remove group 'sports:group.g1' membership from the following role(s): ${domain}:role.r1`),
      )
      await commit(zms, { kind: 'deleteRole', domain, role: 'r1' })
    }
    assert.equal((await zms.delete(G1)).status, 204)
  })

  test('refuses strangers and unknown domains', async () => {
    await zms.put(G1, body())
    assert.deepEqual(await zms.delete(G1, { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.equal((await zms.delete('/domain/nosuch/group/g1')).status, 404)
  })
})

describe('an authorized service', () => {
  test('may do what its file lists', async () => {
    const file = { services: { 'ui.server': { allowedOperations: [{ name: 'putgroup' }] } } }
    const parts = { authorizedServices: AuthorizedServices.parse(JSON.stringify(file)) }
    const chained = await Harness.open({ services, parts })
    await chained.createDomain('sports')
    const through = { principal: { authorizedService: 'ui.server' } }
    assert.equal((await chained.put(G1, body(), through)).status, 204)
    const refused: [Promise<unknown>, string][] = [
      [chained.delete(G1, through), 'deletegroup'],
      [chained.put(`${G1}/meta`, {}, through), 'putgroupmeta'],
      [chained.put(`${G1}/review`, body(), through), 'putgroupreview'],
      [chained.put(`${G1}/ownership`, {}, through), 'putresourcegroupownership'],
      [chained.put(`${G1}/member/user.joe`, { memberName: 'user.joe' }, through), 'putgroupmembership'],
      [chained.delete(`${G1}/member/user.joe`, through), 'deletegroupmembership'],
      [chained.delete(`${G1}/pendingmember/user.joe`, through), 'deletependinggroupmembership'],
    ]
    for (const [answer, operation] of refused) {
      assert.deepEqual(await answer, refusal(403, `Unauthorized Operation (${operation}) for Service ui.server`))
    }
  })
})

describe('reads of groups', () => {
  test('lists show members and all settings on request', async () => {
    await commit(
      zms,
      group('sports', 'g1', [{ memberName: 'user.joe', systemDisabled: 1 }], { maxMembers: 5, memberExpiryDays: 3 }),
    )
    const list = async (query: string) =>
      (await zms.get(`/domain/sports/groups${query}`)).body.list.map(
        ({ modified: _, ...found }: { modified: string }) => found,
      )
    assert.deepEqual(await list(''), [{ name: 'sports:group.g1', memberExpiryDays: 3 }])
    assert.deepEqual(await list('?members=true'), [
      {
        name: 'sports:group.g1',
        memberExpiryDays: 3,
        maxMembers: 5,
        groupMembers: [{ memberName: 'user.joe', groupName: 'sports:group.g1', systemDisabled: 1 }],
      },
    ])
  })

  test('lists are filtered by tags, letter by letter', async () => {
    await zms.put(G1, body([], { tags: { Tier: { list: ['gold'] } } }))
    const count = async (query: string) => (await zms.get(`/domain/sports/groups?${query}`)).body.list.length
    assert.deepEqual(
      [await count('tagKey=Tier'), await count('tagKey=Tier&tagValue=gold'), await count('tagKey=tier')],
      [1, 1, 0],
    )
    assert.equal(await count('tagKey=Tier&tagValue=GOLD'), 0)
  })

  test('a group shows requests and history on request only', async () => {
    await zms.put(G1, body(['user.joe'], { reviewEnabled: true }))
    const plain = (await zms.get(G1)).body
    assert.deepEqual([plain.groupMembers, plain.auditLog], [undefined, undefined])
    assert.deepEqual(await membersNow(), ['user.joe ADD'])
    assert.deepEqual((await zms.get(`${G1}?auditLog=true`)).body.auditLog.map(historyOf), [
      'REQUEST user.joe by user.admin',
    ])
  })

  const missing: [string, string][] = [
    ['/domain/nosuch/groups', "Domain not found: 'nosuch'"],
    ['/domain/nosuch/group/g1', "getGroup: Group not found: 'nosuch:group.g1'"],
    ['/domain/sports/group/g9', "getGroup: Group not found: 'sports:group.g9'"],
  ]
  for (const [target, message] of missing) {
    test(`${target} is missing`, async () => assert.deepEqual(await zms.get(target), refusal(404, message)))
  }

  test('everybody who is known may read', async () => {
    await zms.put(G1, body())
    assert.equal((await zms.get(G1, { as: 'user.eve' })).status, 200)
  })
})
