import { Counter, type Registry } from 'prom-client'
import type { ownLoadProperties } from '../config/limit-properties.ts'
import type { SettingsOf } from '../config/property.ts'
import type { Logger } from '../log/logger.ts'
import { EventLoopWatch } from './event-loop-watch.ts'
import { registerLoadMetrics } from './load-metrics.ts'
import { LoadShedder } from './load-shedder.ts'
import type { RequestsInFlight } from './requests-in-flight.ts'

/** What refuses work while a server has too much of it. */
export interface OpenedLoadShedding {
  readonly shedder: LoadShedder
  /** Begins to watch. */
  readonly start: () => void
  readonly close: () => void
}

/** What refuses work as the properties say; the event loop is watched after `start`. */
export function openLoadShedding({
  config,
  vitalPaths,
  inFlight,
  registry,
  log,
}: {
  readonly config: { readonly ts: SettingsOf<typeof ownLoadProperties> }
  readonly vitalPaths: ReadonlySet<string>
  readonly inFlight: RequestsInFlight
  readonly registry: Registry
  readonly log: Logger
}): OpenedLoadShedding {
  const { shedEventLoopDelayMillis, shedRequestsInFlight } = config.ts
  const shed = new Counter({
    name: 'athenz_load_shed_total',
    help: 'Requests and connections that were refused because the server had too much to do, by reason',
    labelNames: ['reason'],
    registers: [registry],
  })
  const shedder = new LoadShedder({
    delayMillis: shedEventLoopDelayMillis,
    maxWorking: shedRequestsInFlight,
    inFlight,
    vitalPaths,
    log,
    onShed: (reason) => shed.inc({ reason }),
  })
  for (const reason of ['delay', 'in-flight', 'connection']) shed.inc({ reason }, 0)
  registerLoadMetrics(registry, { inFlight, shedder })
  const watch = new EventLoopWatch({ onDelay: (millis) => shedder.noteDelay(millis) })
  const start = () => {
    if (shedEventLoopDelayMillis > 0) watch.start()
  }
  return { shedder, start, close: () => watch.stop() }
}
