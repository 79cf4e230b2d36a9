import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { TlsMaterial } from '#core/http/tls-material.ts'
import { HttpCertificateSigner } from '#zts/cert/signers/http-certificate-signer.ts'
import { SignerConnection, type SignerConnectionOptions } from '#zts/cert/signers/signer-connection.ts'
import { SignerKeys } from '#zts/cert/signers/signer-keys.ts'
import { TestCa } from '../../../core/authority/support.ts'
import { requestFor } from '../../../support/certificate-requests.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { signingRequest, testAuthority } from '../signing-support.ts'

const ca = await TestCa.create()
const own = await ca.issue({ subject: [{ type: 'CN', value: 'sys.auth.zts' }] })
const next = await ca.issue({ subject: [{ type: 'CN', value: 'sys.auth.zts.next' }] })
const server = await ca.issue({
  subject: [{ type: 'CN', value: 'crypki' }],
  names: [{ type: 'dns', value: 'localhost' }],
})
const authority = await testAuthority()
const folder = temporaryFolder()

const materialOf = ({ cert, key }: { cert: string; key: string }): TlsMaterial => ({ cert, key, ca: [ca.cert] })

/** Key material that a test may change. */
class FakeTls {
  material = materialOf(own)
  #listener: (material: TlsMaterial) => void = () => {}

  onChange(listener: (material: TlsMaterial) => void): void {
    this.#listener = listener
  }

  change(material: TlsMaterial): void {
    this.material = material
    this.#listener(material)
  }
}

interface Seen {
  readonly client: string
  readonly method: string
  readonly url: string
  readonly body: string
}
type Answer = (response: ServerResponse) => unknown

/** A signer that answers as the test says. */
async function remoteSigner(answer: Answer): Promise<{ url: string; seen: Seen[]; server: Server }> {
  const seen: Seen[] = []
  const options = { cert: server.cert, key: server.key, ca: ca.cert, requestCert: true, rejectUnauthorized: true }
  const https = createServer(options, (request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const client = String((request.socket as TLSSocket).getPeerCertificate().subject.CN)
      const { method = '', url = '' } = request
      seen.push({ client, method, url, body: Buffer.concat(pieces).toString() })
      answer(response)
    })
  })
  https.listen(0, '127.0.0.1')
  await once(https, 'listening')
  after(() => {
    https.closeAllConnections()
    https.close()
  })
  return { url: `https://localhost:${(https.address() as AddressInfo).port}/v3/`, seen, server: https }
}

interface ClientOptions extends Partial<SignerConnectionOptions> {
  readonly keys?: SignerKeys
  readonly retries?: number
  readonly connectFailuresOnly?: boolean
  readonly now?: () => number
}

async function clientOf(t: TestContext, url: string, options: ClientOptions = {}) {
  const connection = new SignerConnection({
    tls: new FakeTls(),
    offer: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
    requestTimeoutMillis: 5000,
    connectTimeoutMillis: 5000,
    handshakeTimeoutMillis: 5000,
    connections: 4,
    connectionLifeMillis: 60_000,
    ...options,
  })
  const signer = new HttpCertificateSigner({
    baseUrl: url,
    connection,
    keys: options.keys ?? (await SignerKeys.read(undefined)),
    maxExpiryMins: 43_200,
    retries: options.retries ?? 2,
    retriesConnectFailuresOnly: () => options.connectFailuresOnly ?? true,
    now: options.now ?? Date.now,
  })
  t.after(() => signer.close())
  return signer
}

const reply = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const request = await signingRequest(requestFor('sports.api', ['DNS:api.sports.athenz.cloud']))
const issued = await authority.signer.sign(request)
const issue: Answer = (response) => reply(response, 201, { cert: issued })

