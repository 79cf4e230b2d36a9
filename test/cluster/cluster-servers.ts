import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
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

/**
 * Starts two pairs of ZMS and ZTS on the nodes of a cluster. Each ZMS prefers another node: so both write on different
 * nodes at the same time, which is the hardest case.
 */
export async function startTwoPairs(options: PairOptions): Promise<readonly [DevServers, DevServers]> {
  const { cluster, folder } = options
  await cluster.node(1).query('CREATE DATABASE zms_server')
  const one = await startPair(options, join(folder, 'pair1'), 1)
  try {
    for (const path of SHARED_PATHS) {
      await cp(join(folder, 'pair1', path), join(folder, 'pair2', path), { recursive: true })
    }
    return [one, await startPair(options, join(folder, 'pair2'), 2)]
  } catch (error) {
    await one[Symbol.asyncDispose]()
    throw error
  }
}

function startPair(options: PairOptions, dir: string, preferred: number): Promise<DevServers> {
  const { cluster, databaseTimeoutMillis } = options
  const { nodes } = cluster
  const order = nodes.map((_, index) => cluster.node(((preferred - 1 + index) % nodes.length) + 1))
  const hosts = order.map(({ host }) => `${host}:${DATABASE_PORT}`).join(',')
  const settings = {
    'athenz.datastore.network_timeout': String(databaseTimeoutMillis),
    'athenz.zms.quota_check': 'false',
  }
  return startDevServers({ dir, zts: true, mysqlUrl: `mysql://${DATABASE_USER}@${hosts}/zms_server`, settings })
}
