import { JokerSearch } from './joker-search.ts'

/** How a glob reads its pattern. */
export interface GlobOptions {
  /**
   * True: a pattern whose only wildcard is one final `*` matches whatever follows, line terminators included, as the
   * policy engine of the clients does. False (default): `*` stops at a line terminator, as in the servers.
   */
  readonly trailingStarCrossesLines?: boolean
}

/** A stretch of a pattern between two `*`. */
interface Segment {
  readonly text: string
  /** Set when the stretch contains `?`. */
  readonly jokers: JokerSearch | undefined
}

type Shape = 'literal' | 'any' | 'prefix' | 'suffix' | 'segments' | 'lines'

const JOKER = 0x3f
/** Where `.` of a Java regular expression does not match, and hence neither `*` nor `?`. */
const LINE_TERMINATOR = /([\n\r\u0085\u2028\u2029])/
const SURROGATE_PAIR = /[\ud800-\udbff][\udc00-\udfff]/g
/** Unpaired surrogates, free to stand for characters outside the basic plane: well-formed text contains none. */
const FIRST_SUBSTITUTE = 0xd800
const SUBSTITUTES = 0x7fe
/** In a pattern: a character beyond the number of substitutes; it matches no text. */
const UNMATCHED = '\udffe'
/** In a text: a character that the pattern does not contain. */
const FOREIGN = '\udfff'

/** Whether the text contains a wildcard. */
export function isGlob(text: string): boolean {
  return text.includes('*') || text.includes('?')
}

/** The text before the first wildcard, with which everything that matches the pattern begins. */
export function literalPrefix(pattern: string): string {
  for (let i = 0; i < pattern.length; i++) {
    const unit = pattern.charCodeAt(i)
    if (unit === 0x2a || unit === JOKER) return pattern.slice(0, i)
  }
  return pattern
}

/**
 * The patterns that remain of a pattern when a text begins with `prefix`, which has no line terminator: the pattern
 * matches `prefix + rest` if and only if one of them matches `rest`. None when no such text matches.
 */
export function patternsAfter(pattern: string, prefix: string): string[] {
  let rests = new Set([pattern])
  for (const character of prefix) {
    const next = new Set<string>()
    for (const rest of rests) {
      // Stars may match nothing, and so what follows them comes next, too.
      let at = 0
      for (; rest[at] === '*'; at++);
      if (at > 0) next.add(rest.slice(at - 1))
      if (rest[at] === '?') next.add(rest.slice(at + 1))
      else if (rest.startsWith(character, at)) next.add(rest.slice(at + character.length))
    }
    rests = next
  }
  return [...rests]
}

/**
 * A compiled glob: `*` stands for any sequence, `?` for one character (a Unicode code point), neither for a line
 * terminator; everything else is literal and the whole text must match. These are the rules of the peer, which turns
 * `*` and `?` into `.*` and `.` of a Java regular expression. Letter case counts: callers lower both sides.
 *
 * Time grows with the length of the text plus that of the pattern (times a 32nd of its longest stretch with `?`), since
 * each stretch is placed at its first fit and never reconsidered.
 */
export class Glob {
  readonly pattern: string
  readonly #shape: Shape
  /** The literal text of a prefix or suffix. */
  readonly #text: string = ''
  readonly #crossesLines: boolean = false
  readonly #segments: readonly Segment[] = []
  readonly #minimumLength: number = 0
  readonly #jokers: boolean = false
  /** Character of the pattern outside the basic plane → what stands for it. */
  readonly #substitutes: ReadonlyMap<string, string> | undefined
  readonly #lines: readonly (Glob | string)[] = []

