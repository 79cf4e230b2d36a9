import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { JsonClient } from '#core/http/json-client.ts'
import { RemoteKeys, type RemoteKeysOptions } from '#core/http/remote-keys.ts'
import { jsonAnswer, startFakeService } from '../../support/fake-service.ts'

const MINUTE = 60_000
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const jwk = (key: KeyObject, members: object = {}): object => ({ ...key.export({ format: 'jwk' }), ...members })
const same = (found: KeyObject | undefined, key: KeyObject): boolean => found?.equals(key) === true

async function keysOf(answer: Parameters<typeof startFakeService>[0], options: Partial<RemoteKeysOptions> = {}) {
  const service = await startFakeService(answer)
  const client = new JsonClient({ connectTimeoutMillis: 1000, readTimeoutMillis: 1000 })
  after(() => client.close())
  const clock = { now: 1_000_000 * MINUTE }
  const log: string[] = []
  const keys = new RemoteKeys({
    client,
    url: new URL(`${service.url}/keys`),
    now: () => clock.now,
    log: (_, message) => log.push(message),
    ...options,
  })
  return { service, keys, clock, log }
}

describe('keys of somebody else', () => {
  const set = (...keys: object[]) => jsonAnswer({ keys })

  test('are read when they are first needed, once for all who wait', async () => {
    const { keys, service } = await keysOf(set(jwk(rsa.publicKey, { kid: 'r' }), jwk(ec.publicKey, { kid: 'e' })))
    assert.equal(service.seen.length, 0)
    const [one, two] = await Promise.all([
      keys.keyOf({ alg: 'RS256', kid: 'r' }),
      keys.keyOf({ alg: 'ES256', kid: 'e' }),
    ])
    assert.ok(same(one, rsa.publicKey) && same(two, ec.publicKey))
    assert.ok(same(await keys.keyOf({ alg: 'RS512', kid: 'r' }), rsa.publicKey))
    assert.equal(service.seen.length, 1)
  })

  test('are read again for an id that is not among them, but not at once', async () => {
    const { keys, service, clock } = await keysOf(set(jwk(ec.publicKey, { kid: 'e' })))
    assert.ok(await keys.keyOf({ alg: 'ES256', kid: 'e' }))
    service.answer = set(jwk(other.publicKey, { kid: 'new' }))
    assert.equal(await keys.keyOf({ alg: 'ES256', kid: 'new' }), undefined)
    assert.equal(service.seen.length, 1)
    clock.now += MINUTE
    assert.ok(same(await keys.keyOf({ alg: 'ES256', kid: 'new' }), other.publicKey))
    assert.equal(await keys.keyOf({ alg: 'ES256', kid: 'e' }), undefined)
    for (let count = 0; count < 100; count++) await keys.keyOf({ alg: 'ES256', kid: `random-${count}` })
    assert.equal(service.seen.length, 2)
  })

  test('that were withdrawn are refused when they are old', async () => {
    const { keys, service, clock } = await keysOf(set(jwk(ec.publicKey, { kid: 'e' })))
    assert.ok(await keys.keyOf({ alg: 'ES256', kid: 'e' }))
    service.answer = set()
    clock.now += 10 * MINUTE - 1
    assert.ok(await keys.keyOf({ alg: 'ES256', kid: 'e' }))
    clock.now += 1
    assert.equal(await keys.keyOf({ alg: 'ES256', kid: 'e' }), undefined)
  })

  test('stay for some time while their owner does not answer, and the log says so', async () => {
    const { keys, service, clock, log } = await keysOf(set(jwk(ec.publicKey, { kid: 'e' })))
    assert.ok(await keys.keyOf({ alg: 'ES256', kid: 'e' }))
    service.answer = jsonAnswer({}, 500)
    clock.now += 69 * MINUTE
    assert.ok(await keys.keyOf({ alg: 'ES256', kid: 'e' }))
    assert.match(log[0] ?? '', /answered with status 500/)
    clock.now += MINUTE
    assert.equal(await keys.keyOf({ alg: 'ES256', kid: 'e' }), undefined)
    service.answer = set(jwk(ec.publicKey, { kid: 'e' }))
    clock.now += MINUTE
    assert.ok(await keys.keyOf({ alg: 'ES256', kid: 'e' }))
  })

  test('are old when the clock was set back', async () => {
    const { keys, service, clock } = await keysOf(set(jwk(ec.publicKey, { kid: 'e' })))
    assert.ok(await keys.keyOf({ alg: 'ES256', kid: 'e' }))
    clock.now -= 1440 * MINUTE
    service.answer = set()
    assert.equal(await keys.keyOf({ alg: 'ES256', kid: 'e' }), undefined)
  })

  test('without an id in the token must be the only ones of the algorithm', async () => {
    const one = await keysOf(set(jwk(rsa.publicKey), jwk(ec.publicKey)))
    assert.ok(same(await one.keys.keyOf({ alg: 'ES256' }), ec.publicKey))
    const two = await keysOf(set(jwk(other.publicKey, { kid: 'a' }), jwk(ec.publicKey, { kid: 'b' })))
    assert.equal(await two.keys.keyOf({ alg: 'ES256' }), undefined)
  })

  test('are found through a function', async () => {
    const service = await startFakeService(set(jwk(ec.publicKey, { kid: 'e' })))
    const { keys } = await keysOf(jsonAnswer({}), { url: () => Promise.resolve(new URL(service.url)) })
    assert.ok(await keys.keyOf({ alg: 'ES256', kid: 'e' }))
    const failing = await keysOf(jsonAnswer({}), { url: () => Promise.reject(new Error('not found out')) })
    assert.equal(await failing.keys.keyOf({ alg: 'ES256', kid: 'e' }), undefined)
    assert.match(failing.log[0] ?? '', /not found out/)
  })

  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const odd = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  const ed = generateKeyPairSync('ed25519')
  const useless: readonly (readonly [string, object])[] = [
    ['a secret', { kty: 'oct', k: Buffer.alloc(64, 1).toString('base64url') }],
    ['a short RSA key', jwk(weak.publicKey)],
    ['a key on a curve that is not accepted', jwk(odd.publicKey)],
    ['a key of a kind that is not accepted', jwk(ed.publicKey)],
    ['a key for encryption', jwk(ec.publicKey, { use: 'enc' })],
    ['a key for another algorithm', jwk(ec.publicKey, { alg: 'ES384' })],
    ['a point that is not on the curve', { ...jwk(ec.publicKey), y: 'AAAA' }],
    ['no object', []],
  ]
  for (const [what, entry] of useless) {
    test(`are not had from ${what}, and others stand beside it`, async () => {
      const good = jwk(rsa.publicKey, { kid: 'good' })
      const { keys } = await keysOf(set({ ...entry, kid: 'x' }, good))
      for (const alg of ['HS256', 'RS256', 'ES256', 'ES256K', 'EdDSA', 'none']) {
        assert.equal(await keys.keyOf({ alg, kid: 'x' }), undefined, alg)
      }
      assert.ok(await keys.keyOf({ alg: 'RS256', kid: 'good' }))
    })
  }

  test('a private key among them is used as the public one', async () => {
    const { keys } = await keysOf(set(jwk(ec.privateKey, { kid: 'e' })))
    const found = await keys.keyOf({ alg: 'ES256', kid: 'e' })
    assert.equal(found?.type, 'public')
  })

  for (const [what, value] of [
    ['no object', 'keys'],
    ['no list', { keys: {} }],
    ['too many', { keys: Array.from({ length: 101 }, () => ({})) }],
  ] as const) {
    test(`are none when there is ${what}`, async () => {
      const { keys, log } = await keysOf(jsonAnswer(value))
      assert.equal(await keys.keyOf({ alg: 'ES256', kid: 'e' }), undefined)
      assert.match(log[0] ?? '', /gave no key set/)
    })
  }
})
