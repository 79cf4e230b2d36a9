import assert from 'node:assert/strict'
import { createHmac, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import * as jose from 'jose'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import {
  audiencesOf,
  JWT_ALGORITHMS,
  type JwtClaims,
  type JwtFailureCode,
  type JwtRules,
  JwtWriter,
  parseJwt,
  signJwt,
  textClaim,
  timeClaim,
  verifyJwt,
} from '#core/token/json-web-token.ts'

const NOW = 1_800_000_000
const CLAIMS = { iss: 'https://zts.example.com', sub: 'sports.api', exp: NOW + 300 }

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey
const SIGNERS: readonly Signer[] = [
  createSigner(rsa, 'r'),
  createSigner(p256, 'e'),
  createSigner(p384, 'e384'),
  createSigner(p521, 'e521'),
]
const signer = createSigner(p256, 'e')

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token with any header, signed with the EC key in the right way. */
function crafted(header: unknown, claims: unknown = CLAIMS, by: Signer = signer): string {
  const input = `${encode(header)}.${encode(claims)}`
  const signature = by.signJose(input)
  assert.ok(Buffer.isBuffer(signature))
  return `${input}.${signature.toString('base64url')}`
}

const verify = (text: string, rules: Partial<JwtRules> = {}) =>
  verifyJwt(text, { keyOf: () => signer.publicKey, nowSeconds: NOW, ...rules })

async function refused(text: string, code: JwtFailureCode, reason: RegExp, rules: Partial<JwtRules> = {}) {
  const outcome = await verify(text, rules)
  assert.ok(!outcome.ok, 'the token was accepted')
  assert.equal(outcome.failure.code, code)
  assert.match(outcome.failure.reason, reason)
}

describe('signJwt', () => {
  it('writes kid, typ and alg in this order', async () => {
    const [header = ''] = (await signJwt(signer, CLAIMS, { typ: 'at+jwt' })).split('.')
    assert.equal(Buffer.from(header, 'base64url').toString(), '{"kid":"e","typ":"at+jwt","alg":"ES256"}')
  })

  it('leaves out a type that is not given', async () => {
    const [header = ''] = (await signJwt(signer, CLAIMS)).split('.')
    assert.equal(Buffer.from(header, 'base64url').toString(), '{"kid":"e","alg":"ES256"}')
  })

  it('answers at once for P-256, which the event loop signs', () => {
    assert.equal(typeof signJwt(signer, CLAIMS), 'string')
  })

  for (const each of SIGNERS) {
    it(`writes tokens with ${each.kind.name} that another implementation accepts`, async () => {
      const token = await signJwt(each, CLAIMS, { typ: 'at+jwt' })
      const { payload, protectedHeader } = await jose.jwtVerify(token, each.publicKey, {
        algorithms: [each.joseAlgorithm],
        typ: 'at+jwt',
        issuer: CLAIMS.iss,
        subject: CLAIMS.sub,
        currentDate: new Date(NOW * 1000),
      })
      assert.deepEqual(payload, CLAIMS)
      assert.equal(protectedHeader.kid, each.keyId)
    })
  }
})

describe('JwtWriter', () => {
  it('follows a change of the key', async () => {
    const writer = new JwtWriter()
    for (const each of [SIGNERS[0], SIGNERS[1], SIGNERS[0]] as Signer[]) {
      const token = await writer.write(each, CLAIMS)
      assert.deepEqual(jose.decodeProtectedHeader(token), { kid: each.keyId, alg: each.joseAlgorithm })
      await jose.jwtVerify(token, each.publicKey, { currentDate: new Date(NOW * 1000) })
    }
  })
})

describe('verifyJwt', () => {
  for (const each of SIGNERS) {
    it(`accepts tokens of another implementation with ${each.kind.name}`, async () => {
      const token = await new jose.SignJWT(CLAIMS)
        .setProtectedHeader({ alg: each.joseAlgorithm, kid: each.keyId })
        .sign(each.privateKey)
      const outcome = await verify(token, { keyOf: ({ kid }) => (kid === each.keyId ? each.publicKey : undefined) })
      assert.ok(outcome.ok)
      assert.deepEqual(outcome.token.claims, CLAIMS)
    })
  }

  for (const alg of ['RS384', 'RS512']) {
    it(`accepts ${alg}`, async () => {
      const token = await new jose.SignJWT(CLAIMS).setProtectedHeader({ alg }).sign(rsa)
      assert.ok((await verify(token, { keyOf: () => SIGNERS[0]?.publicKey })).ok)
    })
  }

  it('gives the key finder what the token says, before it is verified', async () => {
    const seen: unknown[] = []
    await verify(crafted({ alg: 'ES256', kid: 'k7' }), { keyOf: (header, claims) => void seen.push(header, claims) })
    assert.deepEqual(seen, [{ alg: 'ES256', kid: 'k7' }, CLAIMS])
  })

  it('waits for a key that has to be fetched', async () => {
    assert.ok((await verify(crafted({ alg: 'ES256' }), { keyOf: async () => signer.publicKey })).ok)
  })

  it('refuses a token of an unknown key', () =>
    refused(crafted({ alg: 'ES256', kid: '../x' }), 'unknown-key', /key \.\.\/x is not known/, {
      keyOf: () => undefined,
    }))

  for (const alg of ['none', 'None', 'nOnE', '', 'EdDSA', 'PS256', 'HS256', 'ES256K']) {
    it(`refuses the algorithm "${alg}"`, () =>
      refused(crafted({ alg }), 'bad-algorithm', /algorithm .*is not accepted/))
  }

  it('refuses a token without algorithm, and one without signature', async () => {
    await refused(crafted({ kid: 'e' }), 'malformed', /names no algorithm/)
    await refused(`${encode({ alg: 'ES256' })}.${encode(CLAIMS)}.`, 'malformed', /signature is missing/)
  })

  it('refuses an algorithm of another kind of key', async () => {
    await refused(crafted({ alg: 'RS256' }), 'bad-signature', /does not match/)
    await refused(crafted({ alg: 'ES384' }), 'bad-signature', /does not match/)
  })

  const publicTexts = {
    PEM: signer.publicKeyPem,
    DER: signer.publicKey.export({ format: 'der', type: 'spki' }),
    JWK: JSON.stringify(signer.publicKey.export({ format: 'jwk' })),
  }
  for (const [format, secret] of Object.entries(publicTexts)) {
    it(`refuses HMAC with the public key as ${format}`, async () => {
      const input = `${encode({ alg: 'HS256' })}.${encode(CLAIMS)}`
      const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      await refused(token, 'bad-algorithm', /HS256 is not accepted/)
      await refused(token, 'bad-signature', /does not match/, { algorithms: new Set([...JWT_ALGORITHMS, 'HS256']) })
    })
  }

  it('refuses a DER signature, a signature of zeros, and one with a byte more', async () => {
    const token = crafted({ alg: 'ES256' })
    const input = token.slice(0, token.lastIndexOf('.'))
    const der = signer.sign(input)
    assert.ok(Buffer.isBuffer(der))
    const right = Buffer.from(token.slice(input.length + 1), 'base64url')
    for (const signature of [der, Buffer.alloc(64), Buffer.concat([right, Buffer.alloc(1)]), right.subarray(1)]) {
      await refused(`${input}.${signature.toString('base64url')}`, 'bad-signature', /does not match/)
    }
  })

  for (const [name, header] of Object.entries({
    crit: { alg: 'ES256', crit: ['exp'] },
    b64: { alg: 'ES256', b64: false },
    zip: { alg: 'ES256', zip: 'DEF' },
    enc: { alg: 'ES256', enc: 'A256GCM' },
  })) {
    it(`refuses a header with ${name}`, () => refused(crafted(header), 'malformed', new RegExp(`has ${name}`)))
  }

  it('takes no key out of the token', () => {
    const other = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'o')
    const jwk = other.publicKey.export({ format: 'jwk' })
    const header = {
      alg: 'ES256',
      jwk,
      jku: 'https://attacker.example.com',
      x5u: 'https://a.example.com',
      x5c: ['AA=='],
    }
    return refused(crafted(header, CLAIMS, other), 'bad-signature', /does not match/)
  })

  describe('types', () => {
    const withType = (typ?: unknown) => crafted({ alg: 'ES256', ...(typ !== undefined && { typ }) })

    it('compares them without case and prefix', async () => {
      for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt']) {
        assert.ok((await verify(withType(typ), { types: ['at+jwt'] })).ok, typ)
      }
    })

    it('refuses others', async () => {
      await refused(withType('jwt'), 'bad-type', /type jwt/, { types: ['at+jwt'] })
      await refused(withType(), 'bad-type', /type not given/, { types: ['at+jwt'] })
      await refused(withType(7), 'malformed', /type is not a text/, { types: [undefined] })
      assert.ok((await verify(withType(), { types: [undefined] })).ok)
    })
  })

  describe('times', () => {
    const at = (times: object) => crafted({ alg: 'ES256' }, { sub: 'a', ...times })

    it('demands a time of expiry', async () => {
      for (const exp of [undefined, null, 'tomorrow', '1', -1, 2 ** 53, { a: 1 }]) {
        await refused(at({ exp }), 'no-expiry', /no time of expiry/)
      }
    })

    it('allows clocks to differ by a minute, or what is said', async () => {
      assert.ok((await verify(at({ exp: NOW - 59 }))).ok)
      await refused(at({ exp: NOW - 60 }), 'expired', /60 seconds ago/)
      await refused(at({ exp: NOW }), 'expired', /0 seconds ago/, { allowedSkewSeconds: 0 })
      assert.ok((await verify(at({ exp: NOW + 0.5 }), { allowedSkewSeconds: 0 })).ok)
    })

    it('heeds a time of beginning', async () => {
      const exp = NOW + 1000
      assert.ok((await verify(at({ exp, nbf: NOW + 60 }))).ok)
      await refused(at({ exp, nbf: NOW + 61 }), 'not-yet-valid', /61 seconds from now/)
      await refused(at({ exp, nbf: 'now' }), 'malformed', /no time/)
    })

    it('does not mind when a token was issued, as long as that is a time', async () => {
      assert.ok((await verify(at({ exp: NOW + 1000, iat: NOW + 500 }))).ok)
      for (const iat of ['now', String(NOW), null, { a: 1 }]) {
        await refused(at({ exp: NOW + 1000, iat }), 'malformed', /time of issue is no time/)
      }
    })
  })

  describe('shared secrets', () => {
    const secret = (bytes: number) => createSecretKey(Buffer.alloc(bytes, 7))
    const hmac = async (alg: string, key: KeyObject) =>
      new jose.SignJWT(CLAIMS).setProtectedHeader({ alg }).sign(key.export())
    const algorithms = new Set(['HS256', 'HS384', 'HS512'])

    for (const [alg, bytes] of [
      ['HS256', 32],
      ['HS384', 48],
      ['HS512', 64],
    ] as const) {
      it(`accepts ${alg} with a secret of ${bytes} bytes and not with less`, async () => {
        const key = secret(bytes)
        assert.ok((await verify(await hmac(alg, key), { algorithms, keyOf: () => key })).ok)
        const short = secret(bytes - 1)
        const token = `${encode({ alg })}.${encode(CLAIMS)}`
        const signature = createHmac(alg.replace('HS', 'sha'), short).update(token).digest('base64url')
        await refused(`${token}.${signature}`, 'bad-signature', /does not match/, { algorithms, keyOf: () => short })
      })
    }

    it('refuses another secret, and other algorithms', async () => {
      const token = await hmac('HS256', secret(32))
      await refused(token, 'bad-signature', /does not match/, { algorithms, keyOf: () => secret(33) })
      await refused(crafted({ alg: 'ES256' }), 'bad-signature', /does not match/, { keyOf: () => secret(64) })
    })
  })
})

