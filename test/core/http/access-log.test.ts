import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AccessLog, type AccessLogOptions } from '#core/http/access-log.ts'
import { datedName } from '#core/http/dated-name.ts'
import { authenticate, endpoint, ok } from '#core/http/endpoint.ts'
import { registerEndpoints } from '#core/http/register.ts'
import { silentLogger } from '#core/log/logger.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { clientCertificate, fakeRegistration, fakeServer, send, startTls, Thing, testPki } from './support.ts'

const NAME = 'access.yyyy_MM_dd.log'
const open = (folder: string, options: Partial<AccessLogOptions> = {}) =>
  AccessLog.open({ folder, name: NAME, retainDays: 31, log: silentLogger(), ...options })

const linesIn = (folder: string): string[] =>
  readdirSync(folder)
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))

/** Sends requests to a server of the fakes without ports; gives the lines logged. */
async function logged(
  requests: readonly { url: string; headers?: Record<string, string>; method?: 'GET' | 'PUT'; payload?: string }[],
  options: Partial<AccessLogOptions> = {},
): Promise<string[]> {
  const folder = temporaryFolder()
  const accessLog = await open(folder, options)
  const server = fakeServer({ observers: [accessLog.observe] })
  for (const request of requests) await server.app.inject(request)
  await accessLog.close()
  return linesIn(folder)
}

describe('a line of the access log', () => {
  test('has the fields of the original in its order', async () => {
    const folder = temporaryFolder()
    const pki = await testPki(temporaryFolder())
    const accessLog = await open(folder, { now: () => Date.UTC(2026, 1, 3, 4, 5, 6) })
    await using running = await startTls(pki, { observers: [accessLog.observe] })
    const client = await clientCertificate(pki.ca, 'user.admin')
    await send(running.port, '/api/v1/domain/sports/thing/t1?x=1', {
      ca: pki.ca.cert,
      key: client.key,
      cert: client.cert,
      method: 'PUT',
      body: '{"name":"t1"}',
      headers: {
        'content-type': 'application/json',
        'content-length': 13,
        'y-audit-ref': 'return',
        'user-agent': 'zms-cli/1',
        referer: 'https://ui/',
      },
    })
    await accessLog.close()
    const [line = ''] = linesIn(folder)
    const serial = BigInt(`0x${client.certificate.serialNumber}`).toString()
    const pattern =
      /^127\.0\.0\.1 - user\.admin \[03\/Feb\/2026:04:05:06 \+0000\] "PUT \/api\/v1\/domain\/sports\/thing\/t1\?x=1 HTTP\/1\.1" 200 13 "https:\/\/ui\/" "zms-cli\/1" 13 \d+ Auth-FAKE TLSv1\.3 TLS_\w+ (\d+)$/
    assert.equal(pattern.exec(line)?.[1], serial, line)
  })

  test('has dashes for what is missing, and Auth-None without a principal', async () => {
    const [line] = await logged([{ url: '/nothing', headers: { 'user-agent': '' } }])
    assert.match(
      line ?? '',
      /^127\.0\.0\.1 - - \[.*\] "GET \/nothing HTTP\/1\.1" 404 34 "-" "-" - \d+ Auth-None - - -$/,
    )
  })

  test('cannot be forged by what a client sends', async () => {
    const headers = { 'user-agent': 'a" 200 1\\ é\t', referer: '"' }
    const [line, ...others] = await logged([{ url: '/"x"', headers }])
    assert.equal(others.length, 0)
    assert.match(line ?? '', /"\\"" "a\\" 200 1\\\\ (?:\\u[0-9a-f]{4})+" - /)
  })

  test('leaves out a query that has secrets, also that of a refused request', async () => {
    const folder = temporaryFolder()
    const accessLog = await open(folder)
    const server = fakeServer({ observers: [accessLog.observe] })
    const getSecret = endpoint({
      operation: 'getSecret',
      method: 'GET',
      path: '/secret',
      group: 'Secrets',
      summary: 'For tests.',
      access: authenticate,
      secretQuery: true,
      responses: { 200: Thing },
      errors: [],
    })
    registerEndpoints(server, {
      ...fakeRegistration({}),
      basePath: '/secrets/v1',
      endpoints: { getSecret },
      handlers: { getSecret: () => ok({ name: 'x' }) },
    })
    await server.app.inject({ url: '/secrets/v1/secret?externalId=hush', headers: { 'x-user': 'admin' } })
    await server.app.inject({ url: '/secrets/v1/secret?externalId=hush' })
    await accessLog.close()
    const lines = linesIn(folder)
    assert.equal(lines.length, 2)
    for (const line of lines) assert.match(line, /"GET \/secrets\/v1\/secret HTTP\/1\.1"/)
  })

  test('names the forwarded address only when told to, and only when it is one', async () => {
    const request = { url: '/api/v1/open', headers: { 'x-forwarded-for': 'evil, 10.1.2.3' } }
    const bad = { url: '/api/v1/open', headers: { 'x-forwarded-for': '10.1.2.3, evil' } }
    const starts = async (options: Partial<AccessLogOptions>) =>
      (await logged([request, bad], options)).map((line) => line.split(' ')[0])
    assert.deepEqual(await starts({}), ['127.0.0.1', '127.0.0.1'])
    assert.deepEqual(await starts({ logForwardedAddress: true }), ['10.1.2.3', '127.0.0.1'])
  })
})

