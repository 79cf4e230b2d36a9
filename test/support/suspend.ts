import { readdir, readFile } from 'node:fs/promises'
import { until } from './until.ts'

/**
 * Suspends a process, until the end of the scope of what this gives. Returns when all its threads stand still: with the
 * signal alone some may go on for a while, and answer.
 */
export async function suspend(pid: number | null): Promise<Disposable> {
  if (pid === null) throw new Error('there is no process to suspend')
  process.kill(pid, 'SIGSTOP')
  await until(async () => (await threadStates(pid)).every((state) => state === 'T'), { what: `process ${pid} at rest` })
  return { [Symbol.dispose]: () => void process.kill(pid, 'SIGCONT') }
}

/** One letter per thread, e.g. `S` for one that sleeps; see proc(5). */
async function threadStates(pid: number): Promise<string[]> {
  const threads = await readdir(`/proc/${pid}/task`)
  const lines = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')))
  // The name in parentheses may have spaces.
  return lines.map((line) => line.slice(line.lastIndexOf(')') + 2).charAt(0))
}
