import { crc32 } from 'node:zlib'
import { type DomainHistoryEntry, type DomainHistoryQuery, newestOf } from '../domain-history.ts'
import type { MemberAudit } from '../model.ts'

/** Whether a history is that of a role or of a group. */
export type CollectionKind = 'role' | 'group'

/** What a domain's history file has, as its document says. */
export interface HistoryExtent {
  /** Sequence of the first transaction in the file; part of its name. */
  readonly since: number
  /** Bytes that count; what follows them is left over from a write that was not completed. */
  readonly bytes: number
  /** CRC-32 of those bytes. */
  readonly checksum: number
}

/** Lines that are to follow what a domain's history file has. */
export interface HistoryAddition {
  readonly extent: HistoryExtent
  readonly lines: readonly string[]
}

/** A history file of a domain that was deleted. */
export interface ObsoleteHistory {
  readonly domain: string
  readonly since: number
}

interface DomainHistory {
  extent: HistoryExtent
  recent: string[]
}

/**
 * The history of the members of all roles and groups. It only grows and is rarely asked for, so it is kept in files, one
 * per domain that has any: lines of JSON, `[kind, name, entry]` for an entry and `[kind, name]` when the role or group
 * was deleted. What is not in a file yet is kept here, and is in the journal.
 */
export class History {
  readonly #domains = new Map<string, DomainHistory>()
  #obsolete: ObsoleteHistory[] = []
  readonly #readFile: (domain: string, since: number) => Promise<Buffer>

  /** @param readFile reads the history file of a domain */
  constructor(readFile: (domain: string, since: number) => Promise<Buffer>) {
    this.#readFile = readFile
  }

  /** Puts what a domain's document says of its history. */
  restore(domain: string, extent: HistoryExtent): void {
    this.#domains.set(domain, { extent, recent: [] })
  }

  /** Adds an entry in the transaction with that sequence. */
  add(domain: string, kind: CollectionKind, name: string, entry: MemberAudit, sequence: number): void {
    let history = this.#domains.get(domain)
    if (!history) {
      history = { extent: { since: sequence, bytes: 0, checksum: 0 }, recent: [] }
      this.#domains.set(domain, history)
    }
    history.recent.push(`${JSON.stringify([kind, name, entry])}\n`)
  }

  /** The role or group was deleted. */
  forget(domain: string, kind: CollectionKind, name: string): void {
    this.#domains.get(domain)?.recent.push(`${JSON.stringify([kind, name])}\n`)
  }

  /** The domain was deleted. */
  forgetDomain(domain: string): void {
    const history = this.#domains.get(domain)
    if (!history) return
    this.#domains.delete(domain)
    if (history.extent.bytes > 0) this.#obsolete.push({ domain, since: history.extent.since })
  }

  /** Entries of a role or group, oldest first. */
  async read(domain: string, kind: CollectionKind, name: string): Promise<MemberAudit[]> {
    const entries: MemberAudit[] = []
    const prefix = linePrefix(kind, name)
    for (const line of await this.#lines(domain)) {
      if (!line.startsWith(prefix)) continue
      const [, , entry] = JSON.parse(line) as [unknown, unknown, MemberAudit?]
      if (entry) entries.push(entry)
      else entries.length = 0
    }
    return entries
  }

  /** Entries of all roles and groups of a domain, oldest first, by kind and name. */
  async readAll(domain: string): Promise<Record<CollectionKind, Map<string, MemberAudit[]>>> {
    const found = { role: new Map<string, MemberAudit[]>(), group: new Map<string, MemberAudit[]>() }
    for (const line of await this.#lines(domain)) {
      if (line === '') continue
      const [kind, name, entry] = JSON.parse(line) as [CollectionKind, string, MemberAudit?]
      const entries = found[kind].get(name)
      if (!entry) found[kind].delete(name)
      else if (entries) entries.push(entry)
      else found[kind].set(name, [entry])
    }
    return found
  }

  /** Newest entries of all roles and groups of a domain; their places are the numbers of their lines. */
  async readDomain({ domain, of, limit, before, filter }: DomainHistoryQuery): Promise<DomainHistoryEntry[]> {
    const lines = (await this.#lines(domain)).filter((line) => line !== '')
    const text = filter?.toLowerCase() ?? ''
    const prefix = of === undefined ? '' : linePrefix(of.kind, of.collection)
    const deleted = new Set<string>()
    const found: Record<CollectionKind, DomainHistoryEntry[]> = { role: [], group: [] }
    for (let place = lines.length - 1; place >= 0; place--) {
      const line = lines[place] as string
      if (!line.startsWith(prefix)) continue
      const [kind, collection, entry] = JSON.parse(line) as [CollectionKind, string, MemberAudit?]
      const key = `${kind} ${collection}`
      if (!entry) deleted.add(key)
      if (!entry || deleted.has(key) || place >= (before?.[kind] ?? lines.length)) continue
      if (found[kind].length === limit || !(isIn(entry.member, text) || isIn(entry.admin, text))) continue
      found[kind].push({ ...entry, kind, collection, place })
      const lists = of === undefined ? [found.role, found.group] : [found[of.kind]]
      if (lists.every((each) => each.length === limit)) break
    }
    return newestOf(found.role, found.group, limit)
  }

  /** The lines of a domain's history, those of its file first. */
  async #lines(domain: string): Promise<string[]> {
    const history = this.#domains.get(domain)
    if (!history) return []
    const { extent } = history
    const recent = [...history.recent]
    if (extent.bytes === 0) return recent
    const data = await this.#readFile(domain, extent.since).catch((error: unknown) => {
      // Deleted while it was read.
      if (this.#domains.get(domain) === history) throw error
      return Buffer.alloc(0)
    })
    const counting = data.subarray(0, extent.bytes)
    if (this.#domains.get(domain) !== history) return []
    if (counting.length < extent.bytes || crc32(counting) !== extent.checksum) {
      throw new Error(`the history of domain ${domain} is damaged`)
    }
    return [...counting.toString().split('\n'), ...recent]
  }

  /** What is to be added to a domain's file; undefined when it has no history. */
  additionTo(domain: string): HistoryAddition | undefined {
    const history = this.#domains.get(domain)
    return history && { extent: history.extent, lines: [...history.recent] }
  }

  /** Notes that lines were added, so that the file has that extent now. */
  added(domain: string, lines: number, extent: HistoryExtent): void {
    const history = this.#domains.get(domain)
    if (history?.extent.since !== extent.since) return
    history.recent.splice(0, lines)
    history.extent = extent
  }

  /** Files of domains deleted since it was asked last; not needed once the documents of these domains are replaced. */
  takeObsolete(): readonly ObsoleteHistory[] {
    const obsolete = this.#obsolete
    this.#obsolete = []
    return obsolete
  }
}

/** How lines of a role or group begin; the name ends with a quote, so that no longer name is meant. */
const linePrefix = (kind: CollectionKind, name: string): string => JSON.stringify([kind, name]).slice(0, -1)

const isIn = (name: string, text: string): boolean => name.toLowerCase().includes(text)

/** The extent of a file after a text was added. */
export const extended = ({ since, bytes, checksum }: HistoryExtent, text: Buffer): HistoryExtent => ({
  since,
  bytes: bytes + text.length,
  checksum: crc32(text, checksum),
})
