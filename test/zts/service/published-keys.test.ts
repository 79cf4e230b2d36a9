import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import * as jose from 'jose'
import { createSigner } from '#core/crypto/signing.ts'
import { jwkOf, PublishedKeys } from '#zts/service/published-keys.ts'
import { domainData, domainsOf } from '../../support/zts-domains.ts'
import { serviceKey, TokenServer } from './token-parts.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const curves = ['P-256', 'P-384', 'P-521'].map((namedCurve) => generateKeyPairSync('ec', { namedCurve }).publicKey)

const sysAuth = (...publicKeys: readonly { id: string; key: string }[]) => ({
  name: 'sys.auth',
  services: [{ name: 'sys.auth.zts', publicKeys }],
})

function published(zts: readonly (readonly [string, KeyObject])[], own: readonly (readonly [string, KeyObject])[]) {
  const conf = { zmsPublicKeys: new Map([['m', p256.publicKey]]), ztsPublicKeys: new Map(zts) }
  const domains = domainsOf()
  const keys = new PublishedKeys({
    athenzConf: () => conf,
    signers: { all: own.map(([id, key]) => createSigner(key, id)) },
    domains,
    standardCurvesOnly: false,
  })
  return { keys, domains }
}

const ids = (keys: PublishedKeys, server: 'zms' | 'zts' = 'zts') => keys.jwks(server, true).map(({ kid }) => kid)

describe('PublishedKeys', () => {
  it('are those of athenz.conf in its order, then those in use, then those registered', () => {
    const registered = serviceKey()
    const { keys, domains } = published(
      [
        ['b', rsa.publicKey],
        ['a', p256.publicKey],
      ],
      [['own', p256.privateKey]],
    )
    assert.deepEqual(ids(keys), ['b', 'a', 'own'])
    domains.read(
      domainData(sysAuth({ id: 'a', key: registered.registered }, { id: 'new', key: registered.registered })),
    )
    assert.deepEqual(ids(keys), ['b', 'a', 'own', 'new'])
    assert.ok(keys.ztsPublicKeys.get('a')?.equals(p256.publicKey))
    domains.remove('sys.auth')
    assert.deepEqual(ids(keys), ['b', 'a', 'own'])
    assert.deepEqual(ids(keys, 'zms'), ['m'])
  })

  it('gives the id of a key in use to nothing else', () => {
    const { keys } = published(
      [
        ['OWN', rsa.publicKey],
        ['b', rsa.publicKey],
      ],
      [['own', p256.privateKey]],
    )
    assert.deepEqual(ids(keys), ['b', 'own'])
    assert.ok(keys.ztsPublicKeys.get('own')?.equals(p256.publicKey))
  })

  it('keeps what it has made until something changes', () => {
    const { keys } = published([['a', rsa.publicKey]], [])
    assert.equal(keys.jwks('zts', true), keys.jwks('zts', true))
    assert.notEqual(keys.jwks('zts', true), keys.jwks('zts', false))
  })
})

describe('jwkOf', () => {
  it('writes keys as the standards do', async () => {
    for (const [index, key] of curves.entries()) {
      const jwk = jwkOf('k', key, true)
      assert.deepEqual([jwk?.kty, jwk?.kid, jwk?.use], ['EC', 'k', 'sig'])
      assert.deepEqual([jwk?.crv, jwk?.alg], [['P-256', 'P-384', 'P-521'][index], ['ES256', 'ES384', 'ES512'][index]])
      assert.ok(createPublicKey({ key: { ...jwk }, format: 'jwk' }).equals(key))
    }
    const jwk = jwkOf('r', rsa.publicKey, true)
    assert.deepEqual(
      { ...jwk, n: undefined },
      { kty: 'RSA', kid: 'r', alg: 'RS256', use: 'sig', n: undefined, e: 'AQAB' },
    )
    assert.ok(createPublicKey({ key: { ...jwk }, format: 'jwk' }).equals(rsa.publicKey))
    assert.deepEqual(jwkOf('r', rsa.publicKey, false), jwk)
  })

  it('writes curves as OpenSSL names them, with signed numbers', () => {
    const signs = new Set<boolean>()
    for (let round = 0; round < 40; round++) {
      const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
      const [old, standard] = [jwkOf('k', key, false), jwkOf('k', key, true)]
      assert.equal(old?.crv, 'prime256v1')
      for (const [text, unsigned] of [
        [old?.x, standard?.x],
        [old?.y, standard?.y],
      ]) {
        const bytes = Buffer.from(text ?? '', 'base64url')
        assert.equal(
          BigInt.asIntN(bytes.length * 8, hexNumber(bytes)),
          hexNumber(Buffer.from(unsigned ?? '', 'base64url')),
        )
        signs.add(bytes.length > 32)
      }
    }
    assert.deepEqual(signs, new Set([true, false]))
    assert.deepEqual(
      curves.map((key) => jwkOf('k', key, false)?.crv),
      ['prime256v1', 'secp384r1', 'secp521r1'],
    )
  })
})

const hexNumber = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`)

describe('getJWKList', () => {
  const open = (properties: Readonly<Record<string, string>> = {}) =>
    TokenServer.open({ properties, keys: { rsa: rsa.privateKey, ec: p256.privateKey } })

  it('lists the keys of ZTS unless those of ZMS are asked for', async () => {
    const { harness } = await open()
    const list = async (query: string) => (await harness.get(`/oauth2/keys${query}`, { anonymous: true })).body.keys
    for (const query of ['', '?service=zts', '?service=sys.auth.zms', '?service=a%20b', '?service=']) {
      assert.deepEqual(
        (await list(query)).map(({ kid, crv }: jose.JWK) => [kid, crv]),
        [
          ['ec0', 'prime256v1'],
          ['0', undefined],
        ],
      )
    }
    assert.deepEqual(await list('?service=zms'), [])
    assert.equal((await list('?rfc=true'))[0].crv, 'P-256')
    assert.equal((await list('?rfc=maybe'))[0].crv, 'prime256v1')
  })

  it('names curves as the standards do where that is configured', async () => {
    const { harness } = await open({ jwk_curve_rfc_support_only: 'true' })
    assert.equal((await harness.get('/oauth2/keys', { anonymous: true })).body.keys[0].crv, 'P-256')
  })

  it('lists keys with which another implementation verifies tokens', async () => {
    const member = { roleMembers: [{ memberName: 'user.admin' }] }
    for (const preference of ['EC', 'RSA']) {
      const server = await TokenServer.open({
        domains: [{ name: 'sports', roles: [{ name: 'sports:role.reader', ...member }] }],
        properties: { key_algo_json_web_objects: preference },
        keys: { rsa: rsa.privateKey, ec: p256.privateKey },
      })
      const token = String((await server.ask({ scope: 'sports:domain' })).body.access_token)
      const keys = (await server.harness.get('/oauth2/keys?rfc=true', { anonymous: true })).body as jose.JSONWebKeySet
      const { payload } = await jose.jwtVerify(token, jose.createLocalJWKSet(keys), {
        typ: 'at+jwt',
        audience: 'sports',
        algorithms: [preference === 'EC' ? 'ES256' : 'RS256'],
        currentDate: new Date(server.harness.clock.millis),
      })
      assert.deepEqual(payload['scp'], ['reader'])
    }
  })
})
