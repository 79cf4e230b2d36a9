import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, request as secureRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { fastify } from 'fastify'
import { certificateThumbprint } from '#core/crypto/certificate-thumbprint.ts'
import { messageOf } from '#core/error/message-of.ts'
import { athenz, type GuardedRequest } from '#zpe/express.ts'
import { fastifyAthenz } from '#zpe/fastify.ts'
import type { GuardOptions } from '#zpe/request-guard.ts'
import { type IssuedCertificate, TestCa } from '../core/authority/support.ts'
import { ZpeWorld } from './zpe-world.ts'

const RULES = ['ALLOW readers read data.*', 'DENY guests * *']

async function opened() {
  const world = new ZpeWorld()
  world.clock.millis = Date.now()
  await world.putPolicies('sports', { rules: RULES })
  return { world, zpe: await world.open() }
}

type Rule = Omit<GuardOptions<GuardedRequest>, 'zpe'>
const RULE: Rule = { action: 'read', resource: ({ url = '' }) => `sports:data.${url.slice(1)}` }

interface Reply {
  readonly status: number
  readonly body: { readonly code?: number; readonly status?: string; readonly message?: string; readonly role?: string }
  readonly challenge: string | null
}

const granted = (request: GuardedRequest, response: ServerResponse) =>
  response.end(JSON.stringify({ role: request.athenz?.matchedRole }))

/** A listener behind the middleware, as a service writes it without a framework. */
const behind = (middleware: ReturnType<typeof athenz>) => (request: IncomingMessage, response: ServerResponse) =>
  middleware(request, response, (error) => {
    if (error === undefined) granted(request, response)
    else response.writeHead(500).end(JSON.stringify({ message: messageOf(error) }))
  })

async function served(rule: Partial<Rule> = {}) {
  const { world, zpe } = await opened()
  const server = createServer(behind(athenz({ zpe, ...RULE, ...rule })))
  server.listen(0, '127.0.0.1')
  after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const ask = async (headers: Record<string, string>, path = '/today'): Promise<Reply> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    const challenge = response.headers.get('www-authenticate')
    return { status: response.status, body: (await response.json()) as Reply['body'], challenge }
  }
  return { world, ask }
}

describe('middleware', () => {
  test('lets requests on whose tokens allow it', async () => {
    const { world, ask } = await served()
    const all: readonly Record<string, string>[] = [
      { 'Athenz-Role-Auth': await world.roleToken() },
      { authorization: `Bearer ${await world.accessToken()}` },
      { authorization: `bearer ${await world.accessToken()}`, 'Athenz-Role-Auth': 'x' },
      { authorization: 'Basic dTpw', 'Athenz-Role-Auth': await world.roleToken() },
    ]
    for (const headers of all) {
      assert.deepEqual(await ask(headers), { status: 200, body: { role: 'readers' }, challenge: null })
    }
  })

  test('asks for a token where there is none', async () => {
    const { ask } = await served()
    const all: readonly Record<string, string>[] = [{}, { authorization: 'Basic dTpw' }, { authorization: 'Bearer' }]
    for (const headers of all) {
      const { status, body, challenge } = await ask(headers)
      assert.deepEqual([status, body.code, body.status], [401, 401, 'DENY_ROLETOKEN_INVALID'])
      assert.match(body.message ?? '', /there is no token$/)
      assert.equal(challenge, 'Bearer realm="athenz"')
    }
  })

  test('refuses tokens that are not valid', async () => {
    const { world, ask } = await served()
    const expired = await world.roleToken({ expiryTimeSeconds: 1_000_000 })
    for (const [token, reason] of [
      [expired, 'DENY_ROLETOKEN_EXPIRED'],
      [`${await world.roleToken()}x`, 'DENY_ROLETOKEN_INVALID'],
      [`${await world.roleToken()}, ${await world.roleToken()}`, 'DENY_ROLETOKEN_INVALID'],
    ] as const) {
      const { status, body, challenge } = await ask({ 'Athenz-Role-Auth': token })
      assert.deepEqual([status, body.code, body.status], [401, 401, reason])
      assert.equal(challenge, 'Bearer realm="athenz", error="invalid_token"')
    }
  })

  test('refuses what the policies do not allow', async () => {
    const { world, ask } = await served()
    const role = async (name: string) => ({ 'Athenz-Role-Auth': await world.roleToken({ roles: [name] }) })
    const nobody = await ask(await role('nobody'))
    assert.deepEqual([nobody.status, nobody.body.status, nobody.challenge], [403, 'DENY_NO_MATCH', null])
    const guest = await ask(await role('guests'))
    assert.deepEqual([guest.status, guest.body.status], [403, 'DENY'])
  })

  test('a denial of one of two tokens counts', async () => {
    const { world, ask } = await served()
    const { status, body } = await ask({
      'Athenz-Role-Auth': await world.roleToken(),
      authorization: `Bearer ${await world.accessToken({ scp: ['guests'] })}`,
    })
    assert.deepEqual([status, body.status], [403, 'DENY'])
  })

  test('does not let requests on whose resource cannot be told', async () => {
    const broken = () => {
      throw new Error('no such thing')
    }
    const { world, ask } = await served({ resource: broken })
    const { status, body } = await ask({ 'Athenz-Role-Auth': await world.roleToken() })
    assert.deepEqual([status, body.message], [500, 'no such thing'])
    const { world: other, ask: askOther } = await served({ resource: () => '' })
    const empty = await askOther({ 'Athenz-Role-Auth': await other.roleToken() })
    assert.deepEqual([empty.status, empty.body.status], [403, 'DENY_INVALID_PARAMETERS'])
  })

  test('reads role tokens from another header where that is wanted', async () => {
    const { world, ask } = await served({ roleTokenHeader: 'X-Role' })
    assert.equal((await ask({ 'x-role': await world.roleToken() })).status, 200)
    assert.equal((await ask({ 'Athenz-Role-Auth': await world.roleToken() })).status, 401)
  })
})

