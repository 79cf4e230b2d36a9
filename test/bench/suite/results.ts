import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { PROJECT_FOLDER } from '../../../src/cli/server-kind.ts'
import { runProgram } from '../../support/program.ts'
import type { Goal, Table } from '../report.ts'
import { type BenchRow, type Growth, growths } from './row.ts'

/** Where results are kept when no other file is named. */
export const RESULTS_FOLDER = join(PROJECT_FOLDER, 'test', 'bench', 'results')

/** On what was measured. */
export interface BenchMachine {
  /** ISO 8601. */
  readonly date: string
  readonly cores: number
  readonly processor: string
  /** Version of Node.js. */
  readonly node: string
  /** What was measured; ends with `+` when files differ from it. Empty outside of a repository. */
  readonly commit: string
  /** Over the last minute, at the end. */
  readonly loadAverage: number
}

/** A file of results. */
export interface BenchFile {
  /** Version of this form. */
  readonly form: 1
  readonly machine: BenchMachine
  /** How it was run. */
  readonly options: Readonly<Record<string, unknown>>
  readonly rows: readonly BenchRow[]
  readonly growth: readonly Growth[]
  /** Tables of benchmarks with goals of their own. */
  readonly tables: readonly Table[]
  /** Goals by benchmark. */
  readonly goals: Readonly<Record<string, readonly Goal[]>>
}

/** What was measured, with the machine and the growth of costs. */
export async function benchFile(
  measured: Pick<BenchFile, 'options' | 'rows' | 'goals'> & Partial<Pick<BenchFile, 'tables'>>,
  date = new Date(),
): Promise<BenchFile> {
  return { form: 1, machine: await benchMachine(date), tables: [], ...measured, growth: growths(measured.rows) }
}

/** This machine, as it is now. */
export async function benchMachine(date = new Date()): Promise<BenchMachine> {
  return {
    date: date.toISOString(),
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    commit: await commitText(),
    loadAverage: loadavg()[0] ?? 0,
  }
}

/** A machine as one line, without which figures say nothing. */
export const machineText = ({ date, cores, processor, node, commit, loadAverage }: BenchMachine): string =>
  [
    date.slice(0, 10),
    `${cores} cores (${processor})`,
    `Node.js ${node}`,
    `commit ${commit}`,
    `load average ${loadAverage.toFixed(1)}`,
  ].join(', ')

/** Writes a file of results, by default named after its date, and gives its path. */
export async function saveBenchFile(content: BenchFile, path = defaultPath(content.machine.date)): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${JSON.stringify(content, null, 2)}\n`)
  return path
}

/** Reads a file of results. Throws Error when it is none. */
export async function readBenchFile(path: string): Promise<BenchFile> {
  const content = JSON.parse(await readFile(path, 'utf8')) as Partial<BenchFile> | null
  if (content?.form !== 1 || !Array.isArray(content.rows)) throw new Error(`${path} is no file of results`)
  return content as BenchFile
}

const defaultPath = (date: string): string =>
  join(RESULTS_FOLDER, `${date.replaceAll(':', '-').replace(/\.\d+Z$/, 'Z')}.json`)

async function commitText(): Promise<string> {
  const git = async (...args: string[]) => {
    const { status, stdout } = await runProgram('git', ['-C', PROJECT_FOLDER, ...args])
    return status === 0 ? stdout.trim() : ''
  }
  try {
    const commit = await git('rev-parse', '--short=12', 'HEAD')
    const changed = commit === '' ? '' : await git('status', '--porcelain', '--untracked-files=no', 'src', 'bin')
    return changed === '' ? commit : `${commit}+`
  } catch {
    // There may be no git.
    return ''
  }
}
