import type { Container } from '../http/container.ts'
import type { WorkerSeat } from '../workers/worker-seat.ts'
import type { AuthHistoryStore } from './auth-use.ts'
import { AuthUseRecorder } from './auth-use-recorder.ts'
import { type AuthHistoryOptions, openAuthHistory } from './open-auth-history.ts'
import { isKeptByOneProcess, remoteAuthHistory } from './remote-auth-history.ts'

/** A history that is kept. */
export interface StartedAuthHistory {
  readonly store: AuthHistoryStore
  /** Keeps what is not kept yet, and closes the store. */
  readonly close: () => Promise<void>
}

/** Where a history is kept, and for whom. */
export interface StartAuthHistoryOptions extends Omit<AuthHistoryOptions, 'className'> {
  /** Undefined: there is none. */
  readonly className: string | undefined
  /** In a worker: what one process only can keep is kept by the primary process. */
  readonly seat?: Pick<WorkerSeat, 'primary'> | undefined
  readonly container: Pick<Container, 'observe'>
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** Opens the history, if there is one, and notes from now on who uses which domain. Throws as {@link openAuthHistory}. */
export async function startAuthHistory(options: StartAuthHistoryOptions): Promise<StartedAuthHistory | undefined> {
  const { className, seat, config, container, now, log } = options
  if (className === undefined) return undefined
  const isRemote = seat !== undefined && isKeptByOneProcess(className)
  const store = isRemote ? remoteAuthHistory(seat.primary) : await openAuthHistory({ ...options, className })
  const recorder = new AuthUseRecorder({
    store,
    now,
    log,
    intervalMillis: Math.max(config.ts.authHistoryIntervalSeconds, 1) * 1000,
  })
  container.observe(recorder.observe)
  return {
    store,
    async close() {
      await recorder.close()
      await store.close?.()
    },
  }
}
