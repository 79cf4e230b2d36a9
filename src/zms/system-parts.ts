import { readProgram } from '#core/http/program-info.ts'
import { openStatusChecker } from '#core/http/server-status.ts'
import type { ZmsDependencies } from './service/dependencies.ts'
import { StoreHealth } from './service/store-health.ts'
import type { SystemParts } from './service/system.ts'

/** What the operations about the server itself need, opened. */
export interface OpenedSystemParts extends SystemParts {
  readonly health: StoreHealth
}

/** Makes the parts; `health` is to be started once the store may be asked, and closed. */
export async function openSystemParts({ config, store, log }: ZmsDependencies): Promise<OpenedSystemParts> {
  const { dbHealthCheckFrequencySeconds, disableDbHealthCheckTimerTask, statusCheckerFactoryClass, rootDir } =
    config.zms
  return {
    health: new StoreHealth({
      store,
      frequencyMillis: disableDbHealthCheckTimerTask ? undefined : dbHealthCheckFrequencySeconds * 1000,
      log,
    }),
    program: await readProgram('ZMS'),
    statusChecker: await openStatusChecker(
      'athenz.zms.status_checker_factory_class',
      statusCheckerFactoryClass,
      rootDir,
    ),
  }
}
