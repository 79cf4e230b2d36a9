import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import { MySqlAuthHistory } from '#core/history/mysql-auth-history.ts'
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts'
import { POOL_LIMITS, settingsFor } from '../../support/mysql-store.ts'
import { use } from './uses.ts'

const NOW_SECONDS = 1_800_000_000

let db: MariaDb
before(async () => {
  db = await startMariaDb()
})
after(() => db.stop())

const clock = { seconds: NOW_SECONDS }
const open = (name: string) =>
  new MySqlAuthHistory({
    settings: settingsFor(db, name),
    limits: POOL_LIMITS,
    retentionSeconds: 1000,
    now: () => clock.seconds * 1000,
  })
const names = (uses: readonly { principalName: string }[]) => uses.map(({ principalName }) => principalName).sort()
const recent = (principal: string, ago = 1) => use('sports', principal, NOW_SECONDS - ago)

suite('the history in MySQL', () => {
  test('lies beside the tables of ZMS, is shared by servers, and holds the latest use', async () => {
    const name = await db.freshDatabase('schema/zms_server.sql')
    const zms = open(name)
    const zts = open(name)
    assert.deepEqual(await zms.ofDomain('sports'), { incoming: [], outgoing: [] })
    await Promise.all([
      zms.record([recent('weather.api', 9), recent('weather.web', 1)]),
      zts.record([recent('weather.web', 5), recent('weather.api', 3)]),
    ])
    const { incoming } = await zms.ofDomain('sports')
    assert.deepEqual(
      incoming.toSorted((a, b) => a.epochSeconds - b.epochSeconds),
      [recent('weather.api', 3), recent('weather.web', 1)],
    )
    assert.equal((await zts.ofDomain('weather')).outgoing.length, 2)
    assert.equal((await zts.ofDomain('sports')).outgoing.length, 0)
    zms.close()
    zts.close()
  })

  test('takes large batches, and leaves out names that fit no column', async () => {
    const history = open(await db.freshDatabase('schema/zms_server.sql'))
    const many = Array.from({ length: 450 }, (_, at) => recent(`weather.s${at}`))
    const long = { ...recent('weather.long'), endpoint: 'x'.repeat(3000) }
    await history.record([...many, long, recent(`weather.${'n'.repeat(300)}`), recent('weather.é')])
    const { incoming } = await history.ofDomain('sports')
    assert.equal(incoming.length, 451)
    assert.equal(incoming.find(({ principalName }) => principalName === 'long')?.endpoint.length, 512)
    history.close()
  })

  test('forgets what is old', async () => {
    const name = await db.freshDatabase('schema/zms_server.sql')
    const history = open(name)
    await history.record([recent('weather.old', 999), recent('weather.new')])
    clock.seconds += 3601
    assert.deepEqual(names((await history.ofDomain('sports')).incoming), [])
    await history.record([{ ...recent('weather.api'), epochSeconds: clock.seconds }])
    assert.deepEqual(names(await db.query(`SELECT principal_name AS principalName FROM ${name}.athenz_auth_history`)), [
      'api',
    ])
    clock.seconds = NOW_SECONDS
    history.close()
  })

  test('is answered with 503 while the database is away, and writes are refused', async () => {
    const history = new MySqlAuthHistory({
      settings: { ...settingsFor(db, 'none'), port: 1 },
      limits: POOL_LIMITS,
      retentionSeconds: 1000,
      now: () => clock.seconds * 1000,
    })
    await assert.rejects(
      history.ofDomain('sports'),
      (error) => error instanceof ServiceError && error.code === 'unavailable',
    )
    await assert.rejects(history.record([recent('weather.api')]))
    history.close()
  })
})
