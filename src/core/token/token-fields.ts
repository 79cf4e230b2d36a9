/** What is wrong with a token; callers may switch on it, `reason` is for people and logs. */
export type TokenFailureCode =
  | 'malformed'
  | 'oversized'
  | 'duplicate-field'
  | 'missing-field'
  | 'bad-value'
  | 'issued-in-future'
  | 'expired'
  | 'expires-too-late'
  | 'unknown-key'
  | 'bad-signature'
  | 'bad-delegation'
  | 'address-mismatch'

/** Why a token is not accepted. Carries no signature and no secret. */
export interface TokenFailure {
  readonly code: TokenFailureCode
  readonly reason: string
}

/** Outcome of reading a token; parsers never throw. */
export type Parsed<T> =
  | { readonly ok: true; readonly token: T }
  | { readonly ok: false; readonly failure: TokenFailure }

/** Value and place of one `key=value` field. */
export interface TokenField {
  readonly value: string
  /** Index of the field's first character in the text. */
  readonly start: number
}

/** Fields by key, in the order of the text. */
export type TokenFields = ReadonlyMap<string, TokenField>

/** Builds the failed outcome. */
export const failed = (
  code: TokenFailureCode,
  reason: string,
): { readonly ok: false; readonly failure: TokenFailure } => ({
  ok: false,
  failure: { code, reason },
})

/** More than any token has, known and unknown fields together. */
const FIELD_MAX_COUNT = 64

/**
 * Splits `key=value;key=value…` into its fields in one pass. The text must be printable ASCII without blanks, so that
 * the bytes that were signed are known whatever the transport made of them; a key may occur once.
 */
export function scanFields(text: string, maxLength: number): Parsed<TokenFields> {
  if (text.length > maxLength) return failed('oversized', `longer than ${maxLength} characters`)
  if (!/^[!-~]+$/.test(text)) {
    return failed('malformed', text === '' ? 'empty' : 'a character that is not printable ASCII')
  }
  const fields = new Map<string, TokenField>()
  let start = 0
  while (start <= text.length) {
    const semicolon = text.indexOf(';', start)
    const end = semicolon === -1 ? text.length : semicolon
    const item = text.slice(start, end)
    const equals = item.indexOf('=')
    if (equals <= 0) return failed('malformed', 'a field is not of the form key=value')
    const key = item.slice(0, equals)
    const value = item.slice(equals + 1)
    if (value.includes('=')) return failed('malformed', `field ${excerpt(key)} has more than one equals sign`)
    if (fields.has(key)) return failed('duplicate-field', `field ${excerpt(key)} occurs twice`)
    if (fields.size === FIELD_MAX_COUNT) return failed('oversized', `more than ${FIELD_MAX_COUNT} fields`)
    fields.set(key, { value, start })
    start = end + 1
  }
  return { ok: true, token: fields }
}

/** The value of an optional field; an empty one counts as absent. */
export function optionalField(fields: TokenFields, key: string): string | undefined {
  return fields.get(key)?.value || undefined
}

/** The first of the keys whose field is absent or empty. */
export function missingField(fields: TokenFields, keys: readonly string[]): string | undefined {
  return keys.find((key) => !fields.get(key)?.value)
}

/** Seconds as a field writes them: decimal digits, at most 15 so that they are exact; undefined otherwise. */
export function parseSeconds(value: string): number | undefined {
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined
}

/** The entries of a comma list, or undefined if one is empty. */
export function parseList(value: string): readonly string[] | undefined {
  const entries = value.split(',')
  return entries.includes('') ? undefined : entries
}

/** A domain, or another name of simple names joined by periods. */
export const isCompoundName = (text: string): boolean =>
  /^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*$/.test(text)

/**
 * Joins fields to a token text, leaving out those without a value. Throws a RangeError for a value that could be read
 * as another field or would not survive transport: names are checked where they enter, so this is a defect of the caller.
 */
export function joinFields(fields: readonly (readonly [key: string, value: string | number | undefined])[]): string {
  const parts: string[] = []
  for (const [key, value] of fields) {
    if (value === undefined || value === '') continue
    const text = String(value)
    if (!/^[!-:<>-~]+$/.test(text)) throw new RangeError(`token field ${key} has a character that it must not have`)
    parts.push(`${key}=${text}`)
  }
  return parts.join(';')
}

/** Text of a token for a failure's reason, cut so that a hostile one does not fill the log. */
export function excerpt(text: string): string {
  return text.length > 128 ? `${text.slice(0, 128)}…` : text
}
