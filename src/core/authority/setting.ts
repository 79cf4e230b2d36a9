import type { PropertyReader } from './authority.ts'

/** A text property; an empty one counts as absent. */
export function textSetting(property: PropertyReader, name: string): string | undefined
export function textSetting(property: PropertyReader, name: string, whenAbsent: string): string
export function textSetting(property: PropertyReader, name: string, whenAbsent?: string): string | undefined {
  return property(name)?.trim() || whenAbsent
}

/** `true` or `false`, in any case. Throws an Error naming property and value for anything else. */
export function flagSetting(property: PropertyReader, name: string, whenAbsent: boolean): boolean {
  const text = textSetting(property, name)?.toLowerCase()
  if (text === undefined) return whenAbsent
  if (text !== 'true' && text !== 'false') throw new Error(`${name}: "${text}" is neither true nor false`)
  return text === 'true'
}

/** A whole number. Throws an Error naming property and value for anything else. */
export function integerSetting(property: PropertyReader, name: string, whenAbsent: number): number {
  const text = textSetting(property, name)
  if (text === undefined) return whenAbsent
  if (!/^-?[0-9]{1,15}$/.test(text)) throw new Error(`${name}: "${text}" is not a whole number`)
  return Number(text)
}

/** One of several words, written exactly so. Throws an Error naming property, value and choices for anything else. */
export function choiceSetting<T extends string>(
  property: PropertyReader,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const text = textSetting(property, name)
  if (text === undefined) return choices[0]
  const choice = choices.find((word) => word === text)
  if (choice === undefined) throw new Error(`${name}: "${text}" is none of ${choices.join(', ')}`)
  return choice
}

/** The entries of a comma list, without blanks around them and without empty ones. */
export function listSetting(property: PropertyReader, name: string): readonly string[] {
  const entries = (property(name) ?? '').split(',').map((entry) => entry.trim())
  return entries.filter((entry) => entry !== '')
}