describe('middleware behind TLS', () => {
  const named = (ca: TestCa, name: string) => ca.issue({ subject: [{ type: 'CN', value: name }] })

  async function secure(rule: Partial<Rule> = {}) {
    const { world, zpe } = await opened()
    const ca = await TestCa.create()
    const own = await ca.issue({
      subject: [{ type: 'CN', value: 'localhost' }],
      names: [{ type: 'dns', value: 'localhost' }],
    })
    const tls = { key: own.key, cert: own.cert, ca: ca.cert, requestCert: true, rejectUnauthorized: false }
    const server = createSecureServer(tls, behind(athenz({ zpe, ...RULE, ...rule })))
    server.listen(0, '127.0.0.1')
    after(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const ask = (headers: Record<string, string>, client?: IssuedCertificate): Promise<string> =>
      new Promise((resolve, reject) => {
        const identity = client && { key: client.key, cert: client.cert }
        const options = { port, host: '127.0.0.1', servername: 'localhost', path: '/today', ca: ca.cert, headers }
        secureRequest({ ...options, ...identity, agent: false }, (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (part: string) => {
            text += part
          })
          response.on('end', () =>
            resolve(`${response.statusCode} ${(JSON.parse(text) as Reply['body']).status ?? ''}`),
          )
        })
          .on('error', reject)
          .end()
      })
    return { world, ca, ask }
  }

  test('wants bound tokens with their certificate', async () => {
    const { world, ca, ask } = await secure()
    const [client, other] = [await named(ca, 'sports.api'), await named(ca, 'media.api')]
    const foreign = await named(await TestCa.create(), 'sports.api')
    const cnf = { 'x5t#S256': certificateThumbprint(client.certificate) }
    const bound = { authorization: `Bearer ${await world.accessToken({ cnf, client_id: 'sports.api' })}` }
    const unbound = { authorization: `Bearer ${await world.accessToken()}` }
    assert.equal(await ask(bound, client), '200 ')
    assert.equal(await ask(bound, other), '401 DENY_CERT_HASH_MISMATCH')
    assert.equal(await ask(bound), '401 DENY_CERT_HASH_MISMATCH')
    assert.equal(await ask(bound, foreign), '401 DENY_CERT_HASH_MISMATCH')
    assert.equal(await ask(unbound, client), '200 ')
    assert.equal(await ask(unbound), '200 ')
  })

  test('wants all tokens bound, or none, where that is said', async () => {
    const all = await secure({ binding: 'all' })
    const client = await named(all.ca, 'sports.api')
    const unbound = { authorization: `Bearer ${await all.world.accessToken()}` }
    assert.equal(await all.ask(unbound, client), '401 DENY_CERT_HASH_MISMATCH')
    const none = await secure({ binding: 'none' })
    const bound = { authorization: `Bearer ${await none.world.accessToken({ cnf: { 'x5t#S256': 'x' } })}` }
    assert.equal(await none.ask(bound), '200 ')
  })

  test('takes thumbprints from proxies', async () => {
    const forwardedThumbprint = ({ headers }: GuardedRequest) => headers['x-thumbprint'] as string | undefined
    const { world, ca, ask } = await secure({ forwardedThumbprint })
    const proxy = await named(ca, 'proxy.front')
    const token = { authorization: `Bearer ${await world.accessToken({ cnf: { 'x5t#S256': 'abc' } })}` }
    assert.equal(await ask({ ...token, 'x-thumbprint': 'abc' }, proxy), '200 ')
    assert.equal(await ask({ ...token, 'x-thumbprint': 'abd' }, proxy), '401 DENY_CERT_HASH_MISMATCH')
    assert.equal(await ask({ ...token, 'x-thumbprint': 'abc' }), '401 DENY_CERT_HASH_MISMATCH')
  })

  test('decides by role certificates where that is wanted', async () => {
    const { ca, ask } = await secure({ roleCertificates: true })
    const [readers, service] = [await named(ca, 'sports:role.readers'), await named(ca, 'sports.api')]
    const foreign = await named(await TestCa.create(), 'sports:role.readers')
    assert.equal(await ask({}, readers), '200 ')
    assert.equal(await ask({}, service), '401 DENY_ROLETOKEN_INVALID')
    assert.equal(await ask({}, foreign), '401 DENY_ROLETOKEN_INVALID')
    const unnamed = await ca.issue({ subject: [], names: [{ type: 'uri', value: 'spiffe://sports/ra/readers' }] })
    assert.equal(await ask({}, unnamed), '401 DENY_ROLETOKEN_INVALID')
    const without = await secure()
    assert.equal(await without.ask({}, await named(without.ca, 'sports:role.readers')), '401 DENY_ROLETOKEN_INVALID')
  })
})

