import { Counter, type Registry } from 'prom-client'
import { Networks } from '../authority/networks.ts'
import { ConfigError } from '../config/config-error.ts'
import type { ContainerConfig } from '../config/server-tables.ts'
import { messageOf } from '../error/message-of.ts'
import type { Logger } from '../log/logger.ts'
import { seldom } from '../log/seldom.ts'
import { limiterFilter, openRateLimiter } from './rate-limiter.ts'
import { RateLimits } from './rate-limits.ts'
import type { RequestFilter } from './server.ts'
import { type RateSharers, SharedRates } from './shared-rates.ts'

const EXEMPT_PROPERTY = 'athenz.ts.rate_limit_exempt'

/** The limits of rates of a server. */
export interface OpenedRateLimits {
  readonly limits: RateLimits
  /** Answer requests that come too fast. */
  readonly filters: readonly RequestFilter[]
  readonly close: () => Promise<void>
}

/** Makes the limits that the properties set, and opens the limiter that they name. Throws ConfigError for what cannot be used. */
export async function openRateLimits({
  config,
  registry,
  log,
  seat,
}: {
  readonly config: ContainerConfig
  readonly registry: Registry
  readonly log: Logger
  /** The other processes of the server, which limit together with this one. */
  readonly seat?: RateSharers | undefined
}): Promise<OpenedRateLimits> {
  const { container, ts } = config
  const limiter = await openRateLimiter(container.ratelimitFactoryClass, container.rootDir)
  const refused = new Counter({
    name: 'athenz_rate_limited_total',
    help: 'Requests and connections that were refused because they came too fast, by limit',
    labelNames: ['limit'],
    registers: [registry],
  })
  const shared = seat && new SharedRates(seat)
  const limits = new RateLimits({
    connectionsPerSecond: ts.rateLimitConnectionsPerSecond,
    addressRequestsPerSecond: ts.rateLimitAddressRequestsPerSecond,
    failuresPerMinute: ts.rateLimitFailuresPerMinute,
    principalRequestsPerSecond: ts.rateLimitPrincipalRequestsPerSecond,
    burstSeconds: ts.rateLimitBurstSeconds,
    maxKeys: ts.rateLimitMaxKeys,
    exempt: exemptNetworks(ts.rateLimitExempt),
    log,
    onRefused: (limit) => refused.inc({ limit }),
    ...(seat && { sharers: seat.count, onAdmitted: shared?.note }),
  })
  shared?.charge(limits)
  const failed = seldom((error: unknown) => log.error({ err: error }, 'the limiter of rates failed'))
  const onRefused = () => refused.inc({ limit: 'plug-in' })
  return {
    limits,
    filters: limiter ? [limits.filter, limiterFilter(limiter, { onRefused, onFailure: failed })] : [limits.filter],
    close: async () => {
      shared?.close()
      await limiter?.close?.()
    },
  }
}

/** The addresses that are exempt from limits. Throws ConfigError for an entry that is none. */
export function exemptNetworks(entries: readonly string[]): Networks {
  try {
    return Networks.read(entries, EXEMPT_PROPERTY)
  } catch (cause) {
    throw Object.assign(new ConfigError([messageOf(cause)]), { cause })
  }
}
