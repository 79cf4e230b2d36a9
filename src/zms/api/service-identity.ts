import { authenticate, authorize, endpoint, nothing, query } from '#core/http/endpoint.ts'
import { kept, lowered, maybe, off, queried, shown } from '#core/http/scalar-types.ts'
import { int64, list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import {
  audited,
  inDomain,
  openReadErrors,
  owned,
  page,
  readErrors,
  returning,
  tagged,
  unchanged,
  writeErrors,
} from './parameters.ts'
import { ResourceServiceIdentityOwnership, ResourceServiceIdentityOwnershipInput } from './resource-ownership.ts'
import { Tags, TagsInput } from './tag.ts'

/** A public key in a request: PEM in ybase64, and its id. */
export const PublicKeyEntryInput = struct('PublicKeyEntry', { key: kept.text, id: lowered.text })
export type PublicKeyEntryInput = ValueOf<typeof PublicKeyEntryInput>

/** A public key in a reply. */
export const PublicKeyEntry = struct('PublicKeyEntry', { key: shown.text, id: shown.text })
export type PublicKeyEntry = ValueOf<typeof PublicKeyEntry>

/** Members of a service that requests and replies write alike. */
const description = {
  description: maybe.text,
  providerEndpoint: maybe.text,
  executable: maybe.text,
  user: maybe.text,
  group: maybe.text,
  x509CertSignerKeyId: maybe.emptyText,
  sshCertSignerKeyId: maybe.emptyText,
  creds: maybe.text,
  clientId: maybe.emptyText,
  featureFlags: maybe.int32,
}

/**
 * A service in a request, under its full name. Endpoint, signer key ids, credentials, client id and feature flags are
 * read and ignored: other operations set them.
 */
export const ServiceIdentityInput = struct('ServiceIdentity', {
  ...description,
  name: lowered.service,
  publicKeys: optional(list(PublicKeyEntryInput)),
  modified: maybe.timestamp,
  hosts: optional(list(lowered.text)),
  tags: TagsInput,
  resourceOwnership: optional(ResourceServiceIdentityOwnershipInput),
})
export type ServiceIdentityInput = ValueOf<typeof ServiceIdentityInput>

/** A service in a reply, under its full name; `creds` occurs in signed domains only. */
export const ServiceIdentity = struct('ServiceIdentity', {
  ...description,
  name: shown.service,
  publicKeys: optional(list(PublicKeyEntry)),
  modified: maybe.time,
  hosts: optional(list(shown.text)),
  tags: Tags,
  resourceOwnership: optional(ResourceServiceIdentityOwnership),
})
export type ServiceIdentity = ValueOf<typeof ServiceIdentity>

/** Several services; `serviceMatchCount` is 0 unless a search found more than it lists. */
export const ServiceIdentities = struct('ServiceIdentities', {
  list: list(ServiceIdentity),
  serviceMatchCount: int64(),
})
export type ServiceIdentities = ValueOf<typeof ServiceIdentities>

/** Names of services; `next` is the `skip` of the next page. */
export const ServiceIdentityList = struct('ServiceIdentityList', { names: list(shown.entity), next: maybe.text })
export type ServiceIdentityList = ValueOf<typeof ServiceIdentityList>

/** Settings of a service that belong to the operators. */
export const ServiceIdentitySystemMetaInput = struct('ServiceIdentitySystemMeta', {
  providerEndpoint: maybe.text,
  x509CertSignerKeyId: maybe.emptyText,
  sshCertSignerKeyId: maybe.emptyText,
  clientId: maybe.emptyText,
  featureFlags: maybe.int32,
})
export type ServiceIdentitySystemMetaInput = ValueOf<typeof ServiceIdentitySystemMetaInput>

/** Credentials of a service; an empty text removes them. */
export const CredsEntryInput = struct('CredsEntry', { value: maybe.emptyText })
export type CredsEntryInput = ValueOf<typeof CredsEntryInput>

const service = { domain: lowered.domain, service: lowered.simple }
const key = { ...service, id: lowered.text }
const mayUpdate = authorize('update', '{domain}:service.{service}')

/** Services and their public keys. */
export const serviceIdentityEndpoints = {
  putServiceIdentity: endpoint({
    operation: 'putServiceIdentity',
    method: 'PUT',
    path: '/domain/{domain}/service/{service}',
    group: 'ServiceIdentity',
    summary: 'Creates or replaces a service.',
    params: service,
    query: unchanged,
    headers: returning,
    body: ServiceIdentityInput,
    access: mayUpdate,
    responses: { 204: nothing, 200: ServiceIdentity },
    errors: writeErrors,
  }),
  getServiceIdentity: endpoint({
    operation: 'getServiceIdentity',
    method: 'GET',
    path: '/domain/{domain}/service/{service}',
    group: 'ServiceIdentity',
    summary: 'Reads a service with its public keys and hosts.',
    params: service,
    access: authenticate,
    responses: { 200: ServiceIdentity },
    errors: readErrors,
  }),
  deleteServiceIdentity: endpoint({
    operation: 'deleteServiceIdentity',
    method: 'DELETE',
    path: '/domain/{domain}/service/{service}',
    group: 'ServiceIdentity',
    summary: 'Deletes a service.',
    params: service,
    headers: owned,
    access: authorize('delete', '{domain}:service.{service}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getServiceIdentities: endpoint({
    operation: 'getServiceIdentities',
    method: 'GET',
    path: '/domain/{domainName}/services',
    group: 'ServiceIdentity',
    summary: 'Reads the services of a domain, with public keys and hosts when asked for.',
    params: inDomain,
    query: { publickeys: query('publickeys', off), hosts: query('hosts', off), ...tagged },
    access: authenticate,
    responses: { 200: ServiceIdentities },
    errors: openReadErrors,
  }),
  getServiceIdentityList: endpoint({
    operation: 'getServiceIdentityList',
    method: 'GET',
    path: '/domain/{domainName}/service',
    group: 'ServiceIdentity',
    summary: 'Lists the local names of the services of a domain.',
    params: inDomain,
    query: page,
    access: authenticate,
    responses: { 200: ServiceIdentityList },
    errors: readErrors,
  }),
  getPublicKeyEntry: endpoint({
    operation: 'getPublicKeyEntry',
    method: 'GET',
    path: '/domain/{domain}/service/{service}/publickey/{id}',
    group: 'ServiceIdentity',
    summary: 'Reads a public key of a service.',
    params: key,
    access: authenticate,
    responses: { 200: PublicKeyEntry },
    errors: readErrors,
  }),
  putPublicKeyEntry: endpoint({
    operation: 'putPublicKeyEntry',
    method: 'PUT',
    path: '/domain/{domain}/service/{service}/publickey/{id}',
    group: 'ServiceIdentity',
    summary: 'Adds or replaces a public key of a service.',
    params: key,
    headers: owned,
    body: PublicKeyEntryInput,
    access: mayUpdate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  deletePublicKeyEntry: endpoint({
    operation: 'deletePublicKeyEntry',
    method: 'DELETE',
    path: '/domain/{domain}/service/{service}/publickey/{id}',
    group: 'ServiceIdentity',
    summary: 'Removes a public key of a service.',
    params: key,
    headers: owned,
    access: mayUpdate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putServiceIdentitySystemMeta: endpoint({
    operation: 'putServiceIdentitySystemMeta',
    method: 'PUT',
    path: '/domain/{domain}/service/{service}/meta/system/{attribute}',
    group: 'ServiceIdentity',
    summary: 'Changes one setting of a service that belongs to the operators.',
    params: { ...service, attribute: lowered.simple },
    headers: audited,
    body: ServiceIdentitySystemMetaInput,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putResourceServiceIdentityOwnership: endpoint({
    operation: 'putResourceServiceIdentityOwnership',
    method: 'PUT',
    path: '/domain/{domainName}/service/{service}/ownership',
    group: 'ServiceIdentity',
    summary: 'Replaces the owners of a service.',
    params: { ...inDomain, service: lowered.simple },
    headers: audited,
    body: optional(ResourceServiceIdentityOwnershipInput),
    access: authorize('update', '{domainName}:meta.service.ownership.{service}'),
    responses: { 204: nothing },
    errors: readErrors,
  }),
  searchServiceIdentities: endpoint({
    operation: 'searchServiceIdentities',
    method: 'GET',
    path: '/service/{serviceName}',
    group: 'ServiceIdentity',
    summary: 'Finds services by local name or a part of it, in all domains or those that begin with a text.',
    params: { serviceName: lowered.simple },
    query: {
      substringMatch: query('substringMatch', off),
      domainFilter: query('domainFilter', queried.domain),
    },
    access: authenticate,
    responses: { 200: ServiceIdentities },
    errors: [400, 429],
  }),
  putServiceCredsEntry: endpoint({
    operation: 'putServiceCredsEntry',
    method: 'PUT',
    path: '/domain/{domain}/service/{service}/creds',
    group: 'ServiceIdentity',
    summary: 'Sets or removes the credentials of a service.',
    params: service,
    headers: owned,
    body: CredsEntryInput,
    access: mayUpdate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
}
