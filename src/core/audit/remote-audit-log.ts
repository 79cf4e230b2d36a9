import { seldom } from '../log/seldom.ts'
import type { Calls } from '../workers/calls.ts'
import type { AuditEntry, AuditLog } from './audit-log.ts'

/** How the log in the other process is. */
interface RemoteState {
  readonly required: boolean
  readonly problem: string | undefined
}

const SERVICE = 'audit'
const REFRESH_MILLIS = 1000

/** Lets another process record changes in this log. */
export function serveAuditLog(calls: Calls, audit: AuditLog): void {
  const state = (): RemoteState => ({ required: audit.required === true, problem: audit.problem?.() })
  calls.serve(SERVICE, {
    state,
    record: async (entry: AuditEntry) => {
      await audit.record(entry)
      return state()
    },
  })
}

/** The audit log of a server whose other process writes it: one chain, whoever has made the change. */
export class RemoteAuditLog implements AuditLog {
  readonly #calls: Pick<Calls, 'call'>
  readonly #timer: NodeJS.Timeout
  #state: RemoteState

  /** Asks how the log is, now and from then on. */
  static async open(calls: Pick<Calls, 'call'>, onFailure: (error: unknown) => void): Promise<RemoteAuditLog> {
    return new RemoteAuditLog(calls, await calls.call<RemoteState>(`${SERVICE}.state`), seldom(onFailure))
  }

  private constructor(calls: Pick<Calls, 'call'>, state: RemoteState, onFailure: (error: unknown) => void) {
    this.#calls = calls
    this.#state = state
    this.#timer = setInterval(() => void this.#refresh().catch(onFailure), REFRESH_MILLIS).unref()
  }

  get required(): boolean {
    return this.#state.required
  }

  problem(): string | undefined {
    return this.#state.problem
  }

  async record(entry: AuditEntry): Promise<void> {
    this.#state = await this.#calls.call<RemoteState>(`${SERVICE}.record`, entry)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
  }

  async #refresh(): Promise<void> {
    this.#state = await this.#calls.call<RemoteState>(`${SERVICE}.state`)
  }
}
