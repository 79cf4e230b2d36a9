import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { groupService } from '#zms/service/group.ts'
import { reviewService } from '#zms/service/review.ts'
import { roleService } from '#zms/service/role.ts'
import type { RoleBase, RoleMember } from '#zms/store/model.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, policy, role } from './objects.ts'

const services = [roleService, groupService, reviewService]
const R1 = '/domain/sports/role/r1'
const G1 = '/domain/sports/group/g1'
const DAY_MILLIS = 86_400_000
const returned = { headers: { 'Athenz-Return-Object': 'true' } }
const owner = (name: string) => ({ headers: { 'Athenz-Resource-Owner': name } })

const zms = await Harness.open({ services })
beforeEach(() => zms.createDomain('sports'))

const make = (members: readonly (string | RoleMember)[] = [], settings: Partial<RoleBase> = {}) =>
  commit(zms, role('sports', 'r1', members, settings))
const review = (roleMembers: object[], options = {}) => zms.put(`${R1}/review`, { name: 'r1', roleMembers }, options)
const inDays = (days: number) => new Date(Math.floor(zms.clock.millis / 1000) * 1000 + days * DAY_MILLIS).toISOString()
const roleNow = async () => {
  const found = (await zms.domain('sports')).roles.get('r1')
  assert.ok(found)
  return found
}
const dateOf = async (member: string) => {
  const { expiration } = (await roleNow()).members.get(member) ?? {}
  return expiration === undefined ? undefined : new Date(expiration).toISOString()
}

