import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFreshWithin, type KeptToken } from '#client/token-freshness.ts'
import { type PrefetchEvent, TokenKeeper, type TokenKeeperOptions, type TokenKind } from '#client/token-keeper.ts'

interface Request {
  readonly domain: string
  readonly minExpirySeconds?: number
}

interface Token {
  readonly text: string
}

const MINUTE = 60_000
const LIFE = 120 * MINUTE

function setUp(options: Partial<TokenKeeperOptions & { local: KeptToken<Token> }> = {}) {
  const state = {
    now: 1_800_000_000_000,
    away: undefined as Error | undefined,
    principal: 'sports.api' as string | undefined,
  }
  const requests: Request[] = []
  const events: PrefetchEvent[] = []
  let prefetchable = 0
  const kind: TokenKind<Request, Token> = {
    name: 'role token',
    key: ({ domain }, principal) => `p=${principal};d=${domain}`,
    async fetch(request, signal) {
      const number = requests.push(request)
      await Promise.resolve()
      signal.throwIfAborted()
      if (state.away) throw state.away
      return { text: `${request.domain}-${number}` }
    },
    expiresAtMillis: (_, askedAt) => askedAt + LIFE,
    isFresh: (kept, request, now) => isFreshWithin(kept, request, now, 900),
    ...(options.local && { local: async () => options.local }),
  }
  const keeper = new TokenKeeper(kind, {
    clock: () => state.now,
    principal: () => state.principal,
    maxEntries: 100,
    flightTimeoutMillis: 10_000,
    prefetch: false,
    onPrefetchable: () => void prefetchable++,
    onPrefetch: (event) => void events.push(event),
    ...options,
  })
  const get = async (domain: string, call = {}, more = {}) => (await keeper.get({ domain, ...more }, call)).text
  return { state, keeper, get, requests, events, kind, prefetchable: () => prefetchable }
}

describe('a token', () => {
  test('is given out again until a quarter of an hour before its end', async () => {
    const { get, state } = setUp()
    assert.equal(await get('a'), 'a-1')
    state.now += LIFE - 15 * MINUTE
    assert.equal(await get('a'), 'a-1')
    state.now += 1
    assert.equal(await get('a'), 'a-2')
  })

  test('is asked for once however many callers wait', async () => {
    const { get, requests } = setUp()
    const all = await Promise.all(Array.from({ length: 500 }, () => get('a')))
    assert.deepEqual([new Set(all), requests.length], [new Set(['a-1']), 1])
  })

  test('is asked for by each caller that wants it from the server, and kept for the others', async () => {
    const { get } = setUp()
    assert.equal(await get('a'), 'a-1')
    assert.deepEqual(await Promise.all([get('a', { ignoreCache: true }), get('a', { ignoreCache: true })]), [
      'a-2',
      'a-3',
    ])
    assert.equal(await get('a'), 'a-3')
  })

  test('with other bounds is asked for by itself', async () => {
    const { get, requests } = setUp()
    await Promise.all([get('a'), get('a', {}, { minExpirySeconds: 60 }), get('a')])
    assert.equal(requests.length, 2)
  })

  test('of a caller without a name is not kept', async () => {
    const { get, state } = setUp()
    state.principal = undefined
    assert.deepEqual([await get('a'), await get('a')], ['a-1', 'a-2'])
  })

  test('of another caller is another one', async () => {
    const { get, state } = setUp()
    await get('a')
    state.principal = 'sports.other'
    assert.equal(await get('a'), 'a-2')
  })

  test('is not kept where nothing is to be kept', async () => {
    const { get } = setUp({ maxEntries: 0 })
    assert.deepEqual([await get('a'), await get('a')], ['a-1', 'a-2'])
  })

  test('that was used longest ago makes place', async () => {
    const { get } = setUp({ maxEntries: 2 })
    for (const domain of ['a', 'b', 'a', 'c']) await get(domain)
    assert.deepEqual([await get('a'), await get('b')], ['a-1', 'b-4'])
  })

  test('of this machine comes before one of the server', async () => {
    const now = 1_800_000_000_000
    const local = { token: { text: 'disk' }, askedAtMillis: now - MINUTE, expiresAtMillis: now + 20 * MINUTE }
    const { get, state, requests } = setUp({ local })
    assert.equal(await get('a'), 'disk')
    assert.equal(requests.length, 0)
    assert.equal(await get('a', { ignoreCache: true }), 'a-1')
    state.now += LIFE
    assert.equal(await get('a'), 'a-2')
  })
})

