import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { maybe, shown } from '#core/http/scalar-types.ts'
import { struct, text, type ValueOf } from '#core/http/wire.ts'
import { checkedErrors } from './parameters.ts'

/** Fields of a form, as they were sent. */
export const AccessTokenRequest = text(undefined, undefined, 'AccessTokenRequest')

/** Tokens, with the scope of the access token where it differs from what was asked for. */
export const AccessTokenResponse = struct('AccessTokenResponse', {
  access_token: maybe.text,
  token_type: shown.text,
  /** Seconds. */
  expires_in: maybe.int32,
  scope: maybe.text,
  refresh_token: maybe.text,
  id_token: maybe.text,
  issued_token_type: maybe.text,
})
export type AccessTokenResponse = ValueOf<typeof AccessTokenResponse>

/** Access tokens. */
export const accessTokenEndpoints = {
  postAccessTokenRequest: endpoint({
    operation: 'postAccessTokenRequest',
    method: 'POST',
    path: '/oauth2/token',
    group: 'OAuth',
    summary: 'Issues an access token, or exchanges a token for another one.',
    body: AccessTokenRequest,
    consumes: 'application/x-www-form-urlencoded',
    access: authenticate,
    responses: { 200: AccessTokenResponse },
    errors: checkedErrors,
    writes: false,
  }),
}
