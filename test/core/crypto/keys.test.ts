import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPublicKey, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { findKeyKind, keyKind } from '#core/crypto/key-kind.ts'
import { loadPrivateKey, loadPublicKey, publicKeyPem } from '#core/crypto/keys.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { ServiceError } from '#core/error/service-error.ts'

const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1' | 'spki') => key.export({ type, format: 'pem' }) as string

const refuses = (action: () => unknown, reason: RegExp) =>
  assert.throws(action, (error) => {
    assert.ok(error instanceof ServiceError)
    assert.equal(error.status, 400)
    assert.match(error.message, reason)
    return true
  })

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed25519 = generateKeyPairSync('ed25519')

const CERTIFICATE_AND_KEY = execFileSync(
  'openssl',
  'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=sports.api -keyout - -days 1'.split(' '),
  { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] },
)

describe('loadPrivateKey', () => {
  const accepted: [name: string, text: string, kind: string][] = [
    ['RSA in PKCS#1', pem(rsa.privateKey, 'pkcs1'), 'RSA'],
    ['RSA in PKCS#8', pem(rsa.privateKey, 'pkcs8'), 'RSA'],
    ['EC in SEC1', pem(ec.privateKey, 'sec1'), 'P-256'],
    ['EC in PKCS#8', pem(ec.privateKey, 'pkcs8'), 'P-256'],
    [
      'P-384 with its parameters in a section before',
      execFileSync('openssl', ['ecparam', '-name', 'secp384r1', '-genkey'], { encoding: 'latin1' }),
      'P-384',
    ],
    ['P-521', pem(generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey, 'pkcs8'), 'P-521'],
    ['a key behind a certificate', CERTIFICATE_AND_KEY, 'P-256'],
    ['Windows line ends', pem(ec.privateKey, 'pkcs8').replaceAll('\n', '\r\n'), 'P-256'],
  ]
  for (const [name, text, kind] of accepted) {
    it(`reads ${name}`, () => assert.equal(keyKind(loadPrivateKey(text)).name, kind))
  }

  const encrypted = {
    'PKCS#8': rsa.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }),
    'PKCS#1': rsa.privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }),
  }
  for (const [name, text] of Object.entries(encrypted)) {
    it(`reads an encrypted key in ${name} with its passphrase only`, () => {
      assert.equal(keyKind(loadPrivateKey(text as string, { passphrase: 'secret' })).name, 'RSA')
      refuses(() => loadPrivateKey(text as string), /encrypted and no passphrase is given/)
      refuses(() => loadPrivateKey(text as string, { passphrase: 'other' }), /private key does not parse/)
    })
  }

  it('refuses a text without a private key and says what it has', () => {
    refuses(() => loadPrivateKey(publicKeyPem(rsa.publicKey)), /no private key in PEM form: the text has PUBLIC KEY/)
    refuses(() => loadPrivateKey('garbage'), /no private key in PEM form: the text has no PEM section/)
  })

  it('refuses a damaged key', () => {
    refuses(
      () => loadPrivateKey(pem(rsa.privateKey, 'pkcs8').replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA')),
      /does not parse/,
    )
  })

  it('accepts Ed25519 for certificates and JOSE, not for tokens', () => {
    const text = pem(ed25519.privateKey, 'pkcs8')
    assert.equal(loadPrivateKey(text, { use: 'jose' }).asymmetricKeyType, 'ed25519')
    assert.equal(loadPrivateKey(text, { use: 'certificate' }).asymmetricKeyType, 'ed25519')
    refuses(() => loadPrivateKey(text), /Ed25519 keys are not accepted here/)
  })
})

