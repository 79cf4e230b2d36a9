import type { SqlValue } from '#core/database/mysql-connection.ts'
import { type MemberEntry, Members } from '#core/rbac/members.ts'
import type { MutableDomain } from '../change.ts'
import type { GroupBase, MemberAudit, PendingGroupMember } from '../model.ts'
import { SmallMap } from '../small-map.ts'
import { addName, ensureNames, idsOfNames, inLists, insertRows, PRINCIPALS } from './bulk.ts'
import {
  assignmentsOf,
  type Column,
  identityOf,
  insertedValuesOf,
  namesOf,
  places,
  type Row,
  readObject,
  timeOf,
  valuesOf,
} from './columns.ts'
import { type DomainDraft, type LoadStep, readTags } from './draft.ts'
import type { AuditLimits, OneOrMore, StampedTable, WriteScope } from './scope.ts'
import { sameTags, type TagTable, writeTags } from './tags.ts'

/** Tables of roles or of groups, which are alike. */
export interface CollectionTables<Base, Member extends MemberEntry, Pending> {
  readonly table: StampedTable & ('role' | 'principal_group')
  /** Name of the key, in all these tables. */
  readonly id: 'role_id' | 'group_id'
  readonly members: string
  readonly pending: string
  readonly tags: string
  readonly audit: string
  readonly columns: readonly Column<Base>[]
  readonly memberColumns: readonly Column<Member>[]
  readonly pendingColumns: readonly Column<Pending>[]
  /** What the rows become, by their keys, while a domain is put together. */
  byId(draft: DomainDraft): Map<number, Collection<Base, Member, Pending>>
  /** The same by local name, within a domain. */
  byName(domain: MutableDomain): Map<string, Collection<Base, Member, Pending>>
}

type Collection<B, M extends MemberEntry, P> = B & { readonly members: Members<M>; readonly pending: Map<string, P> }
type Place = { readonly domain: string; readonly name: string }

/** A change of the collection itself, or of what it holds. */
type CollectionChange = { readonly domain: string } & ({ readonly role: string } | { readonly group: string })

const placeOf = (change: CollectionChange): Place => ({
  domain: change.domain,
  name: 'role' in change ? change.role : change.group,
})

/** Up to so many members are written one by one: that takes fewer round trips than finding all their keys first. */
const FEW = 2

/** Reading and writing of roles or groups with all they hold. Objects are addressed by domain key and name. */
export class CollectionRows<B extends GroupBase, M extends MemberEntry, P extends PendingGroupMember> {
  readonly #tables: CollectionTables<B, M, P>
  readonly #sql: ReturnType<typeof statements>
  readonly #tagTable: TagTable

  constructor(tables: CollectionTables<B, M, P>) {
    this.#tables = tables
    this.#tagTable = { table: tables.tags, id: tables.id }
    this.#sql = statements(tables)
  }

  /** Queries for all collections of a domain. */
  loadSteps(): LoadStep[] {
    const tables = this.#tables
    const { columns, memberColumns, pendingColumns, id } = tables
    return [
      {
        sql: this.#sql.load,
        read(rows, draft) {
          const byId = tables.byId(draft)
          const byName = tables.byName(draft.domain)
          for (const row of rows as readonly Row[]) {
            const identity = identityOf(row)
            const base = { ...readObject(columns, row), ...identity } as B
            const collection = { ...base, members: new Members<M>(), pending: new SmallMap<string, P>() }
            byId.set(row[id] as number, collection)
            byName.set(identity.name, collection)
          }
        },
      },
      {
        sql: this.#sql.loadTags,
        read: (rows, draft) => readTags(rows, (owner) => tables.byId(draft).get(owner)),
      },
      {
        sql: this.#sql.loadMembers,
        read(rows, draft) {
          const byId = tables.byId(draft)
          for (const row of rows as readonly Row[])
            byId.get(row[id] as number)?.members.set(readMember(memberColumns, row, draft))
        },
      },
      {
        sql: this.#sql.loadPending,
        read(rows, draft) {
          const byId = tables.byId(draft)
          for (const row of rows as readonly Row[]) {
            const member = readMember(pendingColumns, row, draft)
            // The column may be NULL.
            member.requestTime ??= 0
            byId.get(row[id] as number)?.pending.set(member.memberName, member)
          }
        },
      },
    ]
  }

  /** Creates collections or replaces their settings and tags. */
  async put(scope: WriteScope, run: OneOrMore<{ domain: string; value: B }>): Promise<void> {
    for (const { domain, value } of run) await this.#put(scope, domain, value)
  }

