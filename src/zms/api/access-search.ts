import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { lowered, maybe, queried, shown } from '#core/http/scalar-types.ts'
import { bool, int32, int64, list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { AssertionEffect } from './assertion.ts'
import { filteredPage, inDomain, readErrors } from './parameters.ts'

/** A role that an assertion is about. */
const RoleReach = struct({
  /** Full name. */
  role: shown.resource,
  /** Domain that decides who holds it. */
  trust: maybe.domain,
  /** Members that count now, and the first of them. */
  memberCount: int32(),
  members: list(shown.member),
})
export type RoleReach = ValueOf<typeof RoleReach>

/** An assertion of the active version of a policy. */
const stated = {
  /** Local name. */
  policy: shown.entity,
  version: shown.simple,
  id: optional(int64()),
  effect: AssertionEffect,
  /** Full name. */
  role: shown.text,
  action: shown.text,
  resource: shown.text,
  conditions: maybe.bool,
}
const StatedAssertion = struct(stated)
export type StatedAssertion = ValueOf<typeof StatedAssertion>

/** An assertion about an action and a resource, with the roles that it is about. */
const HeldAssertion = struct({ ...stated, roles: list(RoleReach), roleCount: int32() })
export type HeldAssertion = ValueOf<typeof HeldAssertion>

/** Who may do something, and who must not: a part of the assertions about it, in the order of their ids. */
export const ResourceHolders = struct({ list: list(HeldAssertion), total: int32(), next: optional(int64()) })
export type ResourceHolders = ValueOf<typeof ResourceHolders>

/** Names that a resource stands for. */
const Touched = struct({
  /** `role`, `group`, `policy`, `service`, `entity`, or `resource` for what other assertions name. */
  kind: shown.text,
  count: int32(),
  /** The first of them, in full. */
  names: list(shown.text),
})

/** An assertion that changes what another one does. */
const Overruling = struct({
  ...stated,
  /** How many members hold roles of both. */
  commonMembers: int32(),
  /** It denies everything that the other grants. */
  wholly: bool(),
})

/** What an assertion would do that nobody has made yet. Lists are cut; counts are not. */
export const AssertionPreview = struct({
  effect: AssertionEffect,
  role: shown.text,
  action: shown.text,
  resource: shown.text,
  roles: list(RoleReach),
  roleCount: int32(),
  touched: list(Touched),
  /** Assertions of the same effect that say it already. */
  coveredBy: list(StatedAssertion),
  coveredByCount: int32(),
  /** Of an ALLOW: assertions that deny some of it. Of a DENY: assertions of which it denies some. */
  opposed: list(Overruling),
  opposedCount: int32(),
})
export type AssertionPreview = ValueOf<typeof AssertionPreview>

const asked = { action: query('action', lowered.text), resource: query('resource', lowered.text) }
const { limit } = filteredPage

/** Questions about what assertions do, for people. */
export const accessSearchEndpoints = {
  searchHolders: endpoint({
    operation: 'searchHolders',
    method: 'GET',
    path: '/sys/domain/{domainName}/holder',
    group: 'Access',
    summary: 'Lists a part of the assertions about an action and a resource, with the members of their roles.',
    params: inDomain,
    query: { ...asked, limit, skip: query('skip', optional(int64())) },
    access: authenticate,
    responses: { 200: ResourceHolders },
    errors: readErrors,
  }),
  previewAssertion: endpoint({
    operation: 'previewAssertion',
    method: 'GET',
    path: '/sys/domain/{domainName}/preview/assertion',
    group: 'Policy',
    summary: 'Says what an assertion would do: for whom, with what, and beside which others.',
    params: inDomain,
    query: { ...asked, role: query('role', lowered.text), effect: query('effect', queried.text) },
    access: authenticate,
    responses: { 200: AssertionPreview },
    errors: readErrors,
  }),
}