describe('parseJwt', () => {
  const good = crafted({ alg: 'ES256', kid: 'e', typ: 'JWT' })
  const [head = '', payload = '', signature = ''] = good.split('.')

  it('reads header, claims and signature', () => {
    const parsed = parseJwt(good)
    assert.ok(parsed.ok)
    assert.deepEqual(parsed.token.header, { alg: 'ES256', kid: 'e', typ: 'jwt' })
    assert.deepEqual(parsed.token.claims, CLAIMS)
    assert.equal(parsed.token.signingInput, `${head}.${payload}`)
    assert.equal(parsed.token.signature.toString('base64url'), signature)
  })

  for (const [name, text] of Object.entries({
    'empty text': '',
    'two parts': `${head}.${payload}`,
    'four parts': `${good}.x`,
    'five parts, an encrypted token': `${head}.${payload}.${signature}.x.y`,
    'a padded header': `${head}=.${payload}.${signature}`,
    'a padded signature': `${good}==`,
    'plain base64': `${head}.${payload}.++//`,
    'a line feed': `${good}\n`,
    'a blank': ` ${good}`,
    'surplus bits': `${head}.${payload}.AB`,
    'a header that is a list': `${encode([])}.${payload}.${signature}`,
    'a header that is null': `${encode('null')}.${payload}.${signature}`,
    'claims that are a text': `${head}.${encode('"x"')}.${signature}`,
    'claims that are no JSON': `${head}.${encode('{')}.${signature}`,
    'a byte order mark': `${head}.${encode('\ufeff{}')}.${signature}`,
    'claims that are not UTF-8': `${head}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${signature}`,
    'a key id that is a number': `${encode({ alg: 'ES256', kid: 1 })}.${payload}.${signature}`,
  })) {
    it(`refuses ${name}`, () => {
      const parsed = parseJwt(text)
      assert.ok(!parsed.ok)
      assert.equal(parsed.failure.code, 'malformed')
    })
  }

  it('refuses what is too long before it is looked at', () => {
    const parsed = parseJwt('.'.repeat(1_048_577))
    assert.ok(!parsed.ok)
    assert.match(parsed.failure.reason, /longer than/)
  })

  it('never throws, and reads nothing but what it would write', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), mutated(good)), (text) => {
        const parsed = parseJwt(text)
        if (!parsed.ok) return
        const { signingInput, signature: bytes } = parsed.token
        assert.equal(`${signingInput}.${bytes.toString('base64url')}`, text)
      }),
    )
  })

  it('verifies nothing that was changed', async () => {
    await fc.assert(
      fc.asyncProperty(mutated(good), async (text) => {
        fc.pre(text !== good)
        assert.ok(!(await verify(text)).ok)
      }),
      { numRuns: 200 },
    )
  })

  it('survives claims with the names of object members', async () => {
    const token = crafted({ alg: 'ES256' }, `{"__proto__":{"polluted":1},"constructor":{},"exp":${NOW + 9}}`)
    const outcome = await verify(token)
    assert.ok(outcome.ok)
    assert.equal(textClaim(outcome.token.claims, 'toString'), undefined)
    assert.equal(Reflect.get({}, 'polluted'), undefined)
  })
})

