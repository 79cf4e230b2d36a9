import type { AssertionView } from './compiled-policies.ts'
import type { AccessQuestion } from './evaluate.ts'

/**
 * The assertions in the order of how much of their action and resource reads like the question, from the beginning on: one
 * that is about just this comes before one that is about everything. Those that are as much alike keep their order.
 */
export function mostAlike<S extends { readonly assertion: AssertionView }>(
  steps: readonly S[],
  { action, resource }: Pick<AccessQuestion, 'action' | 'resource'>,
): S[] {
  const asked = [action.toLowerCase(), resource.toLowerCase()] as const
  return steps
    .map((step) => ({ step, likeness: likenessOf(step.assertion, asked) }))
    .sort((a, b) => b.likeness - a.likeness)
    .map(({ step }) => step)
}

/** How many characters an assertion has in common with an action and resource in lower case. */
const likenessOf = (assertion: AssertionView, [action, resource]: readonly [string, string]): number =>
  commonLength(assertion.action.toLowerCase(), action) + commonLength(assertion.resource.toLowerCase(), resource)

function commonLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}
