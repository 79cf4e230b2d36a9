import { switchValue } from '../tools/flags.ts'
import { CommandRefusal } from './failure.ts'

const INT32_MAX = 2_147_483_647

/** A switch in an argument; refuses other words. */
export function readSwitch(word: string): boolean {
  const value = switchValue(word)
  if (value === undefined) throw new CommandRefusal(`"${word}" is neither true nor false`)
  return value
}

/** A whole number of 32 bits in an argument; refuses anything else. */
export function readInt32(word: string): number {
  const value = /^[-+]?\d+$/.test(word) ? Number(word) : Number.NaN
  if (Number.isNaN(value)) throw new CommandRefusal(`"${word}" is no whole number`)
  if (Math.abs(value) > INT32_MAX) throw new CommandRefusal(`${word} is out of range`)
  return value
}

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/

/** A moment such as `2027-01-31T12:00:00.000Z`; refuses anything else. */
export function readTimestamp(word: string): string {
  if (!TIMESTAMP.test(word) || Number.isNaN(Date.parse(word))) {
    throw new CommandRefusal(`"${word}" is no time such as 2027-01-31T12:00:00.000Z`)
  }
  return new Date(word).toISOString()
}

/** The two sides of `name=value`; refuses anything else. */
export function readPair(word: string): [name: string, value: string] {
  const [name, value, ...others] = word.split('=')
  if (name === undefined || value === undefined || others.length > 0)
    throw new CommandRefusal(`"${word}" is no name=value`)
  return [name, value]
}

const OWNER_FORM = 'invalid resource owner format'

/**
 * Owners of the parts of an object, written `part:owner,part:owner`; `parts` has the names of members by the words for them.
 * Refuses other words and forms.
 */
export function readOwners<K extends string>(
  text: string,
  parts: Readonly<Record<string, K>>,
): Partial<Record<K, string>> {
  const members = new Map(Object.entries(parts))
  const owners = text.split(',').map((pair): [K, string] => {
    const [word = '', owner, ...others] = pair.split(':')
    const member = members.get(word.toLowerCase())
    if (member === undefined || owner === undefined || others.length > 0) throw new CommandRefusal(OWNER_FORM)
    return [member, owner]
  })
  return Object.fromEntries(owners) as Partial<Record<K, string>>
}
