import { STORE_TITLES } from '../bench-zms.ts'
import { cellText, type Table } from '../report.ts'
import { type BenchRow, FIGURES, type FigureName, type Growth } from './row.ts'
import { AXES, type Axis } from './sizes.ts'

const storeText = (store: BenchRow['store']): string => (store === 'none' ? '-' : STORE_TITLES[store])
const ABSENT = '-'

/** Rows as a table, with a column for each figure that any of them has. */
export function rowTable(rows: readonly BenchRow[]): Table {
  const names = (Object.keys(FIGURES) as FigureName[]).filter((name) =>
    rows.some(({ figures }) => figures[name] !== undefined),
  )
  return {
    title: 'Figures',
    columns: ['', 'store', ...AXES, ...names.map((name) => FIGURES[name])],
    rows: rows.map(({ name, store, size, figures }) => [
      name,
      storeText(store),
      ...AXES.map((axis) => size[axis] ?? ABSENT),
      ...names.map((figure) => figures[figure] ?? ABSENT),
    ]),
  }
}

/** A row as one line, told as soon as it is known. */
export function rowLine({ name, store, size, figures }: BenchRow): string {
  const sizes = AXES.filter((axis) => size[axis] !== undefined).map((axis) => `${numberText(size[axis] ?? 0)} ${axis}`)
  const given = (Object.keys(FIGURES) as FigureName[])
    .filter((figure) => figures[figure] !== undefined)
    .map((figure) => `${FIGURES[figure]} ${cellText(figures[figure] ?? 0)}`)
  return `${[name, ...(store === 'none' ? [] : [storeText(store)]), ...sizes].join(', ')}: ${given.join(', ')}`
}

/** How costs grow, with a column for each step between two sizes; undefined when nothing was measured at two sizes. */
export function growthTable(growths: readonly Growth[]): Table | undefined {
  if (growths.length === 0) return undefined
  const steps = [...new Map(growths.map((each) => [stepText(each), each])).values()].toSorted(
    (a, b) => AXES.indexOf(a.axis) - AXES.indexOf(b.axis) || a.from - b.from || a.to - b.to,
  )
  const measured = [...Map.groupBy(growths, ({ name, store }) => `${name} ${store}`).values()]
  return {
    title: 'How cost grows: factor between two sizes',
    columns: ['', 'store', ...steps.map(stepText)],
    rows: measured.map((group) => [
      group[0]?.name ?? '',
      storeText(group[0]?.store ?? 'none'),
      ...steps.map((step) => group.find((each) => stepText(each) === stepText(step))?.factor ?? ABSENT),
    ]),
  }
}

const stepText = ({ axis, from, to }: { axis: Axis; from: number; to: number }): string =>
  `${axis} ${numberText(from)}→${numberText(to)}`

const numberText = (value: number): string => value.toLocaleString('en')
