import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { suite, test } from 'node:test'
import { publicKeyOf, publicKeyPem } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { parseJwt, signJwt } from '#core/token/json-web-token.ts'
import {
  type PrincipalTokenClaims,
  signAuthorizedService,
  signPrincipalToken,
} from '#core/token/sign-principal-token.ts'
import { type InstanceConfirmation, ProviderRefusal } from '#zts/cert/instance-provider.ts'
import { ZtsProvider, type ZtsProviderOptions } from '#zts/cert/providers/zts-provider.ts'
import { domainsOf } from '../../../support/zts-domains.ts'

const NOW = Date.parse('2026-08-02T00:00:00Z')
const NOW_SECONDS = NOW / 1000
const MINUTE = 60
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const own = createSigner(newKey(), 'ec0')
const service = createSigner(newKey(), '1')
const other = createSigner(newKey(), '0')
const registered = (key: KeyObject, id: string) => ({ id, key: encodeYBase64(publicKeyPem(publicKeyOf(key))) })
const domains = domainsOf(
  {
    name: 'sports',
    services: [
      { name: 'sports.api', publicKeys: [registered(service.privateKey, '1')] },
      { name: 'sports.web', publicKeys: [registered(other.privateKey, '0')] },
    ],
  },
  { name: 'sys.auth', services: [{ name: 'sys.auth.zts', publicKeys: [registered(service.privateKey, '1')] }] },
)

const providerWith = (options: Partial<ZtsProviderOptions> = {}) =>
  new ZtsProvider({
    provider: 'sys.auth.zts',
    domains,
    signer: () => own,
    registerTokenKeys: { keyOf: ({ kid }) => (kid === 'ec0' ? own.publicKey : undefined), close: () => {} },
    launches: () => true,
    dnsSuffixes: ['zts.athenz.cloud', 'second.example.com'],
    registerTokenLifeSeconds: 30 * MINUTE,
    principalTokens: { allowedOffsetSeconds: 300, maxExpirySeconds: 2_592_000 },
    userDomain: 'user',
    addressesOf: async (name) => (name === 'host-1.example.com' ? ['10.0.0.1', 'fe80::1%eth0'] : []),
    now: () => NOW,
    ...options,
  })

const ATTRIBUTES = {
  instanceId: 'i-1',
  clientIP: '10.0.0.1',
  sanDNS: 'api.sports.zts.athenz.cloud',
  sanURI: 'athenz://instanceid/sys.auth.zts/i-1',
  csrPublicKey: service.publicKeyPem,
}

