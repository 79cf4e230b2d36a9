import type { Steps } from '#core/seam/steps.ts'
import { CanonicalPart, type CanonicalShape, canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'

type Json = Readonly<Record<string, unknown>>

/** Members, assertions and the like that are written between two looks at the time. */
const STEP_SIZE = 200

/** The canonical text of a domain as ZMS sent it, made in steps. */
export function* domainCanonicalSteps(domain: Json): Steps<string> {
  return canonicalText(
    {
      ...domain,
      roles: yield* listSteps(domain['roles'], canonicalShapes.role, ['roleMembers', canonicalShapes.roleMember]),
      groups: yield* listSteps(domain['groups'], canonicalShapes.group, ['groupMembers', canonicalShapes.groupMember]),
      services: yield* listSteps(domain['services'], canonicalShapes.service),
      policies: yield* policiesSteps(domain['policies']),
    },
    canonicalShapes.domain,
  )
}

function* policiesSteps(signed: unknown): Steps<unknown> {
  if (!isObject(signed) || !isObject(signed['contents'])) return signed
  const { contents } = signed
  return {
    ...signed,
    contents: { ...contents, policies: yield* listSteps(contents['policies'], canonicalShapes.policy) },
  }
}

/** A list with its text made already, with that of long lists inside its items; an empty list and what is none stay. */
function* listSteps(
  list: unknown,
  shape: CanonicalShape,
  inner?: readonly [member: string, shape: CanonicalShape],
): Steps<unknown> {
  if (!Array.isArray(list) || list.length === 0) return list
  const texts: string[] = []
  for (const [index, item] of (list as unknown[]).entries()) {
    texts.push(canonicalText(inner ? yield* withInner(item, ...inner) : item, shape))
    if (index % STEP_SIZE === STEP_SIZE - 1) yield
  }
  return new CanonicalPart(`[${texts.join(',')}]`)
}

function* withInner(item: unknown, member: string, shape: CanonicalShape): Steps<unknown> {
  if (!isObject(item)) return item
  const list = item[member]
  if (!Array.isArray(list) || list.length < STEP_SIZE) return item
  return { ...item, [member]: yield* listSteps(list, shape) }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
