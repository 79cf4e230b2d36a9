import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AuthenticationOutcome } from '#core/authority/chain.ts'
import { Networks } from '#core/authority/networks.ts'
import { type ServiceError, unauthorized } from '#core/error/service-error.ts'
import type { Exchange } from '#core/http/exchange.ts'
import { type RateLimit, RateLimits, type RateLimitsOptions } from '#core/http/rate-limits.ts'
import { silentLogger } from '#core/log/logger.ts'

interface Client {
  readonly address: string
  readonly forwardedFor?: string
  readonly certificate?: string
}

/** A socket on which several requests may come. */
const socketOf = ({ address, certificate }: Client) => ({
  remoteAddress: address,
  localPort: 4443,
  encrypted: certificate !== undefined,
  getPeerX509Certificate: () => ({ serialNumber: Number(certificate).toString(16) }),
  getProtocol: () => 'TLSv1.3',
  getCipher: () => undefined,
})

function limits(options: Partial<RateLimitsOptions> = {}) {
  const clock = { millis: 0 }
  const refused: RateLimit[] = []
  const made = new RateLimits({
    connectionsPerSecond: 0,
    addressRequestsPerSecond: 0,
    failuresPerMinute: 0,
    principalRequestsPerSecond: 0,
    burstSeconds: 1,
    exempt: Networks.read(['127.0.0.0/8', '::1'], 'exempt'),
    maxKeys: 1000,
    log: silentLogger(),
    onRefused: (limit) => refused.push(limit),
    now: () => clock.millis,
    ...options,
  })
  const exchangeOf = (client: Client, socket: object = socketOf(client)) => {
    const { forwardedFor, certificate, address } = client
    const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
    const rawHeaders = Object.entries(headers).flat()
    return {
      request: { socket, headers, rawHeaders },
      connection: { peerAddress: address, certificateSerial: certificate },
    } as unknown as Exchange
  }
  /** What a request is answered with before anybody looks at its credentials; undefined when it goes on. */
  const ask = (client: Client): ServiceError | undefined => {
    let answer: ServiceError | undefined
    const writer = { sendError: (_exchange: unknown, error: ServiceError) => (answer = error) }
    const isAnswered = made.filter(exchangeOf(client), writer as never)
    assert.equal(isAnswered, answer !== undefined)
    return answer
  }
  /** How many of so many requests go on. */
  const passing = (client: Client, requests: number) =>
    Array.from({ length: requests }, () => ask(client)).filter((answer) => answer === undefined).length
  /** Authenticates with this outcome. */
  const authenticate = async (client: Client, outcome: AuthenticationOutcome, later = false) => {
    const inner = { authenticate: () => (later ? Promise.resolve(outcome) : outcome) }
    return made.authenticator(inner).authenticate(exchangeOf(client).request, false)
  }
  return { made, clock, refused, ask, passing, authenticate }
}

const known = (fullName: string): AuthenticationOutcome => ({ principal: { fullName } as never, reasons: '' })
const unknown: AuthenticationOutcome = { failure: unauthorized('Invalid credentials'), reasons: ':error: bad' }

suite('the limit of connections', () => {
  test('is one for each address', () => {
    const { made, refused } = limits({ connectionsPerSecond: 2 })
    const taken = (address: string | undefined) =>
      Array.from({ length: 5 }, () => made.admitsConnection(address)).filter(Boolean).length
    assert.deepEqual([taken('192.0.2.1'), taken('192.0.2.2')], [2, 2])
    assert.equal(taken('::ffff:192.0.2.1'), 0)
    assert.equal(taken('::ffff:127.0.0.1'), 5)
    assert.equal(taken(undefined), 5)
    assert.deepEqual(new Set(refused), new Set(['connections']))
  })

  test('takes a network of 64 bits for one client in IPv6', () => {
    const { made } = limits({ connectionsPerSecond: 1 })
    assert.equal(made.admitsConnection('2001:db8::1'), true)
    assert.equal(made.admitsConnection('2001:db8:0:0:ffff::2'), false)
    assert.equal(made.admitsConnection('2001:0DB8::3%eth0'), false)
    assert.equal(made.admitsConnection('2001:db8:0:1::1'), true)
    assert.equal(made.admitsConnection('::1'), true)
    assert.equal(made.admitsConnection('::2'), true)
    assert.equal(made.admitsConnection('::3'), false)
  })
})

