import { ConfigError } from '../config/config-error.ts'
import { loadPlugIn, missingMethods } from '../config/plug-in.ts'
import type { DataServerName } from '../config/server-tables.ts'
import type { Exchange } from './exchange.ts'
import type { ExchangeObserver } from './reply-writer.ts'

/** One request with its answer. */
export interface RequestSample {
  /** Value of `metric_name`. */
  readonly metric: string
  /** Lower-case operation id; empty when the request found none. */
  readonly operation: string
  readonly method: string
  readonly status: number
  readonly durationMillis: number
  /** Domain in the path of the request. */
  readonly requestDomain: string | undefined
  readonly principalDomain: string | undefined
}

/** Is told of every request; a plug-in, beside the metrics of the operations port. It must not take time. */
export interface MetricReceiver {
  request(sample: RequestSample): void
  close?(): Promise<void> | void
}

/** What a receiver is opened with. */
export interface MetricReceiverOptions {
  readonly server: DataServerName
  readonly className: string
  readonly directory: string
  /** Whether there is an operations port. */
  readonly hasOpsPort: boolean
}

const NO_METRICS = 'com.yahoo.athenz.common.metrics.impl.NoOpMetricFactory'
/** The original's exporters, whatever package they were in: their metrics are on the operations port. */
const EXPORTER = /^(?:[\w.]+\.)?(?:Prometheus|OpenTelemetry)Metrics?Factory$/

/**
 * Opens the receiver that `metric_factory_class` selects. Undefined for the original's class that does nothing and for its
 * exporters, which stand for the metrics of the operations port. Throws ConfigError when it cannot be had.
 */
export async function openMetricReceiver(options: MetricReceiverOptions): Promise<MetricReceiver | undefined> {
  const { server, className, directory, hasOpsPort } = options
  const property = `athenz.${server}.metric_factory_class`
  if (className === NO_METRICS) return undefined
  if (EXPORTER.test(className)) {
    if (hasOpsPort) return undefined
    throw new ConfigError([
      `${property}: ${className} stands for the metrics of the operations port, which is off (set athenz.ts.ops_port)`,
    ])
  }
  return loadPlugIn<MetricReceiver, [Pick<MetricReceiverOptions, 'server'>]>(
    className,
    { property, what: 'receiver of metrics', builtIn: new Map(), problemsOf: missingMethods('request'), directory },
    { server },
  )
}

/** Tells a receiver of exchanges. What it throws is reported once in a while and harms nobody. */
export function sampling(
  receiver: MetricReceiver,
  metric: string,
  onFailure: (error: unknown) => void,
): ExchangeObserver {
  return (exchange) => {
    try {
      receiver.request(sampleOf(exchange, metric))
    } catch (error) {
      onFailure(error)
    }
  }
}

const sampleOf = (
  { api, method, status, durationMillis, request, principal }: Exchange,
  metric: string,
): RequestSample => ({
  metric,
  operation: api,
  method,
  status,
  durationMillis,
  requestDomain: /\/domain\/([^/?]+)/.exec(request.url ?? '')?.[1]?.toLowerCase(),
  principalDomain: principal?.domain,
})