describe('files of the access log', () => {
  test('a file a day, and old ones are deleted', async () => {
    const folder = temporaryFolder()
    for (const name of ['access.2026_01_01.log', 'access.2026_01_30.log', 'access.2025_13_40.log', 'other.log']) {
      writeFileSync(join(folder, name), 'old\n')
    }
    let now = Date.UTC(2026, 0, 31, 23, 59)
    const accessLog = await open(folder, { retainDays: 2, now: () => now })
    const server = fakeServer({ observers: [accessLog.observe] })
    await server.app.inject('/api/v1/open')
    assert.deepEqual(readdirSync(folder).sort(), [
      'access.2025_13_40.log',
      'access.2026_01_30.log',
      'access.2026_01_31.log',
      'other.log',
    ])
    now = Date.UTC(2026, 1, 2, 0, 1)
    await server.app.inject('/api/v1/open')
    // The line that found the new day still goes to the old file; those after it go to the new one.
    await accessLog.close()
    const next = await open(folder, { retainDays: 2, now: () => now })
    const later = fakeServer({ observers: [next.observe] })
    await later.app.inject('/api/v1/open')
    await next.close()
    const counts = Object.fromEntries(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8').split('\n').length - 1]),
    )
    assert.deepEqual(counts, {
      'access.2025_13_40.log': 1,
      'access.2026_01_31.log': 2,
      'access.2026_02_02.log': 1,
      'other.log': 1,
    })
  })

  test('an existing file is continued', async () => {
    const folder = temporaryFolder()
    for (let round = 0; round < 2; round++) {
      const accessLog = await open(folder)
      await fakeServer({ observers: [accessLog.observe] }).app.inject('/api/v1/open')
      await accessLog.close()
    }
    assert.equal(linesIn(folder).length, 2)
  })

  test('ten thousand lines arrive in order', async () => {
    const folder = temporaryFolder()
    const accessLog = await open(folder)
    const server = fakeServer({ observers: [accessLog.observe] })
    for (let index = 0; index < 10_000; index++) await server.app.inject(`/nothing/${index}`)
    await accessLog.close()
    const seen = linesIn(folder).map((line) => Number(/\/nothing\/(\d+)/.exec(line)?.[1]))
    assert.deepEqual(
      seen,
      Array.from({ length: 10_000 }, (_, index) => index),
    )
  })

  test('a folder that cannot be made stops the start', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    await assert.rejects(open(join(file, 'logs')), { code: 'ENOTDIR' })
  })
})

describe('dated names', () => {
  const day = Date.UTC(2026, 10, 5)

  test('carry the date where the pattern says so', () => {
    assert.equal(datedName(NAME).at(day + 86_399_999), 'access.2026_11_05.log')
    assert.equal(datedName('dd-mm-yyyy').at(day), '05-11-2026')
    assert.deepEqual([datedName('access.log').at(day), datedName('access.log').dated], ['access.log', false])
  })

  test('are read back, and nothing else is', () => {
    const name = datedName(NAME)
    assert.equal(name.dayOf('access.2026_11_05.log'), day)
    for (const other of [
      'access.2026_11_05.log.gz',
      'access.2026_02_30.log',
      'access.20x6_11_05.log',
      'access..log',
      'access.2026_11_05',
      '',
    ]) {
      assert.equal(name.dayOf(other), undefined, other)
    }
    assert.equal(datedName('access.log').dayOf('access.log'), undefined)
    assert.equal(datedName('access.yyyy.log').dayOf('access.2026.log'), undefined)
  })
})
