import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { certificateThumbprint } from '#core/crypto/certificate-thumbprint.ts'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import type { Presenter } from '#zpe/credential.ts'
import type { Zpe } from '#zpe/zpe.ts'
import { newSigner, TestCa } from '../core/authority/support.ts'
import { NOW_SECONDS, ZpeWorld } from './zpe-world.ts'

const KEYS: readonly (readonly [name: string, key: () => KeyObject])[] = [
  ['RSA-2048', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
  ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
]

async function opened(options = {}) {
  const world = new ZpeWorld()
  await world.putPolicies('sports', { rules: ['ALLOW readers read data.*'] })
  return { world, zpe: await world.open(options) }
}

const ask = async (zpe: Zpe, token: string, presenter?: Presenter) =>
  (await zpe.allowAccess(token, 'sports:data.x', 'read', presenter)).status
const why = async (zpe: Zpe, token: string) => (await zpe.explain(token, 'sports:data.x', 'read')).reason

const base64url = (value: object | string | Buffer): string =>
  Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url')
const payload = base64url({ aud: 'sports', scp: ['readers'], exp: NOW_SECONDS + 3600 })

describe('an access token', () => {
  for (const [name, key] of KEYS) {
    test(`signed with ${name} is decided by the roles in it`, async () => {
      const { world, zpe } = await opened()
      const signer = createSigner(key(), 'new')
      world.writeKeys([world.zts, signer])
      const token = await world.accessToken({}, signer)
      assert.equal(await ask(zpe, token), 'ALLOW')
      assert.equal(await ask(zpe, `Bearer ${token}`), 'ALLOW')
      assert.equal(await ask(zpe, await world.roleToken({}, signer)), 'ALLOW')
    })
  }

  for (const typ of ['at+jwt', 'application/at+jwt', 'JWT', undefined]) {
    test(`may be of type ${typ}`, async () => {
      const { world, zpe } = await opened()
      assert.equal(await ask(zpe, await world.accessToken({}, world.zts, typ)), 'ALLOW')
    })
  }

  test('is given when it is valid', async () => {
    const { world, zpe } = await opened()
    const token = await zpe.validateAccessToken(`Bearer ${await world.accessToken({ client_id: 'sports.api' })}`)
    assert.ok(token)
    const { domain, roles, principal, clientId, expiryTimeSeconds } = token
    assert.deepEqual(
      [domain, roles, principal, clientId, expiryTimeSeconds],
      ['sports', ['readers'], 'user.joe', 'sports.api', NOW_SECONDS + 3600],
    )
    world.clock.millis += 3_601_000
    assert.equal(await zpe.validateAccessToken(await world.accessToken({ exp: NOW_SECONDS })), undefined)
  })

  const CLAIMS: readonly (readonly [what: string, claims: object, reason: RegExp])[] = [
    ['without audience', { aud: undefined }, /not exactly one audience/],
    ['for two audiences', { aud: ['sports', 'media'] }, /not exactly one audience/],
    ['for an audience that is no text', { aud: { sports: true } }, /not exactly one audience/],
    ['without roles', { scp: undefined }, /no roles/],
    ['with an empty list of roles', { scp: [] }, /no roles/],
    ['whose roles are one text', { scp: 'readers' }, /no roles/],
    ['whose roles are no texts', { scp: ['readers', 7] }, /no roles/],
    ['without expiry', { exp: undefined }, /no time of expiry/],
    ['whose expiry is no time', { exp: '2099' }, /no time of expiry/],
    ['that expired more than a minute ago', { exp: NOW_SECONDS - 61 }, /expired/],
    ['that is not valid yet', { nbf: NOW_SECONDS + 61 }, /valid from/],
    ['bound in a way that is not understood', { cnf: { jkt: 'x' } }, /bound in a way/],
    ['bound to what is no thumbprint', { cnf: { 'x5t#S256': 7 } }, /bound in a way/],
    [
      'whose proxies are no list',
      { cnf: { 'x5t#S256': 'x', 'proxy-principals#spiffe': 'spiffe://a' } },
      /bound in a way/,
    ],
  ]
  for (const [what, claims, reason] of CLAIMS) {
    test(`${what} is refused`, async () => {
      const { world, zpe } = await opened()
      const token = await world.accessToken(claims)
      assert.equal(await ask(zpe, token), 'DENY_ROLETOKEN_INVALID')
      assert.match(await why(zpe, token), reason)
    })
  }

  test('with a list of one audience is one for that audience', async () => {
    const { world, zpe } = await opened()
    assert.equal(await ask(zpe, await world.accessToken({ aud: ['sports'] })), 'ALLOW')
  })

  test('that has just expired is told so', async () => {
    const { world, zpe } = await opened()
    assert.equal(await ask(zpe, await world.accessToken({ exp: NOW_SECONDS - 1 })), 'DENY_ROLETOKEN_EXPIRED')
    assert.equal(await ask(zpe, await world.accessToken({ exp: NOW_SECONDS })), 'ALLOW')
  })

  test('for another purpose is refused', async () => {
    const { world, zpe } = await opened()
    const token = await world.accessToken({}, world.zts, 'oauth-id-jag+jwt')
    assert.equal(await ask(zpe, token), 'DENY_ROLETOKEN_INVALID')
    assert.match(await why(zpe, token), /type oauth-id-jag\+jwt/)
    const principalToken = 'v=S1;d=sports;n=api;t=1;e=2;s=x'
    assert.equal(await ask(zpe, principalToken), 'DENY_ROLETOKEN_INVALID')
  })
})

describe('a forged access token', () => {
  const header = (members: object) => base64url({ kid: 'zts.0', typ: 'at+jwt', ...members })

  for (const alg of ['none', 'None', 'nOnE', 'HS256', 'RS256', 'ES384', 'PS256', 'EdDSA', 'ES256K']) {
    test(`with the algorithm ${alg} is refused`, async () => {
      const { world, zpe } = await opened()
      const [, , signature] = (await world.accessToken()).split('.')
      for (const tail of ['', signature]) {
        assert.equal(await ask(zpe, `${header({ alg })}.${payload}.${tail}`), 'DENY_ROLETOKEN_INVALID')
      }
    })
  }

  test('signed with our public key as a secret is refused', async () => {
    const { world, zpe } = await opened()
    const { publicKey } = world.zts
    const secrets = [
      publicKeyPem(publicKey),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
    ]
    for (const secret of secrets) {
      const input = `${header({ alg: 'HS256' })}.${payload}`
      const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      assert.equal(await ask(zpe, token), 'DENY_ROLETOKEN_INVALID')
      assert.match(await why(zpe, token), /algorithm HS256 is not accepted/)
    }
  })

  test('that brings its own key is refused', async () => {
    const { world, zpe } = await opened()
    const own = newSigner('zts.0')
    const jwk = own.publicKey.export({ format: 'jwk' })
    for (const members of [{ jwk }, { jku: 'https://evil/keys' }, { x5u: 'https://evil/cert' }, { x5c: ['AAAA'] }]) {
      const input = `${header({ alg: 'ES256', ...members })}.${payload}`
      const signature = base64url(await own.signJose(input))
      assert.equal(await ask(zpe, `${input}.${signature}`), 'DENY_ROLETOKEN_INVALID')
    }
    assert.equal(await ask(zpe, await world.accessToken()), 'ALLOW')
  })

  for (const kid of ['../zts.0', 'zts.0\0', "' or 1=1", 'x'.repeat(10_000), '__proto__', undefined]) {
    test(`with the key id ${JSON.stringify(kid)?.slice(0, 20)} is refused`, async () => {
      const { world, zpe } = await opened()
      const input = `${base64url({ alg: 'ES256', kid })}.${payload}`
      const token = `${input}.${base64url(await world.zts.signJose(input))}`
      assert.equal(await ask(zpe, token), 'DENY_ROLETOKEN_INVALID')
      assert.match(await why(zpe, token), /is not known$/)
    })
  }

  test('with header members that change its meaning is refused', async () => {
    const { world, zpe } = await opened()
    for (const members of [{ crit: ['x'] }, { b64: false }, { zip: 'DEF' }, { enc: 'A128GCM' }]) {
      const input = `${header({ alg: 'ES256', ...members })}.${payload}`
      const token = `${input}.${base64url(await world.zts.signJose(input))}`
      assert.equal(await ask(zpe, token), 'DENY_ROLETOKEN_INVALID')
      assert.match(await why(zpe, token), /not supported/)
    }
  })

  test('with its signature in another form is refused', async () => {
    const { world, zpe } = await opened()
    const good = await world.accessToken()
    const [head = '', body = '', tail = ''] = good.split('.')
    const raw = Buffer.from(tail, 'base64url')
    const der = sign('sha256', Buffer.from(`${head}.${body}`), world.zts.privateKey)
    const signatures = {
      DER: base64url(der),
      zeros: base64url(Buffer.alloc(64)),
      longer: base64url(Buffer.concat([raw, Buffer.alloc(1)])),
      shorter: base64url(raw.subarray(0, 63)),
      padded: `${tail}==`,
      'with surplus bits': tail.slice(0, -1) + (tail.endsWith('A') ? 'B' : 'C'),
      empty: '',
    }
    for (const [what, signature] of Object.entries(signatures)) {
      assert.equal(await ask(zpe, `${head}.${body}.${signature}`), 'DENY_ROLETOKEN_INVALID', what)
    }
    for (const text of [
      `${good}.x`,
      `${good}.x.y`,
      `${head}.${body}`,
      good.toUpperCase(),
      ` ${good}`,
      `bearer ${good}`,
    ]) {
      assert.equal(await ask(zpe, text), 'DENY_ROLETOKEN_INVALID', text.slice(0, 20))
    }
  })

  test('signed with a key that is too weak is refused, because the key is not taken', async () => {
    const world = new ZpeWorld()
    await world.putPolicies('sports', { rules: ['ALLOW readers read data.*'] })
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    world.put(
      '../jwk.conf',
      JSON.stringify({ zts: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'weak' }] } }),
    )
    const zpe = await world.open({ jwkFile: `${world.root}/var/jwk.conf` })
    const input = `${base64url({ alg: 'RS256', kid: 'weak' })}.${payload}`
    const token = `${input}.${base64url(sign('sha256', Buffer.from(input), privateKey))}`
    assert.equal(await ask(zpe, token), 'DENY_ROLETOKEN_INVALID')
    assert.match(await why(zpe, token), /key weak is not known/)
  })
})

