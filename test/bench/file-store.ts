import { spawnSync } from 'node:child_process'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Members } from '#core/rbac/members.ts'
import { type FileSystem, nodeFileSystem } from '#core/seam/file-system.ts'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { Store } from '#zms/store/store.ts'
import { benchDomain, domainName, fillStore, STANDARD_SIZE } from './data.ts'

/**
 * The embedded store by itself: transactions per second of membership writes beside what the disk allows (write and sync
 * of as many bytes, one after the other), how many syncs and how much processor time each takes, and how long it takes to
 * open a store and how much memory it has then. Run it with `bin/run test/bench/file-store.ts [FOLDER]`, FOLDER on the
 * disk to be measured.
 */

const SECONDS = 2
const WRITERS = 16
const LARGE_ROLE = 'large'
const LARGE_SIZE = 100_000
const MIB = 2 ** 20

/** Counts what is asked of the disk. */
class CountingFileSystem implements FileSystem {
  syncs = 0
  bytes = 0
  readonly readFile: FileSystem['readFile'] = (path) => nodeFileSystem.readFile(path)
  readonly list: FileSystem['list'] = (folder) => nodeFileSystem.list(folder)
  readonly makeFolder: FileSystem['makeFolder'] = (folder) => nodeFileSystem.makeFolder(folder)
  readonly rename: FileSystem['rename'] = (from, to) => nodeFileSystem.rename(from, to)
  readonly remove: FileSystem['remove'] = (path) => nodeFileSystem.remove(path)
  readonly lock: FileSystem['lock'] = (path) => nodeFileSystem.lock(path)

  readonly open: FileSystem['open'] = async (path, mode) => {
    const file = await nodeFileSystem.open(path, mode)
    return {
      write: (data, position) => {
        this.bytes += data.length
        return file.write(data, position)
      },
      truncate: (bytes) => file.truncate(bytes),
      sync: () => {
        this.syncs += 1
        return file.sync()
      },
      close: () => file.close(),
    }
  }

  readonly syncFolder: FileSystem['syncFolder'] = (folder) => {
    this.syncs += 1
    return nodeFileSystem.syncFolder(folder)
  }
}

const number = (value: number, digits = 0) =>
  value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits }).padStart(9)

/** Membership writes of some writers for a while. */
async function writes(
  store: Store,
  counting: CountingFileSystem,
  writers: number,
  domainOf: (writer: number) => string,
) {
  const [syncs, bytes, cpu] = [counting.syncs, counting.bytes, process.cpuUsage()]
  const begin = performance.now()
  let count = 0
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const domain = domainOf(writer)
      for (let index = 0; performance.now() - begin < SECONDS * 1000; index++) {
        await store.transact([domain], async (transaction) => {
          const role = (await transaction.domain(domain))?.roles.has(LARGE_ROLE) ? LARGE_ROLE : 'role1'
          const member = `user.writer${writer}-${index % 500}`
          const created = 1_800_000_000_000
          transaction.apply(
            { kind: 'putRoleMember', domain, role, value: { memberName: member, requestPrincipal: 'user.admin' } },
            { kind: 'addRoleAudit', domain, role, value: { admin: 'user.admin', member, created, action: 'ADD' } },
          )
          if (!(await transaction.domain(domain))?.roles.get(role)?.members.has(member)) throw new Error('not seen')
        })
        count += 1
      }
    }),
  )
  const seconds = (performance.now() - begin) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return {
    perSecond: count / seconds,
    syncs: (counting.syncs - syncs) / count,
    bytes: (counting.bytes - bytes) / count,
    cpuMicros: (user + system) / count,
  }
}

/** Writes and syncs of so many bytes, one after the other. */
async function diskLimit(folder: string, bytes: number): Promise<number> {
  const file = await open(join(folder, 'limit'), 'w')
  const data = Buffer.alloc(bytes, 'x')
  const begin = performance.now()
  let count = 0
  for (; performance.now() - begin < SECONDS * 1000; count++) {
    await file.write(data, 0, bytes, count * bytes)
    await file.datasync()
  }
  await file.close()
  return (count / (performance.now() - begin)) * 1000
}

async function measureWrites(folder: string): Promise<void> {
  const counting = new CountingFileSystem()
  const store = await openFileStore({ folder: join(folder, 'writes'), fileSystem: counting })
  await fillStore(store, { ...STANDARD_SIZE, domains: 100 })
  const large = benchDomain(100)
  const members = new Members(Array.from({ length: LARGE_SIZE }, (_, index) => ({ memberName: `user.many${index}` })))
  const role = { name: LARGE_ROLE, modified: 0, created: 0, members, pending: new Map() }
  await store.transact([large.name], (transaction) =>
    transaction.apply({
      kind: 'createDomain',
      domain: large.name,
      value: { ...large, roles: new Map([[LARGE_ROLE, role]]) },
    }),
  )
  await store.settled()
  const kinds: [string, number, (writer: number) => string][] = [
    ['1 writer', 1, () => domainName(1)],
    [`1 writer, role of ${LARGE_SIZE.toLocaleString('en')}`, 1, () => large.name],
    [`${WRITERS} writers, own domains`, WRITERS, domainName],
    [`${WRITERS} writers, one domain`, WRITERS, () => domainName(50)],
  ]
  console.log('membership writes               per second  of the disk    syncs    bytes   CPU µs')
  for (const [title, writers, domainOf] of kinds) {
    const found = await writes(store, counting, writers, domainOf)
    const limit = await diskLimit(folder, Math.round(found.bytes))
    const share = `${number(found.perSecond / limit, 2)} × ${Math.round(limit)}`
    const rest = [number(found.syncs, 3), number(found.bytes), number(found.cpuMicros)].join('')
    console.log(`${title.padEnd(32)}${number(found.perSecond)} ${share}${rest}`)
  }
  await store.close()
}

/** Opens a store in a process of its own and prints what that took. */
function measureOpening(folder: string, domains: number): void {
  const source = `
    import { openFileStore } from '#zms/store/file/file-store.ts'
    const resident = () => process.memoryUsage.rss() / ${MIB}
    const before = resident()
    const begin = performance.now()
    const cpu = process.cpuUsage()
    const store = await openFileStore({ folder: ${JSON.stringify(folder)} })
    const { user, system } = process.cpuUsage(cpu)
    const millis = performance.now() - begin
    globalThis.gc()
    const { heapUsed } = process.memoryUsage()
    console.log(JSON.stringify([millis, (user + system) / 1000, before, resident(), heapUsed / ${MIB}]))
    await store.close()`
  const args = ['--disable-warning=ExperimentalWarning', '--expose-gc', '--input-type=module', '--eval', source]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  const figures = JSON.parse(stdout) as number[]
  console.log(`${number(domains)} domains${figures.map((each) => number(each)).join('')}`)
}

const folder = await mkdtemp(join(tmpdir(), 'athenz-bench-'))
try {
  await measureWrites(folder)
  console.log('\nopening                 ms   CPU ms  MiB before  after     heap')
  for (const domains of [1000, 10_000]) {
    const data = join(folder, `open-${domains}`)
    const store = await openFileStore({ folder: data })
    await fillStore(store, { ...STANDARD_SIZE, domains })
    await store.settled()
    await store.close()
    // Twice: the first time reads from the disk.
    measureOpening(data, domains)
    measureOpening(data, domains)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
