import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { type MariaDb, startMariaDb } from './mariadb.ts'

/** Where packages put the library. */
const PROVIDERS = [
  '/usr/lib/galera/libgalera_smm.so',
  '/usr/lib64/galera-4/libgalera_smm.so',
  '/usr/lib/libgalera_smm.so',
]

/** The library that replicates; undefined when the machine has none. */
export async function findGalera(): Promise<string | undefined> {
  for (const file of PROVIDERS) {
    const present = await access(file).then(
      () => true,
      () => false,
    )
    if (present) return file
  }
  return undefined
}

/** Starts a MariaDB server that is a cluster by itself. */
export async function startGaleraNode(provider: string): Promise<MariaDb> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return startMariaDb({
    args: [
      '--wsrep-on=ON',
      `--wsrep-provider=${provider}`,
      '--wsrep-cluster-address=gcomm://',
      `--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:${port}`,
      '--wsrep-node-address=127.0.0.1',
      '--binlog-format=ROW',
      '--innodb-autoinc-lock-mode=2',
    ],
  })
}
