import { ok as assertOk, deepStrictEqual, strictEqual } from 'node:assert/strict'
import { createPublicKey, createSecretKey, generateKeyPairSync } from 'node:crypto'
import { parseBasicCredential } from '#core/authority/basic-credential.ts'
import { bearerToken, certificateBinding, scopesOf, textsOf } from '#core/authority/bearer-token.ts'
import { readJsonWebKeySet } from '#core/crypto/json-web-keys.ts'
import { findKeyKind } from '#core/crypto/key-kind.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { encodeYBase64, parseYBase64 } from '#core/crypto/ybase64.ts'
import { audiencesOf, JWT_ALGORITHMS, parseJwt, signJwt, timeClaim, verifyJwt } from '#core/token/json-web-token.ts'
import { signAuthorizedService, signPrincipalToken } from '#core/token/sign-principal-token.ts'
import { signRoleToken } from '#core/token/sign-role-token.ts'
import { validatePrincipalToken } from '#core/token/validate-principal-token.ts'
import { validateRoleToken } from '#core/token/validate-role-token.ts'
import type { FuzzTarget } from './fuzz-target.ts'

const NOW_SECONDS = 1_780_272_000
const HOUR_SECONDS = 3600

const signer = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, '0')
const delegate = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, '0')
const rsaKeys = generateKeyPairSync('rsa', { modulusLength: 2048 })
const secret = createSecretKey(Buffer.alloc(32, 7))

const never = (): boolean => false
const text = (input: Buffer): string => input.toString('utf8')

async function signedByService(token: string): Promise<string> {
  const signed = await signAuthorizedService(token, 'sports.api', delegate)
  assertOk(typeof signed === 'string')
  return signed
}

const userToken = await signPrincipalToken(
  { version: 'U1', domain: 'user', name: 'joe', issueTimeSeconds: NOW_SECONDS, ip: '10.0.0.1' },
  signer,
)
const authorizingToken = await signPrincipalToken(
  {
    version: 'U1',
    domain: 'user',
    name: 'joe',
    issueTimeSeconds: NOW_SECONDS,
    ip: '10.0.0.1',
    authorizedServices: ['sports.api', 'sports.web'],
  },
  signer,
)
const principalSeeds = [userToken, await signedByService(authorizingToken)]
const genuine = new Set(principalSeeds)
const FIELD_WORDS = [
  ';',
  '=',
  'v=U1;',
  'd=user',
  'n=admin',
  'k=0',
  'z=zts',
  's=',
  'bs=',
  'bk=',
  'bn=',
  'b=',
  'e=0',
  't=',
]

const principalToken: FuzzTarget = {
  name: 'principal-token',
  seeds: principalSeeds.map((token) => Buffer.from(token)),
  words: FIELD_WORDS,
  isRefusal: never,
  read: async (input) => {
    const token = text(input)
    const outcome = await validatePrincipalToken(token, {
      userDomain: 'user',
      nowSeconds: NOW_SECONDS + 1,
      allowedOffsetSeconds: 300,
      maxExpirySeconds: HOUR_SECONDS,
      publicKey: async (domain) => (domain === 'sys.auth' ? signer : delegate).publicKey,
    })
    if (!outcome.ok) strictEqual(typeof outcome.failure.reason, 'string')
    // One whose service has signed may lose that part, and only as a whole.
    else
      assertOk(
        [...genuine].some((each) => each === token || each.startsWith(token)),
        `accepted: ${token}`,
      )
  },
}

const roleText = await signRoleToken(
  {
    domain: 'sports',
    roles: ['readers', 'writers'],
    completeRoleSet: true,
    principal: 'user.joe',
    issueTimeSeconds: NOW_SECONDS,
    expiryTimeSeconds: NOW_SECONDS + HOUR_SECONDS,
  },
  signer,
)
const roleToken: FuzzTarget = {
  name: 'role-token',
  seeds: [Buffer.from(roleText)],
  words: [...FIELD_WORDS, 'r=admin', 'd=sys.auth', 'c=1', 'proxy='],
  isRefusal: never,
  read: async (input) => {
    const outcome = await validateRoleToken(text(input), {
      nowSeconds: NOW_SECONDS + 1,
      allowedOffsetSeconds: 300,
      maxExpirySeconds: HOUR_SECONDS,
      publicKey: async () => signer.publicKey,
    })
    if (outcome.ok) strictEqual(text(input), roleText)
  },
}

