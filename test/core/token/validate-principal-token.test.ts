import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import {
  type PrincipalTokenClaims,
  signAuthorizedService,
  signPrincipalToken,
} from '#core/token/sign-principal-token.ts'
import { type PrincipalTokenRules, validatePrincipalToken } from '#core/token/validate-principal-token.ts'

const NOW = 1_700_000_000
const HOUR = 3600
const MAX_EXPIRY = 2_592_000
const OFFSET = 300

const RSA = createSigner(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'r1')
const P256 = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'e1')
const P384 = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'e2')
const P521 = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey, 'e3')
const ZMS = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'zms.0')
const ZTS = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'zts.0')
const UI = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'u1')
const CLI = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'c1')
const STRANGER = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'e1')

const KEYS = new Map<string, KeyObject>([
  ...[RSA, P256, P384, P521].map((signer) => [`sports.api ${signer.keyId}`, signer.publicKey] as const),
  ['sys.auth.zms zms.0', ZMS.publicKey],
  ['sys.auth.zts zts.0', ZTS.publicKey],
  ['ui.web u1', UI.publicKey],
  ['ui.cli c1', CLI.publicKey],
  ['sports.team.api e1', P256.publicKey],
  ['sports.weak w1', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey],
])

const RULES: PrincipalTokenRules = {
  nowSeconds: NOW,
  allowedOffsetSeconds: OFFSET,
  maxExpirySeconds: MAX_EXPIRY,
  userDomain: 'user',
  publicKey: async (domain, service, keyId) => KEYS.get(`${domain}.${service} ${keyId}`),
}

const SERVICE: PrincipalTokenClaims = { version: 'S1', domain: 'sports', name: 'api', issueTimeSeconds: NOW }
const USER: PrincipalTokenClaims = { version: 'U1', domain: 'user', name: 'joe', issueTimeSeconds: NOW, ip: '10.0.0.1' }

const accepts = async (text: string, rules: Partial<PrincipalTokenRules> = {}) => {
  const outcome = await validatePrincipalToken(text, { ...RULES, ...rules })
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.failure.reason)
  return outcome
}

const refuses = async (text: string, code: string, reason: RegExp, rules: Partial<PrincipalTokenRules> = {}) => {
  const outcome = await validatePrincipalToken(text, { ...RULES, ...rules })
  assert.ok(!outcome.ok, 'the token was accepted')
  assert.equal(outcome.failure.code, code)
  assert.match(outcome.failure.reason, reason)
  return outcome
}

const signText = async (text: string, signer: Signer) => `${text};s=${encodeYBase64(await signer.sign(text))}`

const at = (issueTimeSeconds: number, expiryTimeSeconds: number) =>
  signPrincipalToken({ ...SERVICE, issueTimeSeconds, expiryTimeSeconds }, P256)

const request = (method: string) => ({ remoteAddress: '10.0.0.1', method })

const single = () => signPrincipalToken({ ...USER, authorizedServices: ['ui.web'] }, ZMS)
const several = () => signPrincipalToken({ ...USER, authorizedServices: ['ui.web', 'ui.cli'] }, ZMS)
const chain = async (token: string, service: string, signer: Signer) => {
  const text = await signAuthorizedService(token, service, signer)
  assert.ok(typeof text === 'string')
  return text
}

