import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accessSearchService } from '#zms/service/access-search.ts'
import { Harness, refusal } from './harness.ts'
import { commit, policy, role } from './objects.ts'

const zms = await Harness.open({ services: [accessSearchService] })
await zms.createDomain('sports')
await commit(
  zms,
  role('sports', 'readers', ['user.joe', 'user.jane']),
  role('sports', 'writers', ['user.jane']),
  role('sports', 'nobody', []),
  policy('sports', 'things', [
    { role: 'readers', action: 'read', resource: 'sports:thing.*' },
    { role: 'readers', action: 'read', resource: 'sports:thing.secret', effect: 'DENY' },
    { role: 'write*', action: '*', resource: 'sports:thing.Blue' },
    { role: 'nobody', action: 'read', resource: 'sports:thing.secret', effect: 'DENY' },
  ]),
  policy('sports', 'old', [{ role: 'readers', action: 'read', resource: 'sports:*' }], { active: false, version: 'b' }),
)
const preview = (query: Record<string, string>) =>
  zms.get(`/sys/domain/sports/preview/assertion?${new URLSearchParams(query).toString()}`, { as: 'user.anybody' })

describe('searchHolders', () => {
  test('gives the assertions of active versions about an action and a resource, with members', async () => {
    const { body } = await zms.get('/sys/domain/sports/holder?action=Read&resource=sports:thing.blue')
    assert.deepEqual(
      body.list.map((each: { role: string; roles: { members: string[] }[] }) => [
        each.role,
        each.roles.map(({ members }) => members.toSorted()),
      ]),
      [
        ['sports:role.admin', [['user.admin', 'user.owner']]],
        ['sports:role.readers', [['user.jane', 'user.joe']]],
        ['sports:role.write*', [['user.jane']]],
      ],
    )
    assert.equal(body.total, 3)
  })

  test('gives a part at a time', async () => {
    const first = await zms.get('/sys/domain/sports/holder?action=read&resource=sports:thing.secret&limit=2')
    assert.deepEqual([first.body.list.length, first.body.total], [2, 4])
    const rest = await zms.get(
      `/sys/domain/sports/holder?action=read&resource=sports:thing.secret&limit=2&skip=${first.body.next}`,
    )
    assert.deepEqual([rest.body.list.length, rest.body.next], [2, undefined])
  })

  test('does not know every domain', async () => {
    assert.deepEqual(
      await zms.get('/sys/domain/none/holder?action=a&resource=b'),
      refusal(404, "searchHolders: Domain not found: 'none'"),
    )
  })
})

describe('previewAssertion', () => {
  test('tells of roles, what is touched, what says it already, and what denies some of it', async () => {
    const { body } = await preview({ role: 'Readers', action: 'read', resource: 'sports:thing.s*' })
    assert.deepEqual(
      [body.effect, body.role, body.roleCount, body.roles[0].memberCount],
      ['ALLOW', 'sports:role.readers', 1, 2],
    )
    assert.deepEqual(body.touched, [{ kind: 'resource', count: 1, names: ['sports:thing.secret'] }])
    assert.deepEqual(
      body.coveredBy.map((each: { resource: string }) => each.resource),
      ['sports:thing.*'],
    )
    assert.deepEqual([body.opposedCount, body.opposed[0].wholly, body.opposed[0].commonMembers], [1, false, 2])
  })

  test('a DENY of the whole is told of as such, through members of several roles, too', async () => {
    const same = await preview({ role: 'readers', action: 'read', resource: 'sports:thing.secret' })
    assert.equal(same.body.opposed[0].wholly, true)
    const others = await preview({ role: 'sports:role.writers', action: 'read', resource: 'sports:thing.secret' })
    assert.deepEqual([others.body.opposed[0].wholly, others.body.opposed[0].commonMembers], [false, 1])
  })

  test('a DENY tells of what it takes away', async () => {
    const { body } = await preview({ role: '*', action: '*', resource: 'sports:thing.*', effect: 'DENY' })
    assert.deepEqual(
      body.opposed.map((each: { role: string; wholly: boolean }) => [each.role, each.wholly]),
      [
        ['sports:role.admin', false],
        ['sports:role.readers', true],
        ['sports:role.write*', true],
      ],
    )
  })

  test('objects of the domain are counted by kind', async () => {
    const { body } = await preview({ role: 'readers', action: 'update', resource: 'sports:role.*' })
    assert.deepEqual(
      body.touched.map(({ kind, count }: { kind: string; count: number }) => [kind, count]),
      [['role', 4]],
    )
  })

  test('of everything in a large domain takes time in proportion to the domain, and lets others have their turn', async () => {
    await zms.createDomain('large')
    const names = Array.from({ length: 500 }, (_, index) => `role${index}`)
    const members = Array.from({ length: 100 }, (_, index) => `user.member${index}`)
    const assertions = names.map((name) => ({ role: name, action: 'read', resource: `large:${'*x'.repeat(250)}` }))
    await commit(zms, ...names.map((name) => role('large', name, members)), policy('large', 'things', assertions))
    const turns: number[] = []
    const ticking = setInterval(() => turns.push(performance.now()), 1)
    const startMillis = performance.now()
    const asked = new URLSearchParams({ role: '*', action: '*', resource: `large:${'*y'.repeat(250)}`, effect: 'DENY' })
    const { body } = await zms.get(`/sys/domain/large/preview/assertion?${asked.toString()}`)
    const millis = performance.now() - startMillis
    clearInterval(ticking)
    assert.equal(body.opposedCount, 1)
    assert.ok(turns.length > millis / 100, `${turns.length} turns in ${millis} ms`)
    const everything = new URLSearchParams({ role: '*', action: '*', resource: 'large:*', effect: 'DENY' })
    const all = await zms.get(`/sys/domain/large/preview/assertion?${everything.toString()}`)
    assert.deepEqual([all.body.opposedCount, all.body.opposed[0].commonMembers], [501, 2])
    assert.equal(all.body.opposed[1].commonMembers, 100)
  })

  test('refuses roles of other domains and unknown effects', async () => {
    const asked = { action: 'a', resource: 'sports:b' }
    assert.deepEqual(
      await preview({ ...asked, role: 'other:role.x' }),
      refusal(400, 'previewAssertion: role is one of another domain'),
    )
    assert.deepEqual(
      await preview({ ...asked, role: 'x', effect: 'maybe' }),
      refusal(400, 'previewAssertion: effect must be ALLOW or DENY'),
    )
  })
})
