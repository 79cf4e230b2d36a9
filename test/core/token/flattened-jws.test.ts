import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import { type FlattenedJWS, flattenedVerify } from 'jose'
import { createSigner } from '#core/crypto/signing.ts'
import { flattenedJws } from '#core/token/flattened-jws.ts'

const TEXT = '{"name":"ümläut","quote":"\\""}'
const keys = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
} as const
type Key = keyof typeof keys

type Signed = FlattenedJWS & { header: { kid: string } }
const sign = async (key: Key, encoding: 'der' | 'p1363', keyId = 'k "1"'): Promise<Signed> =>
  JSON.parse(await flattenedJws(createSigner(keys[key].privateKey, keyId), TEXT, encoding)) as Signed
const decoded = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as object
/** The library does not accept that the key id stands in the open as well. */
const verified = ({ header: _, ...jws }: Signed, key: KeyObject, algorithm: string) =>
  flattenedVerify(jws, key, { algorithms: [algorithm] })

describe('flattenedJws', () => {
  const standard: [Key, string][] = [
    ['rsa', 'RS256'],
    ['p256', 'ES256'],
    ['p384', 'ES384'],
    ['p521', 'ES512'],
  ]
  for (const [key, algorithm] of standard) {
    test(`signs with ${key} so that a library verifies it as ${algorithm}`, async () => {
      const { payload } = await verified(await sign(key, 'p1363'), keys[key].publicKey, algorithm)
      assert.equal(Buffer.from(payload).toString(), TEXT)
    })
  }

  for (const key of ['p256', 'p384', 'p521'] as const) {
    test(`signs with ${key} in ASN.1 with SHA-256, under the name ES256`, async () => {
      const { protected: head, header, payload, signature } = await sign(key, 'der')
      assert.deepEqual(decoded(head), { kid: 'k "1"', alg: 'ES256' })
      assert.deepEqual(header, { kid: 'k "1"' })
      const input = Buffer.from(`${head}.${payload}`)
      assert.ok(verify('sha256', input, keys[key].publicKey, Buffer.from(signature, 'base64url')))
    })
  }

  test('an RSA signature is the same in both encodings', async () => {
    assert.deepEqual(await sign('rsa', 'der'), await sign('rsa', 'p1363'))
  })
})
