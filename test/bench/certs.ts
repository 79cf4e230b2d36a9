import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { buildCertificateRequest } from '#core/crypto/certificate-request.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { Members } from '#core/rbac/members.ts'
import type { Domain, Policy, Role } from '#zms/store/model.ts'
import type { Store } from '#zms/store/store.ts'
import { ZTS_CA } from '../../src/cli/dev-zts.ts'
import type { DevServers } from '../support/dev-servers.ts'
import { recordDatabase, recordSettings } from '../support/record-settings.ts'
import { type Cryptography, startBareServer } from './bare-server.ts'
import { type BenchZms, CALLER, prepareZms, STORE_TITLES, type StoreKind } from './bench-zms.ts'
import { benchDomain, fillStore } from './data.ts'
import { type ClientFiles, type Load, type LoadResult, type LoadTool, openLoadTool } from './load-tool.ts'
import type { BenchOptions } from './options.ts'
import { type BenchResult, type Goal, goal, median, type Table } from './report.ts'
import { requestText } from './request-text.ts'
import { figures, neighbours } from './rounds.ts'

const CONNECTIONS = 16
const FIRST_WARM_SECONDS = 5
const WARM_SECONDS = 1
/** Requests per second in proportion to the bare server. */
const GOAL = 0.25
/** What no certificate is made without: key and signature of the request, the register token, the certificate itself. */
const CRYPTOGRAPHY: readonly Cryptography[] = ['verify-request-ec', 'verify-rsa', 'sign-ec']

const DOMAIN = 'bench.instances'
const SERVICE = 'inst'
const PROVIDER = 'sys.auth.zts'
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
  await using needed = await startBareServer(zms.server, servers.summary.ca, CRYPTOGRAPHY)
  const { summary } = servers
  const pid = summary.pids.zts ?? 0
  const pids = zms.database ? [pid, zms.database.pid] : [pid]
  const common = { ca: summary.ca, client: zms.client, connections: CONNECTIONS }
  const run = (load: Pick<Load, 'urls' | 'expected' | 'pids'> & Partial<Load>, warmSeconds: number, seconds: number) =>
    tool.run({ ...common, ...load, warmSeconds, seconds })
  const limit = { urls: [bare.url], pids: [bare.pid], expected: [200] }
  const cryptography = { urls: [needed.url], pids: [needed.pid], expected: [200] }
  await run(limit, FIRST_WARM_SECONDS, 1)
  await run(cryptography, FIRST_WARM_SECONDS, 1)

  const rows: Table['rows'][number][] = []
  const ratios = new Map<string, number>()
  const allBare: LoadResult[] = []
  const allNeeded: LoadResult[] = []
  for (const [name, load] of [
    ['registrations', await registrations(zms, servers)],
    ['renewals', await renewals(zms, servers)],
  ] as const) {
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

/** The standard data, and a domain whose service ZTS may launch and the caller administers. */
async function fill(store: Store): Promise<void> {
  await fillStore(store)
  await store.transact([DOMAIN], (transaction) =>
    transaction.apply({ kind: 'createDomain', domain: DOMAIN, value: instanceDomain() }),
  )
}

function instanceDomain(): Domain {
  const domain = benchDomain(0)
  const times = { modified: 0, created: 0 }
  const role = (name: string, memberName: string): Role => ({
    name,
    ...times,
    members: new Members([{ memberName }]),
    pending: new Map(),
  })
  const policy = (name: string, action: string, resource: string): Policy => ({
    name,
    version: '0',
    active: true,
    ...times,
    assertions: new Map([[-1, { role: name, resource, action, effect: 'ALLOW' }]]),
  })
  const roles = [role('admin', CALLER), role('launch', PROVIDER)]
  const policies = [policy('admin', '*', `${DOMAIN}:*`), policy('launch', 'launch', `${DOMAIN}:service.${SERVICE}`)]
  const [service] = domain.services.values()
  if (service === undefined) throw new Error('the data have no service')
  return {
    ...domain,
    name: DOMAIN,
    id: '00000000-0000-4000-8000-00000000ce27',
    roles: new Map(roles.map((each) => [each.name, each])),
    policies: new Map(policies.map((each) => [each.name, new Map([['0', each]])])),
    services: new Map([[SERVICE, { ...service, name: SERVICE }]]),
  }
}

/** Puts a P-256 key in the place of the authority's; the next start makes its certificate. */
async function replaceAuthority(folder: string): Promise<void> {
  const { privateKey } = newKey()
  await writeFile(join(folder, ZTS_CA.files.key), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  await rm(join(folder, ZTS_CA.files.certificate), { force: true })
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

function requestOf(instanceId: string, key: KeyObject): Promise<string> {
  return buildCertificateRequest({
    subject: [
      { type: 'O', value: 'Athenz' },
      { type: 'CN', value: `${DOMAIN}.${SERVICE}` },
    ],
    signer: createSigner(key, 'instance', 'certificate'),
    subjectAlternativeNames: [
      { type: 'dns', value: `${SERVICE}.${DOMAIN.replaceAll('.', '-')}.zts.athenz.cloud` },
      { type: 'uri', value: `athenz://instanceid/${PROVIDER}/${instanceId}` },
    ],
  })
}

/** What an instance says of itself: the token that ZTS gives for it, and its request. */
async function evidence(zms: BenchZms, { summary }: DevServers, instanceId: string, key: KeyObject) {
  const url = `${summary.zts}/instance/${PROVIDER}/${DOMAIN}/${SERVICE}/${instanceId}/token`
  const answer = await requestText(url, { client: zms.client, ca: summary.ca })
  const { attestationData } = JSON.parse(answer) as { attestationData?: string }
  if (attestationData === undefined) throw new Error(`no register token: ${answer}`)
  return { attestationData, csr: await requestOf(instanceId, key) }
}

const registration = (told: object): string =>
  JSON.stringify({ provider: PROVIDER, domain: DOMAIN, service: SERVICE, ...told })

async function registrations(zms: BenchZms, servers: DevServers) {
  await waitForDomain(zms, servers)
  const { privateKey } = newKey()
  const bodies: string[] = []
  const rest = Array.from({ length: INSTANCES }, (_, index) => `r-${index}`).values()
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (const id of rest) bodies.push(registration(await evidence(zms, servers, id, privateKey)))
    }),
  )
  return { urls: [`${servers.summary.zts}/instance`], method: 'POST', bodies, expected: [201] }
}

