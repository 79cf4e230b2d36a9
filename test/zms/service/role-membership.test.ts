import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { MemberRules } from '#zms/service/member-rules.ts'
import { principalDomainsOf } from '#zms/service/principal-domains.ts'
import { admitsEverything } from '#zms/service/resource-validator.ts'
import { roleService } from '#zms/service/role.ts'
import { roleMembershipService } from '#zms/service/role-membership.ts'
import type { PendingState, RoleBase, RoleMember } from '#zms/store/model.ts'
import { type CallOptions, Harness, NOTHING, refusal } from './harness.ts'
import { commit, policy, role } from './objects.ts'

const services = [roleService, roleMembershipService]
const R1 = '/domain/sports/role/r1'
const DAY_MILLIS = 86_400_000

const zms = await Harness.open({ services })
beforeEach(() => zms.createDomain('sports'))

const make = (members: readonly (string | RoleMember)[] = [], settings: Partial<RoleBase> = {}) =>
  commit(zms, role('sports', 'r1', members, settings))

const put = (member: string, more: object = {}, options: CallOptions = {}) =>
  zms.put(`${R1}/member/${member}`, { memberName: member, ...more }, options)

/** The answer that shows what a write of a membership leaves. */
const shown = async (member: string, more: object = {}, options: CallOptions = {}) =>
  (await put(member, more, { ...options, headers: { 'Athenz-Return-Object': 'true', ...options.headers } })).body

const membership = async (member: string) => (await zms.get(`${R1}/member/${member}`)).body
const decide = (member: string, approved: boolean, options: CallOptions = {}, more: object = {}) =>
  zms.put(`${R1}/member/${member}/decision`, { memberName: member, approved, ...more }, options)

const pendingRequest = (memberName: string, pendingState: PendingState, requestPrincipal = 'user.asker') => ({
  kind: 'putPendingRoleMember' as const,
  domain: 'sports',
  role: 'r1',
  value: { memberName, pendingState, requestPrincipal, requestTime: 0 },
})

/** `add user.joe` for every entry of the history of the role, oldest first. */
const history = async () =>
  (await zms.store.roleAudit('sports', 'r1')).map(({ action, member, admin }) => `${action} ${member} by ${admin}`)

/** A date some days from now, as answers show it. */
const inDays = (days: number) => new Date(Math.floor(zms.clock.millis / 1000) * 1000 + days * DAY_MILLIS).toISOString()

const joe = { memberName: 'user.joe', roleName: 'sports:role.r1' }

