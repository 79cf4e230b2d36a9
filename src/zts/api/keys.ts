import { anonymous, endpoint, query } from '#core/http/endpoint.ts'
import { maybe, off, queried, shown } from '#core/http/scalar-types.ts'
import { list, struct, type ValueOf } from '#core/http/wire.ts'

/** A public key as a JSON web key. */
export const JWK = struct('JWK', {
  kty: shown.text,
  kid: shown.text,
  alg: maybe.text,
  use: maybe.text,
  crv: maybe.text,
  x: maybe.text,
  y: maybe.text,
  n: maybe.text,
  e: maybe.text,
})
export type JWK = ValueOf<typeof JWK>

/** Public keys as JSON web keys. */
export const JWKList = struct('JWKList', { keys: list(JWK) })
export type JWKList = ValueOf<typeof JWKList>

/** Keys with which tokens are verified. */
export const keysEndpoints = {
  getJWKList: endpoint({
    operation: 'getJWKList',
    method: 'GET',
    path: '/oauth2/keys',
    group: 'OAuth',
    summary: 'Lists the public keys of ZTS, or of ZMS.',
    query: {
      /** Curves under the names of the JOSE standards. */
      rfc: query('rfc', off),
      /** `zms`, or `zts`, which any other text means, too. */
      service: query('service', queried.text),
    },
    access: anonymous('public keys are for everybody who gets a token'),
    responses: { 200: JWKList },
    errors: [400, 429],
  }),
}
