import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DailyRun } from '#zms/notification/daily-run.ts'
import { newDomain } from '#zms/service/new-domain.ts'
import { Writes } from '#zms/service/writes.ts'
import type { MySqlStore } from '#zms/store/mysql/mysql-store.ts'
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts'
import { openStore } from '../../support/mysql-store.ts'
import { Harness } from '../service/harness.ts'
import { KeepingSender, outboxTo } from './fixture.ts'

const SCHEMA = join(import.meta.dirname, '../../../schema/zms_server.sql')
const DAY_MILLIS = 86_400_000
const MEMBERS = 300

describe('two servers on one database', () => {
  let db: MariaDb
  const stores: MySqlStore[] = []
  before(async () => {
    db = await startMariaDb()
  })
  after(async () => {
    for (const store of stores) await store.close()
    await db.stop()
  })

  test('tell everybody once, in one message, also after a restart', async () => {
    const zms = await Harness.open({ services: [] })
    const database = await db.freshDatabase(SCHEMA)
    const sender = new KeepingSender()
    /** A server of that name, as if it had just started. */
    const server = (hostname: string) => {
      const store = openStore(db, database)
      stores.push(store)
      const { config } = zms.deps
      const options = { serverName: hostname, audit: { record: () => {} }, auditedKinds: new Set<string>() }
      const parts = {
        ...zms.deps,
        config: { ...config, zms: { ...config.zms, hostname } },
        store,
        writes: new Writes({ ...options, store, now: zms.deps.now }),
      }
      return { store, run: () => new DailyRun(parts, outboxTo(sender, parts)).run() }
    }
    const [one, two] = [server('zms1'), server('zms2')]
    const value = newDomain({
      name: 'sports',
      admins: ['user.admin'],
      requestPrincipal: 'user.admin',
      settings: {},
    })
    const requestTime = zms.clock.millis - 31 * DAY_MILLIS
    await one.store.transact(['sports'], (transaction) => {
      transaction.apply(
        { kind: 'createDomain', domain: 'sports', value },
        { kind: 'putRole', domain: 'sports', value: { name: 'r', modified: 0, created: 0, reviewEnabled: true } },
        {
          kind: 'putPendingRoleMember',
          domain: 'sports',
          role: 'r',
          value: { memberName: 'user.slow', requestTime, pendingState: 'ADD' },
        },
      )
      for (let at = 0; at < MEMBERS; at++) {
        const expiration = Math.floor(zms.clock.millis / 1000) * 1000 + 7 * DAY_MILLIS
        const member = { memberName: `user.u${at}`, expiration }
        transaction.apply({ kind: 'putRoleMember', domain: 'sports', role: 'r', value: member })
      }
    })
    await Promise.all([one.run(), two.run()])
    const toAdmin = sender.sent.filter(({ recipients }) => recipients.includes('user.admin'))
    assert.deepEqual(
      toAdmin.map(({ sections }) => sections.map(({ topic, items }) => [topic, items.length])),
      [[['roleExpiryAdmin', MEMBERS]]],
    )
    assert.equal(sender.take().length, MEMBERS + 1)
    assert.equal((await two.store.domain('sports'))?.roles.get('r')?.pending.size, 0)
    const history = await two.store.roleAudit('sports', 'r')
    assert.deepEqual(
      history.map(({ action, member }) => [action, member]),
      [['REJECT', 'user.slow']],
    )

    await Promise.all([server('zms1').run(), server('zms3').run()])
    assert.deepEqual(sender.take(), [])
    zms.clock.millis += 4 * DAY_MILLIS
    await Promise.all([server('zms1').run(), server('zms3').run()])
    assert.equal(sender.take().length, MEMBERS + 1)
  })
})
