import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Members } from '#core/rbac/members.ts'
import { nodeFileSystem } from '#core/seam/file-system.ts'
import type { Domain } from '#zms/store/model.ts'
import type { ChangeLogStore, DomainChanges, ListedDomain } from '#zts/sync/change-log-store.ts'
import { DomainFiles } from '#zts/sync/domain-files.ts'
import { DomainSync } from '#zts/sync/domain-sync.ts'
import { DomainVerifier } from '#zts/sync/domain-verifier.ts'
import { percentile } from '../statistics.ts'
import type { Figures } from './row.ts'
import { type SignedCopy, signedDomain, writeSignedCopy } from './signed-copy.ts'
import type { Size } from './sizes.ts'
import { ordinaryData, sizedDomain } from './suite-data.ts'

const HOUR_MILLIS = 3_600_000
const WARMING_CHANGES = 10
const CHANGES = 40
/** From so many members on, fewer changes tell enough. */
const MANY_MEMBERS = 10_000
const FEW_CHANGES = 4

/** Where a replica gets domains from: holds questions back until there is something new, as ZMS does. */
class HeldSource implements ChangeLogStore {
  readonly #list: readonly ListedDomain[]
  readonly #changed = new Map<string, Uint8Array>()
  #answer: ((news: readonly ListedDomain[]) => void) | undefined
  #asked: (() => void) | undefined
  #tag = 0

  constructor(names: readonly string[]) {
    this.#list = names.map((name) => ({ name, modified: 0, enabled: true }))
  }

  async changes(tag: string | undefined, { signal }: { signal: AbortSignal }): Promise<DomainChanges> {
    if (tag === undefined) return { domains: this.#list, tag: String(this.#tag), held: true }
    const { promise, resolve, reject } = Promise.withResolvers<readonly ListedDomain[]>()
    this.#answer = resolve
    signal.addEventListener('abort', () => reject(signal.reason as Error))
    this.#asked?.()
    return { domains: await promise, tag: String(++this.#tag), held: true }
  }

  async domain(name: string): Promise<Uint8Array | undefined> {
    return this.#changed.get(name)
  }

  /** Resolves when all that was told is taken over, and the next change is waited for. */
  async idle(): Promise<void> {
    if (this.#answer) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#asked = resolve
    await promise
  }

  tell(domain: ListedDomain, signed: Uint8Array): void {
    this.#changed.set(domain.name, signed)
    const answer = this.#answer
    this.#answer = undefined
    answer?.([domain])
  }
}

/** CPU time by which a replica with other domains takes over a changed domain, and how long the change takes to get there. */
export async function measureChanges(others: Iterable<Domain>, changing: Domain, changes: number): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'athenz-bench-zts-'))
  try {
    const copy = await writeSignedCopy(folder, withOne(others, changing), 'ec')
    const files = await DomainFiles.open(copy.folder, nodeFileSystem)
    const source = new HeldSource(await files.names())
    const sync = await DomainSync.open({
      source,
      files,
      verifier: verifierOf(copy),
      intervals: {
        updateMillis: HOUR_MILLIS,
        deleteMillis: HOUR_MILLIS,
        checkMillis: HOUR_MILLIS,
        refetchMillis: Number.MAX_SAFE_INTEGER,
        refetchCount: 0,
      },
      log: () => {},
      now: Date.now,
    })
    try {
      const versions = await versionsOf(changing, copy, WARMING_CHANGES + changes)
      await takeOver(sync, source, versions.slice(0, WARMING_CHANGES))
      return await takeOver(sync, source, versions.slice(WARMING_CHANGES))
    } finally {
      await sync.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Version {
  readonly domain: ListedDomain
  readonly signed: Uint8Array
}

/** Versions of a domain that differ in a member. */
async function versionsOf(domain: Domain, { signer }: SignedCopy, count: number): Promise<Version[]> {
  const versions: Version[] = []
  const [[name, role] = []] = domain.roles
  if (name === undefined || role === undefined) throw new Error('the domain has no role')
  for (let index = 1; index <= count; index++) {
    const members = new Members([...role.members, { memberName: `user.new${index}` }])
    const changed = { ...domain, modified: index, roles: new Map(domain.roles).set(name, { ...role, members }) }
    const listed = { name: domain.name, modified: index, enabled: true }
    versions.push({ domain: listed, signed: await signedDomain(signer, changed) })
  }
  return versions
}

async function takeOver(sync: DomainSync, source: HeldSource, versions: readonly Version[]): Promise<Figures> {
  await source.idle()
  const millis: number[] = []
  const cpu = process.cpuUsage()
  for (const { domain, signed } of versions) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = sync.domains.onChange(() => resolve())
    const start = performance.now()
    source.tell(domain, signed)
    await promise
    millis.push(performance.now() - start)
    end()
    await source.idle()
  }
  const { user, system } = process.cpuUsage(cpu)
  millis.sort((a, b) => a - b)
  return {
    p50Millis: percentile(millis, 0.5),
    p99Millis: percentile(millis, 0.99),
    cpuMicros: (user + system) / versions.length,
  }
}

const verifierOf = ({ publicKey }: SignedCopy): DomainVerifier =>
  new DomainVerifier({
    keys: {
      current: { file: 'athenz.conf', zmsPublicKeys: new Map([['0', publicKey]]) },
      refresh: async () => false,
    },
    webSignaturesOnly: false,
  })

function* withOne(others: Iterable<Domain>, one: Domain): Generator<Domain> {
  yield* others
  yield one
}

/** A change in one domain, among how many others; and in a domain with a role of how many members. */
export const domainChange = [
  {
    name: 'zts-change',
    axes: ['domains'],
    measure: ({ domains }: Size) =>
      measureChanges(ordinaryData(domains), sizedDomain({ members: 10, assertions: 10 }), CHANGES),
  },
  {
    name: 'zts-change/sized',
    axes: ['members'],
    measure: (size: Size) => measureChanges([], sizedDomain(size), size.members < MANY_MEMBERS ? CHANGES : FEW_CHANGES),
  },
] as const