describe('putMembership', () => {
  test('adds a member', async () => {
    await make()
    assert.deepEqual(await put('user.joe'), NOTHING)
    const joined = { ...joe, isMember: true, approved: true, requestPrincipal: 'user.admin' }
    assert.deepEqual(await membership('user.joe'), joined)
    assert.deepEqual(await shown('user.joe'), joined)
    assert.deepEqual(await history(), ['ADD user.joe by user.admin', 'UPDATE user.joe by user.admin'])
  })

  test('takes names in any letter case', async () => {
    await make()
    const answer = await zms.put('/domain/SPORTS/role/R1/member/USER.Joe', { memberName: 'User.JOE', roleName: 'R1' })
    assert.equal(answer.status, 204)
    assert.equal((await membership('User.Joe')).isMember, true)
  })

  test('replaces the dates of a member, and keeps its suspension', async () => {
    await make([{ memberName: 'user.joe', reviewReminder: 5000, systemDisabled: 4 }])
    const { expiration, reviewReminder, systemDisabled } = await shown('user.joe', { expiration: inDays(1) })
    assert.deepEqual([expiration, reviewReminder, systemDisabled], [inDays(1), undefined, 4])
  })

  test('limits dates by the days of the role, else of its domain', async () => {
    await zms.createDomain('sports', { memberExpiryDays: 20, serviceExpiryDays: 30 })
    await make([], { memberExpiryDays: 10, memberReviewDays: 5 })
    const dates = async (member: string, more: object = {}) => {
      const { expiration, reviewReminder } = await shown(member, more)
      return [expiration, reviewReminder]
    }
    assert.deepEqual(await dates('user.joe'), [inDays(10), inDays(5)])
    assert.deepEqual(await dates('user.joe', { expiration: inDays(99), reviewReminder: inDays(99) }), [
      inDays(10),
      inDays(5),
    ])
    assert.deepEqual(await dates('user.joe', { expiration: inDays(1), reviewReminder: inDays(2) }), [
      inDays(1),
      inDays(2),
    ])
    assert.deepEqual(await dates('sports.api'), [inDays(30), undefined])
  })

  const refused: [string, string, object, number, string][] = [
    [
      'another member',
      `${R1}/member/user.joe`,
      { memberName: 'user.eve' },
      400,
      'putMembership: Member name in URI and Membership object do not match',
    ],
    [
      'another role',
      `${R1}/member/user.joe`,
      { ...joe, roleName: 'r2' },
      400,
      'putMembership: Role name in URI and Membership object do not match',
    ],
    [
      'the full name of the role',
      `${R1}/member/user.joe`,
      joe,
      400,
      'putMembership: Role name in URI and Membership object do not match',
    ],
    [
      'an unknown role',
      '/domain/sports/role/nosuch/member/user.joe',
      { memberName: 'user.joe' },
      400,
      'Invalid role name specified',
    ],
    [
      'an unknown domain',
      '/domain/nosuch/role/r1/member/user.joe',
      { memberName: 'user.joe' },
      400,
      'Invalid role name specified',
    ],
    [
      'a member of an unknown domain',
      `${R1}/member/nosuch.api`,
      { memberName: 'nosuch.api' },
      404,
      'unknown domain - nosuch.api',
    ],
  ]
  for (const [title, target, body, status, message] of refused) {
    test(`refuses ${title}`, async () => {
      await make()
      assert.deepEqual(await zms.put(target, body), refusal(status, message))
    })
  }

  test('refuses members of a delegated role', async () => {
    await make([], { trust: 'media' })
    assert.deepEqual(await put('user.joe'), refusal(400, 'putmembership: r1 is a delegated role'))
    assert.deepEqual(
      await put('user.joe', {}, { as: 'user.eve' }),
      refusal(403, 'putMembership: principal is not authorized to add members'),
    )
  })

  test('refuses others than those who may update the role or its members', async () => {
    await make()
    const refusedAsEve = refusal(403, 'putMembership: principal is not authorized to add members')
    assert.deepEqual(await put('user.eve', {}, { as: 'user.eve' }), refusedAsEve)
    await commit(
      zms,
      role('sports', 'helpers', ['user.eve']),
      policy('sports', 'p1', [{ id: 1, role: 'helpers', resource: 'sports:role.r1', action: 'update_members' }]),
    )
    assert.equal((await put('user.joe', {}, { as: 'user.eve' })).status, 204)
    assert.equal((await zms.delete(`${R1}/member/user.joe`, { as: 'user.eve' })).status, 204)
  })

  test('refuses one member more than the role or the quota allows, but not another date', async () => {
    await make(['user.joe'], { maxMembers: 1 })
    assert.deepEqual(await put('user.eve'), refusal(429, 'role max members exceeded - limit: 1 actual: 1'))
    assert.equal((await put('user.joe', { expiration: inDays(1) })).status, 204)
    await make(['user.joe'], { maxMembers: 1, selfServe: true })
    assert.deepEqual(
      await put('user.eve', {}, { as: 'user.eve' }),
      refusal(429, 'role max members exceeded - limit: 1 actual: 1'),
      'a request',
    )
    await commit(zms, pendingRequest('user.eve', 'ADD'))
    assert.equal((await put('user.eve', {}, { as: 'user.eve' })).status, 204, 'the same again')
    const small = await Harness.open({ services, properties: { quota_role_member: '2' } })
    await small.createDomain('sports')
    await commit(small, role('sports', 'r1', ['user.joe']))
    const add = (memberName: string) => small.put(`${R1}/member/${memberName}`, { memberName })
    assert.equal((await add('user.eve')).status, 204)
    assert.deepEqual(await add('user.tom'), refusal(429, 'role member quota exceeded - limit: 2 actual: 2'))
    assert.equal((await add('user.eve')).status, 204)
  })

  test('refuses none where no limits are applied', async () => {
    const free = await Harness.open({ services, properties: { quota_check: 'false', quota_role_member: '1' } })
    await free.createDomain('sports')
    const members = ['user.joe', 'user.eve'].map((memberName) => ({ memberName }))
    assert.deepEqual(await free.put(R1, { name: 'r1', roleMembers: members, maxMembers: 1 }), NOTHING)
    assert.deepEqual(await free.put(`${R1}/member/user.tom`, { memberName: 'user.tom' }), NOTHING)
  })

  test('needs a reference in audit-enabled domains', async () => {
    await zms.createDomain('sports', { auditEnabled: true })
    await make(['user.joe'])
    const needed = (api: string) => refusal(400, `${api}: Audit reference required for domain: sports`)
    assert.deepEqual(await put('user.eve'), needed('putmembership'))
    assert.deepEqual(await zms.delete(`${R1}/member/user.joe`), needed('deletemembership'))
    assert.deepEqual(await zms.delete('/domain/sports/member/user.joe'), needed('deletedomainrolemember'))
    assert.equal((await put('user.eve', {}, { headers: { 'Y-Audit-Ref': 'ticket' } })).status, 204)
    const stored = (await zms.domain('sports')).roles.get('r1')?.members.get('user.eve')
    assert.equal(stored?.auditRef, 'ticket')
  })

  test('minds the owner of the members, and makes one', async () => {
    await make()
    const as = (owner: string) => ({ headers: { 'Athenz-Resource-Owner': owner } })
    assert.equal((await put('user.joe', {}, as('tf'))).status, 204)
    assert.deepEqual((await zms.get(R1)).body.resourceOwnership, { membersOwner: 'tf' })
    assert.deepEqual(await put('user.eve'), refusal(409, 'Role has a resource owner: tf'))
    assert.deepEqual(
      await put('user.eve', {}, as('ui')),
      refusal(409, 'Invalid resource member owner for role: sports:role.r1, tf vs. ui'),
    )
    const target = `${R1}/member/user.joe`
    assert.deepEqual(await zms.delete(target), refusal(409, 'Invalid resource owner for object: tf vs. null'))
    assert.equal((await zms.delete(target, as('TF'))).status, 204)
  })

  test('minds no owner in self-serve roles', async () => {
    await make(['user.eve'], { selfServe: true, resourceOwnership: new Map([['members', 'tf']]) })
    assert.equal((await put('user.joe')).status, 204)
    assert.equal((await zms.delete(`${R1}/member/user.eve`)).status, 204)
  })
})

