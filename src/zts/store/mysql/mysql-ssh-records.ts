import { DatabaseError } from '#core/database/database-error.ts'
import { conflict } from '#core/error/service-error.ts'
import type { SshRecord, SshRecords } from '../ssh-records.ts'
import type { RecordDatabase } from './record-database.ts'

interface Row {
  instanceId: string
  service: string
  principals: string
  clientIP: string
  privateIP: string
  issueTime: Date
}

/** The key, with a comparison of bytes beside that of the index, which takes capital letters for small ones. */
const OF_KEY = ['instanceId', 'service']
  .map((column) => `${column} = ? AND CAST(${column} AS BINARY) = ?`)
  .join(' AND ')
const SELECT = `SELECT instanceId, service, principals, clientIP, privateIP, issueTime FROM ssh_certificates WHERE ${OF_KEY}`
const INSERT = `INSERT INTO ssh_certificates (principals, clientIP, privateIP, issueTime, instanceId, service)
  VALUES (?, ?, ?, ?, ?, ?)`
const UPDATE = `UPDATE ssh_certificates SET principals = ?, clientIP = ?, privateIP = ?, issueTime = ? WHERE ${OF_KEY}`
const DELETE = `DELETE FROM ssh_certificates WHERE ${OF_KEY}`

/** Records in the table `ssh_certificates` of an Athenz database. */
export class MySqlSshRecords implements SshRecords {
  readonly #database: RecordDatabase

  constructor(database: RecordDatabase) {
    this.#database = database
  }

  async get(instanceId: string, service: string): Promise<SshRecord | undefined> {
    const values = keyValues(instanceId, service)
    const [row] = await this.#database.run((connection) => connection.rows<Row>(SELECT, values))
    return row && recordOf(row)
  }

  async put(record: SshRecord): Promise<void> {
    const { instanceId, service, principals, clientIp, privateIp } = record
    const values = [principals, clientIp, privateIp, new Date(record.issueTime)]
    const kept = await this.#database.run(async (connection) => {
      try {
        await connection.change(INSERT, [...values, instanceId, service])
        return true
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.fault !== 'duplicate') throw error
        const { found } = await connection.change(UPDATE, [...values, ...keyValues(instanceId, service)])
        return found > 0
      }
    })
    if (!kept) throw conflict('An instance whose names differ only in capital letters has an SSH record')
  }

  async delete(instanceId: string, service: string): Promise<void> {
    await this.#database.run((connection) => connection.change(DELETE, keyValues(instanceId, service)))
  }

  close(): void {
    this.#database.close()
  }
}

const keyValues = (instanceId: string, service: string) => [instanceId, instanceId, service, service]

const recordOf = (row: Row): SshRecord => ({
  instanceId: row.instanceId,
  service: row.service,
  principals: row.principals,
  clientIp: row.clientIP,
  privateIp: row.privateIP,
  issueTime: row.issueTime.getTime(),
})
