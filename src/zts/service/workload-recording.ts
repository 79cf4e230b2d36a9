import { messageOf } from '#core/error/message-of.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** An instance that has a certificate now. */
export interface SeenInstance {
  readonly provider: string
  /** Full name. */
  readonly service: string
  readonly instanceId: string
  readonly hostname: string | undefined
  /** Of its certificate. */
  readonly ipAddresses: readonly string[]
  /** Epoch milliseconds. */
  readonly certExpiryTime: number
}

/** What workloads are recorded with. */
export type WorkloadRecordingDependencies = Pick<
  ZtsDependencies,
  'config' | 'domains' | 'roleAccess' | 'workloadRecords' | 'now' | 'log'
>

const SYSTEM_DOMAIN = 'sys.auth'
/** Its members are providers whose instances are not recorded. */
const EXCLUDED_PROVIDERS = { names: ['workload.store.excluded.providers'], match: 'exact' } as const

/**
 * Notes where an instance runs, when that is recorded and its provider is not left out; what cannot be noted goes to the
 * log and is noted at the next renewal.
 */
export async function recordWorkloads(
  deps: WorkloadRecordingDependencies,
  { ipAddresses, hostname, ...instance }: SeenInstance,
): Promise<void> {
  const { config, workloadRecords, now, log } = deps
  if (workloadRecords === undefined || !config.zts.workloadEnableStoreFeature) return
  if (isExcluded(instance.provider, deps)) return
  const time = now()
  try {
    await Promise.all(
      ipAddresses.map((ip) =>
        workloadRecords.put({
          ...instance,
          ip,
          hostname: hostname ?? `${instance.service}.${ip}`,
          creationTime: time,
          updateTime: time,
        }),
      ),
    )
  } catch (error) {
    const { service, instanceId } = instance
    const reason = messageOf(error)
    log('warn', `workloads of instance ${instanceId} of ${service} are not recorded: ${reason}`)
  }
}

function isExcluded(provider: string, { domains, roleAccess }: WorkloadRecordingDependencies): boolean {
  const domain = domains.get(SYSTEM_DOMAIN)
  return domain !== undefined && roleAccess.rolesOf(domain, provider, EXCLUDED_PROVIDERS).length > 0
}