describe('putRoleReview', () => {
  test('extends some members, removes others, leaves the rest, and notes its date', async () => {
    await make(['user.joe', 'user.eve', 'user.tom'], { memberExpiryDays: 30, memberReviewDays: 10 })
    const decisions = [
      { memberName: 'user.joe', active: true, expiration: inDays(99) },
      { memberName: 'USER.Eve', active: false },
      { memberName: 'user.stranger', active: true },
      { memberName: 'user.unknown', active: false },
    ]
    const { status, body } = await review(decisions, returned)
    assert.deepEqual([status, body.lastReviewedDate], [200, inDays(0)])
    assert.deepEqual(
      body.roleMembers.map(({ memberName, expiration, reviewReminder }: Record<string, string>) => [
        memberName,
        expiration,
        reviewReminder,
      ]),
      [
        ['user.joe', inDays(30), inDays(10)],
        ['user.tom', undefined, undefined],
      ],
    )
    assert.equal(zms.audit.at(-1)?.method, 'REVIEW')
    assert.deepEqual(await review([]), NOTHING)
  })

  test('of a part of the members leaves the date to the last part', async () => {
    await make(['user.joe', 'user.eve', 'user.tom'], { memberExpiryDays: 30 })
    const part = (roleMembers: object[], query: string) => zms.put(`${R1}/review${query}`, { name: 'r1', roleMembers })
    assert.deepEqual(await part([{ memberName: 'user.eve', active: false }], '?partial=true'), NOTHING)
    assert.deepEqual(await part([{ memberName: 'user.joe' }], '?partial=true'), NOTHING)
    assert.deepEqual([await dateOf('user.joe'), (await roleNow()).lastReviewedDate], [inDays(30), undefined])
    assert.deepEqual(await part([{ memberName: 'user.tom' }], '?partial=false'), NOTHING)
    const { lastReviewedDate = 0, members } = await roleNow()
    assert.deepEqual([new Date(lastReviewedDate).toISOString(), members.size], [inDays(0), 2])
    await commit(zms, group('sports', 'g1', ['user.joe']))
    const reviewGroup = (query: string) => zms.put(`${G1}/review${query}`, { name: 'g1', groupMembers: [] })
    const reviewedGroup = async () => (await zms.domain('sports')).groups.get('g1')?.lastReviewedDate
    assert.deepEqual(await reviewGroup('?partial=true'), NOTHING)
    assert.equal(await reviewedGroup(), undefined)
    assert.deepEqual(await reviewGroup(''), NOTHING)
    assert.notEqual(await reviewedGroup(), undefined)
  })

  test('extends nobody where no days are configured', async () => {
    await make(['user.joe'])
    await review([{ memberName: 'user.joe', active: true, expiration: inDays(5) }])
    assert.equal(await dateOf('user.joe'), undefined)
    await zms.createDomain('sports', { memberExpiryDays: 3 })
    await make(['user.joe'])
    await review([{ memberName: 'user.joe', expiration: inDays(5) }])
    assert.equal(await dateOf('user.joe'), inDays(3), 'days of the domain')
  })

  test('notes who stays, without days as well', async () => {
    await make(['user.joe', 'user.eve'])
    const headers = { ...returned.headers, 'Y-Audit-Ref': 'yearly' }
    const { roleMembers, auditLog } = (await review([{ memberName: 'user.joe' }], { headers })).body
    assert.deepEqual(roleMembers, [
      { memberName: 'user.joe', approved: true, auditRef: 'yearly' },
      { memberName: 'user.eve', approved: true },
    ])
    assert.deepEqual(
      auditLog.map(({ action, member }: Record<string, string>) => [action, member]),
      [['UPDATE', 'user.joe']],
    )
  })

  test('dates that have no days for that kind of member stay as they are', async () => {
    const nanny = 'media.nanny'
    const [expiration, reviewReminder] = [Date.parse(inDays(7)), Date.parse(inDays(8))]
    const dated = ['user.joe', nanny].map((memberName) => ({ memberName, expiration, reviewReminder }))
    await make(dated, { memberExpiryDays: 30, serviceReviewDays: 20 })
    const asked = { expiration: inDays(25), reviewReminder: inDays(15) }
    await review([
      { memberName: 'user.joe', ...asked },
      { memberName: nanny, ...asked },
    ])
    const { members } = await roleNow()
    assert.deepEqual(
      ['user.joe', nanny].map((name) => [members.get(name)?.expiration, members.get(name)?.reviewReminder]),
      [
        [Date.parse(inDays(25)), reviewReminder],
        [expiration, Date.parse(inDays(15))],
      ],
    )
    await make(dated, { memberExpiryDays: 30, reviewEnabled: true })
    await review([{ memberName: nanny }])
    assert.deepEqual([...(await roleNow()).pending.keys()], [], 'nothing to ask for')
  })

  test('keeps who asked for a member, and suspensions', async () => {
    await make([{ memberName: 'user.joe', requestPrincipal: 'user.asker', systemDisabled: 2 }], { memberExpiryDays: 5 })
    await review([{ memberName: 'user.joe' }])
    const { requestPrincipal, systemDisabled } = (await roleNow()).members.get('user.joe') ?? {}
    assert.deepEqual([requestPrincipal, systemDisabled], ['user.asker', 2])
  })

  test('knows users by the alias of their domain', async () => {
    const aliased = await Harness.open({ services, parts: { config: { ...zms.deps.config, userDomainAlias: 'unix' } } })
    await aliased.createDomain('sports')
    await commit(aliased, role('sports', 'r1', ['user.joe', 'user.eve'], { memberExpiryDays: 5 }))
    const roleMembers = [{ memberName: 'unix.joe', active: false }, { memberName: 'unix.eve' }]
    assert.deepEqual(await aliased.put(`${R1}/review`, { name: 'r1', roleMembers }), NOTHING)
    const left = [...((await aliased.domain('sports')).roles.get('r1')?.members ?? [])]
    assert.deepEqual(
      left.map(({ memberName, expiration }) => [memberName, expiration !== undefined]),
      [['user.eve', true]],
    )
  })

  test('asks for extensions where members need approval, for removals under delete protection', async () => {
    const approval = { memberExpiryDays: 5, reviewEnabled: true }
    const decisions = [{ memberName: 'user.joe' }, { memberName: 'user.eve', active: false }]
    const pending = async () =>
      [...(await roleNow()).pending.values()].map(({ memberName, pendingState }) => [memberName, pendingState])
    await make(['user.joe', 'user.eve'], { ...approval, deleteProtection: true })
    await review(decisions)
    assert.deepEqual(await pending(), [
      ['user.joe', 'ADD'],
      ['user.eve', 'DELETE'],
    ])
    assert.deepEqual([await dateOf('user.joe'), (await roleNow()).members.size], [undefined, 2])
    assert.deepEqual(
      await review([{ memberName: 'user.joe', active: false }]),
      refusal(400, 'The user user.joe already has a pending request in a different state'),
    )
    await zms.createDomain('sports')
    await make(['user.joe', 'user.eve'], approval)
    await review(decisions)
    assert.deepEqual([await pending(), (await roleNow()).members.size], [[['user.joe', 'ADD']], 1])
  })

  test('refuses what does not fit', async () => {
    await make()
    await commit(zms, role('sports', 'r2', [], { trust: 'media' }))
    const put = (target: string, name: string) => zms.put(`/domain/${target}/review`, { name })
    assert.deepEqual(
      await put('sports/role/r1', 'r2'),
      refusal(400, 'putrolereview: Inconsistent role names - expected: sports:role.r1, actual: r2'),
    )
    assert.deepEqual(await put('sports/role/nosuch', 'nosuch'), refusal(404, 'No such role: nosuch'))
    assert.deepEqual(await put('nosuch/role/r1', 'r1'), refusal(404, 'No such domain: nosuch'))
    assert.deepEqual(
      await put('sports/role/r2', 'r2'),
      refusal(400, 'putrolereview: role r2 is delegated. Review should happen on the trusted role.'),
    )
    assert.deepEqual(
      await review([], { as: 'user.eve' }),
      refusal(403, 'principal is not authorized to review role members'),
    )
  })

  test('lets those in who may update members', async () => {
    await make()
    await commit(
      zms,
      role('sports', 'helpers', ['user.eve']),
      policy('sports', 'p1', [{ id: 1, role: 'helpers', resource: 'sports:role.r1', action: 'update_members' }]),
    )
    assert.equal((await review([], { as: 'user.eve' })).status, 204)
  })

  test('needs a reference in audit-enabled domains, and the owner of the members', async () => {
    await zms.createDomain('sports', { auditEnabled: true })
    await make()
    assert.deepEqual(await review([]), refusal(400, 'putrolereview: Audit reference required for domain: sports'))
    assert.equal((await review([], { headers: { 'Y-Audit-Ref': 'ticket' } })).status, 204)
    await zms.createDomain('sports')
    await make([], { resourceOwnership: new Map([['members', 'tf']]) })
    assert.deepEqual(await review([]), refusal(409, 'Role has a resource owner: tf'))
    assert.equal((await review([], owner('tf'))).status, 204)
  })
})

