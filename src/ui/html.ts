/** What may stand in a template: texts are escaped, lists are written one after the other, `false` and nothing leave no trace. */
export type Content = Html | string | number | false | null | undefined | readonly Content[]

/** HTML that was made by {@link html}, so that it may stand in other HTML as it is. */
export class Html {
  readonly #text: string

  /** For {@link html} alone: whatever else is written as HTML is a hole. */
  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/**
 * Makes HTML of a template. Every value is escaped, in elements and in quoted attributes alike.
 * @throws Error for a value in an attribute without quotes, where escaping would not help
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  let text = strings[0] ?? ''
  for (const [index, value] of values.entries()) {
    if (BARE_ATTRIBUTE.test(strings[index] ?? '')) throw new Error(`an attribute has no quotes: ${strings[index]}`)
    text += written(value) + (strings[index + 1] ?? '')
  }
  return new Html(text)
}

function written(value: Content): string {
  if (value === undefined || value === null || value === false) return ''
  if (value instanceof Html) return value.toString()
  if (Array.isArray(value)) return value.map(written).join('')
  return String(value).replaceAll(SPECIAL, (character) => ESCAPES.get(character) ?? '')
}

const BARE_ATTRIBUTE = /\s[\w:-]+=$/
const SPECIAL = /[&<>"'`]/g
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
  ['`', '&#96;'],
])

/** Makes a path of a template; every value becomes one part of it, whatever characters it has. */
export function path(strings: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return strings.reduce((text, part, index) => text + encodeURIComponent(values[index - 1] ?? '') + part)
}

/** A path with a query; fields without a value are left out. */
export function withQuery(base: string, fields: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')
  const query = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()
  return query === '' ? base : `${base}?${query}`
}
