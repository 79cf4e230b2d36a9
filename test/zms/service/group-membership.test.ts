import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { groupService } from '#zms/service/group.ts'
import { groupMembershipService } from '#zms/service/group-membership.ts'
import type { GroupBase, GroupMember, PendingState } from '#zms/store/model.ts'
import { type CallOptions, Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, policy, role, service } from './objects.ts'

const services = [groupService, groupMembershipService]
const G1 = '/domain/sports/group/g1'
const DAY_MILLIS = 86_400_000

const zms = await Harness.open({ services })
beforeEach(async () => {
  await zms.createDomain('sports')
  await commit(zms, service('sports', 'api'))
})

const make = (members: readonly (string | GroupMember)[] = [], settings: Partial<GroupBase> = {}) =>
  commit(zms, group('sports', 'g1', members, settings))

const put = (member: string, more: object = {}, options: CallOptions = {}) =>
  zms.put(`${G1}/member/${member}`, { memberName: member, ...more }, options)

/** The answer that shows what a write of a membership leaves. */
const shown = async (member: string, more: object = {}, options: CallOptions = {}) =>
  (await put(member, more, { ...options, headers: { 'Athenz-Return-Object': 'true', ...options.headers } })).body

const membership = async (member: string) => (await zms.get(`${G1}/member/${member}`)).body
const decide = (member: string, approved: boolean, options: CallOptions = {}, more: object = {}) =>
  zms.put(`${G1}/member/${member}/decision`, { memberName: member, approved, ...more }, options)

const pendingRequest = (memberName: string, pendingState: PendingState, requestPrincipal = 'user.asker') => ({
  kind: 'putPendingGroupMember' as const,
  domain: 'sports',
  group: 'g1',
  value: { memberName, pendingState, requestPrincipal, requestTime: 0 },
})
const pendingNow = async () => [...((await zms.domain('sports')).groups.get('g1')?.pending.keys() ?? [])]

const history = async () =>
  (await zms.store.groupAudit('sports', 'g1')).map(({ action, member, admin }) => `${action} ${member} by ${admin}`)

/** A date some days from now, as answers show it. */
const inDays = (days: number) => new Date(Math.floor(zms.clock.millis / 1000) * 1000 + days * DAY_MILLIS).toISOString()

const joe = { memberName: 'user.joe', groupName: 'sports:group.g1' }
const unauthorized = refusal(403, 'putGroupMembership: principal is not authorized to add members')

