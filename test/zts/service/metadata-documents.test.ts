import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { Issuers } from '#zts/service/issuers.ts'
import { OPENID_ISSUER, TokenServer, type TokenServerOptions } from './token-parts.ts'

const KEYS = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
}

async function documentOf(name: string, options: TokenServerOptions = {}, context: object = {}) {
  const { harness } = await TokenServer.open({ keys: KEYS, ...options })
  const { status, body } = await harness.get(`/.well-known/${name}`, { anonymous: true, context })
  assert.equal(status, 200)
  return body as Record<string, unknown>
}

const ADDRESSES = {
  issuer: OPENID_ISSUER,
  authorization_endpoint: `${OPENID_ISSUER}/oauth2/auth`,
  token_endpoint: `${OPENID_ISSUER}/oauth2/token`,
  jwks_uri: `${OPENID_ISSUER}/oauth2/keys?rfc=true`,
}

describe('getOpenIDConfig', () => {
  it('describes the OpenID issuer', async () => {
    assert.deepEqual(await documentOf('openid-configuration'), {
      ...ADDRESSES,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256', 'RS256'],
    })
  })

  it('describes the issuer of the OpenID port there, whatever the host', async () => {
    const issuers = new Issuers({
      oauthIssuer: 'https://o',
      openIdIssuer: 'https://i',
      oidcPortIssuer: 'https://p',
      oidcPort: 9443,
      hostname: 'h',
      byHost: new Map([['h', 'https://h']]),
    })
    const issuerAt = async (localPort: number) =>
      (await documentOf('openid-configuration', { tokenParts: { issuers } }, { localPort }))['issuer']
    assert.equal(await issuerAt(9443), 'https://p')
    assert.equal(await issuerAt(4443), 'https://i')
  })

  it('names the algorithms of the keys there are', async () => {
    const { id_token_signing_alg_values_supported: algorithms } = await documentOf('openid-configuration', {
      keys: { rsa: KEYS.rsa },
    })
    assert.deepEqual(algorithms, ['RS256'])
  })
})

describe('getOAuthConfig', () => {
  it('describes the same issuer', async () => {
    assert.deepEqual(await documentOf('oauth-authorization-server'), {
      ...ADDRESSES,
      introspection_endpoint: null,
      response_types_supported: ['token', 'id_token token'],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256'],
    })
  })

  it('follows the settings', async () => {
    const properties = { introspect_support_enabled: 'true', jwk_curve_rfc_support_only: 'true' }
    const document = await documentOf('oauth-authorization-server', { properties })
    assert.equal(document['introspection_endpoint'], `${OPENID_ISSUER}/oauth2/introspect`)
    assert.equal(document['jwks_uri'], `${OPENID_ISSUER}/oauth2/keys`)
  })
})
