import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, type RequestOptions } from 'node:http'
import { createServer, request, type Server, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type ConnectionOptions, connect, type SecureVersion, type TLSSocket } from 'node:tls'
import type { AuthenticationResult, Authority } from '#core/authority/authority.ts'
import { type AuthenticationOutcome, AuthorityChain } from '#core/authority/chain.ts'
import type { PeerCertificateChain } from '#core/authority/peer-certificate.ts'
import { type IssuedCertificate, requestOf, TestCa } from './support.ts'

/** Names the holder of a certificate by its whole subject, and counts how often it is asked. */
class SubjectAuthority implements Authority {
  readonly id = 'Auth-TEST'
  readonly credentialSource = 'certificate'
  readonly allowAuthorization = true
  readonly challenge = 'Test'
  readonly #answer: (peer: PeerCertificateChain) => AuthenticationResult | Promise<AuthenticationResult>
  count = 0

  constructor(answer?: (peer: PeerCertificateChain) => AuthenticationResult | Promise<AuthenticationResult>) {
    this.#answer = answer ?? ((peer) => this.principal(peer))
  }

  principal({ leaf }: PeerCertificateChain): AuthenticationResult {
    return { domain: 'test', fullName: leaf.subject, authority: this, issueTimeSeconds: 0, x509Certificate: leaf }
  }

  authenticateCertificate(peer: PeerCertificateChain): AuthenticationResult | Promise<AuthenticationResult> {
    this.count++
    return this.#answer(peer)
  }
}

let ca: TestCa
let server: IssuedCertificate
let client: IssuedCertificate
let stranger: IssuedCertificate

before(async () => {
  ca = await TestCa.create()
  server = await ca.issue({
    subject: [{ type: 'CN', value: 'localhost' }],
    names: [{ type: 'dns', value: 'localhost' }],
  })
  client = await ca.issue({
    subject: [{ type: 'CN', value: 'sports.api' }],
    notAfter: new Date('2090-01-01T00:00:00Z'),
  })
  stranger = await (await TestCa.create()).issue({ subject: [{ type: 'CN', value: 'sports.api' }] })
})

const servers: Server[] = []
after(() => {
  for (const each of servers) each.close()
})

/** Serves what the chain makes of a request as JSON, and whether it answered at once. */
async function serve(chain: AuthorityChain, options: ServerOptions = {}): Promise<number> {
  const listening = createServer(
    { ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true, ...options },
    (incoming, reply) => {
      const outcome = chain.authenticate(incoming, false)
      const immediate = !(outcome instanceof Promise)
      void Promise.resolve(outcome).then(({ principal, reasons }) =>
        reply.end(
          JSON.stringify({
            name: principal?.fullName,
            reasons,
            immediate,
            reused: (incoming.socket as TLSSocket).isSessionReused(),
          }),
        ),
      )
    },
  )
  servers.push(listening)
  listening.listen(0, 'localhost')
  await once(listening, 'listening')
  return (listening.address() as AddressInfo).port
}

interface Seen {
  readonly name?: string
  readonly reasons: string
  readonly immediate: boolean
  readonly reused: boolean
}

async function get(options: RequestOptions & ConnectionOptions): Promise<Seen> {
  const sent = request({ host: 'localhost', path: '/', ca: ca.cert, ...options }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as Seen
}

/** Sends requests one after the other on one connection; `between` runs between two of them. */
async function exchange(socket: TLSSocket, count: number, between?: () => Promise<void>): Promise<Seen[]> {
  const seen: Seen[] = []
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  while (seen.length < count) {
    if (seen.length > 0) await between?.()
    text = ''
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    while (!text.includes('}')) await once(socket, 'data')
    seen.push(JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as Seen)
  }
  return seen
}

async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: 'localhost', ca: ca.cert, cert: client.cert, key: client.key, ...options })
  await once(socket, 'secureConnect')
  return socket
}

