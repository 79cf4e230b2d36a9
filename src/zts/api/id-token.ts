import { authenticate, endpoint, nothing, query } from '#core/http/endpoint.ts'
import { kept, maybe, off, shown } from '#core/http/scalar-types.ts'
import { bool, int32, int64, struct, type ValueOf } from '#core/http/wire.ts'
import { queriedKept } from './names.ts'
import { checkedErrors } from './parameters.ts'

/** An id token, where it is not put into the address of a redirect. */
export const OIDCResponse = struct('OIDCResponse', {
  version: int32(),
  id_token: shown.text,
  token_type: shown.text,
  success: bool(),
  /** Epoch seconds. */
  expiration_time: int64(),
})
export type OIDCResponse = ValueOf<typeof OIDCResponse>

/** Id tokens by the implicit flow. */
export const idTokenEndpoints = {
  getOIDCResponse: endpoint({
    operation: 'getOIDCResponse',
    method: 'GET',
    path: '/oauth2/auth',
    group: 'OAuth',
    summary: 'Issues an id token for a service: in the address of a redirect, or as JSON.',
    query: {
      responseType: query('response_type', maybe.text),
      clientId: query('client_id', kept.service),
      /** Not needed with `output=json`. */
      redirectUri: query('redirect_uri', maybe.text),
      scope: query('scope', maybe.text),
      state: query('state', queriedKept.entity),
      nonce: query('nonce', kept.entity),
      /** `RSA` or `EC`. */
      keyType: query('keyType', queriedKept.simple),
      /** Full names in the `groups` claim. */
      fullArn: query('fullArn', off),
      /** Seconds. */
      expiryTime: query('expiryTime', maybe.int32),
      output: query('output', queriedKept.simple),
      /** The role in the audience, when there is exactly one. */
      roleInAudClaim: query('roleInAudClaim', off),
      /** Everything that the scope names must be held. */
      allScopePresent: query('allScopePresent', off),
    },
    access: authenticate,
    responses: { 200: OIDCResponse, 302: nothing },
    errors: checkedErrors,
  }),
}