describe('while the server is away', () => {
  test('a token is given out until it expires, and the server is asked again after ten seconds', async () => {
    const { get, state, requests } = setUp()
    await get('a')
    state.away = new Error('away')
    state.now += LIFE - 10 * MINUTE
    assert.deepEqual([await get('a'), await get('a')], ['a-1', 'a-1'])
    assert.equal(requests.length, 2)
    state.now += 10_000
    assert.equal(await get('a'), 'a-1')
    assert.equal(requests.length, 3)
    state.now += 10 * MINUTE
    await assert.rejects(get('a'), state.away)
    delete state.away
    assert.equal(await get('a'), 'a-5')
  })

  test('a caller that wants a token of the server gets the error', async () => {
    const { get, state } = setUp()
    await get('a')
    state.away = new Error('away')
    await assert.rejects(get('a', { ignoreCache: true }), state.away)
    assert.equal(await get('a'), 'a-1')
  })

  test('a caller gives up for itself only', async () => {
    const { keeper, kind } = setUp()
    const { promise, resolve } = Promise.withResolvers<Token>()
    kind.fetch = () => promise
    const controller = new AbortController()
    const [gone, stays] = [keeper.get({ domain: 'a' }, { signal: controller.signal }), keeper.get({ domain: 'a' })]
    controller.abort(new Error('enough'))
    await assert.rejects(gone, /enough/)
    resolve({ text: 'late' })
    assert.equal((await stays).text, 'late')
  })

  test('nobody waits longer than the time for one request', async () => {
    const { keeper, kind } = setUp({ flightTimeoutMillis: 20 })
    kind.fetch = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    await assert.rejects(keeper.get({ domain: 'a' }), {
      name: 'AthenzClientError',
      kind: 'timeout',
      message: 'no role token in time',
    })
  })
})

describe('a token that is renewed in advance', () => {
  test('is fetched when half of its life has passed, and replaces the kept one', async () => {
    const { get, state, keeper, requests, events, prefetchable } = setUp({ prefetch: true })
    await get('a')
    assert.equal(prefetchable(), 1)
    state.now += LIFE / 2 - 1
    await keeper.renewDue()
    assert.equal(requests.length, 1)
    state.now += 1
    await keeper.renewDue()
    assert.equal(await get('a'), 'a-2')
    assert.deepEqual(events, [{ kind: 'role token', key: 'p=sports.api;d=a' }])
    await keeper.renewDue()
    assert.equal(requests.length, 2)
  })

  test('is tried again after half of the rest when it failed, until it expires', async () => {
    const { get, state, keeper, requests, events } = setUp({ prefetch: true })
    await get('a')
    state.away = new Error('away')
    state.now += LIFE / 2
    await keeper.renewDue()
    assert.deepEqual(events, [{ kind: 'role token', key: 'p=sports.api;d=a', error: state.away }])
    state.now += LIFE / 4 - 1
    await keeper.renewDue()
    assert.equal(requests.length, 2)
    state.now += 1
    await keeper.renewDue()
    assert.equal(requests.length, 3)
    state.now += LIFE / 4
    await keeper.renewDue()
    assert.equal(requests.length, 3)
    await assert.rejects(get('a'), state.away)
  })

  test('is left alone when nobody has asked for it for a day', async () => {
    const { get, state, keeper, requests } = setUp({ prefetch: true })
    await get('a')
    for (let hours = 0; hours < 48; hours++) {
      state.now += 60 * MINUTE
      await keeper.renewDue()
    }
    assert.equal(requests.length, 24)
  })

  test('is so for the call that says it only', async () => {
    const { get, state, keeper, requests } = setUp()
    await get('a', { prefetch: true })
    await get('b')
    state.now += LIFE / 2
    await keeper.renewDue()
    assert.deepEqual(requests.slice(2), [{ domain: 'a' }])
  })

  test('is fetched at once when the caller has another certificate', async () => {
    const { get, keeper, requests } = setUp({ prefetch: true })
    await get('a')
    keeper.makeAllDue()
    await keeper.renewDue()
    assert.equal(requests.length, 2)
    assert.equal(await get('a'), 'a-2')
  })
})