test('users are known by the alias of their domain', async () => {
  const aliased = await Harness.open({ services, parts: { config: { ...zms.deps.config, userDomainAlias: 'unix' } } })
  await aliased.createDomain('sports')
  await commit(aliased, role('sports', 'r1', [], { selfServe: true }))
  const member = `${R1}/member/unix.joe`
  const body = { memberName: 'unix.joe' }
  const stored = async () => {
    const found = (await aliased.domain('sports')).roles.get('r1')
    return [[...(found?.members ?? [])].map(({ memberName }) => memberName), [...(found?.pending.keys() ?? [])]]
  }
  const asked = await aliased.put(member, body, { as: 'user.eve', headers: { 'Athenz-Return-Object': 'true' } })
  assert.equal(asked.body.memberName, 'user.joe')
  assert.deepEqual(await stored(), [[], ['user.joe']])
  assert.deepEqual(await aliased.delete(`${R1}/pendingmember/unix.joe`), NOTHING)
  assert.deepEqual(await stored(), [[], []])
  await aliased.put(member, body, { as: 'user.eve' })
  const pending = await aliased.get('/pending_members?principal=unix.owner')
  assert.equal(pending.body.domainRoleMembersList.length, 1)
  assert.deepEqual(await aliased.put(`${member}/decision`, body), NOTHING)
  assert.deepEqual(await stored(), [['user.joe'], []])
  assert.deepEqual((await aliased.get(member)).body, {
    ...joe,
    isMember: true,
    approved: true,
    requestPrincipal: 'user.eve',
  })
  assert.deepEqual(await aliased.delete(member), NOTHING)
  assert.deepEqual(await stored(), [[], []])
  await aliased.put(`${R1}/member/user.joe`, { memberName: 'user.joe' })
  assert.deepEqual(await aliased.delete('/domain/sports/member/unix.joe'), NOTHING)
  assert.deepEqual(await stored(), [[], []])
})

describe('self-serve roles', () => {
  beforeEach(() => make(['user.tom'], { selfServe: true }))

  test('anybody may ask for anybody, again and again', async () => {
    const asked = { isMember: true, approved: false, requestPrincipal: 'user.joe', pendingState: 'ADD' }
    assert.deepEqual(await shown('user.joe', {}, { as: 'user.joe' }), { ...joe, ...asked })
    const expiration = inDays(1)
    assert.deepEqual(await shown('user.joe', { expiration }, { as: 'user.joe' }), { ...joe, ...asked, expiration })
    assert.deepEqual(await membership('user.joe'), { ...joe, ...asked, expiration })
    assert.equal((await shown('user.eve', {}, { as: 'user.joe' })).requestPrincipal, 'user.joe')
    assert.equal((await zms.get(R1)).body.roleMembers.length, 1)
  })

  test('those who may update the role add members directly; a request stays', async () => {
    await put('user.joe', {}, { as: 'user.joe' })
    assert.equal((await shown('user.joe')).approved, true)
    assert.equal((await zms.domain('sports')).roles.get('r1')?.pending.size, 1)
  })

  test('requests obey the rules about members', async () => {
    assert.deepEqual(await put('nosuch.api', {}, { as: 'user.joe' }), refusal(404, 'unknown domain - nosuch.api'))
  })

  test('members leave, those whom they brought in are removed by them, others are not', async () => {
    await make(
      [
        { memberName: 'user.tom' },
        { memberName: 'user.eve', requestPrincipal: 'user.joe' },
        { memberName: 'user.joe' },
      ],
      { selfServe: true },
    )
    const remove = (member: string) => zms.delete(`${R1}/member/${member}`, { as: 'user.joe' })
    assert.deepEqual(
      await remove('user.tom'),
      refusal(403, 'deleteMembership: principal is not authorized to delete members'),
    )
    assert.equal((await remove('user.eve')).status, 204)
    assert.equal((await remove('user.joe')).status, 204)
  })

  test('whoever brought a member into another role does not remove it', async () => {
    await make([{ memberName: 'user.eve', requestPrincipal: 'user.joe' }], { selfServe: false })
    assert.equal((await zms.delete(`${R1}/member/user.eve`, { as: 'user.joe' })).status, 403)
  })
})

