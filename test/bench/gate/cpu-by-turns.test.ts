import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Load, LoadResult, LoadTool } from '../load-tool.ts'
import { cpuByTurns } from './cpu-by-turns.ts'

const [BARE, ZMS, ZTS] = [1, 2, 3]
const TRUST = { client: { certificate: 'c', key: 'k' }, ca: 'ca' }

/** A tool on a machine that gets slower with every run. */
class SlowingTool implements LoadTool {
  readonly name = 'a tool'
  readonly runs: Load[] = []
  readonly #cpu: ReadonlyMap<number, number>

  constructor(cpu: ReadonlyMap<number, number>) {
    this.#cpu = cpu
  }

  async run(load: Load): Promise<LoadResult> {
    const slowness = 1 + this.runs.push(load)
    const [pid = 0] = load.pids ?? []
    const cpuMicros = [(this.#cpu.get(pid) ?? 0) * slowness]
    return { count: 1, perSecond: 1, p50Millis: 1, p99Millis: 1, statuses: {}, cpuMicros }
  }

  /** Processes in the order in which their runs of that many requests were. */
  pids(requests: number): number[] {
    return this.runs.filter((load) => load.requests === requests).map(({ pids }) => pids?.[0] ?? 0)
  }
}

async function measure() {
  const tool = new SlowingTool(
    new Map([
      [BARE, 10],
      [ZMS, 20],
      [ZTS, 50],
    ]),
  )
  const contender = (pid: number, path: string) => ({ ...TRUST, pid, load: { urls: [path], expected: [200] } })
  const bare = { ...TRUST, url: 'https://bare/', pid: BARE, [Symbol.asyncDispose]: async () => {} }
  const ratios = await cpuByTurns(
    { read: contender(ZMS, '/read'), again: contender(ZMS, '/again'), token: contender(ZTS, '/token') },
    { tool, bare, rounds: 3, firstRequests: 1000, requests: 40 },
  )
  return { tool, ratios }
}

describe('CPU by turns', () => {
  test('is in proportion to the bare server, though the machine gets slower meanwhile', async () => {
    const { ratios } = await measure()
    const near = (values: readonly number[]) => values.map((value) => Math.round(value * 10) / 10)
    assert.deepEqual(near(ratios.again), [2, 2, 2])
    assert.equal(ratios.token.length, 3)
    for (const ratio of ratios.token) assert.ok(ratio > 5 && ratio < 5.7, String(ratio))
  })

  test('is measured with the bare server at the beginning and the end of each round', async () => {
    const { tool } = await measure()
    const round = [ZMS, ZMS, ZTS, BARE]
    assert.deepEqual(tool.pids(40), [BARE, ...round, ...round, ...round])
  })

  test('begins when all servers are warm, each by its first requests', async () => {
    const { tool } = await measure()
    assert.deepEqual(tool.pids(1000), [BARE, ZMS, ZTS])
    assert.deepEqual(tool.pids(200), [ZMS])
    const firstCounted = tool.runs.findIndex(({ requests }) => requests === 40)
    assert.equal(firstCounted, 4)
  })
})
