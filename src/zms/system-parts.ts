import { readFile } from 'node:fs/promises'
import { loadPlugIn, missingMethods } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { ZmsDependencies } from './service/dependencies.ts'
import { StoreHealth } from './service/store-health.ts'
import type { StatusChecker, SystemParts } from './service/system.ts'

/** What the operations about the server itself need, opened. */
export interface OpenedSystemParts extends SystemParts {
  readonly health: StoreHealth
}

/** Makes the parts; `health` is to be started once the store may be asked, and closed. */
export async function openSystemParts({ config, store, log }: ZmsDependencies): Promise<OpenedSystemParts> {
  const { dbHealthCheckFrequencySeconds, disableDbHealthCheckTimerTask } = config.zms
  return {
    health: new StoreHealth({
      store,
      frequencyMillis: disableDbHealthCheckTimerTask ? undefined : dbHealthCheckFrequencySeconds * 1000,
      log,
    }),
    program: await program(),
    statusChecker: await openStatusChecker(config),
  }
}

/** Name and version of this package. */
async function program(): Promise<SystemParts['program']> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const { name, version } = JSON.parse(text) as { name: string; version: string }
  return { name: `${name} ZMS`, version }
}

async function openStatusChecker({ zms }: ConfigOf['zms']): Promise<StatusChecker | undefined> {
  if (zms.statusCheckerFactoryClass === undefined) return undefined
  return loadPlugIn<StatusChecker, []>(zms.statusCheckerFactoryClass, {
    property: 'athenz.zms.status_checker_factory_class',
    what: 'status checker',
    builtIn: new Map(),
    problemsOf: missingMethods('check'),
    directory: zms.rootDir,
  })
}