const claims = {
  iss: 'https://zts.example.com/zts/v1',
  aud: 'sports',
  sub: 'user.joe',
  scp: ['readers'],
  exp: NOW_SECONDS + HOUR_SECONDS,
  iat: NOW_SECONDS,
  cnf: { 'x5t#S256': 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0' },
}
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwtText = await signJwt(signer, claims, { typ: 'at+jwt' })
const JWT_WORDS = [
  '.',
  '..',
  '=',
  part({ alg: 'none' }),
  part({ alg: 'HS256', kid: '0' }),
  part({ alg: 'ES256', crit: ['b64'], b64: false }),
  part({ alg: 'ES256', jwk: signer.publicKey.export({ format: 'jwk' }) }),
  part({ sub: 'user.admin', exp: 1e10 }),
]

const jsonWebToken: FuzzTarget = {
  name: 'json-web-token',
  seeds: [jwtText, `${part({ alg: 'none' })}.${part(claims)}.`].map((token) => Buffer.from(token)),
  words: JWT_WORDS,
  isRefusal: never,
  read: async (input) => {
    const token = text(input)
    const rules = { nowSeconds: NOW_SECONDS, algorithms: new Set([...JWT_ALGORITHMS, 'HS256']) }
    for (const key of [signer.publicKey, rsaKeys.publicKey, secret]) {
      const outcome = await verifyJwt(token, { ...rules, keyOf: () => key })
      if (outcome.ok) deepStrictEqual([key, token], [signer.publicKey, jwtText])
    }
  },
}

/** JSON of claims, as a token of anybody may have them: what is asked of them must not depend on their kinds. */
const tokenClaims: FuzzTarget = {
  name: 'token-claims',
  seeds: [claims, { ...claims, aud: ['a', 'b'], scope: 'a b', scp: null }, { __proto__: null, toString: 1 }].map(
    (each) => Buffer.from(JSON.stringify(each)),
  ),
  words: [
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    'null',
    '"__proto__":',
    '"exp":',
    '1e400',
    '9007199254740993',
    '"cnf":{}',
    '\\ud800',
  ],
  isRefusal: never,
  read: (input) => {
    const outcome = parseJwt(`${part({ alg: 'ES256' })}.${input.toString('base64url')}.AAAA`)
    if (!outcome.ok) return
    const found = outcome.token.claims
    assertOk(audiencesOf(found).every((audience) => typeof audience === 'string'))
    for (const name of ['exp', 'nbf', 'iat', '__proto__', 'constructor']) {
      const seconds = timeClaim(found, name)
      assertOk(seconds === undefined || (Number.isFinite(seconds) && seconds >= 0))
    }
    assertOk([...textsOf(found, 'scp'), ...scopesOf(found)].every((scope) => typeof scope === 'string'))
    strictEqual(certificateBinding(found, undefined) === 'bound', false)
  },
}

const ybase64: FuzzTarget = {
  name: 'ybase64',
  seeds: ['', 'a', 'ab', 'abc', 'abcd'].map((each) => Buffer.from(encodeYBase64(each) || '-')),
  words: ['-', '--', '.', '_', '+', '/', '=', ' ', '\n'],
  isRefusal: never,
  read: (input) => {
    const bytes = parseYBase64(text(input))
    if (typeof bytes !== 'string') strictEqual(encodeYBase64(bytes), text(input))
  },
}

const keySet = JSON.stringify({
  keys: [
    { ...signer.publicKey.export({ format: 'jwk' }), kid: '0', use: 'sig', alg: 'ES256' },
    { ...rsaKeys.publicKey.export({ format: 'jwk' }), kid: '1', use: 'sig' },
    { kty: 'oct', k: 'AAAA' },
  ],
})
const jsonWebKeys: FuzzTarget = {
  name: 'json-web-keys',
  seeds: [Buffer.from(keySet)],
  words: ['"kty":"RSA"', '"e":"Aw"', '"crv":"P-192"', '"crv":"prime256v1"', '"x":""', '"d":"AAAA"', 'null', '{}', '[]'],
  isRefusal: (error) => error instanceof SyntaxError,
  read: (input) => {
    for (const { key } of readJsonWebKeySet(JSON.parse(text(input))) ?? []) {
      strictEqual(key.type, 'public')
      assertOk(typeof findKeyKind(key, 'jose') !== 'string')
      createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' })
    }
  },
}

const credentials: FuzzTarget = {
  name: 'credential-headers',
  seeds: [`Basic ${Buffer.from('joe:secret').toString('base64')}`, `Bearer ${jwtText}`].map((each) =>
    Buffer.from(each),
  ),
  words: ['Basic ', 'Bearer ', ':', '=', ' ', '\u0000', 'Og=='],
  isRefusal: never,
  read: (input) => {
    const header = input.toString('latin1')
    const found = parseBasicCredential(header)
    if (typeof found !== 'string') assertOk(!found.name.includes(':') && found.name !== '')
    const token = bearerToken(header)
    assertOk(token === undefined || token === token.trim())
  },
}

/** Readers of tokens, keys and headers that carry them. */
export const TOKEN_TARGETS: readonly FuzzTarget[] = [
  principalToken,
  roleToken,
  jsonWebToken,
  tokenClaims,
  ybase64,
  jsonWebKeys,
  credentials,
]
