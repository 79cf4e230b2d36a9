/** A line of two texts that are compared: in both, or in one of them. */
export interface DiffLine {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

/** Texts with more lines on either side are shown as replaced as a whole: the table below grows with the square. */
const LINES_MAX = 2000

/** The shortest way from one text to another, line by line: the longest common lines stay. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const [old, fresh] = [linesOf(before), linesOf(after)]
  if (old.length > LINES_MAX || fresh.length > LINES_MAX) {
    return [
      ...old.map((text) => ({ sign: '-', text }) as const),
      ...fresh.map((text) => ({ sign: '+', text }) as const),
    ]
  }
  const common = commonLengths(old, fresh)
  const lines: DiffLine[] = []
  let [at, to] = [0, 0]
  while (at < old.length || to < fresh.length) {
    if (at < old.length && to < fresh.length && old[at] === fresh[to]) {
      lines.push({ sign: ' ', text: old[at] ?? '' })
      at++
      to++
    } else if (
      to < fresh.length &&
      (at === old.length || lengthAt(common, at, to + 1) > lengthAt(common, at + 1, to))
    ) {
      lines.push({ sign: '+', text: fresh[to++] ?? '' })
    } else {
      lines.push({ sign: '-', text: old[at++] ?? '' })
    }
  }
  return lines
}

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

const lengthAt = (table: readonly Uint32Array[], at: number, to: number): number => table[at]?.[to] ?? 0

/** How many lines the rests of both have in common, by where the rests begin. */
function commonLengths(old: readonly string[], fresh: readonly string[]): readonly Uint32Array[] {
  const table = Array.from({ length: old.length + 1 }, () => new Uint32Array(fresh.length + 1))
  for (let at = old.length - 1; at >= 0; at--) {
    const row = table[at]
    if (row === undefined) continue
    for (let to = fresh.length - 1; to >= 0; to--) {
      row[to] =
        old[at] === fresh[to]
          ? lengthAt(table, at + 1, to + 1) + 1
          : Math.max(lengthAt(table, at + 1, to), lengthAt(table, at, to + 1))
    }
  }
  return table
}
