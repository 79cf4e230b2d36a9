import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { findKeyKind } from '#core/crypto/key-kind.ts'
import { createSigner, verifyJoseSignature, verifySignature } from '#core/crypto/signing.ts'
import { ServiceError } from '#core/error/service-error.ts'

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const P384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const P521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const ED25519 = generateKeyPairSync('ed25519')

const KINDS = [
  { name: 'RSA', pair: RSA, alg: 'RS256', rawBytes: 256, inline: false },
  { name: 'P-256', pair: P256, alg: 'ES256', rawBytes: 64, inline: true },
  { name: 'P-384', pair: P384, alg: 'ES384', rawBytes: 96, inline: false },
  { name: 'P-521', pair: P521, alg: 'ES512', rawBytes: 132, inline: false },
]

describe('createSigner', () => {
  for (const { name, pair, alg, rawBytes, inline } of KINDS) {
    const signer = createSigner(pair.privateKey, 'k1')

    it(`describes the ${name} key`, () => {
      assert.equal(signer.keyId, 'k1')
      assert.equal(signer.kind.name, name)
      assert.equal(signer.joseAlgorithm, alg)
      assert.equal(signer.publicKeyPem, pair.publicKey.export({ type: 'spki', format: 'pem' }))
    })

    it(`makes ${name} signatures that verify, and those over other data do not`, async () => {
      const signature = await signer.sign('text')
      assert.equal(await verifySignature(pair.publicKey, 'text', signature), true)
      assert.equal(await verifySignature(pair.publicKey, Buffer.from('text'), signature), true)
      assert.equal(await verifySignature(pair.publicKey, 'texT', signature), false)
      assert.equal(await verifySignature(pair.publicKey, 'text', signature.subarray(1)), false)
      assert.equal(await verifySignature(pair.publicKey, 'text', Buffer.concat([signature, Buffer.alloc(1)])), false)
    })

    it(`makes ${name} signatures for JOSE in both encodings, and neither verifies as the other`, async () => {
      const raw = await signer.signJose('text')
      const der = await signer.signJose('text', 'der')
      assert.equal(raw.length, rawBytes)
      assert.equal(await verifyJoseSignature(alg, pair.publicKey, 'text', raw), true)
      assert.equal(await verifyJoseSignature(alg, pair.publicKey, 'text', der, 'der'), true)
      if (signer.kind.family === 'ec') {
        assert.equal(await verifyJoseSignature(alg, pair.publicKey, 'text', der), false)
        assert.equal(await verifyJoseSignature(alg, pair.publicKey, 'text', raw, 'der'), false)
      }
    })

    it(`${inline ? 'signs at once' : 'signs on the thread pool'} with ${name}`, async () => {
      const result = signer.sign('text')
      assert.equal(Buffer.isBuffer(result), inline)
      await result
    })
  }

  it('signs JOSE with Ed25519, but makes no token signer of it', async () => {
    const signer = createSigner(ED25519.privateKey, 'k1', 'jose')
    assert.equal(signer.joseAlgorithm, 'EdDSA')
    assert.equal(await verifyJoseSignature('EdDSA', ED25519.publicKey, 'text', await signer.signJose('text')), true)
    assert.throws(
      () => createSigner(ED25519.privateKey, 'k1'),
      (error) => error instanceof ServiceError && /Ed25519 keys are not accepted here/.test(error.message),
    )
  })
})

describe('verifyJoseSignature', () => {
  it('refuses every algorithm that does not belong to the kind of key', async () => {
    const algorithms = [
      'RS256',
      'RS384',
      'RS512',
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
      'PS256',
      'HS256',
      'none',
      'None',
      '',
    ]
    for (const { pair, alg } of KINDS) {
      const signature = await createSigner(pair.privateKey, 'k1').signJose('text')
      for (const other of algorithms.filter((name) => name !== alg)) {
        assert.equal(await verifyJoseSignature(other, pair.publicKey, 'text', signature), false, `${other} for ${alg}`)
      }
    }
  })

  it('accepts an algorithm of the same family under DER only', async () => {
    const der = await createSigner(P384.privateKey, 'k1').sign('text')
    assert.equal(await verifyJoseSignature('ES256', P384.publicKey, 'text', der, 'der'), true)
    assert.equal(await verifyJoseSignature('ES256', P384.publicKey, 'text', der), false)
    assert.equal(await verifyJoseSignature('RS256', P384.publicKey, 'text', der, 'der'), false)
  })

  it('refuses keys that are too weak, whatever they sign', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const signature = sign('sha256', Buffer.from('text'), weak.privateKey)
    assert.equal(await verifyJoseSignature('RS256', weak.publicKey, 'text', signature), false)
    assert.equal(await verifySignature(weak.publicKey, 'text', signature), false)
  })

  it('refuses r = s = 0 and signatures of another length', async () => {
    for (const length of [0, 1, 63, 64, 65, 128]) {
      assert.equal(await verifyJoseSignature('ES256', P256.publicKey, 'text', Buffer.alloc(length)), false)
    }
  })
})

describe('published signature vectors', () => {
  type Vector = [
    id: number,
    comment: string,
    message: string,
    signature: string,
    result: 'valid' | 'invalid' | 'acceptable',
  ]
  interface Group {
    publicKeyPem: string
    tests: Vector[]
  }
  type Verify = (key: ReturnType<typeof createPublicKey>, data: Buffer, signature: Buffer) => boolean | Promise<boolean>

  const files: [file: string, verify: Verify][] = [
    ['ecdsa_secp256r1_sha256', verifySignature],
    ['ecdsa_secp384r1_sha256', verifySignature],
    ['rsa_signature_2048_sha256', verifySignature],
    ['ecdsa_secp256r1_sha256_p1363', (...args) => verifyJoseSignature('ES256', ...args)],
    ['ecdsa_secp384r1_sha384_p1363', (...args) => verifyJoseSignature('ES384', ...args)],
    ['ecdsa_secp521r1_sha512_p1363', (...args) => verifyJoseSignature('ES512', ...args)],
    ['ed25519', (...args) => verifyJoseSignature('EdDSA', ...args)],
  ]
  for (const [file, verify] of files) {
    it(`get the published answers: ${file}`, async () => {
      const url = new URL(`../../data/wycheproof/${file}.json`, import.meta.url)
      const groups = JSON.parse(readFileSync(url, 'utf8')) as Group[]
      for (const { publicKeyPem, tests } of groups) {
        const key = createPublicKey(publicKeyPem)
        // Some RSA vectors use the exponent 3; such a key verifies nothing here.
        const accepted = typeof findKeyKind(key, 'jose') !== 'string'
        for (const [id, comment, message, signature, result] of tests) {
          const valid = await verify(key, Buffer.from(message, 'hex'), Buffer.from(signature, 'hex'))
          if (result !== 'acceptable') assert.equal(valid, accepted && result === 'valid', `test ${id}: ${comment}`)
        }
      }
    })
  }
})