describe('validatePrincipalToken: signature', () => {
  for (const signer of [RSA, P256, P384, P521]) {
    it(`accepts a token signed with ${signer.kind.name}`, async () => {
      const { token, authorizedService } = await accepts(await signPrincipalToken(SERVICE, signer))
      assert.equal(token.domain, 'sports')
      assert.equal(token.name, 'api')
      assert.equal(authorizedService, undefined)
    })
  }

  for (const [keyId, make] of [
    ['r1', 'genrsa -out KEY 2048'],
    ['e1', 'ecparam -name prime256v1 -genkey -noout -out KEY'],
  ] as const) {
    it(`accepts a token that openssl has signed with the key of: openssl ${make}`, async (context) => {
      const directory = mkdtempSync(join(tmpdir(), 'athenz-token-'))
      context.after(() => rmSync(directory, { recursive: true }))
      const key = join(directory, 'key.pem')
      execFileSync('openssl', make.replace('KEY', key).split(' '), { stdio: 'ignore' })
      const text = `v=S1;d=sports;n=api;k=${keyId};z=;h=localhost;a=abc;t=${NOW};e=${NOW + HOUR}`
      const signature = execFileSync('openssl', ['dgst', '-sha256', '-sign', key], { input: text })
      await accepts(`${text};s=${encodeYBase64(signature)}`, {
        publicKey: async () => createPublicKey(readFileSync(key)),
      })
    })
  }

  it('refuses a token with any character of the signed text changed', async () => {
    const text = await signPrincipalToken({ ...SERVICE, host: 'h1', salt: 'ff', ip: '10.0.0.1' }, P256)
    const signed = text.indexOf(';s=')
    for (let index = 0; index < signed; index += 1) {
      const changed = `${text.slice(0, index)}${text[index] === '0' ? '1' : '0'}${text.slice(index + 1)}`
      const outcome = await validatePrincipalToken(changed, { ...RULES, publicKey: async () => P256.publicKey })
      assert.equal(outcome.ok, false, changed)
    }
  })

  for (const field of ['v', 'd', 'n', 'h', 'a', 't', 'e', 'k', 'z', 'o', 'i', 'b'] as const) {
    it(`refuses a token whose field ${field} was changed, because of the signature`, async () => {
      const claims = { ...SERVICE, host: 'h', salt: '1', originalRequestor: 'user.x', ip: '::1' }
      const text = await signAuthorizedService(
        await signPrincipalToken({ ...claims, keyService: 'zts', authorizedServices: ['ui.web'] }, ZTS),
        'ui.web',
        UI,
      )
      assert.ok(typeof text === 'string')
      await accepts(text)
      const replacement =
        { t: String(NOW + 1), e: String(NOW + HOUR + 1), z: 'zms', b: 'ui.web,ui.cli' }[field as 't'] ?? 'x1'
      const changed = text
        .replace(new RegExp(`(^|;)${field}=[^;]*`), `$1${field}=${replacement}`)
        .replace(';bs=', field === 'b' ? ';bn=ui.web;bs=' : ';bs=')
      assert.notEqual(changed, text)
      await refuses(changed, 'bad-signature', /does not match/, {
        publicKey: async (_domain, service) => (service === 'web' ? UI : ZTS).publicKey,
      })
    })
  }

  it('refuses a token signed with another key of the same id', async () => {
    await refuses(
      await signPrincipalToken(SERVICE, STRANGER),
      'bad-signature',
      /does not match \(key e1 of sports\.api\)/,
    )
  })

  it('refuses a signature that is not ybase64', async () => {
    const text = await signPrincipalToken(SERVICE, RSA)
    await refuses(`${text.slice(0, -3)}!!!`, 'bad-signature', /the signature is not ybase64/)
    const short = text.slice(0, text.indexOf(';s=') + 3)
    await refuses(`${short}YWJj`, 'bad-signature', /does not match/)
  })

  it('refuses an ECDSA signature written as r || s, and one of zeros', async () => {
    const text = `v=S1;d=sports;n=api;t=${NOW};e=${NOW + HOUR};k=e1`
    const raw = await P256.signJose(text, 'p1363')
    await refuses(`${text};s=${encodeYBase64(raw)}`, 'bad-signature', /does not match/)
    await refuses(
      `${text};s=${encodeYBase64(Buffer.from('3006020100020100', 'hex'))}`,
      'bad-signature',
      /does not match/,
    )
  })

  it('refuses a token whose key is unknown or too weak', async () => {
    await refuses(
      await signText(`v=S1;d=sports;n=api;e=${NOW};k=9`, P256),
      'unknown-key',
      /no such public key \(key 9 of sports\.api\)/,
    )
    await refuses(await signText(`v=S1;d=sports;n=weak;e=${NOW};k=w1`, P256), 'unknown-key', /1024 bits is too short/)
  })

  it('passes on the failure of the key store', async () => {
    await assert.rejects(
      validatePrincipalToken(await signPrincipalToken(SERVICE, P256), {
        ...RULES,
        publicKey: async () => assert.fail('store is down'),
      }),
      /store is down/,
    )
  })

  it('gives the signed text of a refused token for the log, without the signature', async () => {
    const text = await signPrincipalToken(SERVICE, STRANGER)
    const { signedText } = await refuses(text, 'bad-signature', /./)
    assert.equal(signedText, text.slice(0, text.indexOf(';s=')))
  })
})

