import { availableParallelism } from 'node:os'
import { runProgram } from '../support/program.ts'

const ALGORITHMS = { RSA: 'rsa2048', EC: 'ecdsap256' } as const

/** Kinds of keys: RSA-2048 or P-256. */
export type KeyFamily = keyof typeof ALGORITHMS

/** Operations per second on all cores. */
export interface KeyRates {
  readonly signs: number
  readonly verifies: number
}

/** What `openssl speed` makes with a key on all cores; takes some seconds for each given one. */
export async function opensslRates(family: KeyFamily, seconds: number): Promise<KeyRates> {
  const cores = String(availableParallelism())
  const wholeSeconds = String(Math.max(1, Math.round(seconds)))
  const args = ['speed', '-multi', cores, '-seconds', wholeSeconds, ALGORITHMS[family]]
  const { status, stdout, stderr } = await runProgram('openssl', args)
  if (status !== 0) throw new Error(`openssl speed: ${stderr}`)
  return ratesIn(stdout)
}

/** Signatures per second that `openssl speed` makes on all cores. */
export const opensslSignatures = async (family: KeyFamily, seconds: number): Promise<number> =>
  (await opensslRates(family, seconds)).signs

/** The rates in what `openssl speed` prints: its last two lines are names of columns, and figures after the algorithm's name. */
export function ratesIn(output: string): KeyRates {
  const [names = '', values = ''] = output.trimEnd().split('\n').slice(-2)
  const columns = names.trim().split(/\s+/)
  const figures = values.trim().split(/\s+/).slice(-columns.length)
  const rate = (column: string) => Number(figures[columns.indexOf(column)])
  const rates = { signs: rate('sign/s'), verifies: rate('verify/s') }
  if (!(rates.signs > 0 && rates.verifies > 0)) {
    throw new Error(`openssl speed printed something else than expected:\n${names}\n${values}`)
  }
  return rates
}
