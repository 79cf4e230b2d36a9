import assert from 'node:assert/strict'
import { copyFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { SourceFailure } from '#zts/sync/change-log-store.ts'
import { ZmsClient, type ZmsQuestion } from '#zts/sync/zms-client.ts'
import { ZmsConnections } from '#zts/sync/zms-connections.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { FakeZms, send } from './fake-zms.ts'
import { sysAuth, zmsSource } from './synchronization.ts'

const { signal } = new AbortController()
const question: ZmsQuestion = { path: '/sys/modified_domains', maxBytes: 1000, timeoutMillis: 5000, signal }

async function clientOf(pause: (millis: number) => Promise<void> = async () => {}) {
  const zms = await FakeZms.start(temporaryFolder())
  const connections = await ZmsConnections.open({
    files: { trust: zms.pki.files.trust },
    log: () => {},
  })
  const options = { dispatcher: () => connections.dispatcher(), credentials: async () => ({ 'x-who': 'zts' }), pause }
  return { zms, connections, client: (url = zms.url) => new ZmsClient({ ...options, url }) }
}

const failure = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof SourceFailure && error.code === code && message.test(error.message)

describe('a question', () => {
  test('goes to the root of the API, whatever the form of the URL', async (t) => {
    const { zms, client, connections } = await clientOf()
    t.after(() => connections.close())
    const base = zms.url.slice(0, -1)
    for (const url of [base, `${base}/`, `${base}/zms/v1`, `${base}/zms/v1/`]) {
      await client(url).ask(question)
      assert.equal(zms.seen.at(-1)?.path, '/zms/v1/sys/modified_domains')
      assert.equal(zms.seen.at(-1)?.headers['x-who'], 'zts')
    }
  })

  test('is repeated while there are too many, after the pauses of the original', async (t) => {
    const pauses: number[] = []
    const { zms, client, connections } = await clientOf(async (millis) => void pauses.push(millis))
    t.after(() => connections.close())
    let count = 0
    zms.intercept = (_, response) => {
      if (++count > 6) return false
      send(response, 429, '{"code":429,"message":"slow down"}')
      return true
    }
    assert.equal((await client().ask(question)).status, 304)
    assert.deepEqual(pauses.slice(0, 3), [1000, 2000, 3000])
    assert.equal(pauses.length, 6)
    for (const millis of pauses.slice(3)) assert.ok(millis >= 4000 && millis < 10_000)
  })

  test('is given up after a hundred times', async (t) => {
    const { zms, client, connections } = await clientOf()
    t.after(() => connections.close())
    zms.intercept = (_, response) => {
      send(response, 429, '')
      return true
    }
    await assert.rejects(client().ask(question), failure('status', /too many requests \(429\)/))
    assert.equal(zms.seen.length, 100)
  })

  test('has an end when it is not wanted any more', async (t) => {
    const { zms, client, connections } = await clientOf()
    t.after(() => connections.close())
    const closing = new AbortController()
    zms.intercept = () => {
      closing.abort(new Error('closed'))
      return true
    }
    await assert.rejects(client().ask({ ...question, signal: closing.signal }), /^Error: closed$/)
    await assert.rejects(client().ask({ ...question, signal: closing.signal }), /^Error: closed$/)
    assert.equal(zms.seen.length, 1)
  })

  test('gets no answer that is longer than allowed, whether it says so or not', async (t) => {
    const { zms, client, connections } = await clientOf()
    t.after(() => connections.close())
    for (const announced of [true, false]) {
      zms.intercept = (_, response) => {
        response.writeHead(200, announced ? { 'content-length': '1001' } : {}).end('x'.repeat(1001))
        return true
      }
      await assert.rejects(client().ask(question), failure('garbage', /more than 1000 bytes/))
    }
  })

  test('is not led elsewhere', async (t) => {
    const { zms, client, connections } = await clientOf()
    t.after(() => connections.close())
    zms.intercept = (_, response) => {
      response.writeHead(302, { location: 'https://elsewhere/' }).end()
      return true
    }
    await assert.rejects(client().ask(question), failure('status', /answers with status 302/))
    assert.equal(zms.seen.length, 1)
  })

  test('does not break the log with what ZMS says', async (t) => {
    const { zms, client, connections } = await clientOf()
    t.after(() => connections.close())
    zms.intercept = (_, response) => {
      send(response, 500, JSON.stringify({ message: `a\nb\u001b[31m${'x'.repeat(1000)}` }))
      return true
    }
    await assert.rejects(
      client().ask(question),
      (error: Error) => /status 500: a b \[31mx+$/.test(error.message) && error.message.length < 300,
    )
  })

  test('to nobody tells that ZMS cannot be reached', async (t) => {
    const { zms, client, connections } = await clientOf()
    t.after(() => connections.close())
    await assert.rejects(
      client(zms.url.replace('localhost', '127.0.0.2')).ask(question),
      failure('unreachable', /cannot be reached/),
    )
  })
})

describe('the connections', () => {
  test('are made anew when the trusted authorities change', async (t) => {
    const folder = temporaryFolder()
    const zms = await FakeZms.start(folder)
    const other = await FakeZms.start(temporaryFolder())
    const file = join(folder, 'trust.pem')
    copyFileSync((other.pki.files.trust as { file: string }).file, file)
    const lines: string[] = []
    const connections = await ZmsConnections.open({
      files: { trust: { file } },
      log: (level, message) => lines.push(`${level} ${message}`),
      lookMillis: 0,
    })
    t.after(() => connections.close())
    const client = new ZmsClient({
      url: zms.url,
      dispatcher: () => connections.dispatcher(),
      credentials: async () => ({}),
    })
    await assert.rejects(client.ask(question), failure('untrusted', /certificate/))
    writeFileSync(file, 'no certificate')
    await assert.rejects(client.ask(question), failure('untrusted', /certificate/))
    copyFileSync((zms.pki.files.trust as { file: string }).file, file)
    utimesSync(file, new Date(), new Date())
    assert.equal((await client.ask(question)).status, 304)
    assert.match(lines[0] ?? '', /^warn the certificates for connections to ZMS cannot be read again: .*trust\.pem/)
    assert.equal(lines[1], 'info the certificates for connections to ZMS are read again')
    assert.equal(lines.length, 2)
  })

  test('need a file that can be read', async () => {
    const file = join(temporaryFolder(), 'none.pem')
    await assert.rejects(ZmsConnections.open({ files: { trust: { file } }, log: () => {} }), /none\.pem/)
  })
})

describe('domains of ZMS', () => {
  test('are kept as they were received, in whatever way the list is written', async (t) => {
    const zms = await FakeZms.start(temporaryFolder())
    zms.put(sysAuth)
    const source = await zmsSource(zms)
    t.after(() => source.close())
    const expected = (await source.domain('sys.auth', { signal }))?.toString() ?? ''
    assert.ok(expected.startsWith('{"domain":{') && expected.endsWith('"}'))
    const answer = async (body: string) => {
      zms.intercept = (_, response) => {
        send(response, 200, body)
        return true
      }
      return (await source.domain('sys.auth', { signal }))?.toString()
    }
    assert.equal(await answer(`{"domains":[${expected}]}`), expected)
    assert.equal(await answer(`{ "domains" : [ ${expected} ] }\n`), expected)
    assert.equal(await answer(`{"domains":[${expected}],"more":1}`), expected)
    assert.equal(await answer('{"domains":[]}'), undefined)
    assert.equal(await answer('{"domains": []}'), undefined)
    await assert.rejects(answer('{"domains": [{},{}]}'), failure('garbage', /several domains for sys\.auth/))
    await assert.rejects(answer('<html>'), failure('garbage', /no JSON/))
    await assert.rejects(answer('{}'), failure('garbage', /without a list of domains/))
  })
})