  async #put(scope: WriteScope, domain: string, value: B): Promise<void> {
    const { table, columns } = this.#tables
    const { name } = value
    const storedTags = scope.storedTags(`${table}:${name}`, domain, (before) => this.#tables.byName(before).get(name))
    const key = [scope.domainId(domain), name]
    const values = valuesOf(columns, value)
    scope.settle(table, domain, name)
    const { found } = await scope.connection.change(this.#sql.update, [...values, scope.at, ...key])
    if (found > 0) {
      if (sameTags(value.tags, storedTags)) return
      const id = await this.#keyOf(scope, { domain, name })
      if (id !== undefined) await writeTags(scope, this.#tagTable, id, value.tags)
      return
    }
    const { insertId } = await scope.connection.change(this.#sql.insert, [...values, scope.at, scope.at, ...key])
    if (value.tags?.size) await writeTags(scope, this.#tagTable, insertId, value.tags)
  }

  async delete(scope: WriteScope, run: OneOrMore<CollectionChange>): Promise<void> {
    for (const { domain, name } of run.map(placeOf)) {
      await scope.connection.change(this.#sql.delete, [scope.domainId(domain), name])
    }
  }

  async putMembers(scope: WriteScope, run: OneOrMore<CollectionChange & { value: M }>): Promise<void> {
    const { putMember, putMembers } = this.#sql
    await this.#upsert(scope, run, this.#tables.memberColumns, putMember, putMembers)
  }

  async deleteMembers(scope: WriteScope, run: OneOrMore<CollectionChange & { member: string }>): Promise<void> {
    await this.#remove(scope, run, this.#sql.deleteMember, this.#tables.members)
  }

  async putPending(scope: WriteScope, run: OneOrMore<CollectionChange & { value: P }>): Promise<void> {
    const { putPending, putPendings } = this.#sql
    await this.#upsert(scope, run, this.#tables.pendingColumns, putPending, putPendings)
  }

  async deletePending(scope: WriteScope, run: OneOrMore<CollectionChange & { member: string }>): Promise<void> {
    await this.#remove(scope, run, this.#sql.deletePending, this.#tables.pending)
  }

  async addAudit(
    scope: WriteScope,
    run: OneOrMore<CollectionChange & { value: MemberAudit }>,
    limits: AuditLimits | undefined,
  ): Promise<void> {
    const place = placeOf(run[0])
    const entries = run.map(({ value }) => value)
    if (entries.length <= FEW) {
      for (const entry of entries) {
        await scope.connection.change(this.#sql.addAudit, [
          ...auditValues(entry),
          scope.domainId(place.domain),
          place.name,
        ])
      }
    } else {
      const key = await this.#keyOf(scope, place)
      if (key === undefined) return
      const rows = entries.map((entry) => [...auditValues(entry), key])
      await insertRows(scope.connection, this.#sql.auditColumns, rows)
    }
    if (limits !== undefined && limits.keep > 0 && limits.keep <= limits.max)
      await this.#trimAudit(scope, place, limits)
  }

  async #trimAudit(scope: WriteScope, place: Place, { max, keep }: AuditLimits): Promise<void> {
    const key = await this.#keyOf(scope, place)
    if (key === undefined) return
    const [count] = await scope.connection.rows<{ entries: number }>(this.#sql.countAudit, [key])
    if (count === undefined || count.entries <= max) return
    const [oldest] = await scope.connection.rows<{ id: number }>(this.#sql.lastAudit, [key, keep - 1])
    if (oldest !== undefined) await scope.connection.change(this.#sql.trimAudit, [key, oldest.id])
  }

  async #keyOf(scope: WriteScope, { domain, name }: Place): Promise<number | undefined> {
    const [row] = await scope.connection.rows<{ id: number }>(this.#sql.key, [scope.domainId(domain), name])
    return row?.id
  }

  async #upsert<T extends { memberName: string }>(
    scope: WriteScope,
    run: OneOrMore<CollectionChange & { value: T }>,
    columns: readonly Column<T>[],
    one: string,
    many: { into: string; tail: string },
  ): Promise<void> {
    const { connection } = scope
    const place = placeOf(run[0])
    const members = run.map(({ value }) => value)
    scope.touch(this.#tables.table, place.domain, place.name)
    if (members.length <= FEW) {
      for (const member of members) {
        const values = [...valuesOf(columns, member), scope.domainId(place.domain), place.name, member.memberName]
        const { found } = await connection.change(one, values)
        if (found > 0) continue
        // Nothing was found to insert: most likely a principal that is new.
        await addName(connection, PRINCIPALS, member.memberName)
        await connection.change(one, values)
      }
      return
    }
    const key = await this.#keyOf(scope, place)
    if (key === undefined) return
    const principals = await ensureNames(
      connection,
      PRINCIPALS,
      members.map(({ memberName }) => memberName),
    )
    const rows: SqlValue[][] = []
    // One row per member: within one statement the last value would not win for certain.
    for (const member of new Map(members.map((each) => [each.memberName, each])).values()) {
      const principal = principals.get(member.memberName)
      if (principal !== undefined) rows.push([key, principal, ...valuesOf(columns, member)])
    }
    await insertRows(connection, many.into, rows, many.tail)
  }

  async #remove(
    scope: WriteScope,
    run: OneOrMore<CollectionChange & { member: string }>,
    one: string,
    table: string,
  ): Promise<void> {
    const { connection } = scope
    const place = placeOf(run[0])
    const names = run.map(({ member }) => member)
    scope.touch(this.#tables.table, place.domain, place.name)
    if (names.length <= FEW) {
      for (const name of names) await connection.change(one, [scope.domainId(place.domain), place.name, name])
      return
    }
    const key = await this.#keyOf(scope, place)
    if (key === undefined) return
    const principals = await idsOfNames(connection, PRINCIPALS, names)
    for (const list of inLists([...principals.values()])) {
      await connection.change(
        `DELETE FROM ${table} WHERE ${this.#tables.id} = ? AND principal_id IN (${list.places})`,
        [key, ...list.values],
      )
    }
  }
}

function readMember<T extends { memberName: string; requestPrincipal?: string }>(
  columns: readonly Column<T>[],
  row: Row,
  draft: DomainDraft,
): T {
  const member = readObject(columns, row) as T
  member.memberName = row['name'] as string
  if (member.requestPrincipal !== undefined) member.requestPrincipal = draft.shared(member.requestPrincipal)
  return member
}

const auditValues = ({ admin, member, created, action, auditRef }: MemberAudit): SqlValue[] => [
  admin,
  member,
  // The column has whole seconds and would round up.
  new Date(Math.floor(created / 1000) * 1000),
  action,
  auditRef ?? '',
]

/** All statements over the tables of one kind of collection. */
function statements<B, M extends MemberEntry, P>(tables: CollectionTables<B, M, P>) {
  const { table, id, members, pending, tags, audit, columns, memberColumns, pendingColumns } = tables
  const key = `(SELECT ${id} FROM ${table} WHERE domain_id = ? AND name = ?)`
  const principal = '(SELECT principal_id FROM principal WHERE name = ?)'
  const putOne = (into: string, list: readonly Column<never>[]) =>
    `INSERT INTO ${into} (${namesOf(list)}, ${id}, principal_id)
     SELECT ${places(list.length)}, c.${id}, p.principal_id FROM ${table} c JOIN principal p
     WHERE c.domain_id = ? AND c.name = ? AND p.name = ?
     ON DUPLICATE KEY UPDATE ${insertedValuesOf(list)}`
  const putMany = (into: string, list: readonly Column<never>[]) => ({
    into: `${into} (${id}, principal_id, ${namesOf(list)})`,
    tail: `ON DUPLICATE KEY UPDATE ${insertedValuesOf(list)}`,
  })
  const loadHeld = (from: string, list: readonly Column<never>[]) =>
    `SELECT m.${id}, p.name, ${namesOf(list, 'm')} FROM ${table} c JOIN ${from} m ON m.${id} = c.${id}
     JOIN principal p ON p.principal_id = m.principal_id WHERE c.domain_id = ?`
  return {
    load: `SELECT ${id}, name, modified, created, ${namesOf(columns)} FROM ${table} WHERE domain_id = ?`,
    loadTags: `SELECT t.${id} AS id, t.\`key\`, t.value FROM ${table} c JOIN ${tags} t ON t.${id} = c.${id}
               WHERE c.domain_id = ?`,
    loadMembers: loadHeld(members, memberColumns),
    loadPending: loadHeld(pending, pendingColumns),
    key: `SELECT ${id} AS id FROM ${table} WHERE domain_id = ? AND name = ?`,
    update: `UPDATE ${table} SET ${assignmentsOf(columns)}, modified = ? WHERE domain_id = ? AND name = ?`,
    insert: `INSERT INTO ${table} (${namesOf(columns)}, modified, created, domain_id, name)
             VALUES (${places(columns.length + 4)})`,
    delete: `DELETE FROM ${table} WHERE domain_id = ? AND name = ?`,
    putMember: putOne(members, memberColumns),
    putMembers: putMany(members, memberColumns),
    deleteMember: `DELETE FROM ${members} WHERE ${id} = ${key} AND principal_id = ${principal}`,
    putPending: putOne(pending, pendingColumns),
    putPendings: putMany(pending, pendingColumns),
    deletePending: `DELETE FROM ${pending} WHERE ${id} = ${key} AND principal_id = ${principal}`,
    addAudit: `INSERT INTO ${audit} (admin, member, created, action, audit_ref, ${id})
               SELECT ?, ?, ?, ?, ?, ${id} FROM ${table} WHERE domain_id = ? AND name = ?`,
    auditColumns: `${audit} (admin, member, created, action, audit_ref, ${id})`,
    countAudit: `SELECT COUNT(*) AS entries FROM ${audit} WHERE ${id} = ?`,
    lastAudit: `SELECT audit_log_id AS id FROM ${audit} WHERE ${id} = ? ORDER BY audit_log_id DESC LIMIT 1 OFFSET ?`,
    trimAudit: `DELETE FROM ${audit} WHERE ${id} = ? AND audit_log_id < ?`,
  } as const
}

/** History of a collection's members, as read from its table. */
export function readAudit(row: Row): MemberAudit {
  const { admin, member, action, audit_ref: auditRef } = row as Record<string, string>
  return {
    admin: admin as string,
    member: member as string,
    created: timeOf(row['created']) ?? 0,
    action: action as MemberAudit['action'],
    ...(auditRef ? { auditRef } : {}),
  }
}
