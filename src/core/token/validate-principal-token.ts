import { type PrincipalToken, parsePrincipalToken } from './principal-token.ts'
import { excerpt, type TokenFailure } from './token-fields.ts'
import { addressMismatch, isFromTokenAddress, isWriteMethod, type TokenRequest } from './token-request.ts'
import {
  checkSignatureBy,
  checkTokenTimes,
  type KeyReference,
  type PublicKeyLookup,
  type TokenTimeLimits,
} from './token-validity.ts'

/** When the address inside a user's token must be that of the client: writing operations, all, or never. */
export type AddressCheckMode = 'OPS_WRITE' | 'OPS_ALL' | 'OPS_NONE'

/** What a principal token is validated against. */
export interface PrincipalTokenRules extends TokenTimeLimits {
  readonly userDomain: string
  readonly publicKey: PublicKeyLookup
  /** Whether tokens without expiry are accepted at all; they never are for writing operations. */
  readonly allowNoExpiry?: boolean
  /** Without a request there is no address rule, and tokens without expiry are refused. */
  readonly request?: TokenRequest
  /** `OPS_WRITE` unless given. */
  readonly addressCheck?: AddressCheckMode
}

/** A token that holds, with the service that has signed for the principal, if one has. */
export type PrincipalTokenOutcome =
  | { readonly ok: true; readonly token: PrincipalToken; readonly authorizedService?: string }
  | { readonly ok: false; readonly failure: TokenFailure; readonly signedText?: string }

/**
 * Reads a principal token and carries out every check in order: form, completeness of the delegation, times and
 * signature with the key the token refers to, signature of the authorized service, address. The times come before the
 * signature because they cost nothing; no claim is used before the signatures have been verified.
 */
export async function validatePrincipalToken(text: string, rules: PrincipalTokenRules): Promise<PrincipalTokenOutcome> {
  const parsed = parsePrincipalToken(text)
  if (!parsed.ok) return parsed
  const { token } = parsed
  const refused = (failure: TokenFailure) => ({ ok: false, failure, signedText: token.signedText }) as const

  const delegate = authorizedServiceOf(token)
  if (delegate !== undefined && 'code' in delegate) return refused(delegate)

  const writes = rules.request === undefined || isWriteMethod(rules.request.method)
  const limits = { ...rules, allowNoExpiry: rules.allowNoExpiry === true && !writes }
  const failure =
    checkTokenTimes(token, limits) ??
    (await checkSignatureBy(signingKeyOf(token, rules.userDomain), rules.publicKey, token)) ??
    (delegate && (await checkSignatureBy(delegate.key, rules.publicKey, delegate)))
  if (failure) return refused(failure)

  const misused = rules.request && checkPrincipalTokenAddress(token, rules.request, rules, delegate !== undefined)
  return misused ? refused(misused) : { ok: true, token, authorizedService: delegate?.name }
}

/** Whose key signs a principal token: the server named by `z`, the ZMS server for users, else the service itself. */
export function signingKeyOf(token: PrincipalToken, userDomain: string): KeyReference {
  const { keyId } = token
  if (token.keyService === 'zms' || token.keyService === 'zts') {
    return { domain: 'sys.auth', service: token.keyService, keyId }
  }
  if (token.domain === userDomain) return { domain: 'sys.auth', service: 'zms', keyId }
  return { domain: token.domain, service: token.name, keyId }
}

/** The authorized service that has signed a token, with what its signature needs. */
export interface AuthorizedService {
  /** Full name as the token writes it. */
  readonly name: string
  readonly key: KeyReference
  readonly signedText: string
  readonly signature: string
}

/**
 * The authorized service that has signed, undefined when the token has nothing of the kind, or the failure when the
 * list of services and the signature do not belong together.
 */
export function authorizedServiceOf(token: PrincipalToken): AuthorizedService | TokenFailure | undefined {
  const { authorizedServices, delegation } = token
  if (delegation === undefined) {
    return authorizedServices.length === 0 ? undefined : badDelegation('no authorized service has signed')
  }
  if (authorizedServices.length === 0) return badDelegation('signed by a service although none is authorized')
  if (delegation.signature === undefined) return badDelegation('the signature of the authorized service is missing')
  const name = delegation.service ?? (authorizedServices.length === 1 ? authorizedServices[0] : undefined)
  if (name === undefined) return badDelegation('which of the authorized services has signed is not said')
  if (!authorizedServices.includes(name))
    return badDelegation(`service ${excerpt(name)} is not among the authorized ones`)
  const dot = name.lastIndexOf('.')
  if (dot <= 0 || dot === name.length - 1) return badDelegation(`${excerpt(name)} is not the full name of a service`)
  return {
    name,
    key: {
      domain: name.slice(0, dot).toLowerCase(),
      service: name.slice(dot + 1).toLowerCase(),
      keyId: delegation.keyId,
    },
    signedText: delegation.signedText,
    signature: delegation.signature,
  }
}

/**
 * The address rule, for users' tokens only: undefined when the client may use the token. On writing operations an
 * authorized service may present the token from its own address; under `OPS_ALL` nobody may.
 */
export function checkPrincipalTokenAddress(
  token: PrincipalToken,
  request: TokenRequest,
  rules: { readonly userDomain: string; readonly addressCheck?: AddressCheckMode },
  signedByService: boolean,
): TokenFailure | undefined {
  const mode = rules.addressCheck ?? 'OPS_WRITE'
  if (token.domain !== rules.userDomain || mode === 'OPS_NONE' || isFromTokenAddress(token.ip, request))
    return undefined
  if (mode === 'OPS_WRITE' && (signedByService || !isWriteMethod(request.method))) return undefined
  return addressMismatch(token.ip, request)
}

function badDelegation(reason: string): TokenFailure {
  return { code: 'bad-delegation', reason }
}