suite('the limit of requests of an address', () => {
  test('answers 429 and when to come again', () => {
    const { ask, passing, clock, refused } = limits({ addressRequestsPerSecond: 10 })
    const client = { address: '192.0.2.1' }
    assert.equal(passing(client, 30), 10)
    const { status, message, headers } = ask(client) ?? {}
    assert.deepEqual([status, message, headers], [429, 'Too many requests, try again later', { 'retry-after': '1' }])
    clock.millis += 500
    assert.equal(passing(client, 30), 5)
    assert.ok(refused.every((limit) => limit === 'address'))
  })

  test('is not for clients with a certificate, nor for this machine', () => {
    const { passing } = limits({ addressRequestsPerSecond: 1 })
    assert.equal(passing({ address: '192.0.2.1', certificate: '77' }, 50), 50)
    assert.equal(passing({ address: '127.0.0.1' }, 50), 50)
  })

  test('is that of the client behind a proxy on this machine, whom nobody else can name', () => {
    const { passing } = limits({ addressRequestsPerSecond: 3 })
    assert.equal(passing({ address: '127.0.0.1', forwardedFor: '192.0.2.7' }, 50), 3)
    assert.equal(passing({ address: '127.0.0.1', forwardedFor: '192.0.2.8' }, 50), 3)
    // What a client puts there itself counts nothing.
    assert.equal(passing({ address: '192.0.2.9', forwardedFor: '127.0.0.1' }, 50), 3)
  })
})

suite('the limit of refused credentials', () => {
  const client = { address: '192.0.2.1' }

  test('keeps an address out until its time has passed, before its credentials are looked at', async () => {
    const { ask, authenticate, clock, refused } = limits({ failuresPerMinute: 3 })
    for (let attempt = 0; attempt < 3; attempt++) {
      assert.equal(ask(client), undefined)
      await authenticate(client, unknown)
    }
    const answer = ask(client)
    assert.deepEqual([answer?.status, answer?.headers], [429, { 'retry-after': '20' }])
    assert.equal(ask({ address: '192.0.2.2' }), undefined)
    assert.deepEqual(refused, ['failures'])
    clock.millis += 20_000
    assert.equal(ask(client), undefined)
  })

  test('does not hold a client with a certificate responsible for its neighbours, but for itself', async () => {
    const { ask, authenticate } = limits({ failuresPerMinute: 2 })
    const certified = { ...client, certificate: '77' }
    for (let attempt = 0; attempt < 5; attempt++) await authenticate(client, unknown, true)
    assert.equal(ask(client)?.status, 429)
    assert.equal(ask(certified), undefined)
    for (let attempt = 0; attempt < 2; attempt++) await authenticate(certified, unknown)
    assert.equal(ask(certified)?.status, 429)
    assert.equal(ask({ ...client, certificate: '78' }), undefined)
  })

  test('counts nothing else', async () => {
    const { ask, authenticate } = limits({ failuresPerMinute: 1 })
    for (let attempt = 0; attempt < 9; attempt++) {
      await authenticate(client, known('user.joe'))
      await authenticate(client, { reasons: '' })
    }
    assert.equal(ask(client), undefined)
    for (let attempt = 0; attempt < 9; attempt++) await authenticate({ address: '127.0.0.1' }, unknown)
    assert.equal(ask({ address: '127.0.0.1' }), undefined)
  })
})

suite('the limit of requests of a principal', () => {
  test('is one for each principal, wherever it comes from', async () => {
    const { authenticate, refused } = limits({ principalRequestsPerSecond: 2 })
    const served = async (name: string, address: string) => {
      const outcomes = Array.from({ length: 5 }, (_, at) => authenticate({ address }, known(name), at % 2 === 0))
      return (await Promise.all(outcomes)).filter(({ principal }) => principal !== undefined).length
    }
    assert.equal(await served('sports.api', '192.0.2.1'), 2)
    assert.equal(await served('sports.api', '192.0.2.2'), 0)
    assert.equal(await served('weather.api', '192.0.2.2'), 2)
    assert.equal(await served('sports.api', '127.0.0.1'), 5)
    const { failure, principal } = await authenticate({ address: '192.0.2.1' }, known('sports.api'))
    assert.deepEqual([failure?.status, principal, failure?.headers], [429, undefined, { 'retry-after': '1' }])
    assert.ok(refused.every((limit) => limit === 'principal'))
  })
})

test('nothing is limited when no limit is set', async () => {
  const { passing, made, authenticate } = limits()
  const client = { address: '192.0.2.1' }
  assert.equal(passing(client, 1000), 1000)
  assert.equal(made.admitsConnection(client.address), true)
  await authenticate(client, unknown)
  assert.deepEqual(await authenticate(client, known('sports.api')), known('sports.api'))
})
