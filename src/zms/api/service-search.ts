import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { maybe, shown } from '#core/http/scalar-types.ts'
import { int32, list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { filteredPage, inDomain, readErrors, tagged } from './parameters.ts'
import { ResourceServiceIdentityOwnership } from './resource-ownership.ts'
import { Tags } from './tag.ts'

/** A public key without the key. */
const PublicKeySummary = struct({
  id: shown.text,
  /** E.g. `RSA 2048` or `P-256`; absent when the key cannot be read. */
  kind: maybe.text,
})

/** A service with its keys by id and kind. */
export const ServiceSummary = struct({
  /** Full name. */
  name: shown.service,
  description: maybe.text,
  modified: maybe.time,
  providerEndpoint: maybe.text,
  executable: maybe.text,
  user: maybe.text,
  group: maybe.text,
  clientId: maybe.text,
  x509CertSignerKeyId: maybe.text,
  sshCertSignerKeyId: maybe.text,
  tags: Tags,
  resourceOwnership: optional(ResourceServiceIdentityOwnership),
  /** At most ten. */
  publicKeys: list(PublicKeySummary),
  publicKeyCount: int32(),
  hostCount: int32(),
})
export type ServiceSummary = ValueOf<typeof ServiceSummary>

/** A part of the services of a domain; `next` is the `skip` of the next part. */
export const ServiceSummaries = struct({ list: list(ServiceSummary), total: int32(), next: maybe.text })
export type ServiceSummaries = ValueOf<typeof ServiceSummaries>

/** Lists of services for people, a part at a time. */
export const serviceSearchEndpoints = {
  searchServices: endpoint({
    operation: 'searchServices',
    method: 'GET',
    path: '/sys/domain/{domainName}/service',
    group: 'ServiceIdentity',
    summary: 'Lists a part of the services of a domain with the kinds of their keys and numbers of hosts.',
    params: inDomain,
    query: { ...filteredPage, ...tagged },
    access: authenticate,
    responses: { 200: ServiceSummaries },
    errors: readErrors,
  }),
}
