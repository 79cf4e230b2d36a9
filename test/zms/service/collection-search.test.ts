import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { collectionSearchService } from '#zms/service/collection-search.ts'
import type { DomainChange } from '#zms/store/change.ts'
import { Harness, refusal } from './harness.ts'
import { commit, group, policy, role } from './objects.ts'
import { pagesOf } from './pages.ts'

const zms = await Harness.open({ services: [collectionSearchService] })
const DAY_MILLIS = 86_400_000
const START = zms.clock.millis
const [past, future, later] = [START - DAY_MILLIS, START + DAY_MILLIS, START + 2 * DAY_MILLIS]
const text = (millis: number) => new Date(millis).toISOString()
const request = (member: string, more: object = {}): DomainChange => ({
  kind: 'putPendingRoleMember',
  domain: 'sports',
  role: 'readers',
  value: { memberName: member, requestTime: past, pendingState: 'ADD', requestPrincipal: 'user.dan', ...more },
})

await zms.createDomain('sports')
await zms.createDomain('tenant')
await zms.createDomain('many')
await commit(
  zms,
  role(
    'sports',
    'readers',
    [
      { memberName: 'user.zoe', expiration: future, reviewReminder: past, auditRef: 'because' },
      { memberName: 'user.eve', expiration: past },
      { memberName: 'user.joe', systemDisabled: 5, expiration: past },
      'sports.api',
      { memberName: 'sports:group.team', expiration: future },
      { memberName: 'user.*', requestPrincipal: 'user.boss' },
    ],
    { description: 'Who reads', memberExpiryDays: 100, selfServe: true, tags: new Map([['team', ['blue', 'red']]]) },
  ),
  request('user.new', { expiration: later, auditRef: 'please' }),
  request('user.zoe', { pendingState: 'DELETE' }),
  role('sports', 'delegated', [], { trust: 'tenant', memberExpiryDays: 9 }),
  group('sports', 'team', ['user.zoe', { memberName: 'user.tim', expiration: later }, 'sports.api'], {
    tags: new Map([['team', ['blue']]]),
  }),
  {
    kind: 'putPendingGroupMember',
    domain: 'sports',
    group: 'team',
    value: { memberName: 'user.new', requestTime: past, pendingState: 'ADD' },
  },
  role('tenant', 'borrowers', ['user.kim', { memberName: 'user.lee', expiration: past }]),
  role('tenant', 'others', ['user.kim', { memberName: 'user.lee', expiration: future }]),
  role('tenant', 'strangers', ['user.sam']),
  policy('tenant', 'assume', [
    { role: 'borrowers', action: 'assume_role', resource: 'sports:role.delegated' },
    { role: 'others', action: 'assume_role', resource: '*:role.deleg*' },
    { role: 'strangers', action: 'assume_role', resource: 'sports:role.other' },
  ]),
  ...Array.from({ length: 120 }, (_, at) => role('many', `role-${(at * 7) % 120}`)),
  role(
    'many',
    'crowd',
    Array.from({ length: 120 }, (_, at) => `user.member${(at * 7) % 120}`),
  ),
)
for (let at = 0; at < 7; at++) {
  await commit(zms, {
    kind: 'addRoleAudit',
    domain: 'sports',
    role: 'readers',
    value: { admin: at % 2 ? 'user.boss' : 'user.admin', member: `user.m${at}`, created: START, action: 'ADD' },
  })
}

const names = (list: readonly { readonly memberName: string }[]) => list.map(({ memberName }) => memberName)

