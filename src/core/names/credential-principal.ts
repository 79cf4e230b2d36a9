import { isName } from './patterns.ts'
import { isGroupName, type PrincipalParts, splitPrincipalName } from './principal-name.ts'

/** What tokens can carry; names beyond it may turn into those of others in lower case. */
const TOKEN_TEXT = /^[!-:<-~]+$/

/**
 * Domain and name, in lower case, of the principal that a credential names: a service, a user or an external member, whose
 * name has its last period behind `:ext`. Undefined for names of any other form: they could be taken for a group or a
 * wildcard, or be those of others in lower case.
 */
export function credentialPrincipal(fullName: string): PrincipalParts | undefined {
  const lower = fullName.toLowerCase()
  const isMember = (): boolean =>
    TOKEN_TEXT.test(fullName) && isName('ExternalMemberName', lower) && !isGroupName(lower) && !lower.includes('*')
  return isName('CompoundName', fullName) || isMember() ? splitPrincipalName(lower) : undefined
}
