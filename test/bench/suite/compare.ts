import { STORE_TITLES } from '../bench-zms.ts'
import type { Table } from '../report.ts'
import type { BenchFile } from './results.ts'
import { type BenchRow, costOf, type FigureName, rowKey } from './row.ts'
import { AXES } from './sizes.ts'

/** Two measurements of the same. */
export interface Comparison {
  readonly name: string
  readonly store: BenchRow['store']
  readonly size: BenchRow['size']
  /** Cost of the second in proportion to the first, see {@link costOf}. */
  readonly cost: number | undefined
  /** Part of the bare server's answers that each reached, where it was measured. */
  readonly ofBare: readonly [number | undefined, number | undefined]
}

/** What both files measured, in the order of the second. */
export function compareRows(before: readonly BenchRow[], after: readonly BenchRow[]): Comparison[] {
  const known = new Map(before.map((row) => [rowKey(row), row]))
  return after.flatMap((row) => {
    const former = known.get(rowKey(row))
    if (former === undefined) return []
    const [cost, formerCost] = [costOf(row.figures), costOf(former.figures)]
    const figure = ({ figures }: BenchRow, name: FigureName) => figures[name]
    return {
      name: row.name,
      store: row.store,
      size: row.size,
      cost: cost === undefined || !formerCost ? undefined : cost / formerCost,
      ofBare: [figure(former, 'ofBare'), figure(row, 'ofBare')] as const,
    }
  })
}

/** The same as a table. */
export function comparisonTable(before: BenchFile, after: BenchFile): Table {
  const title = (each: BenchFile) => `${each.machine.date.slice(0, 16)} (${each.machine.commit || 'no commit'})`
  return {
    title: `${title(after)} beside ${title(before)}`,
    columns: ['', 'store', ...AXES, 'cost, factor', '÷ bare, before', '÷ bare, after'],
    rows: compareRows(before.rows, after.rows).map(({ name, store, size, cost, ofBare }) => [
      name,
      store === 'none' ? '-' : STORE_TITLES[store],
      ...AXES.map((axis) => size[axis] ?? '-'),
      cost ?? '-',
      ...ofBare.map((part) => part ?? '-'),
    ]),
  }
}
