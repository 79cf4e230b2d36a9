import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { maybe } from '#core/http/scalar-types.ts'
import { bool, int32, int64, optional, struct, text, type ValueOf } from '#core/http/wire.ts'
import { checkedErrors } from './parameters.ts'

/** Fields of a form, as they were sent. */
export const IntrospectRequest = text(undefined, undefined, 'IntrospectRequest')

/** What an access token says; only `active` and `ver` for one that does not count. Times are epoch seconds. */
export const IntrospectResponse = struct('IntrospectResponse', {
  active: bool(),
  ver: int32(),
  exp: optional(int64()),
  iat: optional(int64()),
  auth_time: optional(int64()),
  aud: maybe.text,
  iss: maybe.text,
  jti: maybe.text,
  sub: maybe.text,
  scope: maybe.text,
  client_id: maybe.text,
  uid: maybe.text,
  proxy: maybe.text,
  authorization_details: maybe.text,
})
export type IntrospectResponse = ValueOf<typeof IntrospectResponse>

/** Introspection of access tokens. */
export const introspectEndpoints = {
  postIntrospectRequest: endpoint({
    operation: 'postIntrospectRequest',
    method: 'POST',
    path: '/oauth2/introspect',
    group: 'OAuth',
    summary: 'Says whether an access token counts, and what it says.',
    body: IntrospectRequest,
    consumes: 'application/x-www-form-urlencoded',
    access: authenticate,
    responses: { 200: IntrospectResponse },
    errors: checkedErrors,
    writes: false,
  }),
}
