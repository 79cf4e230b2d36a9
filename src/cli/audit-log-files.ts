import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { auditFileOf, auditFilesIn } from '#core/audit/audit-files.ts'
import type { ChainSeal } from '#core/audit/chain-seal.ts'
import { auditLogKey } from '#core/audit/open-audit-log.ts'
import type { VerifiedFile } from '#core/audit/verify-chain.ts'
import { ConfigError } from '#core/config/config-error.ts'
import { type LoadedConfig, loadServerConfig } from '#core/config/server-config.ts'
import type { SharedConfig } from '#core/config/server-tables.ts'
import { openPrivateKeyStore } from '#core/crypto/open-private-key-store.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'

/** Where a log is: in these files, in this folder, or where the configuration of a server says. */
export type AuditPlace =
  | { readonly files: readonly string[] }
  | { readonly folder: string }
  | { readonly server: 'zms' | 'zts'; readonly root: string; readonly settings: ReadonlyMap<string, string> }

/** Which changes are asked for. */
export interface AuditFilter {
  readonly domain?: string | undefined
  readonly principal?: string | undefined
  /** In any letter case. */
  readonly api?: string | undefined
  /** Epoch milliseconds; included. */
  readonly since?: number | undefined
  /** Epoch milliseconds; not included. */
  readonly until?: number | undefined
}

/** A log whose place is known. */
export interface FoundAuditLog {
  /** Absent when files were named one by one. */
  readonly folder?: string
  /** The configured key, if the place is that of a server and it has one. */
  readonly key?: ChainSeal
}

const UNUSABLE = 2
const PIECE_BYTES = 1_048_576

/** Finds a log, and its key where the configuration names one. Throws CommandFailure with status 2. */
export async function findAuditLog(place: AuditPlace): Promise<FoundAuditLog> {
  if ('files' in place) return {}
  if ('folder' in place) return { folder: place.folder }
  const { server, root, settings } = place
  try {
    const options = { server, rootDir: root, overrides: [...settings], env: process.env, hostname: hostname() }
    if (server === 'zms') {
      const loaded = await loadServerConfig({ ...options, server })
      const { privateKeyStoreFactoryClass: className, rootDir } = loaded.config.zms
      return await configured(loaded, server, { className, rootDir })
    }
    const loaded = await loadServerConfig({ ...options, server })
    const { privateKeyStoreFactoryClass: className, rootDir } = loaded.config.zts
    return await configured(loaded, server, { className, rootDir })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new CommandFailure(error.problems.join('; '), UNUSABLE)
  }
}

async function configured(
  { config, properties }: Pick<LoadedConfig<Pick<SharedConfig, 'ts'>>, 'config' | 'properties'>,
  server: 'zms' | 'zts',
  keyStore: { className: string; rootDir: string },
): Promise<FoundAuditLog> {
  const folder = config.ts.auditLogDir
  // A module that keeps keys is loaded only when there is a key to ask it for.
  if (config.ts.auditLogKeyName === undefined) return { folder }
  const property = `athenz.${server}.private_key_store_factory_class`
  const privateKeyStore = await openPrivateKeyStore({ properties }, { property, ...keyStore })
  const key = await auditLogKey({ server, config, privateKeyStore })
  return { folder, ...(key && { key }) }
}

/** The files of a place, in the order of their numbers. Throws CommandFailure with status 2 when there are none. */
export async function auditLogFiles(place: AuditPlace, folder: string | undefined): Promise<string[]> {
  if ('files' in place) {
    return place.files.toSorted((a, b) => numberOf(a) - numberOf(b))
  }
  if (folder === undefined) return []
  try {
    return auditFilesIn(await readdir(folder)).map(({ name }) => join(folder, name))
  } catch (error) {
    throw new CommandFailure(`${folder}: ${reasonOf(error)}`, UNUSABLE)
  }
}

const numberOf = (path: string): number => auditFileOf(basename(path))?.number ?? 0

/** A file as a stream. Reading throws CommandFailure with status 2 when it cannot be read. */
export const streamed = (path: string): VerifiedFile => ({ name: path, read: () => pieces(path) })

async function* pieces(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>
  } catch (error) {
    throw new CommandFailure(`${path}: ${reasonOf(error)}`, UNUSABLE)
  }
}
