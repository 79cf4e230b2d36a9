/** File names with a date in them, such as `access.yyyy_MM_dd.log`. */
export interface DatedName {
  /** Whether the name changes with the date. */
  readonly dated: boolean
  /** Name for the UTC day of this time. */
  at(epochMillis: number): string
  /** Start of the UTC day that a file is named for; undefined when its name does not follow the pattern. */
  dayOf(name: string): number | undefined
}

const FIELDS: ReadonlyMap<string, 'year' | 'month' | 'day'> = new Map([
  ['yyyy', 'year'],
  ['MM', 'month'],
  ['mm', 'month'],
  ['dd', 'day'],
])

/** Reads a pattern; `yyyy`, `MM` (or `mm`) and `dd` stand for the date. */
export function datedName(pattern: string): DatedName {
  // Splitting by a pattern with a group puts literals at even places and fields at odd ones.
  const parts = pattern.split(/(yyyy|MM|mm|dd)/)
  const fields = new Set(parts.filter((_, index) => index % 2 === 1).map((part) => FIELDS.get(part)))
  const at = (epochMillis: number): string => {
    const [year = '', month = '', day = ''] = new Date(epochMillis).toISOString().slice(0, 10).split('-')
    const texts = { year, month, day }
    return parts.map((part, index) => (index % 2 === 0 ? part : texts[FIELDS.get(part) ?? 'year'])).join('')
  }
  return {
    dated: fields.size > 0,
    at,
    dayOf(name) {
      if (fields.size !== 3) return undefined
      const found = { year: '', month: '', day: '' }
      let position = 0
      for (const [index, part] of parts.entries()) {
        const text = name.slice(position, position + part.length)
        if (index % 2 === 0 ? text !== part : !/^\d+$/.test(text)) return undefined
        if (index % 2 === 1) found[FIELDS.get(part) ?? 'year'] = text
        position += part.length
      }
      const day = Date.parse(`${found.year}-${found.month}-${found.day}T00:00:00Z`)
      return Number.isNaN(day) || at(day) !== name ? undefined : day
    },
  }
}
