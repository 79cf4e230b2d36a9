import { checkBox, textArea, textField } from './components.ts'
import type { Fields } from './fields.ts'
import { type Content, html } from './html.ts'
import { FormProblem, type PageRequest } from './page.ts'

/** One setting of a domain, role or other object, as a form has it. */
export interface Setting {
  /** Name in the API. */
  readonly name: string
  readonly label: string
  /** `lines` is a list of `key=value,value`, one in a line. */
  readonly kind: 'text' | 'number' | 'switch' | 'lines'
  readonly hint?: string
}

/** What somebody has changed in a form of settings. */
export interface SettingChanges {
  /** New values by name; `0` and empty texts remove a setting. */
  readonly values: Readonly<Record<string, string | number | boolean>>
  /** Fields of the form that changes everything back. */
  readonly undo: Readonly<Record<string, string>>
  readonly count: number
}

const WAS = 'was.'
const ON = 'on'

/** The fields of settings. Each goes with the value it had, so that only what somebody has changed is sent on. */
export function settingFields(
  request: PageRequest,
  settings: readonly Setting[],
  values: Readonly<Record<string, unknown>>,
): Content {
  return settings.map((setting) => {
    const { name, label, kind, hint } = setting
    const value = textOf(values[name])
    const was = request.form.exact(WAS + name) ?? value
    const field = { name, label, value, ...(hint !== undefined && { hint }) }
    return html`<input type="hidden" name="${WAS + name}" value="${was}">${
      kind === 'switch'
        ? checkBox(request, { ...field, checked: value === ON })
        : kind === 'lines'
          ? textArea(request, field)
          : textField(request, { ...field, type: kind })
    }`
  })
}

/** What differs from what the form was made with. Throws FormProblem for numbers that are none. */
export function changedSettings(form: Fields, settings: readonly Setting[]): SettingChanges {
  const values: [string, string | number | boolean][] = []
  const undo: [string, string][] = []
  for (const { name, label, kind } of settings) {
    if (!form.has(WAS + name)) continue
    const [was, now] = [form.exact(WAS + name) ?? '', normalized(form.exact(name) ?? '')]
    undo.push([name, was], [WAS + name, now])
    if (normalized(was) === now) continue
    values.push([name, kind === 'switch' ? now === ON : kind === 'number' ? numberOf(now, label, name) : now])
  }
  // A switch that is off is not sent at all.
  const sent = undo.filter(([name, value]) => value !== '' || name.startsWith(WAS))
  return { values: Object.fromEntries(values), undo: Object.fromEntries(sent), count: values.length }
}

/**
 * Two people change the same: the second is told, and nothing is lost. Compares the settings that a form changes with what
 * they are `now`. Throws FormProblem for one that is another than when the form was made.
 */
export function requireUnchanged(
  form: Fields,
  { values }: SettingChanges,
  settings: readonly Setting[],
  now: Readonly<Record<string, unknown>>,
): void {
  for (const setting of settings) {
    const { name, label } = setting
    if (values[name] === undefined) continue
    const text = textOf(now[name])
    if (comparable(form.exact(WAS + name) ?? '', setting) === comparable(text, setting)) continue
    const value = setting.kind === 'switch' ? text || 'off' : text === '' ? 'nothing' : `“${text}”`
    throw new FormProblem(
      `Somebody else has changed “${label}” meanwhile: it is ${value} now. Nothing has been changed; open the page again to go on from there.`,
    )
  }
}

/** A value of a form in the one way of writing it. */
function comparable(text: string, { kind, name }: Setting): string {
  const value = normalized(text)
  if (kind === 'number') return String(Number(value))
  if (kind !== 'lines') return value
  try {
    return linesOf(Object.fromEntries([...parseLines(value, name)].map(([key, each]) => [key, each.toSorted()])))
  } catch {
    return value
  }
}

/** Tags or contacts as lines, ordered by key. */
export const linesOf = (entries: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(entries)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, values]) => `${key}=${values.join(',')}`)
    .join('\n')

/** Reads such lines. Throws FormProblem for a line without key or value, and for a key that comes twice. */
export function parseLines(text: string, name: string): ReadonlyMap<string, readonly string[]> {
  const entries = new Map<string, readonly string[]>()
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '') continue
    const equals = line.indexOf('=')
    const key = line.slice(0, Math.max(0, equals)).trim()
    const values = line
      .slice(equals + 1)
      .split(',')
      .map((value) => value.trim())
      .filter((value) => value !== '')
    if (key === '' || values.length === 0) throw new FormProblem(`“${line}” is not key=value.`, name)
    if (entries.has(key)) throw new FormProblem(`“${key}” comes twice.`, name)
    entries.set(key, values)
  }
  return entries
}

/** Tags written in such lines. Throws FormProblem as {@link parseLines}, and when there are none: ZMS would keep those there are. */
export function tagsIn(text: string): ReadonlyMap<string, { list: string[] }> {
  const entries = [...parseLines(text, 'tags')]
  if (entries.length === 0) {
    throw new FormProblem('ZMS keeps the tags when none is given: leave one, or a new one.', 'tags')
  }
  return new Map(entries.map(([key, values]) => [key, { list: [...values] }]))
}

function numberOf(text: string, label: string, name: string): number {
  if (text === '') return 0
  if (!/^\d{1,9}$/.test(text)) throw new FormProblem(`${label}: “${text}” is no whole number.`, name)
  return Number(text)
}

/** Browsers send texts of several lines with carriage returns. */
const normalized = (text: string): string => text.replaceAll('\r\n', '\n').trim()

/** A setting as its field has it. */
const textOf = (value: unknown): string =>
  value === true ? ON : typeof value === 'string' || (typeof value === 'number' && value !== 0) ? String(value) : ''
