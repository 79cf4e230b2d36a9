import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fault, FaultSize } from './fault.ts'
import { FaultServers, type RunningFaultServer } from './fault-servers.ts'
import { Flood } from './flood.ts'
import { GoodClients, waitText } from './good-clients.ts'
import { requestText } from './pipelining-client.ts'
import { countOf, cpuSeconds, microsOfEach, microsText } from './request-cost.ts'

const ACCESS = requestText('GET', '/zms/v1/access/read/sys.auth:thing')
const OK = 200
const CONNECTIONS = 8
const PIPELINED = 4
/** Hundreds of times as often as usual. */
const SCRAPE_PAUSE_MILLIS = 50
const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})? (\S+)$/
const NUMBER = /^(nan|[+-]?inf|[+-]?\d+(\.\d+)?(e[+-]?\d+)?)$/i
const COUNT = 'athenz_http_request_duration_seconds_count'

const SIZES: Readonly<Record<FaultSize, { readonly loadMillis: number; readonly scrapes: number }>> = {
  short: { loadMillis: 700, scrapes: 20 },
  long: { loadMillis: 10_000, scrapes: 200 },
}

/** Metrics are asked for all the time while ZMS has much to do. */
export const monitoring: Fault = {
  name: 'monitoring',
  what: 'metrics and health are asked for all the time while ZMS works as much as it can, alone and with workers',
  async attempt({ dir, size, report }) {
    const { loadMillis, scrapes } = SIZES[size]
    await using servers = await FaultServers.make(dir)
    for (const workers of [undefined, 2]) {
      const zms = await servers.start('zms', { ...(workers !== undefined && { workers }) })
      const cost = await scrapeMicros(zms, scrapes)
      const before = (await scrape(zms)).answered
      using good = await GoodClients.start(servers, zms, ACCESS)
      const { ca, cert, key } = servers
      const load = { ca, cert, key, port: zms.port, from: '127.0.0.1', connections: CONNECTIONS, pipelined: PIPELINED }
      using flood = await Flood.start({ ...load, request: ACCESS })
      const early = good.take()
      await pause(loadMillis)
      const unwatched = good.take()
      const end = performance.now() + loadMillis
      let last = await scrape(zms)
      let seen = 1
      for (; performance.now() < end; seen++) {
        const next = await scrape(zms)
        assert.ok(next.answered >= last.answered, 'a counter never goes back')
        assert.equal((await zms.readiness()).status, OK)
        last = next
        await pause(SCRAPE_PAUSE_MILLIS)
      }
      const watched = good.take()
      const counts = await flood.stop()
      await good.stop()
      const byGood = [early, unwatched, watched, good.take()].reduce((sum, { count }) => sum + count, 0)
      const asked = countOf(counts, OK) + byGood
      assert.deepEqual(Object.keys(counts.statuses), [String(OK)])
      assert.equal((await scrape(zms)).answered - before, asked, 'each request is counted, once')
      report(
        `${workers === undefined ? 'one process' : `${workers} workers`}: ${last.samples} samples, ${last.bytes} bytes, ${microsText(cost)} CPU a scrape; ${asked} requests, each counted once, beside ${seen} scrapes; good clients ${waitText(unwatched)}, scraped ${waitText(watched)}`,
      )
      zms.kill('SIGTERM')
      assert.deepEqual(await zms.ended, [0, null])
    }
  },
}

/** What the operations port shows at one time. */
interface Scrape {
  readonly bytes: number
  readonly samples: number
  /** Requests answered with status 200. */
  readonly answered: number
}

/** Reads all metrics; rejects what Prometheus would not take. */
async function scrape(server: RunningFaultServer): Promise<Scrape> {
  const text = await server.metrics()
  let [samples, answered] = [0, 0]
  const seen = new Set<string>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
    assert.match(value ?? '', NUMBER, line)
    assert.ok(!seen.has(`${name}${labels}`), `twice: ${line}`)
    seen.add(`${name}${labels}`)
    samples++
    if (name === COUNT && labels.includes('status="200"')) answered += Number(value)
  }
  return { bytes: Buffer.byteLength(text), samples, answered }
}

/** CPU microseconds of the server for each of so many scrapes, when it does nothing else. */
async function scrapeMicros(server: RunningFaultServer, scrapes: number): Promise<number> {
  // What is compiled and read for the first time.
  for (let time = 0; time < scrapes; time++) await scrape(server)
  const before = await cpuSeconds(server)
  for (let time = 0; time < scrapes; time++) await scrape(server)
  return microsOfEach((await cpuSeconds(server)) - before, scrapes)
}