describe('the plug-in of Fastify', () => {
  async function app() {
    const { world, zpe } = await opened()
    const server = fastify()
    await server.register(fastifyAthenz, { zpe })
    const data = server.athenz({
      action: 'read',
      resource: ({ params }) => `sports:data.${(params as { id: string }).id}`,
    })
    server.get('/open', (request, reply) => reply.send({ role: request.athenz }))
    server.get('/data/:id', { onRequest: data }, (request, reply) => reply.send({ role: request.athenz?.matchedRole }))
    server.delete(
      '/data/:id',
      { preHandler: server.athenz({ action: 'delete', resource: 'data.x' }) },
      async () => ({}),
    )
    after(() => server.close())
    return { world, server }
  }

  test('lets requests on, or says why not', async () => {
    const { world, server } = await app()
    const headers = { 'athenz-role-auth': await world.roleToken() }
    const good = await server.inject({ url: '/data/7', headers })
    assert.deepEqual([good.statusCode, good.json()], [200, { role: 'readers' }])
    const nobody = await server.inject({ url: '/data/7' })
    assert.deepEqual([nobody.statusCode, nobody.json().status], [401, 'DENY_ROLETOKEN_INVALID'])
    assert.equal(nobody.headers['www-authenticate'], 'Bearer realm="athenz"')
    const denied = await server.inject({ url: '/data/7', method: 'DELETE', headers })
    assert.deepEqual([denied.statusCode, denied.json().status], [403, 'DENY_NO_MATCH'])
    const open = await server.inject({ url: '/open' })
    assert.deepEqual([open.statusCode, open.json()], [200, { role: null }])
  })

  test('does not let requests on when something goes wrong', async () => {
    const { world, zpe } = await opened()
    const server = fastify()
    await server.register(fastifyAthenz, { zpe })
    const resource = () => {
      throw new Error('no such thing')
    }
    server.get('/', { onRequest: server.athenz({ action: 'read', resource }) }, async () => ({}))
    after(() => server.close())
    const answer = await server.inject({ url: '/', headers: { 'athenz-role-auth': await world.roleToken() } })
    assert.equal(answer.statusCode, 500)
  })
})