describe('self-renewal', () => {
  const renewal = { selfRenew: true, selfRenewMins: 60 }
  const inAnHour = () => inDays(1 / 24)

  test('members extend their own membership by the minutes of the role', async () => {
    await make(['user.joe'], renewal)
    const as = { as: 'user.joe' }
    const member = { ...joe, isMember: true, approved: true, requestPrincipal: 'user.joe' }
    assert.deepEqual(await shown('user.joe', {}, as), { ...member, expiration: inAnHour() })
    assert.deepEqual((await shown('user.joe', { expiration: inDays(5) }, as)).expiration, inAnHour())
    assert.deepEqual((await shown('user.joe', { expiration: inDays(-1) }, as)).expiration, inDays(-1))
  })

  test('days that end earlier count', async () => {
    await make(['user.joe'], { selfRenew: true, selfRenewMins: 3 * 24 * 60, memberExpiryDays: 1 })
    assert.equal((await shown('user.joe', {}, { as: 'user.joe' })).expiration, inDays(1))
  })

  test('it needs no approval where others do', async () => {
    await make(['user.joe'], { ...renewal, reviewEnabled: true })
    assert.equal((await shown('user.joe', {}, { as: 'user.joe' })).approved, true)
  })

  test('others, strangers, and roles without minutes are refused', async () => {
    const refused = refusal(403, 'putMembership: principal is not authorized to add members')
    await make(['user.joe', 'user.eve'], renewal)
    assert.deepEqual(await put('user.eve', {}, { as: 'user.joe' }), refused)
    assert.deepEqual(await put('user.tom', {}, { as: 'user.tom' }), refused)
    await make(['user.joe'], { selfRenew: true })
    assert.deepEqual(await put('user.joe', {}, { as: 'user.joe' }), refused)
    await make(['user.joe'], { selfRenewMins: 60 })
    assert.deepEqual(await put('user.joe', {}, { as: 'user.joe' }), refused)
  })

  test('who is no member yet asks for it in a self-serve role', async () => {
    await make([], { ...renewal, selfServe: true })
    assert.equal((await shown('user.joe', {}, { as: 'user.joe' })).approved, false)
  })
})

describe('roles whose members need approval', () => {
  test('new members and new dates are asked for; the membership stays until decided', async () => {
    await make([{ memberName: 'user.joe' }], { reviewEnabled: true })
    const { approved, pendingState } = await shown('user.eve')
    assert.deepEqual([approved, pendingState], [false, 'ADD'])
    assert.equal((await shown('user.joe', { expiration: inDays(1) })).approved, false)
    assert.equal((await membership('user.joe')).expiration, undefined)
    assert.equal((await decide('user.joe', true, { as: 'user.owner' }, { expiration: inDays(2) })).status, 204)
    assert.equal((await membership('user.joe')).expiration, inDays(2))
  })

  test('removals are asked for under delete protection', async () => {
    await make(['user.joe', 'user.eve'], { reviewEnabled: true, deleteProtection: true })
    assert.deepEqual(await zms.delete(`${R1}/member/user.joe`), NOTHING)
    assert.equal((await membership('user.joe')).approved, true)
    assert.equal((await zms.domain('sports')).roles.get('r1')?.pending.get('user.joe')?.pendingState, 'DELETE')
    assert.equal((await decide('user.joe', true, { as: 'user.owner' })).status, 204)
    assert.deepEqual(await membership('user.joe'), { ...joe, isMember: false })
    await zms.delete(`${R1}/member/user.eve`)
    assert.equal((await decide('user.eve', false, { as: 'user.owner' })).status, 204)
    assert.equal((await membership('user.eve')).isMember, true)
    assert.deepEqual(await history(), [
      'REQUEST user.joe by user.admin',
      'DELETE user.joe by user.owner',
      'REQUEST user.eve by user.admin',
      'REJECT user.eve by user.owner',
    ])
  })

  test('members are removed at once with one of both only', async () => {
    for (const settings of [{ reviewEnabled: true }, { deleteProtection: true }]) {
      await make(['user.joe'], settings)
      await zms.delete(`${R1}/member/user.joe`)
      assert.equal((await membership('user.joe')).isMember, false)
    }
  })

  test('the contrary of what is asked for is refused', async () => {
    await make(['user.joe'], { reviewEnabled: true, deleteProtection: true })
    const refused = refusal(400, 'The user user.joe already has a pending request in a different state')
    await commit(zms, pendingRequest('user.joe', 'DELETE'))
    assert.deepEqual(await put('user.joe'), refused)
    await commit(zms, pendingRequest('user.joe', 'ADD'))
    assert.deepEqual(await zms.delete(`${R1}/member/user.joe`), refused)
  })

  test('neither the member nor who asked decides', async () => {
    await make([], { reviewEnabled: true })
    await commit(zms, pendingRequest('user.owner', 'ADD'), pendingRequest('user.joe', 'ADD', 'user.owner'))
    for (const approved of [true, false]) {
      assert.deepEqual(
        await decide('user.owner', approved, { as: 'user.owner' }),
        refusal(403, 'principal user.owner cannot approve / reject own membership'),
      )
      assert.deepEqual(
        await decide('user.joe', approved, { as: 'user.owner' }),
        refusal(403, 'principal user.owner cannot approve / reject own request'),
      )
    }
    assert.equal((await decide('user.joe', true)).status, 204)
  })

  test('who may not decide at all is told so first', async () => {
    await make([], { reviewEnabled: true })
    await commit(zms, pendingRequest('user.joe', 'ADD', 'user.joe'))
    assert.deepEqual(
      await decide('user.joe', true, { as: 'user.joe' }),
      refusal(403, 'principal user.joe is not authorized to approve / reject members'),
    )
  })
})

