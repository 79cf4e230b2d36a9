import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import tls from 'node:tls'
import { ConfigError } from '#core/config/config-error.ts'
import { freePort } from '../../../src/cli/server-port.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { openContainer } from './open-container.ts'
import { clientCertificate, send, testPki } from './support.ts'

/** This machine is limited like any other. */
const NO_EXEMPTION = { 'athenz.ts.rate_limit_exempt': '' }
const OFF = {
  'athenz.ts.rate_limit_connections_per_second': 0,
  'athenz.ts.rate_limit_address_requests_per_second': 0,
  'athenz.ts.rate_limit_failures_per_minute': 0,
  'athenz.ts.rate_limit_principal_requests_per_second': 0,
  'athenz.ts.rate_limit_burst_seconds': 1,
}

describe('a container that limits rates', () => {
  test('answers requests of an address that come too fast with 429, JSON and Retry-After, and counts them', async () => {
    const root = temporaryFolder()
    const [port, opsPort] = [await freePort(), await freePort()]
    await using opened = await openContainer(await testPki(root), root, {
      ...OFF,
      ...NO_EXEMPTION,
      'athenz.port': port,
      'athenz.ts.ops_port': opsPort,
      // So few that no more come free while the test runs.
      'athenz.ts.rate_limit_address_requests_per_second': 1,
      'athenz.ts.rate_limit_burst_seconds': 3,
    })
    const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(`http://127.0.0.1:${port}/api/v1/open`)))
    const refused = answers.filter(({ status }) => status === 429)
    assert.ok(refused.length >= 4 && refused.length <= 5, answers.map(({ status }) => status).join())
    const [first] = refused
    assert.deepEqual(await first?.json(), { code: 429, message: 'Too many requests, try again later' })
    assert.match(first?.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    assert.equal(first?.headers.get('content-type'), 'application/json')
    const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text()
    assert.ok(metrics.includes(`athenz_rate_limited_total{limit="address"} ${refused.length}`), metrics)
    await opened.container.close()
    const [name = ''] = readdirSync(join(root, 'logs'))
    assert.equal(readFileSync(join(root, 'logs', name), 'utf8').match(/" 429 /g)?.length, refused.length)
  })

  test('leaves this machine alone as it comes', async () => {
    const root = temporaryFolder()
    const port = await freePort()
    const none = { 'athenz.ts.rate_limit_address_requests_per_second': 1, 'athenz.ts.rate_limit_burst_seconds': 1 }
    await using _opened = await openContainer(await testPki(root), root, { 'athenz.port': port, ...none })
    for (let request = 0; request < 20; request++) {
      assert.equal((await fetch(`http://127.0.0.1:${port}/api/v1/open`)).status, 200)
    }
  })

  test('cuts connections of an address that come too fast before their handshake, and serves the others', async () => {
    const root = temporaryFolder()
    const pki = await testPki(root)
    const port = await freePort()
    await using _opened = await openContainer(pki, root, {
      ...OFF,
      ...NO_EXEMPTION,
      'athenz.tls_port': port,
      'athenz.ts.rate_limit_connections_per_second': 1,
      'athenz.ts.rate_limit_burst_seconds': 2,
    })
    const connect = async () => {
      const socket = tls.connect({ port, host: '127.0.0.1', ca: pki.ca.cert, servername: 'localhost' })
      try {
        await once(socket, 'secureConnect')
        return true
      } catch {
        return false
      } finally {
        socket.destroy()
      }
    }
    const outcomes = await Promise.all(Array.from({ length: 8 }, connect))
    const served = outcomes.filter(Boolean).length
    assert.ok(served >= 2 && served <= 3, String(served))
  })

  test('limits principals by their names, and addresses that fail to say who they are', async () => {
    const root = temporaryFolder()
    const pki = await testPki(root)
    const port = await freePort()
    await using _opened = await openContainer(pki, root, {
      ...OFF,
      ...NO_EXEMPTION,
      'athenz.tls_port': port,
      'athenz.ts.rate_limit_principal_requests_per_second': 1,
      'athenz.ts.rate_limit_failures_per_minute': 2,
      'athenz.ts.rate_limit_burst_seconds': 2,
    })
    const [admin, jane] = await Promise.all(
      ['user.admin', 'user.jane'].map(async (name) => {
        const { key, cert } = await clientCertificate(pki.ca, name)
        return { key, cert }
      }),
    )
    const ask = async (identity: object = {}, headers: Record<string, string> = {}) =>
      (await send(port, '/api/v1/domain/sports', { ca: pki.ca.cert, ...identity, headers })).status
    const statuses = await Promise.all(Array.from({ length: 6 }, () => ask(admin)))
    assert.ok(statuses.filter((status) => status === 429).length >= 3, statuses.join())
    assert.ok(statuses.includes(200), statuses.join())
    assert.equal(await ask(jane), 200)

    for (let attempt = 0; attempt < 2; attempt++) assert.equal(await ask(), 401)
    assert.equal(await ask(), 429)
    // Good credentials are not even looked at.
    assert.equal(await ask({}, { 'x-user': 'user.jill' }), 429)
    assert.notEqual(await ask(jane), 401)
  })

  test('does not open with an exemption that is no network', async () => {
    const root = temporaryFolder()
    const opening = openContainer(await testPki(root), root, {
      'athenz.port': await freePort(),
      'athenz.ts.rate_limit_exempt': '10.0.0.0/8,somewhere',
    })
    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /athenz\.ts\.rate_limit_exempt: "somewhere" is neither an address nor a network/)
      return true
    })
  })
})

describe('a limiter of the operator', () => {
  const open = async (module: string) => {
    const root = temporaryFolder()
    writeFileSync(join(root, 'limiter.mjs'), module)
    const port = await freePort()
    const properties = { 'athenz.port': port, 'athenz.ratelimit_factory_class': './limiter.mjs' }
    const opened = await openContainer(await testPki(root), root, properties)
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-tenant': 'a' } })
    return { ask, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
  }

  test('sees every request and says how long a client has to wait', async () => {
    await using opened = await open(`export default () => ({
      secondsToWait: ({ method, target, remoteAddress, header }) =>
        [method, target, remoteAddress, header('x-tenant')].join() === 'GET,/api/v1/open?busy,127.0.0.1,a' ? 6.2 : 0,
    })`)
    assert.equal((await opened.ask('/api/v1/open')).status, 200)
    const refused = await opened.ask('/api/v1/open?busy')
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '7'])
  })

  test('that fails, or says nothing sensible, takes the server away from nobody', async () => {
    await using failing = await open(`export default () => ({ secondsToWait() { throw new Error('x') } })`)
    assert.equal((await failing.ask('/api/v1/open')).status, 200)
    await using odd = await open(`export default () => ({ secondsToWait: () => 'never' })`)
    assert.equal((await odd.ask('/api/v1/open')).status, 200)
  })

  test('must have the method', async () => {
    await assert.rejects(open('export default {}'), /lacks method secondsToWait/)
  })
})
