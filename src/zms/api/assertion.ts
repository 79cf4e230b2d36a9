import { authenticate, authorize, endpoint, nothing } from '#core/http/endpoint.ts'
import { kept, lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { enumeration, int32, int64, list, mapOf, optional, record, struct, type ValueOf } from '#core/http/wire.ts'
import { inDomain, owned, readErrors, writeErrors } from './parameters.ts'

/** Whether an assertion grants or forbids; absent means `ALLOW`. */
export const AssertionEffect = enumeration('AssertionEffect', ['ALLOW', 'DENY'])
export type AssertionEffect = ValueOf<typeof AssertionEffect>

/** How a condition compares. */
export const AssertionConditionOperator = enumeration('AssertionConditionOperator', ['EQUALS'])

const conditionData = (value: typeof kept.conditionValue) =>
  struct('AssertionConditionData', { operator: AssertionConditionOperator, value })

/** Condition of an assertion in a request, in lower case; all keys must hold. Without id the server gives one. */
export const AssertionConditionInput = struct('AssertionCondition', {
  id: maybe.int32,
  conditionsMap: mapOf(lowered.conditionKey, conditionData(lowered.conditionValue)),
})
export type AssertionConditionInput = ValueOf<typeof AssertionConditionInput>

/** Conditions of an assertion in a request, in lower case; one of them must hold. */
export const AssertionConditionsInput = struct('AssertionConditions', { conditionsList: list(AssertionConditionInput) })
export type AssertionConditionsInput = ValueOf<typeof AssertionConditionsInput>

/** Condition of an assertion in a reply. */
export const AssertionCondition = struct('AssertionCondition', {
  id: maybe.int32,
  conditionsMap: record(shown.conditionKey, conditionData(shown.conditionValue)),
})
export type AssertionCondition = ValueOf<typeof AssertionCondition>

/** Conditions of an assertion in a reply. */
export const AssertionConditions = struct('AssertionConditions', { conditionsList: list(AssertionCondition) })
export type AssertionConditions = ValueOf<typeof AssertionConditions>

/**
 * An assertion in a request. The role is lower case. Action and resource keep their letters, because the `caseSensitive`
 * of the policy decides too whether they are lowered: {@link foldAssertion} does it. Conditions keep their letters, since
 * the reply of putAssertion repeats them as sent.
 */
export const AssertionInput = struct('Assertion', {
  role: lowered.text,
  resource: kept.text,
  action: kept.text,
  effect: optional(AssertionEffect),
  id: optional(int64()),
  caseSensitive: maybe.bool,
  conditions: optional(
    struct('AssertionConditions', {
      conditionsList: list(
        struct('AssertionCondition', {
          id: maybe.int32,
          conditionsMap: mapOf(kept.conditionKey, conditionData(kept.conditionValue)),
        }),
      ),
    }),
  ),
})
export type AssertionInput = ValueOf<typeof AssertionInput>

/** An assertion in a reply. */
export const Assertion = struct('Assertion', {
  role: shown.text,
  resource: shown.text,
  action: shown.text,
  effect: optional(AssertionEffect),
  id: optional(int64()),
  caseSensitive: maybe.bool,
  conditions: optional(AssertionConditions),
})
export type Assertion = ValueOf<typeof Assertion>

/**
 * Action and resource of an assertion as they are stored: in lower case, except in a case-sensitive assertion or policy,
 * where only the domain part of the resource is lowered.
 */
export function foldAssertion(
  assertion: Pick<AssertionInput, 'action' | 'resource' | 'caseSensitive'>,
  policyCaseSensitive: boolean,
): { action: string; resource: string } {
  const { action, resource } = assertion
  if (!policyCaseSensitive && assertion.caseSensitive !== true) {
    return { action: action.toLowerCase(), resource: resource.toLowerCase() }
  }
  const colon = resource.indexOf(':')
  return { action, resource: colon < 0 ? resource : resource.slice(0, colon).toLowerCase() + resource.slice(colon) }
}

const policy = { ...inDomain, policyName: lowered.entity }
const assertion = { ...policy, assertionId: int64() }
const versioned = { ...policy, version: lowered.simple }
const mayUpdate = authorize('update', '{domainName}:policy.{policyName}')

/** Assertions of a policy and their conditions. */
export const assertionEndpoints = {
  getAssertion: endpoint({
    operation: 'getAssertion',
    method: 'GET',
    path: '/domain/{domainName}/policy/{policyName}/assertion/{assertionId}',
    group: 'Policy',
    summary: 'Reads an assertion of the active version of a policy, without its conditions.',
    params: assertion,
    access: authenticate,
    responses: { 200: Assertion },
    errors: readErrors,
  }),
  putAssertion: endpoint({
    operation: 'putAssertion',
    method: 'PUT',
    path: '/domain/{domainName}/policy/{policyName}/assertion',
    group: 'Policy',
    summary: 'Adds an assertion to the active version of a policy.',
    params: policy,
    headers: owned,
    body: AssertionInput,
    access: mayUpdate,
    responses: { 200: Assertion },
    errors: writeErrors,
  }),
  putAssertionPolicyVersion: endpoint({
    operation: 'putAssertionPolicyVersion',
    method: 'PUT',
    path: '/domain/{domainName}/policy/{policyName}/version/{version}/assertion',
    group: 'Policy',
    summary: 'Adds an assertion to a version of a policy.',
    params: versioned,
    headers: owned,
    body: AssertionInput,
    access: mayUpdate,
    responses: { 200: Assertion },
    errors: writeErrors,
  }),
  deleteAssertion: endpoint({
    operation: 'deleteAssertion',
    method: 'DELETE',
    path: '/domain/{domainName}/policy/{policyName}/assertion/{assertionId}',
    group: 'Policy',
    summary: 'Removes an assertion from the active version of a policy.',
    params: assertion,
    headers: owned,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  deleteAssertionPolicyVersion: endpoint({
    operation: 'deleteAssertionPolicyVersion',
    method: 'DELETE',
    path: '/domain/{domainName}/policy/{policyName}/version/{version}/assertion/{assertionId}',
    group: 'Policy',
    summary: 'Removes an assertion from a version of a policy.',
    params: { ...versioned, assertionId: int64() },
    headers: owned,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putAssertionConditions: endpoint({
    operation: 'putAssertionConditions',
    method: 'PUT',
    path: '/domain/{domainName}/policy/{policyName}/assertion/{assertionId}/conditions',
    group: 'Policy',
    summary: 'Adds conditions to an assertion, or replaces those whose id is given.',
    params: assertion,
    headers: owned,
    body: AssertionConditionsInput,
    access: mayUpdate,
    responses: { 200: AssertionConditions },
    errors: writeErrors,
  }),
  putAssertionCondition: endpoint({
    operation: 'putAssertionCondition',
    method: 'PUT',
    path: '/domain/{domainName}/policy/{policyName}/assertion/{assertionId}/condition',
    group: 'Policy',
    summary: 'Adds a condition to an assertion, or replaces the one whose id is given.',
    params: assertion,
    headers: owned,
    body: AssertionConditionInput,
    access: mayUpdate,
    responses: { 200: AssertionCondition },
    errors: writeErrors,
  }),
  deleteAssertionConditions: endpoint({
    operation: 'deleteAssertionConditions',
    method: 'DELETE',
    path: '/domain/{domainName}/policy/{policyName}/assertion/{assertionId}/conditions',
    group: 'Policy',
    summary: 'Removes all conditions of an assertion.',
    params: assertion,
    headers: owned,
    access: mayUpdate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  deleteAssertionCondition: endpoint({
    operation: 'deleteAssertionCondition',
    method: 'DELETE',
    path: '/domain/{domainName}/policy/{policyName}/assertion/{assertionId}/condition/{conditionId}',
    group: 'Policy',
    summary: 'Removes one condition of an assertion.',
    params: { ...assertion, conditionId: int32() },
    headers: owned,
    access: mayUpdate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
}
