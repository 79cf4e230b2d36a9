// npm run bench: measures requests per second, latency, CPU and memory, always beside a limit of the same machine.
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { access } from './access.ts'
import type { StoreKind } from './bench-zms.ts'
import { certs } from './certs.ts'
import { runGate } from './gate/gate.ts'
import { memory } from './memory.ts'
import type { BenchOptions } from './options.ts'
import { pages } from './pages.ts'
import { type BenchResult, printResult } from './report.ts'
import { start } from './start.ts'
import { comparisonTable } from './suite/compare.ts'
import { benchFile, machineText, readBenchFile, saveBenchFile } from './suite/results.ts'
import { growths } from './suite/row.ts'
import { growthTable, rowLine, rowTable } from './suite/row-text.ts'
import { AXES, type Axis, GRID_SIZES, type SizeLists, STANDARD_SIZES } from './suite/sizes.ts'
import { runSuite, SUITE_NAMES, type SuiteName } from './suite/suite.ts'
import { suiteGoals } from './suite/suite-goals.ts'
import { tokens } from './tokens.ts'
import { workers } from './workers.ts'
import { writes } from './writes.ts'
import { zpe } from './zpe.ts'

/** Benchmarks with goals of their own, longer and closer than those of the suite; one without a result prints its figures itself. */
const GOALS: Readonly<Record<string, (options: BenchOptions) => Promise<BenchResult | undefined>>> = {
  access,
  writes,
  certs,
  tokens,
  memory,
  start,
  zpe,
  workers,
  ui: pages,
  'file-store': async () => {
    await import('./file-store.ts')
    return undefined
  },
  rbac: async () => {
    await import('./rbac.ts')
    return undefined
  },
}

type GivenSizes = { readonly [A in Axis]?: readonly number[] }

interface RunOptions extends GivenSizes {
  readonly store: StoreKind | 'both'
  readonly seconds: number
  readonly rounds: number
  readonly grid?: true
  readonly json?: string
}

const storeOption = () =>
  new Option('--store <kind>', 'store of ZMS').choices(['file', 'mysql', 'both']).default('both')
const storesOf = (store: StoreKind | 'both') => (store === 'both' ? (['file', 'mysql'] as const) : [store])

const program = new Command('bench').description('Measures, always beside a limit of the same machine.')

program
  .command('suite', { isDefault: true })
  .description('measures what is named, or all, in the order of this list')
  .addArgument(new Argument('[names...]', 'what to measure').choices(SUITE_NAMES))
  .addOption(storeOption())
  .option('--seconds <number>', 'counted time of a measurement', positive, 1.5)
  .option('--rounds <number>', 'how often what is compared is measured', positive, 2)
  .option('--domains <list>', `numbers of domains (default: ${STANDARD_SIZES.domains.join()})`, numbers)
  .option('--members <list>', `members of a role (default: ${STANDARD_SIZES.members.join()})`, numbers)
  .option('--assertions <list>', `assertions of a policy (default: ${STANDARD_SIZES.assertions.join()})`, numbers)
  .option('--grid', `all sizes: ${AXES.map((axis) => `${axis} ${GRID_SIZES[axis].join()}`).join('; ')}`)
  .option('--json <file>', 'where results are written (default: a file of today in test/bench/results)')
  .action(async (given: readonly SuiteName[], options: RunOptions) => {
    const names = given.length === 0 ? SUITE_NAMES : given
    const { store, seconds, rounds, json } = options
    const sizes = sizesOf(options)
    const rows = await runSuite(names, { stores: storesOf(store), sizes, seconds, rounds }, (row) =>
      console.error(rowLine(row)),
    )
    const growth = growthTable(growths(rows))
    const result = { tables: [rowTable(rows), ...(growth ? [growth] : [])], goals: suiteGoals(rows) }
    printResult(result)
    const file = await benchFile({
      options: { names, store, seconds, rounds, sizes },
      rows,
      goals: { suite: result.goals },
    })
    await printMachineAndSave(file, json)
  })

program
  .command('goals')
  .description('measures some things longer and closer, and says which goals are reached')
  .addArgument(new Argument('<names...>', 'what to measure').choices(Object.keys(GOALS)))
  .addOption(storeOption())
  .option('--seconds <number>', 'counted time of a measurement', positive, 4)
  .option('--rounds <number>', 'how often what is compared is measured', positive, 3)
  .option('--json <file>', 'where results are written (default: a file of today in test/bench/results)')
  .action(measureGoals)

program
  .command('ui')
  .description('server time of every page of the web page at the size of a company, and how often it asks ZMS')
  .addOption(storeOption())
  .option('--rounds <number>', 'how often a page is asked for, at least', positive, 10)
  .option('--json <file>', 'where results are written (default: a file of today in test/bench/results)')
  .action((options: Omit<RunOptions, 'seconds'>) => measureGoals(['ui'], { ...options, seconds: 0 }))

program
  .command('compare')
  .description('how costs of one file of results differ from those of another')
  .argument('<before>')
  .argument('<after>')
  .action(async (before: string, after: string) => {
    const table = comparisonTable(await readBenchFile(before), await readBenchFile(after))
    printResult({ tables: [table], goals: [] })
  })

program
  .command('gate')
  .description('what CI demands: ratios only; ends with status 1 when one is out of bounds')
  .option('--times <number>', 'how often, with the least and the greatest of each ratio at the end', positive, 1)
  .action(async ({ times }: { times: number }) => {
    process.exitCode = (await runGate(times)) ? 0 : 1
  })

/** Names of the benchmarks with goals may come first, without `goals`. */
const isGoal = (word = '') => Object.hasOwn(GOALS, word) && word !== 'ui' && !SUITE_NAMES.some((name) => name === word)
const words = process.argv.slice(2)
await program.parseAsync(isGoal(words[0]) ? ['goals', ...words] : words, { from: 'user' })

async function measureGoals(names: readonly string[], { store, seconds, rounds, json }: RunOptions): Promise<void> {
  const results: [string, BenchResult][] = []
  for (const name of names) {
    const result = await GOALS[name]?.({ stores: storesOf(store), seconds, rounds })
    if (result === undefined) continue
    printResult(result)
    results.push([name, result])
  }
  const goals = Object.fromEntries(results.map(([name, result]) => [name, result.goals]))
  const tables = results.flatMap(([, result]) => result.tables)
  if (results.length > 0) {
    await printMachineAndSave(
      await benchFile({ options: { names, store, seconds, rounds }, rows: [], tables, goals }),
      json,
    )
  }
}

async function printMachineAndSave(file: Awaited<ReturnType<typeof benchFile>>, json: string | undefined) {
  console.log(`\n${machineText(file.machine)}`)
  console.log(`results: ${await saveBenchFile(file, json)}`)
}

function sizesOf(given: GivenSizes & { readonly grid?: true }): SizeLists {
  const all = given.grid ? GRID_SIZES : STANDARD_SIZES
  return {
    domains: given.domains ?? all.domains,
    members: given.members ?? all.members,
    assertions: given.assertions ?? all.assertions,
  }
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Write a number above 0.')
  return value
}

function numbers(text: string): number[] {
  const values = text.split(',').map(Number)
  if (values.some((value) => !Number.isInteger(value) || value < 1)) {
    throw new InvalidArgumentError('Write whole numbers above 0 with commas between them, e.g. 1,1000.')
  }
  return [...new Set(values)]
}
