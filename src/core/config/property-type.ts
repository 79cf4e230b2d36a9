import { z } from 'zod'
import { messageOf } from '../error/message-of.ts'
import { type JdbcUrl, parseJdbcUrl } from './jdbc-url.ts'
import { parseUriList, type UriList, wholePattern } from './uri-list.ts'

/** Reads the text of a property into a value; its messages say what is wrong and what to write instead. */
export type PropertyType<Value = unknown> = z.ZodType<Value, string>

/** What a reader answers instead of a value. */
interface Refusal {
  readonly refused: string
}

const refuse = (reason: string): Refusal => ({ refused: reason })

const isRefusal = (outcome: unknown): outcome is Refusal =>
  typeof outcome === 'object' && outcome !== null && 'refused' in outcome

const typeOf = <Value>(read: (text: string) => Value | Refusal): PropertyType<Value> =>
  z.string().transform((text, context) => {
    const outcome = read(text)
    if (!isRefusal(outcome)) return outcome
    context.addIssue({ code: 'custom', message: outcome.refused })
    return z.NEVER
  })

/** A value in a message, shortened. */
const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text)

/** An address in a message, without what may be a password in front of the host. */
const quoteAddress = (text: string): string => quote(text.replace(/.*@/s, '…@'))

const items = (text: string, separator: string): string[] =>
  text
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** A line of text; surrounding blanks do not belong to it. */
export const textType: PropertyType<string> = typeOf((text) => text.trim())

/** A secret, or the name under which the private key store has it; taken as it is. */
export const secretType: PropertyType<string> = typeOf((text) => text)

/** As Java reads it: `true` in any letters is true, everything else is false. */
export const booleanType: PropertyType<boolean> = typeOf((text) => text.toLowerCase() === 'true')

/** Whole numbers of Java's `int`, within bounds. */
export const integerType = (min: number, max: number): PropertyType<number> =>
  typeOf((text) => {
    if (text === '') return refuse('is empty (write a whole number, or remove the line)')
    if (!/^[+-]?\d{1,16}$/.test(text)) return refuse(`${quote(text)} is not a whole number (write digits only)`)
    const value = Number(text)
    return value < min || value > max ? refuse(`${text} is out of range (write ${min} to ${max})`) : value
  })

/** The most processes of one server: beyond the processors of any machine they only take memory. */
const MAX_WORKERS = 256

/** Processes of a server: a number, or `auto` for one on each processor. */
export const workersType: PropertyType<number | 'auto'> = typeOf<number | 'auto'>((text) => {
  const given = text.trim()
  if (given === 'auto') return given
  if (!/^\d{1,9}$/.test(given))
    return refuse(`${quote(text)} is no number of workers (write 1 to ${MAX_WORKERS}, or auto)`)
  const value = Number(given)
  return value > MAX_WORKERS ? refuse(`${given} is out of range (write 1 to ${MAX_WORKERS}, or auto)`) : value
})

/** A TCP port; a negative number means 0, off. */
export const portType: PropertyType<number> = typeOf((text) => {
  if (!/^-?\d{1,9}$/.test(text)) return refuse(`${quote(text)} is not a port (write 0 to 65535)`)
  const value = Number(text)
  return value > 65535 ? refuse(`${text} is not a port (write 0 to 65535)`) : Math.max(value, 0)
})

/** One of a few words, letters as given here. */
export const wordType = <const Words extends readonly string[]>(words: Words): PropertyType<Words[number]> =>
  typeOf<Words[number]>((text) => {
    const word = words.find((known) => known === text.trim())
    return word ?? refuse(`${quote(text)} is not one of ${words.join(', ')}`)
  })

/** Items between commas, in order. */
export const listType: PropertyType<readonly string[]> = typeOf((text) => items(text, ','))

/** Items between commas; order and repetition mean nothing. */
export const setType: PropertyType<ReadonlySet<string>> = typeOf((text) => new Set(items(text, ',')))

/** Items between vertical bars, for values that may hold commas. */
export const barSetType: PropertyType<ReadonlySet<string>> = typeOf((text) => new Set(items(text, '|')))

/** A set of words out of a few. */
export const wordSetType = <const Words extends readonly string[]>(
  words: Words,
): PropertyType<ReadonlySet<Words[number]>> =>
  typeOf((text) => {
    const set = new Set<Words[number]>()
    for (const item of items(text, ',')) {
      const word = words.find((known) => known === item)
      if (word === undefined) return refuse(`${quote(item)} is not one of ${words.join(', ')}`)
      set.add(word)
    }
    return set
  })

/** Exact paths, and regular expressions where an item has a `+`. */
export const uriListType: PropertyType<UriList> = typeOf((text) => {
  const parsed = parseUriList(text)
  if (parsed.ok) return parsed.list
  return refuse(`${quote(parsed.item)} is not a regular expression: ${parsed.reason} (items with + are taken as one)`)
})

/** Address of a database. */
export const jdbcUrlType: PropertyType<JdbcUrl> = typeOf((text) => {
  const parsed = parseJdbcUrl(text.trim())
  return parsed.ok ? parsed.url : refuse(parsed.reason)
})

/** An `http` or `https` URL. */
export const urlType: PropertyType<string> = typeOf((text) => {
  const url = text.trim()
  return /^https?:\/\//i.test(url) && URL.canParse(url)
    ? url
    : refuse(`${quoteAddress(url)} is not a URL (write https://host:port/…)`)
})

/** The address of a page without a path, as browsers tell it in the header `Origin`. */
export const originType: PropertyType<string> = typeOf((text) => {
  const url = URL.parse(text.trim())
  return url?.protocol === 'https:' && url.href === `${url.origin}/`
    ? url.origin
    : refuse(`${quoteAddress(text.trim())} is not an address without a path (write https://host:port)`)
})

/** A regular expression that a whole text must match; comes from the operator, never from a request. */
export const patternType: PropertyType<RegExp> = typeOf((text) => {
  try {
    return wholePattern(text)
  } catch (error) {
    return refuse(`is not a regular expression: ${messageOf(error)}`)
  }
})

/** A time zone by its name. */
export const timeZoneType: PropertyType<string> = typeOf((text) => {
  const zone = text.trim()
  try {
    Intl.DateTimeFormat('en', { timeZone: zone }).format()
    return zone
  } catch {
    return refuse(`${quote(zone)} is not a time zone (write a name such as GMT or Europe/Berlin)`)
  }
})

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// Control characters in a value would let one header become two.
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

/** Response headers as a JSON object of strings. */
export const headersType: PropertyType<Readonly<Record<string, string>>> = typeOf((text) => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return refuse('is not JSON (write {"Header-Name":"value"})')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return refuse('is not a JSON object (write {"Header-Name":"value"})')
  }
  const headers: [string, string][] = []
  for (const [name, value] of Object.entries(parsed)) {
    if (!HEADER_NAME.test(name)) return refuse(`${quote(name)} is not a header name`)
    if (typeof value !== 'string' || !HEADER_VALUE.test(value)) return refuse(`the value of ${name} is not header text`)
    headers.push([name, value])
  }
  return Object.fromEntries(headers)
})
