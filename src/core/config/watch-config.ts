import { messageOf } from '../error/message-of.ts'
import { ConfigError } from './config-error.ts'
import type { LoadedConfig } from './server-config.ts'

/** Calls `task` once after `delayMillis`; the result cancels it. */
export type Schedule = (task: () => void, delayMillis: number) => () => void

/** What the watch needs from outside. */
export interface WatchOptions {
  /** Time between two readings; 0 = never read again. */
  readonly reloadSeconds: number
  /** Keys whose new texts somebody else takes over: they need no restart. */
  readonly followed?: ReadonlySet<string>
  /** Called after each reading. */
  readonly afterReading?: () => Promise<void>
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** By default timers that do not keep the process alive. */
  readonly schedule?: Schedule
}

/** A running watch. */
export interface ConfigWatch {
  /** Ends once the reading that is under way, if any, is done; afterwards nothing is set any more. */
  readonly close: () => Promise<void>
}

const scheduleByTimer: Schedule = (task, delayMillis) => {
  const timer = setTimeout(task, delayMillis)
  timer.unref()
  return () => clearTimeout(timer)
}

/**
 * Reads the sources again and again so that edits of dynamic properties take effect. A broken edit changes nothing: its
 * problems are logged once, and the values in force stay until the files are right again. Edits that need a restart are
 * named in the log once.
 */
export const watchConfig = (loaded: Pick<LoadedConfig<unknown>, 'reload'>, options: WatchOptions): ConfigWatch => {
  const { log, reloadSeconds, followed, afterReading, schedule = scheduleByTimer } = options
  let closed = false
  let cancel: (() => void) | undefined
  let running: Promise<void> = Promise.resolve()
  let lastProblem = ''
  let lastPending = ''

  const reload = async (): Promise<void> => {
    try {
      const { changed, pending } = await loaded.reload()
      if (lastProblem !== '') log('info', 'configuration is readable again')
      lastProblem = ''
      if (changed.length > 0) log('info', `configuration changed: ${changed.join(', ')}`)
      const needRestart = pending.filter((key) => !followed?.has(key)).join(', ')
      if (needRestart !== lastPending && needRestart !== '') {
        log('warn', `configuration changed, but takes effect only after a restart: ${needRestart}`)
      }
      lastPending = needRestart
    } catch (error) {
      const problem = messageOf(error)
      if (problem === lastProblem) return
      lastProblem = problem
      const lines = error instanceof ConfigError ? error.problems : [problem]
      for (const line of lines) log('error', `configuration not reloaded, the old values stay: ${line}`)
    }
  }
  const wait = (): void => {
    if (closed || reloadSeconds === 0) return
    cancel = schedule(() => {
      running = round()
    }, reloadSeconds * 1000)
  }
  // The next wait begins when a reading is done, so that two never overlap.
  const round = async (): Promise<void> => {
    await reload()
    await afterReading?.().catch((error: unknown) => log('error', String(error)))
    wait()
  }
  wait()

  return {
    close: async () => {
      closed = true
      cancel?.()
      await running
    },
  }
}
