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