describe('putMembershipDecision', () => {
  test('approves with dates of the decision, and keeps who asked', async () => {
    await make([], { selfServe: true, memberExpiryDays: 10 })
    await put('user.joe', { expiration: inDays(2) }, { as: 'user.joe' })
    assert.equal((await decide('user.joe', true, {}, { expiration: inDays(99) })).status, 204)
    assert.deepEqual(await membership('user.joe'), {
      ...joe,
      isMember: true,
      approved: true,
      expiration: inDays(10),
      requestPrincipal: 'user.joe',
    })
    assert.deepEqual(await history(), ['REQUEST user.joe by user.joe', 'APPROVE user.joe by user.admin'])
    assert.equal((await zms.domain('sports')).roles.get('r1')?.pending.size, 0)
  })

  test('rejects, which leaves no trace but in the history', async () => {
    await make([], { selfServe: true })
    await put('user.joe', {}, { as: 'user.joe' })
    assert.deepEqual(await decide('user.joe', false), NOTHING)
    assert.deepEqual(await membership('user.joe'), { ...joe, isMember: false })
    assert.equal((await history()).at(-1), 'REJECT user.joe by user.admin')
    assert.equal(zms.audit.at(-1)?.method, 'REJECT')
  })

  test('judges the member again', async () => {
    await zms.createDomain('media')
    await make([], { selfServe: true, maxMembers: 1 })
    for (const member of ['media.api', 'user.joe', 'user.eve']) await put(member, {}, { as: 'user.joe' })
    await commit(zms, { kind: 'deleteDomain', domain: 'media' })
    assert.deepEqual(await decide('media.api', true), refusal(404, 'unknown domain - media.api'))
    assert.equal((await decide('user.joe', true)).status, 204)
    assert.deepEqual(await decide('user.eve', true), refusal(429, 'role max members exceeded - limit: 1 actual: 1'))
    assert.equal((await decide('media.api', false)).status, 204)
  })

  test('a request to remove who is gone already is settled', async () => {
    await make([], { reviewEnabled: true })
    await commit(zms, pendingRequest('user.joe', 'DELETE'))
    assert.equal((await decide('user.joe', true)).status, 204)
    assert.equal((await zms.domain('sports')).roles.get('r1')?.pending.size, 0)
  })

  test('about other roles of audit-enabled domains needs no reference', async () => {
    await zms.createDomain('sports', { auditEnabled: true })
    await make([], { selfServe: true })
    await commit(zms, pendingRequest('user.joe', 'ADD'))
    assert.equal((await decide('user.joe', true)).status, 204)
  })

  test('refuses what does not fit', async () => {
    await make([], { selfServe: true })
    await commit(zms, pendingRequest('user.joe', 'ADD'))
    const target = `${R1}/member/user.joe/decision`
    const mismatch = (what: string) =>
      refusal(400, `putMembershipDecision: ${what} name in URI and Membership object do not match`)
    assert.deepEqual(await zms.put(target, { memberName: 'user.eve', approved: true }), mismatch('Member'))
    assert.deepEqual(await zms.put(target, { memberName: 'user.joe', roleName: 'r2' }), mismatch('Role'))
    assert.deepEqual(await decide('user.eve', true), refusal(404, 'Pending role member user.eve not found'))
    const elsewhere = '/domain/sports/role/nosuch/member/user.joe/decision'
    assert.deepEqual(
      await zms.put(elsewhere, { memberName: 'user.joe', approved: true }),
      refusal(400, 'Invalid rolename specified'),
    )
    assert.deepEqual(
      await decide('user.joe', true, { as: 'user.joe' }),
      refusal(403, 'principal user.joe is not authorized to approve / reject members'),
    )
  })

  describe('for audit-enabled roles', () => {
    const reference = { headers: { 'Y-Audit-Ref': 'ticket' } }
    const auditor = { as: 'user.auditor' }
    const refused = (name: string) => refusal(403, `principal ${name} is not authorized to approve / reject members`)
    beforeEach(async () => {
      await zms.createDomain('sports', { auditEnabled: true, org: 'ball' })
      await make([], { auditEnabled: true })
      await commit(zms, pendingRequest('user.joe', 'ADD'))
    })

    /** Makes `user.auditor` an auditor of a domain (`domain`) or organization (`org`). */
    const appoint = (what: 'domain' | 'org', name: string) =>
      commit(
        zms,
        role(`sys.auth.audit.${what}`, name, ['user.auditor']),
        policy(`sys.auth.audit.${what}`, name, [
          { id: 1, role: name, resource: `sys.auth.audit.${what}:audit.${name}`, action: 'update' },
        ]),
      )
    const dismiss = (what: 'domain' | 'org', name: string) =>
      commit(zms, { kind: 'deleteRole', domain: `sys.auth.audit.${what}`, role: name })

    test('auditors of the domain or its organization decide, administrators do not', async () => {
      assert.deepEqual(await decide('user.joe', true, { ...reference, as: 'user.owner' }), refused('user.owner'))
      assert.deepEqual(await decide('user.joe', true, { ...reference, ...auditor }), refused('user.auditor'))
      await appoint('org', 'other')
      assert.deepEqual(await decide('user.joe', true, { ...reference, ...auditor }), refused('user.auditor'))
      await appoint('org', 'ball')
      assert.equal((await decide('user.joe', true, { ...reference, ...auditor })).status, 204)
      await dismiss('org', 'ball')
      await commit(zms, pendingRequest('user.eve', 'ADD'))
      assert.deepEqual(await decide('user.eve', true, { ...reference, ...auditor }), refused('user.auditor'))
      await appoint('domain', 'sports')
      assert.equal((await decide('user.eve', true, { ...reference, ...auditor })).status, 204)
      await dismiss('domain', 'sports')
    })

    test('with a reference', async () => {
      await appoint('domain', 'sports')
      assert.deepEqual(
        await decide('user.joe', true, auditor),
        refusal(400, 'putmembershipdecision: Audit reference required for object: sports:role.r1'),
      )
      assert.equal((await decide('user.joe', true, { ...reference, ...auditor })).status, 204)
      const stored = (await zms.domain('sports')).roles.get('r1')?.members.get('user.joe')
      assert.equal(stored?.auditRef, 'ticket')
      await dismiss('domain', 'sports')
    })
  })
})

