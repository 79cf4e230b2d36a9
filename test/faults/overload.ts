import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../support/until.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault, FaultSize } from './fault.ts'
import { FaultServers, type RunningFaultServer } from './fault-servers.ts'
import { Flood, type FloodCounts, type FloodOptions } from './flood.ts'
import { type GoodAnswers, GoodClients, waitText } from './good-clients.ts'
import { requestText } from './pipelining-client.ts'
import { countOf, cpuSeconds, microsOfEach, microsText, refusedMicros } from './request-cost.ts'

/** What others ask, and what the flood asks for, which takes much longer. */
const QUESTION = requestText('GET', '/zms/v1/access/read/sys.auth:thing')
const ROLE = 'crowd'
const MEMBERS = 100
const REQUEST = requestText('GET', `/zms/v1/domain/sys.auth/role/${ROLE}`)
const PIPELINED = 32
const BUSY_CONNECTIONS = 1
/** So many refusals tell what one costs. */
const ENOUGH = 1_000
const OK = 200
const NO_CONTENT = 204
const UNAVAILABLE = 503
const REFUSAL = { code: UNAVAILABLE, message: 'Server has too much to do, try again later' }
const SHARE = 'athenz_load_shedding_share'
const SHED_BY_DELAY = ['athenz_load_shed_total', '{reason="delay"}'] as const

/** With the default it would take longer until anything is refused. */
const SETTINGS = { 'athenz.ts.shed_event_loop_delay_millis': 100 }
const FLOOD_CONNECTIONS = 100

interface OverloadSize {
  readonly busyMillis: number
  readonly floodMillis: number
}

const SIZES: Readonly<Record<FaultSize, OverloadSize>> = {
  short: { busyMillis: 500, floodMillis: 2_000 },
  long: { busyMillis: 5_000, floodMillis: 15_000 },
}

/** ZMS gets more requests than it can serve. */
export const overload: Fault = {
  name: 'overload',
  what: 'a flood of costly requests, more than ZMS can serve, while others ask for little now and then, and write',
  async attempt({ dir, size, report }) {
    const { busyMillis, floodMillis } = SIZES[size]
    await using servers = await FaultServers.make(dir)
    const { ca, cert, key } = servers
    const writes = new AcknowledgedWrites(2)
    let zms = await servers.start('zms', { settings: SETTINGS })
    await writes.prepare(zms)
    const roleMembers = Array.from({ length: MEMBERS }, (_, number) => ({ memberName: `user.member${number}` }))
    const made = await zms.ask('PUT', `/domain/sys.auth/role/${ROLE}`, { name: ROLE, roleMembers })
    assert.equal(made.status, NO_CONTENT, JSON.stringify(made.body))
    const flood = { port: zms.port, from: '127.0.0.2', ca, cert, key, request: REQUEST, pipelined: PIPELINED }
    using good = await GoodClients.start(servers, zms, QUESTION)

    const busy = await flooded(zms, good, { ...flood, connections: BUSY_CONNECTIONS }, busyMillis)
    report(
      `busy: ${countOf(busy.counts, OK)} requests on one connection served, ${countOf(busy.counts, UNAVAILABLE)} × 503; good clients ${waitText(busy.good)}`,
    )

    writes.start(() => zms)
    const during = async () => {
      await until(async () => ((await zms.metric(...SHED_BY_DELAY)) ?? 0) > ENOUGH, {
        timeoutMillis: 60_000,
        what: 'that requests are refused',
      })
      assert.equal((await zms.ask('GET', '/status')).status, OK, 'who asks whether the server is there is answered')
      assert.equal((await zms.readiness()).status, OK, 'a server that has much to do is ready')
    }
    const shed = await flooded(zms, good, { ...flood, connections: FLOOD_CONNECTIONS }, floodMillis, during)
    await writes.stop()
    const { counts } = shed
    const refused = [busy, shed].reduce(
      (sum, each) => sum + countOf(each.counts, UNAVAILABLE) + (each.good.statuses[UNAVAILABLE] ?? 0),
      0,
    )
    assert.deepEqual(Object.keys(counts.statuses), [String(OK), String(UNAVAILABLE)])
    assert.deepEqual(JSON.parse(counts.bodies[UNAVAILABLE] ?? ''), REFUSAL)
    assert.equal(counts.unanswered, 0)
    assert.ok((shed.good.statuses[OK] ?? 0) > 0, 'good clients get something, too')
    report(
      `flood: ${countOf(counts, OK)} requests on ${FLOOD_CONNECTIONS} connections served, ${countOf(counts, UNAVAILABLE)} × 503; good clients ${waitText(shed.good)}, ${shed.good.statuses[OK]} served, ${shed.good.statuses[UNAVAILABLE] ?? 0} × 503; no connection cut; ${writes.story}`,
    )

    const atEnd = (await zms.metric(SHARE)) ?? 0
    await until(async () => ((await zms.metric(SHARE)) ?? 0) < atEnd || atEnd === 0, {
      timeoutMillis: 30_000,
      what: 'that less is refused',
    })
    if (size === 'long') await recovered(zms, report)
    await good.stop()
    const late = good.take().statuses[UNAVAILABLE] ?? 0
    assert.equal(
      await zms.metric(...SHED_BY_DELAY),
      refused + late + writes.refused,
      'the metric tells what was refused',
    )
    zms.kill('SIGTERM')
    assert.deepEqual(await zms.ended, [0, null])
    zms = await servers.start('zms', { settings: { 'athenz.ts.shed_event_loop_delay_millis': 0 } })
    await writes.assertKept(zms)
    using others = await GoodClients.start(servers, zms, QUESTION)
    const all = await flooded(zms, others, { ...flood, connections: FLOOD_CONNECTIONS }, floodMillis)
    await others.stop()
    const served = countOf(all.counts, OK)
    const servedMicros = microsOfEach(all.cpuSeconds, served)
    const cost = refusedMicros(shed.cpuSeconds, countOf(counts, OK), servedMicros, countOf(counts, UNAVAILABLE))
    report(
      `the same when nothing is refused: ${served} requests served, ${microsText(servedMicros)} CPU each, so each 503 took ${microsText(cost)}; good clients ${waitText(all.good)}`,
    )
  },
}

/** What a flood did. */
interface Flooded {
  readonly counts: FloodCounts
  /** CPU time that the server took. */
  readonly cpuSeconds: number
  readonly good: GoodAnswers
}

async function flooded(
  server: RunningFaultServer,
  good: GoodClients,
  options: FloodOptions,
  millis: number,
  during = async () => {},
): Promise<Flooded> {
  using flood = await Flood.start(options)
  good.take()
  const before = await cpuSeconds(server)
  await Promise.all([pause(millis), during()])
  const answers = good.take()
  const counts = await flood.stop()
  return { counts, cpuSeconds: (await cpuSeconds(server)) - before, good: answers }
}

async function recovered(server: RunningFaultServer, report: (line: string) => void): Promise<void> {
  const start = performance.now()
  await until(async () => (await server.metric(SHARE)) === 0, { timeoutMillis: 60_000, what: 'that all is served' })
  report(`all is served again ${((performance.now() - start) / 1000).toFixed(1)} s after the flood`)
}