describe('loadPublicKey', () => {
  const certificate = CERTIFICATE_AND_KEY.slice(CERTIFICATE_AND_KEY.indexOf('-----BEGIN CERTIFICATE'))
  const accepted: [name: string, text: string, kind: string][] = [
    ['an RSA key', pem(rsa.publicKey, 'spki'), 'RSA'],
    ['an RSA key in PKCS#1', pem(rsa.publicKey, 'pkcs1'), 'RSA'],
    ['an EC key', pem(ec.publicKey, 'spki'), 'P-256'],
    ['the key of a certificate', certificate, 'P-256'],
  ]
  for (const [name, text, kind] of accepted) {
    it(`reads ${name} as PEM`, () => assert.equal(keyKind(loadPublicKey(text)).name, kind))
    it(`reads ${name} as ybase64 of PEM`, () => assert.equal(keyKind(loadPublicKey(encodeYBase64(text))).name, kind))
  }

  it('takes the certificate of a text that has a private key as well', () => {
    assert.equal(loadPublicKey(CERTIFICATE_AND_KEY).type, 'public')
  })

  it('never derives it from a private key', () => {
    for (const type of ['pkcs1', 'pkcs8'] as const) {
      refuses(() => loadPublicKey(pem(rsa.privateKey, type)), /the text has a private key, which stays with its owner/)
    }
  })

  it('says that ybase64 is expected when given plain base64', () => {
    const plain = Buffer.from(pem(rsa.publicKey, 'spki')).toString('base64')
    refuses(() => loadPublicKey(plain.replace(/=*$/, '==')), /plain base64 where ybase64 is expected/)
  })

  const refused: [name: string, text: string, reason: RegExp][] = [
    ['text that is nothing', 'abc', /multiple of four/],
    ['a foreign alphabet', 'a+b/c=', /plain base64/],
    ['ybase64 of something else', encodeYBase64('hello'), /the text has no PEM section/],
    ['a section of another kind', '-----BEGIN NOTHING-----\nYWJj\n-----END NOTHING-----', /the text has NOTHING/],
    [
      'a section without a key',
      '-----BEGIN PUBLIC KEY-----\nYWJj\n-----END PUBLIC KEY-----',
      /public key does not parse/,
    ],
    [
      'a damaged certificate',
      '-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----',
      /certificate does not parse/,
    ],
    ['too long a text', 'A'.repeat(65_540), /too long/],
  ]
  for (const [name, text, reason] of refused) {
    it(`refuses ${name}`, () => refuses(() => loadPublicKey(text), reason))
  }
})

describe('the kinds of keys that are accepted', () => {
  const refused: [name: string, key: KeyObject, reason: RegExp][] = [
    ['RSA of 1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, /1024 bits is too short/],
    [
      'RSA with exponent 3',
      generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey,
      /public exponent .* is not an odd number from 65537/,
    ],
    ['RSA with exponent 1', rsaPublicKey({ exponent: 1 }), /public exponent/],
    ['RSA with an even exponent', rsaPublicKey({ exponent: 65538 }), /public exponent/],
    ['P-192', generateKeyPairSync('ec', { namedCurve: 'prime192v1' }).publicKey, /curve prime192v1 is not accepted/],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey, /curve secp256k1 is not accepted/],
    ['a curve by parameters of its own', keyOnForgedCurve(), /explicit parameters instead of its name/],
    ['RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey, /type rsa-pss are not accepted/],
    ['Ed25519 for tokens', ed25519.publicKey, /Ed25519 keys are not accepted here; use RSA or EC/],
    ['X25519', generateKeyPairSync('x25519').publicKey, /type x25519 are not accepted/],
    ['a secret', createSecretKey(Buffer.alloc(32)), /a secret is not/],
  ]
  for (const [name, key, reason] of refused) {
    it(`excludes ${name}`, () => {
      const kind = findKeyKind(key)
      assert.ok(typeof kind === 'string')
      assert.match(kind, reason)
      refuses(() => keyKind(key), reason)
      if (key.type === 'public') refuses(() => loadPublicKey(pem(key, 'spki')), reason)
    })
  }
})

function rsaPublicKey({ exponent }: { exponent: number }): KeyObject {
  const jwk = rsa.publicKey.export({ format: 'jwk' })
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(exponent)
  return createPublicKey({
    key: { ...jwk, e: bytes.subarray(bytes.findIndex((byte) => byte !== 0)).toString('base64url') },
    format: 'jwk',
  })
}

/** A P-256 key whose curve is written out with the key's own point as generator, so that 1 is its private key. */
function keyOnForgedCurve(): KeyObject {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const generatorX = Buffer.from('6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296', 'hex')
  Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]).copy(der, der.indexOf(generatorX))
  return createPublicKey({ key: der, type: 'spki', format: 'der' })
}