describe('an access token that is bound to a certificate', () => {
  const named = (ca: TestCa, name: string, uri?: string) =>
    ca.issue({
      subject: [{ type: 'CN', value: name }],
      names: uri === undefined ? [] : [{ type: 'uri', value: uri }],
    })

  async function bound(options = {}, cnf: object = {}, claims: object = {}) {
    const { world, zpe } = await opened(options)
    const ca = await TestCa.create()
    const { certificate: own } = await named(ca, 'sports.api')
    const thumbprint = certificateThumbprint(own)
    const token = await world.accessToken({
      client_id: 'sports.api',
      cnf: { 'x5t#S256': thumbprint, ...cnf },
      ...claims,
    })
    /** Asks when nothing is known of the token, and once more. */
    const askTwice = async (presenter: Presenter | undefined) => {
      const first = await ask(zpe, token, presenter)
      await ask(zpe, token)
      assert.equal(await ask(zpe, token, presenter), first)
      return first
    }
    return { world, zpe, ca, own, thumbprint, token, askTwice }
  }

  test('is good with that certificate only', async () => {
    const { ca, own, askTwice } = await bound()
    const { certificate: other } = await named(ca, 'media.api')
    assert.equal(await askTwice({ certificate: own }), 'ALLOW')
    assert.equal(await askTwice({ certificate: other }), 'DENY_CERT_HASH_MISMATCH')
    assert.equal(await askTwice({ certificate: undefined }), 'DENY_CERT_HASH_MISMATCH')
    assert.equal(await askTwice(undefined), 'ALLOW')
  })

  test('is given with that certificate only', async () => {
    const { zpe, ca, own, token } = await bound()
    assert.ok(await zpe.validateAccessToken(token, { certificate: own }))
    const { certificate } = await named(ca, 'media.api')
    assert.equal(await zpe.validateAccessToken(token, { certificate }), undefined)
  })

  test('decides likewise when it was validated before', async () => {
    const { zpe, ca, own, token } = await bound()
    const parsed = await zpe.validateAccessToken(token, { certificate: own })
    const { certificate } = await named(ca, 'media.api')
    assert.ok(parsed)
    const check = await zpe.allowAccess(parsed, 'sports:data.x', 'read', { certificate })
    assert.equal(check.status, 'DENY_CERT_HASH_MISMATCH')
  })

  test('is good with a renewed certificate of its holder, as far as that is allowed', async () => {
    // Made valid since 2020.
    const issued = Date.UTC(2020, 0, 1) / 1000
    const renewed = async (renewedCertificateSeconds: number, iat: number) => {
      const { ca, askTwice } = await bound({ renewedCertificateSeconds }, {}, { iat })
      return askTwice({ certificate: (await named(ca, 'sports.api')).certificate })
    }
    assert.equal(await renewed(-1, NOW_SECONDS), 'ALLOW')
    assert.equal(await renewed(0, NOW_SECONDS), 'DENY_CERT_HASH_MISMATCH')
    assert.equal(await renewed(60, NOW_SECONDS), 'DENY_CERT_HASH_MISMATCH')
    for (const [iat, status] of [
      [issued + 3600 + 1, 'DENY_CERT_HASH_MISMATCH'],
      [issued + 3600, 'ALLOW'],
      [issued + 3600 - 60, 'ALLOW'],
      [issued + 3600 - 61, 'DENY_CERT_HASH_MISMATCH'],
    ] as const) {
      assert.equal(await renewed(60, iat), status, String(iat - issued))
    }
  })

  test('is good with a proxy that it names', async () => {
    const { ca, askTwice } = await bound({}, { 'proxy-principals#spiffe': ['spiffe://Proxy/sa/front'] })
    const { certificate } = await named(ca, 'proxy.front', 'SPIFFE://proxy/sa/Front')
    const { certificate: other } = await named(ca, 'proxy.front', 'spiffe://proxy/sa/back')
    assert.equal(await askTwice({ certificate }), 'ALLOW')
    assert.equal(await askTwice({ certificate: other }), 'DENY_CERT_HASH_MISMATCH')
  })

  test('is good through a proxy that was shown that certificate', async () => {
    const { ca, thumbprint, askTwice } = await bound()
    const { certificate } = await named(ca, 'proxy.front')
    assert.equal(await askTwice({ certificate, forwardedThumbprint: thumbprint }), 'ALLOW')
    assert.equal(await askTwice({ certificate, forwardedThumbprint: 'x' }), 'DENY_CERT_HASH_MISMATCH')
    const nobody = { certificate: undefined, forwardedThumbprint: thumbprint }
    assert.equal(await askTwice(nobody), 'DENY_CERT_HASH_MISMATCH')
  })

  test('is good through trusted proxies only, when they are named', async () => {
    const { ca, thumbprint, askTwice } = await bound({ proxyPrincipals: ['proxy.front'] })
    const { certificate: trusted } = await named(ca, 'proxy.front')
    const { certificate: other } = await named(ca, 'proxy.back')
    assert.equal(await askTwice({ certificate: trusted, forwardedThumbprint: thumbprint }), 'ALLOW')
    assert.equal(await askTwice({ certificate: other, forwardedThumbprint: thumbprint }), 'DENY_CERT_HASH_MISMATCH')
  })

  test('must be, where there is a certificate, unless that is waived', async () => {
    const { world, zpe } = await opened()
    const { certificate } = await named(await TestCa.create(), 'sports.api')
    const token = await world.accessToken()
    assert.equal(await ask(zpe, token, { certificate }), 'DENY_CERT_HASH_MISMATCH')
    assert.equal(await ask(zpe, token, { certificate, unbound: 'accept' }), 'ALLOW')
    assert.equal(await ask(zpe, token, { certificate: undefined }), 'ALLOW')
    assert.equal(await ask(zpe, await world.roleToken(), { certificate }), 'ALLOW')
  })
})
