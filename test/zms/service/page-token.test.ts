import assert from 'node:assert/strict'
import { generateKeyPairSync, type X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import type { Principal } from '#core/authority/principal.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { signJwt } from '#core/token/json-web-token.ts'
import { type PageStatement, signPageStatement } from '#core/token/page-statement.ts'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { signAuthorizedService } from '#core/token/sign-principal-token.ts'
import { validatePrincipalToken } from '#core/token/validate-principal-token.ts'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { pageTokenService } from '#zms/service/page-token.ts'
import { type Answer, type CallOptions, Harness } from './harness.ts'

const newSigner = (id = 'k1') => createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, id)
const [zmsSigner, pageSigner] = [newSigner('0'), newSigner()]
const zms = await Harness.open({
  services: [pageTokenService],
  properties: { user_token_timeout: '3600', page_token_services: 'web.page,web.other' },
  parts: {
    signer: zmsSigner,
    authorizedServices: AuthorizedServices.parse('{"services":{"web.page":{},"web.listed":{}}}'),
  },
})
const nowSeconds = Math.floor(zms.clock.millis / 1000)
const HOUR_MILLIS = 3_600_000

await zms.createDomain('web')
await zms.store.transact(['web'], (transaction) => {
  for (const name of ['page', 'other', 'listed']) {
    transaction.apply({ kind: 'putService', domain: 'web', value: { name, modified: 0, created: 0 } })
    const key = encodeYBase64(pageSigner.publicKeyPem)
    transaction.apply({ kind: 'putPublicKey', domain: 'web', service: name, keyId: 'k1', key })
  }
})

const PAGE: PageStatement = { service: 'web.page', origin: 'https://ui.example.com' }
const certificates: Authority = { id: 'Auth-X509', credentialSource: 'certificate', allowAuthorization: true }

/** Somebody with a certificate that ends after the given time. */
const withCertificate = (principal: Partial<Principal> = {}, lifeMillis = 10 * HOUR_MILLIS): CallOptions => ({
  as: 'user.alice',
  principal: {
    authority: certificates,
    x509Certificate: { validToDate: new Date(zms.clock.millis + lifeMillis) } as X509Certificate,
    ...principal,
  },
  headers: { Origin: PAGE.origin },
})

const statementOf = (page: Partial<PageStatement> = {}, lifeSeconds = 600, signer = pageSigner) =>
  signPageStatement(signer, { ...PAGE, ...page }, nowSeconds + lifeSeconds)

const ask = async (statement: Promise<string> | string, options = withCertificate()): Promise<Answer> =>
  zms.get(`/sys/user/token?page=${encodeURIComponent(await statement)}`, options)

