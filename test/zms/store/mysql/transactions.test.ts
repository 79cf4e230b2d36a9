import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import type { DomainChange } from '#zms/store/change.ts'
import type { MySqlStore } from '#zms/store/mysql/mysql-store.ts'
import type { Store, Transaction } from '#zms/store/store.ts'
import { type MariaDb, startMariaDb } from '../../../support/mariadb.ts'
import { openStore, POOL_LIMITS, settingsFor } from '../../../support/mysql-store.ts'

const SCHEMA = join(import.meta.dirname, '../../../../schema/zms_server.sql')
const DATA = join(import.meta.dirname, '../../../database/original-data.sql')

const putReader = (memberName: string, domain = 'sports'): DomainChange => ({
  kind: 'putRoleMember',
  domain,
  role: 'readers',
  value: { memberName, requestPrincipal: 'user.admin' },
})

const addReader = (store: Store, member: string) =>
  store.transact(['sports'], (transaction) => transaction.apply(putReader(member)))

const readers = async (store: Store, domain = 'sports') =>
  [...((await store.domain(domain))?.roles.get('readers')?.members.values() ?? [])].map(({ memberName }) => memberName)

/** Adds one to a number in the domain. */
const count = (store: Store) =>
  store.transact(['sports'], async (transaction: Transaction) => {
    const domain = await transaction.domain('sports')
    assert.ok(domain)
    const value = { ...domain, featureFlags: (domain.featureFlags ?? 0) + 1 }
    transaction.apply({ kind: 'putDomain', domain: 'sports', value })
  })

const createFresh = (store: Store, id: string) =>
  store.transact(['fresh'], async (transaction) => {
    if (await transaction.domain('fresh')) throw new ServiceError('bad-request', 'Entry already exists')
    const nothing = new Map<never, never>()
    transaction.apply({
      kind: 'createDomain',
      domain: 'fresh',
      value: {
        name: 'fresh',
        id,
        enabled: true,
        auditEnabled: false,
        ypmId: 0,
        modified: 0,
        created: 0,
        autoDeleteTenantAssumeRoleAssertions: false,
        clientIdSelfUpdate: false,
        roles: nothing,
        groups: nothing,
        policies: nothing,
        services: nothing,
        entities: nothing,
        templates: nothing,
        policiesRevision: 0,
      },
    })
  })

/** Moves the one membership that there is from one domain to another, if it is there. */
const moveBall = (store: Store, from: string, to: string) =>
  store.transact([from, to], async (transaction) => {
    const source = await transaction.domain(from)
    if (!source?.roles.get('admin')?.members.has('user.ball')) return
    transaction.apply(
      { kind: 'deleteRoleMember', domain: from, role: 'admin', member: 'user.ball' },
      { kind: 'putRoleMember', domain: to, role: 'admin', value: { memberName: 'user.ball' } },
    )
  })

/** The assertions of the domain's policy of its administrators, by action. */
const assertionsByAction = async (store: Pick<Store, 'domain'>) => {
  const policy = (await store.domain('sports'))?.policies.get('admin')?.get('0')
  return new Map([...(policy?.assertions ?? [])].map(([id, { action, conditions }]) => [action, { id, conditions }]))
}