describe('a review by an owner', () => {
  test('owns the members from then on, and shows the owners before', async () => {
    await make([], { resourceOwnership: new Map([['meta', 'tf']]) })
    const { body } = await review([], { headers: { ...returned.headers, ...owner('ui').headers } })
    assert.deepEqual(body.resourceOwnership, { metaOwner: 'tf' })
    assert.deepEqual((await zms.get(R1)).body.resourceOwnership, { metaOwner: 'tf', membersOwner: 'ui' })
    assert.equal((await zms.put(`${R1}/review?partial=true`, { name: 'r1' }, owner('tf:force'))).status, 204)
    assert.deepEqual((await zms.get(R1)).body.resourceOwnership, { metaOwner: 'tf', membersOwner: 'tf' })
  })

  test('owns nothing of a self-serve role', async () => {
    await make([], { selfServe: true })
    assert.equal((await review([], owner('ui'))).status, 204)
    assert.equal((await zms.get(R1)).body.resourceOwnership, undefined)
  })
})

describe('putGroupReview', () => {
  test('extends some members, removes others, and notes its date', async () => {
    await commit(zms, group('sports', 'g1', ['user.joe', 'user.eve', 'user.tom'], { memberExpiryDays: 30 }))
    const groupMembers = [
      { memberName: 'user.joe', expiration: inDays(1) },
      { memberName: 'user.eve', active: false },
    ]
    const { body } = await zms.put(`${G1}/review`, { name: 'g1', groupMembers }, returned)
    assert.equal(body.lastReviewedDate, inDays(0))
    assert.deepEqual(body.groupMembers, [
      { memberName: 'user.joe', expiration: inDays(1), approved: true },
      { memberName: 'user.tom', approved: true },
    ])
  })

  test('refuses what does not fit', async () => {
    await commit(zms, group('sports', 'g1'))
    const put = (target: string, name: string, options = {}) => zms.put(`/domain/${target}/review`, { name }, options)
    assert.deepEqual(
      await put('sports/group/g1', 'g2'),
      refusal(400, 'putgroupreview: Inconsistent group names - expected: sports:group.g1, actual: g2'),
    )
    assert.deepEqual(await put('sports/group/nosuch', 'nosuch'), refusal(404, 'No such group: nosuch'))
    assert.deepEqual(await put('nosuch/group/g1', 'g1'), refusal(404, 'No such domain: nosuch'))
    assert.deepEqual(
      await put('sports/group/g1', 'g1', { as: 'user.eve' }),
      refusal(403, 'principal is not authorized to review group members'),
    )
  })

  test('keeps no member that could not be one, and removes it', async () => {
    await commit(zms, group('sports', 'g1', ['sports.gone']))
    const decide = (active: boolean) =>
      zms.put(`${G1}/review`, { name: 'g1', groupMembers: [{ memberName: 'sports.gone', active }] })
    assert.deepEqual(await decide(true), refusal(400, 'Principal sports.gone is not a valid service'))
    assert.deepEqual(await decide(false), NOTHING)
    assert.equal((await zms.domain('sports')).groups.get('g1')?.members.size, 0)
  })
})