describe('deleteMembership', () => {
  test('removes a member', async () => {
    await make(['user.joe'])
    assert.deepEqual(await zms.delete('/domain/Sports/role/R1/member/USER.joe'), NOTHING)
    assert.deepEqual(
      await zms.delete(`${R1}/member/user.joe`),
      refusal(404, 'deletemembership: unable to delete role member: user.joe from role: r1'),
    )
    assert.deepEqual(await history(), ['DELETE user.joe by user.admin'])
  })

  test('refuses strangers and unknown roles', async () => {
    await make(['user.joe'])
    assert.deepEqual(
      await zms.delete(`${R1}/member/user.joe`, { as: 'user.eve' }),
      refusal(403, 'deleteMembership: principal is not authorized to delete members'),
    )
    const missing = refusal(404, 'Invalid domain/role name specified')
    assert.deepEqual(await zms.delete('/domain/sports/role/nosuch/member/user.joe'), missing)
    assert.deepEqual(await zms.delete('/domain/nosuch/role/r1/member/user.joe'), missing)
  })

  test('refuses administrators whose role is delegated', async () => {
    const remove = (member: string) => ({ kind: 'deleteRoleMember' as const, domain: 'sports', role: 'admin', member })
    await commit(zms, remove('user.owner'), remove('user.admin'), role('sports', 'admin', [], { trust: 'media' }))
    assert.deepEqual(
      await zms.delete('/domain/sports/role/admin/member/user.joe', { as: 'user.joe' }),
      refusal(403, 'deleteMembership: Cannot delete because the admin role member is null'),
    )
  })

  test('keeps the last administrator', async () => {
    const remove = (member: string) => zms.delete(`/domain/sports/role/admin/member/${member}`)
    assert.equal((await remove('user.owner')).status, 204)
    const refused = refusal(403, "deleteMembership: Cannot delete last member of 'admin' role")
    assert.deepEqual(await remove('user.admin'), refused)
    assert.equal((await remove('user.joe')).status, 404)
    await zms.createDomain('sports', { auditEnabled: true })
    assert.equal((await remove('user.owner')).status, 400, 'without a reference')
    await commit(zms, { kind: 'deleteRoleMember', domain: 'sports', role: 'admin', member: 'user.owner' })
    assert.deepEqual(await remove('user.admin'), refused)
  })

  test('tells of a principal that was never a member of anything', async () => {
    await make()
    for (const kind of ['member', 'pendingmember']) {
      assert.deepEqual(await zms.delete(`${R1}/${kind}/user.never`), refusal(404, 'unknown principal - user.never'))
    }
  })

  test('members leave', async () => {
    await make(['user.joe'])
    assert.equal((await zms.delete(`${R1}/member/user.joe`, { as: 'user.joe' })).status, 204)
  })
})

describe('deletePendingMembership', () => {
  const withdraw = (member: string, as: string) => zms.delete(`${R1}/pendingmember/${member}`, { as })
  beforeEach(async () => {
    await make()
    await commit(zms, pendingRequest('user.joe', 'ADD'))
  })

  test('who asked and who updates members withdraw a request', async () => {
    assert.equal((await withdraw('user.joe', 'user.asker')).status, 204)
    await commit(zms, pendingRequest('user.joe', 'ADD'))
    assert.equal((await withdraw('user.joe', 'user.owner')).status, 204)
    assert.equal((await history()).at(-1), 'REJECT user.joe by user.owner')
  })

  test('others are refused, the member as well', async () => {
    const refused = refusal(403, 'deletePendingMembership: principal is not authorized to delete pending members')
    assert.deepEqual(await withdraw('user.joe', 'user.joe'), refused)
    assert.deepEqual(await withdraw('user.eve', 'user.asker'), refused)
  })

  test('what is not there is missing', async () => {
    assert.deepEqual(
      await withdraw('user.eve', 'user.admin'),
      refusal(404, 'deletependingmembership: unable to delete pending role member: user.eve from role: r1'),
    )
    assert.deepEqual(
      await zms.delete('/domain/sports/role/nosuch/pendingmember/user.joe'),
      refusal(404, 'unknown role - sports:role.nosuch'),
    )
    assert.deepEqual(
      await zms.delete('/domain/nosuch/role/r1/pendingmember/user.joe'),
      refusal(404, 'Domain not found: nosuch'),
    )
  })
})