describe('putGroupMembership', () => {
  test('adds a member, and changes its date', async () => {
    await make()
    assert.deepEqual(await put('user.joe'), NOTHING)
    const joined = { ...joe, isMember: true, approved: true, requestPrincipal: 'user.admin' }
    assert.deepEqual(await membership('user.joe'), joined)
    const expiration = inDays(1)
    assert.deepEqual(await shown('user.joe', { expiration }), { ...joined, expiration })
    assert.deepEqual(await history(), ['ADD user.joe by user.admin', 'UPDATE user.joe by user.admin'])
  })

  test('whole writes leave with members who wrote them, too', async () => {
    await make(['user.joe'])
    const groupMembers = [{ memberName: 'user.joe', expiration: inDays(1) }, { memberName: 'user.eve' }]
    assert.deepEqual(await zms.put(G1, { name: 'g1', groupMembers }), NOTHING)
    for (const { memberName } of groupMembers) {
      assert.equal((await membership(memberName)).requestPrincipal, 'user.admin')
    }
  })

  test('takes names in any letter case', async () => {
    await make()
    const answer = await zms.put('/domain/SPORTS/group/G1/member/USER.Joe', { memberName: 'User.JOE', groupName: 'G1' })
    assert.equal(answer.status, 204)
    assert.equal((await membership('User.Joe')).isMember, true)
  })

  test('limits dates by the days of the group, else of its domain; there are no reminders', async () => {
    await zms.createDomain('sports', { memberExpiryDays: 20, serviceExpiryDays: 30 })
    await commit(zms, service('sports', 'api'))
    await make([], { memberExpiryDays: 10 })
    assert.equal((await shown('user.joe')).expiration, inDays(10))
    assert.equal((await shown('user.joe', { expiration: inDays(99) })).expiration, inDays(10))
    assert.equal((await shown('user.joe', { expiration: inDays(1) })).expiration, inDays(1))
    assert.equal((await shown('sports.api')).expiration, inDays(30))
  })

  test('refuses names that do not fit the path', async () => {
    await make()
    const mismatch = (what: string) =>
      refusal(400, `putGroupMembership: ${what} name in URI and GroupMembership object do not match`)
    const target = `${G1}/member/user.joe`
    assert.deepEqual(await zms.put(target, { memberName: 'user.eve' }), mismatch('Member'))
    assert.deepEqual(await zms.put(target, { ...joe, groupName: 'g2' }), mismatch('Group'))
    assert.deepEqual(await zms.put(target, joe), mismatch('Group'))
  })

  test('refuses unknown groups, and members that are none', async () => {
    await make()
    const missing = refusal(400, 'Invalid groupname specified')
    const body = { memberName: 'user.joe' }
    assert.deepEqual(await zms.put('/domain/sports/group/nosuch/member/user.joe', body), missing)
    assert.deepEqual(await zms.put('/domain/nosuch/group/g1/member/user.joe', body), missing)
    assert.deepEqual(await put('sports.nosuch'), refusal(400, 'Principal sports.nosuch is not a valid service'))
    assert.deepEqual(await put('nosuch.api'), refusal(400, 'Principal nosuch.api is not a valid service'))
    for (const member of ['*', 'user.*', 'sports:group.g1']) assert.equal((await put(member)).status, 400)
  })

  test('refuses others than those who may update the group or its members', async () => {
    await make()
    assert.deepEqual(await put('user.eve', {}, { as: 'user.eve' }), unauthorized)
    await commit(
      zms,
      role('sports', 'helpers', ['user.eve']),
      policy('sports', 'p1', [{ id: 1, role: 'helpers', resource: 'sports:group.g1', action: 'update_members' }]),
    )
    assert.equal((await put('user.joe', {}, { as: 'user.eve' })).status, 204)
    assert.equal((await zms.delete(`${G1}/member/user.joe`, { as: 'user.eve' })).status, 204)
  })

  test('refuses one member more than the group or the quota allows', async () => {
    await make(['user.joe'], { maxMembers: 1 })
    assert.deepEqual(await put('user.eve'), refusal(429, 'group max members exceeded - limit: 1 actual: 1'))
    assert.equal((await put('user.joe')).status, 204)
    const small = await Harness.open({ services, properties: { quota_group_member: '1' } })
    await small.createDomain('sports')
    await commit(small, group('sports', 'g1', ['user.joe']))
    assert.deepEqual(
      await small.put(`${G1}/member/user.eve`, { memberName: 'user.eve' }),
      refusal(429, 'group member quota exceeded - limit: 1 actual: 1'),
    )
  })

  test('needs a reference in audit-enabled domains', async () => {
    await zms.createDomain('sports', { auditEnabled: true })
    await make(['user.joe'])
    const needed = (api: string) => refusal(400, `${api}: Audit reference required for domain: sports`)
    assert.deepEqual(await put('user.eve'), needed('putgroupmembership'))
    assert.deepEqual(await zms.delete(`${G1}/member/user.joe`), needed('deletegroupmembership'))
    assert.equal((await put('user.eve', {}, { headers: { 'Y-Audit-Ref': 'ticket' } })).status, 204)
  })

  test('minds the owner of the members, but not in self-serve groups', async () => {
    await make()
    const as = (owner: string) => ({ headers: { 'Athenz-Resource-Owner': owner } })
    assert.equal((await put('user.joe', {}, as('tf'))).status, 204)
    assert.deepEqual(await put('user.eve'), refusal(409, 'Group has a resource owner: tf'))
    assert.deepEqual(
      await put('user.eve', {}, as('ui')),
      refusal(409, 'Invalid resource member owner for group: sports:group.g1, tf vs. ui'),
    )
    const target = `${G1}/member/user.joe`
    assert.deepEqual(await zms.delete(target), refusal(409, 'Invalid resource owner for object: tf vs. null'))
    await make([], { selfServe: true, resourceOwnership: new Map([['members', 'tf']]) })
    assert.equal((await put('user.eve')).status, 204)
    assert.equal((await zms.delete(target)).status, 204)
  })
})

