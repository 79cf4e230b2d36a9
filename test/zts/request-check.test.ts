import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import type { Endpoint, RequestContext } from '#core/http/endpoint.ts'
import { ztsEndpoints } from '#zts/api/index.ts'
import { requestCheck } from '#zts/request-check.ts'
import { principalOf } from '../support/service-caller.ts'

type Operation = keyof typeof ztsEndpoints

interface Circumstances {
  readonly properties?: Readonly<Record<string, string>>
  readonly context?: Partial<RequestContext>
  readonly userAuthority?: Authority
}

/** What a request is refused with, as `STATUS MESSAGE`; undefined when it goes on. */
async function refusal(operation: Operation, circumstances: Circumstances = {}): Promise<string | undefined> {
  const { properties = {}, context, userAuthority } = circumstances
  const { config } = await loadServerConfig({
    server: 'zts',
    rootDir: '/nonexistent',
    files: [],
    overrides: Object.entries(properties),
    env: {},
    hostname: 'zts.example.com',
  })
  const endpoint: Endpoint = ztsEndpoints[operation]
  const request: RequestContext = {
    requestId: 'id',
    api: operation.toLowerCase(),
    method: endpoint.method,
    principal: principalOf('sports.api'),
    remoteAddress: '127.0.0.1',
    secure: true,
    localPort: 8443,
    header: () => undefined,
    ...context,
  }
  try {
    await requestCheck(config, userAuthority)(endpoint, request)
    return undefined
  } catch (error) {
    const { status, message } = error as { status: number; message: string }
    return `${status} ${message}`
  }
}

const MAINTENANCE = '400 Server in Maintenance Read-Only mode. Please try your request later'
const CONFIGURED = {
  'athenz.zts.user_authority_class': 'x',
  'athenz.zts.user_cert_provider': 'sys.auth.users',
  'athenz.zts.external_member_cert_provider': 'sys.auth.members',
  'athenz.zts.external_member_cert_allowed_domains': 'sports',
}

describe('read-only mode', () => {
  const refused: readonly Operation[] = [
    'postRoleCertificateRequest',
    'postRoleCertificateRequestExt',
    'getWorkloadsByService',
    'getWorkloadsByIP',
    'getTransportRules',
    'postInstanceRegisterInformation',
    'postInstanceRefreshInformation',
    'deleteInstanceIdentity',
    'postInstanceRefreshRequest',
    'postSSHCertRequest',
    'postUserCertificateRequest',
    'postExternalMemberCertificateRequest',
  ]
  const properties = { ...CONFIGURED, 'athenz.zts.read_only_mode': 'true' }
  for (const operation of Object.keys(ztsEndpoints) as Operation[]) {
    const expected = refused.includes(operation) ? MAINTENANCE : undefined
    test(`${expected === undefined ? 'lets through' : 'refuses'} ${operation}`, async () => {
      assert.equal(await refusal(operation, { properties }), expected)
    })
  }
})

describe('a certificate that is good for TLS only', () => {
  const context = { principal: principalOf('sports.api', { mtlsRestricted: true }) }

  test('is refused', async () => {
    assert.equal(await refusal('getRoleToken', { context }), '401 certificate is mTLS restricted')
  })
})

describe('ports', () => {
  const properties = {
    'athenz.tls_port': '8443',
    'athenz.status_port': '8444',
    'athenz.oidc_port': '8445',
  }
  const cases: readonly [Operation, number, string | undefined][] = [
    ['getStatus', 8444, undefined],
    ['getStatus', 8443, '400 incorrect port number for a status request'],
    ['getRoleToken', 8444, '400 incorrect port number for a non-status request'],
    ['getRoleToken', 8443, undefined],
    ['getRoleToken', 8445, '400 incorrect port number for a non-oidc request'],
    ['getOpenIDConfig', 8445, undefined],
    ['getJWKList', 8445, undefined],
    ['getOIDCResponse', 8445, undefined],
    ['getOAuthConfig', 8445, '400 incorrect port number for a non-oidc request'],
    ['getOIDCResponse', 8443, undefined],
  ]
  for (const [operation, localPort, expected] of cases) {
    test(`${operation} on port ${localPort}: ${expected ?? 'served'}`, async () => {
      assert.equal(await refusal(operation, { properties, context: { localPort } }), expected)
    })
  }

  test('serve everything when they are those for everything', async () => {
    const same = { 'athenz.tls_port': '8443', 'athenz.status_port': '8443', 'athenz.oidc_port': '8443' }
    assert.equal(await refusal('getRoleToken', { properties: same }), undefined)
  })
})

describe('a request without TLS', () => {
  const context = { secure: false }

  test('is refused', async () => {
    assert.equal(await refusal('getRoleToken', { context }), '400 getroletokenrequest must be over TLS')
  })

  test('is refused for that also on a port that does not serve it', async () => {
    const properties = { 'athenz.status_port': '8444' }
    const elsewhere = { ...context, localPort: 8444 }
    assert.equal(
      await refusal('getRoleToken', { context: elsewhere, properties }),
      '400 getroletokenrequest must be over TLS',
    )
  })

  test('goes on where that is allowed', async () => {
    const properties = { 'athenz.zts.secure_requests_only': 'false' }
    assert.equal(await refusal('getRoleToken', { context, properties }), undefined)
  })
})

describe('a user whom the user authority', () => {
  const userAuthority: Authority = {
    id: 'Auth-USERS',
    credentialSource: 'header',
    allowAuthorization: true,
    userType: (name) => Promise.resolve(name === 'user.ann' ? 'active' : 'invalid'),
  }
  const properties = { 'athenz.zts.validate_user_authority_principals': 'true' }
  const asked = (name: string, more: Circumstances = { properties, userAuthority }) =>
    refusal('getRoleToken', { ...more, context: { principal: principalOf(name) } })

  test('knows goes on', async () => assert.equal(await asked('user.ann'), undefined))
  test('does not know is refused', async () => assert.equal(await asked('user.bob'), '401 user is not valid'))
  test('is not asked about goes on', async () => assert.equal(await asked('user.bob', { userAuthority }), undefined))
  test('does not judge, since it is a service, goes on', async () => assert.equal(await asked('sports.api'), undefined))
})

describe('an operation without its settings says so whatever the body is', () => {
  const cases: readonly [Operation, string][] = [
    ['postUserCertificateRequest', '400 User authority configuration is not set'],
    ['postExternalMemberCertificateRequest', '400 External member certificate configuration is not set'],
  ]
  for (const [operation, expected] of cases) {
    test(operation, async () => {
      assert.equal(await refusal(operation), expected)
      assert.equal(await refusal(operation, { properties: CONFIGURED }), undefined)
    })
  }
})
