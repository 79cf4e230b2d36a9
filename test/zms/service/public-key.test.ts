import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, test } from 'node:test'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { serviceIdentityService } from '#zms/service/service-identity.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { quotaOf } from './objects.ts'

const newKey = () =>
  encodeYBase64(
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  )
const [k0, k1] = [newKey(), newKey()]

const API = '/domain/sports/service/api'
const owner = (resourceOwner: string) => ({ headers: { 'Athenz-Resource-Owner': resourceOwner } })

const zms = await Harness.open({ services: [serviceIdentityService] })
beforeEach(async () => {
  await zms.createDomain('sports')
  await zms.put(API, { name: 'sports.api', publicKeys: [{ id: '0', key: k0 }] })
})

const put = (id: string, key: string, options?: object) => zms.put(`${API}/publickey/${id}`, { id, key }, options)

describe('putPublicKeyEntry', () => {
  test('adds and replaces', async () => {
    assert.deepEqual(await put('V1.a', k0), NOTHING)
    assert.deepEqual(await put('v1.A', k1), NOTHING)
    assert.deepEqual((await zms.get(`${API}/publickey/V1.A`)).body, { key: k1, id: 'v1.a' })
    assert.equal((await zms.get(API)).body.publicKeys.length, 2)
  })

  test('refuses another id, then a broken key, then a missing service', async () => {
    const target = '/domain/sports/service/none/publickey/2'
    assert.deepEqual(
      await zms.put(target, { id: '3', key: 'abc' }),
      refusal(400, 'putPublicKeyEntry: keyId in URI and PublicKeyEntry object do not match'),
    )
    assert.deepEqual(
      await zms.put(target, { id: '2', key: 'abc' }),
      refusal(400, 'putPublicKeyEntry: Invalid public key'),
    )
    assert.deepEqual(
      await zms.put(target, { id: '2', key: k0 }),
      refusal(404, 'putPublicKeyEntry: Unable to retrieve service: sports.none'),
    )
    assert.equal((await put('2', k0, { as: 'user.eve' })).status, 403)
  })

  test('asks the owner of the keys, and makes the caller it when there is none', async () => {
    assert.deepEqual(await put('1', k1, owner('tf')), NOTHING)
    assert.deepEqual((await zms.get(API)).body.resourceOwnership, { publicKeysOwner: 'tf' })
    assert.deepEqual(await put('1', k1), refusal(409, 'Service has a resource owner: tf'))
    assert.deepEqual(
      await put('1', k1, owner('ui')),
      refusal(409, 'Invalid resource member owner for service: sports.api, tf vs. ui'),
    )
    assert.deepEqual(await put('1', k0, owner('ignore')), NOTHING)
  })

  test('counts one more, but not for a key that is there already', async () => {
    const quota = quotaOf({ publicKey: 1 })
    await zms.createDomain('sports', { quota })
    await zms.put(API, { name: 'sports.api', publicKeys: [{ id: '0', key: k0 }] })
    const full = refusal(429, 'service public key quota exceeded - limit: 1 actual: 2')
    assert.deepEqual(await put('0', k1), NOTHING)
    assert.deepEqual(await put('1', k1), full)
  })
})

describe('deletePublicKeyEntry', () => {
  test('removes one key once', async () => {
    assert.deepEqual(await zms.delete(`${API}/publickey/0`), NOTHING)
    assert.equal((await zms.get(API)).body.publicKeys, undefined)
    assert.deepEqual(
      await zms.delete(`${API}/publickey/0`),
      refusal(404, 'unable to delete public key: 0 in service sports.api'),
    )
    assert.deepEqual(
      await zms.delete('/domain/sports/service/none/publickey/0'),
      refusal(404, 'deletePublicKeyEntry: Unable to retrieve service: sports.none'),
    )
    assert.equal((await zms.delete(`${API}/publickey/0`, { as: 'user.eve' })).status, 403)
  })

  test('asks the owner of the keys', async () => {
    await zms.put(`${API}/ownership`, { publicKeysOwner: 'tf' })
    assert.deepEqual(
      await zms.delete(`${API}/publickey/0`, owner('ui')),
      refusal(409, 'Invalid resource owner for object: tf vs. ui'),
    )
    assert.deepEqual(
      await zms.delete(`${API}/publickey/9`),
      refusal(409, 'Invalid resource owner for object: tf vs. null'),
    )
    assert.deepEqual(await zms.delete(`${API}/publickey/0`, owner('TF')), NOTHING)
  })
})

describe('getPublicKeyEntry', () => {
  const missing: [string, string][] = [
    ['/domain/nosuch/service/api/publickey/0', 'unknown domain - nosuch'],
    ['/domain/sports/service/none/publickey/0', 'unknown service - sports.none'],
    [`${API}/publickey/9`, 'getPublicKeyEntry: PublicKey 9 in service sports.api not found'],
  ]
  for (const [target, message] of missing) {
    test(`${target} is missing`, async () => assert.deepEqual(await zms.get(target), refusal(404, message)))
  }
})
