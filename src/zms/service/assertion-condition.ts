import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok, type RequestContext } from '#core/http/endpoint.ts'
import { policyResourceName } from '#core/names/resource-name.ts'
import type { assertionEndpoints } from '../api/assertion.ts'
import type { Assertion, AssertionCondition, Policy } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { auditedDomain } from './audited-domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { conditionReply } from './policy-reply.ts'
import {
  activeVersion,
  findAssertion,
  giveOwners,
  type PolicyVersions,
  requireNotAdmin,
  versionsOf,
} from './stored-policy.ts'

type ConditionOperation =
  | 'putAssertionConditions'
  | 'putAssertionCondition'
  | 'deleteAssertionConditions'
  | 'deleteAssertionCondition'

/** Conditions by their id. */
type Conditions = ReadonlyMap<number, AssertionCondition>

/** Path of the operations on conditions, which find the assertion in any version of the policy. */
interface AssertionPath {
  readonly domainName: string
  readonly policyName: string
  readonly assertionId: number
}

/** An assertion in the middle of a transaction, with the version that has it. */
interface FoundAssertion {
  readonly policy: Policy
  readonly assertion: Assertion
  readonly conditions: Conditions
}

/** Conditions of assertions. An assertion has several conditions, of which one must hold. */
export function assertionConditionService(
  deps: ZmsDependencies,
): Pick<Handlers<typeof assertionEndpoints>, ConditionOperation> {
  const { writes } = deps
  return {
    async putAssertionConditions({ params, body, headers }, context) {
      deps.authorizedServices.check(context)
      if (params.policyName === 'admin') {
        throw badRequest('putAssertionConditions: admin policy cannot have conditions')
      }
      const given = body.conditionsList.map(({ conditionsMap }) => conditionsMap)
      const added = await put(context, params, headers, (transaction, found) => {
        const first = nextId(found.conditions)
        const list = given.map((condition, index) => [first + index, condition] as const)
        requireFilled(context, params, given, 'conditions')
        const next = new Map([...found.conditions, ...list])
        if (list.length > 0) store(transaction, found, params, next)
        return list
      })
      return ok({ conditionsList: added.map(([id, condition]) => conditionReply(id, condition)) })
    },

    async putAssertionCondition({ params, body, headers }, context) {
      deps.authorizedServices.check(context)
      // The name of another operation in the message is the original's.
      if (params.policyName === 'admin') {
        throw badRequest('deleteAssertionCondition: admin policy cannot be modified')
      }
      const { conditionsMap } = body
      const id = await put(context, params, headers, (transaction, found) => {
        if (body.id !== undefined && !found.conditions.has(body.id)) {
          throw notFound(
            `${context.api}: unable to delete assertion condition during putAssertionCondition for ${describe(params)} conditionId=${body.id}`,
          )
        }
        requireFilled(context, params, [conditionsMap], 'condition')
        const target = body.id ?? nextId(found.conditions)
        store(transaction, found, params, new Map([...found.conditions, [target, conditionsMap]]))
        return target
      })
      return ok(conditionReply(id, conditionsMap))
    },

    async deleteAssertionConditions({ params, headers }, context) {
      deps.authorizedServices.check(context)
      requireNotAdmin('deleteAssertionConditions', params.policyName)
      const refusal = () => notFound(`${context.api}: unable to delete assertion conditions for ${describe(params)}`)
      await change(
        context,
        params,
        headers.auditRef,
        (transaction, found) => {
          if (found.conditions.size === 0) throw refusal()
          apply(transaction, found, params, new Map())
        },
        { missing: refusal },
      )
      return noContent
    },

    async deleteAssertionCondition({ params, headers }, context) {
      const { conditionId } = params
      deps.authorizedServices.check(context)
      requireNotAdmin('deleteAssertionCondition', params.policyName)
      const refusal = () =>
        notFound(
          `${context.api}: unable to read assertion condition for ${describe(params)} conditionId=${conditionId}`,
        )
      await change(
        context,
        params,
        headers.auditRef,
        (transaction, found) => {
          const next = new Map(found.conditions)
          if (!next.delete(conditionId)) throw refusal()
          apply(transaction, found, params, next)
        },
        { missing: refusal },
      )
      return noContent
    },
  }

  /** Changes the conditions of an assertion for the owner of the assertions, who is asked before they are looked for. */
  async function put<T>(
    context: RequestContext,
    path: AssertionPath,
    {
      auditRef,
      resourceOwner,
    }: { readonly auditRef?: string | undefined; readonly resourceOwner?: string | undefined },
    decide: (transaction: Transaction, found: FoundAssertion) => T,
  ): Promise<T> {
    return change(context, path, auditRef, decide, {
      missing: () => notFound(`${context.api}: unable to read assertion for ${describe(path)}`),
      before: (transaction, versions) => takeOwnership(transaction, versions, path, resourceOwner),
    })
  }

  /** Finds the assertion and changes its conditions in one transaction; 404 without it. */
  async function change<T>(
    context: RequestContext,
    path: AssertionPath,
    auditRef: string | undefined,
    decide: (transaction: Transaction, found: FoundAssertion) => T,
    rules: {
      readonly missing: () => Error
      readonly before?: (transaction: Transaction, versions: PolicyVersions) => void
    },
  ): Promise<T> {
    const { domainName, policyName, assertionId } = path
    const subject = { context, domains: [domainName], entity: policyName, auditRef }
    return writes.commit(subject, async (transaction) => {
      const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'policy', auditRef })
      const versions = versionsOf(domain, policyName)
      rules.before?.(transaction, versions)
      const found = findAssertion(versions, assertionId)
      if (!found) throw rules.missing()
      return decide(transaction, { ...found, conditions: found.assertion.conditions ?? new Map() })
    })
  }

  /** The owner of the assertions owns their conditions too. */
  function takeOwnership(
    transaction: Transaction,
    versions: PolicyVersions,
    { domainName, policyName }: AssertionPath,
    resourceOwner: string | undefined,
  ): void {
    const fullName = policyResourceName(domainName, policyName)
    const stored = activeVersion(versions)?.resourceOwnership
    const owners = deps.ownership.componentWrite('policy', fullName, stored, 'assertions', 'member', resourceOwner)
    if (owners) giveOwners(transaction, domainName, versions, owners)
  }

  /** Stores conditions within the quota, which counts the keys of all of them. */
  function store(transaction: Transaction, found: FoundAssertion, path: AssertionPath, next: Conditions): void {
    let keys = 0
    for (const condition of next.values()) keys += condition.size
    deps.quotas.requireConditions(keys)
    apply(transaction, found, path, next)
  }
}

function apply(
  transaction: Transaction,
  { policy: { version } }: FoundAssertion,
  { domainName: domain, policyName: policy, assertionId: id }: AssertionPath,
  value: Conditions,
): void {
  transaction.apply({ kind: 'putConditions', domain, policy, version, id, value })
}

/** 400 when a condition has no key: it could neither hold nor be stored. */
function requireFilled(
  { api }: RequestContext,
  path: AssertionPath,
  conditions: readonly AssertionCondition[],
  word: 'condition' | 'conditions',
): void {
  if (conditions.some((condition) => condition.size === 0)) {
    throw badRequest(`${api}: unable to insert new assertion ${word} for ${describe(path)}`)
  }
}

const nextId = (conditions: Conditions): number => {
  let last = 0
  for (const id of conditions.keys()) last = Math.max(last, id)
  return last + 1
}

const describe = ({ policyName, assertionId }: AssertionPath): string =>
  `policy=${policyName} assertionId=${assertionId}`
