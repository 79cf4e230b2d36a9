import { anonymous, authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { maybe, off, shown } from '#core/http/scalar-types.ts'
import { lower, struct, type ValueOf } from '#core/http/wire.ts'

/** A principal token of a user; `header` is the name of the header to send it in. */
export const UserToken = struct('UserToken', { token: shown.signedToken, header: maybe.text })
export type UserToken = ValueOf<typeof UserToken>

/** Who the caller is, with a token that says so. */
export const ServicePrincipal = struct('ServicePrincipal', {
  domain: shown.domain,
  service: shown.entity,
  token: shown.signedToken,
})
export type ServicePrincipal = ValueOf<typeof ServicePrincipal>

/** The original does not check its form: a malformed name is that of another user. */
const userName = { userName: lower(shown.simple) }
/** Comma separated. */
const serviceNames = query('services', maybe.text)

/** Principal tokens. */
export const tokenEndpoints = {
  getUserToken: endpoint({
    operation: 'getUserToken',
    method: 'GET',
    path: '/user/{userName}/token',
    group: 'Token',
    summary: 'Issues a principal token to a user, on request for use by authorized services.',
    params: userName,
    query: { serviceNames, header: query('header', off) },
    access: authenticate,
    responses: { 200: UserToken },
    errors: [401, 403, 429],
  }),
  optionsUserToken: endpoint({
    operation: 'optionsUserToken',
    method: 'OPTIONS',
    path: '/user/{userName}/token',
    group: 'Token',
    summary: 'Answers the question of a browser whether a page may ask for a user token.',
    params: userName,
    query: { serviceNames },
    access: anonymous('a browser sends no credentials with this question, and the answer tells nothing about anybody'),
    responses: { 200: UserToken },
    errors: [400, 401, 429],
  }),
  getServicePrincipal: endpoint({
    operation: 'getServicePrincipal',
    method: 'GET',
    path: '/principal',
    group: 'Token',
    summary: 'Tells a service who it is, and answers a chained token with one that this server has signed.',
    access: authenticate,
    responses: { 200: ServicePrincipal },
    errors: [400, 401, 403, 429],
  }),
}