describe('searchRoles', () => {
  test('tells of each role its settings, how many members it has and when it is to be reviewed', async () => {
    const { status, body } = await zms.get('/sys/domain/sports/role?filter=READ', { as: 'user.anybody' })
    assert.equal(status, 200)
    const { created, modified, reviewDue, ...rest } = body.list[0]
    assert.equal(body.list.length, 1)
    assert.equal(Date.parse(reviewDue) - Date.parse(created), 68 * DAY_MILLIS)
    assert.ok(modified)
    assert.deepEqual(rest, {
      name: 'sports:role.readers',
      description: 'Who reads',
      selfServe: true,
      memberExpiryDays: 100,
      tags: { team: { list: ['blue', 'red'] } },
      memberCounts: { active: 4, expired: 1, disabled: 1, pending: 2, overdue: 1 },
    })
  })

  test('shows a delegated role with its domain and no review', async () => {
    const { body } = await zms.get('/sys/domain/sports/role?filter=delegated')
    assert.deepEqual([body.list[0].trust, body.list[0].reviewDue], ['tenant', undefined])
  })

  test('gives all roles in order, a page after the other', async () => {
    const pages = await pagesOf(zms, '/sys/domain/many/role', 50)
    assert.deepEqual(
      pages.map(({ list }) => list.length),
      [50, 50, 22],
    )
    const expected = [...(await zms.domain('many')).roles.keys()].sort().map((name) => `many:role.${name}`)
    assert.deepEqual(
      pages.flatMap(({ list }) => list.map(({ name }: { name: string }) => name)),
      expected,
    )
    assert.deepEqual(new Set(pages.map(({ total }) => total)), new Set([122]))
  })

  test('goes on after a role that is gone', async () => {
    const { body } = await zms.get('/sys/domain/many/role?skip=role-9.gone&limit=1')
    assert.equal(body.list[0].name, 'many:role.role-90')
  })

  test('filters by the text in the name and by tag', async () => {
    const { body } = await zms.get('/sys/domain/many/role?filter=ROLE-11&limit=3')
    assert.deepEqual([body.total, body.next, body.list.length], [11, 'role-111', 3])
    const tagged = await zms.get('/sys/domain/sports/role?tagKey=team&tagValue=red')
    assert.deepEqual(
      tagged.body.list.map(({ name }: { name: string }) => name),
      ['sports:role.readers'],
    )
    assert.deepEqual((await zms.get('/sys/domain/sports/role?tagKey=team&tagValue=green')).body, { list: [], total: 0 })
  })

  test('a filter is text, not a pattern', async () => {
    assert.deepEqual((await zms.get('/sys/domain/many/role?filter=role-.')).body, { list: [], total: 0 })
  })

  for (const limit of [0, -1, 501]) {
    test(`refuses the limit ${limit}`, async () => {
      assert.deepEqual(
        await zms.get(`/sys/domain/sports/role?limit=${limit}`),
        refusal(400, `searchRoles: limit must be from 1 to 500: ${limit}`),
      )
    })
  }

  test('does not know a domain that does not exist', async () => {
    assert.deepEqual(
      await zms.get('/sys/domain/nowhere/role'),
      refusal(404, "searchRoles: Domain not found: 'nowhere'"),
    )
  })
})