/** The lists of roles and of groups work alike. */
const lists = {
  role: (name: string, settings: Partial<RoleBase>) => role('sports', name, [], settings),
  group: (name: string, settings: Partial<RoleBase>) => group('sports', name, [], settings),
}
for (const kind of ['role', 'group'] as const) {
  describe(`the list of ${kind}s for review`, () => {
    const list = async (query = '', as = 'user.owner') =>
      (await zms.get(`/review/${kind}${query}`, { as })).body.list.map(({ name }: { name: string }) => name)
    const ago = (days: number) => Date.parse(inDays(-days))
    const put = (name: string, settings: Partial<RoleBase>) => commit(zms, lists[kind](name, settings))

    test('has those for which 68 percent of the shortest period have passed', async () => {
      await put('due', { memberExpiryDays: 100, serviceExpiryDays: 200, lastReviewedDate: ago(69) })
      await put('early', { memberExpiryDays: 100, lastReviewedDate: ago(67) })
      await put('free', { lastReviewedDate: ago(1000) })
      await put('shortest', { memberExpiryDays: 1000, serviceExpiryDays: 10, lastReviewedDate: ago(8) })
      assert.deepEqual((await list()).sort(), ['due', 'shortest'])
    })

    test('counts from its creation where it was never reviewed', async () => {
      await put('new', { memberExpiryDays: 10 })
      assert.deepEqual(await list(), [])
      const { millis } = zms.clock
      zms.clock.millis += 7 * DAY_MILLIS
      assert.deepEqual(await list(), ['new'])
      zms.clock.millis = millis
    })

    test('shows the periods', async () => {
      await put('due', { memberExpiryDays: 10, lastReviewedDate: ago(9) })
      const [{ created, ...shown }] = (await zms.get(`/review/${kind}`, { as: 'user.owner' })).body.list
      assert.ok(created)
      assert.deepEqual(shown, {
        domainName: 'sports',
        name: 'due',
        memberExpiryDays: 10,
        memberReviewDays: 0,
        serviceExpiryDays: 0,
        serviceReviewDays: 0,
        groupExpiryDays: 0,
        groupReviewDays: 0,
        lastReviewedDate: inDays(-9),
      })
    })

    test('is that of active administrators', async () => {
      await put('due', { memberExpiryDays: 10, lastReviewedDate: ago(9) })
      assert.deepEqual(await list('', 'user.never'), [])
      const admins = [
        { memberName: 'user.late', expiration: ago(1) },
        { memberName: 'user.gone', systemDisabled: 2 },
        { memberName: 'user.fresh', expiration: Date.parse(inDays(1)) },
      ]
      await commit(zms, role('sports', 'admin', admins))
      assert.deepEqual(
        [await list('', 'user.late'), await list('', 'user.gone'), await list('', 'user.fresh')],
        [[], [], ['due']],
      )
    })

    test('of others is for those who may look it up', async () => {
      await put('due', { memberExpiryDays: 10, lastReviewedDate: ago(9) })
      assert.deepEqual(await list('?principal=user.owner', 'user.admin'), ['due'])
      assert.deepEqual(
        await zms.get(`/review/${kind}?principal=user.owner`, { as: 'user.eve' }),
        refusal(403, `principal is not authorized to request ${kind} review list`),
      )
      assert.deepEqual(
        await zms.get(`/review/${kind}?principal=user.never`),
        refusal(404, 'unknown principal - user.never'),
      )
    })
  })
}

test('delegated roles are reviewed elsewhere', async () => {
  const lastReviewedDate = Date.parse(inDays(-9))
  await commit(zms, role('sports', 'r1', [], { trust: 'media', memberExpiryDays: 10, lastReviewedDate }))
  assert.deepEqual((await zms.get('/review/role', { as: 'user.owner' })).body, { list: [] })
})