describe('getPageUserToken', () => {
  test('issues a token for the service of the page, which the page may read and nobody keeps', async () => {
    const { status, headers, body } = await ask(statementOf())
    assert.equal(status, 200)
    assert.deepEqual(headers, {
      vary: 'origin',
      'cache-control': 'no-store',
      'access-control-allow-origin': 'https://ui.example.com',
      'access-control-allow-credentials': 'true',
    })
    const parsed = parsePrincipalToken(body.token)
    assert.ok(parsed.ok)
    const { domain, name, authorizedServices, expiryTimeSeconds, ip } = parsed.token
    assert.deepEqual([domain, name, authorizedServices], ['user', 'alice', ['web.page']])
    assert.equal(expiryTimeSeconds, nowSeconds + 3600)
    // It goes from the browser to the page, which has another address.
    assert.equal(ip, undefined)
    const signed = await signAuthorizedService(body.token, 'web.page', pageSigner)
    assert.ok(typeof signed === 'string')
    const outcome = await validatePrincipalToken(signed, {
      nowSeconds,
      userDomain: 'user',
      allowedOffsetSeconds: 300,
      maxExpirySeconds: 2_592_000,
      allowNoExpiry: false,
      publicKey: async (of) => (of === 'web' ? pageSigner : zmsSigner).publicKey,
      request: { remoteAddress: '192.0.2.1', method: 'PUT' },
    })
    assert.equal(outcome.ok, true)
  })

  test('issues none that is good for longer than the certificate', async () => {
    const { body } = await ask(statementOf(), withCertificate({}, HOUR_MILLIS / 2))
    const parsed = parsePrincipalToken(body.token)
    assert.ok(parsed.ok)
    assert.equal(parsed.token.expiryTimeSeconds, nowSeconds + 1800)
  })

  const noUser = [401, 'getPageUserToken: Invalid request - missing certificate of a user'] as const
  const elsewhere = [403, 'getPageUserToken: the request does not come from the page of web.page'] as const
  const page = (reason: string) => [400, `getPageUserToken: Invalid page - ${reason}`] as const
  const { headers: _, ...withoutOrigin } = withCertificate()
  const refused: {
    what: string
    statement?: Promise<string> | string
    options?: CallOptions
    because: readonly [number, string]
  }[] = [
    {
      what: 'who has a token',
      options: withCertificate({ authority: { ...certificates, credentialSource: 'header' } }),
      because: noUser,
    },
    { what: 'a service', options: { ...withCertificate(), as: 'web.api' }, because: noUser },
    { what: 'somebody in a role', options: withCertificate({ roles: ['web:role.readers'] }), because: noUser },
    {
      what: 'a certificate that is not for authorization',
      options: withCertificate({ mtlsRestricted: true }),
      because: noUser,
    },
    { what: 'nobody', options: { ...withCertificate(), anonymous: true }, because: noUser },
    {
      what: 'another page',
      options: { ...withCertificate(), headers: { Origin: 'https://evil.example' } },
      because: elsewhere,
    },
    {
      what: 'a page at another port',
      options: { ...withCertificate(), headers: { Origin: `${PAGE.origin}:8443` } },
      because: elsewhere,
    },
    { what: 'what is no page', options: withoutOrigin, because: elsewhere },
    {
      what: 'a service that is authorized, and not for pages',
      statement: statementOf({ service: 'web.listed' }),
      because: [403, 'getPageUserToken: Service web.listed is not authorized in ZMS'],
    },
    {
      what: 'a service without authorization',
      statement: statementOf({ service: 'web.other' }),
      because: [403, 'getPageUserToken: Service web.other is not authorized in ZMS'],
    },
    {
      what: 'a statement that was signed with another key',
      statement: statementOf({}, 600, newSigner()),
      because: page('the signature does not match'),
    },
    {
      what: 'a statement of an unknown service',
      statement: statementOf({ service: 'web.absent' }),
      because: page('key k1 is not known'),
    },
    {
      what: 'a statement of what is no service',
      statement: statementOf({ service: 'web' }),
      because: page('key k1 is not known'),
    },
    {
      what: 'a statement that has expired',
      statement: statementOf({}, -61),
      because: page(`expired at ${nowSeconds - 61}, 61 seconds ago`),
    },
    {
      what: 'a statement that is good for a day',
      statement: statementOf({}, 86_400),
      because: page('it expires too late'),
    },
    { what: 'no statement', statement: 'a.b.c', because: page('the header is not a JSON object in base64url') },
    {
      what: 'another kind of token',
      statement: signJwt(pageSigner, {
        iss: 'web.page',
        aud: 'sys.auth.zms',
        origin: PAGE.origin,
        exp: nowSeconds + 600,
      }),
      because: page('type not given'),
    },
    {
      what: 'a statement for others',
      statement: signJwt(
        pageSigner,
        { iss: 'web.page', aud: 'sys.auth.zts', origin: PAGE.origin, exp: nowSeconds + 600 },
        { typ: 'athenz-page+jwt' },
      ),
      because: page('the audience is not ZMS'),
    },
    {
      what: 'a statement without a page',
      statement: signJwt(
        pageSigner,
        { iss: 'web.page', aud: 'sys.auth.zms', exp: nowSeconds + 600 },
        { typ: 'athenz-page+jwt' },
      ),
      because: page('it names no page'),
    },
  ]
  for (const { what, statement = statementOf(), options, because } of refused) {
    test(`refuses ${what}`, async () => {
      const { status, body } = await ask(statement, options)
      assert.deepEqual([status, body.message], because)
    })
  }

  test('refuses the statement of a service whose domain is disabled', async () => {
    const domain = await zms.domain('web')
    const enabled = (value: boolean) =>
      zms.store.transact(['web'], (transaction) => {
        transaction.apply({ kind: 'putDomain', domain: 'web', value: { ...domain, enabled: value } })
      })
    await enabled(false)
    const { status, body } = await ask(statementOf())
    await enabled(true)
    assert.deepEqual([status, body.message], page('key k1 is not known'))
    assert.equal((await ask(statementOf())).status, 200)
  })
})
