import { DatabaseError } from '#core/database/database-error.ts'
import { conflict } from '#core/error/service-error.ts'
import type { WorkloadRecord, WorkloadRecords } from '../workload-records.ts'
import type { RecordDatabase } from './record-database.ts'

interface Row {
  provider: string
  service: string
  ip: string
  instanceId: string
  hostname: string
  creationTime: Date | null
  updateTime: Date | null
  certExpiryTime: Date
}

const COLUMNS = 'provider, service, ip, instanceId, hostname, creationTime, updateTime, certExpiryTime'
const OF_SERVICE = `SELECT ${COLUMNS} FROM workloads WHERE service = ?`
const AT_ADDRESS = `SELECT ${COLUMNS} FROM workloads WHERE ip = ?`
const INSERT = `INSERT INTO workloads (provider, hostname, updateTime, certExpiryTime, creationTime, instanceId, ip, service)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
/** The key, with a comparison of bytes beside that of the index, which takes capital letters for small ones. */
const OF_KEY = ['instanceId', 'ip', 'service']
  .map((column) => `${column} = ? AND CAST(${column} AS BINARY) = ?`)
  .join(' AND ')
const UPDATE = `UPDATE workloads SET provider = ?, hostname = ?, updateTime = ?, certExpiryTime = ? WHERE ${OF_KEY}`

/** Records in the table `workloads` of an Athenz database. */
export class MySqlWorkloadRecords implements WorkloadRecords {
  readonly #database: RecordDatabase

  constructor(database: RecordDatabase) {
    this.#database = database
  }

  ofService(service: string): Promise<readonly WorkloadRecord[]> {
    return this.#records(OF_SERVICE, service)
  }

  atAddress(ip: string): Promise<readonly WorkloadRecord[]> {
    return this.#records(AT_ADDRESS, ip)
  }

  async put(record: WorkloadRecord): Promise<void> {
    const { instanceId, ip, service } = record
    const key = [instanceId, ip, service]
    const values = [record.provider, record.hostname, new Date(record.updateTime), new Date(record.certExpiryTime)]
    const kept = await this.#database.run(async (connection) => {
      const update = () => connection.change(UPDATE, [...values, ...key.flatMap((value) => [value, value])])
      if ((await update()).found > 0) return true
      try {
        await connection.change(INSERT, [...values, new Date(record.creationTime), ...key])
        return true
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.fault !== 'duplicate') throw error
        return (await update()).found > 0
      }
    })
    if (!kept) throw conflict('An instance whose names differ only in capital letters has a workload record')
  }

  close(): void {
    this.#database.close()
  }

  async #records(sql: string, value: string): Promise<WorkloadRecord[]> {
    const rows = await this.#database.run((connection) => connection.rows<Row>(sql, [value]))
    return rows.map(recordOf)
  }
}

const recordOf = (row: Row): WorkloadRecord => ({
  provider: row.provider,
  service: row.service,
  ip: row.ip,
  instanceId: row.instanceId,
  hostname: row.hostname,
  creationTime: row.creationTime?.getTime() ?? 0,
  updateTime: row.updateTime?.getTime() ?? 0,
  certExpiryTime: row.certExpiryTime.getTime(),
})
