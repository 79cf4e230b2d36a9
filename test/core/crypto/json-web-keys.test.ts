import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { readJsonWebKeySet } from '#core/crypto/json-web-keys.ts'
import { rocaPrivateKey } from '../../support/weak-rsa-keys.ts'

const CURVES = [
  ['P-256', 'prime256v1'],
  ['P-384', 'secp384r1'],
  ['P-521', 'secp521r1'],
] as const

const ecKey = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).publicKey
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).publicKey
const jwk = (key: KeyObject, members: object = {}) => ({ ...key.export({ format: 'jwk' }), ...members })
const withSignByte = (coordinate: string | undefined) =>
  Buffer.concat([Buffer.alloc(1), Buffer.from(coordinate ?? '', 'base64url')]).toString('base64url')

describe('a key set', () => {
  for (const [standard, ofOpenSsl] of CURVES) {
    test(`has keys on ${standard}, also under OpenSSL's name of the curve and with sign bytes`, () => {
      const key = ecKey(standard)
      const { x, y } = key.export({ format: 'jwk' })
      const odd = { kty: 'EC', kid: 'b', crv: ofOpenSsl, x: withSignByte(x), y: withSignByte(y) }
      const keys = readJsonWebKeySet({ keys: [jwk(key, { kid: 'a', alg: 'ES256' }), odd] })
      assert.deepEqual(
        keys?.map(({ keyId, algorithm, kind }) => [keyId, algorithm, kind]),
        [
          ['a', 'ES256', standard],
          ['b', undefined, standard],
        ],
      )
      assert.ok(keys?.every((each) => each.key.equals(key)))
    })
  }

  test('has RSA keys', () => {
    const key = rsa(2048)
    const [found] = readJsonWebKeySet({ keys: [jwk(key, { kid: '0' })] }) ?? []
    assert.equal(found?.kind, 'RSA')
    assert.ok(found?.key.equals(key))
  })

  test('is read without what is of no use, or not to be trusted', () => {
    const good = ecKey('P-256')
    const keys = [
      jwk(good, { use: 'enc' }),
      jwk(rsa(1024)),
      jwk(createPublicKey(rocaPrivateKey())),
      jwk(ecKey('secp256k1')),
      { kty: 'oct', k: 'c2VjcmV0' },
      { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
      { kty: 'EC', crv: 'P-256', x: 7, y: null },
      { kty: 'RSA' },
      'text',
      null,
      jwk(good, { kid: 'good' }),
    ]
    assert.deepEqual(
      readJsonWebKeySet({ keys })?.map(({ keyId }) => keyId),
      ['good'],
    )
  })

  for (const [what, value] of [
    ['null', null],
    ['a list', []],
    ['no list of keys', { keys: {} }],
    ['more than a hundred keys', { keys: Array.from({ length: 101 }, () => ({})) }],
  ] as const) {
    test(`is not ${what}`, () => assert.equal(readJsonWebKeySet(value), undefined))
  }
})
