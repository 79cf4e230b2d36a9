import type { Signer } from '../crypto/signing.ts'
import { encodeYBase64 } from '../crypto/ybase64.ts'
import { joinFields } from './token-fields.ts'
import { newTokenSalt } from './token-salt.ts'

/** What a role token says; the key id comes from the signer. */
export interface RoleTokenClaims {
  readonly domain: string
  /** Short names. */
  readonly roles: readonly string[]
  /** Whether `roles` are all the principal has in the domain. */
  readonly completeRoleSet: boolean
  /** Full name of who holds the roles. */
  readonly principal: string
  readonly host?: string
  /** Who asked for the token on behalf of the principal. */
  readonly proxyUser?: string
  /** Hexadecimal; random by default. */
  readonly salt?: string
  /** Epoch seconds. */
  readonly issueTimeSeconds: number
  /** Epoch seconds. */
  readonly expiryTimeSeconds: number
  readonly ip?: string
}

/**
 * Builds and signs a role token, fields in the order `v d r c p h proxy a t e k i s`; a promise for keys whose work is
 * done on the thread pool. Throws a RangeError when a value has a character that a field must not have.
 */
export function signRoleToken(claims: RoleTokenClaims, signer: Signer): Promise<string> | string {
  const text = joinFields([
    ['v', 'Z1'],
    ['d', claims.domain],
    ['r', claims.roles.join(',')],
    ['c', claims.completeRoleSet ? '1' : undefined],
    ['p', claims.principal],
    ['h', claims.host],
    ['proxy', claims.proxyUser],
    ['a', claims.salt ?? newTokenSalt()],
    ['t', claims.issueTimeSeconds],
    ['e', claims.expiryTimeSeconds],
    ['k', signer.keyId],
    ['i', claims.ip],
  ])
  const signature = signer.sign(text)
  return signature instanceof Promise ? signature.then((bytes) => signed(text, bytes)) : signed(text, signature)
}

const signed = (text: string, signature: Buffer): string => `${text};s=${encodeYBase64(signature)}`
