import { authenticate, authorize, endpoint, header, nothing, query } from '#core/http/endpoint.ts'
import { lowered, maybe, queried, shown } from '#core/http/scalar-types.ts'
import { int64, list, nullable, optional, struct, time, uuid, type ValueOf } from '#core/http/wire.ts'
import { domainSettings, newDomainSettings } from './domain-meta.ts'
import { auditedReturning, inDomain, openReadErrors, owned, page, readErrors, tagged } from './parameters.ts'
import { DomainTemplateListInput } from './template.ts'

/** A domain in a reply. */
export const Domain = struct('Domain', {
  ...domainSettings,
  name: shown.domain,
  modified: maybe.time,
  id: optional(uuid()),
})
export type Domain = ValueOf<typeof Domain>

/** Names of domains; null instead of an empty list when a search by account, project or product finds none. */
export const DomainList = struct('DomainList', { names: nullable(list(shown.domain)), next: maybe.text })
export type DomainList = ValueOf<typeof DomainList>

/** A top-level domain to create. */
export const TopLevelDomainInput = struct('TopLevelDomain', {
  ...newDomainSettings,
  name: lowered.simple,
  adminUsers: list(lowered.resource),
  templates: optional(DomainTemplateListInput),
})
export type TopLevelDomainInput = ValueOf<typeof TopLevelDomainInput>

/** A domain to create below another one; `name` is its last part. */
export const SubDomainInput = struct('SubDomain', {
  ...newDomainSettings,
  name: lowered.simple,
  adminUsers: list(lowered.resource),
  templates: optional(DomainTemplateListInput),
  parent: lowered.domain,
})
export type SubDomainInput = ValueOf<typeof SubDomainInput>

/** The personal domain of a user to create. */
export const UserDomainInput = struct('UserDomain', {
  ...newDomainSettings,
  name: lowered.simple,
  templates: optional(DomainTemplateListInput),
})
export type UserDomainInput = ValueOf<typeof UserDomainInput>

/** A use of the rights of one domain by principals of another; `ttl` is what is left of the record's life. */
export const AuthHistory = struct('AuthHistory', {
  uriDomain: maybe.domain,
  principalDomain: maybe.domain,
  principalName: maybe.simple,
  timestamp: maybe.time,
  endpoint: maybe.text,
  ttl: int64(),
})
export type AuthHistory = ValueOf<typeof AuthHistory>

/** Who has used a domain's rights, and whose rights its principals have used. */
export const AuthHistoryDependencies = struct('AuthHistoryDependencies', {
  incomingDependencies: list(AuthHistory),
  outgoingDependencies: list(AuthHistory),
})
export type AuthHistoryDependencies = ValueOf<typeof AuthHistoryDependencies>

/** A membership that was removed because it had expired. */
export const ExpiryMember = struct('ExpiryMember', {
  domainName: shown.domain,
  collectionName: shown.entity,
  principalName: shown.resource,
  expiration: time(),
})
export type ExpiryMember = ValueOf<typeof ExpiryMember>

/** Memberships that were removed; null where that kind was not asked for. */
export const ExpiredMembers = struct('ExpiredMembers', {
  expiredRoleMembers: nullable(list(ExpiryMember)),
  expiredGroupMembers: nullable(list(ExpiryMember)),
})
export type ExpiredMembers = ValueOf<typeof ExpiredMembers>

const named = { name: lowered.simple }
const below = { parent: lowered.domain }

