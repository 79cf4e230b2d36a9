import assert from 'node:assert/strict'
import { createHash, type X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import type { AuthenticationResult } from '#core/authority/authority.ts'
import { OAuthAccessTokenAuthority } from '#core/authority/oauth-access-token-authority.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { bearerRequest, type ClaimChanges, damaged, startProvider, tokenOf } from './bearer-support.ts'
import { basic, contextOf, NOW_SECONDS, newSigner, requestOf, TestCa, tlsSocketOf } from './support.ts'

const PREFIX = 'athenz.auth.oauth.jwt.'
const folder = temporaryFolder()
const clientsFile = join(folder, 'clients.txt')
const zts = newSigner('zts-1')
const stranger = newSigner('zts-1')
const context = (changes: Readonly<Record<string, string>>) =>
  contextOf(
    { [`${PREFIX}authorized_client_ids_path`]: clientsFile, ...changes },
    {
      keyStore: {
        publicKey: async (...names) => (names.join(' ') === 'sys.auth zts zts-1' ? zts.publicKey : undefined),
      },
    },
  )
async function start(changes: Readonly<Record<string, string>> = {}): Promise<OAuthAccessTokenAuthority> {
  const authority = new OAuthAccessTokenAuthority()
  await authority.initialize(context(changes))
  return authority
}

let ui: X509Certificate
let other: X509Certificate
let role: X509Certificate
let restricted: X509Certificate
let authority: OAuthAccessTokenAuthority
before(async () => {
  const ca = await TestCa.create()
  const named = async (value: string, unit?: string, uri?: string) => {
    const issued = await ca.issue({
      subject: [{ type: 'CN', value }, ...(unit === undefined ? [] : [{ type: 'OU', value: unit } as const])],
      names: uri === undefined ? [] : [{ type: 'uri', value: uri }],
    })
    return issued.certificate
  }
  ui = await named('Athenz.UI')
  other = await named('athenz.other')
  role = await named('sports:role.readers', undefined, 'athenz://principal/athenz.ui')
  restricted = await named('athenz.ui', 'ui:restricted')
  writeFileSync(
    clientsFile,
    '# clients of the user interface\nclient-1, client-2:athenz.ui:athenz.ui-service\r\n\nclient-9:athenz.other:athenz.other\n',
  )
  authority = await start()
})

const CLAIMS = {
  iss: 'https://athenz.io',
  aud: ['https://zms.athenz.io', 'https://zts.athenz.io'],
  sub: 'User.Joe',
  scope: 'openid sys.auth:role.admin',
  client_id: 'client-2',
}
const thumbprint = (certificate: X509Certificate) => createHash('sha256').update(certificate.raw).digest('base64url')
const token = (changes: ClaimChanges = {}, certificate = ui, signer = zts) =>
  tokenOf(signer, { ...CLAIMS, cnf: { 'x5t#S256': thumbprint(certificate) }, ...changes }, 'at+jwt')
const refused = (result: AuthenticationResult, reason: string) =>
  assert.deepEqual(result, { rejected: `OAuthCertBoundJwtAccessTokenAuthority:authenticate: ${reason}` })

test('is an authority with the configured realm', async () => {
  const { id, credentialSource, challenge, allowAuthorization } = authority
  assert.deepEqual(
    [id, credentialSource, challenge, allowAuthorization],
    ['Auth-ID', 'request', 'Bearer realm="https://athenz.io"', true],
  )
  assert.equal((await start({ [`${PREFIX}authn_challenge_realm`]: 'ours' })).challenge, 'Bearer realm="ours"')
})

describe('a token that is bound to the certificate', () => {
  test('gives its subject, for whom the client acts', async () => {
    const text = await token()
    assert.deepEqual(await authority.authenticateRequest(bearerRequest(text, ui)), {
      domain: 'user',
      name: 'joe',
      fullName: 'user.joe',
      authority,
      credentials: text,
      unsignedCredentials: text.slice(0, text.lastIndexOf('.')),
      issueTimeSeconds: NOW_SECONDS - 60,
      applicationId: 'athenz.ui',
      authorizedService: 'athenz.ui-service',
      x509Certificate: ui,
      mtlsRestricted: false,
    })
  })

  test('is restricted with the certificate', async () => {
    const result = await authority.authenticateRequest(bearerRequest(await token({}, restricted), restricted))
    assert.equal(result && 'mtlsRestricted' in result && result.mtlsRestricted, true)
  })

  test('may have its scopes and its client in other claims', async () => {
    const okta = await start({
      [`${PREFIX}parser_factory_class`]: 'com.yahoo.athenz.auth.oauth.auth0.Auth0JwtParserFactory',
      [`${PREFIX}auth0.claim_client_id`]: 'cid',
      [`${PREFIX}auth0.claim_confirm`]: 'https://example.com/confirmation',
      [`${PREFIX}claim.scope`]: 'athenz openid',
      [`${PREFIX}claim.aud`]: 'api://default, api://more',
    })
    const confirmation = { 'x5t#S256': thumbprint(ui) }
    const text = await token({
      cnf: undefined,
      'https://example.com/confirmation': confirmation,
      client_id: undefined,
      cid: 'client-1',
      scope: undefined,
      scp: ['openid', 'athenz'],
      aud: ['api://more', 'api://default'],
    })
    const result = await okta.authenticateRequest(bearerRequest(text, ui))
    assert.equal(result && 'fullName' in result && result.fullName, 'user.joe')
  })

  test('may come from the holder of a role certificate, unless these are excluded', async () => {
    const text = await token({}, role)
    const result = await authority.authenticateRequest(bearerRequest(text, role))
    assert.equal(result && 'applicationId' in result && result.applicationId, 'athenz.ui')
    const strict = await start({ [`${PREFIX}cert.exclude_role_certificates`]: 'true' })
    refused(await strict.authenticateRequest(bearerRequest(text, role)), 'Role Certificates not allowed')
  })

  const from = 'invalid token from athenz.ui: '
  const cases: readonly [behaviour: string, text: () => Promise<string>, reason: string][] = [
    ['of another issuer', () => token({ iss: 'https://other' }), `${from}it is of another issuer`],
    ['for another audience', () => token({ aud: 'https://zts.athenz.io' }), `${from}it is for another audience`],
    ['without the scope', () => token({ scope: 'openid' }), `${from}a scope is missing`],
    [
      'with a scope that only begins alike',
      () => token({ scope: 'sys.auth:role.admin2' }),
      `${from}a scope is missing`,
    ],
    ['without client', () => token({ client_id: undefined }), `${from}it has no claim client_id`],
    [
      'of a client of somebody else',
      () => token({ client_id: 'client-9' }),
      `${from}its client does not belong to the certificate`,
    ],
    ['bound to another certificate', () => token({}, other), `${from}it is not bound to the certificate`],
    ['that is not bound', () => token({ cnf: undefined }), `${from}it is not bound to the certificate`],
    ['of a foreign key', () => token({}, ui, stranger), `${from}the signature does not match`],
    ['that was changed', async () => damaged(await token()), `${from}the signature does not match`],
    [
      'that has expired',
      () => token({ exp: NOW_SECONDS - 3600 }),
      `${from}expired at ${NOW_SECONDS - 3600}, 3600 seconds ago`,
    ],
    ['without subject', () => token({ sub: undefined }), `${from}the subject is no principal`],
    ['whose subject is a role', () => token({ sub: 'sports:role.admin' }), `${from}the subject is no principal`],
    ['whose subject has no domain', () => token({ sub: 'joe' }), `${from}the subject is no principal`],
    ['that is none', async () => 'abc', `${from}not three parts separated by periods`],
  ]
  for (const [behaviour, text, reason] of cases) {
    test(`${behaviour} is refused`, async () =>
      refused(await authority.authenticateRequest(bearerRequest(await text(), ui)), reason))
  }

  test('of a client that is not in the file is refused', async () => {
    const onlyOther = join(folder, 'only-other.txt')
    writeFileSync(onlyOther, 'client-2:athenz.other:athenz.other\n')
    const strict = await start({ [`${PREFIX}authorized_client_ids_path`]: onlyOther })
    refused(
      await strict.authenticateRequest(bearerRequest(await token(), ui)),
      `${from}its client does not belong to the certificate`,
    )
  })
})

describe('with the address of the keys of an OAuth server', () => {
  test('only its keys count', async () => {
    const signer = newSigner('okta-1')
    const { issuer, caFile, documents, close } = await startProvider(folder, signer.publicKey, 'okta-1')
    const remote = await start({
      [`${PREFIX}parser.jwks_url`]: `${issuer}/keys`,
      'athenz.ts.identity_provider_ca_file': caFile,
    })
    const result = await remote.authenticateRequest(bearerRequest(await token({}, ui, signer), ui))
    assert.equal(result && 'fullName' in result && result.fullName, 'user.joe')
    refused(
      await remote.authenticateRequest(bearerRequest(await token(), ui)),
      'invalid token from athenz.ui: key zts-1 is not known',
    )
    await remote.close()

    documents.clear()
    const without = await start({
      [`${PREFIX}parser.jwks_url`]: `${issuer}/keys`,
      'athenz.ts.identity_provider_ca_file': caFile,
    })
    refused(
      await without.authenticateRequest(bearerRequest(await token({}, ui, signer), ui)),
      'invalid token from athenz.ui: key okta-1 is not known',
    )
    await without.close()
    close()
  })
})

describe('without the thumbprint', () => {
  test('the token need not be bound, but the certificate must be there', async () => {
    const loose = await start({ [`${PREFIX}verify_cert_thumbprint`]: 'false' })
    const text = await token({ cnf: undefined })
    const result = await loose.authenticateRequest(bearerRequest(text, ui))
    assert.equal(result && 'fullName' in result && result.fullName, 'user.joe')
    refused(await loose.authenticateRequest(bearerRequest(text)), 'the client shows no certificate')
  })
})

describe('a request', () => {
  test('without token is none of its', async () => {
    assert.equal(await authority.authenticateRequest(requestOf({ socket: tlsSocketOf(ui) })), null)
    const withPassword = requestOf({ rawHeaders: ['Authorization', basic('joe:x')] })
    assert.equal(await authority.authenticateRequest(withPassword), null)
  })

  test('without certificate, with one that TLS does not trust, or an excluded one is refused', async () => {
    const text = await token()
    refused(await authority.authenticateRequest(bearerRequest(text)), 'the client shows no certificate')
    refused(
      await authority.authenticateRequest(bearerRequest(text, ui, false)),
      'client certificate is not trusted: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    )
    const strict = await start({ [`${PREFIX}cert.excluded_principals`]: 'Athenz.UI' })
    refused(await strict.authenticateRequest(bearerRequest(text, ui)), 'Principal is excluded')
  })
})

describe('the start fails', () => {
  const fileOf = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const cases: readonly [
    behaviour: string,
    changes: () => Readonly<Record<string, string>>,
    message: string | RegExp,
  ][] = [
    [
      'without file of clients',
      () => ({ [`${PREFIX}authorized_client_ids_path`]: '' }),
      `${PREFIX}authorized_client_ids_path is not set, so that no client would be accepted`,
    ],
    [
      'when it is not there',
      () => ({ [`${PREFIX}authorized_client_ids_path`]: '/nonexistent' }),
      /^athenz\.auth\.oauth\.jwt\.authorized_client_ids_path: ENOENT/,
    ],
    [
      'when a line of it lacks the service',
      () => ({ [`${PREFIX}authorized_client_ids_path`]: fileOf('short.txt', '# x\nclient:athenz.ui\n') }),
      /short\.txt:2: not of the form CLIENT-ID,CLIENT-ID:PRINCIPAL:SERVICE$/,
    ],
    [
      'when a principal has two services in it',
      () => ({ [`${PREFIX}authorized_client_ids_path`]: fileOf('two.txt', 'a:athenz.ui:x.y\nb:Athenz.UI:x.z') }),
      /two\.txt:2: Athenz\.UI acts for x\.y in an earlier line$/,
    ],
    [
      'with a parser that is a Java class of somebody',
      () => ({ [`${PREFIX}parser_factory_class`]: 'com.example.Parser' }),
      /^athenz\.auth\.oauth\.jwt\.parser_factory_class: "com\.example\.Parser" is none of /,
    ],
    [
      'when the keys are not protected',
      () => ({ [`${PREFIX}parser.jwks_url`]: 'http://localhost/keys' }),
      `${PREFIX}parser.jwks_url: "http://localhost/keys" is no https URL`,
    ],
  ]
  for (const [behaviour, changes, message] of cases) {
    test(behaviour, () => assert.rejects(start(changes()), { message }))
  }
})
