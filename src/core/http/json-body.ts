import { isUtf8 } from 'node:buffer'

/** Bounds on the shape of a JSON text; breaking one is the same as bad syntax. */
export interface JsonLimits {
  /** Arrays and objects inside each other. */
  readonly nestingDepth: number
  /** Characters of one number. */
  readonly numberLength: number
  /** Bytes of one string as it stands in the text. */
  readonly stringLength: number
}

/** The original's limits. */
export const DEFAULT_JSON_LIMITS: JsonLimits = { nestingDepth: 1000, numberLength: 1000, stringLength: 200_000_000 }

const QUOTE = 0x22
const BACKSLASH = 0x5c
const BYTE_ORDER_MARK = 0xfeff

/**
 * Reads a JSON text in UTF-8, with or without byte order mark.
 * Takes time linear in its length; throws SyntaxError for anything that is not JSON or breaks a limit.
 */
export function parseJson(bytes: Buffer, limits: JsonLimits = DEFAULT_JSON_LIMITS): unknown {
  if (!isUtf8(bytes)) throw new SyntaxError('the text is not UTF-8')
  // No text breaks a limit that is greater than its length.
  const reachable = Math.min(limits.nestingDepth, limits.numberLength, limits.stringLength)
  if (bytes.length > reachable) checkLimits(bytes, limits)
  const text = bytes.toString('utf8')
  return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text)
}

/** Scans the bytes once. Syntax is left to the parser: what matters here is only that a valid text is measured right. */
function checkLimits(bytes: Buffer, limits: JsonLimits): void {
  let depth = 0
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number
    if (byte === QUOTE) {
      const end = stringEnd(bytes, index)
      if (end - index - 1 > limits.stringLength) throw new SyntaxError('a string is too long')
      index = end
    } else if (opens(byte)) {
      if (++depth > limits.nestingDepth) throw new SyntaxError('nested too deeply')
    } else if (closes(byte)) {
      depth--
    } else if (startsNumber(byte)) {
      const end = numberEnd(bytes, index)
      if (end - index > limits.numberLength) throw new SyntaxError('a number is too long')
      index = end - 1
    }
  }
}

/** Index of the closing quote, or the length of the text when there is none. */
function stringEnd(bytes: Buffer, start: number): number {
  let index = start + 1
  while (index < bytes.length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1
  return Math.min(index, bytes.length)
}

function numberEnd(bytes: Buffer, start: number): number {
  let index = start + 1
  while (index < bytes.length && continuesNumber(bytes[index] as number)) index++
  return index
}

const opens = (byte: number): boolean => byte === 0x5b || byte === 0x7b
const closes = (byte: number): boolean => byte === 0x5d || byte === 0x7d
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const startsNumber = (byte: number): boolean => byte === 0x2d || isDigit(byte)
/** Digits, `+`, `-`, `.`, `E` and `e`. */
const continuesNumber = (byte: number): boolean =>
  isDigit(byte) || byte === 0x2b || byte === 0x2d || byte === 0x2e || byte === 0x45 || byte === 0x65