describe('identity of a connection', () => {
  test('is derived once, and the chain answers at once', async () => {
    const authority = new SubjectAuthority()
    const socket = await open(await serve(new AuthorityChain([authority])))
    const seen = await exchange(socket, 3)
    socket.destroy()
    assert.deepEqual(
      seen.map(({ name, immediate }) => [name, immediate]),
      [
        ['CN=sports.api', true],
        ['CN=sports.api', true],
        ['CN=sports.api', true],
      ],
    )
    assert.equal(authority.count, 1)
  })

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const satisfies readonly SecureVersion[]) {
    test(`survives session resumption with ${version}`, async () => {
      const authority = new SubjectAuthority()
      const port = await serve(new AuthorityChain([authority]), { minVersion: version, maxVersion: version })
      const first = await open(port)
      let session: Buffer | undefined
      first.on('session', (latest) => {
        session = latest
      })
      await exchange(first, 1)
      session ??= first.getSession()
      first.destroy()
      const second = await open(port, { session })
      const [seen] = await exchange(second, 1)
      second.destroy()
      assert.equal(seen?.reused, true)
      assert.equal(seen?.name, 'CN=sports.api')
      assert.equal(authority.count, 2)
    })
  }

  test('is derived again after a renegotiation', async () => {
    const authority = new SubjectAuthority()
    const port = await serve(new AuthorityChain([authority]), { maxVersion: 'TLSv1.2' })
    const socket = await open(port)
    const seen = await exchange(
      socket,
      2,
      () =>
        new Promise((resolve, reject) => {
          socket.renegotiate({}, (error) => (error ? reject(error) : resolve()))
        }),
    )
    socket.destroy()
    assert.deepEqual(
      seen.map(({ name }) => name),
      ['CN=sports.api', 'CN=sports.api'],
    )
    assert.equal(authority.count, 2)
  })

  test('is none without certificate', async () => {
    const authority = new SubjectAuthority()
    const port = await serve(new AuthorityChain([authority]), { rejectUnauthorized: false })
    assert.equal((await get({ port })).reasons, 'No credentials provided')
    assert.equal(authority.count, 0)
  })

  test('is none with a certificate that TLS could not verify', async () => {
    const authority = new SubjectAuthority()
    const port = await serve(new AuthorityChain([authority]), { rejectUnauthorized: false })
    const { name, reasons } = await get({ port, cert: stranger.cert, key: stranger.key })
    assert.equal(name, undefined)
    assert.match(reasons, /^:error: client certificate is not trusted: [A-Z_]+$/)
    assert.equal(authority.count, 0)
  })

  test('ends with the certificate, on a kept connection too', async () => {
    const authority = new SubjectAuthority()
    const end = new Date('2090-01-01T00:00:00Z').getTime()
    let now = end
    const chain = new AuthorityChain([authority], { now: () => now })
    const socket = await open(await serve(chain))
    const seen = await exchange(socket, 2, async () => {
      now = end + 1
    })
    socket.destroy()
    assert.deepEqual(
      seen.map(({ name, reasons }) => [name, reasons]),
      [
        ['CN=sports.api', ''],
        [undefined, ':error: client certificate expired Jan  1 00:00:00 2090 GMT'],
      ],
    )
  })

  test('keeps a refusal with the connection as well', async () => {
    const authority = new SubjectAuthority(() => ({ rejected: 'not this one' }))
    const socket = await open(await serve(new AuthorityChain([authority])))
    const seen = await exchange(socket, 2)
    socket.destroy()
    assert.deepEqual(
      seen.map(({ reasons }) => reasons),
      [':error: not this one', ':error: not this one'],
    )
    assert.equal(authority.count, 1)
  })

  test('is asked for once when the authority takes its time, and then answered at once', async () => {
    const authority: SubjectAuthority = new SubjectAuthority(async (peer) => authority.principal(peer))
    const socket = await open(await serve(new AuthorityChain([authority])))
    const seen = await exchange(socket, 2)
    socket.destroy()
    assert.deepEqual(
      seen.map(({ name, immediate }) => [name, immediate]),
      [
        ['CN=sports.api', false],
        ['CN=sports.api', true],
      ],
    )
    assert.equal(authority.count, 1)
  })

  test('is not remembered from an authority that failed', async () => {
    let count = 0
    const socket = {
      encrypted: true,
      authorized: true,
      remoteAddress: '10.1.2.3',
      getPeerX509Certificate: () => client.certificate,
      getProtocol: () => 'TLSv1.3',
    }
    const authority: SubjectAuthority = new SubjectAuthority(async (peer) => {
      if (++count === 1) throw new Error('directory is down')
      return authority.principal(peer)
    })
    const chain = new AuthorityChain([authority])
    const ask = async (): Promise<AuthenticationOutcome> => chain.authenticate(requestOf({ socket }), false)
    await assert.rejects(ask, { message: 'directory is down' })
    assert.equal((await ask()).principal?.fullName, 'CN=sports.api')
  })

  test('follows the certificate when another handshake brings another one', async () => {
    const other = await ca.issue({ subject: [{ type: 'CN', value: 'weather.api' }] })
    const handshakes = [
      { certificate: client.certificate, finished: Buffer.from('one') },
      { certificate: other.certificate, finished: Buffer.from('two') },
      { certificate: undefined, finished: Buffer.from('three') },
    ]
    let current = 0
    const socket = {
      encrypted: true,
      authorized: true,
      getPeerX509Certificate: () => handshakes[current]?.certificate,
      getPeerFinished: () => handshakes[current]?.finished,
      getProtocol: () => 'TLSv1.2',
    }
    const chain = new AuthorityChain([new SubjectAuthority()])
    const names: unknown[] = []
    for (current = 0; current < handshakes.length; current++) {
      const { principal } = chain.authenticate(requestOf({ socket }), true) as AuthenticationOutcome
      names.push(principal?.fullName)
    }
    assert.deepEqual(names, ['CN=sports.api', 'CN=weather.api', undefined])
  })

  test('is none on a connection without TLS', () => {
    const outcome = new AuthorityChain([new SubjectAuthority()]).authenticate(requestOf({}), true)
    assert.deepEqual(outcome, { reasons: '' })
  })
})
