import type { MySqlConnection } from '#core/database/mysql-connection.ts'
import type { Change, MutableDomain } from '../change.ts'
import type { DomainBase, Tags } from '../model.ts'
import type { StoredTags } from './tags.ts'

/** A change of one kind. */
export type ChangeOf<K extends Change['kind']> = Extract<Change, { kind: K }>

/** A list that is never empty. */
export type OneOrMore<T> = readonly [T, ...T[]]

/** Changes of one kind to one owner (role, policy version, service or the domain itself), in order. */
export type Run<K extends Change['kind']> = OneOrMore<ChangeOf<K>>

/** Writes a run of changes. */
export type Writer<K extends Change['kind']> = (scope: WriteScope, run: Run<K>) => Promise<void>

/**
 * Limits of the history of a role's or group's members: beyond `max` entries the oldest go until `keep` are left. They hold
 * only if 0 < keep ≤ max.
 */
export interface AuditLimits {
  readonly max: number
  readonly keep: number
}

/** Settings of the writers. */
export interface WriteSettings {
  /** Undefined: the history is kept for ever. */
  readonly roleAudit?: AuditLimits
  readonly groupAudit?: AuditLimits
}

/** Tables of objects whose modification time moves when something they hold changes. */
export type StampedTable = 'role' | 'principal_group' | 'policy' | 'service'

/** What the changes of one transaction of the database are written with. */
export class WriteScope {
  readonly connection: MySqlConnection
  /** The time of the transaction whose changes are being written. */
  at = new Date(0)
  /** The stamp of the changed domains. */
  readonly stamp: Date
  readonly settings: WriteSettings
  readonly #domainIds: Map<string, number>
  readonly #before: (domain: string) => MutableDomain | undefined | 'unknown'
  readonly #stamps: Stamps
  readonly #rewritten = new Set<string>()
  /** Policy version → stand-in id of an assertion of this transaction → its real one. */
  readonly #assertionIds = new Map<string, Map<number, number>>()

  constructor(options: {
    connection: MySqlConnection
    stamp: Date
    settings: WriteSettings
    /** Keys of the rows of the domains; writing adds and removes. */
    domainIds: Map<string, number>
    /** The domain before the changes of this transaction. */
    before: (domain: string) => MutableDomain | undefined | 'unknown'
    stamps: Stamps
  }) {
    this.connection = options.connection
    this.stamp = options.stamp
    this.settings = options.settings
    this.#domainIds = options.domainIds
    this.#before = options.before
    this.#stamps = options.stamps
  }

  /** Key of the domain's row; 0, which no row has, when the domain does not exist. */
  domainId(domain: string): number {
    return this.#domainIds.get(domain) ?? 0
  }

  /** Remembers the key of a new domain, or that a domain is gone. */
  setDomainId(domain: string, id: number | undefined): void {
    if (id === undefined) this.#domainIds.delete(domain)
    else this.#domainIds.set(domain, id)
  }

  /**
   * The tags an object had when the transaction began; 'unknown' from the second time on, because what was found then
   * may have been replaced since. `key` names the object within its domain.
   */
  storedTags(key: string, domain: string, find: (domain: MutableDomain) => { tags?: Tags } | undefined): StoredTags {
    return this.#stored(`${domain}:${key}`, domain, (before) => find(before)?.tags)
  }

  /** The contacts a domain had when the transaction began, likewise. */
  storedContacts(domain: string): DomainBase['contacts'] | 'unknown' {
    return this.#stored(`${domain}:contacts`, domain, ({ contacts }) => contacts)
  }

  #stored<T>(key: string, domain: string, find: (domain: MutableDomain) => T | undefined): T | undefined | 'unknown' {
    if (this.#rewritten.has(key)) return 'unknown'
    this.#rewritten.add(key)
    const before = this.#before(domain)
    return before === 'unknown' ? before : before && find(before)
  }

  /** Moves the modification time of an object; `version` of a policy. */
  touch(table: StampedTable, domain: string, name: string, version?: string): void {
    this.#stamps.touch(table, this.domainId(domain), name, version, this.at)
  }

  /** Notes that the modification time of an object was written together with it. */
  settle(table: StampedTable, domain: string, name: string, version?: string): void {
    this.#stamps.settle(table, this.domainId(domain), name, version)
  }

  /** Begins with the changes of another transaction of the store. */
  forgetStandIns(): void {
    this.#assertionIds.clear()
  }

  /** Remembers the key that a new assertion got in place of its stand-in. */
  setAssertionId(policyVersion: string, standIn: number, id: number): void {
    const ids = this.#assertionIds.get(policyVersion)
    if (ids) ids.set(standIn, id)
    else this.#assertionIds.set(policyVersion, new Map([[standIn, id]]))
  }

  /** The key of an assertion that may be named by its stand-in. */
  assertionId(policyVersion: string, id: number): number {
    return this.#assertionIds.get(policyVersion)?.get(id) ?? id
  }
}

const STAMP_SQL: Readonly<Record<StampedTable, string>> = {
  role: 'UPDATE role SET modified = ? WHERE domain_id = ? AND name = ?',
  principal_group: 'UPDATE principal_group SET modified = ? WHERE domain_id = ? AND name = ?',
  policy: 'UPDATE policy SET modified = ? WHERE domain_id = ? AND name = ? AND version = ?',
  service: 'UPDATE service SET modified = ? WHERE domain_id = ? AND name = ?',
}

const keyOf = (table: StampedTable, values: readonly (string | number)[]) => [table, ...values].join('\n')

/** Modification times that are written once, however many changes moved them. */
export class Stamps {
  readonly #touched = new Map<string, { table: StampedTable; values: (string | number)[]; at: Date }>()

  touch(table: StampedTable, domainId: number, name: string, version: string | undefined, at: Date): void {
    const values = version === undefined ? [domainId, name] : [domainId, name, version]
    this.#touched.set(keyOf(table, values), { table, values, at })
  }

  settle(table: StampedTable, domainId: number, name: string, version: string | undefined): void {
    this.#touched.delete(keyOf(table, version === undefined ? [domainId, name] : [domainId, name, version]))
  }

  async write(connection: MySqlConnection): Promise<void> {
    for (const { table, values, at } of this.#touched.values()) {
      await connection.change(STAMP_SQL[table], [at, ...values])
    }
  }
}
