/** A media type without its parameters, in lower case. */
export interface MediaType {
  readonly type: string
  readonly subtype: string
}

// RFC 9110, 5.6.2: the characters of a token.
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/**
 * Reads `type/subtype` with optional parameters (RFC 9110, 8.3.1). Parameters are cut off unread: none of them may change
 * how a body is interpreted. Gives undefined when type or subtype is not a token.
 */
export function parseMediaType(text: string): MediaType | undefined {
  const end = text.indexOf(';')
  const range = (end === -1 ? text : text.slice(0, end)).trim().toLowerCase()
  const slash = range.indexOf('/')
  if (slash === -1) return undefined
  const type = range.slice(0, slash)
  const subtype = range.slice(slash + 1)
  return TOKEN.test(type) && TOKEN.test(subtype) ? { type, subtype } : undefined
}

/** Stands for every media type. */
export const ANY_TYPE = '*/*'

/** How a Content-Type fits what an operation consumes. */
export type ContentTypeVerdict = 'fits' | 'other' | 'malformed'

/** Compares a Content-Type with the media type (lower case, no parameters) that an operation consumes. */
export function judgeContentType(header: string, consumes: string): ContentTypeVerdict {
  if (header === consumes) return 'fits'
  const found = parseMediaType(header)
  if (!found) return 'malformed'
  return `${found.type}/${found.subtype}` === consumes ? 'fits' : 'other'
}

/**
 * Whether a client that sends this Accept header takes a media type (lower case, no parameters). An absent or empty header,
 * and one that contains the wildcard range anywhere, takes everything; ranges with quality 0 and unreadable ranges take
 * nothing. What is of any type suits everybody.
 */
export function acceptsType(header: string | undefined, produced: string): boolean {
  if (header === undefined || header === produced || header === '' || header.includes(ANY_TYPE)) return true
  return produced === ANY_TYPE || header.split(',').some((range) => rangeTakes(range, produced))
}

function rangeTakes(range: string, produced: string): boolean {
  const found = parseMediaType(range)
  if (!found) return false
  const { type, subtype } = found
  if (`${type}/${subtype}` !== produced && !(subtype === '*' && produced.startsWith(`${type}/`))) return false
  const quality = range
    .split(';')
    .slice(1)
    .map((parameter) => parameter.trim().toLowerCase())
    .find((parameter) => parameter.startsWith('q='))
  return quality === undefined || (QUALITY.test(quality.slice(2)) && Number(quality.slice(2)) > 0)
}
