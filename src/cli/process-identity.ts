import { readFileSync } from 'node:fs'

/**
 * One particular process. Numbers are used again after a process has ended, so where the system tells it (Linux), the
 * moment of its start belongs to its identity.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks from boot to its start; absent where the system does not tell. */
  readonly startTicks?: string
}

/** The identity of a running process, the calling one by default. */
export function identify(pid: number = process.pid): ProcessIdentity {
  const startTicks = readStat(pid)?.startTicks
  return startTicks === undefined ? { pid } : { pid, startTicks }
}

/** Whether the process runs; one that has ended and only waits to be collected by its parent does not. */
export function isRunning({ pid, startTicks }: ProcessIdentity): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it exists and belongs to someone else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  const stat = readStat(pid)
  if (stat === undefined) return true
  return stat.state !== 'Z' && (startTicks === undefined || stat.startTicks === startTicks)
}

/** Reads an identity from parsed JSON; undefined when it is none. */
export function parseIdentity(value: unknown): ProcessIdentity | undefined {
  if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number')
    return undefined
  const startTicks = 'startTicks' in value && typeof value.startTicks === 'string' ? value.startTicks : undefined
  return startTicks === undefined ? { pid: value.pid } : { pid: value.pid, startTicks }
}

/** Asks every 25 ms until the process has ended or the time is over; gives whether it has ended. */
export async function waitForEnd(identity: ProcessIdentity, timeoutMillis: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMillis
  while (isRunning(identity)) {
    if (performance.now() >= deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return true
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function signalProcess({ pid }: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function readStat(pid: number): { state: string; startTicks: string } | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The second field is the program's name in parentheses and may hold anything; state is the third, start the 22nd.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, startTicks] = [fields[0], fields[19]]
  return state === undefined || startTicks === undefined ? undefined : { state, startTicks }
}
