import type { BareServer } from '../bare-server.ts'
import type { ClientFiles, LoadTool } from '../load-tool.ts'
import { neighbours } from '../statistics.ts'
import type { ScenarioLoad } from '../suite/scenario.ts'

const CONNECTIONS = 16
const WARM_SECONDS = 1.5
const SETTLE_SECONDS = 0.1

/** Something whose CPU per request is measured. */
export interface Contender {
  readonly load: ScenarioLoad
  readonly pid: number
}

/** How it is measured. */
export interface Turns {
  readonly tool: LoadTool
  /** Verifies all servers. */
  readonly ca: string
  readonly client: ClientFiles
  readonly bare: BareServer
  readonly rounds: number
  readonly seconds: number
}

/**
 * CPU of servers for a request in proportion to that of the bare server, round by round, by turns: each round begins and ends
 * with the bare server, and what is measured in it is compared with the mean of both. CPU time, and not time, so that other
 * programs on the machine count little.
 */
export async function cpuByTurns<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  { tool, ca, client, bare, rounds, seconds }: Turns,
): Promise<Record<Name, number[]>> {
  const run = async ({ load, pid }: Contender, warmSeconds: number, counted: number) => {
    const options = { ca, client, connections: CONNECTIONS, pids: [pid], warmSeconds, seconds: counted }
    const { cpuMicros } = await tool.run({ ...load, ...options })
    return cpuMicros[0] ?? 0
  }
  const limit: Contender = { load: { urls: [bare.url], expected: [200] }, pid: bare.pid }
  const entries = Object.entries(contenders) as [Name, Contender][]
  for (const each of [limit, ...entries.map(([, contender]) => contender)]) await run(each, 0, WARM_SECONDS)

  const limits = [await run(limit, SETTLE_SECONDS, seconds)]
  const measured = new Map<Name, number[]>(entries.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, each] of entries) measured.get(name)?.push(await run(each, SETTLE_SECONDS, seconds))
    limits.push(await run(limit, SETTLE_SECONDS, seconds))
  }
  const ratios = (values: readonly number[]) =>
    values.map((value, round) => value / neighbours(limits, round, (each) => each))
  return Object.fromEntries(Array.from(measured, ([name, values]) => [name, ratios(values)])) as Record<Name, number[]>
}
