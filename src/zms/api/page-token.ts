import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { kept } from '#core/http/scalar-types.ts'
import { UserToken } from './token.ts'

/** Principal tokens for the web pages of services. */
export const pageTokenEndpoints = {
  getPageUserToken: endpoint({
    operation: 'getPageUserToken',
    method: 'GET',
    path: '/sys/user/token',
    group: 'Token',
    summary:
      'Issues a principal token to a user with a client certificate, for use by the service whose web page asks in the browser; `page` is what the service says of its page.',
    query: { page: query('page', kept.text) },
    access: authenticate,
    // A script asks: the browser must not ask for a password in its place.
    challenges: false,
    responses: { 200: UserToken },
    errors: [400, 401, 403, 429],
  }),
}