/** The text with some of its characters changed, removed or doubled. */
function mutated(text: string): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat({ max: text.length - 1 }),
    kind: fc.constantFrom('replace', 'remove', 'double'),
    by: fc.constantFrom('A', 'B', '_', '.', '=', ' ', '\u0000', 'é'),
  })
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let result = text
    for (const { at, kind, by } of changes) {
      const middle = kind === 'remove' ? '' : kind === 'double' ? result.slice(at, at + 1).repeat(2) : by
      result = result.slice(0, at) + middle + result.slice(at + 1)
    }
    return result
  })
}

describe('claims', () => {
  it('gives texts and times only when they are such', () => {
    const claims: JwtClaims = { a: 'x', b: 1, c: null, d: -1, e: Number.NaN, f: ['x'] }
    assert.deepEqual(
      ['a', 'b', 'c', 'f', 'g'].map((name) => textClaim(claims, name)),
      ['x', undefined, undefined, undefined, undefined],
    )
    assert.deepEqual(
      ['a', 'b', 'd', 'e', 'g'].map((name) => timeClaim(claims, name)),
      [undefined, 1, undefined, undefined, undefined],
    )
  })

  it('gives audiences, and none when one of them is no text', () => {
    assert.deepEqual(audiencesOf({ aud: 'a' }), ['a'])
    assert.deepEqual(audiencesOf({ aud: ['a', 'b'] }), ['a', 'b'])
    for (const aud of [undefined, null, 7, ['a', 7], {}]) assert.deepEqual(audiencesOf({ aud }), [])
  })
})
