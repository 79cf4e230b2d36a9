/** Names of attribute types that are written in more than one way; others are compared as they are, in upper case. */
const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ['E', 'EMAILADDRESS'],
  ['S', 'ST'],
  ['2.5.4.3', 'CN'],
  ['2.5.4.5', 'SERIALNUMBER'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'EMAILADDRESS'],
])

/**
 * A form of a distinguished name in which two names are equal when they have the same attributes in whatever order, for
 * a name as Node gives it: type → value or values.
 */
export function canonicalName(attributes: Readonly<Record<string, string | readonly string[] | undefined>>): string {
  const pairs = Object.entries(attributes).flatMap(([type, values]) =>
    [values ?? []].flat().map((value) => canonicalPair(type, value)),
  )
  return joinPairs(pairs)
}

/**
 * The same form for the text of a name (RFC 4514: attributes separated by `,`, `;` or `+`, with backslash escapes,
 * quotes, and `#` before the hexadecimal DER of a string); undefined when the text is not a name.
 */
export function parseName(text: string): string | undefined {
  const attributes = nameAttributes(text)
  return attributes && joinPairs(attributes.map(({ type, value }) => `${type}=${value}`))
}

/** Attributes of the text of a name, in its order, which is the reverse of that of DER; undefined when it is not a name. */
export function nameAttributes(text: string): { readonly type: string; readonly value: string }[] | undefined {
  const attributes: { type: string; value: string }[] = []
  for (const attribute of splitOutsideQuotes(text)) {
    const equals = attribute.indexOf('=')
    if (equals <= 0) return undefined
    const value = attributeValue(attribute.slice(equals + 1).trim())
    if (value === undefined) return undefined
    attributes.push({ type: canonicalType(attribute.slice(0, equals).trim()), value })
  }
  return attributes
}

const canonicalPair = (type: string, value: string): string => `${canonicalType(type)}=${value}`

function canonicalType(type: string): string {
  const upper = type.replace(/^oid\./i, '').toUpperCase()
  return TYPE_NAMES.get(upper) ?? upper
}

/** JSON keeps pairs apart whatever characters are in the values. */
const joinPairs = (pairs: readonly string[]): string => JSON.stringify(pairs.toSorted())

function splitOutsideQuotes(text: string): string[] {
  const parts: string[] = []
  let start = 0
  let quoted = false
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    if (character === '\\') index++
    else if (character === '"') quoted = !quoted
    else if (!quoted && (character === ',' || character === ';' || character === '+')) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

function attributeValue(text: string): string | undefined {
  if (text.startsWith('#')) return derText(text.slice(1))
  const quoted = text.length > 1 && text.startsWith('"') && text.endsWith('"')
  return unescape(quoted ? text.slice(1, -1) : text)
}

/** Hexadecimal escapes stand for bytes of UTF-8, other escapes for the character itself. */
function unescape(text: string): string | undefined {
  const bytes: Buffer[] = []
  for (let index = 0; index < text.length; ) {
    const backslash = text.indexOf('\\', index)
    const end = backslash === -1 ? text.length : backslash
    bytes.push(Buffer.from(text.slice(index, end)))
    if (backslash === -1) break
    const hexadecimal = /^[0-9A-Fa-f]{2}$/.test(text.slice(end + 1, end + 3))
    if (end + 1 >= text.length) return undefined
    bytes.push(hexadecimal ? Buffer.from(text.slice(end + 1, end + 3), 'hex') : Buffer.from(text.charAt(end + 1)))
    index = end + (hexadecimal ? 3 : 2)
  }
  return Buffer.concat(bytes).toString()
}

/** Text of a DER string of less than 128 bytes: UTF8String, PrintableString, TeletexString or IA5String. */
function derText(hexadecimal: string): string | undefined {
  const bytes = Buffer.from(hexadecimal, 'hex')
  const [tag = 0, length = 0] = bytes
  const known = tag === 0x0c || tag === 0x13 || tag === 0x14 || tag === 0x16
  if (!known || bytes.length * 2 !== hexadecimal.length || length >= 0x80 || bytes.length !== length + 2)
    return undefined
  return bytes.subarray(2).toString(tag === 0x0c ? 'utf8' : 'latin1')
}
