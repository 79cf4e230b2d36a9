import {
  failed,
  isCompoundName,
  missingField,
  optionalField,
  type Parsed,
  parseList,
  parseSeconds,
  scanFields,
} from './token-fields.ts'

/** A role token (Z1) as read from its text; says nothing about its validity. */
export interface RoleToken {
  readonly version: string
  /** Domain of the roles, lower case. */
  readonly domain: string
  /** Short names. */
  readonly roles: readonly string[]
  /** Whether `roles` are all the principal has in the domain. */
  readonly completeRoleSet: boolean
  /** Full name of who holds the roles. */
  readonly principal?: string
  readonly host?: string
  /** Who asked for the token on behalf of the principal. */
  readonly proxyUser?: string
  readonly salt?: string
  /** Epoch seconds; 0 when the token does not say. */
  readonly issueTimeSeconds: number
  /** Epoch seconds. */
  readonly expiryTimeSeconds: number
  /** Id of a public key of `sys.auth.zts`. */
  readonly keyId: string
  /** Address of the client that the token was issued to. */
  readonly ip?: string
  /** ybase64. */
  readonly signature: string
  /** The text that `signature` covers; safe for logs. */
  readonly signedText: string
}

/** A principal may hold thousands of roles; beyond this no list of them is plausible. */
const TOKEN_MAX_LENGTH = 1_048_576

const MANDATORY = ['v', 'd', 'r', 'e', 's']

/** Reads a role token: fields in any order, the signature `s` last. Unknown fields are ignored. */
export function parseRoleToken(text: string): Parsed<RoleToken> {
  const scanned = scanFields(text, TOKEN_MAX_LENGTH)
  if (!scanned.ok) return scanned
  const fields = scanned.token
  const missing = missingField(fields, MANDATORY)
  if (missing !== undefined) return failed('missing-field', `field ${missing} is missing`)
  if ([...fields.keys()].at(-1) !== 's') return failed('malformed', 'a field follows the signature')

  const value = (key: string) => optionalField(fields, key)
  const version = value('v') as string
  const domain = value('d') as string
  if (version !== 'Z1') return failed('bad-value', 'field v is not Z1')
  if (!isCompoundName(domain)) return failed('bad-value', 'field d is not a domain name')
  const roles = parseList(value('r') as string)
  if (roles === undefined) return failed('bad-value', 'field r has an empty entry')
  const issueTimeSeconds = parseSeconds(value('t') ?? '0')
  const expiryTimeSeconds = parseSeconds(value('e') as string)
  if (issueTimeSeconds === undefined) return failed('bad-value', 'field t is not a time in seconds')
  if (expiryTimeSeconds === undefined) return failed('bad-value', 'field e is not a time in seconds')

  return {
    ok: true,
    token: {
      version,
      domain: domain.toLowerCase(),
      roles,
      completeRoleSet: value('c') === '1',
      principal: value('p'),
      host: value('h'),
      proxyUser: value('proxy'),
      salt: value('a'),
      issueTimeSeconds,
      expiryTimeSeconds,
      keyId: value('k') ?? '0',
      ip: value('i'),
      signature: value('s') as string,
      signedText: text.slice(0, text.lastIndexOf(';s=')),
    },
  }
}