test('users are known by the alias of their domain', async () => {
  const aliased = await Harness.open({ services, parts: { config: { ...zms.deps.config, userDomainAlias: 'unix' } } })
  await aliased.createDomain('sports')
  await commit(aliased, group('sports', 'g1', [], { selfServe: true }))
  const member = `${G1}/member/unix.joe`
  const body = { memberName: 'unix.joe' }
  const stored = async () => {
    const found = (await aliased.domain('sports')).groups.get('g1')
    return [[...(found?.members ?? [])].map(({ memberName }) => memberName), [...(found?.pending.keys() ?? [])]]
  }
  const asked = await aliased.put(member, body, { as: 'user.eve', headers: { 'Athenz-Return-Object': 'true' } })
  assert.equal(asked.body.memberName, 'user.joe')
  assert.deepEqual(await aliased.delete(`${G1}/pendingmember/unix.joe`), NOTHING)
  assert.deepEqual(await stored(), [[], []])
  await aliased.put(member, body, { as: 'user.eve' })
  assert.deepEqual(await aliased.put(`${member}/decision`, body), NOTHING)
  assert.deepEqual(await stored(), [['user.joe'], []])
  assert.deepEqual((await aliased.get(member)).body, {
    ...joe,
    isMember: true,
    approved: true,
    requestPrincipal: 'user.admin',
  })
  assert.deepEqual(await aliased.delete(member), NOTHING)
  assert.deepEqual(await stored(), [[], []])
})

describe('self-serve and self-renewal', () => {
  test('anybody may ask; those who update members add directly', async () => {
    await make([], { selfServe: true })
    const asked = { isMember: true, approved: false, requestPrincipal: 'user.joe', pendingState: 'ADD' }
    assert.deepEqual(await shown('user.joe', {}, { as: 'user.joe' }), { ...joe, ...asked })
    assert.deepEqual(await membership('user.joe'), { ...joe, ...asked })
    assert.equal((await shown('user.eve')).approved, true)
  })

  test('who brought a member in does not remove it, unlike in roles', async () => {
    await make([{ memberName: 'user.eve', requestPrincipal: 'user.joe' }, { memberName: 'user.joe' }], {
      selfServe: true,
    })
    assert.deepEqual(
      await zms.delete(`${G1}/member/user.eve`, { as: 'user.joe' }),
      refusal(403, 'deleteGroupMembership: principal is not authorized to delete members'),
    )
    assert.equal((await zms.delete(`${G1}/member/user.joe`, { as: 'user.joe' })).status, 204)
  })

  test('members extend their own membership by the minutes of the group', async () => {
    await make(['user.joe', 'user.eve'], { selfRenew: true, selfRenewMins: 24 * 60 })
    assert.equal((await shown('user.joe', { expiration: inDays(9) }, { as: 'user.joe' })).expiration, inDays(1))
    assert.deepEqual(await put('user.eve', {}, { as: 'user.joe' }), unauthorized)
    assert.deepEqual(await put('user.tom', {}, { as: 'user.tom' }), unauthorized)
  })
})

describe('groups whose members need approval', () => {
  test('new members are asked for, and decided by somebody else', async () => {
    await make([], { reviewEnabled: true })
    assert.equal((await shown('user.joe')).approved, false)
    assert.deepEqual(
      await decide('user.joe', true),
      refusal(403, 'principal user.admin cannot approve / reject own request'),
    )
    await commit(zms, pendingRequest('user.owner', 'ADD'))
    assert.deepEqual(
      await decide('user.owner', true, { as: 'user.owner' }),
      refusal(403, 'principal user.owner cannot approve / reject own membership'),
    )
    assert.equal((await decide('user.joe', true, { as: 'user.owner' }, { expiration: inDays(1) })).status, 204)
    const { approved, expiration, requestPrincipal } = await membership('user.joe')
    assert.deepEqual([approved, expiration, requestPrincipal], [true, inDays(1), 'user.owner'], 'who approved it')
  })

  test('removals are asked for under delete protection', async () => {
    await make(['user.joe'], { reviewEnabled: true, deleteProtection: true })
    assert.deepEqual(await zms.delete(`${G1}/member/user.joe`), NOTHING)
    assert.equal((await membership('user.joe')).approved, true)
    assert.deepEqual(
      await put('user.joe'),
      refusal(400, 'The user user.joe already has a pending request in a different state'),
    )
    assert.equal((await decide('user.joe', true, { as: 'user.owner' })).status, 204)
    assert.equal((await membership('user.joe')).isMember, false)
    assert.deepEqual(await history(), ['REQUEST user.joe by user.admin', 'DELETE user.joe by user.owner'])
  })

  test('auditors decide for audit-enabled groups', async () => {
    await zms.createDomain('sports', { auditEnabled: true })
    await make([], { auditEnabled: true })
    await commit(zms, pendingRequest('user.joe', 'ADD'))
    const headers = { 'Y-Audit-Ref': 'ticket' }
    assert.deepEqual(
      await decide('user.joe', true, { as: 'user.owner', headers }),
      refusal(403, 'principal user.owner is not authorized to approve / reject members'),
    )
    await commit(
      zms,
      role('sys.auth.audit.domain', 'sports', ['user.auditor']),
      policy('sys.auth.audit.domain', 'sports', [
        { id: 1, role: 'sports', resource: 'sys.auth.audit.domain:audit.sports', action: 'update' },
      ]),
    )
    assert.equal((await decide('user.joe', true, { as: 'user.auditor', headers })).status, 204)
  })
})

