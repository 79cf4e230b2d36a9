import assert from 'node:assert/strict'
import type { RunningFaultServer } from './fault-servers.ts'
import type { FloodCounts } from './flood.ts'

const MICROS_PER_SECOND = 1_000_000

/** Seconds of CPU time that a server has used, with its workers. */
export async function cpuSeconds(server: RunningFaultServer): Promise<number> {
  const seconds = await server.metric('process_cpu_seconds_total')
  assert.ok(seconds !== undefined, 'the server tells what CPU time it has used')
  return seconds
}

/**
 * CPU microseconds of one of the refused, when all of the work took so many seconds and one of the served takes so many
 * microseconds.
 */
export const refusedMicros = (seconds: number, served: number, servedMicros: number, refused: number): number =>
  Math.max(0, seconds * MICROS_PER_SECOND - served * servedMicros) / refused

/** CPU microseconds of each, when so many took so many seconds. */
export const microsOfEach = (seconds: number, count: number): number => (seconds * MICROS_PER_SECOND) / count

/** How often a flood was answered with a status. */
export const countOf = ({ statuses }: FloodCounts, status: number): number => statuses[status] ?? 0

/** Microseconds for people. */
export const microsText = (micros: number): string => `${micros.toFixed(0)} µs`

/** What a server has done since its start. */
export interface Work {
  readonly cpuSeconds: number
  /** Requests answered with success. */
  readonly served: number
  /** Requests refused because there was too much to do. */
  readonly shed: number
}

/** Reads it, all at one time. */
export async function workOf(server: RunningFaultServer): Promise<Work> {
  const text = await server.metrics()
  const sum = (pattern: RegExp) =>
    Array.from(text.matchAll(pattern), ([, value]) => Number(value)).reduce((all, value) => all + value, 0)
  return {
    cpuSeconds: sum(/^process_cpu_seconds_total (\S+)$/gm),
    served: sum(/^athenz_http_request_duration_seconds_count\{[^}]*status="200"[^}]*\} (\S+)$/gm),
    shed: sum(/^athenz_load_shed_total\{reason="delay"\} (\S+)$/gm),
  }
}

/**
 * CPU microseconds of a served and of a refused request, by what was done between one reading and the next while the
 * share of the refused changed: those with which the sum of the squares of what is left unexplained, as parts of the
 * whole, is least.
 */
export function fittedMicros(...series: readonly (readonly Work[])[]): {
  readonly served: number
  readonly refused: number
} {
  let [ss, rr, sr, sc, rc] = [0, 0, 0, 0, 0]
  const spans = series.flatMap((readings) => readings.slice(1).map((work, index) => [readings[index], work] as const))
  for (const [before, { cpuSeconds: seconds, served, shed }] of spans) {
    if (before === undefined) continue
    const used = seconds - before.cpuSeconds
    if (used <= 0) continue
    const [s, r] = [(served - before.served) / used, (shed - before.shed) / used]
    ss += s * s
    rr += r * r
    sr += s * r
    sc += s
    rc += r
  }
  const determinant = ss * rr - sr * sr
  return {
    served: ((sc * rr - rc * sr) / determinant) * MICROS_PER_SECOND,
    refused: ((rc * ss - sc * sr) / determinant) * MICROS_PER_SECOND,
  }
}
