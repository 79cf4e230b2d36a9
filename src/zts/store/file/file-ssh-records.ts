import { join } from 'node:path'
import { conflict } from '#core/error/service-error.ts'
import type { SshRecord, SshRecords } from '../ssh-records.ts'
import type { RecordFolder } from './record-folder.ts'
import { RecordMembers } from './record-members.ts'

/** Records in files `{instanceId}-{service}`, JSON with the members that existing servers use. */
export class FileSshRecords implements SshRecords {
  readonly #folder: RecordFolder

  constructor(folder: RecordFolder) {
    this.#folder = folder
  }

  async get(instanceId: string, service: string): Promise<SshRecord | undefined> {
    const record = await this.#read(fileNameOf({ instanceId, service }))
    return record && isOf(record, { instanceId, service }) ? record : undefined
  }

  async put(record: SshRecord): Promise<void> {
    const name = fileNameOf(record)
    await this.#folder.inTurn(name, async () => {
      const found = await this.#read(name)
      if (found && !isOf(found, record)) throw conflict('Another instance has an SSH record of that name')
      await this.#folder.write(name, documentOf(record), { durable: true })
    })
  }

  async delete(instanceId: string, service: string): Promise<void> {
    const name = fileNameOf({ instanceId, service })
    await this.#folder.inTurn(name, async () => {
      const found = await this.#read(name)
      if (found && isOf(found, { instanceId, service })) await this.#folder.remove(name)
    })
  }

  close(): Promise<void> {
    return this.#folder.close()
  }

  async #read(name: string): Promise<SshRecord | undefined> {
    const members = await this.#folder.read(name)
    return members && recordOf(new RecordMembers(members, join(this.#folder.folder, name)))
  }
}

type Key = Pick<SshRecord, 'instanceId' | 'service'>

const fileNameOf = ({ instanceId, service }: Key) => `${instanceId}-${service}`

const isOf = (record: Key, { instanceId, service }: Key) =>
  record.instanceId === instanceId && record.service === service

const documentOf = (record: SshRecord) => ({
  instanceId: record.instanceId,
  service: record.service,
  principals: record.principals,
  clientIP: record.clientIp,
  privateIP: record.privateIp,
  issueTime: record.issueTime,
})

/** Existing servers leave out what they do not know, the time of issue too. */
const recordOf = (members: RecordMembers): SshRecord => ({
  instanceId: members.text('instanceId'),
  service: members.text('service'),
  principals: members.optionalText('principals') ?? '',
  clientIp: members.optionalText('clientIP') ?? '',
  privateIp: members.optionalText('privateIP') ?? '',
  issueTime: members.optionalTime('issueTime') ?? 0,
})