/** Sixteen registered instances, each with its own key and certificate. */
async function renewals(zms: BenchZms, servers: DevServers) {
  const { summary } = servers
  const folder = join(zms.folder, 'instances')
  await mkdir(folder)
  const instances = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, index) => {
      const instanceId = `n-${index}`
      const { privateKey } = newKey()
      const told = await evidence(zms, servers, instanceId, privateKey)
      const json = registration(told)
      const answer = await requestText(`${summary.zts}/instance`, { client: zms.client, ca: summary.ca, json })
      const { x509Certificate } = JSON.parse(answer) as { x509Certificate?: string }
      if (x509Certificate === undefined) throw new Error(`no certificate: ${answer}`)
      const client: ClientFiles = { certificate: join(folder, `${index}.pem`), key: join(folder, `${index}.key`) }
      await writeFile(client.certificate, x509Certificate)
      await writeFile(client.key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
      const url = `${summary.zts}/instance/${PROVIDER}/${DOMAIN}/${SERVICE}/${instanceId}`
      return { client, url, body: JSON.stringify(told) }
    }),
  )
  return {
    urls: instances.map(({ url }) => url),
    bodies: instances.map(({ body }) => body),
    clients: instances.map(({ client }) => client),
    method: 'POST',
    expected: [200],
  }
}

/** ZTS reads from ZMS while it already answers. */
async function waitForDomain(zms: BenchZms, { summary }: DevServers): Promise<void> {
  const url = `${summary.zts}/domain/${DOMAIN}/service/${SERVICE}`
  for (const start = performance.now(); performance.now() - start < 30_000; await delay(100)) {
    const answer = await requestText(url, { client: zms.client, ca: summary.ca })
    if ((JSON.parse(answer) as { name?: string }).name === `${DOMAIN}.${SERVICE}`) return
  }
  throw new Error(`ZTS does not know ${DOMAIN}`)
}
