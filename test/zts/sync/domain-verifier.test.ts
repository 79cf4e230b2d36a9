import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import { DomainVerifier, UnverifiedDomain } from '#zts/sync/domain-verifier.ts'
import { newSigner } from '../../core/authority/support.ts'
import { signedDomain, webSignedDomain } from './fake-zms.ts'

const ec = newSigner('0')
const rsa = createSigner(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'rsa.1')
const p384 = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'p384')
const all = [ec, rsa, p384]

const sports = {
  name: 'sports',
  description: 'a "quoted" text\n\u00e9',
  tags: { a: { list: ['b'] } },
  roles: [{ name: 'sports:role.r', roleMembers: [{ memberName: 'user.joe', expiration: '2027-01-01T00:00:00.000Z' }] }],
}

function verifierWith(signers: readonly Signer[], webSignaturesOnly = false) {
  const zmsPublicKeys = new Map(signers.map(({ keyId, publicKey }) => [keyId, publicKey]))
  const keys = { current: { file: '/etc/athenz.conf', zmsPublicKeys }, refresh: async () => false }
  return new DomainVerifier({ keys, webSignaturesOnly })
}

const refusal = (text: string | Buffer, reason: RegExp, webSignaturesOnly?: boolean) =>
  assert.rejects(
    verifierWith(all, webSignaturesOnly).verify(Buffer.from(text)),
    (error) => error instanceof UnverifiedDomain && reason.test(error.message),
  )

describe('domains that ZMS has signed are accepted', () => {
  for (const signer of all) {
    test(`${signer.kind.name}, plain`, async () => {
      const text = await signedDomain(signer, sports)
      assert.deepEqual(await verifierWith(all).verify(Buffer.from(text)), JSON.parse(text).domain)
    })

    test(`${signer.kind.name}, as web signature`, async () => {
      for (const only of [true, false]) {
        const data = await verifierWith(all, only).verify(Buffer.from(await webSignedDomain(signer, sports)))
        assert.equal((data as { name: string }).name, 'sports')
      }
    })
  }

  test('large ones, whose text is made in steps', async () => {
    const members = Array.from({ length: 1000 }, (_, index) => ({ memberName: `user.u${index}` }))
    const policies = Array.from({ length: 500 }, (_, index) => ({ name: `big:policy.p${index}`, assertions: [] }))
    const text = await signedDomain(ec, {
      name: 'big',
      roles: [{ name: 'big:role.r', roleMembers: members }, { name: 'big:role.s' }],
      groups: [{ name: 'big:group.g', groupMembers: members }],
      policies,
    })
    assert.ok(await verifierWith(all).verify(Buffer.from(text)))
    for (const [from, to] of [
      ['user.u999', 'user.u998'],
      ['policy.p499', 'policy.p498'],
    ] as const) {
      await refusal(text.replace(from, to), /signature is wrong/)
    }
  })

  test('empty lists and lists that are null', async () => {
    for (const lists of [
      { roles: [], groups: [], services: [], policies: [] },
      { roles: null, groups: null, services: null, policies: null },
      {},
    ]) {
      assert.ok(await verifierWith(all).verify(Buffer.from(await signedDomain(ec, { name: 'sports', ...lists }))))
    }
  })

  test('the key 0 where none is named', async () => {
    const { keyId: _, ...unnamed } = JSON.parse(await signedDomain(ec, sports))
    assert.ok(await verifierWith(all).verify(Buffer.from(JSON.stringify(unnamed))))
  })

  test('members that ZMS wrote without dates are part of what is signed', async () => {
    const text = await signedDomain(ec, { name: 'sports', roles: [{ name: 'sports:role.r', members: ['user.joe'] }] })
    assert.ok(await verifierWith(all).verify(Buffer.from(text)))
    await refusal(text.replace('user.joe', 'user.eve'), /signature is wrong/)
  })

  test('a key that athenz.conf has only just got', async () => {
    const empty = new Map()
    const full = new Map([['0', ec.publicKey]])
    const keys = {
      current: { file: '', zmsPublicKeys: empty },
      refresh: async () => {
        keys.current = { file: '', zmsPublicKeys: full }
        return true
      },
    }
    const verifier = new DomainVerifier({ keys, webSignaturesOnly: false })
    assert.ok(await verifier.verify(Buffer.from(await signedDomain(ec, sports))))
  })
})

describe('others are refused', () => {
  test('plain ones where only web signatures count', async () =>
    refusal(await signedDomain(ec, sports), /no JSON web signature/, true))

  test('a changed text', async () => {
    const text = await signedDomain(ec, sports)
    for (const [from, to] of [
      ['user.joe', 'user.eve'],
      ['2027', '2037'],
      ['"name":"sports"', '"name":"sparts"'],
      ['"roles":', '"Roles":'],
    ] as const) {
      assert.ok(text.includes(from))
      await refusal(text.replace(from, to), /signature is wrong/)
    }
  })

  test('a changed payload', async () => {
    const jws = JSON.parse(await webSignedDomain(ec, sports))
    const payload = Buffer.from(jws.payload, 'base64url').toString().replace('user.joe', 'user.eve')
    await refusal(JSON.stringify({ ...jws, payload: Buffer.from(payload).toString('base64url') }), /signature is wrong/)
  })

  test('a key of another family, or none, as algorithm', async () => {
    for (const alg of ['none', 'HS256', 'RS256', 'ES512x', '']) {
      await refusal(await webSignedDomain(ec, sports, { alg }), /signature is wrong/)
    }
    for (const alg of [undefined, 5]) await refusal(await webSignedDomain(ec, sports, { alg }), /headers/)
  })

  test('headers that name different keys, or demand what is not known', async () => {
    await refusal(await webSignedDomain(ec, sports, { kid: 'rsa.1' }), /headers contradict/)
    await refusal(await webSignedDomain(ec, sports, { crit: ['b64'] }), /cannot be followed/)
  })

  test('the signature of another key under the id of a known one', async () => {
    await refusal(await signedDomain(newSigner('0'), sports), /signature is wrong/)
    await refusal(await webSignedDomain(newSigner('0'), sports), /signature is wrong/)
  })

  test('a key id that is no text', async () => {
    const signed = JSON.parse(await signedDomain(ec, sports))
    await refusal(JSON.stringify({ ...signed, keyId: ['0'] }), /names no key/)
    await refusal(JSON.stringify({ ...signed, keyId: '__proto__' }), /key "__proto__", which is not among/)
  })

  test('a signature in plain base64', async () => {
    const signed = JSON.parse(await signedDomain(ec, sports))
    await refusal(JSON.stringify({ ...signed, signature: 'a+/=' }), /its signature is plain base64 where ybase64/)
  })

  for (const [what, text] of [
    ['nothing', ''],
    ['no object', '"sports"'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00])],
    ['a payload alone', '{"payload":"e30"}'],
    ['headers that are no JSON', '{"payload":"e30","protected":"e","header":null,"signature":"x"}'],
  ] as const) {
    test(what, () => refusal(text, /no JSON object|no domain or no signature|no protected header/))
  }
})
