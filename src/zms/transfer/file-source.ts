import { lockFileData } from '../store/file/file-store.ts'
import type { Memory } from '../store/file/memory.ts'
import { plainRow, RowIds, rowsOfDomain } from './domain-rows.ts'
import { byText, type TableRow } from './tables.ts'
import type { DataSource, DataState } from './transfer.ts'
import { TransferError } from './transfer-error.ts'

const PIECE_ROWS = 500

/**
 * The data of an embedded store, which nobody else may use meanwhile. They are read into memory as the server does it.
 * @throws TransferError when there is no store, or a server has it; DamageError when it cannot be read
 */
export async function openFileSource(folder: string): Promise<DataSource> {
  const data = await lockFileData({ folder }).catch((error: Error) => {
    throw new TransferError(`${error.message}${/in use/.test(error.message) ? ': stop the server first' : ''}`, error)
  })
  if (data === undefined) throw new TransferError(`there is no data store in ${folder}`)
  const { lastAssertionId, lastModified } = data.memory.globals()
  return new FileSource(data.memory, { lastAssertionId, lastModified }, () => data.release())
}

class FileSource implements DataSource {
  readonly state: DataState
  readonly #memory: Memory
  readonly #release: () => void

  constructor(memory: Memory, state: DataState, release: () => void) {
    this.#memory = memory
    this.state = state
    this.#release = release
  }

  async *rows(): AsyncGenerator<readonly TableRow[]> {
    const memory = this.#memory
    const ids = new RowIds()
    yield* piecesOf(this.#globalRows(ids))
    for (const name of [...memory.domains.keys()].sort(byText)) {
      const domain = memory.domains.get(name)
      if (domain === undefined) continue
      const history = await memory.history.readAll(name)
      yield* piecesOf(rowsOfDomain(domain, { entries: (kind, collection) => history[kind].get(collection) ?? [] }, ids))
    }
  }

  async close(): Promise<void> {
    this.#release()
  }

  *#globalRows(ids: RowIds): Generator<TableRow> {
    const { principals, dependencies, domains } = this.#memory
    for (const name of [...principals.keys()].sort(byText)) {
      yield plainRow('principal', {
        principal_id: ids.principal(name),
        name,
        system_suspended: principals.get(name) ?? 0,
      })
    }
    const hosts = new Set<string>()
    for (const { services } of domains.values()) {
      for (const service of services.values()) for (const host of service.hosts) hosts.add(host)
    }
    for (const name of [...hosts].sort(byText)) yield plainRow('host', { host_id: ids.host(name), name })
    for (const domain of [...dependencies.keys()].sort(byText)) {
      for (const service of [...(dependencies.get(domain) ?? [])].sort(byText)) {
        yield plainRow('service_domain_dependency', { domain, service })
      }
    }
  }
}

/** Rows in pieces of bounded size. */
export function* piecesOf(rows: Iterable<TableRow>): Generator<readonly TableRow[]> {
  let piece: TableRow[] = []
  for (const row of rows) {
    if (piece.push(row) < PIECE_ROWS) continue
    yield piece
    piece = []
  }
  if (piece.length > 0) yield piece
}