describe('the HTTP signer', () => {
  it('sends what is to be signed, as the server that it is', async (t) => {
    const remote = await remoteSigner(issue)
    const signer = await clientOf(t, remote.url)
    assert.equal(await signer.sign({ ...request, usage: 'client', priority: 'Low' }), issued)
    const [seen] = remote.seen
    assert.deepEqual(
      [seen?.client, seen?.method, seen?.url],
      ['sys.auth.zts', 'POST', '/v3/sig/x509-cert/keys/x509-key'],
    )
    assert.deepEqual(JSON.parse(seen?.body ?? ''), {
      key_meta: { identifier: 'x509-key' },
      csr: request.request.pem,
      validity: 3600,
      ext_key_usage: [2],
      priority: 'Low',
    })
  })

  it('offers the versions of TLS and the cipher suites that it is told to', async (t) => {
    const used: string[] = []
    const remote = await remoteSigner((response) => {
      const socket = response.req.socket as TLSSocket
      used.push(`${socket.getProtocol()} ${socket.getCipher().name}`)
      issue(response)
    })
    const offers = [
      { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' },
    ] as const
    for (const offer of offers) await (await clientOf(t, remote.url, { offer })).sign(request)
    assert.deepEqual(used, ['TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.3 TLS_AES_128_GCM_SHA256'])
  })

  it('says the usage by its number, and nothing of both sides of TLS', async (t) => {
    const remote = await remoteSigner(issue)
    const signer = await clientOf(t, remote.url)
    for (const usage of ['client', 'server', 'codeSigning', 'timestamping', undefined] as const)
      await signer.sign({ ...request, usage })
    const sent = remote.seen.map(({ body }) => (JSON.parse(body) as { ext_key_usage?: number[] }).ext_key_usage)
    assert.deepEqual(sent, [[2], undefined, [3], [8], undefined])
  })

  it('asks for 30 days when nobody says how long, or too long', async (t) => {
    const remote = await remoteSigner(issue)
    const signer = await clientOf(t, remote.url)
    for (const expiryMins of [0, 1, 43_199, 43_200, 100_000]) await signer.sign({ ...request, expiryMins })
    const sent = remote.seen.map(({ body }) => (JSON.parse(body) as { validity: number }).validity)
    assert.deepEqual(sent, [2_592_000, 60, 2_591_940, 2_592_000, 2_592_000])
  })

  it('uses the key asked for, or that of the provider, or the default one', async (t) => {
    const file = join(folder, 'keys.json')
    writeFileSync(file, '{"defaultKeyId":"main","providerKeys":[{"keyId":"aws key","providers":["athenz.AWS"]}]}')
    const remote = await remoteSigner(issue)
    const signer = await clientOf(t, remote.url, { keys: await SignerKeys.read(file) })
    await signer.sign({ ...request, provider: 'athenz.aws' })
    await signer.sign({ ...request, provider: 'athenz.other' })
    await signer.sign({ ...request, provider: 'athenz.aws', signerKeyId: 'mine' })
    await signer.sign(request)
    const keys = remote.seen.map(({ url }) => url.slice(url.lastIndexOf('/') + 1))
    assert.deepEqual(keys, ['aws%20key', 'main', 'mine', 'main'])
  })

  it('refuses a file of keys that is none', async () => {
    const file = join(folder, 'bad.json')
    writeFileSync(file, '{"providerKeys":[{"keyId":"a"}]}')
    await assert.rejects(SignerKeys.read(file), {
      name: 'ConfigError',
      message: /certsign_provider_keys_fname: .*bad\.json cannot be used: .*providers/,
    })
    await assert.rejects(SignerKeys.read(join(folder, 'absent.json')), {
      message: /absent\.json cannot be used: no such file$/,
    })
  })

  const refusedAnswers: readonly [string, Answer, RegExp][] = [
    ['another status', (response) => reply(response, 200, { cert: issued }), /^the signer answers with status 200$/],
    ['an error', (response) => reply(response, 503, { message: 'busy' }), /^the signer answers with status 503$/],
    ['no JSON', (response) => response.writeHead(201).end('junk'), /^the answer of the signer is no JSON$/],
    [
      'no certificate',
      (response) => reply(response, 201, { cert: 5 }),
      /^the answer of the signer has no certificate$/,
    ],
    ['the certificate of a CA', (response) => reply(response, 201, { cert: authority.pem }), /not asked for$/],
    ['a certificate of another key', (response) => reply(response, 201, { cert: server.cert }), /not asked for$/],
    [
      'more than a certificate can be',
      (response) => response.writeHead(201).end('x'.repeat(2_000_000)),
      /the body is longer than/,
    ],
  ]
  for (const [what, answer, reason] of refusedAnswers) {
    it(`does not take ${what} for a certificate`, async (t) => {
      const signer = await clientOf(t, (await remoteSigner(answer)).url, { retries: 0 })
      await assert.rejects(signer.sign(request), { message: reason })
    })
  }

  it('follows no redirection', async (t) => {
    const elsewhere = await remoteSigner(issue)
    const remote = await remoteSigner((response) => response.writeHead(307, { location: elsewhere.url }).end())
    const signer = await clientOf(t, remote.url)
    await assert.rejects(signer.sign(request), { message: 'the signer answers with status 307' })
    assert.equal(elsewhere.seen.length, 0)
  })

  describe('when the signer fails', () => {
    const brokenOff: Answer = (response) => response.destroy()

    it('does not repeat what the signer may have seen', async (t) => {
      const remote = await remoteSigner(brokenOff)
      const signer = await clientOf(t, remote.url)
      await assert.rejects(signer.sign(request), /^Error: no answer from localhost/)
      assert.equal(remote.seen.length, 1)
    })

    it('repeats that, too, when the setting says so', async (t) => {
      let failures = 2
      const remote = await remoteSigner((response) => (failures-- > 0 ? brokenOff(response) : issue(response)))
      const signer = await clientOf(t, remote.url, { connectFailuresOnly: false })
      assert.equal(await signer.sign(request), issued)
      assert.equal(remote.seen.length, 3)
    })

    it('gives up after the retries', async (t) => {
      const remote = await remoteSigner(brokenOff)
      const signer = await clientOf(t, remote.url, { connectFailuresOnly: false, retries: 1 })
      await assert.rejects(signer.sign(request))
      assert.equal(remote.seen.length, 2)
    })

    it('tries a connection again that did not come about', async (t) => {
      let attempts = 0
      const tcp = createTcpServer((socket) => {
        attempts++
        socket.destroy()
      })
      tcp.listen(0, '127.0.0.1')
      await once(tcp, 'listening')
      t.after(() => tcp.close())
      const signer = await clientOf(t, `https://localhost:${(tcp.address() as AddressInfo).port}`)
      await assert.rejects(signer.sign(request), /no connection to localhost/)
      assert.equal(attempts, 3)
    })

    it('does not wait for ever for an answer, a handshake or a trickle', async (t) => {
      const silent = await remoteSigner(() => {})
      const waiting = await clientOf(t, silent.url, { requestTimeoutMillis: 100 })
      await assert.rejects(
        waiting.sign(request),
        /no answer from localhost:\d+: The operation was aborted due to timeout/,
      )

      const trickle = await remoteSigner((response) => {
        const timer = setInterval(() => response.write(' '), 20)
        response.once('close', () => clearInterval(timer))
      })
      const patient = await clientOf(t, trickle.url, { requestTimeoutMillis: 150 })
      await assert.rejects(patient.sign(request), /aborted due to timeout/)

      const tcp = createTcpServer((socket) => t.after(() => socket.destroy()))
      tcp.listen(0, '127.0.0.1')
      await once(tcp, 'listening')
      t.after(() => tcp.close())
      const url = `https://localhost:${(tcp.address() as AddressInfo).port}`
      const shaking = await clientOf(t, url, { handshakeTimeoutMillis: 50, retries: 0 })
      await assert.rejects(shaking.sign(request), /no connection to localhost:\d+: the TLS handshake takes too long/)
    })

    it('trusts nobody but the authorities that it has', async (t) => {
      const other = await TestCa.create()
      const stranger = new FakeTls()
      stranger.material = { ...materialOf(own), ca: [other.cert] }
      const remote = await remoteSigner(issue)
      const signer = await clientOf(t, remote.url, { tls: stranger })
      await assert.rejects(
        signer.sign(request),
        /no connection to .*: unable to verify the first certificate|self-signed|unable to get/,
      )
      assert.equal(remote.seen.length, 0)
    })
  })

  it('shows its new certificate as soon as it has one', async (t) => {
    const remote = await remoteSigner(issue)
    const tls = new FakeTls()
    const signer = await clientOf(t, remote.url, { tls })
    await signer.sign(request)
    tls.change(materialOf(next))
    await signer.sign(request)
    assert.deepEqual(
      remote.seen.map(({ client }) => client),
      ['sys.auth.zts', 'sys.auth.zts.next'],
    )
  })

  describe('the certificate of the authority', () => {
    it('is asked for once per key, and again when it is old', async (t) => {
      let now = 0
      const remote = await remoteSigner((response) => reply(response, 200, { cert: authority.pem }))
      const signer = await clientOf(t, remote.url, { now: () => now })
      const ask = () => signer.caCertificate(undefined, undefined)
      assert.deepEqual(await Promise.all([ask(), ask(), ask()]), [authority.pem, authority.pem, authority.pem])
      await signer.caCertificate(undefined, 'other')
      assert.deepEqual(
        remote.seen.map(({ method, url }) => `${method} ${url}`),
        ['GET /v3/sig/x509-cert/keys/x509-key', 'GET /v3/sig/x509-cert/keys/other'],
      )
      now = 600_000
      await ask()
      assert.equal(remote.seen.length, 3)
      // The clock was set back.
      now = 0
      await ask()
      assert.equal(remote.seen.length, 4)
    })

    it('stays known while the signer fails, and a failure is not kept', async (t) => {
      let now = 0
      let works = false
      const remote = await remoteSigner((response) => reply(response, works ? 200 : 500, { cert: authority.pem }))
      const signer = await clientOf(t, remote.url, { now: () => now })
      await assert.rejects(signer.caCertificate(undefined, undefined), /status 500/)
      works = true
      assert.equal(await signer.caCertificate(undefined, undefined), authority.pem)
      works = false
      now = 600_000
      assert.equal(await signer.caCertificate(undefined, undefined), authority.pem)
      assert.equal(remote.seen.length, 3)
    })
  })
})
