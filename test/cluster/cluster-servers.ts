import { appendFile, cp } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../src/cli/server-port.ts'
import { type DevServers, type DevServersOptions, startDevServers } from '../support/dev-servers.ts'
import { DATABASE_PORT, DATABASE_USER, type GaleraCluster } from './galera-cluster.ts'

/** What the two ZMS and the two ZTS have in common, by path in a development folder. */
const SHARED_PATHS = [
  'athenz-dev.json',
  'ca',
  'admin',
  ...['zms_server', 'zts_server'].flatMap((server) => [`conf/${server}`, `var/${server}/keys`, `var/${server}/certs`]),
]

/** What a pair is started with. */
export interface PairOptions {
  readonly cluster: GaleraCluster
  readonly folder: string
  /** Longest wait of a server for its database. */
  readonly databaseTimeoutMillis: number
}

/** A ZMS and a ZTS. */
export interface Pair extends DevServers {
  /** Address of the operations port of the ZMS. */
  readonly opsUrl: string
}

/**
 * Starts two pairs of ZMS and ZTS on the nodes of a cluster. Each ZMS prefers another node: so both write on different
 * nodes at the same time, which is the hardest case.
 */
export async function startTwoPairs(options: PairOptions): Promise<readonly [Pair, Pair]> {
  const { cluster, folder } = options
  await cluster.node(1).query('CREATE DATABASE zms_server')
  // Makes the files of both.
  const made = await startDevServers(pairOptions(options, 1))
  await made[Symbol.asyncDispose]()
  for (const path of SHARED_PATHS) {
    await cp(join(folder, 'pair1', path), join(folder, 'pair2', path), { recursive: true })
  }
  const one = await startPair(options, 1)
  try {
    return [one, await startPair(options, 2)]
  } catch (error) {
    await one[Symbol.asyncDispose]()
    throw error
  }
}

async function startPair(options: PairOptions, number: number): Promise<Pair> {
  const dev = pairOptions(options, number)
  const opsPort = await freePort()
  // A setting would be one of the ZTS, too.
  await appendFile(join(dev.dir, 'conf', 'zms_server', 'zms.properties'), `athenz.ts.ops_port=${opsPort}\n`)
  const servers = await startDevServers(dev)
  return { ...servers, opsUrl: `http://127.0.0.1:${opsPort}` }
}

function pairOptions({ cluster, folder, databaseTimeoutMillis }: PairOptions, preferred: number): DevServersOptions {
  const { nodes } = cluster
  const order = nodes.map((_, index) => cluster.node(((preferred - 1 + index) % nodes.length) + 1))
  const hosts = order.map(({ host }) => `${host}:${DATABASE_PORT}`).join(',')
  const settings = {
    'athenz.datastore.network_timeout': String(databaseTimeoutMillis),
    'athenz.zms.quota_check': 'false',
  }
  const mysqlUrl = `mysql://${DATABASE_USER}@${hosts}/zms_server`
  return { dir: join(folder, `pair${preferred}`), zts: true, mysqlUrl, settings }
}
