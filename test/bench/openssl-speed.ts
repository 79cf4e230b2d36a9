import { availableParallelism } from 'node:os'
import { runProgram } from '../support/program.ts'

const ALGORITHMS = { RSA: 'rsa2048', EC: 'ecdsap256' } as const

/** Signatures per second that `openssl speed` makes on all cores with an RSA-2048 or a P-256 key. */
export async function opensslSignatures(family: keyof typeof ALGORITHMS, seconds: number): Promise<number> {
  const cores = String(availableParallelism())
  const wholeSeconds = String(Math.max(1, Math.round(seconds)))
  const args = ['speed', '-multi', cores, '-seconds', wholeSeconds, ALGORITHMS[family]]
  const { status, stdout, stderr } = await runProgram('openssl', args)
  if (status !== 0) throw new Error(`openssl speed: ${stderr}`)
  return signaturesIn(stdout)
}

/** The rate in what `openssl speed` prints: its last two lines are names of columns, and figures after the algorithm's name. */
export function signaturesIn(output: string): number {
  const [names = '', values = ''] = output.trimEnd().split('\n').slice(-2)
  const columns = names.trim().split(/\s+/)
  const rate = Number(values.trim().split(/\s+/).slice(-columns.length)[columns.indexOf('sign/s')])
  if (!(rate > 0)) throw new Error(`openssl speed printed something else than expected:\n${names}\n${values}`)
  return rate
}
