import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import https from 'node:https'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, test } from 'node:test'
import tls, { type TLSSocket } from 'node:tls'
import { CertificateAuthority } from '#core/authority/certificate-authority.ts'
import { AuthorityChain } from '#core/authority/chain.ts'
import { ok } from '#core/http/endpoint.ts'
import { openLogger } from '#core/log/logger.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { contextOf, TestCa } from '../authority/support.ts'
import { clientCertificate, send, serverCertificate, startTls, type TestPki, testPki } from './support.ts'

const WHO = '/api/v1/domain/sports'

/** Answers with the caller's name. */
const whoHandlers = {
  getDomain: (_request: unknown, { principal }: { principal?: { fullName: string } | undefined }) =>
    ok({ name: principal?.fullName }),
}

/** A chain with the real certificate authority, as servers have it. */
async function certificateChain(now?: () => number): Promise<AuthorityChain> {
  const authority = new CertificateAuthority()
  await authority.initialize?.(contextOf({}, now && { now }))
  return new AuthorityChain([authority], now && { now })
}

interface Visit {
  readonly answer: string
  readonly reused: boolean
  readonly session: Buffer | undefined
  readonly protocol: string | null
}

/** Asks who the server believes to be asked by, on a new connection; `session` resumes an earlier one. */
function visit(port: number, pki: TestPki, options: tls.ConnectionOptions): Promise<Visit> {
  return new Promise((resolve, reject) => {
    let session: Buffer | undefined
    const socket = tls.connect(
      { port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca.cert, ...options },
      () => {
        socket.write(`GET ${WHO} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      },
    )
    const chunks: Buffer[] = []
    const reused = () => socket.isSessionReused()
    const state = { reused: false, protocol: null as string | null }
    socket.on('secureConnect', () => Object.assign(state, { reused: reused(), protocol: socket.getProtocol() }))
    socket.on('session', (ticket: Buffer) => {
      session = ticket
    })
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      const answer = Buffer.concat(chunks).toString()
      if (answer === '') reject(new Error('connection ended without an answer'))
      else resolve({ answer: answer.slice(answer.lastIndexOf('\r\n\r\n') + 4), session, ...state })
    })
  })
}

const named = (name: string) => JSON.stringify({ name })

describe('client certificates', () => {
  test('one from the trusted authority makes a principal', async () => {
    const pki = await testPki(temporaryFolder())
    const registration = { authenticator: await certificateChain() }
    await using running = await startTls(pki, { handlers: whoHandlers, registration })
    const { key, cert } = await clientCertificate(pki.ca, 'sports.api')
    assert.equal((await visit(running.port, pki, { key, cert })).answer, named('sports.api'))
  })

  test('none is allowed, and is nobody', async () => {
    const pki = await testPki(temporaryFolder())
    const registration = { authenticator: await certificateChain() }
    await using running = await startTls(pki, { registration })
    assert.equal((await send(running.port, WHO, { ca: pki.ca.cert })).status, 401)
    assert.equal((await send(running.port, '/api/v1/open', { ca: pki.ca.cert })).status, 200)
  })

  const strangers: [name: string, ca: (pki: TestPki) => Promise<TestCa>, notAfter?: Date][] = [
    ['an unknown authority', () => TestCa.create([{ type: 'CN', value: 'Unknown CA' }])],
    ['an authority of the same name', () => TestCa.create()],
    ['the trusted authority, but expired', async (pki) => pki.ca, new Date(Date.now() - 60_000)],
  ]
  for (const [name, ca, notAfter] of strangers) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`one from ${name} ends the connection (${maxVersion})`, async () => {
        const pki = await testPki(temporaryFolder())
        await using running = await startTls(pki, { handlers: whoHandlers })
        const { key, cert } = await clientCertificate(await ca(pki), 'user.admin', notAfter)
        await assert.rejects(send(running.port, '/api/v1/open', { ca: pki.ca.cert, key, cert, maxVersion }))
        await assert.rejects(visit(running.port, pki, { key, cert, maxVersion }))
      })
    }
  }

  test('a client that was refused gets no session that it could resume', async () => {
    const pki = await testPki(temporaryFolder())
    await using running = await startTls(pki, { handlers: whoHandlers })
    const { key, cert } = await clientCertificate(await TestCa.create([{ type: 'CN', value: 'Rogue' }]), 'user.admin')
    const sessions: Buffer[] = []
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = tls.connect({
        port: running.port,
        host: '127.0.0.1',
        ca: pki.ca.cert,
        key,
        cert,
        maxVersion,
        servername: 'localhost',
      })
      socket.on('session', (session: Buffer) => sessions.push(session))
      socket.on('error', () => {})
      await new Promise((resolve) => socket.resume().on('close', resolve))
    }
    assert.deepEqual(sessions, [])
  })

  test('when they are needed, a client without one gets no answer', async () => {
    const pki = await testPki(temporaryFolder())
    await using running = await startTls(pki, { tls: { clientCertificateNeeded: true } })
    await assert.rejects(send(running.port, '/api/v1/open', { ca: pki.ca.cert }))
    const { key, cert } = await clientCertificate(pki.ca, 'sports.api')
    assert.equal((await send(running.port, '/api/v1/open', { ca: pki.ca.cert, key, cert })).status, 200)
  })

  test('without trust anchors nobody is believed, whoever signed the certificate', async () => {
    const pki = await testPki(temporaryFolder())
    const { key, certificate } = pki.files
    const untrusting = { ...pki, files: { key, ...(certificate && { certificate }) } }
    const registration = { authenticator: await certificateChain() }
    await using running = await startTls(untrusting, { registration })
    const client = await clientCertificate(pki.ca, 'sports.api')
    const { status } = await send(running.port, WHO, { ca: pki.ca.cert, key: client.key, cert: client.cert })
    assert.equal(status, 401)
  })

  test('needed without trust anchors: the server does not start', async () => {
    const pki = await testPki(temporaryFolder())
    const { key, certificate } = pki.files
    const untrusting = { ...pki, files: { key, ...(certificate && { certificate }) } }
    await assert.rejects(startTls(untrusting, { tls: { clientCertificateNeeded: true } }), /no trust store/)
  })

  test('one that expires while its connection is open is no credential any more', async () => {
    const pki = await testPki(temporaryFolder())
    let now = Date.now()
    const registration = { authenticator: await certificateChain(() => now) }
    await using running = await startTls(pki, { handlers: whoHandlers, registration })
    const { key, cert } = await clientCertificate(pki.ca, 'sports.api', new Date(now + 60_000))
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: pki.ca.cert, key, cert })
    assert.equal((await send(running.port, WHO, { agent })).status, 200)
    now += 120_000
    assert.equal((await send(running.port, WHO, { agent })).status, 401)
    agent.destroy()
  })
})

describe('resumed sessions', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`keep the identity of the client (${version})`, async () => {
      const pki = await testPki(temporaryFolder())
      const registration = { authenticator: await certificateChain() }
      await using running = await startTls(pki, { handlers: whoHandlers, registration })
      const { key, cert } = await clientCertificate(pki.ca, 'sports.api')
      const limits = { minVersion: version, maxVersion: version }
      const first = await visit(running.port, pki, { key, cert, ...limits })
      assert.deepEqual([first.answer, first.reused, first.protocol], [named('sports.api'), false, version])
      assert.ok(first.session)
      // The ticket alone must do: the client does not show its certificate again.
      const second = await visit(running.port, pki, { session: first.session, ...limits })
      assert.deepEqual([second.answer, second.reused], [named('sports.api'), true])
    })

    test(`are never lent to another client (${version})`, async () => {
      const pki = await testPki(temporaryFolder())
      const registration = { authenticator: await certificateChain() }
      await using running = await startTls(pki, { handlers: whoHandlers, registration })
      const limits = { minVersion: version, maxVersion: version }
      const anonymous = await visit(running.port, pki, limits)
      assert.match(anonymous.answer, /"code":401/)
      const { key, cert } = await clientCertificate(pki.ca, 'sports.api')
      const resumed = await visit(running.port, pki, { key, cert, ...limits, session: anonymous.session })
      assert.match(resumed.answer, resumed.reused ? /"code":401/ : /sports\.api/)
    })

    test(`go on at another server with the same secret and the same material, and only there (${version})`, async () => {
      const pki = await testPki(temporaryFolder())
      const registration = { authenticator: await certificateChain() }
      const start = (ticketSecret: Uint8Array) =>
        startTls(pki, { handlers: whoHandlers, registration, tls: { ticketSecret } })
      const [secret, anotherSecret] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
      await using one = await start(secret)
      await using twin = await start(secret)
      await using stranger = await start(anotherSecret)
      const { key, cert } = await clientCertificate(pki.ca, 'sports.api')
      const limits = { minVersion: version, maxVersion: version }
      const { session } = await visit(one.port, pki, { key, cert, ...limits })
      assert.ok(session)
      const visits = await Promise.all(
        [twin, stranger].map(({ port }) => visit(port, pki, { key, cert, session, ...limits })),
      )
      assert.deepEqual(
        visits.map(({ answer, reused }) => [answer, reused]),
        [
          [named('sports.api'), true],
          [named('sports.api'), false],
        ],
      )
      const successor = await TestCa.create([{ type: 'CN', value: 'Successor' }])
      writeFileSync(pki.files.trust?.file ?? '', successor.cert)
      assert.equal(await twin.source.check(), true)
      // What was made under the old trust means nothing to a server that has the new one, whatever keys they share.
      const later = await visit(twin.port, pki, { session, ...limits }).catch(() => undefined)
      assert.notEqual(later?.reused, true)
      // A server that starts now has the keys for the new material, too.
      await using replacement = await start(secret)
      const renewed = await visit(twin.port, pki, limits)
      const resumed = await visit(replacement.port, pki, { session: renewed.session, ...limits })
      assert.equal(resumed.reused, true)
    })

    test(`end with the trust they were made under (${version})`, async () => {
      const pki = await testPki(temporaryFolder())
      await using running = await startTls(pki, { handlers: whoHandlers })
      const { key, cert } = await clientCertificate(pki.ca, 'user.alice')
      const limits = { minVersion: version, maxVersion: version }
      const first = await visit(running.port, pki, { key, cert, ...limits })
      const successor = await TestCa.create([{ type: 'CN', value: 'Successor' }])
      writeFileSync(pki.files.trust?.file ?? '', successor.cert)
      assert.equal(await running.source.check(), true)
      const again = await visit(running.port, pki, { session: first.session, ...limits })
      assert.deepEqual([again.reused, again.answer.includes('alice')], [false, false])
      await assert.rejects(visit(running.port, pki, { key, cert, session: first.session, ...limits }))
    })
  }
})

describe('new files while the server runs', () => {
  test('a new certificate is shown to new clients, and old connections end after their next answer', async () => {
    const pki = await testPki(temporaryFolder())
    await using running = await startTls(pki, { handlers: whoHandlers })
    const { key, cert } = await clientCertificate(pki.ca, 'sports.api')
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: pki.ca.cert, key, cert })
    assert.equal((await send(running.port, WHO, { agent })).headers['connection'], 'keep-alive')
    const next = await serverCertificate(pki.ca)
    writeFileSync(pki.files.key.file, next.key)
    writeFileSync(pki.files.certificate?.file ?? '', next.cert)
    assert.equal(await running.source.check(), true)
    assert.equal((await send(running.port, WHO, { agent })).headers['connection'], 'close')
    assert.equal(await shownBy(running.port, pki), next.certificate.fingerprint256)
    agent.destroy()
  })

  test('a new trust anchor lets new clients in', async () => {
    const pki = await testPki(temporaryFolder())
    await using running = await startTls(pki, { handlers: whoHandlers })
    const other = await TestCa.create([{ type: 'CN', value: 'Other' }])
    const { key, cert } = await clientCertificate(other, 'user.bob')
    await assert.rejects(visit(running.port, pki, { key, cert }))
    writeFileSync(pki.files.trust?.file ?? '', pki.ca.cert + other.cert)
    await running.source.check()
    assert.equal((await visit(running.port, pki, { key, cert })).answer, named('user.bob'))
  })

  test('names of the accepted authorities are sent as their certificates have them', async () => {
    const pki = await testPki(temporaryFolder())
    await using running = await startTls(pki)
    assert.ok((await handshakeBytes(running.port)).includes(subjectBytes(pki.ca.cert)))
  })
})

describe('the protocol', () => {
  test('TLS 1.1 is refused', async () => {
    const pki = await testPki(temporaryFolder())
    await using running = await startTls(pki)
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
    await assert.rejects(visit(running.port, pki, old), /protocol version|unsupported protocol/i)
  })

  test('a port may be limited to TLS 1.3, or to some cipher suites', async () => {
    const pki = await testPki(temporaryFolder())
    await using strict = await startTls(pki, { tls: { minVersion: 'TLSv1.3' } })
    await assert.rejects(visit(strict.port, pki, { maxVersion: 'TLSv1.2' }))
    await using picky = await startTls(pki, {
      tls: { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' },
    })
    await assert.rejects(visit(picky.port, pki, { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }))
    assert.equal((await visit(picky.port, pki, {})).protocol, 'TLSv1.2')
  })

  test('connections cannot be renegotiated', async () => {
    const pki = await testPki(temporaryFolder())
    await using running = await startTls(pki)
    const socket = tls.connect({
      port: running.port,
      host: '127.0.0.1',
      ca: pki.ca.cert,
      maxVersion: 'TLSv1.2',
      servername: 'localhost',
    })
    const failed = await new Promise<Error | null>((resolve) => {
      socket.on('error', resolve)
      socket.on('secureConnect', () => socket.renegotiate({}, (error) => resolve(error)))
      socket.on('close', () => resolve(null))
    })
    assert.match(String(failed), /no renegotiation|renegotiation/i)
    socket.destroy()
  })

  test('a client that never begins the handshake is cut off, and no line of the log is written for it', async () => {
    const lines: string[] = []
    const log = openLogger({ sink: { write: (line) => lines.push(line) } })
    const pki = await testPki(temporaryFolder())
    {
      await using running = await startTls(pki, { log, limits: { handshakeTimeoutMillis: 20 } })
      const socket = connect({ port: running.port, host: '127.0.0.1' })
      await once(socket, 'close')
    }
    assert.deepEqual(lines, [])
  })

  test('plain HTTP on the TLS port gets no answer of the API', async () => {
    const pki = await testPki(temporaryFolder())
    await using running = await startTls(pki)
    const socket = connect({ port: running.port, host: '127.0.0.1' })
    socket.write('GET /api/v1/open HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => {})
    await new Promise((resolve) => socket.on('close', resolve))
    assert.ok(!Buffer.concat(chunks).toString().includes('HTTP/1.1 200'))
  })

  test('a client that names no host, or one host in TLS and another in HTTP', async () => {
    const pki = await testPki(temporaryFolder())
    await using running = await startTls(pki, { tls: { sniRequired: true, sniHostCheck: true } })
    const ask = (servername: string, host: string) =>
      send(running.port, '/api/v1/open', { ca: pki.ca.cert, servername, headers: { host } })
    assert.equal((await ask('localhost', 'localhost')).status, 200)
    assert.equal((await ask('localhost', 'LOCALHOST:4443')).status, 200)
    for (const [servername, host] of [
      ['localhost', 'example.com'],
      ['', 'localhost'],
    ] as const) {
      const { status, text } = await ask(servername, host)
      assert.deepEqual([status, text], [400, '{"code":400,"message":"Invalid SNI"}'], servername)
    }
  })
})

/** The bytes of a self-signed certificate's name: they stand in it twice, as issuer and as subject. */
function subjectBytes(cert: string): string {
  const der = new X509Certificate(cert).raw.toString('latin1')
  const name = der.slice(der.indexOf('Test CA') - 11, der.indexOf('Test CA') + 'Test CA'.length)
  assert.ok(der.indexOf(name) !== der.lastIndexOf(name))
  return name
}

/** Fingerprint of the certificate a server shows. */
function shownBy(port: number, pki: TestPki): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca.cert }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

/** What a TLS 1.2 server sends during the handshake, which is not encrypted yet. */
async function handshakeBytes(port: number): Promise<string> {
  const chunks: Buffer[] = []
  const relay = createServer((client) => {
    const server = connect({ port, host: '127.0.0.1' })
    server.on('data', (chunk: Buffer) => chunks.push(chunk))
    client.pipe(server).pipe(client)
    for (const socket of [client, server]) socket.on('error', () => socket.destroy())
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const relayPort = (relay.address() as AddressInfo).port
  const socket = tls.connect({ port: relayPort, host: '127.0.0.1', maxVersion: 'TLSv1.2', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  socket.destroy()
  relay.close()
  return Buffer.concat(chunks).toString('latin1')
}
