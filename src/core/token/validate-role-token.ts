import { parseRoleToken, type RoleToken } from './role-token.ts'
import type { TokenFailure } from './token-fields.ts'
import { addressMismatch, isFromTokenAddress, isWriteMethod, type TokenRequest } from './token-request.ts'
import { checkSignatureBy, checkTokenTimes, type PublicKeyLookup, type TokenTimeLimits } from './token-validity.ts'

/** What a role token is validated against. */
export interface RoleTokenRules extends Omit<TokenTimeLimits, 'allowNoExpiry'> {
  readonly publicKey: PublicKeyLookup
  /** With a request, the address rule for users applies on writing operations. */
  readonly request?: TokenRequest & { readonly userDomain: string }
}

/** A role token that holds, or why it does not. */
export type RoleTokenOutcome =
  | { readonly ok: true; readonly token: RoleToken }
  | { readonly ok: false; readonly failure: TokenFailure; readonly signedText?: string }

/**
 * Reads a role token and carries out every check in order: form, times and signature with the key `k` of
 * `sys.auth.zts`, address. Role tokens without expiry are never accepted.
 */
export async function validateRoleToken(text: string, rules: RoleTokenRules): Promise<RoleTokenOutcome> {
  const parsed = parseRoleToken(text)
  if (!parsed.ok) return parsed
  const { token } = parsed
  const failure =
    checkTokenTimes(token, { ...rules, allowNoExpiry: false }) ??
    (await checkSignatureBy({ domain: 'sys.auth', service: 'zts', keyId: token.keyId }, rules.publicKey, token)) ??
    (rules.request && checkRoleTokenAddress(token, rules.request, rules.request.userDomain))
  return failure ? { ok: false, failure, signedText: token.signedText } : parsed
}

/**
 * The address rule: a writing operation from another address is refused when a user holds the roles, or when the holder
 * is not named in full, so that it cannot be told.
 */
export function checkRoleTokenAddress(
  token: RoleToken,
  request: TokenRequest,
  userDomain: string,
): TokenFailure | undefined {
  if (!isWriteMethod(request.method) || isFromTokenAddress(token.ip, request)) return undefined
  const holderDomain = token.principal?.slice(0, Math.max(token.principal.lastIndexOf('.'), 0)).toLowerCase()
  if (holderDomain && holderDomain !== userDomain) return undefined
  return addressMismatch(token.ip, request)
}
