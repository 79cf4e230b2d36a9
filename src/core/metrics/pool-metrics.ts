import { Gauge, type Registry } from 'prom-client'
import { type DurationCounts, registerDurations } from './duration-counts.ts'

/** What connections to a database are doing, and how many callers wait for one. */
export interface PoolState {
  readonly busy: number
  readonly idle: number
  readonly waiting: number
  /** How long callers have waited, also in vain; no time when there was an idle one. */
  readonly waits: DurationCounts
}

/** Pools by what they are for. */
export type Pools = Iterable<readonly [database: string, state: PoolState]>

/** Adds the pools of database connections to a registry; they are looked at when it is read. */
export function registerPoolMetrics(registry: Registry, pools: () => Pools): void {
  const connections = new Gauge({
    name: 'athenz_database_connections',
    help: 'Connections to a database, by what they are doing',
    labelNames: ['database', 'state'],
    registers: [],
    collect: () => {
      connections.reset()
      for (const [database, { busy, idle }] of pools()) {
        connections.set({ database, state: 'busy' }, busy)
        connections.set({ database, state: 'idle' }, idle)
      }
    },
  })
  const waiting = new Gauge({
    name: 'athenz_database_waiting',
    help: 'Callers that wait for a connection to a database',
    labelNames: ['database'],
    registers: [],
    collect: () => {
      waiting.reset()
      for (const [database, state] of pools()) waiting.set({ database }, state.waiting)
    },
  })
  for (const gauge of [connections, waiting]) registry.registerMetric(gauge)
  registerDurations(registry, {
    name: 'athenz_database_wait_seconds',
    help: 'Time that callers wait for a connection to a database, until one is free or opened',
    *series() {
      for (const [database, { waits }] of pools()) yield [{ database }, waits] as const
    },
  })
}
