import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { roleService } from '#zms/service/role.ts'
import { Harness, refusal } from './harness.ts'
import { commit, group, policy, role } from './objects.ts'
import { body, byName, historyOf, names } from './role-answers.ts'

const services = [roleService]
const R1 = '/domain/sports/role/r1'

const zms = await Harness.open({ services })
beforeEach(async () => {
  await zms.createDomain('media')
  await zms.createDomain('sports')
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

  test('of a role that is delegated by now the history is not told', async () => {
    await zms.put(R1, body(['user.joe']))
    await zms.put(R1, body([], { trust: 'media' }))
    for (const query of ['', '&expand=true']) {
      assert.equal((await zms.get(`${R1}?auditLog=true${query}`)).body.auditLog, undefined)
    }
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