/** Domains and what happens to whole domains. */
export const domainEndpoints = {
  getDomain: endpoint({
    operation: 'getDomain',
    method: 'GET',
    path: '/domain/{domain}',
    group: 'Domain',
    summary: 'Reads the settings of a domain.',
    params: { domain: lowered.domain },
    access: authenticate,
    responses: { 200: Domain },
    errors: readErrors,
  }),
  getDomainList: endpoint({
    operation: 'getDomainList',
    method: 'GET',
    path: '/domain',
    group: 'Domain',
    summary: 'Lists the names of all domains, of a part of them, or of those that one search finds.',
    query: {
      ...page,
      prefix: query('prefix', maybe.loweredText),
      /** Most dots in a name. */
      depth: query('depth', maybe.int32),
      account: query('account', maybe.text),
      productNumber: query('ypmid', maybe.int32),
      roleMember: query('member', queried.resource),
      roleName: query('role', queried.resource),
      subscription: query('azure', maybe.text),
      project: query('gcp', maybe.text),
      ...tagged,
      businessService: query('businessService', maybe.text),
      productId: query('productId', maybe.text),
    },
    headers: { modifiedSince: header('If-Modified-Since', maybe.text) },
    access: authenticate,
    responses: { 200: DomainList },
    errors: [401, 429],
  }),
  postTopLevelDomain: endpoint({
    operation: 'postTopLevelDomain',
    method: 'POST',
    path: '/domain',
    group: 'Domain',
    summary: 'Creates a top-level domain.',
    headers: owned,
    body: TopLevelDomainInput,
    access: authorize('create', 'sys.auth:domain'),
    responses: { 200: Domain },
    errors: [400, 401, 403, 429],
  }),
  postSubDomain: endpoint({
    operation: 'postSubDomain',
    method: 'POST',
    path: '/subdomain/{parent}',
    group: 'Domain',
    summary: 'Creates a domain below another one.',
    params: below,
    headers: owned,
    body: SubDomainInput,
    access: authorize('create', '{parent}:domain'),
    responses: { 200: Domain },
    errors: readErrors,
  }),
  postUserDomain: endpoint({
    operation: 'postUserDomain',
    method: 'POST',
    path: '/userdomain/{name}',
    group: 'Domain',
    summary: 'Creates the personal domain of a user.',
    params: named,
    headers: owned,
    body: UserDomainInput,
    access: authorize('create', 'user.{name}:domain'),
    responses: { 200: Domain },
    errors: readErrors,
  }),
  deleteTopLevelDomain: endpoint({
    operation: 'deleteTopLevelDomain',
    method: 'DELETE',
    path: '/domain/{name}',
    group: 'Domain',
    summary: 'Deletes a top-level domain with all it holds.',
    params: named,
    headers: owned,
    access: authorize('delete', 'sys.auth:domain'),
    responses: { 204: nothing },
    errors: readErrors,
  }),
  deleteSubDomain: endpoint({
    operation: 'deleteSubDomain',
    method: 'DELETE',
    path: '/subdomain/{parent}/{name}',
    group: 'Domain',
    summary: 'Deletes a domain below another one with all it holds.',
    params: { ...below, ...named },
    headers: owned,
    access: authenticate,
    responses: { 204: nothing },
    errors: readErrors,
  }),
  deleteUserDomain: endpoint({
    operation: 'deleteUserDomain',
    method: 'DELETE',
    path: '/userdomain/{name}',
    group: 'Domain',
    summary: 'Deletes the personal domain of a user with all it holds.',
    params: named,
    headers: owned,
    access: authorize('delete', 'user.{name}:domain'),
    responses: { 204: nothing },
    errors: readErrors,
  }),
  getAuthHistoryDependencies: endpoint({
    operation: 'getAuthHistoryDependencies',
    method: 'GET',
    path: '/domain/{domainName}/history/auth',
    group: 'Domain',
    summary: 'Lists which domains have used each other’s rights lately.',
    params: inDomain,
    access: authenticate,
    responses: { 200: AuthHistoryDependencies },
    errors: openReadErrors,
  }),
  deleteExpiredMembers: endpoint({
    operation: 'deleteExpiredMembers',
    method: 'DELETE',
    path: '/expired-members',
    group: 'Domain',
    summary: 'Removes memberships that expired longer ago than their domain keeps them.',
    /** 0 none, 1 roles, 2 groups, 3 both, also when absent. */
    query: { purgeResources: query('purgeResources', maybe.int32) },
    headers: auditedReturning,
    access: authorize('delete', 'sys.auth:expired_members'),
    responses: { 204: nothing, 200: ExpiredMembers },
    errors: [400, 401, 403],
  }),
}
