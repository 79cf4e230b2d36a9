import { join } from 'node:path'
import { MemoryWorkloadRecords } from '../memory/memory-workload-records.ts'
import type { WorkloadRecord, WorkloadRecords } from '../workload-records.ts'
import type { RecordFolder } from './record-folder.ts'
import { RecordMembers } from './record-members.ts'

/**
 * Records in two files each, `{service}-{instanceId}-{ip}` and `{ip}-{instanceId}-{service}`, as existing servers have
 * them. Read once, at the first use, and then answered from memory: names alone do not tell which service a file is of.
 */
export class FileWorkloadRecords implements WorkloadRecords {
  readonly #folder: RecordFolder
  #loaded: Promise<MemoryWorkloadRecords> | undefined

  constructor(folder: RecordFolder) {
    this.#folder = folder
  }

  async ofService(service: string): Promise<readonly WorkloadRecord[]> {
    return (await this.#records()).ofService(service)
  }

  async atAddress(ip: string): Promise<readonly WorkloadRecord[]> {
    return (await this.#records()).atAddress(ip)
  }

  async put(record: WorkloadRecord): Promise<void> {
    const records = await this.#records()
    const [name, ...others] = fileNamesOf(record) as [string, string]
    await this.#folder.inTurn(name, async () => {
      const document = documentOf(records.keep(record))
      // What is lost in a crash is written again when the instance renews its certificate.
      for (const each of [name, ...others]) await this.#folder.write(each, document, { durable: false })
    })
  }

  close(): Promise<void> {
    return this.#folder.close()
  }

  #records(): Promise<MemoryWorkloadRecords> {
    this.#loaded ??= this.#load()
    // A failure may pass: the next question tries again.
    this.#loaded.catch(() => {
      this.#loaded = undefined
    })
    return this.#loaded
  }

  async #load(): Promise<MemoryWorkloadRecords> {
    const records = new MemoryWorkloadRecords()
    for (const name of await this.#folder.names()) {
      const members = await this.#folder.read(name)
      if (members === undefined) continue
      const record = recordOf(new RecordMembers(members, join(this.#folder.folder, name)))
      // Each is there twice.
      if (name === fileNamesOf(record)[0]) records.keep(record)
    }
    return records
  }
}

const fileNamesOf = ({ service, instanceId, ip }: WorkloadRecord) => [
  `${service}-${instanceId}-${ip}`,
  `${ip}-${instanceId}-${service}`,
]

const documentOf = (record: WorkloadRecord) => ({
  service: record.service,
  provider: record.provider,
  instanceId: record.instanceId,
  ip: record.ip,
  creationTime: record.creationTime,
  updateTime: record.updateTime,
  hostname: record.hostname,
  certExpiryTime: record.certExpiryTime,
})

const recordOf = (members: RecordMembers): WorkloadRecord => ({
  provider: members.text('provider'),
  service: members.text('service'),
  ip: members.text('ip'),
  instanceId: members.text('instanceId'),
  hostname: members.optionalText('hostname') ?? 'NA',
  creationTime: members.time('creationTime'),
  updateTime: members.time('updateTime'),
  certExpiryTime: members.optionalTime('certExpiryTime') ?? 0,
})