describe('searchRoleMembers', () => {
  const READERS = '/sys/domain/sports/role/readers/member'

  test('tells how each membership stands, and what is requested', async () => {
    const { body } = await zms.get(READERS, { as: 'user.anybody' })
    assert.equal(body.role.name, 'sports:role.readers')
    assert.deepEqual(body.role.memberCounts, { active: 4, expired: 1, disabled: 1, pending: 2, overdue: 1 })
    const own = { direct: true, overdue: false }
    assert.deepEqual(body.list, [
      { memberName: 'sports.api', principalType: 2, state: 'active', ...own },
      { memberName: 'sports:group.team', principalType: 3, state: 'active', expiration: text(future), ...own },
      { memberName: 'user.*', principalType: 1, state: 'active', requestPrincipal: 'user.boss', ...own },
      { memberName: 'user.eve', principalType: 1, state: 'expired', expiration: text(past), ...own },
      {
        memberName: 'user.joe',
        principalType: 1,
        state: 'disabled',
        expiration: text(past),
        systemDisabled: 5,
        disabledBy: ['authority-filter', 'operator'],
        ...own,
      },
      {
        memberName: 'user.new',
        principalType: 1,
        state: 'pending',
        ...own,
        request: {
          pendingState: 'ADD',
          requestPrincipal: 'user.dan',
          requestTime: text(past),
          expiration: text(later),
          auditRef: 'please',
        },
      },
      {
        memberName: 'user.zoe',
        principalType: 1,
        state: 'active',
        direct: true,
        overdue: true,
        expiration: text(future),
        reviewReminder: text(past),
        auditRef: 'because',
        request: { pendingState: 'DELETE', requestPrincipal: 'user.dan', requestTime: text(past) },
      },
    ])
    assert.equal(body.total, 7)
  })

  for (const [state, members] of [
    ['active', ['sports.api', 'sports:group.team', 'user.*', 'user.zoe']],
    ['expired', ['user.eve']],
    ['disabled', ['user.joe']],
    ['pending', ['user.new', 'user.zoe']],
    ['overdue', ['user.zoe']],
  ] as const) {
    test(`filters by the state ${state}`, async () => {
      const { body } = await zms.get(`${READERS}?state=${state}`)
      assert.deepEqual([names(body.list), body.total], [members, members.length])
    })
  }

  test('finds one principal by its exact name', async () => {
    for (const [name, members] of [
      ['USER.zoe', ['user.zoe']],
      ['user.new', ['user.new']],
      ['user.zo', []],
    ] as const) {
      assert.deepEqual(names((await zms.get(`${READERS}?memberName=${name}`)).body.list), members)
      assert.deepEqual(names((await zms.get(`${READERS}?memberName=${name}&expand=true`)).body.list), members)
    }
  })

  test('refuses a state that there is not', async () => {
    assert.deepEqual(
      await zms.get(`${READERS}?state=lost`),
      refusal(400, 'searchRoleMembers: state must be one of active, expired, disabled, pending, overdue: lost'),
    )
  })

  test('shows with expand the members of groups, each once and as it counts most', async () => {
    const { body } = await zms.get(`${READERS}?expand=true`)
    const shown = body.list.map(({ memberName, state, direct, through, expiration }: Record<string, unknown>) => [
      memberName,
      state,
      direct,
      through,
      expiration,
    ])
    const team = ['sports:group.team']
    assert.deepEqual(shown, [
      ['sports.api', 'active', true, team, undefined],
      ['user.*', 'active', true, undefined, undefined],
      ['user.eve', 'expired', true, undefined, text(past)],
      ['user.joe', 'disabled', true, undefined, text(past)],
      ['user.new', 'pending', true, undefined, undefined],
      ['user.tim', 'active', false, team, text(future)],
      ['user.zoe', 'active', true, team, text(future)],
    ])
  })

  for (const [state, members] of [
    ['active', ['sports.api', 'user.*', 'user.tim', 'user.zoe']],
    ['expired', ['user.eve']],
    ['disabled', ['user.joe']],
    ['pending', ['user.new', 'user.zoe']],
    ['overdue', ['user.zoe']],
  ] as const) {
    test(`filters with expand by the state ${state}`, async () => {
      const { body } = await zms.get(`${READERS}?state=${state}&expand=true`)
      assert.deepEqual([names(body.list), body.total], [members, members.length])
    })
  }

  test('shows with expand who holds a delegated role, and through which roles', async () => {
    const { body } = await zms.get('/sys/domain/sports/role/delegated/member?expand=true')
    const through = ['tenant:role.borrowers', 'tenant:role.others']
    const other = { principalType: 1, state: 'active', direct: false, overdue: false, through }
    assert.deepEqual(body.list, [
      { memberName: 'user.kim', ...other },
      { memberName: 'user.lee', ...other, expiration: text(future) },
    ])
    const { body: own } = await zms.get('/sys/domain/sports/role/delegated/member')
    assert.deepEqual([own.list, own.role.trust], [[], 'tenant'])
  })

  for (const expand of [false, true]) {
    test(`gives all members in order, a page after the other${expand ? ', with expand' : ''}`, async () => {
      const pages = await pagesOf(zms, `/sys/domain/many/role/crowd/member?expand=${expand}`, 37)
      assert.deepEqual(
        pages.map(({ list }) => list.length),
        [37, 37, 37, 9],
      )
      const members = [...((await zms.domain('many')).roles.get('crowd')?.members ?? [])]
      assert.deepEqual(
        pages.flatMap(({ list }) => names(list)),
        names(members).sort(),
      )
    })

    test(`filters by the text in the name${expand ? ', with expand' : ''}`, async () => {
      const { body } = await zms.get(`/sys/domain/many/role/crowd/member?filter=MEMBER11&limit=2&expand=${expand}`)
      assert.deepEqual(
        [body.total, names(body.list), body.next],
        [11, ['user.member11', 'user.member110'], 'user.member110'],
      )
    })
  }

  test('does not know roles and domains that do not exist', async () => {
    assert.deepEqual(
      await zms.get('/sys/domain/sports/role/nobody/member'),
      refusal(404, "searchRoleMembers: Role not found: 'sports:role.nobody'"),
    )
    assert.deepEqual(
      await zms.get('/sys/domain/nowhere/role/readers/member'),
      refusal(404, "searchRoleMembers: Domain not found: 'nowhere'"),
    )
  })

  test('refuses a limit out of range', async () => {
    assert.deepEqual(
      await zms.get(`${READERS}?limit=501`),
      refusal(400, 'searchRoleMembers: limit must be from 1 to 500: 501'),
    )
  })
})

