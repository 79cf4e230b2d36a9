import { type Handlers, ok } from '#core/http/endpoint.ts'
import type { metadataDocumentsEndpoints, OAuthConfig, OpenIDConfig } from '../api/metadata-documents.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** What the metadata documents are made of. */
export type MetadataDependencies = Pick<ZtsDependencies, 'config' | 'issuers' | 'signers'>

/** The documents that describe this server to clients (OpenID Connect Discovery 1.0, RFC 8414). */
export function metadataDocumentsService(deps: MetadataDependencies): Handlers<typeof metadataDocumentsEndpoints> {
  const { issuers, signers } = deps
  const { zts } = deps.config
  const keysQuery = zts.jwkCurveRfcSupportOnly ? '' : '?rfc=true'
  const addresses = (issuer: string) => ({
    issuer,
    authorization_endpoint: `${issuer}/oauth2/auth`,
    token_endpoint: `${issuer}/oauth2/token`,
    jwks_uri: `${issuer}/oauth2/keys${keysQuery}`,
  })
  const algorithms = () => [...new Set(signers.all.map(({ joseAlgorithm }) => joseAlgorithm))]

  return {
    getOpenIDConfig(_request, context) {
      const document: OpenIDConfig = {
        ...addresses(issuers.openIdOfPort(context)),
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: algorithms(),
      }
      return ok(document)
    },

    getOAuthConfig() {
      const issuer = issuers.openIdOfPort({})
      const document: OAuthConfig = {
        ...addresses(issuer),
        introspection_endpoint: zts.introspectSupportEnabled ? `${issuer}/oauth2/introspect` : null,
        response_types_supported: ['token', 'id_token token'],
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_signing_alg_values_supported: algorithms(),
      }
      return ok(document)
    },
  }
}