describe('validatePrincipalToken: whose key', () => {
  it('lowers domain and name before the look-up', async () => {
    await accepts(await signPrincipalToken({ ...SERVICE, domain: 'SPORTS', name: 'API' }, P256))
  })

  it('takes the ZMS key for tokens of users, whatever the version says', async () => {
    await accepts(await signPrincipalToken(USER, ZMS))
    await accepts(await signPrincipalToken({ ...USER, version: 'S1' }, ZMS))
    await refuses(await signPrincipalToken(USER, P256), 'unknown-key', /key e1 of sys\.auth\.zms/)
  })

  it('takes the key of the server named by the token', async () => {
    await accepts(await signPrincipalToken({ ...SERVICE, keyService: 'zms' }, ZMS))
    await accepts(await signPrincipalToken({ ...SERVICE, keyService: 'zts' }, ZTS))
    await refuses(
      await signPrincipalToken({ ...SERVICE, keyService: 'zts' }, ZMS),
      'unknown-key',
      /key zms\.0 of sys\.auth\.zts/,
    )
  })

  it('takes the key of the service itself when another server is named', async () => {
    await accepts(await signText(`v=S1;d=sports;n=api;t=${NOW};e=${NOW};k=e1;z=other`, P256))
  })

  it('accepts any version', async () => {
    await accepts(await signText(`v=S2;d=sports;n=api;t=${NOW};e=${NOW};k=e1`, P256))
  })

  it('takes no key for a name with a period', async () => {
    await accepts(await signText(`v=S1;d=sports.team;n=api;e=${NOW};k=e1`, P256))
    await refuses(await signText(`v=S1;d=sports;n=team.api;e=${NOW};k=e1`, P256), 'unknown-key', /no such public key/)
  })
})

describe('validatePrincipalToken: times', () => {
  const accepted: [name: string, issued: number, expires: number][] = [
    ['expires this very second', NOW - HOUR, NOW],
    ['was issued in the future within the allowed offset', NOW + OFFSET, NOW + HOUR],
    ['lives as long as allowed, offset included', NOW, NOW + MAX_EXPIRY + OFFSET],
    ['does not say when it was issued', 0, NOW],
  ]
  for (const [name, issued, expires] of accepted) {
    it(`accepts a token that ${name}`, async () => void (await accepts(await at(issued, expires))))
  }

  const refused: [name: string, issued: number, expires: number, code: string, reason: RegExp][] = [
    ['has expired a second ago', NOW - HOUR, NOW - 1, 'expired', /1 seconds ago/],
    ['was issued beyond the offset', NOW + OFFSET + 1, NOW + HOUR, 'issued-in-future', /301 seconds from now/],
    ['lives too long', NOW, NOW + MAX_EXPIRY + OFFSET + 1, 'expires-too-late', /2592301 seconds from now/],
    ['never expires', NOW, 0, 'expired', /expired at 0/],
  ]
  for (const [name, issued, expires, code, reason] of refused) {
    it(`refuses a token that ${name}`, async () => void (await refuses(await at(issued, expires), code, reason)))
  }

  it('accepts a token without expiry only when allowed and not for writing', async () => {
    const text = await at(NOW, 0)
    await accepts(text, { allowNoExpiry: true, request: request('GET') })
    await accepts(text, { allowNoExpiry: true, request: request('OPTIONS') })
    for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) {
      await refuses(text, 'expired', /expired at 0/, { allowNoExpiry: true, request: request(method) })
    }
    await refuses(text, 'expired', /expired at 0/, { allowNoExpiry: true })
    await refuses(text, 'expired', /expired at 0/, { request: request('GET') })
  })

  it('does not look up a key for a token whose times are bad', async () => {
    await refuses(await at(NOW - HOUR, NOW - 1), 'expired', /./, { publicKey: () => assert.fail('looked up') })
  })
})

