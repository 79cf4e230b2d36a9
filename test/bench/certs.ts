import type { Store } from '#zms/store/store.ts'
import { recordDatabase, recordSettings } from '../support/record-settings.ts'
import { type Cryptography, startBareCryptography, startBareServer } from './bare-server.ts'
import { prepareZms, STORE_TITLES, type StoreKind } from './bench-zms.ts'
import { fillStore } from './data.ts'
import { instanceDomain, registrations, renewals, replaceAuthority, waitForInstanceDomain } from './instance-load.ts'
import { type Load, type LoadResult, type LoadTool, openLoadTool } from './load-tool.ts'
import type { BenchOptions } from './options.ts'
import { type BenchResult, type Goal, goal, type Table } from './report.ts'
import { figures } from './rounds.ts'
import { median, neighbours } from './statistics.ts'

const CONNECTIONS = 16
const FIRST_WARM_SECONDS = 5
const WARM_SECONDS = 1
/** Requests per second in proportion to the bare server. */
const GOAL = 0.25
/** What no certificate is made without: key and signature of the request, the register token, the certificate itself. */
const CRYPTOGRAPHY: readonly Cryptography[] = ['verify-request-ec', 'verify-rsa', 'sign-ec']

/** Of the answer to a registration: two certificates and what is around them. */
const ANSWER_BYTES = 2500

/** Instances that register in turn, each with a token and a request of its own. */
const INSTANCES = 2000

/**
 * Certificates for instances of a service, from an authority with a P-256 key, over TLS on kept connections, with 1,000
 * domains loaded: first ones by register tokens, and renewals by sixteen instances with their certificates. Each makes or
 * changes a record, in files or in the database.
 */
export async function certs(options: BenchOptions): Promise<BenchResult> {
  const tool = await openLoadTool()
  const tables: Table[] = []
  const goals: Goal[] = []
  for (const store of options.stores) {
    const { table, ratios } = await measureOn(store, tool, options)
    tables.push(table)
    for (const [name, ratio] of ratios) {
      goals.push(goal(`${name} with records in the ${STORE_TITLES[store]}, part of bare`, '≥', GOAL, ratio))
    }
  }
  return { tables, goals, notes: [`sent by ${tool.name} on ${CONNECTIONS} connections, on the same cores`] }
}

async function measureOn(store: StoreKind, tool: LoadTool, options: BenchOptions) {
  await using zms = await prepareZms(store, fill, {})
  await replaceAuthority(zms.folder)
  await using servers = await zms.start(recordSettings(zms.database && (await recordDatabase(zms.database))))
  await using bare = await startBareServer(zms.server, servers.summary.ca)
  await using needed = await startBareCryptography(zms.server, servers.summary.ca, {
    work: CRYPTOGRAPHY,
    answerBytes: ANSWER_BYTES,
  })
  const { summary } = servers
  const pid = summary.pids.zts ?? 0
  const pids = zms.database ? [pid, zms.database.pid] : [pid]
  const common = { ca: summary.ca, client: zms.client, connections: CONNECTIONS }
  const run = (load: Pick<Load, 'urls' | 'expected' | 'pids'> & Partial<Load>, warmSeconds: number, seconds: number) =>
    tool.run({ ...common, ...load, warmSeconds, seconds })
  const limit = { urls: [bare.url], pids: [bare.pid], expected: [200] }
  await run(limit, FIRST_WARM_SECONDS, 1)

  const rows: Table['rows'][number][] = []
  const ratios = new Map<string, number>()
  const allBare: LoadResult[] = []
  const allNeeded: LoadResult[] = []
  await waitForInstanceDomain(zms, servers)
  for (const [name, load] of [
    ['registrations', await registrations(zms, servers, INSTANCES)],
    ['renewals', await renewals(zms, servers, CONNECTIONS)],
  ] as const) {
    const cryptography = { ...load, urls: [needed.url], pids: [needed.pid], expected: [200] }
    await run(cryptography, FIRST_WARM_SECONDS, 1)
    await run({ ...load, pids }, FIRST_WARM_SECONDS, 1)
    const bareRounds = [await run(limit, WARM_SECONDS, options.seconds)]
    const neededRounds = [await run(cryptography, WARM_SECONDS, options.seconds)]
    const ourRounds: LoadResult[] = []
    for (let round = 0; round < options.rounds; round++) {
      ourRounds.push(await run({ ...load, pids }, WARM_SECONDS, options.seconds))
      bareRounds.push(await run(limit, WARM_SECONDS, options.seconds))
      neededRounds.push(await run(cryptography, WARM_SECONDS, options.seconds))
    }
    const ratioTo = (rounds: readonly LoadResult[]) =>
      median(ourRounds.map((our, round) => our.perSecond / neighbours(rounds, round, ({ perSecond }) => perSecond)))
    const ratio = ratioTo(bareRounds)
    ratios.set(name, ratio)
    allBare.push(...bareRounds)
    allNeeded.push(...neededRounds)
    rows.push([name, ...figures(ourRounds), ratio, ratioTo(neededRounds)])
  }
  const [bareFigures, neededFigures] = [figures(allBare), figures(allNeeded)]
  const part = Number(neededFigures[0]) / Number(bareFigures[0])
  rows.unshift(['bare', ...bareFigures, 1, '-'], ['bare, same cryptography', ...neededFigures, part, 1])
  const columns = ['', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs', 'database CPU µs', '÷ bare', '÷ same cryptography']
  return { table: { title: `Certificates of instances, records in the ${STORE_TITLES[store]}`, columns, rows }, ratios }
}

/** The standard data, and the domain of the instances. */
async function fill(store: Store): Promise<void> {
  await fillStore(store)
  const value = instanceDomain()
  await store.transact([value.name], (transaction) =>
    transaction.apply({ kind: 'createDomain', domain: value.name, value }),
  )
}
