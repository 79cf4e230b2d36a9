/** A flag of a tool: its value when it is not given says of which kind it is. */
export interface Flag<T extends string | number | boolean = string | number | boolean> {
  readonly initial: T
  /** For the list of flags, in a few words. */
  readonly about: string
}

/** The flags of a tool, by name without hyphens. */
export type FlagTable = Readonly<Record<string, Flag>>

/** What the flags of a table have been given. */
export type FlagValues<F extends FlagTable> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

/** Flags that cannot be read; the list of flags is shown after it. */
export class FlagFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'FlagFailure'
  }
}

/** A flag with a text, empty unless given. */
export const text = (about: string, initial = ''): Flag<string> => ({ initial, about })
/** A flag with a whole number, 0 unless given. */
export const wholeNumber = (about: string, initial = 0): Flag<number> => ({ initial, about })
/** A flag that needs no value: `-csr`, `-csr=false`. */
export const toggle = (about: string, initial = false): Flag<boolean> => ({ initial, about })

const SWITCH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false] as const),
])

/** A switch as the original's tools read one; undefined for other words. */
export const switchValue = (word: string): boolean | undefined => SWITCH_WORDS.get(word)

/**
 * Reads a command line as the original's tools do: `-name value`, `-name=value`, with one hyphen or two; the first word that
 * is no flag, or `--`, ends them, and what follows is left alone. Gives `'help'` for `-h` and `-help`, and
 * `'version'` for `-version`, unless the table has them.
 * @throws FlagFailure for a flag that does not exist, or has no value it can have
 */
export function readFlags<F extends FlagTable>(table: F, args: readonly string[]): FlagValues<F> | 'help' | 'version' {
  const read = readCommandLine(table, args)
  return typeof read === 'string' ? read : read.flags
}

/** Flags, and the words after them. */
export interface CommandLine<F extends FlagTable> {
  readonly flags: FlagValues<F>
  readonly words: readonly string[]
}

/** As {@link readFlags}, for tools that take a command after the flags. */
export function readCommandLine<F extends FlagTable>(
  table: F,
  args: readonly string[],
): CommandLine<F> | 'help' | 'version' {
  const values = new Map<string, string | number | boolean>(
    Object.entries(table).map(([name, { initial }]) => [name, initial]),
  )
  let at = 0
  for (; at < args.length; at++) {
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(args[at] ?? '')
    if (match === null) break
    const [, name = '', given] = match
    const flag = Object.hasOwn(table, name) ? table[name] : undefined
    if (flag === undefined && (name === 'h' || name === 'help')) return 'help'
    if (flag === undefined && name === 'version') return 'version'
    if (flag === undefined) throw new FlagFailure(`flag provided but not defined: -${name}`)
    const isSwitch = typeof flag.initial === 'boolean'
    const word = given ?? (isSwitch ? 'true' : args[++at])
    if (word === undefined) throw new FlagFailure(`flag needs an argument: -${name}`)
    values.set(name, valueOf(name, flag, word))
  }
  const words = args.slice(args[at] === '--' ? at + 1 : at)
  return { flags: Object.fromEntries(values) as FlagValues<F>, words }
}

function valueOf(name: string, { initial }: Flag, word: string): string | number | boolean {
  if (typeof initial === 'string') return word
  if (typeof initial === 'number') {
    if (/^[+-]?\d{1,15}$/.test(word)) return Number(word)
    throw new FlagFailure(`invalid value "${word}" for flag -${name}: it is no whole number`)
  }
  const value = switchValue(word)
  if (value !== undefined) return value
  throw new FlagFailure(`invalid boolean value "${word}" for -${name}`)
}

/** The flags for people, one line each. */
export function flagLines(table: FlagTable): string[] {
  const rows = Object.entries(table).map(([name, { initial, about }]) => {
    const kind = typeof initial === 'boolean' ? '' : typeof initial === 'number' ? ' <number>' : ' <text>'
    const fallback = initial === '' || initial === 0 || initial === false ? '' : ` (unless given: ${initial})`
    return [`-${name}${kind}`, about + fallback] as const
  })
  const width = Math.max(...rows.map(([words]) => words.length))
  return rows.map(([words, about]) => `  ${words.padEnd(width)}  ${about}`)
}