describe('putGroupMembershipDecision', () => {
  beforeEach(async () => {
    await make([], { selfServe: true })
    await commit(zms, pendingRequest('user.joe', 'ADD'))
  })

  test('rejects', async () => {
    assert.deepEqual(await decide('user.joe', false), NOTHING)
    assert.deepEqual([await membership('user.joe'), await pendingNow()], [{ ...joe, isMember: false }, []])
    assert.deepEqual(await history(), ['REJECT user.joe by user.admin'])
  })

  test('judges the member again', async () => {
    await commit(zms, pendingRequest('sports.gone', 'ADD'))
    assert.deepEqual(await decide('sports.gone', true), refusal(400, 'Principal sports.gone is not a valid service'))
    assert.deepEqual(await pendingNow(), ['user.joe', 'sports.gone'])
  })

  test('refuses what does not fit', async () => {
    const target = `${G1}/member/user.joe/decision`
    const mismatch = (what: string) =>
      refusal(400, `putGroupMembershipDecision: ${what} name in URI and GroupMembership object do not match`)
    assert.deepEqual(await zms.put(target, { memberName: 'user.eve', approved: true }), mismatch('Member'))
    assert.deepEqual(await zms.put(target, { memberName: 'user.joe', groupName: 'g2' }), mismatch('Group'))
    assert.deepEqual(await decide('user.eve', true), refusal(404, 'Pending group member user.eve not found'))
    assert.deepEqual(
      await zms.put('/domain/sports/group/nosuch/member/user.joe/decision', { memberName: 'user.joe' }),
      refusal(400, 'Invalid groupname specified'),
    )
    assert.deepEqual(
      await decide('user.joe', true, { as: 'user.joe' }),
      refusal(403, 'principal user.joe is not authorized to approve / reject members'),
    )
  })
})

describe('the end of memberships and requests', () => {
  test('members are removed', async () => {
    await make(['user.joe'])
    assert.deepEqual(await zms.delete('/domain/Sports/group/G1/member/USER.joe'), NOTHING)
    assert.deepEqual(
      await zms.delete(`${G1}/member/user.joe`),
      refusal(404, 'unable to delete group member: user.joe from group: g1'),
    )
    const missing = refusal(404, 'Invalid domain/group name specified')
    assert.deepEqual(await zms.delete('/domain/sports/group/nosuch/member/user.joe'), missing)
    assert.deepEqual(await zms.delete('/domain/nosuch/group/g1/member/user.joe'), missing)
  })

  test('requests are withdrawn by who asked, or who updates members', async () => {
    await make()
    const withdraw = (as: string) => zms.delete(`${G1}/pendingmember/user.joe`, { as })
    await commit(zms, pendingRequest('user.joe', 'ADD'))
    assert.deepEqual(
      await withdraw('user.joe'),
      refusal(403, 'deletePendingGroupMembership: principal is not authorized to delete pending members'),
    )
    assert.equal((await withdraw('user.asker')).status, 204)
    await commit(zms, pendingRequest('user.joe', 'ADD'))
    assert.equal((await withdraw('user.owner')).status, 204)
    assert.deepEqual(
      await withdraw('user.owner'),
      refusal(404, 'unable to delete pending group member: user.joe from group: g1'),
    )
    assert.deepEqual(
      await zms.delete('/domain/sports/group/nosuch/pendingmember/user.joe'),
      refusal(404, 'unknown group - sports:group.nosuch'),
    )
  })
})

