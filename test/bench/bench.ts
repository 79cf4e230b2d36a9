// npm run bench -- NAME: measures, and says which goals are reached.
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { access } from './access.ts'
import type { StoreKind } from './bench-zms.ts'
import { certs } from './certs.ts'
import { memory } from './memory.ts'
import type { BenchOptions } from './options.ts'
import { type BenchResult, report } from './report.ts'
import { start } from './start.ts'
import { tokens } from './tokens.ts'
import { writes } from './writes.ts'
import { zpe } from './zpe.ts'

/** The benchmarks; one without a result prints its figures itself. */
const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<BenchResult | undefined>>> = {
  access,
  writes,
  certs,
  tokens,
  memory,
  start,
  zpe,
  'file-store': async () => {
    await import('./file-store.ts')
    return undefined
  },
  rbac: async () => {
    await import('./rbac.ts')
    return undefined
  },
}

const program = new Command('bench')
  .description('Measures, always beside a limit of the same machine, and says which goals are reached.')
  .addArgument(new Argument('<names...>', 'what to measure').choices(Object.keys(BENCHES)))
  .addOption(new Option('--store <kind>', 'store of ZMS').choices(['file', 'mysql', 'both']).default('both'))
  .option('--seconds <number>', 'counted time of a measurement', positive, 4)
  .option('--rounds <number>', 'how often what is compared is measured', positive, 3)
  .action(async (names: readonly string[], given: { store: StoreKind | 'both'; seconds: number; rounds: number }) => {
    const { store, seconds, rounds } = given
    const stores = store === 'both' ? (['file', 'mysql'] as const) : [store]
    for (const name of names) {
      const result = await BENCHES[name]?.({ stores, seconds, rounds })
      if (result) await report(name, result)
    }
  })
await program.parseAsync()

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Write a number above 0.')
  return value
}
