import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { clientCertificate } from '../support/client-certificate.ts'
import type { Fault, FaultSize } from './fault.ts'
import { FaultServers, type RunningFaultServer, type StartOptions } from './fault-servers.ts'
import { Flood, type FloodCounts, type FloodOptions } from './flood.ts'
import { type GoodAnswers, GoodClients, waitText } from './good-clients.ts'
import { requestText } from './pipelining-client.ts'
import { countOf, cpuSeconds, microsOfEach, microsText, refusedMicros } from './request-cost.ts'

const ACCESS = requestText('GET', '/zms/v1/access/read/sys.auth:thing')
const STATUS = requestText('GET', '/zms/v1/status')
/** The signature is none. */
const FORGED = requestText('GET', '/zms/v1/domain', {
  'athenz-principal-auth': 'v=S1;d=user;n=admin;a=salt;t=1;e=4102444800;k=0;s=none',
})
const PIPELINED = 8
const CONNECTIONS = 8
const OK = 200
const UNAUTHORIZED = 401
const TOO_MANY = 429
const REFUSAL = { code: TOO_MANY, message: 'Too many requests, try again later' }
/** No limit applies to whoever comes from there: what is served is measured with it. The limits apply to all others here. */
const EXEMPT = '127.0.0.1'

interface LimitsSize {
  readonly servedMillis: number
  readonly floodMillis: number
  readonly settings: StartOptions['settings']
}

const LIMIT = 'athenz.ts.rate_limit_'

const SIZES: Readonly<Record<FaultSize, LimitsSize>> = {
  short: {
    servedMillis: 250,
    floodMillis: 600,
    // With the defaults it would take longer until the first one is refused.
    settings: {
      [`${LIMIT}connections_per_second`]: 50,
      [`${LIMIT}address_requests_per_second`]: 100,
      [`${LIMIT}failures_per_minute`]: 60,
      [`${LIMIT}principal_requests_per_second`]: 300,
      [`${LIMIT}burst_seconds`]: 1,
    },
  },
  long: { servedMillis: 3_000, floodMillis: 10_000, settings: {} },
}

/** A flood that one of the limits is about. */
interface LimitedFlood {
  readonly limit: string
  readonly what: string
  readonly from: string
  /** Status of what is not refused; absent where connections are. */
  readonly served?: number
  readonly request?: string
  readonly identity?: Pick<FloodOptions, 'cert' | 'key'>
}

/** Clients want more than one of them may have. */
export const rateLimits: Fault = {
  name: 'rate-limits',
  what: 'one client after the other floods ZMS with connections, requests, and credentials that are refused',
  async attempt({ dir, size, report }) {
    const { servedMillis, floodMillis, settings } = SIZES[size]
    await using servers = await FaultServers.make(dir)
    const zms = await servers.start('zms', { settings: { ...settings, [`${LIMIT}exempt`]: `${EXEMPT}/32` } })
    using good = await GoodClients.start(servers, zms, ACCESS)
    await pause(servedMillis)
    report(`good clients without a flood: ${waitText(good.take())}`)
    const { certificate, key } = await clientCertificate(servers.summary, 'user.flood')
    const floods: readonly LimitedFlood[] = [
      { limit: 'connections', what: 'connections', from: '127.0.0.2' },
      { limit: 'address', what: 'requests without certificate', from: '127.0.0.3', served: OK, request: STATUS },
      { limit: 'failures', what: 'forged credentials', from: '127.0.0.4', served: UNAUTHORIZED, request: FORGED },
      {
        limit: 'principal',
        what: 'requests of one principal',
        from: '127.0.0.5',
        served: OK,
        request: ACCESS,
        identity: { cert: certificate, key },
      },
    ]
    for (const each of floods) {
      const options = {
        port: zms.port,
        ca: servers.ca,
        connections: CONNECTIONS,
        pipelined: PIPELINED,
        ...each.identity,
        ...(each.request !== undefined && { request: each.request }),
      }
      const quiet = await flooded(zms, good, { ...options, from: EXEMPT }, servedMillis)
      assert.equal(refusedIn(quiet.counts), 0)
      const servedMicros = microsOfEach(quiet.cpu, servedIn(quiet.counts, each))
      const { counts, cpu, good: answers } = await flooded(zms, good, { ...options, from: each.from }, floodMillis)
      const [served, refused] = [servedIn(counts, each), refusedIn(counts)]
      assert.ok(refused > 0, `${each.what} are refused`)
      assert.equal(counts.unanswered, 0)
      if (each.served !== undefined) {
        assert.deepEqual(Object.keys(counts.statuses), [String(each.served), String(TOO_MANY)])
        assert.deepEqual(JSON.parse(counts.bodies[TOO_MANY] ?? ''), REFUSAL)
      }
      assert.equal(await zms.metric('athenz_rate_limited_total', `{limit="${each.limit}"}`), refused)
      assert.deepEqual(Object.keys(answers.statuses), [String(OK)], 'nobody else is refused anything')
      const cost = microsText(refusedMicros(cpu, served, servedMicros, refused))
      report(
        `${each.what}: ${served} taken, ${microsText(servedMicros)} CPU each; ${refused} ${each.served === undefined ? 'cut off' : '× 429'}, ${cost} each; good clients ${waitText(answers)}`,
      )
    }
    assert.equal((await zms.readiness()).status, OK)
    await good.stop()
  },
}

async function flooded(
  server: RunningFaultServer,
  good: GoodClients,
  options: FloodOptions,
  millis: number,
): Promise<{ readonly counts: FloodCounts; readonly cpu: number; readonly good: GoodAnswers }> {
  using flood = await Flood.start(options)
  const before = await cpuSeconds(server)
  good.take()
  await pause(millis)
  const answers = good.take()
  const counts = await flood.stop()
  return { counts, cpu: (await cpuSeconds(server)) - before, good: answers }
}

const refusedIn = (counts: FloodCounts): number => countOf(counts, TOO_MANY) + counts.cut

const servedIn = (counts: FloodCounts, { served }: LimitedFlood): number =>
  served === undefined ? counts.established : countOf(counts, served)
