import { PeriodicJob, type Wait } from '#core/main/periodic-job.ts'
import type { Notifications } from './open-notifications.ts'
import { enforceUserAuthority } from './service/authority-enforcer.ts'
import type { ZmsDependencies } from './service/dependencies.ts'
import { updatePrincipalStates } from './service/principal-state-updater.ts'
import { updateTemplates } from './service/template-update.ts'

const MINUTE_MILLIS = 60_000
const HOUR_MILLIS = 60 * MINUTE_MILLIS
const DAY_MILLIS = 24 * HOUR_MILLIS

/** What the server does of its own accord besides its services. */
export interface BackgroundOptions {
  /** Tells people what is due, unless nobody is to be told. */
  readonly notifications?: Pick<Notifications, 'run' | 'stop'> | undefined
  readonly wait?: Wait
}

/** Starts what the server does of its own accord, as far as it is switched on. Resolves, when called, to its end. */
export function startBackground(
  deps: ZmsDependencies,
  { notifications, wait }: BackgroundOptions = {},
): () => Promise<void> {
  const { config, userAuthority, log } = deps
  const { zms } = config
  const jobs: PeriodicJob[] = []
  const start = (name: string, intervalMillis: number | undefined, job: () => Promise<void>) => {
    const work = async () => {
      if (!zms.readOnlyMode.value) await job()
    }
    jobs.push(PeriodicJob.start({ name, work, intervalMillis, log, ...(wait && { wait }) }))
  }
  if (zms.autoUpdateTemplateFeatureFlag) start('the update of templates', undefined, () => updateTemplates(deps))
  if (zms.enablePrincipalStateUpdater) {
    const intervalMillis = zms.disablePrincipalStateUpdaterTimerTask
      ? undefined
      : zms.principalStateUpdaterFrequencyMinutes * MINUTE_MILLIS
    start('the update of principal states', intervalMillis, () => updatePrincipalStates(deps))
  }
  if (userAuthority) start('the enforcement of the user authority', DAY_MILLIS, () => enforceUserAuthority(deps))
  // Looked at more often than once a day, so that no day of the calendar is left out.
  if (notifications) start('the notification of people', HOUR_MILLIS, () => notifications.run())
  return async () => {
    notifications?.stop()
    await Promise.all(jobs.map((job) => job.stop()))
  }
}
