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

/** Notes where an instance runs, when that is recorded; what cannot be noted goes to the log and is noted at the next renewal. */
export async function recordWorkloads(
  { config, workloadRecords, now, log }: Pick<ZtsDependencies, 'config' | 'workloadRecords' | 'now' | 'log'>,
  { ipAddresses, hostname, ...instance }: SeenInstance,
): Promise<void> {
  if (workloadRecords === undefined || !config.zts.workloadEnableStoreFeature) return
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
