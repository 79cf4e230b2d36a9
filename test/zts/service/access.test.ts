import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accessService } from '#zts/service/access.ts'
import { Harness, refusal } from './harness.ts'

const open = () =>
  Harness.open({
    services: [accessService],
    domains: [
      {
        name: 'sports',
        roles: [
          { name: 'sports:role.readers', roleMembers: [{ memberName: 'user.ann' }, { memberName: 'sports.api' }] },
          { name: 'sports:role.all', roleMembers: [{ memberName: '*' }] },
        ],
        policies: [
          {
            name: 'sports:policy.p',
            assertions: [
              { role: 'sports:role.readers', action: 'read', resource: 'sports:data.*' },
              { role: 'sports:role.readers', action: 'fetch', resource: 'sports:path/*/end' },
              { role: 'sports:role.all', action: 'ping', resource: 'sports:public' },
            ],
          },
        ],
      },
    ],
  })

describe('getResourceAccess', () => {
  const cases: { why: string; as?: string; question: string; granted: boolean }[] = [
    { why: 'the caller', as: 'user.ann', question: 'read/sports:data.x', granted: true },
    { why: 'a stranger', as: 'user.eve', question: 'read/sports:data.x', granted: false },
    { why: 'upper case', as: 'user.ann', question: 'READ/SPORTS:DATA.X', granted: true },
    { why: 'another action', as: 'user.ann', question: 'write/sports:data.x', granted: false },
    { why: 'another principal', question: 'read/sports:data.x?principal=sports.api', granted: true },
    { why: 'a user by the bare name', question: 'read/sports:data.x?principal=ann', granted: true },
    { why: 'nobody by an empty name', as: 'user.ann', question: 'read/sports:data.x?principal=', granted: false },
    {
      why: 'nobody by a malformed name',
      as: 'user.ann',
      question: 'read/sports:data.x?principal=a%20b',
      granted: false,
    },
    {
      why: 'a trust domain that does not matter',
      as: 'user.ann',
      question: 'read/sports:data.x?domain=b',
      granted: true,
    },
  ]
  for (const { why, as = 'user.eve', question, granted } of cases) {
    test(`${granted ? 'grants' : 'denies'}: ${why}`, async () => {
      const { status, body } = await (await open()).get(`/access/${question}`, { as })
      assert.deepEqual([status, body], [200, { granted }])
    })
  }

  test('refuses to be asked about a group', async () => {
    const answer = await (await open()).get('/access/read/sports:data.x?principal=sports:group.g')
    assert.deepEqual(answer, refusal(400, 'Invalid principal name: sports:group.g'))
  })

  test('answers 404 for a domain that is not known, and for a resource of none', async () => {
    const zts = await open()
    assert.deepEqual(await zts.get('/access/read/nosuch:data'), refusal(404, 'Domain not found'))
    assert.deepEqual(await zts.get('/access/read/data'), refusal(404, 'Domain not found'))
  })

  test('refuses names that break their pattern', async () => {
    const zts = await open()
    assert.equal((await zts.get('/access/a%20b/sports:data')).status, 400)
    assert.equal((await zts.get('/access/read/sports:a%20b')).status, 400)
  })

  test('refuses a caller without credentials', async () => {
    const answer = await (await open()).get('/access/read/sports:data.x', { anonymous: true })
    assert.deepEqual(answer, refusal(401, 'Invalid credentials'))
  })
})

describe('getResourceAccessExt', () => {
  const ask = async (resource: string, more = '') =>
    (await open()).get(`/access/fetch?resource=${encodeURIComponent(resource)}${more}`, { as: 'user.ann' })

  test('takes any text for a resource', async () => {
    assert.deepEqual((await ask('sports:path/a/b c?d=e&f/end')).body, { granted: true })
    assert.deepEqual((await ask('sports:path/a/b/start')).body, { granted: false })
  })

  test('answers 404 without the domain', async () => {
    assert.deepEqual(await ask('nosuch:path/a/end'), refusal(404, 'Domain not found'))
    assert.deepEqual(await ask('path'), refusal(404, 'Domain not found'))
  })

  test('asks about another principal', async () => {
    assert.deepEqual((await ask('sports:path/a/end', '&principal=user.eve')).body, { granted: false })
  })
})