describe('getMembership', () => {
  test('an expired membership does not count; one that ends now does', async () => {
    await make([
      { memberName: 'user.joe', expiration: zms.clock.millis - 1 },
      { memberName: 'user.eve', expiration: zms.clock.millis },
    ])
    assert.equal((await membership('user.joe')).isMember, false)
    assert.equal((await membership('user.joe')).approved, true)
    assert.equal((await membership('user.eve')).isMember, true)
  })

  test('nor does a request for a time that is over, though it was stored', async () => {
    await make([], { selfServe: true })
    const dates = { expiration: inDays(-1) }
    const asked = { ...joe, ...dates, approved: false, requestPrincipal: 'user.joe', pendingState: 'ADD' }
    assert.deepEqual(await shown('user.joe', dates, { as: 'user.joe' }), { ...asked, isMember: true })
    assert.deepEqual(await membership('user.joe'), { ...asked, isMember: false })
  })

  test('a date finds exactly the membership or request that has it', async () => {
    const [one, two] = [Date.parse(inDays(1)), Date.parse(inDays(2))]
    await make([{ memberName: 'user.joe', expiration: one }])
    const request = pendingRequest('user.joe', 'ADD')
    await commit(zms, { ...request, value: { ...request.value, expiration: two } })
    const at = async (expiration: string) => (await zms.get(`${R1}/member/user.joe?expiration=${expiration}`)).body
    assert.equal((await at(inDays(1))).approved, true)
    assert.equal((await at(inDays(2))).approved, false)
    assert.deepEqual(await at(inDays(3)), { ...joe, isMember: false })
    assert.equal((await at('soon')).approved, true, 'what is no date is ignored')
  })

  test('everybody who is known may ask; unknown roles and domains are missing', async () => {
    await make()
    assert.equal((await zms.get(`${R1}/member/user.joe`, { as: 'user.eve' })).status, 200)
    assert.deepEqual(
      await zms.get('/domain/sports/role/nosuch/member/user.joe'),
      refusal(404, 'unknown role - sports:role.nosuch'),
    )
    assert.deepEqual(await zms.get('/domain/nosuch/role/r1/member/user.joe'), refusal(404, 'unknown domain - nosuch'))
  })
})

