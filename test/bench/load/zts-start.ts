// A ZTS that loads its domains, and nothing else, in a process of its own: nothing is compiled yet, as at a start. ZMS lists
// the very domains of the copy. argv: folder of the copy, file with the public key of ZMS. Prints one JSON line.
import { createPublicKey } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { nodeFileSystem } from '#core/seam/file-system.ts'
import type { ChangeLogStore } from '#zts/sync/change-log-store.ts'
import { DomainFiles } from '#zts/sync/domain-files.ts'
import { DomainSync } from '#zts/sync/domain-sync.ts'
import { DomainVerifier } from '#zts/sync/domain-verifier.ts'

const [folder = '', keyFile = ''] = process.argv.slice(2)
const keys = new Map([['0', createPublicKey(await readFile(keyFile))]])
const names = await readdir(folder)
const source: ChangeLogStore = {
  changes: async () => ({
    domains: names.map((name) => ({ name, modified: 0, enabled: true })),
    tag: undefined,
    held: true,
  }),
  domain: async (name) => {
    throw new Error(`the copy of ${name} was not used`)
  },
}
const hour = 3_600_000
const started = performance.now()
const cpuBefore = process.cpuUsage()
const sync = await DomainSync.open({
  source,
  files: await DomainFiles.open(folder, nodeFileSystem),
  verifier: new DomainVerifier({
    keys: { current: { file: 'athenz.conf', zmsPublicKeys: keys }, refresh: async () => false },
    webSignaturesOnly: false,
  }),
  intervals: {
    updateMillis: hour,
    deleteMillis: hour,
    checkMillis: hour,
    refetchMillis: Number.MAX_SAFE_INTEGER,
    refetchCount: 0,
  },
  log: (level, message) => console.error(level, message),
  now: Date.now,
})
const millis = performance.now() - started
const { user, system } = process.cpuUsage(cpuBefore)
console.log(
  JSON.stringify({
    domains: sync.domains.size,
    millis,
    cpuMillis: (user + system) / 1000,
    residentMib: process.memoryUsage.rss() / 2 ** 20,
  }),
)
process.exit()
