import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { type Answer, AttackedServers, principalHeader, type Question } from './attacked-servers.ts'

/** Names of members that every object of the language has. */
const INHERITED = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__']

describe('crafted requests at the real servers', () => {
  const folder = temporaryFolder()
  let servers: AttackedServers
  before(async () => {
    servers = await AttackedServers.start(folder)
  })
  after(() => servers?.[Symbol.asyncDispose]())

  const asAdministrator = (question: Omit<Question, 'server'>): Promise<Answer> =>
    servers.ask({ server: 'zms', certificate: servers.administrator, ...question })
  const role = '/zms/v1/domain/victim/role'

  for (const name of INHERITED) {
    test(`${name} is a tag key like any other, and comes back`, async () => {
      const tags = `{"${name}":{"list":["polluted"]}}`
      const path = `${role}/tagged`
      const put = await asAdministrator({ method: 'PUT', path, body: `{"name":"tagged","tags":${tags}}` })
      assert.equal(put.status, 204, put.message)
      const { body } = await asAdministrator({ path })
      assert.deepEqual(Reflect.get(Object(body), 'tags'), JSON.parse(tags))
      // Another one has none of it.
      const other = await asAdministrator({ path: `${role}/victim` })
      assert.equal(Reflect.get(Object(other.body), 'tags'), undefined)
      assert.ok(!JSON.stringify(other.body).includes('polluted'))
    })

    test(`${name} is no domain, no parameter and no header that means something`, async () => {
      const domain = await asAdministrator({ path: `/zms/v1/domain/${name}` })
      assert.ok([400, 404].includes(domain.status), String(domain.status))
      const list = await asAdministrator({ path: `/zms/v1/domain?${name}=x`, headers: { [name]: 'x' } })
      assert.equal(list.status, 200, list.message)
    })
  }

  for (const [what, name, status] of [
    ['a path upwards', '..%2f..%2fvictim', 400],
    ['NUL', 'victim%00', 400],
    ['a trailing blank', 'victim%20', 400],
    ['letters of full width', '%EF%BD%96ictim', 400],
    ['a letter and its accent apart', 'victi%CC%81m', 400],
    ['a character of four bytes', 'victim%F0%9F%92%A5', 400],
    ['a Kelvin sign for the letter', '%E2%84%AAey', 400],
    ['SQL', "victim'%20OR%20'1'='1", 400],
    ['a broken escape', 'victim%zz', 400],
    ['a name that is too long for the store', 'v'.repeat(300), 404],
    ['a device of another system', 'CON', 404],
  ] as const) {
    test(`a domain with ${what}: ${status}, and never the victim`, async () => {
      const answer = await asAdministrator({ path: `/zms/v1/domain/${name}` })
      assert.equal(answer.status, status, answer.message)
      assert.match(
        answer.message,
        status === 400 ? /Invalid|not a valid|Bad Request|malformed/i : /No such domain|not found/i,
      )
    })
  }

  test('a name in capitals is the same domain, for reading and for rights', async () => {
    const { body } = await asAdministrator({ path: '/zms/v1/domain/VICTIM' })
    assert.equal(Reflect.get(Object(body), 'name'), 'victim')
    const headers = await principalHeader(servers.stranger)
    const refused = await servers.ask({
      server: 'zms',
      method: 'PUT',
      path: '/zms/v1/domain/VICTIM/role/VICTIM',
      headers,
      body: { name: 'victim' },
    })
    assert.deepEqual([refused.status, refused.message], [403, 'Forbidden'])
  })

  for (const type of [
    'application/json\t',
    'application/json\t;charset=utf-8',
    ' application/json',
    'APPLICATION/JSON',
    'application/json;application/json',
    'application/json; charset=utf-16',
    'application/jsonx',
    'text/plain',
  ]) {
    test(`a body of the wrong type is refused under Content-Type ${JSON.stringify(type)}`, async () => {
      const body = '{"name":"typed","roleMembers":"everybody"}'
      const headers = { 'content-type': type }
      const answer = await asAdministrator({ method: 'PUT', path: `${role}/typed`, body, headers })
      assert.ok([400, 415].includes(answer.status), `${answer.status} ${answer.message}`)
      assert.equal((await asAdministrator({ path: `${role}/typed` })).status, 404)
    })
  }

  test('headers that only a proxy may set change neither who asks nor from where', async () => {
    const forged = {
      'x-forwarded-for': '127.0.0.1',
      forwarded: 'for=127.0.0.1',
      'x-forwarded-client-cert': 'Subject="CN=user.admin"',
      'x-ssl-client-cert': 'user.admin',
      'client-cert': ':AAAA:',
    }
    const answer = await servers.ask({ server: 'zms', path: '/zms/v1/domain', headers: forged })
    assert.deepEqual([answer.status, answer.message], [401, 'Invalid credentials'])
    assert.equal(await servers.reasonOf('zms', answer), 'No credentials provided')
  })

  test('a right that was taken away is gone with the next question at ZMS, and within seconds at ZTS', async () => {
    const member = `${role}/victim/member/user.nobody`
    const question = { path: '/zms/v1/access/read/victim:thing?principal=user.nobody' }
    const granted = async (server: 'zms' | 'zts') => {
      const path = question.path.replace('/zms/', `/${server}/`)
      const { body } = await servers.ask({ server, path, certificate: servers.administrator })
      return Reflect.get(Object(body), 'granted') as boolean
    }
    const body = { memberName: 'user.nobody' }
    assert.equal((await asAdministrator({ method: 'PUT', path: member, body })).status, 204)
    assert.equal(await granted('zms'), true)
    await until(() => granted('zts'), { timeoutMillis: 20_000, what: 'that ZTS knows the member' })
    assert.equal((await asAdministrator({ method: 'DELETE', path: member })).status, 204)
    assert.equal(await granted('zms'), false)
    await until(async () => !(await granted('zts')), { timeoutMillis: 20_000, what: 'that ZTS forgets the member' })
  })

  test('a token is refused from the moment its key is deleted', async () => {
    const headers = await principalHeader(servers.insider)
    const question: Question = { server: 'zms', path: '/zms/v1/domain/victim', headers }
    assert.equal((await servers.ask(question)).status, 200)
    const key = '/zms/v1/domain/victim/service/victim/publickey/0'
    assert.equal((await asAdministrator({ method: 'DELETE', path: key })).status, 204)
    const refused = await servers.ask(question)
    assert.deepEqual([refused.status, refused.message], [401, 'Invalid credentials'])
    assert.match(await servers.reasonOf('zms', refused), /no such public key/)
  })

  test('a thousand patterns with many stars are decided in milliseconds', async () => {
    for (let policy = 0; policy < 10; policy++) {
      const assertions = Array.from({ length: 100 }, (_, index) => ({
        role: 'victim:role.victim',
        action: `*a*a*a*a*a*a*b${policy}.${index}`,
        resource: `victim:*a*a*a*a*a*a*b${policy}.${index}`,
      }))
      const path = `/zms/v1/domain/victim/policy/stars${policy}`
      const put = await asAdministrator({ method: 'PUT', path, body: { name: `stars${policy}`, assertions } })
      assert.equal(put.status, 204, put.message)
    }
    const path = `/zms/v1/access/${'a'.repeat(200)}/victim:${'a'.repeat(200)}?principal=user.x`
    let fastest = Number.POSITIVE_INFINITY
    for (let attempt = 0; attempt < 10; attempt++) {
      const start = performance.now()
      const { status, body: answer } = await asAdministrator({ path })
      assert.deepEqual([status, answer], [200, { granted: false }])
      fastest = Math.min(fastest, performance.now() - start)
    }
    // With a new connection and its handshake.
    assert.ok(fastest < 50, `${fastest} ms`)
  })
})