describe('members of a domain', () => {
  test('are listed with their roles', async () => {
    await make(['user.joe', { memberName: 'user.admin', expiration: Date.UTC(2031, 0, 1) }])
    const { domainName, members } = (await zms.get('/domain/sports/member')).body
    assert.equal(domainName, 'sports')
    const roles = members.map(({ memberName, memberRoles }: { memberName: string; memberRoles: object[] }) => [
      memberName,
      memberRoles.length,
    ])
    assert.deepEqual(roles.sort(), [
      ['user.admin', 2],
      ['user.joe', 1],
      ['user.owner', 1],
    ])
    assert.deepEqual(await zms.get('/domain/nosuch/member'), refusal(404, 'unknown domain - nosuch'))
  })

  test('are removed from all roles', async () => {
    await make(['user.joe', 'user.eve'])
    await commit(zms, role('sports', 'r2', ['user.joe']))
    const remove = (member: string, options?: CallOptions) => zms.delete(`/domain/sports/member/${member}`, options)
    assert.deepEqual(await remove('user.joe', { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.deepEqual(await remove('USER.joe'), NOTHING)
    const { roles } = await zms.domain('sports')
    assert.deepEqual([roles.get('r1')?.members.size, roles.get('r2')?.members.size], [1, 0])
    assert.equal((await remove('user.joe')).status, 204, 'who is in no role')
    assert.deepEqual(await remove('user.never'), refusal(404, 'unknown principal - user.never'))
    assert.equal((await zms.delete('/domain/nosuch/member/user.joe')).status, 404)
  })

  test('keep the last administrator, and then all roles', async () => {
    await make(['user.admin'])
    await zms.delete('/domain/sports/member/user.owner')
    assert.deepEqual(
      await zms.delete('/domain/sports/member/user.admin'),
      refusal(403, "deleteDomainRoleMember: Cannot delete last member of 'admin' role"),
    )
    assert.equal((await membership('user.admin')).isMember, true)
  })

  test('are overdue when their reminder has passed', async () => {
    assert.deepEqual((await zms.get('/domain/sports/overdue')).body, { domainName: 'sports', members: null })
    const passed = Date.parse(inDays(-1))
    await make([
      { memberName: 'user.joe', reviewReminder: passed },
      { memberName: 'user.eve', reviewReminder: Date.parse(inDays(1)) },
      'user.tom',
    ])
    assert.deepEqual((await zms.get('/domain/sports/overdue')).body, {
      domainName: 'sports',
      members: [
        { memberName: 'user.joe', memberRoles: [{ roleName: 'r1', reviewReminder: new Date(passed).toISOString() }] },
      ],
    })
    assert.deepEqual(await zms.get('/domain/nosuch/overdue'), refusal(404, 'unknown domain - nosuch'))
  })
})

describe('pending requests', () => {
  const pending = async (query: string, as = 'user.admin') =>
    (await zms.get(`/pending_members${query}`, { as })).body.domainRoleMembersList.map(
      ({ domainName, members }: { domainName: string; members: { memberName: string }[] }) => [
        domainName,
        ...members.map(({ memberName }) => memberName),
      ],
    )
  beforeEach(async () => {
    await make([], { selfServe: true })
    await commit(zms, pendingRequest('user.joe', 'ADD'))
  })

  test('of a domain, and those that a principal decides', async () => {
    const found = [['sports', 'user.joe']]
    assert.deepEqual(await pending('?domain=Sports'), found)
    assert.deepEqual(await pending('?principal=user.owner'), found)
    assert.deepEqual(await pending('?principal=user.owner&domain=*'), found)
    assert.deepEqual(await pending('?principal=user.owner&domain=sys.auth'), [])
    assert.deepEqual(await pending('?principal=user.owner&domain=nosuch'), [])
    assert.deepEqual(await pending('', 'user.owner'), found)
    assert.deepEqual(await pending('?domain=&principal=', 'user.owner'), found)
    assert.deepEqual(await pending('', 'user.stranger'), [])
    assert.deepEqual(await pending('?domain=*'), found)
  })

  test('those of audit-enabled roles are decided by auditors', async () => {
    await zms.createDomain('sports', { auditEnabled: true })
    await make([], { auditEnabled: true })
    await commit(
      zms,
      pendingRequest('user.joe', 'ADD'),
      role('sys.auth.audit.domain', 'sports', ['user.auditor', { memberName: 'user.late', expiration: 1000 }]),
    )
    assert.deepEqual(await pending('?principal=user.owner'), [])
    assert.deepEqual(await pending('?principal=user.late'), [])
    assert.deepEqual(await pending('?principal=user.auditor'), [['sports', 'user.joe']])
  })

  test('unknown principals and domains are missing', async () => {
    assert.deepEqual(
      await zms.get('/pending_members?principal=user.never'),
      refusal(404, 'unknown principal - user.never'),
    )
    assert.deepEqual(await zms.get('/pending_members?domain=nosuch'), refusal(404, 'unknown domain - nosuch'))
    for (const query of ['domain=b!d', 'domain=b!d&principal=user.owner']) {
      assert.deepEqual(
        await zms.get(`/pending_members?${query}`),
        refusal(400, 'Invalid DomainName error: b!d is not the name of a domain'),
      )
    }
  })
})

/** Knows that `user.gone` is suspended and `user.nobody` unknown; only `user.joe` has attributes and a date. */
const userAuthority: Authority = {
  id: 'test',
  credentialSource: 'header',
  allowAuthorization: true,
  userType: (name) => (name === 'user.gone' ? 'suspended' : name === 'user.nobody' ? 'invalid' : 'active'),
  isAttributeSet: (name) => name === 'user.joe',
  dateAttribute: (name) => (name === 'user.joe' ? Date.parse(inDays(3)) : undefined),
}
/** A server with that user authority, which validates users. */
const knowing = await Harness.open({
  services,
  userAuthority,
  parts: {
    memberRules: new MemberRules({
      settings: {
        principals: principalDomainsOf(zms.deps.config),
        validateUsers: () => true,
        validateServices: () => false,
        skipServiceDomains: new Set(),
        filterDocumentationUrl: 'https://docs.example.com',
      },
      userAuthority,
      externalValidators: new Map(),
      resourceValidator: admitsEverything,
    }),
  },
})

describe('users of a user authority', () => {
  const putKnown = (memberName: string) => knowing.put(`${R1}/member/${memberName}`, { memberName })
  beforeEach(() => knowing.createDomain('sports'))

  test('suspended and unknown ones are refused', async () => {
    await commit(knowing, role('sports', 'r1'))
    assert.deepEqual(await putKnown('user.gone'), refusal(403, 'User is suspended: user.gone'))
    assert.deepEqual(await putKnown('user.nobody'), refusal(400, 'Principal user.nobody is not valid'))
    assert.equal((await putKnown('user.joe')).status, 204)
  })

  test('suspended members may be written again, also with the whole role', async () => {
    const suspended = { memberName: 'user.gone', systemDisabled: 2 }
    await commit(knowing, role('sports', 'r1', [suspended]))
    assert.equal((await putKnown('user.gone')).status, 204)
    assert.equal((await knowing.put(R1, { name: 'r1', roleMembers: [{ memberName: 'user.gone' }] })).status, 204)
    for (const systemDisabled of [undefined, 4]) {
      await commit(
        knowing,
        role('sports', 'r1', [{ memberName: 'user.gone', ...(systemDisabled && { systemDisabled }) }]),
      )
      assert.deepEqual(await putKnown('user.gone'), refusal(403, 'User is suspended: user.gone'))
    }
  })

  test('those approved are judged again', async () => {
    await commit(knowing, role('sports', 'r1', [], { reviewEnabled: true }), pendingRequest('user.gone', 'ADD'))
    const decision = { memberName: 'user.gone', approved: true }
    assert.deepEqual(
      await knowing.put(`${R1}/member/user.gone/decision`, decision),
      refusal(403, 'User is suspended: user.gone'),
    )
  })

  test('they have the attributes and the date that the role demands', async () => {
    await commit(knowing, role('sports', 'r1', [], { userAuthorityFilter: 'employee' }))
    assert.equal((await putKnown('user.joe')).status, 204)
    assert.match((await putKnown('user.eve')).body.message, /^Required user authority filter employee not valid/)
    await commit(knowing, role('sports', 'r1', [], { userAuthorityExpiration: 'until' }))
    assert.equal((await putKnown('user.joe')).status, 204)
    assert.equal((await knowing.get(`${R1}/member/user.joe`)).body.expiration, inDays(3))
    assert.deepEqual(
      await putKnown('user.eve'),
      refusal(400, 'User does not have required user authority expiry configured'),
    )
  })
})
