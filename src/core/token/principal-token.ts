import {
  excerpt,
  failed,
  isCompoundName,
  missingField,
  optionalField,
  type Parsed,
  parseList,
  parseSeconds,
  scanFields,
  type TokenFields,
} from './token-fields.ts'

/** A principal token (NToken) as read from its text; says nothing about its validity. */
export interface PrincipalToken {
  /** `S1` for services, `U1` for users; other values are accepted, as existing servers do. */
  readonly version: string
  /** Lower case. */
  readonly domain: string
  /** Lower case. */
  readonly name: string
  readonly host?: string
  readonly salt?: string
  /** Epoch seconds; 0 when the token does not say. */
  readonly issueTimeSeconds: number
  /** Epoch seconds; 0 for never, which only a server configured for it accepts. */
  readonly expiryTimeSeconds: number
  readonly keyId: string
  /** `zms` or `zts` when that server has signed. */
  readonly keyService?: string
  readonly originalRequestor?: string
  /** Address of the client that the token was issued to. */
  readonly ip?: string
  /** Full names of the services that may sign for the principal. */
  readonly authorizedServices: readonly string[]
  /** ybase64. */
  readonly signature: string
  /** The text that `signature` covers; safe for logs. */
  readonly signedText: string
  /** What an authorized service has appended. */
  readonly delegation?: TokenDelegation
}

/** The signature of an authorized service below a principal token. */
export interface TokenDelegation {
  /** Full name; absent when the token authorizes a single service. */
  readonly service?: string
  readonly keyId: string
  /** ybase64; absent when the fields were there without it. */
  readonly signature?: string
  /** The text that `signature` covers. */
  readonly signedText: string
}

/** Far above what fits into a request header of ordinary servers. */
const TOKEN_MAX_LENGTH = 16_384

const MANDATORY = ['v', 'd', 'n', 'e', 's']
const DELEGATION = ['bk', 'bn', 'bs']

/**
 * Reads a principal token: fields in any order up to the signature `s`, after which only those of a delegation may
 * follow, `bs` last, so that nothing is read that no signature covers. Unknown signed fields are ignored.
 */
export function parsePrincipalToken(text: string): Parsed<PrincipalToken> {
  const scanned = scanFields(text, TOKEN_MAX_LENGTH)
  if (!scanned.ok) return scanned
  const fields = scanned.token
  const missing = missingField(fields, MANDATORY)
  if (missing !== undefined) return failed('missing-field', `field ${missing} is missing`)
  const misplaced = misplacedField(fields)
  if (misplaced !== undefined) return failed('malformed', `field ${misplaced} is not where its signature covers it`)

  const value = (key: string) => optionalField(fields, key)
  const domain = value('d') as string
  const name = value('n') as string
  if (!isCompoundName(domain)) return failed('bad-value', 'field d is not a domain name')
  if (!isCompoundName(name)) return failed('bad-value', 'field n is not a name')
  const issueTimeSeconds = parseSeconds(value('t') ?? '0')
  const expiryTimeSeconds = parseSeconds(value('e') as string)
  if (issueTimeSeconds === undefined) return failed('bad-value', 'field t is not a time in seconds')
  if (expiryTimeSeconds === undefined) return failed('bad-value', 'field e is not a time in seconds')
  const listed = value('b')
  const authorizedServices = listed === undefined ? [] : parseList(listed)
  if (authorizedServices === undefined) return failed('bad-value', 'field b has an empty entry')

  return {
    ok: true,
    token: {
      version: value('v') as string,
      domain: domain.toLowerCase(),
      name: name.toLowerCase(),
      host: value('h'),
      salt: value('a'),
      issueTimeSeconds,
      expiryTimeSeconds,
      keyId: value('k') ?? '0',
      keyService: value('z'),
      originalRequestor: value('o'),
      ip: value('i'),
      authorizedServices,
      signature: value('s') as string,
      signedText: textBefore(text, fields, 's'),
      delegation: readDelegation(text, fields),
    },
  }
}

function readDelegation(text: string, fields: TokenFields): TokenDelegation | undefined {
  if (!DELEGATION.some((key) => fields.has(key))) return undefined
  return {
    service: optionalField(fields, 'bn'),
    keyId: optionalField(fields, 'bk') ?? '0',
    signature: optionalField(fields, 'bs'),
    signedText: textBefore(text, fields, 'bs'),
  }
}

function misplacedField(fields: TokenFields): string | undefined {
  let seen: 's' | 'bs' | undefined
  for (const key of fields.keys()) {
    const placed = DELEGATION.includes(key) ? seen === 's' : seen === undefined
    if (!placed) return excerpt(key)
    if (key === 's' || key === 'bs') seen = key
  }
  return undefined
}

function textBefore(text: string, fields: TokenFields, key: string): string {
  const field = fields.get(key)
  return field === undefined ? text : text.slice(0, Math.max(field.start - 1, 0))
}
