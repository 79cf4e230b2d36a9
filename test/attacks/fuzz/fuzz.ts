// npm run fuzz -- [--count N] [--seed N] [--input BASE64] [TARGET…]: gives every reader of bytes of strangers spoiled
// inputs, a million in all unless told otherwise; with --input only that one, under the targets that are named.
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { machineLine } from '../../support/machine-line.ts'
import { tryInput } from './fuzz-target.ts'
import { FUZZ_TARGETS, findTarget } from './fuzz-targets.ts'
import { type FuzzReport, fuzz, TARGETS_MODULE } from './watched-fuzz.ts'

const DEFAULT_COUNT = 1_000_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string' }, seed: { type: 'string' }, input: { type: 'string' } },
})
const names = positionals.length > 0 ? positionals : FUZZ_TARGETS.map(({ name }) => name)
const targets = names.map(findTarget)

if (values.input === undefined)
  await fuzzAll(wholeNumber('count', DEFAULT_COUNT), wholeNumber('seed', randomInt(2 ** 31)))
else {
  for (const target of targets) {
    await tryInput(target, Buffer.from(values.input, 'base64'))
    console.log(`${target.name}: good`)
  }
}

/** The targets in as many threads as there are processors, each target with its share of the inputs. */
async function fuzzAll(count: number, seed: number): Promise<void> {
  const share = Math.ceil(count / targets.length)
  const threads = Math.min(availableParallelism(), names.length)
  console.log(machineLine())
  console.log(`${targets.length} targets, ${share} inputs each, seed ${seed}`)
  const started = performance.now()
  let [tried, failed] = [0, 0]
  const work = async (_: unknown, thread: number): Promise<void> => {
    const own = names.filter((_name, index) => index % threads === thread)
    for await (const report of fuzz({ module: TARGETS_MODULE, names: own, count: share, seed })) {
      tried += report.tried
      if (report.failure) failed++
      print(report)
    }
  }
  await Promise.all(Array.from({ length: threads }).map(work))
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(`${tried} inputs in ${seconds} s, ${failed} of ${targets.length} targets failed, seed ${seed}`)
  if (failed > 0) process.exitCode = 1
}

function print({ name, tried, seconds, failure }: FuzzReport): void {
  const speed = Math.round(tried / seconds)
  console.log(`${failure ? 'FAIL' : 'ok  '} ${name}: ${tried} inputs, ${seconds.toFixed(1)} s, ${speed}/s`)
  if (failure === undefined) return
  console.log(`     ${failure.reason}`)
  console.log(`     npm run fuzz -- --input ${failure.input} ${name}`)
}

function wholeNumber(name: 'count' | 'seed', otherwise: number): number {
  const text = values[name]
  if (text === undefined) return otherwise
  if (!/^\d{1,10}$/.test(text)) throw new RangeError(`--${name} wants a whole number`)
  return Number(text)
}
