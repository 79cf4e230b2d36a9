import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { kept, lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { mapOf, optional, record, struct, type ValueOf } from '#core/http/wire.ts'
import { inDomain } from './parameters.ts'

/** Credentials of a cloud that are asked for; the attributes are those of the provider. */
export const ExternalCredentialsRequest = struct('ExternalCredentialsRequest', {
  /** Audience of the id token that is exchanged for them. */
  clientId: kept.service,
  /** Seconds. */
  expiryTime: maybe.int32,
  attributes: optional(mapOf(kept.text, kept.text)),
})
export type ExternalCredentialsRequest = ValueOf<typeof ExternalCredentialsRequest>

/** Credentials of a cloud, by the names that it gives them. */
export const ExternalCredentialsResponse = struct('ExternalCredentialsResponse', {
  attributes: record(shown.text, shown.text),
  expiration: maybe.time,
})
export type ExternalCredentialsResponse = ValueOf<typeof ExternalCredentialsResponse>

/** Credentials of clouds. */
export const externalCredentialsEndpoints = {
  postExternalCredentialsRequest: endpoint({
    operation: 'postExternalCredentialsRequest',
    method: 'POST',
    path: '/external/{provider}/domain/{domainName}/creds',
    group: 'ExternalCredentials',
    summary: 'Issues credentials of a cloud for a role that the caller holds.',
    params: { provider: lowered.simple, ...inDomain },
    body: ExternalCredentialsRequest,
    access: authenticate,
    responses: { 200: ExternalCredentialsResponse },
    errors: [400, 401, 403],
    writes: false,
  }),
}