describe('the history of members', () => {
  const HISTORY = '/sys/domain/sports/role/readers/history'
  const members = (list: readonly { readonly member: string }[]) => list.map(({ member }) => member)

  test('comes newest first, a page after the other', async () => {
    const pages = await pagesOf(zms, HISTORY, 3)
    assert.deepEqual(
      pages.map(({ list }) => members(list)),
      [['user.m6', 'user.m5', 'user.m4'], ['user.m3', 'user.m2', 'user.m1'], ['user.m0']],
    )
    assert.deepEqual(pages[0]?.list[0], { member: 'user.m6', admin: 'user.admin', created: text(START), action: 'ADD' })
  })

  test('is filtered by who did it or to whom', async () => {
    const { body } = await zms.get(`${HISTORY}?filter=boss&limit=2`)
    assert.deepEqual(members(body.list), ['user.m5', 'user.m3'])
    const { body: rest } = await zms.get(`${HISTORY}?filter=boss&limit=2&skip=${body.next}`)
    assert.deepEqual([members(rest.list), rest.next], [['user.m1'], undefined])
    assert.deepEqual(members((await zms.get(`${HISTORY}?filter=M4`)).body.list), ['user.m4'])
  })

  test('refuses a limit out of range', async () => {
    assert.deepEqual(
      await zms.get(`${HISTORY}?limit=0`),
      refusal(400, 'getRoleMemberHistory: limit must be from 1 to 500: 0'),
    )
  })

  test('refuses a place that is none', async () => {
    assert.deepEqual(
      await zms.get(`${HISTORY}?skip=user.m4`),
      refusal(400, 'getRoleMemberHistory: skip is not the next of a page: user.m4'),
    )
  })

  test('is there for roles and groups that exist', async () => {
    assert.deepEqual(
      await zms.get('/sys/domain/sports/role/nobody/history'),
      refusal(404, "getRoleMemberHistory: Role not found: 'sports:role.nobody'"),
    )
    assert.deepEqual(
      await zms.get('/sys/domain/sports/group/nobody/history'),
      refusal(404, "getGroupMemberHistory: Group not found: 'sports:group.nobody'"),
    )
    assert.deepEqual((await zms.get('/sys/domain/sports/group/team/history')).body, { list: [] })
  })
})

describe('searchGroups and searchGroupMembers', () => {
  test('tell of groups what is told of roles', async () => {
    const { body } = await zms.get('/sys/domain/sports/group?tagKey=team', { as: 'user.anybody' })
    const { created, modified, ...rest } = body.list[0]
    assert.ok(created && modified)
    assert.deepEqual(rest, {
      name: 'sports:group.team',
      tags: { team: { list: ['blue'] } },
      memberCounts: { active: 3, expired: 0, disabled: 0, pending: 1, overdue: 0 },
    })
    const { body: page } = await zms.get('/sys/domain/sports/group/team/member?limit=3')
    assert.deepEqual([names(page.list), page.next, page.total], [['sports.api', 'user.new', 'user.tim'], 'user.tim', 4])
    assert.equal(page.group.name, 'sports:group.team')
    assert.deepEqual(names((await zms.get('/sys/domain/sports/group/team/member?state=pending')).body.list), [
      'user.new',
    ])
  })

  test('do not know what does not exist', async () => {
    assert.deepEqual(
      await zms.get('/sys/domain/nowhere/group'),
      refusal(404, "searchGroups: Domain not found: 'nowhere'"),
    )
    assert.deepEqual(
      await zms.get('/sys/domain/sports/group/nobody/member'),
      refusal(404, "searchGroupMembers: Group not found: 'sports:group.nobody'"),
    )
  })
})
