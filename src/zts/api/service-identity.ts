import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { inDomain, openReadErrors } from './parameters.ts'

/** A public key: PEM in ybase64, and its id. */
export const PublicKeyEntry = struct('PublicKeyEntry', { key: shown.text, id: shown.text })
export type PublicKeyEntry = ValueOf<typeof PublicKeyEntry>

/** A service, under its full name. */
export const ServiceIdentity = struct('ServiceIdentity', {
  name: shown.service,
  publicKeys: optional(list(PublicKeyEntry)),
  providerEndpoint: maybe.text,
  modified: maybe.time,
  executable: maybe.text,
  hosts: optional(list(shown.text)),
  user: maybe.text,
  group: maybe.text,
})
export type ServiceIdentity = ValueOf<typeof ServiceIdentity>

/** Local names of services. */
export const ServiceIdentityList = struct('ServiceIdentityList', { names: list(shown.entity) })
export type ServiceIdentityList = ValueOf<typeof ServiceIdentityList>

/** Services and their public keys. */
export const serviceIdentityEndpoints = {
  getServiceIdentity: endpoint({
    operation: 'getServiceIdentity',
    method: 'GET',
    path: '/domain/{domainName}/service/{serviceName}',
    group: 'ServiceIdentity',
    summary: 'Reads a service with its public keys and hosts.',
    params: { ...inDomain, serviceName: lowered.service },
    access: authenticate,
    responses: { 200: ServiceIdentity },
    errors: openReadErrors,
  }),
  getServiceIdentityList: endpoint({
    operation: 'getServiceIdentityList',
    method: 'GET',
    path: '/domain/{domainName}/service',
    group: 'ServiceIdentity',
    summary: 'Lists the local names of the services of a domain.',
    params: inDomain,
    access: authenticate,
    responses: { 200: ServiceIdentityList },
    errors: openReadErrors,
  }),
  getPublicKeyEntry: endpoint({
    operation: 'getPublicKeyEntry',
    method: 'GET',
    path: '/domain/{domainName}/service/{serviceName}/publickey/{keyId}',
    group: 'ServiceIdentity',
    summary: 'Reads a public key of a service.',
    params: { ...inDomain, serviceName: lowered.simple, keyId: lowered.text },
    access: authenticate,
    responses: { 200: PublicKeyEntry },
    errors: openReadErrors,
  }),
}
