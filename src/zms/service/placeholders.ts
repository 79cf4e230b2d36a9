/** Replaces placeholders in a text; what is none stays. */
export type Fill = (text: string) => string

/**
 * Fills in placeholders `_name_` by the values of the names, all in one pass: values are not searched again. Where
 * several placeholders begin at one place, the longest counts.
 */
export function placeholders(values: ReadonlyMap<string, string>): Fill {
  return (text) => {
    let filled = ''
    let from = 0
    for (let start = text.indexOf('_'); start >= 0; start = text.indexOf('_', Math.max(start + 1, from))) {
      const end = placeholderEnd(values, text, start)
      if (end < 0) continue
      filled += text.slice(from, start) + (values.get(text.slice(start + 1, end)) as string)
      from = end + 1
    }
    return filled + text.slice(from)
  }
}

/** Where the longest placeholder that begins at `start` has its last character; -1 when none begins there. */
function placeholderEnd(values: ReadonlyMap<string, string>, text: string, start: number): number {
  let end = text.lastIndexOf('_')
  while (end > start + 1 && !values.has(text.slice(start + 1, end))) end = text.lastIndexOf('_', end - 1)
  return end > start + 1 ? end : -1
}
