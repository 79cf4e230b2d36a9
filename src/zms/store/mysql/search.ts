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
  const [within, values] = domain === undefined ? ['', []] : [`AND ${exactly('d.name')}`, [domain, domain]]
  const found = await rows<FoundName>(
    `SELECT d.name AS domain, c.name FROM ${table} c JOIN domain d ON d.domain_id = c.domain_id
     WHERE ${beginsLike('c.name')} ${within} ORDER BY ${byName('c.name')}, ${byName('d.name')} LIMIT ?`,
    [...startingWith(prefix), ...values, limit],
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

const TAGGED: readonly (readonly [TaggedKind, name: string, from: string])[] = [
  ['domain', "''", 'domain_tags t JOIN domain d ON d.domain_id = t.domain_id'],
  ['role', 'c.name', 'role_tags t JOIN role c ON c.role_id = t.role_id JOIN domain d ON d.domain_id = c.domain_id'],
  [
    'group',
    'c.name',
    'group_tags t JOIN principal_group c ON c.group_id = t.group_id JOIN domain d ON d.domain_id = c.domain_id',
  ],
  [
    'service',
    'c.name',
    'service_tags t JOIN service c ON c.service_id = t.service_id JOIN domain d ON d.domain_id = c.domain_id',
  ],
  [
    'policy',
    'c.name',
    `policy_tags t JOIN policy c ON c.policy_id = t.policy_id AND c.active = 1
     JOIN domain d ON d.domain_id = c.domain_id`,
  ],
]

async function tagsLike(rows: Rows, { key, value }: SearchTerms['tag'], limit: number): Promise<FoundTag[]> {
  const [condition, values] =
    value === undefined
      ? [beginsLike('t.`key`'), startingWith(key)]
      : [`${exactly('t.`key`')} AND t.value LIKE ? ESCAPE '!'`, [key, key, startingWith(value)[0]]]
  const parts = TAGGED.map(
    ([kind, name, from]) =>
      `(SELECT t.\`key\`, t.value, d.name AS domain, '${kind}' AS kind, ${name} AS name FROM ${from}
        WHERE ${condition} ORDER BY ${orderOf('t.`key`', 't.value', 'd.name', name)} LIMIT ?)`,
  )
  const order = orderOf('`key`', 'value', 'domain', 'kind', 'name')
  const found = await rows<FoundTag>(`${parts.join(' UNION ALL ')} ORDER BY ${order} LIMIT ?`, [
    ...parts.flatMap((): SqlValue[] => [...values, limit]),
    limit,
  ])
  return found.map((row) => ({ key: row.key, value: row.value, domain: row.domain, kind: row.kind, name: row.name }))
}

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
