import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { lowered, maybe, queried, shown } from '#core/http/scalar-types.ts'
import { bool, int32, int64, list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { Assertion } from './assertion.ts'
import { filteredPage, inDomain, readErrors, tagged } from './parameters.ts'
import { ResourcePolicyOwnership } from './resource-ownership.ts'
import { Tags } from './tag.ts'

/** A version of a policy without its assertions. */
const PolicyVersionSummary = struct({
  version: shown.simple,
  active: bool(),
  description: maybe.text,
  modified: maybe.time,
  assertionCount: int32(),
  /** Assertions that hold under conditions only. */
  conditionCount: int32(),
})

/** A policy with its versions, in ascending order, without the assertions. */
export const PolicySummary = struct({
  /** Full name. */
  name: shown.resource,
  /** Version in force; absent when none is. */
  activeVersion: maybe.simple,
  /** Description, time, tags and owners of the active version, or of the first one. */
  description: maybe.text,
  modified: maybe.time,
  tags: Tags,
  resourceOwnership: optional(ResourcePolicyOwnership),
  versions: list(PolicyVersionSummary),
})
export type PolicySummary = ValueOf<typeof PolicySummary>

/** A part of the policies of a domain; `next` is the `skip` of the next part. */
export const PolicySummaries = struct({ list: list(PolicySummary), total: int32(), next: maybe.text })
export type PolicySummaries = ValueOf<typeof PolicySummaries>

/** A part of the assertions of a policy version, in the order of their ids. */
export const AssertionsPage = struct({
  policy: PolicySummary,
  /** The version whose assertions they are. */
  version: shown.simple,
  list: list(Assertion),
  total: int32(),
  next: optional(int64()),
})
export type AssertionsPage = ValueOf<typeof AssertionsPage>

const { filter, limit } = filteredPage

/** Lists of policies and assertions for people, a part at a time. */
export const policySearchEndpoints = {
  searchPolicies: endpoint({
    operation: 'searchPolicies',
    method: 'GET',
    path: '/sys/domain/{domainName}/policy',
    group: 'Policy',
    summary: 'Lists a part of the policies of a domain with their versions and numbers of assertions.',
    params: inDomain,
    query: { ...filteredPage, ...tagged },
    access: authenticate,
    responses: { 200: PolicySummaries },
    errors: readErrors,
  }),
  searchAssertions: endpoint({
    operation: 'searchAssertions',
    method: 'GET',
    path: '/sys/domain/{domainName}/policy/{policyName}/assertion',
    group: 'Policy',
    summary: 'Lists a part of the assertions of a policy version, by default of the active one.',
    params: { ...inDomain, policyName: lowered.entity },
    query: {
      /** In role, action or resource. */
      filter,
      role: query('role', queried.text),
      action: query('action', queried.text),
      resource: query('resource', queried.text),
      version: query('version', queried.simple),
      limit,
      skip: query('skip', optional(int64())),
    },
    access: authenticate,
    responses: { 200: AssertionsPage },
    errors: readErrors,
  }),
}
