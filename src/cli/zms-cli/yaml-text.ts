/** What YAML can say without tags: maps are objects with names in order. */
export type YamlValue = string | number | boolean | null | readonly YamlValue[] | { readonly [name: string]: YamlValue }

/** Column after which a text is broken at its next blank. */
const BEST_WIDTH = 80
/** Columns by which what is inside stands further right. */
const STEP = 2

/**
 * Writes a value as YAML 1.1 in the form of the LibYAML family, which readers of the original's output know: lists stand
 * under their name without indentation, texts are quoted only when they need it and broken after 80 columns.
 */
export function yamlText(value: YamlValue): string {
  const text = isScalar(value) || isEmpty(value) ? ` ${inlineText(value, 0, 0)}\n` : blockText(value, 0)
  return text.replace(/^[ \n]/, '')
}

/** A text in one line, quoted when it would otherwise be no text at all or end early; numbers and switches stay bare. */
export function quotedText(text: string): string {
  if (!isPrintable(text)) return doubleQuoted(text)
  return text !== '' && needsQuotes(text) ? `'${text.replaceAll("'", "''")}'` : text
}

/** A value after `name:` or `-`, beginning with the blank or line break before it. */
function blockText(value: YamlValue, indent: number): string {
  if (Array.isArray(value)) return `\n${value.map((item: YamlValue) => itemText(item, indent)).join('')}`
  return `\n${entries(value)
    .map(([name, member]) => entryText(name, member, indent))
    .join('')}`
}

function itemText(item: YamlValue, indent: number): string {
  const margin = ' '.repeat(indent)
  if (isScalar(item) || isEmpty(item)) return `${margin}- ${inlineText(item, indent + STEP, indent + STEP)}\n`
  // The first line of a map or list in a list stands behind its hyphen.
  return `${margin}- ${blockText(item, indent + STEP).slice(1 + indent + STEP)}`
}

function entryText(name: string, member: YamlValue, indent: number): string {
  const key = `${' '.repeat(indent)}${scalarText(name, 0, Number.POSITIVE_INFINITY)}:`
  if (isScalar(member) || isEmpty(member)) return `${key} ${inlineText(member, indent + STEP, key.length + 1)}\n`
  return `${key}${blockText(member, Array.isArray(member) ? indent : indent + STEP)}`
}

const isScalar = (value: YamlValue): value is string | number | boolean | null =>
  typeof value !== 'object' || value === null

const entries = (value: YamlValue): [string, YamlValue][] => Object.entries(value as Record<string, YamlValue>)

const isEmpty = (value: YamlValue): boolean =>
  !isScalar(value) && (Array.isArray(value) ? value.length === 0 : entries(value).length === 0)

function inlineText(value: YamlValue, indent: number, column: number): string {
  if (typeof value === 'string') return value.includes('\n') ? lines(value, indent) : scalarText(value, indent, column)
  if (isScalar(value)) return String(value)
  return Array.isArray(value) ? '[]' : '{}'
}

/** Text of several lines: literal, or quoted where that cannot be. */
function lines(text: string, indent: number): string {
  if (!isPrintable(text.replaceAll('\n', '')) || /[ ]$/.test(text) || /[ ]\n/.test(text)) return doubleQuoted(text)
  const end = /(?:^|\n)\n$/.test(text) ? '+' : text.endsWith('\n') ? '' : '-'
  const hint = /^[ \n]/.test(text) ? String(STEP) : ''
  const margin = ' '.repeat(indent)
  const body = text.replace(/\n$/, '').split('\n')
  return `|${hint}${end}\n${body.map((line) => (line === '' ? '' : margin + line)).join('\n')}`
}

function scalarText(text: string, indent: number, column: number): string {
  if (!isPrintable(text) || isOtherThanText(text)) return doubleQuoted(text)
  if (!needsQuotes(text)) return folded(text, indent, column)
  return `'${folded(text.replaceAll("'", "''"), indent, column + 1)}'`
}

/** Breaks at single blanks behind the best width; `column` is where the text begins. */
function folded(text: string, indent: number, column: number): string {
  let [result, at] = ['', column]
  for (const [index, character] of Array.from(text).entries()) {
    const isSingleBlank = character === ' ' && text[index - 1] !== ' ' && text[index + 1] !== ' '
    const isInside = index > 0 && index < text.length - 1
    if (isSingleBlank && isInside && at > BEST_WIDTH && Number.isFinite(column)) {
      result += `\n${' '.repeat(indent)}`
      at = indent
    } else {
      result += character
      at += 1
    }
  }
  return result
}

const isPrintable = (text: string): boolean =>
  /^[\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u.test(text)

const INDICATOR_FIRST = /^[#,[\]{}&*!|>'"%@`]/
const INDICATOR_BEFORE_BLANK = /^[-?:](?: |$)/
const INDICATOR_INSIDE = /:(?: |$)| #/
const DOCUMENT_MARK = /^(?:---|\.\.\.)/

const needsQuotes = (text: string): boolean =>
  INDICATOR_FIRST.test(text) ||
  INDICATOR_BEFORE_BLANK.test(text) ||
  INDICATOR_INSIDE.test(text) ||
  DOCUMENT_MARK.test(text) ||
  /^ | $/.test(text)

const WORDS: ReadonlySet<string> = new Set(
  ['', '~']
    .concat(['y', 'n', 'yes', 'no', 'true', 'false', 'on', 'off', 'null'].flatMap(inThreeCases))
    .concat(['.nan', '.inf', '+.inf', '-.inf'].flatMap(dottedInThreeCases)),
)
const NUMBER = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/
const OTHER_INTEGER = /^[-+]?0(?:x[\da-fA-F]+|o[0-7]+|b[01]+)$/
const BASE_60 = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/
const DATE = /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]| +)\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)? *(?:Z|[-+]\d{2}:\d{2})?)?$/

function inThreeCases(word: string): string[] {
  return [word, word[0]?.toUpperCase() + word.slice(1), word.toUpperCase()]
}

function dottedInThreeCases(word: string): string[] {
  const start = word.indexOf('.') + 1
  return inThreeCases(word.slice(start)).map((name) => word.slice(0, start) + (name === 'Nan' ? 'NaN' : name))
}

/** Whether a reader would take the bare text for a number, a switch, a date or nothing. */
function isOtherThanText(text: string): boolean {
  if (WORDS.has(text)) return true
  const digits = /^[-+.\d]/.test(text) ? text.replaceAll('_', '') : ''
  return NUMBER.test(digits) || OTHER_INTEGER.test(digits) || BASE_60.test(text) || DATE.test(text)
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\t', '\\t'],
  ['\r', '\\r'],
])

function doubleQuoted(text: string): string {
  const escaped = Array.from(text, (character) => {
    const known = ESCAPES.get(character)
    if (known !== undefined) return known
    return isPrintable(character) ? character : codePoint(character)
  })
  return `"${escaped.join('')}"`
}

function codePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16).toUpperCase()
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
