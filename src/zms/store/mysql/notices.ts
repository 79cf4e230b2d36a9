import type { MySqlConnection, SqlValue } from '#core/database/mysql-connection.ts'
import type { NoticeClaim, NoticeKind, NoticeSubject } from '../notices.ts'
import type { FoundMembership } from '../store.ts'
import { inLists, LONGEST_LIST } from './bulk.ts'
import { timeOf } from './columns.ts'

/** Where the subjects of a kind of notices are, and their dates. */
interface NoticeTable {
  readonly collections: 'role' | 'principal_group'
  readonly id: 'role_id' | 'group_id'
  readonly subjects: string
  readonly time: string
  /** When people were notified, and by which server. */
  readonly notified: string
  readonly server: string
  readonly condition: string
}

const BY_MEMBER = { notified: 'last_notified_time', server: 'server', condition: '' }
const OF_ROLES = { collections: 'role', id: 'role_id' } as const
const OF_GROUPS = { collections: 'principal_group', id: 'group_id' } as const

const TABLES: Readonly<Record<NoticeKind, NoticeTable>> = {
  roleExpiry: { ...OF_ROLES, ...BY_MEMBER, subjects: 'role_member', time: 'expiration' },
  roleReview: {
    ...OF_ROLES,
    subjects: 'role_member',
    time: 'review_reminder',
    notified: 'review_last_notified_time',
    server: 'review_server',
    condition: 'AND m.expiration IS NULL',
  },
  groupExpiry: { ...OF_GROUPS, ...BY_MEMBER, subjects: 'principal_group_member', time: 'expiration' },
  pendingRole: { ...OF_ROLES, ...BY_MEMBER, subjects: 'pending_role_member', time: 'req_time' },
  pendingGroup: { ...OF_GROUPS, ...BY_MEMBER, subjects: 'pending_principal_group_member', time: 'req_time' },
}

const PLACE = 'd.name AS domain, c.name AS collection, p.name AS member'
const from = ({ collections, id, subjects }: NoticeTable) =>
  `${subjects} m JOIN ${collections} c ON c.${id} = m.${id} JOIN domain d ON d.domain_id = c.domain_id
   JOIN principal p ON p.principal_id = m.principal_id`
const binary = (column: string) => `CAST(${column} AS BINARY)`

/** Reads the subjects of a kind by date, as the contract of the store says. */
export async function readNoticeSubjects(
  rows: MySqlConnection['rows'],
  kind: NoticeKind,
  { since, until }: { since: number; until: number },
): Promise<NoticeSubject[]> {
  const table = TABLES[kind]
  const found = await rows<FoundMembership & { time: Date; notified: Date | null }>(
    `SELECT ${PLACE}, m.${table.time} AS time, m.${table.notified} AS notified FROM ${from(table)}
     WHERE m.${table.time} >= ? AND m.${table.time} < ? ${table.condition}
     ORDER BY ${binary('d.name')}, ${binary('c.name')}, ${binary('p.name')}`,
    [new Date(since), new Date(until)],
  )
  return found.map(({ time, notified, ...place }) => {
    const notifiedTime = timeOf(notified)
    return { ...place, time: time.getTime(), ...(notifiedTime !== undefined && { notifiedTime }) }
  })
}

/**
 * Notes on a connection without autocommit that people are notified of the subjects, and commits; gives those of which
 * that is now up to this server. It is one transaction, so that of two servers at the same time one gets all and people
 * get one message. A repetition, after a commit whose outcome nobody knows, counts what it finds noted as its own.
 */
export async function claimSubjects(
  connection: MySqlConnection,
  kind: NoticeKind,
  subjects: readonly FoundMembership[],
  { server, at, notSince, repeated }: NoticeClaim & { readonly repeated: boolean },
): Promise<FoundMembership[]> {
  const { id, subjects: table, notified, server: column } = TABLES[kind]
  const own = repeated ? `OR (${notified} = ? AND ${column} = ?)` : ''
  const note: SqlValue[] = [new Date(at), server.slice(0, SERVER_MAX)]
  const claimed: FoundMembership[] = []
  try {
    for (const row of await keysOf(connection, TABLES[kind], subjects)) {
      const { found } = await connection.change(
        `UPDATE ${table} SET ${notified} = ?, ${column} = ?
         WHERE ${id} = ? AND principal_id = ? AND (${notified} IS NULL OR ${notified} < ? ${own})`,
        [...note, row.id, row.principal, new Date(notSince), ...(repeated ? note : [])],
      )
      if (found > 0) claimed.push({ domain: row.domain, collection: row.collection, member: row.member })
    }
    await connection.script('COMMIT')
    return claimed
  } catch (error) {
    if (connection.usable) await connection.script('ROLLBACK').catch(() => connection.close())
    throw error
  }
}

/** The columns of requests are the shortest. */
const SERVER_MAX = 255

/** A subject with the keys of its row. */
type KeyedSubject = FoundMembership & { readonly id: number; readonly principal: number }

/** Keys of subjects, in the order of the keys, so that two servers do not wait for each other in a circle. */
async function keysOf(
  connection: MySqlConnection,
  table: NoticeTable,
  subjects: readonly FoundMembership[],
): Promise<KeyedSubject[]> {
  const found: KeyedSubject[] = []
  for (let at = 0; at < subjects.length; at += LONGEST_LIST) {
    found.push(...(await keysOfSome(connection, table, subjects.slice(at, at + LONGEST_LIST))))
  }
  return found.sort((a, b) => a.id - b.id || a.principal - b.principal)
}

async function keysOfSome(
  connection: MySqlConnection,
  table: NoticeTable,
  subjects: readonly FoundMembership[],
): Promise<KeyedSubject[]> {
  const wanted = new Set(subjects.map(keyOf))
  const [domains] = inLists([...new Set(subjects.map(({ domain }) => domain))])
  const [members] = inLists([...new Set(subjects.map(({ member }) => member))])
  if (domains === undefined || members === undefined) return []
  // Read without locks: the rows of domains and principals are no business of this transaction.
  const rows = await connection.rows<KeyedSubject>(
    `SELECT ${PLACE}, m.${table.id} AS id, m.principal_id AS principal FROM ${from(table)}
     WHERE d.name IN (${domains.places}) AND p.name IN (${members.places})`,
    [...domains.values, ...members.values],
  )
  return rows.filter((row) => wanted.has(keyOf(row)))
}

const keyOf = ({ domain, collection, member }: FoundMembership) => JSON.stringify([domain, collection, member])
