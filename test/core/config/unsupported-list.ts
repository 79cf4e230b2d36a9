import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { declarationsOf } from '#core/config/declarations.ts'
import { KEY_FAMILIES, OBSOLETE_KEYS } from '#core/config/server-tables.ts'

/** Where users read which properties have no effect. */
export const README = join(import.meta.dirname, '../../../README.md')

const HEADING = '## Properties of the original that are not supported'

const INTRODUCTION = [
  'Each is a warning with its reason at the start, when it is set to something else than its default. `*` stands for',
  'every property that begins so.',
]

/** Keys without effect by their reason, and every key that is known. */
function unsupportedKeys() {
  const all = new Set<string>()
  const byReason = new Map<string, string[]>()
  const add = (reason: string, key: string) => {
    const keys = byReason.get(reason) ?? []
    byReason.set(reason, keys)
    if (!keys.includes(key)) keys.push(key)
  }
  for (const server of ['zms', 'zts'] as const) {
    for (const [key, { row }] of declarationsOf(server)) {
      all.add(key)
      if (row.supported !== true) add(row.supported, key)
    }
  }
  for (const { prefix, supported } of KEY_FAMILIES) if (supported !== true) add(supported, `${prefix}*`)
  const gone = [...OBSOLETE_KEYS.keys()].filter((key) => !all.has(key))
  for (const key of gone) add('nothing reads it in the original either', key)
  return { all, byReason }
}

/** The keys, with `prefix*` for those that are all of a prefix; sorted. */
function shortened(keys: readonly string[], all: ReadonlySet<string>): string[] {
  const left = new Set(keys)
  const short: string[] = []
  for (const key of keys) {
    if (!left.has(key) || key.endsWith('*')) continue
    const prefix = widestPrefix(key, left, all)
    if (prefix === undefined) continue
    short.push(`${prefix}*`)
    for (const other of left) if (other.startsWith(prefix)) left.delete(other)
  }
  return [...short, ...left].sort()
}

/** The shortest beginning of a key, up to a joint, that is one of two or more keys of this reason and of no other. */
function widestPrefix(key: string, keys: ReadonlySet<string>, all: ReadonlySet<string>): string | undefined {
  for (const { index } of key.matchAll(/[._]/g)) {
    const prefix = key.slice(0, index + 1)
    const known = [...all].filter((other) => other.startsWith(prefix))
    if (known.length > 1 && known.every((other) => keys.has(other))) return prefix
  }
  return undefined
}

/** The section of the README, as the tables have it. */
export function renderUnsupported(): string {
  const { all, byReason } = unsupportedKeys()
  const rows = [...byReason].map(([reason, keys]) => {
    const names = shortened(keys, all).map((key) => `\`${key}\``)
    return `| ${names.join(', ')} | ${reason} |`
  })
  return [HEADING, '', ...INTRODUCTION, '', '| Properties | Why |', '|---|---|', ...rows.sort(), ''].join('\n')
}

/** The same section as the README has it now; undefined when it has none. */
export function writtenUnsupported(): string | undefined {
  const text = readFileSync(README, 'utf8')
  const start = text.indexOf(`${HEADING}\n`)
  if (start < 0) return undefined
  const end = text.indexOf('\n## ', start)
  return text.slice(start, end < 0 ? undefined : end)
}

if (import.meta.main) {
  const text = readFileSync(README, 'utf8')
  const written = writtenUnsupported()
  if (written === undefined) throw new Error(`README.md has no section "${HEADING}"`)
  // As a function: in a text of its own `$` would have a meaning.
  writeFileSync(
    README,
    text.replace(written, () => renderUnsupported()),
  )
}
