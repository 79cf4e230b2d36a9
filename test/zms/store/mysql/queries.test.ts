import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { MySqlStore } from '#zms/store/mysql/mysql-store.ts'
import type { SearchQueries } from '#zms/store/search.ts'
import type { DomainQueries, MemberQueries, PrincipalQueries, ServiceQueries, Store } from '#zms/store/store.ts'
import { type MariaDb, startMariaDb } from '../../../support/mariadb.ts'
import { openStore } from '../../../support/mysql-store.ts'

const SCHEMA = join(import.meta.dirname, '../../../../schema/zms_server.sql')
const DATA = join(import.meta.dirname, '../../../database/original-data.sql')

type Queries = DomainQueries & MemberQueries & ServiceQueries & PrincipalQueries & SearchQueries
const search =
  (text: string, limit = 50) =>
  (queries: Queries) =>
    queries.search({ text, userDomain: 'user', limit })

/** Questions whose answers must be the same in SQL and in memory. */
const QUESTIONS: Readonly<Record<string, (queries: Queries) => Promise<unknown>>> = {
  'all names': (queries) => queries.domainNames(),
  'names with a prefix': (queries) => queries.domainNames({ prefix: 'sports' }),
  'names with a prefix that looks like a pattern': (queries) => queries.domainNames({ prefix: 'under_' }),
  'names with a prefix that nothing has': (queries) => queries.domainNames({ prefix: 'under%' }),
  'names of a depth': (queries) => queries.domainNames({ depth: 0 }),
  'names of a page': (queries) => queries.domainNames({ after: 'sports', limit: 4 }),
  'names by everything': (queries) => queries.domainNames({ prefix: 'sys', after: 'sys', depth: 2, limit: 2 }),
  'domains by account': (queries) => queries.domainsByAttribute('account', '444455556666'),
  'domains by a part of an account': (queries) => queries.domainsByAttribute('account', '4444'),
  'domains by subscription': (queries) => queries.domainsByAttribute('azureSubscription', 'az-sub-9'),
  'domains by project': (queries) => queries.domainsByAttribute('gcpProject', 'gcp-sports-9'),
  'domains by number': (queries) => queries.domainsByAttribute('ypmId', 4109),
  'domains by product': (queries) => queries.domainsByAttribute('productId', 'p-archive'),
  'domains by business service': (queries) => queries.domainsByAttribute('businessService', 'business-sports-2'),
  'domains by tag': (queries) => queries.domainsByTag('Tier'),
  'domains by tag in other case': (queries) => queries.domainsByTag('tier'),
  'domains by tag and value in other case': (queries) => queries.domainsByTag('Tier', 'Gold'),
  'domains by product in other case': (queries) => queries.domainsByAttribute('productId', 'P-Archive'),
  'roles of a member in other case': (queries) => queries.rolesOfMember('user.Bob'),
  'domains by tag and value': (queries) => queries.domainsByTag('zone:eu', 'ams,2/x'),
  'domains of a member': (queries) => queries.domainsByMember('user.bob', undefined),
  'domains of a role': (queries) => queries.domainsByMember(undefined, 'readers'),
  'domains of a member of a role': (queries) => queries.domainsByMember('user.bob', 'readers'),
  'a similar domain': (queries) => queries.similarDomain('labs-mobile.app'),
  'the domain itself': (queries) => queries.similarDomain('labs.mobile-app'),
  'no similar domain': (queries) => queries.similarDomain('labsxmobile'),
  'domains of a contact': (queries) => queries.domainsByContact('user.alice'),
  'domains with a template': (queries) => queries.domainsByTemplate('basic_access'),
  'domains with another template': (queries) => queries.domainsByTemplate('Basic_Access'),
  'all counts': (queries) => queries.totalCounts(),
  'roles of a member': (queries) => queries.rolesOfMember('user.bob'),
  'roles of a wildcard': (queries) => queries.rolesOfMember('*'),
  'groups of a member': (queries) => queries.groupsOfMember('user.bob'),
  'roles that trust': (queries) => queries.rolesTrusting('labs'),
  'wildcard members': (queries) => queries.wildcardMemberships(),
  'domains with requests for roles': (queries) => queries.domainsWithPendingRoleMembers(),
  'requests for roles in one': (queries) => queries.domainsWithPendingRoleMembers('labs'),
  'requests for roles in none': (queries) => queries.domainsWithPendingRoleMembers('sports'),
  'domains with requests for groups': (queries) => queries.domainsWithPendingGroupMembers(),
  'expired members of roles': (queries) => queries.expiredRoleMembers(Date.parse('2026-11-22'), 1000),
  'expired members of groups': (queries) => queries.expiredGroupMembers(Date.parse('2026-11-22'), 1000),
  'services by name': (queries) => queries.searchServices('api', { substring: false, limit: 100 }),
  'services by part of the name': (queries) => queries.searchServices('s', { substring: true, limit: 100 }),
  'services of a domain': (queries) => queries.searchServices('a', { substring: true, domain: 'sports', limit: 100 }),
  'some of many services': (queries) => queries.searchServices('s', { substring: true, limit: 2 }),
  'services by a pattern': (queries) => queries.searchServices('%', { substring: true, limit: 100 }),
  'a search': search('s'),
  'a search for some': search('a', 2),
  'a search for a user': search('bo'),
  'a search for a user by full name': search('user.bob'),
  'a search for a role': search('sports:role.re'),
  'a search for a group or role': search('sports:'),
  'a search for a service': search('sports.a'),
  'a search for a tag': search('Ti'),
  'a search for a tag in other case': search('ti'),
  'a search for a tag and value': search('Tier=go'),
  'a search for another tag and value': search('zone:eu=AMS,2'),
  'a search for an account': search('4444555'),
  'a search for an account in a list': search('444455556666'),
  'a search for a business service': search('BUSINESS-'),
  'a search for a pattern': search('%'),
  'a search for a pattern of one character': search('s_orts'),
  'a search for what no column can hold': search('\u{1f600}'),
  'services on a host': (queries) => queries.servicesOnHost('host1.sports.example.com'),
}

