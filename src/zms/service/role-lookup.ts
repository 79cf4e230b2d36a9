import type { Principal } from '#core/authority/principal.ts'
import { principalTypes, splitPrincipalName } from '#core/names/principal-name.ts'
import type { ZmsDependencies } from './dependencies.ts'

/** Right of those who may see, in one domain or (as `sys.auth`) in all, which roles others hold and how. */
export const roleLookupResource = (domain: string): string => `${domain}:meta.role.lookup`

/**
 * Whether the caller may see which roles a principal holds, and how: itself, who holds `access` on the role lookup of the
 * domain in question or of `sys.auth`, and who may change the service in question.
 */
export async function mayLookUpRoles(
  { authorization, memberRules }: Pick<ZmsDependencies, 'authorization' | 'memberRules'>,
  caller: Principal,
  asked: string,
  domain: string | undefined,
): Promise<boolean> {
  if (caller.fullName === asked) return true
  if (domain !== undefined && (await authorization.isAllowed(caller, 'access', roleLookupResource(domain)))) return true
  if (await authorization.isAllowed(caller, 'access', roleLookupResource('sys.auth'))) return true
  const service = memberRules.typeOf(asked) === principalTypes.service ? splitPrincipalName(asked) : undefined
  if (!service) return false
  return authorization.isAllowed(caller, 'update', `${service.domain}:service.${service.name}`)
}