const question = (
  attestationData: string,
  attributes: Record<string, string | undefined> = {},
): InstanceConfirmation => ({
  provider: 'sys.auth.zts',
  domain: 'sports',
  service: 'api',
  attestationData,
  attributes: Object.fromEntries(
    Object.entries({ ...ATTRIBUTES, ...attributes }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  ),
})

const registerToken = async (provider = providerWith()) => {
  const { attestationData } = await provider.instanceRegisterToken(
    question('', { principal: 'user.admin', csrPublicKey: undefined }),
  )
  return attestationData
}
const TOKEN = await registerToken()

const principalToken = (claims: Partial<PrincipalTokenClaims> = {}, signer = service) =>
  signPrincipalToken(
    {
      version: 'S1',
      domain: 'sports',
      name: 'api',
      issueTimeSeconds: NOW_SECONDS,
      expiryTimeSeconds: NOW_SECONDS + 3600,
      ...claims,
    },
    signer,
  )

const refusal = (reason: string) => (error: unknown) => {
  assert.ok(error instanceof ProviderRefusal, String(error))
  assert.equal(error.message, reason)
  assert.equal(error.status, 403)
  return true
}
const WRONG_TOKEN = refusal('Unable to validate Certificate Request Auth Token')

suite('register tokens', () => {
  test('say who may register as what, and who asked', () => {
    const parsed = parseJwt(TOKEN)
    assert.ok(parsed.ok)
    const { jti, ...claims } = parsed.token.claims
    assert.match(String(jti), /^[0-9a-f-]{36}$/)
    assert.deepEqual(parsed.token.header, { alg: 'ES256', kid: 'ec0', typ: 'jwt' })
    assert.deepEqual(claims, {
      sub: 'sports.api',
      aud: 'sys.auth.zts',
      iss: 'sys.auth.zts',
      provider: 'sys.auth.zts',
      domain: 'sports',
      service: 'api',
      instance_id: 'i-1',
      client_id: 'user.admin',
      iat: NOW_SECONDS,
    })
  })

  test('are good for their instance, whose record is kept', async () => {
    const answer = await providerWith().confirmInstance(question(TOKEN))
    assert.deepEqual(answer, {
      provider: 'sys.auth.zts',
      domain: 'sports',
      service: 'api',
      attestationData: '',
      attributes: {},
    })
  })

  test('are too old after a time at registration, and never at a renewal', async () => {
    const later = (minutes: number) => providerWith({ now: () => NOW + minutes * MINUTE * 1000 })
    await later(29).confirmInstance(question(TOKEN))
    await assert.rejects(later(30).confirmInstance(question(TOKEN)), WRONG_TOKEN)
    await later(60 * 24 * 365).refreshInstance(question(TOKEN))
    await assert.rejects(later(-5).refreshInstance(question(TOKEN)), WRONG_TOKEN)
  })

  test('are good for nothing else', async () => {
    const cases: readonly (readonly [string, object])[] = [
      ['another instance', question(TOKEN, { instanceId: 'i-2' })],
      ['no instance', question(TOKEN, { instanceId: undefined })],
      ['another case of letters', question(TOKEN, { instanceId: 'I-1' })],
      ['another service', { ...question(TOKEN), service: 'web' }],
      ['another domain', { ...question(TOKEN), domain: 'weather' }],
    ]
    for (const [name, asked] of cases) {
      await assert.rejects(providerWith().confirmInstance(asked as InstanceConfirmation), WRONG_TOKEN, name)
    }
    await assert.rejects(providerWith({ provider: 'sys.auth.other' }).confirmInstance(question(TOKEN)), WRONG_TOKEN)
  })

  test('are not what somebody else has signed, or signed for something else', async () => {
    const parsed = parseJwt(TOKEN)
    assert.ok(parsed.ok)
    const { claims } = parsed.token
    const [head = '', body = '', tail = ''] = TOKEN.split('.')
    const none = Buffer.from('{"alg":"none","kid":"ec0","typ":"jwt"}').toString('base64url')
    const cases: readonly (readonly [string, string])[] = [
      ['junk', 'junk'],
      ['no signature', `${head}.${body}.`],
      ['no algorithm', `${none}.${body}.`],
      ['another signature', `${head}.${body}.${tail.slice(0, -4)}AAAA`],
      ['another key', await signJwt(createSigner(newKey(), 'ec0'), claims, { typ: 'jwt' })],
      ['an unknown key', await signJwt(createSigner(own.privateKey, 'ec1'), claims, { typ: 'jwt' })],
      ['another type', await signJwt(own, claims, { typ: 'at+jwt' })],
      ['no type', await signJwt(own, claims)],
      ['two audiences', await signJwt(own, { ...claims, aud: ['sys.auth.zts', 'x'] }, { typ: 'jwt' })],
      ['no audience', await signJwt(own, { ...claims, aud: undefined }, { typ: 'jwt' })],
      ['no time', await signJwt(own, { ...claims, iat: undefined }, { typ: 'jwt' })],
      ['a time that is a text', await signJwt(own, { ...claims, iat: String(NOW_SECONDS) }, { typ: 'jwt' })],
      ['a list of services', await signJwt(own, { ...claims, service: ['api'] }, { typ: 'jwt' })],
    ]
    for (const [name, token] of cases) {
      await assert.rejects(providerWith().confirmInstance(question(token)), WRONG_TOKEN, name)
      await assert.rejects(providerWith().refreshInstance(question(token)), WRONG_TOKEN, name)
    }
  })
})

suite('tokens of the service itself', () => {
  test('vouch for the registered key, and no record is kept', async () => {
    const { attributes } = await providerWith().confirmInstance(question(await principalToken()))
    assert.deepEqual(attributes, { certRefresh: 'false' })
    await providerWith().refreshInstance(question(await principalToken()))
  })

  test('vouch for nothing else', async () => {
    const delegated = await principalToken({ authorizedServices: ['sports.web'] })
    const signedByOther = await signAuthorizedService(delegated, 'sports.web', other)
    const good = await principalToken()
    const cases: readonly (readonly [string, InstanceConfirmation])[] = [
      ['a request for another key', question(good, { csrPublicKey: other.publicKeyPem })],
      ['no key', question(good, { csrPublicKey: undefined })],
      ['another signature', question(`${good.slice(0, -6)}AAAAAA`)],
      ['no signature', question(good.slice(0, good.indexOf(';s=')))],
      ['another key', question(await principalToken({}, createSigner(newKey(), '1')))],
      ['an unknown key id', question(await principalToken({}, createSigner(service.privateKey, '9')))],
      [
        'expired',
        question(await principalToken({ issueTimeSeconds: NOW_SECONDS - 7200, expiryTimeSeconds: NOW_SECONDS - 1 })),
      ],
      ['from the future', question(await principalToken({ issueTimeSeconds: NOW_SECONDS + 301 }))],
      ['for too long', question(await principalToken({ expiryTimeSeconds: NOW_SECONDS + 2_593_000 }))],
      [
        'of another service',
        question(await principalToken({ name: 'web' }, other), { csrPublicKey: other.publicKeyPem }),
      ],
      ['signed in the name of ZTS', question(await principalToken({ keyService: 'zts' }))],
      ['signed in the name of ZMS', question(await principalToken({ keyService: 'zms' }))],
      ['another service acts for it', question(signedByOther as string)],
      ['another service may act for it', question(delegated)],
    ]
    for (const [name, asked] of cases) {
      await assert.rejects(providerWith().confirmInstance(asked), WRONG_TOKEN, name)
    }
  })
})

suite('what the certificate is to name', () => {
  const confirm = (attributes: Record<string, string | undefined>, options?: Partial<ZtsProviderOptions>) =>
    providerWith(options).confirmInstance(question(TOKEN, attributes))
  const host = { hostname: 'host-1.example.com', sanIP: '10.0.0.1' }

  test('is accepted', async () => {
    const cases: readonly Record<string, string | undefined>[] = [
      { sanDNS: 'API.Sports.zts.athenz.cloud' },
      { sanDNS: 'api.sports.second.example.com' },
      { sanDNS: 'node1.api.sports.zts.athenz.cloud,api.sports.zts.athenz.cloud' },
      { sanDNS: 'api.sports.zts.athenz.cloud,i-1.instanceid.athenz.zts.athenz.cloud' },
      { sanURI: undefined },
      { sanIP: '10.0.0.1' },
      { sanIP: '0:0:0:0:0:0:0:1', clientIP: '::1' },
      host,
      { ...host, sanIP: '10.0.0.1,fe80:0:0:0:0:0:0:1' },
      { ...host, sanURI: `${ATTRIBUTES.sanURI},athenz://hostname/host-1.example.com` },
    ]
    for (const attributes of cases) await confirm(attributes)
  })

  test('is refused when an address is not that of the caller or of the host', async () => {
    const address = refusal('Unable to validate request IP address')
    const hostname = refusal('Unable to validate certificate request hostname')
    const cases: readonly (readonly [Record<string, string | undefined>, ReturnType<typeof refusal>])[] = [
      [{ sanIP: '10.0.0.2' }, address],
      [{ sanIP: '10.0.0.1', clientIP: undefined }, address],
      [{ sanIP: '10.0.0.1,10.0.0.2' }, hostname],
      [{ hostname: 'host-1.example.com' }, hostname],
      [{ ...host, sanIP: '10.0.0.1,10.0.0.9' }, hostname],
      [{ ...host, hostname: 'host-2.example.com' }, hostname],
      [
        { ...host, sanURI: 'athenz://hostname/host-2.example.com' },
        refusal('Unable to validate certificate request URI hostname'),
      ],
      [
        { sanURI: 'athenz://hostname/host-2.example.com' },
        refusal('Unable to validate certificate request URI hostname'),
      ],
    ]
    for (const [attributes, expected] of cases)
      await assert.rejects(confirm(attributes), expected, JSON.stringify(attributes))
  })

  test('is refused when a DNS name is not one of the service or of the instance', async () => {
    const cases: readonly string[] = [
      '',
      'web.sports.zts.athenz.cloud',
      'api.weather.zts.athenz.cloud',
      'api.sports.example.com',
      'api.sportszts.athenz.cloud',
      'api.sports.zts.athenz.cloud.evil.com',
      'sports.zts.athenz.cloud',
      'api.zts.athenz.cloud',
      'myapi.sports.zts.athenz.cloud',
      'i-1.instanceid.athenz.zts.athenz.cloud',
      'api.sports.zts.athenz.cloud,i-2.instanceid.athenz.zts.athenz.cloud',
      'api.sports.zts.athenz.cloud,i-1.instanceid.athenz.example.com',
      'api.sports.zts.athenz.cloud,api.weather.zts.athenz.cloud',
    ]
    for (const sanDNS of cases) {
      await assert.rejects(confirm({ sanDNS }), refusal('Unable to validate certificate request DNS'), sanDNS)
    }
  })

  test('does not matter when ZTS does not launch the service, or nothing is presented', async () => {
    await assert.rejects(
      confirm({}, { launches: (domain, name) => `${domain}.${name}` !== 'sports.api' }),
      refusal('Service not authorized to be launched by ZTS Provider'),
    )
    await assert.rejects(providerWith().confirmInstance(question('')), refusal('Service credentials not provided'))
  })
})