describe('validatePrincipalToken: authorized services', () => {
  it('tells which service has signed', async () => {
    assert.equal((await accepts(await chain(await single(), 'ui.web', UI))).authorizedService, 'ui.web')
    assert.equal((await accepts(await chain(await several(), 'ui.cli', CLI))).authorizedService, 'ui.cli')
  })

  it('refuses a token that authorizes services none of which has signed', async () => {
    await refuses(await single(), 'bad-delegation', /no authorized service has signed/)
  })

  it('refuses a service signature where no service is authorized', async () => {
    const text = `${await signPrincipalToken(USER, ZMS)};bk=u1;bn=ui.web`
    await refuses(`${text};bs=${encodeYBase64(await UI.sign(text))}`, 'bad-delegation', /although none is authorized/)
  })

  it('refuses a token of several services that does not name the signer', async () => {
    const text = `${await several()};bk=u1`
    await refuses(
      `${text};bs=${encodeYBase64(await UI.sign(text))}`,
      'bad-delegation',
      /which of the authorized services/,
    )
  })

  it('refuses a signer that is not authorized', async () => {
    const text = `${await several()};bk=c1;bn=ui.other`
    await refuses(`${text};bs=${encodeYBase64(await UI.sign(text))}`, 'bad-delegation', /ui\.other is not among/)
  })

  it('refuses a signer without a domain', async () => {
    const text = `${await signPrincipalToken({ ...USER, authorizedServices: ['web'] }, ZMS)};bk=u1`
    await refuses(`${text};bs=${encodeYBase64(await UI.sign(text))}`, 'bad-delegation', /web is not the full name/)
  })

  it('refuses the fields of a delegation without its signature', async () => {
    await refuses(`${await single()};bk=u1`, 'bad-delegation', /signature of the authorized service is missing/)
    await refuses(`${await single()};bk=u1;bs=`, 'bad-delegation', /signature of the authorized service is missing/)
  })

  it('refuses a signature by another key, naming that key', async () => {
    await refuses(
      await chain(await single(), 'ui.web', createSigner(CLI.privateKey, 'u1')),
      'bad-signature',
      /key u1 of ui\.web/,
    )
    await refuses(
      await chain(await single(), 'ui.web', createSigner(CLI.privateKey, 'x9')),
      'unknown-key',
      /key x9 of ui\.web/,
    )
  })

  it("refuses a service's signature moved to another token", async () => {
    const first = await chain(await single(), 'ui.web', UI)
    const moved = `${await single()}${first.slice(first.indexOf(';bk='))}`
    await refuses(moved, 'bad-signature', /key u1 of ui\.web/)
  })

  it('still verifies the own signature of the token', async () => {
    const forged = await signPrincipalToken(
      { ...USER, authorizedServices: ['ui.web'] },
      createSigner(UI.privateKey, 'zms.0'),
    )
    await refuses(await chain(forged, 'ui.web', UI), 'bad-signature', /key zms\.0 of sys\.auth\.zms/)
  })

  it('is not begun for a token that does not authorize the service, or is signed already', async () => {
    const unauthorized = await signAuthorizedService(await single(), 'ui.cli', CLI)
    assert.ok(typeof unauthorized !== 'string')
    assert.deepEqual(unauthorized, { code: 'bad-delegation', reason: 'the token does not authorize ui.cli' })
    const twice = await signAuthorizedService(await chain(await single(), 'ui.web', UI), 'ui.web', UI)
    assert.ok(typeof twice !== 'string')
    assert.match(twice.reason, /has signed already/)
    const garbage = await signAuthorizedService('garbage', 'ui.web', UI)
    assert.ok(typeof garbage !== 'string')
    assert.equal(garbage.code, 'malformed')
  })
})

describe('validatePrincipalToken: address', () => {
  const GET = { remoteAddress: '10.0.0.9', method: 'GET' }
  const PUT = { remoteAddress: '10.0.0.9', method: 'PUT' }
  const mismatch = /issued to 10\.0\.0\.1, presented from 10\.0\.0\.9/

  it('must be that of the user for writing operations, by default', async () => {
    const text = await signPrincipalToken(USER, ZMS)
    await accepts(text, { request: GET })
    for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) {
      await refuses(text, 'address-mismatch', mismatch, { request: { ...PUT, method } })
    }
    await accepts(text, { request: { remoteAddress: '10.0.0.1', method: 'PUT' } })
    await accepts(text, { request: { remoteAddress: '::ffff:10.0.0.1', method: 'PUT' } })
  })

  it('must be that of the user for all operations under OPS_ALL', async () => {
    const text = await signPrincipalToken(USER, ZMS)
    await refuses(text, 'address-mismatch', mismatch, { request: GET, addressCheck: 'OPS_ALL' })
  })

  it('does not matter under OPS_NONE, nor without a request', async () => {
    const text = await signPrincipalToken(USER, ZMS)
    await accepts(text, { request: PUT, addressCheck: 'OPS_NONE' })
    await accepts(text)
  })

  it('does not matter for services', async () => {
    for (const version of ['S1', 'U1'] as const) {
      const text = await signPrincipalToken({ ...SERVICE, version, ip: '10.0.0.1' }, P256)
      await accepts(text, { request: PUT, addressCheck: 'OPS_ALL' })
    }
  })

  it('may be that of an authorized service on a write, but not under OPS_ALL', async () => {
    const text = await signAuthorizedService(
      await signPrincipalToken({ ...USER, authorizedServices: ['ui.web'] }, ZMS),
      'ui.web',
      UI,
    )
    assert.ok(typeof text === 'string')
    await accepts(text, { request: PUT })
    await refuses(text, 'address-mismatch', mismatch, { request: PUT, addressCheck: 'OPS_ALL' })
  })

  it('counts as different when the token has none', async () => {
    const text = await signPrincipalToken({ ...USER, ip: undefined }, ZMS)
    await refuses(text, 'address-mismatch', /issued to no address/, { request: PUT })
  })
})
