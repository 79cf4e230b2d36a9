import { anonymous, endpoint } from '#core/http/endpoint.ts'
import { shown } from '#core/http/scalar-types.ts'
import { list, nullable, optional, struct, type ValueOf } from '#core/http/wire.ts'

/** What clients of OpenID Connect need to know of this server. */
export const OpenIDConfig = struct('OpenIDConfig', {
  issuer: shown.text,
  authorization_endpoint: shown.text,
  token_endpoint: shown.text,
  jwks_uri: shown.text,
  response_types_supported: list(shown.text),
  subject_types_supported: list(shown.text),
  id_token_signing_alg_values_supported: list(shown.text),
  claims_supported: optional(list(shown.text)),
})
export type OpenIDConfig = ValueOf<typeof OpenIDConfig>

/** What clients of OAuth need to know of this server; without introspection its address is null. */
export const OAuthConfig = struct('OAuthConfig', {
  issuer: shown.text,
  authorization_endpoint: shown.text,
  introspection_endpoint: nullable(shown.text),
  token_endpoint: shown.text,
  jwks_uri: shown.text,
  response_types_supported: list(shown.text),
  grant_types_supported: list(shown.text),
  token_endpoint_auth_signing_alg_values_supported: list(shown.text),
})
export type OAuthConfig = ValueOf<typeof OAuthConfig>

const access = anonymous('clients read it before they have credentials')

/** Documents about this server. */
export const metadataDocumentsEndpoints = {
  getOpenIDConfig: endpoint({
    operation: 'getOpenIDConfig',
    method: 'GET',
    path: '/.well-known/openid-configuration',
    group: 'OAuth',
    summary: 'Describes this server to clients of OpenID Connect.',
    access,
    responses: { 200: OpenIDConfig },
    errors: [400, 429],
  }),
  getOAuthConfig: endpoint({
    operation: 'getOAuthConfig',
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    group: 'OAuth',
    summary: 'Describes this server to clients of OAuth.',
    access,
    responses: { 200: OAuthConfig },
    errors: [400, 429],
  }),
}
