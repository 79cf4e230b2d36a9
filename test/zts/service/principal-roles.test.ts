import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { principalRolesService } from '#zts/service/principal-roles.ts'
import { Harness, type HarnessOptions, refusal } from './harness.ts'

const open = (options: Partial<HarnessOptions> = {}) =>
  Harness.open({
    services: [principalRolesService],
    ...options,
    domains: [
      {
        name: 'sports',
        roles: [
          { name: 'sports:role.reader', roleMembers: [{ memberName: 'user.ann' }] },
          { name: 'sports:role.super-reader', roleMembers: [{ memberName: 'user.sam' }] },
          {
            name: 'sports:role.past',
            roleMembers: [{ memberName: 'user.ann', expiration: '2026-08-01T23:59:59.999Z' }],
          },
          { name: 'sports:role.off', roleMembers: [{ memberName: 'user.ann', systemDisabled: 1 }] },
          { name: 'sports:role.crew', roleMembers: [{ memberName: 'sports:group.crew' }] },
          { name: 'sports:role.all', roleMembers: [{ memberName: '*' }] },
        ],
        groups: [{ name: 'sports:group.crew', groupMembers: [{ memberName: 'user.gus' }] }],
      },
    ],
  })

test('the alias of the user domain stands for it', async () => {
  const { config } = (await open()).parts
  const zts = await open({ parts: { config: { ...config, userDomainAlias: 'people' } } })
  assert.deepEqual((await zts.get('/access/domain/sports/principal/People.ann')).body, { roles: ['reader', 'all'] })
  const access = (await zts.get('/access/domain/sports/role/reader/principal/people.ann')).body
  assert.deepEqual(access, { granted: true })
  assert.deepEqual((await zts.get('/access/domain/sports/principal/people.of.ann')).body, { roles: ['all'] })
})

describe('getRoleAccess', () => {
  const cases: { who: string; roles: string[] }[] = [
    { who: 'user.ann', roles: ['reader', 'all'] },
    { who: 'USER.ANN', roles: ['reader', 'all'] },
    { who: 'user.gus', roles: ['crew', 'all'] },
    { who: 'user.eve', roles: ['all'] },
    { who: 'ann', roles: ['all'] },
  ]
  for (const { who, roles } of cases) {
    test(`lists the roles of ${who}`, async () => {
      assert.deepEqual((await (await open()).get(`/access/domain/SPORTS/principal/${who}`)).body, { roles })
    })
  }

  test('answers 404 without the domain', async () => {
    const answer = await (await open()).get('/access/domain/nosuch/principal/user.ann')
    assert.deepEqual(answer, refusal(404, 'getRoleAccess: No such domain: nosuch'))
  })
})

describe('getAccess', () => {
  const cases: { role: string; who: string; granted: boolean }[] = [
    { role: 'reader', who: 'user.ann', granted: true },
    { role: 'READER', who: 'USER.ANN', granted: true },
    { role: 'reader', who: 'user.eve', granted: false },
    { role: 'reader', who: 'user.sam', granted: false },
    { role: 'past', who: 'user.ann', granted: false },
    { role: 'off', who: 'user.ann', granted: false },
    { role: 'crew', who: 'user.gus', granted: true },
    { role: 'nosuch', who: 'user.ann', granted: false },
    { role: 'all', who: 'some.thing', granted: true },
  ]
  for (const { role, who, granted } of cases) {
    test(`says that ${who} ${granted ? 'holds' : 'does not hold'} ${role}`, async () => {
      const { body } = await (await open()).get(`/access/domain/sports/role/${role}/principal/${who}`)
      assert.deepEqual(body, { granted })
    })
  }

  test('answers 404 without the domain', async () => {
    const answer = await (await open()).get('/access/domain/nosuch/role/reader/principal/user.ann')
    assert.deepEqual(answer, refusal(404, 'getAccess: No such domain: nosuch'))
  })
})
