import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type FileSystem, nodeFileSystem } from '#core/seam/file-system.ts'
import { writeGlobals } from '../store/file/checkpoint.ts'
import { DomainDocuments } from '../store/file/domain-documents.ts'
import { domainPieces } from '../store/file/domain-form.ts'
import { type LockedData, lockFileData, writeFormat } from '../store/file/file-store.ts'
import { abandonReplacement, beginReplacement, replaceStore } from '../store/file/store-replacement.ts'
import type { FillOptions } from './data-location.ts'
import { DomainOfRows } from './domain-of-rows.ts'
import { RowIds, rowsOfDomain } from './domain-rows.ts'
import { Losses } from './losses.ts'
import { RowOrder } from './row-order.ts'
import type { PortableRow, TableRow } from './tables.ts'
import type { DataTarget } from './transfer.ts'
import { TransferError } from './transfer-error.ts'

/** What an embedded store is filled with, and how. */
export interface FileTargetOptions extends FillOptions {
  readonly folder: string
}

/**
 * An embedded store that gets all its data anew: they are written into a folder beside and take its place in one step at
 * the end. A crash before leaves everything as it was; a crash behind that step is made good by the next start. The store
 * is locked meanwhile, if there is one.
 * @throws TransferError when a server has the store, or it is not empty and is not to be replaced
 */
export async function openFileTarget(options: FileTargetOptions): Promise<DataTarget> {
  const { replace } = options
  const folder = resolve(options.folder)
  const data = await lockFileData({ folder }).catch((error: Error) => {
    throw new TransferError(`${error.message}${/in use/.test(error.message) ? ': stop the server first' : ''}`, error)
  })
  try {
    if (data === undefined) await requireEmptyFolder(folder)
    else if (isFilled(data) && !replace) {
      throw new TransferError(`${folder} holds data: name an empty store, or replace them with --replace`)
    }
    const staging = await beginReplacement(nodeFileSystem, folder)
    const documents = new DomainDocuments(join(staging, 'domains'), nodeFileSystem)
    await documents.prepare()
    return new FileTarget({ ...options, folder }, { staging, documents, data })
  } catch (error) {
    data?.release()
    throw error
  }
}

const isFilled = ({ memory }: LockedData) => memory.domains.size > 0 || memory.dependencies.size > 0

/** A folder that is no store must hold nothing, or a store would take the place of something else. */
async function requireEmptyFolder(folder: string): Promise<void> {
  const names = await nodeFileSystem.list(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new TransferError(`${folder}: ${error.message}`, error)
  })
  const [foreign] = names.filter((name) => name !== 'lock')
  if (foreign !== undefined) throw new TransferError(`${folder} is no data store: it holds ${foreign}`)
}

/** Transactions in the documents: none, so the journal begins with the first one. */
const SEQUENCE = 0

class FileTarget implements DataTarget {
  readonly #options: FileTargetOptions
  readonly #staging: string
  readonly #documents: DomainDocuments
  readonly #data: LockedData | undefined
  readonly #fileSystem: FileSystem = nodeFileSystem
  readonly #order = new RowOrder()
  readonly #losses = new Losses()
  readonly #principals: [string, number][] = []
  readonly #dependencies = new Map<string, string[]>()
  /** The domain whose rows are coming, and these rows. */
  #current: { domain: DomainOfRows; rows: TableRow[] } | undefined
  #committed = false

  constructor(
    options: FileTargetOptions,
    parts: { staging: string; documents: DomainDocuments; data: LockedData | undefined },
  ) {
    this.#options = options
    this.#staging = parts.staging
    this.#documents = parts.documents
    this.#data = parts.data
  }

  async add(rows: readonly TableRow[]): Promise<void> {
    for (const each of rows) {
      this.#order.check(each)
      const { table, row } = each
      if (table === 'domain') {
        await this.#writeDomain()
        this.#current = { domain: new DomainOfRows(row), rows: [each] }
      } else if (this.#current) {
        this.#current.domain.add(each)
        this.#current.rows.push(each)
      } else this.#addGlobal(table, row)
    }
  }

  async commit(): Promise<void> {
    const { folder, state, acceptLoss, say, label } = this.#options
    await this.#writeDomain()
    const lost = this.#losses.lines()
    if (lost.length > 0) {
      if (!acceptLoss) {
        throw new TransferError(`the embedded store has no place for: ${lost.join('; ')} (--accept-loss leaves it out)`)
      }
      for (const line of lost) say(`left out: ${line}`)
    }
    const globals = { ...state, principals: this.#principals, dependencies: this.#dependencies }
    await writeGlobals(this.#fileSystem, this.#staging, { sequence: SEQUENCE, globals })
    await writeFormat(this.#fileSystem, this.#staging)
    const former = `${folder}.replaced-${label}`
    await replaceStore(this.#fileSystem, folder, former)
    this.#committed = true
    if (this.#data === undefined || !isFilled(this.#data)) await rm(former, { recursive: true, force: true })
    else say(`the former data are in ${former}`)
  }

  async close(): Promise<void> {
    try {
      if (!this.#committed) await abandonReplacement(this.#options.folder)
    } finally {
      this.#data?.release()
    }
  }

  #addGlobal(table: TableRow['table'], row: PortableRow): void {
    if (table === 'principal') this.#principals.push([row['name'] as string, row['system_suspended'] as number])
    if (table !== 'service_domain_dependency') return
    const [domain, service] = [row['domain'] as string, row['service'] as string]
    const services = this.#dependencies.get(domain)
    if (services) services.push(service)
    else this.#dependencies.set(domain, [service])
  }

  async #writeDomain(): Promise<void> {
    if (!this.#current) return
    const { domain: read, rows } = this.#current
    this.#current = undefined
    this.#losses.compare(rows, rowsOfDomain(read.domain, read, new RowIds()))
    const { domain } = read
    const lines = [...historyLines(read, rows)]
    const content = [...domainPieces(domain)].map((piece) => Buffer.from(piece))
    const addition = lines.length > 0 ? { extent: { since: SEQUENCE, bytes: 0, checksum: 0 }, lines } : undefined
    await this.#documents.write(domain.name, SEQUENCE, content, addition)
    await this.#documents.sync([domain.name])
  }
}

/** The lines of a domain's history, role by role and group by group. */
function* historyLines(read: DomainOfRows, rows: readonly TableRow[]): Generator<string> {
  for (const { table, row } of rows) {
    const kind = table === 'role' ? 'role' : table === 'principal_group' ? 'group' : undefined
    if (kind === undefined) continue
    const name = row['name'] as string
    for (const entry of read.entries(kind, name)) yield `${JSON.stringify([kind, name, entry])}\n`
  }
}
