import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { AthenzConfFile } from '#core/config/athenz-conf.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { FilePrivateKeyStore } from '#core/crypto/file-private-key-store.ts'
import { type FileSystem, nodeFileSystem } from '#core/seam/file-system.ts'
import type { ChangeLogStore } from '#zts/sync/change-log-store.ts'
import { DomainFiles } from '#zts/sync/domain-files.ts'
import { DomainSync, type DomainSyncParts, type SyncIntervals } from '#zts/sync/domain-sync.ts'
import { DomainVerifier } from '#zts/sync/domain-verifier.ts'
import { type DomainSyncOptions, openDomainSync } from '#zts/sync/open-domain-sync.ts'
import { type AnswerTimes, ZmsChangeLogStore } from '#zts/sync/zms-change-log-store.ts'
import { ZmsClient } from '#zts/sync/zms-client.ts'
import { ZmsConnections } from '#zts/sync/zms-connections.ts'
import { newSigner } from '../../core/authority/support.ts'
import type { DomainJson } from '../../support/zts-domains.ts'
import type { FakeZms } from './fake-zms.ts'

/** The system domain as every ZMS has it. */
export const sysAuth: DomainJson = {
  name: 'sys.auth',
  modified: '2026-01-01T00:00:00.000Z',
  roles: [{ name: 'sys.auth:role.admin', roleMembers: [{ memberName: 'user.admin' }] }],
}

/** A domain with one role; `minute` tells when it was modified. */
export const sports = (minute: number, ...members: readonly string[]): DomainJson => ({
  name: 'sports',
  modified: timeOf(minute),
  roles: [{ name: 'sports:role.readers', roleMembers: members.map((memberName) => ({ memberName })) }],
})

/** A time, some minutes after a beginning. */
export const timeOf = (minute: number): string => new Date(Date.UTC(2026, 1, 1, 0, minute)).toISOString()

/** A server's configuration with these properties. */
export async function configOf(folder: string, overrides: Readonly<Record<string, string>>) {
  return loadServerConfig({
    server: 'zts',
    rootDir: folder,
    files: [],
    overrides: Object.entries(overrides),
    env: {},
    hostname: 'zts.example',
  })
}

/** Lines of a log, which a test may wait for. */
export class LogLines {
  readonly lines: string[] = []
  readonly #waiting = new Set<() => void>()

  readonly log = (level: string, message: string): void => {
    this.lines.push(`${level} ${message}`)
    for (const look of this.#waiting) look()
  }

  count(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length
  }

  /** Resolves when a line with that text is there. */
  async line(text: string): Promise<void> {
    if (this.count(text) > 0) return
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.count(text) === 0) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
    })
  }
}

/** What a synchronization is opened with. */
export interface OpenOptions {
  readonly zms: FakeZms
  readonly folder: string
  readonly properties?: Readonly<Record<string, string>>
  readonly options?: Partial<DomainSyncOptions>
}

/** Opens a synchronization as a server does. It ends with the test. */
export async function openSync({ zms, folder, properties = {}, options = {} }: OpenOptions) {
  const log = new LogLines()
  const loaded = await configOf(folder, {
    'athenz.zts.ssl_trust_store': (zms.pki.files.trust as { file: string }).file,
    'athenz.zts.change_log_store_dir': join(folder, 'var'),
    'athenz.zts.hostname': 'zts.example',
    ...properties,
  })
  const athenzConf = await AthenzConfFile.open(zms.writeConf(folder), log)
  const sync = await openDomainSync({
    config: loaded.config,
    property: loaded.properties.get,
    athenzConf,
    signers: { plugIns: newSigner('zts-key') },
    privateKeyStore: new FilePrivateKeyStore(loaded.properties.get, folder),
    log: log.log,
    now: Date.now,
    ...options,
  })
  after(() => sync.close())
  after(() => athenzConf.close())
  return { sync, log, athenzConf, copy: join(folder, 'var', 'zts_store') }
}

/** What differs from the parts of a test. */
export type OpenWithOptions = Omit<Partial<DomainSyncParts>, 'intervals'> & {
  intervals?: Partial<SyncIntervals>
  fileSystem?: FileSystem
}

/** Opens a synchronization with a source of a test's own. */
export async function openWith(source: ChangeLogStore, zms: FakeZms, folder: string, parts: OpenWithOptions = {}) {
  const log = new LogLines()
  const { intervals, fileSystem = nodeFileSystem, ...rest } = parts
  const athenzConf = await AthenzConfFile.open(zms.writeConf(folder), log)
  const sync = await DomainSync.open({
    source,
    files: await DomainFiles.open(join(folder, 'copy'), fileSystem),
    verifier: new DomainVerifier({ keys: athenzConf, webSignaturesOnly: false }),
    intervals: {
      updateMillis: 20,
      deleteMillis: 3_600_000,
      checkMillis: 600_000,
      refetchMillis: 2_592_000_000,
      refetchCount: 10,
      ...intervals,
    },
    patience: { withCopyMillis: 2_000, withoutCopyMillis: 300 },
    log: log.log,
    now: Date.now,
    ...rest,
  })
  after(() => sync.close())
  after(() => athenzConf.close())
  return { sync, log, copy: join(folder, 'copy') }
}

/** The domains of a ZMS by HTTPS, with answers that may take these milliseconds. */
export async function zmsSource(zms: FakeZms, times = { listMillis: 5_000, domainMillis: 5_000 }) {
  const trust = zms.pki.files.trust as { file: string }
  const connections = await ZmsConnections.open({ files: { trust }, log: () => {} })
  const client = new ZmsClient({
    url: zms.url,
    dispatcher: () => connections.dispatcher(),
    credentials: async () => ({}),
  })
  return new ZmsChangeLogStore({ client, webSignatures: false, close: () => connections.close(), times })
}

/** Opens a synchronization with a ZMS by HTTPS whose intervals are short. */
export async function openShort(zms: FakeZms, folder: string, options: OpenWithOptions & { times?: AnswerTimes } = {}) {
  const { times, ...parts } = options
  return openWith(await zmsSource(zms, times), zms, folder, parts)
}

/** Resolves when a condition holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(2)
}

/** Resolves when a condition holds after a change of the domains. */
export function domainsUntil(sync: DomainSync, holds: () => boolean): Promise<void> {
  if (holds()) return Promise.resolve()
  return new Promise((resolve) => {
    const end = sync.domains.onChange(() => {
      if (!holds()) return
      end()
      resolve()
    })
  })
}

/** Members of the role of `sports` that {@link sports} makes. */
export const readers = (sync: DomainSync): string[] =>
  [...(sync.domains.get('sports')?.roles.get('readers')?.members ?? [])].map(({ memberName }) => memberName)
