import { DatabaseError } from '#core/database/database-error.ts'
import type { SqlValue } from '#core/database/mysql-connection.ts'
import { conflict } from '#core/error/service-error.ts'
import type { CertificateRecord, CertificateRecords, UnrefreshedClaim } from '../certificate-records.ts'
import type { RecordDatabase } from './record-database.ts'

interface Row {
  provider: string
  instanceId: string
  service: string
  currentSerial: string
  currentTime: Date
  currentIP: string
  prevSerial: string
  prevTime: Date
  prevIP: string
  clientCert: number
  lastNotifiedTime: Date | null
  lastNotifiedServer: string | null
  expiryTime: Date | null
  hostName: string | null
  siaProvider: string | null
}

/** Columns that a new certificate changes; those of notifications belong to whoever sends them. */
const VALUE_COLUMNS = [
  'currentSerial',
  'currentTime',
  'currentIP',
  'prevSerial',
  'prevTime',
  'prevIP',
  'clientCert',
  'expiryTime',
  'hostName',
  'siaProvider',
]
const KEY_COLUMNS = ['provider', 'instanceId', 'service']
/** The key, with a comparison of bytes beside that of the index, which takes capital letters for small ones. */
const OF_KEY = KEY_COLUMNS.map((column) => `${column} = ? AND CAST(${column} AS BINARY) = ?`).join(' AND ')
const SELECT_ANY = `SELECT ${[...KEY_COLUMNS, ...VALUE_COLUMNS].join(', ')}, lastNotifiedTime, lastNotifiedServer
  FROM certificates WHERE`
const SELECT = `${SELECT_ANY} ${OF_KEY}`
const ASSIGNMENTS = VALUE_COLUMNS.map((column) => `${column} = ?`).join(', ')
const INSERT = `INSERT INTO certificates (provider, instanceId, service, ${VALUE_COLUMNS.join(', ')})
  VALUES (?, ?, ?, ${VALUE_COLUMNS.map(() => '?').join(', ')})`
const REPLACE = `UPDATE certificates SET ${ASSIGNMENTS}, lastNotifiedTime = NULL, lastNotifiedServer = NULL WHERE ${OF_KEY}`
const UPDATE = `UPDATE certificates SET ${ASSIGNMENTS} WHERE ${OF_KEY} AND currentSerial = ?`
/** One statement, so that of several servers one gets a record. */
const CLAIM = `UPDATE certificates SET lastNotifiedTime = ?, lastNotifiedServer = ?
  WHERE provider = ? AND currentTime < ? AND (lastNotifiedTime IS NULL OR lastNotifiedTime < ?)`
const CLAIMED = `${SELECT_ANY} lastNotifiedTime = ? AND lastNotifiedServer = ? AND provider = ?`
const DELETE = `DELETE FROM certificates WHERE ${OF_KEY}`
/** So many rows are locked at one time when old ones are removed. */
const DELETE_BATCH = 1000

/** Records in the table `certificates` of an Athenz database. It has no column for `svcDataUpdateTime`. */
export class MySqlCertificateRecords implements CertificateRecords {
  readonly #database: RecordDatabase

  constructor(database: RecordDatabase) {
    this.#database = database
  }

  async get(provider: string, instanceId: string, service: string): Promise<CertificateRecord | undefined> {
    const rows = await this.#database.run((connection) =>
      connection.rows<Row>(SELECT, keyValues({ provider, instanceId, service })),
    )
    return rows[0] && recordOf(rows[0])
  }

  async insert(record: CertificateRecord): Promise<void> {
    const { provider, instanceId, service } = record
    const kept = await this.#database.run(async (connection) => {
      try {
        await connection.change(INSERT, [provider, instanceId, service, ...valuesOf(record)])
        return true
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.fault !== 'duplicate') throw error
        const { found } = await connection.change(REPLACE, [...valuesOf(record), ...keyValues(record)])
        return found > 0
      }
    })
    if (!kept) throw conflict('An instance whose names differ only in capital letters has a certificate record')
  }

  async update(record: CertificateRecord, replaced: string): Promise<boolean> {
    let attempts = 0
    return await this.#database.run(async (connection) => {
      attempts++
      const { found } = await connection.change(UPDATE, [...valuesOf(record), ...keyValues(record), replaced])
      if (found > 0 || attempts === 1) return found > 0
      // The attempt before may have succeeded although its answer was lost.
      const [row] = await connection.rows<Row>(SELECT, keyValues(record))
      return row?.currentSerial === record.currentSerial
    })
  }

  async delete(provider: string, instanceId: string, service: string): Promise<void> {
    await this.#database.run((connection) => connection.change(DELETE, keyValues({ provider, instanceId, service })))
  }

  async deleteExpired(before: number, limit: number): Promise<number> {
    for (let deleted = 0; ; ) {
      const batch = limit > 0 ? Math.min(DELETE_BATCH, limit - deleted) : DELETE_BATCH
      if (batch === 0) return deleted
      // The number is ours, and servers differ in whether they take it as a parameter.
      const sql = `DELETE FROM certificates WHERE currentTime < ? ORDER BY provider, instanceId, service LIMIT ${batch}`
      const { found } = await this.#database.run((connection) => connection.change(sql, [new Date(before)]))
      deleted += found
      if (found < batch) return deleted
    }
  }

  async claimUnrefreshed({
    provider,
    issuedBefore,
    server,
    at,
    notSince,
  }: UnrefreshedClaim): Promise<CertificateRecord[]> {
    const note = [new Date(at), server]
    let attempts = 0
    const rows = await this.#database.run(async (connection) => {
      const condition = [provider, new Date(issuedBefore), new Date(notSince)]
      attempts++
      const { found } = await connection.change(CLAIM, [...note, ...condition])
      // The attempt before may have succeeded although its answer was lost.
      return found > 0 || attempts > 1 ? connection.rows<Row>(CLAIMED, [...note, provider]) : []
    })
    return rows.map(recordOf)
  }

  close(): void {
    this.#database.close()
  }
}

type Key = Pick<CertificateRecord, 'provider' | 'instanceId' | 'service'>

const keyValues = ({ provider, instanceId, service }: Key) =>
  [provider, instanceId, service].flatMap((value) => [value, value])

const valuesOf = (record: CertificateRecord): SqlValue[] => [
  record.currentSerial,
  new Date(record.currentTime),
  record.currentIp,
  record.prevSerial,
  new Date(record.prevTime),
  record.prevIp,
  record.clientCert ? 1 : 0,
  record.expiryTime === undefined ? null : new Date(record.expiryTime),
  record.hostName ?? null,
  record.siaProvider ?? null,
]

const recordOf = (row: Row): CertificateRecord => ({
  provider: row.provider,
  instanceId: row.instanceId,
  service: row.service,
  currentSerial: row.currentSerial,
  currentTime: row.currentTime.getTime(),
  currentIp: row.currentIP,
  prevSerial: row.prevSerial,
  prevTime: row.prevTime.getTime(),
  prevIp: row.prevIP,
  clientCert: row.clientCert === 1,
  lastNotifiedTime: row.lastNotifiedTime?.getTime(),
  lastNotifiedServer: row.lastNotifiedServer ?? undefined,
  expiryTime: row.expiryTime?.getTime(),
  hostName: row.hostName ?? undefined,
  siaProvider: row.siaProvider ?? undefined,
})
