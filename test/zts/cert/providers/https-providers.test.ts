import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { after, suite, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { TlsMaterial } from '#core/http/tls-material.ts'
import type { TlsSource } from '#core/http/tls-source.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '#zts/cert/instance-provider.ts'
import { HttpsProviders, type HttpsProvidersOptions } from '#zts/cert/providers/https-providers.ts'
import { TestCa } from '../../../core/authority/support.ts'

const PROVIDER = 'sys.openstack.provider'
const ca = await TestCa.create()
const own = await ca.issue({ subject: [{ type: 'CN', value: 'sys.auth.zts' }] })
const client = await ca.issue({ subject: [{ type: 'CN', value: 'sys.auth.zts-client' }] })
const served = await ca.issue({ subject: [{ type: 'CN', value: PROVIDER }] })
const impostor = await ca.issue({ subject: [{ type: 'CN', value: 'sys.openstack.other' }] })
const strangers = await TestCa.create()
const strange = await strangers.issue({ subject: [{ type: 'CN', value: PROVIDER }] })

const sourceOf = ({ cert, key }: { cert: string; key: string }) =>
  ({ material: { cert, key, ca: [ca.cert] } as TlsMaterial }) as TlsSource

const QUESTION: InstanceConfirmation = {
  provider: PROVIDER,
  domain: 'sports',
  service: 'api',
  attestationData: 'proof',
  attributes: { instanceId: 'i-1', sanDNS: 'api.sports.example.com' },
}

interface Seen {
  readonly url: string
  readonly client: string
  readonly body: unknown
}

/** A provider that answers as the test says. */
async function startProvider(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  identity: { cert: string; key: string } = served,
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer(
    { ...identity, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => {
        const { subject } = (request.socket as TLSSocket).getPeerCertificate()
        const body: unknown = JSON.parse(Buffer.concat(pieces).toString())
        seen.push({ url: request.url ?? '', client: String(subject.CN), body })
        answer(response, request)
      })
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`, seen }
}

function open(url: string, options: Partial<HttpsProvidersOptions> = {}): InstanceProvider | string {
  const providers = new HttpsProviders({
    tls: sourceOf(own),
    clientTls: sourceOf(client),
    offer: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
    hostSuffixes: [],
    connectTimeoutMillis: 5000,
    readTimeoutMillis: 5000,
    ...options,
  })
  const provider = providers.open(PROVIDER, new URL(url))
  if (typeof provider !== 'string') after(() => provider.close?.())
  return provider
}

const opened = (url: string, options?: Partial<HttpsProvidersOptions>): InstanceProvider => {
  const provider = open(url, options)
  if (typeof provider === 'string') assert.fail(provider)
  return provider
}

const json = (response: ServerResponse, status: number, value: unknown) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

const refusal = (status: number, reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ProviderRefusal, String(error))
  assert.match(error.message, reason)
  assert.equal(error.status, status)
  return true
}

suite('a provider behind HTTPS', () => {
  test('is asked with the certificate of this server, at its two paths', async () => {
    const { url, seen } = await startProvider((response) =>
      json(response, 200, { ...QUESTION, attributes: { certSSH: 'true' }, more: 1 }),
    )
    const provider = opened(url)
    const answer = await provider.confirmInstance(QUESTION)
    assert.deepEqual(answer, { ...QUESTION, attributes: { certSSH: 'true' } })
    await provider.refreshInstance(QUESTION)
    assert.deepEqual(seen, [
      { url: '/v1/instance', client: 'sys.auth.zts', body: QUESTION },
      { url: '/v1/refresh', client: 'sys.auth.zts', body: QUESTION },
    ])
  })

  test('is offered the versions of TLS that are not excluded', async () => {
    const used: (string | null)[] = []
    const { url } = await startProvider((response, request) => {
      used.push((request.socket as TLSSocket).getProtocol())
      json(response, 200, QUESTION)
    })
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      await opened(url, { offer: { minVersion: version, maxVersion: version } }).confirmInstance(QUESTION)
    }
    assert.deepEqual(used, ['TLSv1.2', 'TLSv1.3'])
  })

  test('is asked with the client certificate when its endpoint says so', async () => {
    const { url, seen } = await startProvider((response) => json(response, 200, QUESTION))
    await opened(url.replace('https://', 'https://athenz.client@')).confirmInstance(QUESTION)
    assert.equal(seen[0]?.client, 'sys.auth.zts-client')
  })

  test('is not told anything when its certificate is that of another service, each time anew', async () => {
    const { url, seen } = await startProvider((response) => json(response, 200, QUESTION), impostor)
    const provider = opened(url)
    for (let attempt = 0; attempt < 3; attempt++) {
      await assert.rejects(provider.confirmInstance(QUESTION), refusal(504, /does not answer/))
    }
    assert.deepEqual(seen, [])
  })

  test('is not told anything when nobody we trust has issued its certificate', async () => {
    const { url, seen } = await startProvider((response) => json(response, 200, QUESTION), strange)
    await assert.rejects(opened(url).confirmInstance(QUESTION), refusal(504, /does not answer/))
    assert.deepEqual(seen, [])
  })

  test('that refuses is quoted, in short', async () => {
    const { url } = await startProvider((response) =>
      json(response, 403, { code: 403, message: `no ${'x'.repeat(5000)}` }),
    )
    await assert.rejects(opened(url).confirmInstance(QUESTION), (error: Error) => {
      assert.equal(error.message.length, 1000)
      return refusal(403, /^no x/)(error)
    })
  })

  test('that says nothing of use is a refusal with its status', async () => {
    for (const body of ['', 'junk', '[]', '{"message":7}', '{"message":""}']) {
      const { url } = await startProvider((response) => void response.writeHead(500).end(body))
      await assert.rejects(opened(url).confirmInstance(QUESTION), refusal(403, /answered with status 500/))
    }
  })

  test('that has its own time-out passes it on', async () => {
    const { url } = await startProvider((response) => json(response, 504, { code: 504, message: 'late' }))
    await assert.rejects(opened(url).confirmInstance(QUESTION), refusal(504, /late/))
  })

  test('that sends somewhere else is not followed', async () => {
    const { url, seen } = await startProvider(
      (response) => void response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
    )
    await assert.rejects(opened(url).confirmInstance(QUESTION), refusal(403, /answered with status 307/))
    assert.equal(seen.length, 1)
  })

  test('whose answer is no confirmation is refused', async () => {
    const cases = [
      ['', /no JSON/],
      ['{"provider":', /no JSON/],
      ['null', /no confirmation/],
      ['[]', /no confirmation/],
      ['{"attributes":{"certSSH":true}}', /attributes that are no texts/],
      ['{"attributes":"certSSH"}', /attributes that are no texts/],
      ['{"domain":["sports"]}', /a domain that is no text/],
    ] as const
    for (const [body, reason] of cases) {
      const { url } = await startProvider((response) => void response.end(body))
      await assert.rejects(opened(url).confirmInstance(QUESTION), refusal(403, reason), body)
    }
  })

  test('cannot reach anything through the names of its attributes', async () => {
    const { url } = await startProvider(
      (response) => void response.end('{"attributes":{"__proto__":"x","constructor":"y"}}'),
    )
    const { attributes } = await opened(url).confirmInstance(QUESTION)
    assert.deepEqual(Object.keys(attributes), ['__proto__', 'constructor'])
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    assert.equal(Object.getPrototypeOf({}), Object.prototype)
  })

  test('whose answer has no end is cut off', async () => {
    const { url } = await startProvider((response) => {
      response.writeHead(200)
      const piece = Buffer.alloc(65_536, 0x20)
      const more = () => {
        while (!response.destroyed && response.write(piece));
      }
      response.on('drain', more)
      more()
    })
    await assert.rejects(opened(url).confirmInstance(QUESTION), refusal(403, /too long/))
  })

  test('that never answers is given up after the time-out', async () => {
    const { url } = await startProvider(() => {})
    const provider = opened(url, { readTimeoutMillis: 200, connectTimeoutMillis: 200 })
    await assert.rejects(provider.confirmInstance(QUESTION), refusal(504, /does not answer/))
  })

  test('whose answer trickles in is given up, too', async () => {
    const timers: NodeJS.Timeout[] = []
    after(() => timers.forEach(clearInterval))
    const { url } = await startProvider((response) => {
      response.writeHead(200)
      timers.push(setInterval(() => response.write(' '), 20))
    })
    const provider = opened(url, { readTimeoutMillis: 200, connectTimeoutMillis: 200 })
    await assert.rejects(provider.confirmInstance(QUESTION), refusal(504, /does not answer/))
  })

  test('that accepts connections and is silent, or that is not there, is given up', async () => {
    const silent = createTcpServer(() => {})
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const options = { readTimeoutMillis: 200, connectTimeoutMillis: 200 }
    const provider = opened(`https://127.0.0.1:${port}/`, options)
    await assert.rejects(provider.confirmInstance(QUESTION), refusal(504, /does not answer/))
    silent.close()
    await assert.rejects(opened(`https://127.0.0.1:${port}/`, options).confirmInstance(QUESTION), refusal(504, /./))
  })

  test('is asked with new keys when the files have changed', async () => {
    const { url, seen } = await startProvider((response) => json(response, 200, QUESTION))
    const tls = sourceOf(own) as { material: TlsMaterial }
    const provider = opened(url, { tls: tls as TlsSource })
    await provider.confirmInstance(QUESTION)
    tls.material = { ...tls.material, cert: client.cert, key: client.key }
    await provider.confirmInstance(QUESTION)
    assert.deepEqual(
      seen.map((request) => request.client),
      ['sys.auth.zts', 'sys.auth.zts-client'],
    )
  })
})

