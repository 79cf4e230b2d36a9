import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { domainHistoryService } from '#zms/service/domain-history.ts'
import { Harness } from './harness.ts'
import { commit, group, role } from './objects.ts'

const zms = await Harness.open({ services: [domainHistoryService] })
await zms.createDomain('sports')
await zms.createDomain('empty')
await commit(zms, role('sports', 'readers', []), group('sports', 'team', []))
const START = 1_800_000_000_000
for (let second = 0; second < 5; second++) {
  const value = {
    admin: 'user.boss',
    member: `user.m${second}`,
    created: START + second * 1000,
    action: 'ADD',
  } as const
  await commit(
    zms,
    second % 2 === 0
      ? { kind: 'addRoleAudit', domain: 'sports', role: 'readers', value: { ...value, auditRef: 'why' } }
      : { kind: 'addGroupAudit', domain: 'sports', group: 'team', value },
  )
}

const history = async (query = '') => {
  const { body } = await zms.get(`/sys/domain/sports/history${query}`, { as: 'user.anybody' })
  return body as { list: { kind: string; name: string; member: string }[]; next?: string }
}
const members = async (query: string) => (await history(query)).list.map(({ member }) => member)

describe('getDomainMemberHistory', () => {
  test('tells what happened to the members of all roles and groups, newest first', async () => {
    const { list, next } = await history()
    assert.equal(next, undefined)
    assert.deepEqual(list.slice(0, 2), [
      {
        kind: 'role',
        name: 'readers',
        member: 'user.m4',
        admin: 'user.boss',
        created: '2027-01-15T08:00:04.000Z',
        action: 'ADD',
        auditRef: 'why',
      },
      {
        kind: 'group',
        name: 'team',
        member: 'user.m3',
        admin: 'user.boss',
        created: '2027-01-15T08:00:03.000Z',
        action: 'ADD',
      },
    ])
    assert.equal(list.length, 5)
    assert.deepEqual((await zms.get('/sys/domain/empty/history')).body, { list: [] })
  })

  test('gives a part at a time, none of it twice, and by a part of a name', async () => {
    const found: string[] = []
    let skip: string | undefined
    do {
      const { list, next } = await history(`?limit=2${skip === undefined ? '' : `&skip=${skip}`}`)
      found.push(...list.map(({ member }) => member))
      skip = next
    } while (skip !== undefined)
    assert.deepEqual(found, ['user.m4', 'user.m3', 'user.m2', 'user.m1', 'user.m0'])
    assert.deepEqual(await members('?filter=M1'), ['user.m1'])
    assert.equal((await members('?filter=boss')).length, 5)
  })

  test('refuses domains that are not there, and parts that are none', async () => {
    for (const [path, status, message] of [
      ['/sys/domain/absent/history', 404, /Domain not found: absent/],
      ['/sys/domain/sports/history?limit=0', 400, /limit must be from 1 to 500/],
      ['/sys/domain/sports/history?skip=x', 400, /skip is not the next of a page: x/],
      ['/sys/domain/sports/history?skip=1.2.3', 400, /skip is not the next of a page/],
    ] as const) {
      const answer = await zms.get(path)
      assert.equal(answer.status, status)
      assert.match(String(answer.body.message), message)
    }
  })
})
