import assert from 'node:assert/strict'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import { clientCertificate } from '../support/client-certificate.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { administrator, KeptConnection } from '../support/worker-servers.ts'
import { type Answer, AttackedServers, principalHeader, type Question } from './attacked-servers.ts'

/** Names of members that every object of the language has. */
const INHERITED = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__']

describe('crafted requests at the real servers', () => {
  const folder = temporaryFolder()
  let servers: AttackedServers
  let connections: readonly KeptConnection[] = []
  before(async () => {
    const checker = join(import.meta.dirname, 'untouched-prototypes.ts')
    servers = await AttackedServers.start(folder, {
      'athenz.zms.status_checker_factory_class': checker,
      'athenz.zts.status_checker_factory_class': checker,
    })
    const identity = await administrator(servers.summary)
    connections = (['zms', 'zts'] as const).map((server) => new KeptConnection(servers.urlOf(server), identity))
  })
  after(async () => {
    for (const connection of connections) connection[Symbol.dispose]()
    await servers?.[Symbol.asyncDispose]()
  })
  // Whatever was sent, the servers' own objects are as they were.
  afterEach(async () => {
    for (const connection of connections) {
      assert.deepEqual(await connection.ask('GET', '/status'), { status: 200, body: { code: 200, message: 'OK' } })
    }
  })

  /** The statuses of all answers on a connection of the administrator to ZMS on which these bytes are sent. */
  async function answersTo(bytes: string): Promise<number[]> {
    const { hostname, port } = new URL(servers.urlOf('zms'))
    const { ca, cert, key } = await administrator(servers.summary)
    const socket = connect({ host: hostname, port: Number(port), servername: hostname, ca, cert, key })
    socket.write(bytes)
    return [...(await text(socket)).matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status))
  }

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
      assert.deepEqual([domain.status, domain.message], [404, `getDomain: Domain not found: ${name.toLowerCase()}`])
      const list = await asAdministrator({ path: `/zms/v1/domain?${name}=x`, headers: { [name]: 'x' } })
      assert.equal(list.status, 200, list.message)
    })

    test(`${name} is the name of a role that nobody has`, async () => {
      const missing = await asAdministrator({ path: `${role}/${name}` })
      assert.equal(missing.status, 404, missing.message)
      const token = await servers.ask({
        server: 'zts',
        path: `/zts/v1/domain/victim/token?role=${name}`,
        certificate: servers.administrator,
      })
      assert.equal(token.status, 403, token.message)
      const { body } = await asAdministrator({ path: `/zms/v1/access/${name}/victim:${name}?principal=user.x` })
      assert.deepEqual(body, { granted: false })
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

  for (const [what, method, path] of [
    ['reading', 'GET', '/domain/victim'],
    ['deleting', 'DELETE', '/domain/victim/role/none'],
  ] as const) {
    test(`a body where none belongs, ${what}, changes nothing and is no request of its own`, async () => {
      const target = `${method} /zms/v1${path} HTTP/1.1\r\nHost: localhost\r\n`
      const last = 'GET /zms/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
      const [plain] = await answersTo(`${target}\r\n${last}`)
      for (const body of [
        '{"name":"other","adminUsers":["user.nobody"]}',
        'DELETE /zms/v1/domain/victim/role/victim HTTP/1.1\r\nHost: localhost\r\n\r\n',
      ]) {
        for (const framed of [
          `Content-Length: ${body.length}\r\n\r\n${body}`,
          `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
        ]) {
          const sent = `${target}Content-Type: application/json\r\n${framed}${last}`
          // The answer, and the end of the connection.
          assert.deepEqual(await answersTo(sent), [plain], framed)
        }
      }
      assert.equal((await asAdministrator({ path: `${role}/victim` })).status, 200)
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

  test('somebody who is suspended has nothing from the next question at ZMS, within seconds at ZTS, and gets it back', async () => {
    const granted = async (server: 'zms' | 'zts') => {
      const path = `/${server}/v1/access/read/victim:thing?principal=user.x`
      const { body } = await servers.ask({ server, path, certificate: servers.administrator })
      return Reflect.get(Object(body), 'granted') as boolean
    }
    const suspend = async (suspended: boolean) => {
      const headers = { 'y-audit-ref': 'attack' }
      const path = '/zms/v1/principal/user.x/state'
      const put = await asAdministrator({ method: 'PUT', path, body: { suspended }, headers })
      assert.equal(put.status, 204, put.message)
    }
    assert.equal(await granted('zms'), true)
    await until(() => granted('zts'), { timeoutMillis: 20_000, what: 'that ZTS knows the member' })
    await suspend(true)
    assert.equal(await granted('zms'), false)
    await until(async () => !(await granted('zts')), { timeoutMillis: 20_000, what: 'that ZTS knows of it' })
    const certificate = await clientCertificate(servers.summary, 'user.x')
    const token = await servers.ask({ server: 'zts', path: '/zts/v1/domain/victim/token?role=victim', certificate })
    assert.equal(token.status, 403)
    assert.match(token.message, /user\.x is not included in the requested role\(s\) in domain victim$/)
    await suspend(false)
    assert.equal(await granted('zms'), true)
    await until(() => granted('zts'), { timeoutMillis: 20_000, what: 'that ZTS knows the member again' })
  })

  test('a membership ends at its second, at both servers', async () => {
    const expiry = Math.floor(Date.now() / 1000) * 1000 + 3000
    const body = { memberName: 'user.guest', expiration: new Date(expiry).toISOString() }
    const put = await asAdministrator({ method: 'PUT', path: `${role}/victim/member/user.guest`, body })
    assert.equal(put.status, 204, put.message)
    const identity = await administrator(servers.summary)
    const followed = async (server: 'zms' | 'zts') => {
      using connection = new KeptConnection(servers.urlOf(server), identity)
      let known = false
      for (;;) {
        const asked = Date.now()
        const { body: answer } = await connection.ask('GET', '/access/read/victim:thing?principal=user.guest')
        const answered = Date.now()
        const granted = Reflect.get(Object(answer), 'granted') as boolean
        if (granted) assert.ok(asked <= expiry, `${server} grants ${asked - expiry} ms after the end`)
        else if (known) assert.ok(answered >= expiry, `${server} refuses ${expiry - answered} ms before the end`)
        known ||= granted
        if (!granted && asked >= expiry) return known
        // Close to the end every millisecond counts.
        if (expiry - answered > 50) await pause(10)
      }
    }
    assert.deepEqual(await Promise.all([followed('zms'), followed('zts')]), [true, true])
  })

  test('what is asked for twice is given once', async () => {
    const roleMembers = [{ memberName: 'user.admin' }, { memberName: 'user.admin' }]
    const twice = await asAdministrator({ method: 'PUT', path: `${role}/twice`, body: { name: 'twice', roleMembers } })
    assert.equal(twice.status, 204, twice.message)
    const { body } = await asAdministrator({ path: `${role}/twice` })
    const members = Reflect.get(Object(body), 'roleMembers') as readonly { memberName: string }[]
    assert.deepEqual(
      members.map(({ memberName }) => memberName),
      ['user.admin'],
    )
    let token: Answer | undefined
    await until(
      async () => {
        token = await servers.ask({
          server: 'zts',
          method: 'POST',
          path: '/zts/v1/oauth2/token',
          certificate: servers.administrator,
          body: 'grant_type=client_credentials&scope=victim:role.twice+victim:role.twice+victim:role.TWICE',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        })
        return token.status !== 403
      },
      { timeoutMillis: 20_000, what: 'that ZTS knows the role' },
    )
    assert.equal(token?.status, 200, token?.message)
    const [, claims = ''] = String(Reflect.get(Object(token.body), 'access_token')).split('.')
    const { scp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { scp?: unknown }
    assert.deepEqual(scp, ['twice'])
  })

  test('a question whose parts only join to those of another one has an answer of its own', async () => {
    assert.deepEqual((await asAdministrator({ path: '/zms/v1/access/read/victim:thing?principal=user.x' })).body, {
      granted: true,
    })
    const { ca } = await administrator(servers.summary)
    const { certificate: cert, key } = servers.nobody
    using connection = new KeptConnection(servers.urlOf('zms'), { ca, cert, key })
    for (const mark of [' ', ',', ';', ':', '|', '/', '#', '&', '=', '-', '.', '\n', '\0', '"', '","', '\u2028']) {
      const sign = encodeURIComponent(mark)
      for (const path of [
        `/access/read${sign}victim:thing?resource=victim:thing&principal=user.x`,
        `/access/read?resource=victim:thing${sign}user.x`,
        `/access/read?resource=victim:thing${sign}user.x&principal=user.nobody`,
        `/access/read?resource=victim:thing&principal=user.x${sign}user.nobody`,
        `/access/read?resource=victim:thing&principal=user.nobody${sign}user.x`,
      ]) {
        const { body } = await connection.ask('GET', path)
        assert.notEqual(Reflect.get(Object(body), 'granted'), true, path)
      }
    }
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
    using connection = new KeptConnection(servers.urlOf('zms'), await administrator(servers.summary))
    const question = `/access/${'a'.repeat(200)}/victim:${'a'.repeat(200)}?principal=user.x`
    let fastest = Number.POSITIVE_INFINITY
    for (let attempt = 0; attempt < 20; attempt++) {
      const start = performance.now()
      assert.deepEqual(await connection.ask('GET', question), { status: 200, body: { granted: false } })
      fastest = Math.min(fastest, performance.now() - start)
    }
    assert.ok(fastest < 5, `${fastest} ms`)
  })
})
