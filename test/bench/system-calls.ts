import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram, startProgram } from '../support/program.ts'

/** Whether system calls can be counted on this machine. */
export async function canCountSystemCalls(): Promise<boolean> {
  return (await runProgram('sh', ['-c', 'command -v strace && strace -qq -o /dev/null true'])).status === 0
}

/** Calls that wait until data is on the disk. */
const FLUSHES = 'fsync,fdatasync'

/** How often all threads of a process flushed a file while `act` ran. */
export async function countFlushes(pid: number, act: () => Promise<unknown>): Promise<number> {
  const summary = join(tmpdir(), `athenz-strace-${process.pid}-${pid}`)
  const tracer = startProgram('strace', ['-f', '-c', '-e', `trace=${FLUSHES}`, '-o', summary, '-p', String(pid)])
  try {
    // It says on standard error that it is attached.
    await once(tracer.process.stderr ?? tracer.process, 'data')
    await act()
    tracer.kill('SIGINT')
    await tracer.ended
    return sumOfCalls(await readFile(summary, 'utf8'))
  } finally {
    await tracer[Symbol.asyncDispose]()
    await rm(summary, { force: true })
  }
}

/** Lines are `% time, seconds, usecs/call, calls, [errors,] name`. */
function sumOfCalls(summary: string): number {
  const calls = summary
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => FLUSHES.split(',').includes(fields.at(-1) ?? ''))
    .map((fields) => Number(fields[3]))
  return calls.reduce((sum, count) => sum + count, 0)
}