suite('endpoints that are not asked', () => {
  const cases: readonly (readonly [string, Partial<HttpsProvidersOptions>, RegExp])[] = [
    ['https://provider.example.com/', { hostSuffixes: ['athenz.io'] }, /not among athenz.zts.provider_endpoints/],
    ['https://evilathenz.io/', { hostSuffixes: ['athenz.io'] }, /not among/],
    ['https://169.254.169.254/', { hostSuffixes: ['.athenz.io'] }, /not among/],
    ['https://joe@provider.athenz.io/', {}, /names a user/],
    ['https://athenz.client:secret@provider.athenz.io/', {}, /names a user/],
    ['https://provider.athenz.io/', { tls: undefined }, /no certificate for calls to providers/],
    ['https://athenz.client@provider.athenz.io/', { clientTls: undefined }, /no certificate for calls/],
    [
      'https://provider.athenz.io/',
      { tls: { material: { cert: own.cert, key: own.key } } as TlsSource },
      /no authorities that vouch/,
    ],
  ]
  for (const [url, options, reason] of cases) {
    test(`${url} ${Object.keys(options).join(' ')} ${reason.source}`, () => {
      const outcome = open(url, options)
      assert.ok(typeof outcome === 'string')
      assert.match(outcome, reason)
    })
  }

  test('hosts that end as they may are', () => {
    for (const url of ['https://athenz.io/', 'https://Provider.ATHENZ.io:8443/']) {
      assert.ok(typeof open(url, { hostSuffixes: ['athenz.io'] }) !== 'string', url)
    }
  })
})
