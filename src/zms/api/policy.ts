import { authenticate, authorize, endpoint, nothing, query } from '#core/http/endpoint.ts'
import { lowered, maybe, off, shown } from '#core/http/scalar-types.ts'
import { list, nullable, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { Assertion, AssertionInput } from './assertion.ts'
import {
  audited,
  inDomain,
  openReadErrors,
  owned,
  page,
  readErrors,
  returning,
  tagged,
  writeErrors,
} from './parameters.ts'
import { ResourcePolicyOwnership, ResourcePolicyOwnershipInput } from './resource-ownership.ts'
import { Tags, TagsInput } from './tag.ts'

/** A policy in a request. `name` is the local or the full name; `caseSensitive` holds for every assertion. */
export const PolicyInput = struct('Policy', {
  name: lowered.resource,
  modified: maybe.timestamp,
  assertions: list(AssertionInput),
  caseSensitive: maybe.bool,
  version: optional(lowered.simple),
  active: maybe.bool,
  description: maybe.text,
  tags: TagsInput,
  resourceOwnership: optional(ResourcePolicyOwnershipInput),
})
export type PolicyInput = ValueOf<typeof PolicyInput>

/** A policy in a reply, under its full name; the assertions are null where they were not asked for. */
export const Policy = struct('Policy', {
  name: shown.resource,
  modified: maybe.time,
  assertions: nullable(list(Assertion)),
  caseSensitive: maybe.bool,
  version: maybe.simple,
  active: maybe.bool,
  description: maybe.text,
  tags: Tags,
  resourceOwnership: optional(ResourcePolicyOwnership),
})
export type Policy = ValueOf<typeof Policy>

/** Several policies. */
export const Policies = struct('Policies', { list: list(Policy) })
export type Policies = ValueOf<typeof Policies>

/** Local names of policies or versions; `next` is the `skip` of the next page. */
export const PolicyList = struct('PolicyList', { names: list(shown.entity), next: maybe.text })
export type PolicyList = ValueOf<typeof PolicyList>

/** A version of a policy, and the one it is copied from. */
export const PolicyOptionsInput = struct('PolicyOptions', {
  version: lowered.simple,
  fromVersion: optional(lowered.simple),
})
export type PolicyOptionsInput = ValueOf<typeof PolicyOptionsInput>

const policy = { ...inDomain, policyName: lowered.entity }
const versioned = { ...policy, version: lowered.simple }
const mayUpdate = authorize('update', '{domainName}:policy.{policyName}')
const mayDelete = authorize('delete', '{domainName}:policy.{policyName}')

/** Policies and their versions. */
export const policyEndpoints = {
  getPolicyList: endpoint({
    operation: 'getPolicyList',
    method: 'GET',
    path: '/domain/{domainName}/policy',
    group: 'Policy',
    summary: 'Lists the local names of the policies of a domain.',
    params: inDomain,
    query: page,
    access: authenticate,
    responses: { 200: PolicyList },
    errors: readErrors,
  }),
  getPolicies: endpoint({
    operation: 'getPolicies',
    method: 'GET',
    path: '/domain/{domainName}/policies',
    group: 'Policy',
    summary: 'Reads the policies of a domain; on request their assertions and the versions that are not active.',
    params: inDomain,
    query: {
      assertions: query('assertions', off),
      includeNonActive: query('includeNonActive', off),
      ...tagged,
    },
    access: authenticate,
    responses: { 200: Policies },
    errors: openReadErrors,
  }),
  getPolicy: endpoint({
    operation: 'getPolicy',
    method: 'GET',
    path: '/domain/{domainName}/policy/{policyName}',
    group: 'Policy',
    summary: 'Reads the active version of a policy.',
    params: policy,
    access: authenticate,
    responses: { 200: Policy },
    errors: readErrors,
  }),
  putPolicy: endpoint({
    operation: 'putPolicy',
    method: 'PUT',
    path: '/domain/{domainName}/policy/{policyName}',
    group: 'Policy',
    summary: 'Creates a policy or replaces one version of it.',
    params: policy,
    headers: returning,
    body: PolicyInput,
    access: mayUpdate,
    responses: { 204: nothing, 200: Policy },
    errors: writeErrors,
  }),
  deletePolicy: endpoint({
    operation: 'deletePolicy',
    method: 'DELETE',
    path: '/domain/{domainName}/policy/{policyName}',
    group: 'Policy',
    summary: 'Deletes a policy with all its versions.',
    params: policy,
    headers: owned,
    access: mayDelete,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getPolicyVersionList: endpoint({
    operation: 'getPolicyVersionList',
    method: 'GET',
    path: '/domain/{domainName}/policy/{policyName}/version',
    group: 'Policy',
    summary: 'Lists the versions of a policy.',
    params: policy,
    access: authenticate,
    responses: { 200: PolicyList },
    errors: readErrors,
  }),
  getPolicyVersion: endpoint({
    operation: 'getPolicyVersion',
    method: 'GET',
    path: '/domain/{domainName}/policy/{policyName}/version/{version}',
    group: 'Policy',
    summary: 'Reads a version of a policy.',
    params: versioned,
    access: authenticate,
    responses: { 200: Policy },
    errors: readErrors,
  }),
  putPolicyVersion: endpoint({
    operation: 'putPolicyVersion',
    method: 'PUT',
    path: '/domain/{domainName}/policy/{policyName}/version/create',
    group: 'Policy',
    summary: 'Makes a version of a policy as an inactive copy of another one.',
    params: policy,
    headers: returning,
    body: PolicyOptionsInput,
    access: mayUpdate,
    responses: { 204: nothing, 200: Policy },
    errors: writeErrors,
  }),
  setActivePolicyVersion: endpoint({
    operation: 'setActivePolicyVersion',
    method: 'PUT',
    path: '/domain/{domainName}/policy/{policyName}/version/active',
    group: 'Policy',
    summary: 'Makes a version of a policy the one that counts.',
    params: policy,
    headers: owned,
    body: PolicyOptionsInput,
    access: mayUpdate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  deletePolicyVersion: endpoint({
    operation: 'deletePolicyVersion',
    method: 'DELETE',
    path: '/domain/{domainName}/policy/{policyName}/version/{version}',
    group: 'Policy',
    summary: 'Deletes a version of a policy that is not the active one.',
    params: versioned,
    headers: owned,
    access: mayDelete,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putResourcePolicyOwnership: endpoint({
    operation: 'putResourcePolicyOwnership',
    method: 'PUT',
    path: '/domain/{domainName}/policy/{policyName}/ownership',
    group: 'Policy',
    summary: 'Replaces the owners of a policy.',
    params: policy,
    headers: audited,
    body: optional(ResourcePolicyOwnershipInput),
    access: authorize('update', '{domainName}:meta.policy.ownership.{policyName}'),
    responses: { 204: nothing },
    errors: readErrors,
  }),
}
