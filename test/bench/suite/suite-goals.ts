import { STORE_TITLES } from '../bench-zms.ts'
import { type Goal, goal } from '../report.ts'
import { type BenchRow, costOf, type FigureName } from './row.ts'
import { AXES, type Axis, sizeKey } from './sizes.ts'

/** What a figure of a row is to be. */
interface Wanted {
  readonly name: string
  readonly store?: BenchRow['store']
  /** Of rows with another number of domains nothing is wanted. */
  readonly domains?: number
  readonly figure: FigureName
  readonly what: string
  readonly relation: '≥' | '≤'
  readonly limit: number
  readonly unit?: string
}

const WANTED: readonly Wanted[] = [
  { name: 'access-check', store: 'file', figure: 'ofBare', what: 'answers, part of bare', relation: '≥', limit: 0.7 },
  { name: 'access-check', store: 'file', figure: 'cpuOfBare', what: 'CPU ÷ bare', relation: '≤', limit: 1.4 },
  { name: 'role-token', figure: 'ofOpenssl', what: 'tokens, part of OpenSSL', relation: '≥', limit: 0.75 },
  { name: 'access-token', figure: 'ofOpenssl', what: 'tokens, part of OpenSSL', relation: '≥', limit: 0.75 },
  { name: 'zts-load', domains: 10_000, figure: 'seconds', what: 'time', relation: '≤', limit: 5, unit: ' s' },
]

/** By which factor a cost may grow with what it should not depend on: twice is room for what the machine does meanwhile. */
const GROWTH_LIMIT = 2
/** What does not depend on a size: benchmarks by axis. */
const FLAT: Readonly<Record<Axis, readonly string[]>> = {
  domains: ['access-check', 'role-token', 'access-token', 'membership-write', 'domain-sync/no-news', 'zts-change'],
  members: ['access-check/sized', 'role-token/sized', 'access-token', 'role-certificate', 'membership-write'],
  assertions: ['access-check/sized', 'zpe-decision'],
}
/** Each of the assertions is asked for in turn there, and ten thousand do not stay in the caches of a processor. */
const LIMITS_OF_ITS_OWN: Readonly<Record<string, number>> = { 'zpe-decision': 3 }

/** The goals that the rows say something about. */
export function suiteGoals(rows: readonly BenchRow[]): Goal[] {
  const goals: Goal[] = []
  for (const { name, store, domains, figure, what, relation, limit, unit = '' } of WANTED) {
    for (const row of rows.filter((each) => each.name === name)) {
      const value = row.figures[figure]
      if (value === undefined || (store ?? row.store) !== row.store) continue
      if (domains !== undefined && row.size.domains !== domains) continue
      goals.push(goal(`${titleOf(row)}: ${what}`, relation, limit, value, { unit }))
    }
  }
  return [...goals, ...AXES.flatMap((axis) => flatness(rows, axis))]
}

/** What does not depend on a size costs the same with the largest as with the smallest. */
function flatness(rows: readonly BenchRow[], axis: Axis): Goal[] {
  const goals: Goal[] = []
  const sizeOf = ({ size }: BenchRow) => size[axis] ?? 0
  for (const name of FLAT[axis]) {
    const alike = rows.filter((row) => row.name === name && row.size[axis] !== undefined)
    for (const group of Map.groupBy(
      alike,
      ({ store, size }) => `${store} ${sizeKey({ ...size, [axis]: 0 })}`,
    ).values()) {
      const sorted = group.toSorted((a, b) => sizeOf(a) - sizeOf(b))
      const [least, most] = [sorted[0], sorted.at(-1)]
      if (least === undefined || most === undefined || least === most) continue
      const factor = (costOf(most.figures) ?? Number.NaN) / (costOf(least.figures) ?? Number.NaN)
      const what = `${titleOf({ ...most, size: {} })}: cost with ${sizeOf(most)} ${axis} ÷ with ${sizeOf(least)}`
      goals.push(goal(what, '≤', LIMITS_OF_ITS_OWN[name] ?? GROWTH_LIMIT, factor))
    }
  }
  return goals
}

const titleOf = ({ name, store, size: { domains } }: BenchRow): string =>
  [
    name,
    store === 'none' ? '' : ` on the ${STORE_TITLES[store]}`,
    domains === undefined ? '' : `, ${domains} domains`,
  ].join('')
