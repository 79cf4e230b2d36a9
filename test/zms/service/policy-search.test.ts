import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { policySearchService } from '#zms/service/policy-search.ts'
import { Harness, refusal } from './harness.ts'
import { commit, policy } from './objects.ts'
import { pagesOf } from './pages.ts'

const zms = await Harness.open({ services: [policySearchService] })
await zms.createDomain('sports')
await zms.createDomain('many')
const condition = new Map([[1, new Map([['enforcementstate', { operator: 'EQUALS', value: 'report' }]])]])
const rows = Array.from({ length: 60 }, (_, at) => ({
  role: `role${at}`,
  action: at % 2 ? 'Read' : 'write',
  resource: `sports:thing.${at}`,
}))
await commit(
  zms,
  policy('sports', 'things', rows, { description: 'Things', tags: new Map([['team', ['blue']]]) }),
  policy('sports', 'things', [{ role: 'r', action: 'a', resource: 'sports:x', conditions: condition }], {
    version: '1',
    active: false,
  }),
  policy('sports', 'idle', [], { active: false, version: 'b' }),
  ...Array.from({ length: 70 }, (_, at) => policy('many', `p${at}`, [])),
)
const THINGS = '/sys/domain/sports/policy/things/assertion'

describe('searchPolicies', () => {
  test('tells of each policy its versions and how many assertions they have', async () => {
    const { body } = await zms.get('/sys/domain/sports/policy', { as: 'user.anybody' })
    for (const each of body.list) {
      assert.ok(each.modified)
      delete each.modified
      for (const version of each.versions) delete version.modified
    }
    assert.deepEqual(body, {
      list: [
        {
          name: 'sports:policy.admin',
          activeVersion: '0',
          versions: [{ version: '0', active: true, assertionCount: 1, conditionCount: 0 }],
        },
        {
          name: 'sports:policy.idle',
          versions: [{ version: 'b', active: false, assertionCount: 0, conditionCount: 0 }],
        },
        {
          name: 'sports:policy.things',
          activeVersion: '0',
          description: 'Things',
          tags: { team: { list: ['blue'] } },
          versions: [
            { version: '0', active: true, description: 'Things', assertionCount: 60, conditionCount: 0 },
            { version: '1', active: false, assertionCount: 1, conditionCount: 1 },
          ],
        },
      ],
      total: 3,
    })
  })

  test('gives all policies in order, a page after the other, and filters', async () => {
    const pages = await pagesOf(zms, '/sys/domain/many/policy', 30)
    assert.deepEqual(
      pages.flatMap(({ list }) => list.map(({ name }) => name.slice('many:policy.'.length))),
      [...(await zms.domain('many')).policies.keys()].sort(),
    )
    assert.equal((await zms.get('/sys/domain/many/policy?filter=P6')).body.total, 11)
    assert.equal((await zms.get('/sys/domain/sports/policy?tagKey=team&tagValue=blue')).body.total, 1)
  })

  test('refuses a limit out of range and a domain that does not exist', async () => {
    assert.deepEqual(
      await zms.get('/sys/domain/sports/policy?limit=0'),
      refusal(400, 'searchPolicies: limit must be from 1 to 500: 0'),
    )
    assert.deepEqual(
      await zms.get('/sys/domain/nowhere/policy'),
      refusal(404, "searchPolicies: Domain not found: 'nowhere'"),
    )
  })
})

describe('searchAssertions', () => {
  test('gives all assertions of the active version by their ids, a page after the other', async () => {
    const pages = await pagesOf(zms, THINGS, 25)
    assert.deepEqual(
      pages.map(({ list, total }) => [list.length, total]),
      [
        [25, 60],
        [25, 60],
        [10, 60],
      ],
    )
    assert.deepEqual(
      pages.flatMap(({ list }) => list.map(({ role, action, resource }) => [role, action, resource])),
      rows.map(({ role, action, resource }) => [`sports:role.${role}`, action, resource]),
    )
  })

  test('tells of the policy, and of the version asked for with its conditions', async () => {
    const { body } = await zms.get(`${THINGS}?version=1`)
    assert.deepEqual([body.version, body.policy.name, body.policy.activeVersion], ['1', 'sports:policy.things', '0'])
    assert.deepEqual(body.list[0].conditions, {
      conditionsList: [{ id: 1, conditionsMap: { enforcementstate: { operator: 'EQUALS', value: 'report' } } }],
    })
    assert.equal((await zms.get('/sys/domain/sports/policy/idle/assertion')).body.version, 'b')
  })

  for (const [query, total] of [
    ['action=READ', 30],
    ['filter=read', 30],
    ['filter=THING.1', 11],
    ['role=role5', 11],
    ['role=role5&action=write', 5],
    ['resource=thing.59&filter=role59', 1],
    ['filter=.*', 0],
  ] as const) {
    test(`filters by ${query}`, async () => {
      assert.equal((await zms.get(`${THINGS}?${query}`)).body.total, total)
    })
  }

  test('does not know what does not exist', async () => {
    assert.deepEqual(
      await zms.get('/sys/domain/sports/policy/lost/assertion'),
      refusal(404, "searchAssertions: Policy not found: 'sports:policy.lost'"),
    )
    assert.deepEqual(
      await zms.get(`${THINGS}?version=7`),
      refusal(404, "searchAssertions: Policy not found: 'sports:policy.things' with version: 7"),
    )
    assert.deepEqual(
      await zms.get('/sys/domain/nowhere/policy/x/assertion'),
      refusal(404, "searchAssertions: Domain not found: 'nowhere'"),
    )
    assert.deepEqual(
      await zms.get(`${THINGS}?limit=-5`),
      refusal(400, 'searchAssertions: limit must be from 1 to 500: -5'),
    )
  })
})