  constructor(pattern: string, options: GlobOptions = {}) {
    this.pattern = pattern
    if (!isGlob(pattern)) {
      this.#shape = 'literal'
      return
    }
    const prefix = literalPrefix(pattern)
    if (prefix.length === pattern.length - 1 && pattern.endsWith('*') && options.trailingStarCrossesLines) {
      this.#shape = 'prefix'
      this.#text = prefix
      this.#crossesLines = true
      return
    }
    if (LINE_TERMINATOR.test(pattern)) {
      this.#shape = 'lines'
      this.#lines = pattern.split(LINE_TERMINATOR).map((part, index) => (index % 2 === 0 ? new Glob(part) : part))
      return
    }
    this.#jokers = pattern.includes('?')
    const stars = pattern.split('*')
    if (!this.#jokers && stars.length === 2) {
      const [before = '', after = ''] = stars
      if (after === '' || before === '') {
        this.#shape = pattern === '*' ? 'any' : after === '' ? 'prefix' : 'suffix'
        this.#text = before + after
        return
      }
    }
    this.#shape = 'segments'
    this.#substitutes = this.#jokers ? substitutesOf(pattern) : undefined
    const parts = stars.map((part) => this.#substitute(part, UNMATCHED))
    this.#segments = parts
      .filter((part, index) => part !== '' || index === 0 || index === parts.length - 1)
      .map((text) => ({ text, jokers: text.includes('?') ? new JokerSearch(text, JOKER) : undefined }))
    this.#minimumLength = parts.reduce((sum, part) => sum + part.length, 0)
  }

  /** Whether the whole text matches. */
  matches(text: string): boolean {
    switch (this.#shape) {
      case 'literal':
        return text === this.pattern
      case 'any':
        return !hasLineTerminator(text, 0, text.length)
      case 'prefix':
        return (
          text.startsWith(this.#text) &&
          (this.#crossesLines || !hasLineTerminator(text, this.#text.length, text.length))
        )
      case 'suffix':
        return text.endsWith(this.#text) && !hasLineTerminator(text, 0, text.length - this.#text.length)
      case 'segments':
        return text.length >= this.#minimumLength && this.#matchesSegments(this.#substitute(text, FOREIGN))
      default:
        return this.#matchesLines(text.split(LINE_TERMINATOR))
    }
  }

  #matchesSegments(text: string): boolean {
    const segments = this.#segments
    const first = segments[0] as Segment
    if (!fitsAt(first, text, 0)) return false
    if (segments.length === 1) return text.length === first.text.length && !hasLineTerminator(text, 0, text.length)
    const last = segments[segments.length - 1] as Segment
    const end = text.length - last.text.length
    let from = first.text.length
    if (from > end || !fitsAt(last, text, end)) return false
    for (let i = 1; i < segments.length - 1; i++) {
      const segment = segments[i] as Segment
      const at = segment.jokers ? segment.jokers.find(text, from, end) : text.indexOf(segment.text, from)
      from = at + segment.text.length
      if (at < 0 || from > end) return false
    }
    return !hasLineTerminator(text, 0, text.length)
  }

  /** Only a literal terminator of the pattern can match one of the text, so both must break at the same ones. */
  #matchesLines(parts: readonly string[]): boolean {
    return (
      parts.length === this.#lines.length &&
      this.#lines.every((line, i) => {
        const part = parts[i] as string
        return typeof line === 'string' ? line === part : line.matches(part)
      })
    )
  }

  /** Makes each character one UTF-16 code unit, where it matters: when `?` must stand for a whole character. */
  #substitute(text: string, other: string): string {
    if (!this.#jokers || !hasSurrogate(text)) return text
    return text.toWellFormed().replace(SURROGATE_PAIR, (pair) => this.#substitutes?.get(pair) ?? other)
  }
}

function fitsAt(segment: Segment, text: string, at: number): boolean {
  if (segment.jokers === undefined) return text.startsWith(segment.text, at)
  if (at + segment.text.length > text.length) return false
  for (let i = 0; i < segment.text.length; i++) {
    const unit = segment.text.charCodeAt(i)
    if (unit !== JOKER && unit !== text.charCodeAt(at + i)) return false
  }
  return true
}

function hasLineTerminator(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const unit = text.charCodeAt(i)
    if (unit <= 0x0d ? unit === 0x0a || unit === 0x0d : unit === 0x85 || unit === 0x2028 || unit === 0x2029) return true
  }
  return false
}

function hasSurrogate(text: string): boolean {
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xf800) === 0xd800) return true
  return false
}

function substitutesOf(pattern: string): ReadonlyMap<string, string> | undefined {
  const pairs = [...new Set(pattern.match(SURROGATE_PAIR))].slice(0, SUBSTITUTES)
  return pairs.length === 0
    ? undefined
    : new Map(pairs.map((pair, index) => [pair, String.fromCharCode(FIRST_SUBSTITUTE + index)]))
}
