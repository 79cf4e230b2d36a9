import type { Signer } from '../crypto/signing.ts'
import { encodeYBase64 } from '../crypto/ybase64.ts'
import { parsePrincipalToken } from './principal-token.ts'
import { joinFields, type TokenFailure } from './token-fields.ts'
import { newTokenSalt } from './token-salt.ts'

/** What a principal token says; the key id comes from the signer. */
export interface PrincipalTokenClaims {
  readonly version: 'S1' | 'U1'
  readonly domain: string
  readonly name: string
  readonly host?: string
  /** Hexadecimal; random by default. */
  readonly salt?: string
  /** Epoch seconds. */
  readonly issueTimeSeconds: number
  /** Epoch seconds; 3600 after the issue time by default. */
  readonly expiryTimeSeconds?: number
  /** `zms` or `zts` when that server signs. */
  readonly keyService?: 'zms' | 'zts'
  readonly originalRequestor?: string
  readonly ip?: string
  /** Full names of the services that may sign for the principal. */
  readonly authorizedServices?: readonly string[]
}

/** Life of a principal token when nothing else is asked for. */
export const PRINCIPAL_TOKEN_DEFAULT_LIFE_SECONDS = 3600

/**
 * Builds and signs a principal token, fields in the order `v d n h a t e k z o i b s`.
 * Throws a RangeError when a value has a character that a field must not have.
 */
export async function signPrincipalToken(claims: PrincipalTokenClaims, signer: Signer): Promise<string> {
  const text = joinFields([
    ['v', claims.version],
    ['d', claims.domain],
    ['n', claims.name],
    ['h', claims.host],
    ['a', claims.salt ?? newTokenSalt()],
    ['t', claims.issueTimeSeconds],
    ['e', claims.expiryTimeSeconds ?? claims.issueTimeSeconds + PRINCIPAL_TOKEN_DEFAULT_LIFE_SECONDS],
    ['k', signer.keyId],
    ['z', claims.keyService],
    ['o', claims.originalRequestor],
    ['i', claims.ip],
    ['b', claims.authorizedServices?.join(',')],
  ])
  return `${text};s=${encodeYBase64(await signer.sign(text))}`
}

/**
 * Appends the signature of an authorized service: `bk`, then `bn` when the token authorizes several, then `bs`.
 * Answers the longer token, or why it cannot be one; the token's own signature is not verified.
 */
export async function signAuthorizedService(
  token: string,
  serviceName: string,
  signer: Signer,
): Promise<string | TokenFailure> {
  const parsed = parsePrincipalToken(token)
  if (!parsed.ok) return parsed.failure
  const { authorizedServices, delegation } = parsed.token
  if (delegation !== undefined) return { code: 'bad-delegation', reason: 'an authorized service has signed already' }
  if (!authorizedServices.includes(serviceName)) {
    return { code: 'bad-delegation', reason: `the token does not authorize ${serviceName}` }
  }
  const added = joinFields([
    ['bk', signer.keyId],
    ['bn', authorizedServices.length > 1 ? serviceName : undefined],
  ])
  const text = `${token};${added}`
  return `${text};bs=${encodeYBase64(await signer.sign(text))}`
}