/** Lists of objects have no order that all stores share. */
const unordered = (answer: unknown) =>
  Array.isArray(answer) && typeof answer[0] === 'object'
    ? answer.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    : answer

describe('questions to a MySQL store', () => {
  let db: MariaDb
  let store: MySqlStore
  let memory: Store
  let folder: string

  before(async () => {
    db = await startMariaDb()
    const database = await db.freshDatabase(SCHEMA)
    await db.load(database, DATA)
    store = openStore(db, database)
    folder = await mkdtemp(join(tmpdir(), 'athenz-queries-'))
    memory = await openFileStore({ folder })
    for (const value of (await store.domains(await store.domainNames())).values()) {
      await memory.transact([value.name], (transaction) =>
        transaction.apply({ kind: 'createDomain', domain: value.name, value }),
      )
    }
  })
  after(async () => {
    await Promise.all([store.close(), memory.close()])
    await Promise.all([db.stop(), rm(folder, { recursive: true })])
  })

  for (const [what, ask] of Object.entries(QUESTIONS)) {
    test(`are answered as from memory: ${what}`, async () => {
      assert.deepEqual(unordered(await ask(store)), unordered(await ask(memory)))
    })
  }

  test('about changed domains come oldest first, from the very stamp', async () => {
    const all = await store.modifiedDomains(0)
    assert.equal(all.length, 24)
    assert.deepEqual(
      all.map(({ modified }) => modified),
      all.map(({ modified }) => modified).toSorted((a, b) => a - b),
    )
    assert.equal(all.find(({ name }) => name === 'archive')?.enabled, false)
    const last = all.at(-1)?.modified ?? 0
    assert.deepEqual(await store.modifiedDomains(last), all.slice(-1))
    assert.deepEqual(await store.modifiedDomains(last + 1), [])
  })

  test('about names changed later leave out the very stamp', async () => {
    const changed = await store.modifiedDomains(0)
    const middle = changed[10]?.modified ?? 0
    const later = changed.filter(({ modified }) => modified > middle).map(({ name }) => name)
    assert.deepEqual(await store.domainNames({ modifiedSince: middle }), later.sort())
  })

  test('about principals know all members, and their suspension', async () => {
    assert.equal(await store.principal('user.bob'), 0)
    assert.equal(await store.principal('user.nobody'), undefined)
    const names = await store.principalNames('user.')
    assert.ok(names.includes('user.alice') && names.every((name) => name.startsWith('user.')))
    assert.deepEqual(names, names.toSorted())
    await store.transact([], (transaction) => {
      transaction.apply({ kind: 'putPrincipal', principal: 'user.new', suspended: 4 })
      transaction.apply({ kind: 'putPrincipal', principal: 'user.bob', suspended: 2 })
    })
    assert.deepEqual(await store.suspendedPrincipals(4).then((found) => found.includes('user.new')), true)
    assert.deepEqual(await store.suspendedPrincipals(8), [])
    assert.equal(await store.principal('user.bob'), 2)
    await store.transact([], (transaction) => transaction.apply({ kind: 'deletePrincipal', principal: 'user.new' }))
    assert.equal(await store.principal('user.new'), undefined)
  })

  test('about recorded dependencies go both ways', async () => {
    const known = await store.dependentDomains('sports.api')
    const put = { kind: 'putDependency', dependentDomain: 'weather', service: 'sports.api' } as const
    await store.transact([], (transaction) => transaction.apply(put, put))
    assert.deepEqual(await store.dependentDomains('sports.api'), [...known, 'weather'].sort())
    assert.ok((await store.dependentServices('weather')).includes('sports.api'))
    await store.transact([], (transaction) => transaction.apply({ ...put, kind: 'deleteDependency' }))
    assert.deepEqual(await store.dependentDomains('sports.api'), known)
  })

  test('about the history of members come oldest first', async () => {
    const entry = { admin: 'user.admin', member: 'user.x', created: 1_700_000_000_000 }
    await store.transact(['labs'], (transaction) =>
      transaction.apply(
        { kind: 'putRole', domain: 'labs', value: { name: 'audited', modified: 0, created: 0 } },
        { kind: 'addRoleAudit', domain: 'labs', role: 'audited', value: { ...entry, action: 'ADD', auditRef: 'why' } },
        { kind: 'addRoleAudit', domain: 'labs', role: 'audited', value: { ...entry, action: 'DELETE' } },
      ),
    )
    assert.deepEqual(await store.roleAudit('labs', 'audited'), [
      { ...entry, action: 'ADD', auditRef: 'why' },
      { ...entry, action: 'DELETE' },
    ])
    assert.deepEqual(await store.roleAudit('labs', 'nothing'), [])
    assert.ok((await store.groupAudit('sports', 'team')).length > 0)
  })

  test('about texts that no table can hold find nothing', async () => {
    assert.deepEqual(await store.domainsByTag('😀'), [])
    assert.deepEqual(await store.domainsByAttribute('productId', '😀'), [])
    assert.deepEqual(await store.rolesOfMember('user.😀'), [])
    assert.equal(await store.principal('😀'), undefined)
    assert.deepEqual(await store.searchServices('😀', { substring: true, limit: 5 }), { names: [], total: 0 })
  })
})

test('the history of a role is cut to its limits', async () => {
  await using db = await startMariaDb()
  const database = await db.freshDatabase(SCHEMA)
  await db.load(database, DATA)
  const store = openStore(db, database, { write: { roleAudit: { max: 5, keep: 2 } } })
  for (let index = 0; index < 6; index++) {
    const value = { admin: 'user.admin', member: `user.m${index}`, created: 0, action: 'ADD' as const }
    await store.transact(['labs'], (transaction) => {
      transaction.apply({ kind: 'addRoleAudit', domain: 'labs', role: 'dated', value })
    })
  }
  const members = (await store.roleAudit('labs', 'dated')).map(({ member }) => member)
  assert.deepEqual(members.slice(-2), ['user.m4', 'user.m5'])
  assert.ok(members.length <= 5)
  await store.close()
})
