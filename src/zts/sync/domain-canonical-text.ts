import type { Steps } from '#core/seam/steps.ts'
import { canonicalListSteps } from '#core/token/canonical-steps.ts'
import { canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'

type Json = Readonly<Record<string, unknown>>

/** The canonical text of a domain as ZMS sent it, made in steps. */
export function* domainCanonicalSteps(domain: Json): Steps<string> {
  return canonicalText(
    {
      ...domain,
      roles: yield* canonicalListSteps(domain['roles'], canonicalShapes.role, [
        'roleMembers',
        canonicalShapes.roleMember,
      ]),
      groups: yield* canonicalListSteps(domain['groups'], canonicalShapes.group, [
        'groupMembers',
        canonicalShapes.groupMember,
      ]),
      services: yield* canonicalListSteps(domain['services'], canonicalShapes.service),
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
    contents: { ...contents, policies: yield* canonicalListSteps(contents['policies'], canonicalShapes.policy) },
  }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
