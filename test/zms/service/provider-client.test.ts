import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { loadServerConfig } from '#core/config/server-config.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { TlsSource } from '#core/http/tls-source.ts'
import { openLogger } from '#core/log/logger.ts'
import { openProviderClient } from '#zms/open-provider-client.ts'
import {
  type DependencyQuestion,
  HttpsProviderClient,
  type ProviderClientLimits,
} from '#zms/service/provider-client.ts'
import { clientCertificate, type TestPki, testPki } from '../../core/http/support.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const QUESTION: DependencyQuestion = {
  operation: 'delete',
  domainName: 'sports',
  objectType: 'domain',
  objectName: 'sports',
  principal: 'user.admin',
  provider: 'media.storage',
}

const LIMITS: ProviderClientLimits = {
  connectionsPerProvider: 4,
  connections: 8,
  retries: 2,
  retryIntervalMillis: 1,
  connectTimeoutMillis: 5000,
  readTimeoutMillis: 5000,
}

/** What a provider saw of a request. */
interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly type: string | undefined
  readonly body: string
  readonly subject: string
}

type Answer = (response: ServerResponse, count: number) => void

const json =
  (value: unknown, status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }

/** A provider that demands client certificates of the CA. */
async function startProvider(pki: TestPki, answer: Answer) {
  const seen: Seen[] = []
  const { key, cert } = pki.server
  const server = createServer({ key, cert, ca: pki.ca.cert, requestCert: true, rejectUnauthorized: true })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate()
      const { method, url, headers } = request
      seen.push({
        method,
        url,
        type: headers['content-type'],
        body: Buffer.concat(pieces).toString(),
        subject: String(subject.CN),
      })
      answer(response, seen.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { seen, url: new URL(`https://localhost:${port}/check?a=1`), server }
}

/** The files of a client with that name. */
async function clientFiles(pki: TestPki, folder: string, commonName = 'sys.auth.zms') {
  const { key, cert } = await clientCertificate(pki.ca, commonName)
  writeFileSync(join(folder, 'client.key'), key)
  writeFileSync(join(folder, 'client.pem'), cert)
  writeFileSync(join(folder, 'trust.pem'), pki.ca.cert)
  return {
    key: { file: join(folder, 'client.key') },
    certificate: { file: join(folder, 'client.pem') },
    trust: { file: join(folder, 'trust.pem') },
  }
}

async function openClient(pki: TestPki, limits: Partial<ProviderClientLimits> = {}) {
  const lines: string[] = []
  const log = openLogger({ sink: { write: (line) => lines.push(line) } })
  const folder = temporaryFolder()
  const tls = await TlsSource.open(await clientFiles(pki, folder), { log, intervalMillis: 3_600_000 })
  const client = new HttpsProviderClient({ tls, limits: { ...LIMITS, ...limits }, log })
  after(() => client.close())
  return { client, tls, folder, lines }
}

const pki = await testPki(temporaryFolder())

describe('a client of providers', () => {
  test('asks with its certificate, and takes the word', async () => {
    const provider = await startProvider(pki, json({ status: 'allow', message: 'fine' }))
    const { client } = await openClient(pki)
    assert.deepEqual(await client.ask(provider.url, QUESTION), { allowed: true })
    const [seen] = provider.seen
    assert.deepEqual(
      { ...seen, body: JSON.parse(seen?.body ?? '') as unknown },
      {
        method: 'POST',
        url: '/check?a=1',
        type: 'application/json',
        body: QUESTION,
        subject: 'sys.auth.zms',
      },
    )
  })

  const refusals: readonly (readonly [string, Answer, { allowed: false; message?: string }])[] = [
    ['deny', json({ status: 'deny', message: 'in use' }), { allowed: false, message: 'in use' }],
    ['deny without a reason', json({ status: 'deny' }), { allowed: false }],
    ['another word', json({ status: 'ALLOW' }), { allowed: false }],
    ['nothing', json({}), { allowed: false }],
    ['null', json(null), { allowed: false }],
    ['a message that is no text', json({ status: 'deny', message: {} }), { allowed: false }],
    [
      'a message without end',
      json({ status: 'deny', message: 'x'.repeat(2000) }),
      { allowed: false, message: 'x'.repeat(1000) },
    ],
    [
      'what is no JSON',
      (response) => response.end('allow'),
      { allowed: false, message: 'the answer of the provider is no JSON' },
    ],
    [
      'status 400',
      json({ status: 'allow' }, 400),
      { allowed: false, message: 'the provider answered with status 400' },
    ],
    [
      'status 500',
      json({ status: 'allow' }, 500),
      { allowed: false, message: 'the provider answered with status 500' },
    ],
    [
      'a redirection',
      (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      { allowed: false, message: 'the provider answered with status 302' },
    ],
    [
      'more than an answer',
      (response) => response.end('x'.repeat(70_000)),
      { allowed: false, message: 'the answer of the provider is too long' },
    ],
  ]
  for (const [what, answer, expected] of refusals) {
    test(`takes ${what} as a refusal, and does not ask again`, async () => {
      const provider = await startProvider(pki, answer)
      const { client } = await openClient(pki)
      assert.deepEqual(await client.ask(provider.url, QUESTION), expected)
      assert.equal(provider.seen.length, 1)
    })
  }

  test('asks again when the provider is not ready or breaks off, but not for ever', async () => {
    const provider = await startProvider(pki, (response, count) => {
      if (count === 1) response.writeHead(503).end()
      else if (count === 2) response.destroy()
      else json({ status: 'allow' })(response, count)
    })
    const { client } = await openClient(pki)
    assert.deepEqual(await client.ask(provider.url, QUESTION), { allowed: true })
    assert.equal(provider.seen.length, 3)
    const never = await startProvider(pki, (response) => response.writeHead(503).end())
    const message = 'the provider answered with status 503'
    assert.deepEqual(await client.ask(never.url, QUESTION), { allowed: false, message })
    assert.equal(never.seen.length, 3)
  })

  test('takes silence as a refusal', async () => {
    const provider = await startProvider(pki, () => {})
    const { client, lines } = await openClient(pki, { readTimeoutMillis: 50, retries: 0 })
    const message = 'the provider cannot be reached'
    assert.deepEqual(await client.ask(provider.url, QUESTION), { allowed: false, message })
    assert.match(lines[0] ?? '', /Headers Timeout/)
  })

  test('trusts nobody but those configured', async () => {
    const other = await testPki(temporaryFolder())
    const provider = await startProvider(other, json({ status: 'allow' }))
    const { client, lines } = await openClient(pki, { retries: 1 })
    const message = 'the provider cannot be reached'
    assert.deepEqual(await client.ask(provider.url, QUESTION), { allowed: false, message })
    assert.equal(provider.seen.length, 0)
    assert.equal(lines.length, 2)
  })

  test('does not take a certificate for another name', async () => {
    const provider = await startProvider(pki, json({ status: 'allow' }))
    const { client } = await openClient(pki, { retries: 0 })
    provider.url.hostname = '127.0.0.2'
    assert.equal((await client.ask(provider.url, QUESTION)).allowed, false)
  })

  test('asks no more at a time than allowed, and everybody in the end', async () => {
    const open: ServerResponse[] = []
    const waiting: (() => void)[] = []
    const provider = await startProvider(pki, (response) => {
      open.push(response)
      waiting.shift()?.()
    })
    const { client } = await openClient(pki, { connections: 2 })
    const arrived = () => new Promise<void>((resolve) => waiting.push(resolve))
    const both = Promise.all([arrived(), arrived()])
    const answers = Array.from({ length: 5 }, () => client.ask(provider.url, QUESTION))
    await both
    assert.equal(open.length, 2)
    while (open.length > 0) {
      const next = provider.seen.length < 5 ? arrived() : undefined
      json({ status: 'allow' })(open.shift() as ServerResponse, 0)
      await next
      assert.ok(open.length <= 2)
    }
    assert.deepEqual(new Set((await Promise.all(answers)).map(({ allowed }) => allowed)), new Set([true]))
  })

  test('takes a new certificate when its files change', async () => {
    const provider = await startProvider(pki, json({ status: 'allow' }))
    const { client, tls, folder } = await openClient(pki)
    await client.ask(provider.url, QUESTION)
    await clientFiles(pki, folder, 'sys.auth.zms2')
    assert.equal(await tls.check(), true)
    await client.ask(provider.url, QUESTION)
    assert.deepEqual(
      provider.seen.map(({ subject }) => subject),
      ['sys.auth.zms', 'sys.auth.zms2'],
    )
  })
})

const configOf = async (settings: Readonly<Record<string, string>>) => {
  const overrides = Object.entries(settings).map(
    ([key, value]) => [`athenz.zms.provider.client.${key}`, value] as const,
  )
  const rootDir = temporaryFolder()
  const { config } = await loadServerConfig({ server: 'zms', rootDir, files: [], overrides, env: {}, hostname: 'h' })
  return config
}

describe('the settings of the client', () => {
  const asked: unknown[] = []
  const keys: PrivateKeyStore = {
    privateKey: () => Promise.resolve(undefined),
    applicationSecret: (...names) => {
      asked.push(names)
      return Promise.resolve('secret')
    },
  }
  const log = openLogger({ level: 'silent' })
  test('without files make none', async () => {
    assert.equal(await openProviderClient(await configOf({}), keys, log), undefined)
  })

  test('with a part of the files stop the start', async () => {
    await assert.rejects(
      openProviderClient(await configOf({ cert_path: '/x.pem', key_path: '/x.key' }), keys, log),
      /cert_path, key_path and truststore belong together/,
    )
  })

  test('with all files make one', async () => {
    const folder = temporaryFolder()
    const files = await clientFiles(pki, folder)
    const settings = {
      cert_path: files.certificate.file,
      key_path: files.key.file,
      truststore: files.trust.file,
      truststore_password: 'name',
      app_name: 'app',
      keygroup_name: 'group',
    }
    const provider = await startProvider(pki, json({ status: 'allow' }))
    const client = await openProviderClient(await configOf(settings), keys, log)
    after(() => client?.close())
    assert.deepEqual(await client?.ask(provider.url, QUESTION), { allowed: true })
    assert.deepEqual(asked, [['app', 'group', 'name']])
  })

  test('with a file that is none stop the start', async () => {
    const settings = { cert_path: '/nowhere.pem', key_path: '/nowhere.key', truststore: '/nowhere.jks' }
    await assert.rejects(openProviderClient(await configOf(settings), keys, log), /nowhere/)
  })
})