describe('reads of memberships', () => {
  test('expired ones do not count; a date finds exactly the one that has it', async () => {
    await make([
      { memberName: 'user.joe', expiration: Date.parse(inDays(-1)) },
      { memberName: 'user.eve', expiration: Date.parse(inDays(1)) },
    ])
    const { isMember, approved } = await membership('user.joe')
    assert.deepEqual([isMember, approved], [false, true])
    const at = async (expiration: string) =>
      (await zms.get(`${G1}/member/user.eve?expiration=${expiration}`)).body.isMember
    assert.deepEqual([await at(inDays(1)), await at(inDays(2))], [true, false])
  })

  test('unknown groups and domains are missing', async () => {
    assert.deepEqual(
      await zms.get('/domain/sports/group/nosuch/member/user.joe'),
      refusal(404, 'unknown group - sports:group.nosuch'),
    )
    assert.deepEqual(await zms.get('/domain/nosuch/group/g1/member/user.joe'), refusal(404, 'unknown domain - nosuch'))
    assert.deepEqual(await zms.get('/domain/nosuch/group/member'), refusal(404, 'unknown domain - nosuch'))
  })

  test('a domain lists its members with their groups, or null', async () => {
    assert.deepEqual((await zms.get('/domain/sports/group/member')).body, { domainName: 'sports', members: null })
    await make(['user.joe'])
    assert.deepEqual((await zms.get('/domain/sports/group/member')).body, {
      domainName: 'sports',
      members: [{ memberName: 'user.joe', memberGroups: [{ groupName: 'g1' }] }],
    })
  })

  test('requests are listed by domain, and by who decides them', async () => {
    await make([], { selfServe: true })
    await commit(zms, pendingRequest('user.joe', 'ADD'))
    const pending = async (query: string) =>
      (await zms.get(`/pending_group_members${query}`)).body.domainGroupMembersList.map(
        ({ domainName, members }: { domainName: string; members: { memberName: string }[] }) => [
          domainName,
          ...members.map(({ memberName }) => memberName),
        ],
      )
    for (const query of ['?domain=sports', '?principal=user.owner', '?principal=user.owner&domain=*', '']) {
      assert.deepEqual(await pending(query), [['sports', 'user.joe']], query)
    }
    assert.deepEqual(
      await zms.get('/pending_group_members?principal=user.never'),
      refusal(404, 'unknown principal - user.never'),
    )
    assert.deepEqual(await zms.get('/pending_group_members?domain=nosuch'), refusal(404, 'unknown domain - nosuch'))
  })
})

/** Knows that `user.gone` is suspended; only `user.joe` has a date. */
const userAuthority: Authority = {
  id: 'test',
  credentialSource: 'header',
  allowAuthorization: true,
  userType: (name) => (name === 'user.gone' ? 'suspended' : 'active'),
  dateAttribute: (name) => (name === 'user.joe' ? Date.parse(inDays(3)) : undefined),
}
const knowing = await Harness.open({ services, userAuthority })

describe('users of a user authority', () => {
  const putKnown = (memberName: string) => knowing.put(`${G1}/member/${memberName}`, { memberName })
  beforeEach(() => knowing.createDomain('sports'))

  test('suspended ones are refused, unless they are suspended members', async () => {
    await commit(knowing, group('sports', 'g1'))
    assert.deepEqual(await putKnown('user.gone'), refusal(403, 'User is suspended: user.gone'))
    await commit(knowing, group('sports', 'g1', [{ memberName: 'user.gone', systemDisabled: 2 }]))
    assert.equal((await putKnown('user.gone')).status, 204)
    assert.equal((await knowing.put(G1, { name: 'g1', groupMembers: [{ memberName: 'user.gone' }] })).status, 204)
  })

  test('they have the date that the group demands', async () => {
    await commit(knowing, group('sports', 'g1', [], { userAuthorityExpiration: 'until' }))
    assert.equal((await putKnown('user.joe')).status, 204)
    assert.equal((await knowing.get(`${G1}/member/user.joe`)).body.expiration, inDays(3))
    assert.deepEqual(
      await putKnown('user.eve'),
      refusal(400, 'User does not have required user authority expiry configured'),
    )
  })
})
