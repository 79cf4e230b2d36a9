import { readInt32, readSwitch } from './argument-values.ts'
import { CommandRefusal } from './failure.ts'

/** A map of a file. Its members are reached by the functions below, which refuse what is of another kind. */
export type Members = Readonly<Record<string, unknown>>

/** A value that must be a map; `what` names it in the refusal. */
export function mapOf(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new CommandRefusal(`${what} is no map`)
  return value as Members
}

const memberOf = (map: Members, name: string): unknown => (Object.hasOwn(map, name) ? map[name] : undefined)

/** A text; undefined when it is absent. */
export function textIn(map: Members, name: string): string | undefined {
  const value = memberOf(map, name)
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw new CommandRefusal(`${name} is no text`)
  return value
}

/** A text that must be there. */
export function neededText(map: Members, name: string): string {
  const value = textIn(map, name)
  if (value === undefined || value === '') throw new CommandRefusal(`${name} is missing`)
  return value
}

/** A whole number; undefined when it is absent. */
export function numberIn(map: Members, name: string): number | undefined {
  const text = textIn(map, name)
  return text === undefined || text === '' ? undefined : readInt32(text)
}

/** A switch; undefined when it is absent. */
export function switchIn(map: Members, name: string): boolean | undefined {
  const text = textIn(map, name)
  return text === undefined || text === '' ? undefined : readSwitch(text)
}

/** A list; empty when it is absent, or nothing stands after its name. */
export function listIn(map: Members, name: string): readonly unknown[] {
  const value = memberOf(map, name)
  if (value === undefined || value === null || value === '') return []
  if (!Array.isArray(value)) throw new CommandRefusal(`${name} is no list`)
  return value as readonly unknown[]
}

/** A list of texts; undefined when it is absent. */
export function textsIn(map: Members, name: string): string[] | undefined {
  if (memberOf(map, name) === undefined) return undefined
  return listIn(map, name).map((value) => {
    if (typeof value !== 'string') throw new CommandRefusal(`${name} has something that is no text`)
    return value
  })
}

/** A map; undefined when it is absent. */
export function mapIn(map: Members, name: string): Members | undefined {
  const value = memberOf(map, name)
  return value === undefined || value === null || value === '' ? undefined : mapOf(value, name)
}

/** Members without those that are undefined. */
export const present = <T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
