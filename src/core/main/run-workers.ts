import { ConfigError } from '../config/config-error.ts'
import type { LoadedConfig } from '../config/server-config.ts'
import type { ConfigOf, ServerName } from '../config/server-tables.ts'
import { OpsServer } from '../http/ops-server.ts'
import { processRegistry } from '../http/request-metrics.ts'
import type { Logger } from '../log/logger.ts'
import type { Calls } from '../workers/calls.ts'
import { GroupReport } from '../workers/group-report.ts'
import { SharedCounter } from '../workers/shared-counter.ts'
import type { WorkerSetting } from '../workers/worker-count.ts'
import { WorkerFailure, WorkerGroup } from '../workers/worker-group.ts'
import { Closers } from './closers.ts'
import type { RunningServer } from './run-server.ts'

/** What a server with workers has once only, in its primary process. */
export interface SharedParts {
  /** Serves what a worker calls; asked for every worker before it does anything. */
  attach(calls: Calls, number: number): void
  close(): Promise<void>
}

/** What shared parts are opened with. */
export interface SharedPartsOptions<S extends ServerName> {
  readonly loaded: LoadedConfig<ConfigOf[S]>
  readonly log: Logger
  /** Inherited by the workers. */
  readonly counter: SharedCounter
}

/** How a server runs in several processes. */
export interface WorkersProgram<S extends ServerName> {
  readonly count: (config: ConfigOf[S]) => WorkerSetting
  /** Throws ConfigError or Error that says what is wrong. */
  openShared(options: SharedPartsOptions<S>): Promise<SharedParts>
}

/** A worker finishes its requests in the time that it has for that, and then closes what it has opened. */
const CLOSE_MILLIS = 10_000

/**
 * Runs the primary process of a server: opens what there is once, starts the workers that share the ports, and shows how
 * they are on the operations port. Throws ConfigError or Error that says what is wrong when one of them does not start.
 */
export async function runWorkers<S extends ServerName>(
  program: Pick<WorkersProgram<S>, 'openShared'>,
  workers: number,
  loaded: LoadedConfig<ConfigOf[S]>,
  log: Logger,
): Promise<RunningServer> {
  const { ts, container } = loaded.config
  const closers = new Closers()
  try {
    const counter = SharedCounter.create()
    closers.add(() => counter.close())
    const shared = closers.keep(await program.openShared({ loaded, log, counter }))
    const group = await WorkerGroup.start({
      workers,
      counter,
      attach: (calls, number) => shared.attach(calls, number),
      stopTimeoutMillis: container.gracefulShutdownTimeoutMillis + CLOSE_MILLIS,
      log,
    })
    let ops: OpsServer | undefined
    // The workers first, so that they find everything they need and can be watched until they have ended.
    closers.add(() => ops?.close())
    closers.add(() => group.stop())
    if (ts.opsPort > 0) {
      const report = new GroupReport(group, processRegistry())
      ops = new OpsServer({ port: ts.opsPort, host: ts.opsHost, report, log })
      await ops.listen()
    }
    return { addresses: await group.addresses, failed: group.gaveUp, close: () => closers.close() }
  } catch (error) {
    await closers.close()
    throw error instanceof WorkerFailure && error.reasons.length > 0 ? new ConfigError(error.reasons) : error
  }
}
