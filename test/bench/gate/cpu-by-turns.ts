import type { BareServer } from '../bare-server.ts'
import type { ClientFiles, LoadTool } from '../load-tool.ts'
import { neighbours } from '../statistics.ts'
import type { ScenarioLoad } from '../suite/scenario.ts'

const CONNECTIONS = 16
/** Of its first requests, what those need that come to a server which is compiled. */
const LATER_PART = 0.2
/** Before each run, so that its connections are made. */
const SETTLING_REQUESTS = 200
/** When it is not compiled, or not answered, by then, something is wrong. */
const MAX_SECONDS = 60

/** Something whose CPU per request is measured. */
export interface Contender extends Trust {
  readonly load: ScenarioLoad
  readonly pid: number
}

/** With what a client and a server know each other. */
export interface Trust {
  readonly client: ClientFiles
  /** Verifies the server. */
  readonly ca: string
}

/** How it is measured. */
export interface Turns {
  readonly tool: LoadTool
  readonly bare: BareServer & Trust
  readonly rounds: number
  /** Requests to each server before anything is counted: by then it is compiled, however little of the machine it gets. */
  readonly firstRequests: number
  /** Counted requests of a run: the time of a processor is told in hundredths of a second. */
  readonly requests: number
}

/**
 * CPU of servers for a request in proportion to that of the bare server, round by round, by turns: each round begins and ends
 * with the bare server, and what is measured in it is compared with the mean of both. CPU time, and not time, so that other
 * programs on the machine count little.
 */
export async function cpuByTurns<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  { tool, bare, rounds, firstRequests, requests }: Turns,
): Promise<Record<Name, number[]>> {
  const run = async ({ load, pid, ca, client }: Contender, warmRequests: number, counted: number) => {
    const length = { warmSeconds: 0, warmRequests, seconds: MAX_SECONDS, requests: counted }
    const { cpuMicros } = await tool.run({ ...load, ...length, ca, client, connections: CONNECTIONS, pids: [pid] })
    return cpuMicros[0] ?? 0
  }
  const limit: Contender = { ...bare, load: { urls: [bare.url], expected: [200] } }
  const entries = Object.entries(contenders) as [Name, Contender][]
  const warmed = new Set<number>()
  for (const each of [limit, ...entries.map(([, contender]) => contender)]) {
    await run(each, 0, warmed.has(each.pid) ? firstRequests * LATER_PART : firstRequests)
    warmed.add(each.pid)
  }

  const limits = [await run(limit, SETTLING_REQUESTS, requests)]
  const measured = new Map<Name, number[]>(entries.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, each] of entries) measured.get(name)?.push(await run(each, SETTLING_REQUESTS, requests))
    limits.push(await run(limit, SETTLING_REQUESTS, requests))
  }
  const ratios = (values: readonly number[]) =>
    values.map((value, round) => value / neighbours(limits, round, (each) => each))
  return Object.fromEntries(Array.from(measured, ([name, values]) => [name, ratios(values)])) as Record<Name, number[]>
}
