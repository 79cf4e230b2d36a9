import { PeriodicJob } from '#core/main/periodic-job.ts'
import type { ZmsDependencies } from './service/dependencies.ts'
import { updatePrincipalStates } from './service/principal-state-updater.ts'
import { updateTemplates } from './service/template-update.ts'

const MINUTE_MILLIS = 60_000

/** Starts what the server does of its own accord, as far as it is switched on. Resolves, when called, to its end. */
export function startBackground(deps: ZmsDependencies): () => Promise<void> {
  const { config, log } = deps
  const { zms } = config
  const jobs: PeriodicJob[] = []
  const unlessReadOnly = (work: () => Promise<void>) => async () => {
    if (!zms.readOnlyMode.value) await work()
  }
  if (zms.autoUpdateTemplateFeatureFlag) {
    const work = unlessReadOnly(() => updateTemplates(deps))
    jobs.push(PeriodicJob.start({ name: 'the update of templates', work, intervalMillis: undefined, log }))
  }
  if (zms.enablePrincipalStateUpdater) {
    const intervalMillis = zms.disablePrincipalStateUpdaterTimerTask
      ? undefined
      : zms.principalStateUpdaterFrequencyMinutes * MINUTE_MILLIS
    const work = unlessReadOnly(() => updatePrincipalStates(deps))
    jobs.push(PeriodicJob.start({ name: 'the update of principal states', work, intervalMillis, log }))
  }
  return async () => {
    await Promise.all(jobs.map((job) => job.stop()))
  }
}
