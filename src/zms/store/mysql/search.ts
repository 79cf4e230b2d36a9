import type { SqlValue } from '#core/database/mysql-connection.ts'
import {
  type FoundName,
  type FoundTag,
  matchingAccounts,
  type NameTerm,
  type SearchFindings,
  type SearchQuery,
  type SearchTerms,
  searchTerms,
  type TaggedKind,
} from '../search.ts'
import { beginsLike, byName, exactly, startingWith } from './sql-text.ts'

/** Asks the database. */
type Rows = <Row>(sql: string, values: readonly SqlValue[]) => Promise<Row[]>

/**
 * Searches the tables, with one statement for each kind. Principals and tags are found by indexes; names of roles, groups
 * and services by reading an index to its end, names and settings of domains by reading that table.
 */
export async function searchTables(rows: Rows, query: SearchQuery): Promise<SearchFindings> {
  const { limit } = query
  const terms = searchTerms(query)
  return {
    domains: await domainsLike(rows, terms.domain, limit),
    roles: await namesLike(rows, 'role', terms.role, limit),
    groups: await namesLike(rows, 'principal_group', terms.group, limit),
    services: await namesLike(rows, 'service', terms.service, limit),
    principals: await principalsLike(rows, terms.principals, limit),
    tags: await tagsLike(rows, terms.tag, limit),
    accounts: await accountsLike(rows, terms.account, limit),
  }
}

async function domainsLike(rows: Rows, text: string, limit: number): Promise<string[]> {
  const place = `LOCATE(${byName('?')}, ${byName('name')})`
  const found = await rows<{ name: string }>(
    `SELECT name FROM domain WHERE ${place} > 0 ORDER BY ${place} = 1 DESC, ${byName('name')} LIMIT ?`,
    [text, text, limit],
  )
  return found.map(({ name }) => name)
}

async function namesLike(rows: Rows, table: string, term: NameTerm | undefined, limit: number): Promise<FoundName[]> {
  if (!term) return []
  const { prefix, domain } = term
  const begins = startingWith(prefix)
  const from = `${table} c JOIN domain d ON d.domain_id = c.domain_id`
  // Of thousands of names that begin so, the domains of the first few alone are looked up: the last of these bounds them.
  const [bounded, condition, values] =
    domain === undefined
      ? [
          `${from} LEFT JOIN (SELECT name FROM ${table} WHERE ${beginsLike('name')} ORDER BY ${byName('name')}
           LIMIT 1 OFFSET ?) last ON TRUE`,
          `(last.name IS NULL OR ${byName('c.name')} <= ${byName('last.name')})`,
          [...begins, limit - 1, ...begins],
        ]
      : [from, exactly('d.name'), [...begins, domain, domain]]
  const found = await rows<FoundName>(
    `SELECT d.name AS domain, c.name FROM ${bounded} WHERE ${beginsLike('c.name')} AND ${condition}
     ORDER BY ${byName('c.name')}, ${byName('d.name')} LIMIT ?`,
    [...values, limit],
  )
  return found.map((row) => ({ domain: row.domain, name: row.name }))
}

async function principalsLike(rows: Rows, prefixes: readonly string[], limit: number): Promise<string[]> {
  const conditions = prefixes.map(() => `(${beginsLike('name')})`).join(' OR ')
  const found = await rows<{ name: string }>(
    `SELECT name FROM principal WHERE (${conditions}) AND name NOT LIKE '%:group.%' AND name NOT LIKE '%*'
     ORDER BY ${byName('name')} LIMIT ?`,
    [...prefixes.flatMap(startingWith), limit],
  )
  return found.map(({ name }) => name)
}

const orderOf = (...columns: string[]) => columns.map(byName).join(', ')

