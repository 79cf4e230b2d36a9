import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import { MySqlCertificateRecords } from '#zts/store/mysql/mysql-certificate-records.ts'
import { MySqlSshRecords } from '#zts/store/mysql/mysql-ssh-records.ts'
import { MySqlWorkloadRecords } from '#zts/store/mysql/mysql-workload-records.ts'
import { RecordDatabase } from '#zts/store/mysql/record-database.ts'
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts'
import { POOL_LIMITS, settingsFor } from '../../support/mysql-store.ts'
import { certificateRecord, certificateRecordSuite, sshRecordSuite, workloadRecordSuite } from './record-suites.ts'

const SCHEMA = 'schema/zts_server.sql'

let db: MariaDb
before(async () => {
  db = await startMariaDb({ durable: true })
})
after(() => db.stop())

const open = async () => new RecordDatabase(settingsFor(db, await db.freshDatabase(SCHEMA)), POOL_LIMITS)

suite('certificate records in MySQL', () => {
  certificateRecordSuite(async () => new MySqlCertificateRecords(await open()))

  test('are those of the table, in the columns and the form of times that existing servers use', async () => {
    const name = await db.freshDatabase(SCHEMA)
    const records = new MySqlCertificateRecords(new RecordDatabase(settingsFor(db, name), POOL_LIMITS))
    await db.query(
      `INSERT INTO ${name}.certificates VALUES ('sys.auth.zts', 'shop-0002', 'retail.shop', '13118', '2026-11-22 04:07:20.000',
       '127.0.0.1', '13117', '2026-11-21 04:07:20.000', '127.0.0.2', 1, '2026-11-22 05:00:00.250', 'zts-1', '2026-12-22 04:07:20.000',
       'shop-0002.shop.retail.zts.athenz.cloud', NULL)`,
    )
    const found = await records.get('sys.auth.zts', 'shop-0002', 'retail.shop')
    assert.deepEqual(found, {
      provider: 'sys.auth.zts',
      instanceId: 'shop-0002',
      service: 'retail.shop',
      currentSerial: '13118',
      currentTime: Date.parse('2026-11-22T04:07:20Z'),
      currentIp: '127.0.0.1',
      prevSerial: '13117',
      prevTime: Date.parse('2026-11-21T04:07:20Z'),
      prevIp: '127.0.0.2',
      clientCert: true,
      lastNotifiedTime: Date.parse('2026-11-22T05:00:00.250Z'),
      lastNotifiedServer: 'zts-1',
      expiryTime: Date.parse('2026-12-22T04:07:20Z'),
      hostName: 'shop-0002.shop.retail.zts.athenz.cloud',
      siaProvider: undefined,
    })
    await records.update({ ...found, currentSerial: '13119' }, '13118')
    const [row] = await db.query(
      `SELECT currentSerial, CAST(currentTime AS CHAR) AS currentTime, CAST(lastNotifiedTime AS CHAR) AS notified FROM ${name}.certificates`,
    )
    assert.deepEqual(
      { ...row },
      { currentSerial: '13119', currentTime: '2026-11-22 04:07:20.000', notified: '2026-11-22 05:00:00.250' },
    )
    records.close()
  })

  test('an unreachable database is unavailable, and the first question after its return is answered', async () => {
    const name = await db.freshDatabase(SCHEMA)
    const records = new MySqlCertificateRecords(new RecordDatabase(settingsFor(db, name), POOL_LIMITS))
    const record = certificateRecord()
    await records.insert(record)
    await db.crash()
    try {
      const isAway = (error: unknown) =>
        error instanceof ServiceError && error.code === 'unavailable' && error.headers?.['retry-after'] === '10'
      await assert.rejects(records.get(record.provider, record.instanceId, record.service), isAway)
      await assert.rejects(records.insert(record), isAway)
      await assert.rejects(records.update(record, record.currentSerial), isAway)
      await assert.rejects(records.delete(record.provider, record.instanceId, record.service), isAway)
    } finally {
      await db.restart()
    }
    const found = await records.get(record.provider, record.instanceId, record.service)
    assert.equal(found?.currentSerial, record.currentSerial)
    records.close()
  })

  test('more than one batch of old records is removed', async () => {
    const name = await db.freshDatabase(SCHEMA)
    const records = new MySqlCertificateRecords(new RecordDatabase(settingsFor(db, name), POOL_LIMITS))
    await db.query(
      `INSERT INTO ${name}.certificates (provider, instanceId, service, currentSerial, currentTime, currentIP, prevSerial, prevTime, prevIP)
       SELECT 'p', seq, 's', '1', '2020-01-01', '', '1', '2020-01-01', '' FROM ${name}_seq`.replace(
        `${name}_seq`,
        'mysql.seq_1_to_2500',
      ),
    )
    assert.equal(await records.deleteExpired(Date.parse('2021-01-01T00:00:00Z'), 1500), 1500)
    assert.equal(await records.deleteExpired(Date.parse('2021-01-01T00:00:00Z'), 0), 1000)
    records.close()
  })
})

suite('SSH records in MySQL', () => sshRecordSuite(async () => new MySqlSshRecords(await open())))
suite('workload records in MySQL', () => workloadRecordSuite(async () => new MySqlWorkloadRecords(await open())))