describe('transactions of a MySQL store', () => {
  let db: MariaDb
  let database: string
  let store: MySqlStore
  let other: MySqlStore

  before(async () => {
    db = await startMariaDb({ args: ['--innodb-lock-wait-timeout=1'] })
  })
  after(() => db.stop())

  beforeEach(async () => {
    database = await db.freshDatabase(SCHEMA)
    await db.load(database, DATA)
    store = openStore(db, database)
    other = openStore(db, database)
  })
  afterEach(() => Promise.all([store.close(), other.close()]))

  const commits = async () => {
    const [row] = await db.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Com_commit'")
    return Number(row?.Value)
  }

  describe('of one domain', () => {
    test('that arrive together share a commit', async () => {
      await addReader(store, 'user.first')
      const earlier = await commits()
      await Promise.all(Array.from({ length: 100 }, (_, index) => addReader(store, `user.m${index}`)))
      const needed = (await commits()) - earlier
      assert.ok(needed < 50, `${needed} commits`)
      assert.equal((await readers(other)).filter((name) => /^user\.m\d+$/.test(name)).length, 100)
    })

    test('see each other in order, none with an earlier time than those before it', async () => {
      const seen = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          store.transact(['sports'], async (transaction) => {
            const members = (await transaction.domain('sports'))?.roles.get('readers')?.members
            const known = [...(members?.values() ?? [])].filter(({ memberName }) => memberName.startsWith('user.m'))
            transaction.apply(putReader(`user.m${index}`))
            return { now: transaction.now, known: known.length }
          }),
        ),
      )
      assert.deepEqual(
        seen.map(({ known }) => known),
        Array.from({ length: 20 }, (_, index) => index),
      )
      for (const [index, { now }] of seen.entries()) assert.ok(index === 0 || now >= (seen[index - 1]?.now ?? 0))
      assert.ok(((await store.domain('sports'))?.modified ?? 0) >= (seen.at(-1)?.now ?? 0))
    })

    test('see by query what those before them changed, and not their own changes', async () => {
      const [, found] = await Promise.all([
        addReader(store, 'user.early'),
        store.transact(['sports'], async (transaction) => {
          transaction.apply(putReader('user.late'))
          return {
            early: await transaction.queries.rolesOfMember('user.early'),
            late: await transaction.queries.rolesOfMember('user.late'),
          }
        }),
      ])
      assert.deepEqual(found.early, [{ domain: 'sports', collection: 'readers', member: 'user.early' }])
      assert.deepEqual(found.late, [])
    })

    test('fail one by one: what a transaction throws is its own', async () => {
      const outcomes = await Promise.allSettled([
        addReader(store, 'user.a'),
        store.transact(['sports'], (transaction) => {
          transaction.apply(putReader('user.b'))
          throw new ServiceError('quota', 'too many')
        }),
        addReader(store, 'user.c'),
      ])
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      )
      const names = await readers(other)
      assert.deepEqual(
        ['user.a', 'user.b', 'user.c'].map((name) => names.includes(name)),
        [true, false, true],
      )
      assert.deepEqual(await readers(store), names)
    })

    test('fail one by one: a value that does not fit is refused to whom it belongs', async () => {
      const tooLong = {
        ...putReader('user.b'),
        value: { memberName: 'user.b', auditRef: 'x'.repeat(600) },
      } as DomainChange
      const emoji = { ...putReader('user.d'), value: { memberName: 'user.d', auditRef: '😀' } } as DomainChange
      const outcomes = await Promise.allSettled([
        addReader(store, 'user.a'),
        store.transact(['sports'], (transaction) => transaction.apply(tooLong)),
        addReader(store, 'user.c'),
        store.transact(['sports'], (transaction) => transaction.apply(emoji)),
      ])
      assert.deepEqual(
        outcomes.map((outcome) =>
          outcome.status === 'rejected' ? [outcome.reason.status, outcome.reason.message] : 'done',
        ),
        ['done', [400, 'Schema violation - data too long'], 'done', [400, 'Schema violation - value not supported']],
      )
      const names = await readers(other)
      assert.deepEqual(
        ['user.a', 'user.b', 'user.c', 'user.d'].map((name) => names.includes(name)),
        [true, false, true, false],
      )
      assert.deepEqual(await readers(store), names)
    })

    test('find a large role as those before them left it', async () => {
      const crowd = Array.from({ length: 6000 }, (_, index) => putReader(`user.crowd${index}`))
      await store.transact(['sports'], (transaction) => transaction.apply(...crowd))
      const sizes = await Promise.all(
        ['user.x', 'user.y', 'user.z'].map((name) =>
          store.transact(['sports'], async (transaction) => {
            const size = (await transaction.domain('sports'))?.roles.get('readers')?.members.size
            transaction.apply(putReader(name))
            return size ?? 0
          }),
        ),
      )
      assert.deepEqual(
        sizes.map((size) => size - (sizes[0] ?? 0)),
        [0, 1, 2],
      )
    })
  })

  describe('of several servers', () => {
    test('lose no update', async () => {
      const start = (await store.domain('sports'))?.featureFlags ?? 0
      await Promise.all(Array.from({ length: 80 }, (_, index) => count(index % 2 === 0 ? store : other)))
      assert.equal((await store.domain('sports'))?.featureFlags, start + 80)
      assert.equal((await other.domain('sports'))?.featureFlags, start + 80)
    })

    test('create a domain once', async () => {
      const outcomes = await Promise.allSettled([
        ...['1', '2', '3'].map((id) => createFresh(store, id)),
        ...['4', '5', '6'].map((id) => createFresh(other, id)),
      ])
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.equal(outcome.reason.message, 'Entry already exists')
      }
      assert.equal((await store.domain('fresh'))?.id, (await other.domain('fresh'))?.id)
    })

    test('over several domains are seen together or not at all, by everybody', async () => {
      const first: DomainChange = {
        kind: 'putRoleMember',
        domain: 'labs',
        role: 'admin',
        value: { memberName: 'user.ball' },
      }
      await store.transact(['labs'], (transaction) => transaction.apply(first))
      const game = { over: false }
      const watch = async (each: Store) => {
        let looks = 0
        while (!game.over) {
          const found = await each.domains(['labs', 'sports', 'retail'])
          const holders = [...found.values()].filter(({ roles }) => roles.get('admin')?.members.has('user.ball'))
          assert.equal(holders.length, 1)
          looks++
        }
        return looks
      }
      const watchers = [watch(store), watch(other)]
      const places = ['labs', 'sports', 'retail']
      const moves = Array.from({ length: 120 }, (_, index) =>
        moveBall(
          index % 2 ? store : other,
          places[index % 3] as string,
          places[(index + 1 + (index % 2)) % 3] as string,
        ),
      )
      await Promise.all(moves)
      game.over = true
      for (const looks of await Promise.all(watchers)) assert.ok(looks > 0)
    })

    test('move the stamp of a domain forward, however far it is ahead of the clock', async () => {
      const future = Date.UTC(2050, 0, 1)
      await db.query(`UPDATE ${database}.domain SET modified = ? WHERE name = 'sports'`, [new Date(future)])
      await addReader(store, 'user.a')
      await addReader(other, 'user.b')
      assert.equal((await store.domain('sports'))?.modified, future + 2)
    })
  })

  describe('that the database gets in the way of', () => {
    test('wait for a lock, and are refused with 409 when patience ends', async () => {
      const impatient = openStore(db, database, { retry: { count: 1, sleepMillis: 10, totalMillis: 20_000 } })
      const holder = openStore(db, database)
      const { promise: release, resolve } = Promise.withResolvers<void>()
      const held = Promise.withResolvers<void>()
      const holding = holder.transact(['sports'], () => {
        held.resolve()
        return release
      })
      try {
        await held.promise
        await assert.rejects(addReader(impatient, 'user.a'), {
          status: 409,
          message: 'Concurrent update conflict, please retry your operation later.',
        })
        resolve()
        await holding
        await addReader(impatient, 'user.a')
        assert.ok((await readers(store)).includes('user.a'))
      } finally {
        await Promise.all([impatient.close(), holder.close()])
      }
    })

    test('are refused with 410 while it is read-only, and go on when it is not', async () => {
      await db.query(`CREATE USER IF NOT EXISTS 'zms'@'%' IDENTIFIED BY 'secret'`)
      await db.query(`GRANT ALL PRIVILEGES ON ${database}.* TO 'zms'@'%'`)
      const primary = { ...settingsFor(db, database), user: 'zms', password: 'secret' }
      const limited = openStore(db, database, { primary, retry: { count: 2, sleepMillis: 5, totalMillis: 20_000 } })
      try {
        await addReader(limited, 'user.a')
        await db.query('SET GLOBAL read_only = 1')
        await assert.rejects(addReader(limited, 'user.b'), {
          status: 410,
          message: 'MySQL Database running in read-only mode',
        })
        assert.equal((await limited.domain('sports'))?.name, 'sports')
        await db.query('SET GLOBAL read_only = 0')
        await addReader(limited, 'user.c')
        const names = await readers(limited)
        assert.deepEqual(
          [names.includes('user.a'), names.includes('user.b'), names.includes('user.c')],
          [true, false, true],
        )
      } finally {
        await db.query('SET GLOBAL read_only = 0')
        await limited.close()
      }
    })

    test('are answered with 503 when it is not there', async () => {
      const primary = { ...settingsFor(db, database), port: 1 }
      const nowhere = openStore(db, database, { primary })
      const expected = { status: 503, message: 'Database is not available' }
      await assert.rejects(addReader(nowhere, 'user.a'), expected)
      await assert.rejects(nowhere.domain('sports'), expected)
      await assert.rejects(nowhere.domainNames(), expected)
      assert.equal(await nowhere.check(), false)
      await nowhere.close()
    })

    test('make no connection wait for another of the same server', async () => {
      const pool = { ...POOL_LIMITS, maxTotal: 1 }
      const narrow = openStore(db, database, { pool })
      await Promise.all(
        ['sports', 'labs', 'retail', 'media'].map((name) =>
          narrow.transact([name], async (transaction) => {
            await transaction.domain('sports')
            await transaction.queries.domains(['labs', 'weather'])
            transaction.apply({ kind: 'touchDomain', domain: name })
          }),
        ),
      )
      await narrow.close()
    })
  })

  test('stand-ins of new assertions work within their transaction', async () => {
    const assertion = { role: 'readers', resource: 'sports:x', action: 'read', effect: 'ALLOW' as const }
    const place = { domain: 'sports', policy: 'admin', version: '0' }
    await store.transact(['sports'], async (transaction) => {
      transaction.apply(
        { kind: 'putAssertion', ...place, value: { ...assertion, action: 'one' } },
        {
          kind: 'addRoleAudit',
          domain: 'sports',
          role: 'readers',
          value: { admin: 'a', member: 'b', created: 0, action: 'ADD' },
        },
        { kind: 'putAssertion', ...place, value: { ...assertion, action: 'two' } },
        { kind: 'putAssertion', ...place, value: { ...assertion, action: 'three' } },
      )
      const view = await assertionsByAction({ domain: (name) => transaction.domain(name) })
      const condition = new Map([[1, new Map([['instances', { operator: 'EQUALS', value: 'h1' }]])]])
      transaction.apply(
        { kind: 'deleteAssertion', ...place, id: view.get('two')?.id ?? 0 },
        { kind: 'putConditions', ...place, id: view.get('three')?.id ?? 0, value: condition },
      )
    })
    for (const each of [store, other]) {
      const found = await assertionsByAction(each)
      assert.deepEqual([found.has('one'), found.has('two'), found.get('three')?.conditions?.size], [true, false, 1])
      for (const { id } of found.values()) assert.ok(id > 0)
    }
  })
})