/** Kinds of objects with tags: the table of the tags, the name of the object, and how to get from its tag to its domain. */
const TAGGED: readonly (readonly [TaggedKind, table: string, name: string, joins: string])[] = [
  ['domain', 'domain_tags', "''", 'JOIN domain d ON d.domain_id = t.domain_id'],
  ['role', 'role_tags', 'c.name', ownedBy('role', 'role_id')],
  ['group', 'group_tags', 'c.name', ownedBy('principal_group', 'group_id')],
  ['service', 'service_tags', 'c.name', ownedBy('service', 'service_id')],
  ['policy', 'policy_tags', 'c.name', ownedBy('policy', 'policy_id', 'AND c.active = 1')],
]

function ownedBy(table: string, id: string, condition = ''): string {
  return `JOIN ${table} c ON c.${id} = t.${id} ${condition} JOIN domain d ON d.domain_id = c.domain_id`
}

async function tagsLike(rows: Rows, { key, value }: SearchTerms['tag'], limit: number): Promise<FoundTag[]> {
  const [condition, values]: [string, SqlValue[]] =
    value === undefined
      ? [beginsLike('t.`key`'), startingWith(key)]
      : [`${exactly('t.`key`')} AND t.value LIKE ? ESCAPE '!'`, [key, key, startingWith(value)[0]]]
  // As with names: objects are looked up for the first tags alone. Not so for policies,
  // whose versions that are not in force would take the places of others.
  const parts = TAGGED.map(
    ([kind, table, name, joins]) =>
      `(SELECT t.\`key\`, t.value, d.name AS domain, '${kind}' AS kind, ${name} AS name FROM ${table} t ${joins}
        ${kind === 'policy' ? '' : `LEFT JOIN (${lastTag(table, condition)}) last ON TRUE`}
        WHERE ${condition} ${kind === 'policy' ? '' : `AND ${UP_TO_LAST}`}
        ORDER BY ${orderOf('t.`key`', 't.value', 'd.name', name)} LIMIT ?)`,
  )
  const order = orderOf('`key`', 'value', 'domain', 'kind', 'name')
  const found = await rows<FoundTag>(`${parts.join(' UNION ALL ')} ORDER BY ${order} LIMIT ?`, [
    ...TAGGED.flatMap(([kind]) => (kind === 'policy' ? [] : [...values, limit - 1]).concat(values, limit)),
    limit,
  ])
  return found.map((row) => ({ key: row.key, value: row.value, domain: row.domain, kind: row.kind, name: row.name }))
}

/** The last of the first tags. */
const lastTag = (table: string, condition: string): string =>
  `SELECT t.\`key\`, t.value FROM ${table} t WHERE ${condition} ORDER BY ${orderOf('t.`key`', 't.value')} LIMIT 1 OFFSET ?`

const UP_TO_LAST = `(last.\`key\` IS NULL OR ${byName('t.`key`')} < ${byName('last.`key`')}
  OR (t.\`key\` = last.\`key\` AND ${byName('t.value')} <= ${byName('last.value')}))`

interface AccountRow {
  readonly name: string
  readonly account: string | null
  readonly azureSubscription: string | null
  readonly gcpProject: string | null
  readonly productId: string | null
  readonly businessService: string | null
}

async function accountsLike(rows: Rows, text: string, limit: number): Promise<SearchFindings['accounts']> {
  const columns = ['account', 'azure_subscription', 'gcp_project', 'product_id', 'business_service']
  const [pattern] = startingWith(text)
  const found = await rows<AccountRow>(
    `SELECT name, account, azure_subscription AS azureSubscription, gcp_project AS gcpProject, product_id AS productId,
     business_service AS businessService FROM domain
     WHERE ${columns.map((column) => `${column} LIKE ? ESCAPE '!'`).join(' OR ')} OR FIND_IN_SET(?, account) > 0
     ORDER BY ${byName('name')} LIMIT ?`,
    [...columns.map(() => pattern), text, limit],
  )
  return found
    .flatMap(({ name, ...settings }) => {
      const given = Object.entries(settings).filter(([, value]) => value !== null && value !== '')
      return matchingAccounts({ name, ...(Object.fromEntries(given) as Record<string, string>) }, text)
    })
    .slice(0, limit)
}
