import { byText, type PortableValue, type TableName, type TableRow, tableOf } from './tables.ts'
import { TransferError } from './transfer-error.ts'

/**
 * Checks that rows come as they should: what belongs to no domain first, then the domains in the order of their names,
 * every row behind the one that holds it and with its key. So nothing can belong to two, or to nothing.
 */
export class RowOrder {
  /** Keys of the rows that were last of their tables. */
  readonly #holders = new Map<TableName, PortableValue | undefined>()
  #domain: string | undefined

  /** Throws TransferError when a row may not follow the ones before. */
  check({ table: name, row }: TableRow): void {
    const table = tableOf(name)
    if (table.key !== undefined) this.#holders.set(name, row[table.key])
    if (table.parent !== undefined) {
      const key = tableOf(table.parent).key as string
      const holder = this.#holders.get(table.parent)
      if (holder === undefined || row[key] !== holder) {
        throw new TransferError(`a row of ${name} (${key} ${String(row[key])}) does not follow its ${table.parent}`)
      }
    } else if (name === 'domain') this.#nextDomain(row['name'] as string)
    else if (this.#domain !== undefined) throw new TransferError(`a row of ${name} comes behind domains`)
  }

  #nextDomain(name: string): void {
    if (this.#domain !== undefined && byText(this.#domain, name) >= 0) {
      throw new TransferError(`domain ${name} comes behind ${this.#domain}`)
    }
    this.#domain = name
  }
}
