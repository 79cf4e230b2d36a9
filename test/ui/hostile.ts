import type { ZmsClient } from '#client/zms-client.ts'
import type { Zms } from '#ui/zms-calls.ts'
import { unescaped } from './visitor.ts'

/** Code that wants to leave an element, an attribute in either quotes, or to be followed as a link. */
export const HOSTILE = `javascript:alert(1)//"><script>alert('x')</script><img src=x onerror=alert(1)>' onfocus='alert(1)" onfocus="alert(1)&amp;\``

/** Makes another text of a text. */
export type Spoil = (text: string) => string

/** Words by which pages tell things apart; a text that is none of them is written by people, or a name. */
const WORDS: ReadonlySet<string> = new Set(['active', 'pending', 'ADD', 'DELETE', 'ALLOW', 'DENY', 'role', 'group'])
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/

/** A value with all its texts spoilt, names of its members included where people choose them: those of tags and the like. */
export function spoilt(value: unknown, spoil: Spoil, ofPeople = false): unknown {
  if (typeof value === 'string') return WORDS.has(value) || TIME.test(value) ? value : spoil(value)
  if (Array.isArray(value)) return value.map((each) => spoilt(each, spoil))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      ofPeople && !OF_LISTS.has(name) ? spoil(name) : name,
      spoilt(each, spoil, NAMED_BY_PEOPLE.has(name)),
    ]),
  )
}

const NAMED_BY_PEOPLE: ReadonlySet<string> = new Set(['tags', 'contacts', 'conditionsMap'])
/** A list of tags that were found has these instead. */
const OF_LISTS: ReadonlySet<string> = new Set(['list', 'more'])

/** ZMS with every text of its answers spoilt. */
export function hostileZms(zms: ZmsClient, spoil: Spoil): Zms {
  const calls = {
    call: async (...args: Parameters<ZmsClient['call']>): Promise<unknown> => spoilt(await zms.call(...args), spoil),
  }
  return { ...calls, find: calls.call } as Zms
}

/** Attributes of a page that lead to elsewhere, or to code. */
export const foreignLinks = (page: string): string[] =>
  [...page.matchAll(/\s(?:href|src|action|formaction|hx-[\w-]+)="([^"]*)"/g)]
    .map(([, value = '']) => unescaped(value))
    .filter((value) => /^\s*\w*script:|^\s*(?:[/\\]{2}|https?:)/i.test(value))
