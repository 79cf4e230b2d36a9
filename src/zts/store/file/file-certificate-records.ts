import { join } from 'node:path'
import { conflict } from '#core/error/service-error.ts'
import type { CertificateRecord, CertificateRecords } from '../certificate-records.ts'
import type { RecordFolder } from './record-folder.ts'
import { RecordMembers } from './record-members.ts'

/**
 * Records in files `{provider}-{instanceId}-{service}`, JSON with the members and the form of times (epoch milliseconds)
 * that existing servers use. A change is durable before it is answered.
 */
export class FileCertificateRecords implements CertificateRecords {
  readonly #folder: RecordFolder

  constructor(folder: RecordFolder) {
    this.#folder = folder
  }

  async get(provider: string, instanceId: string, service: string): Promise<CertificateRecord | undefined> {
    const record = await this.#read(fileNameOf({ provider, instanceId, service }))
    return record && isOf(record, { provider, instanceId, service }) ? record : undefined
  }

  async insert(record: CertificateRecord): Promise<void> {
    const name = fileNameOf(record)
    await this.#folder.inTurn(name, async () => {
      const found = await this.#read(name)
      // `a-b`, `c` and `a`, `b-c` share a name.
      if (found && !isOf(found, record)) throw conflict('Another instance has a certificate record of that name')
      await this.#write(name, record)
    })
  }

  async update(record: CertificateRecord, replaced: string): Promise<boolean> {
    const name = fileNameOf(record)
    return await this.#folder.inTurn(name, async () => {
      const found = await this.#read(name)
      if (found === undefined || !isOf(found, record) || found.currentSerial !== replaced) return false
      await this.#write(name, record)
      return true
    })
  }

  async delete(provider: string, instanceId: string, service: string): Promise<void> {
    const key = { provider, instanceId, service }
    const name = fileNameOf(key)
    await this.#folder.inTurn(name, async () => {
      const found = await this.#read(name)
      if (found && isOf(found, key)) await this.#folder.remove(name)
    })
  }

  async deleteExpired(before: number, limit: number): Promise<number> {
    let deleted = 0
    for (const name of await this.#folder.names()) {
      if (limit > 0 && deleted >= limit) break
      const expired = await this.#folder.inTurn(name, async () => {
        const found = await this.#read(name)
        if (found === undefined || found.currentTime >= before) return false
        await this.#folder.remove(name)
        return true
      })
      if (expired) deleted++
    }
    return deleted
  }

  close(): Promise<void> {
    return this.#folder.close()
  }

  async #read(name: string): Promise<CertificateRecord | undefined> {
    const members = await this.#folder.read(name)
    return members && recordOf(new RecordMembers(members, join(this.#folder.folder, name)))
  }

  #write(name: string, record: CertificateRecord): Promise<void> {
    return this.#folder.write(name, documentOf(record), { durable: true })
  }
}

type Key = Pick<CertificateRecord, 'provider' | 'instanceId' | 'service'>

const fileNameOf = ({ provider, instanceId, service }: Key) => `${provider}-${instanceId}-${service}`

const isOf = (record: Key, { provider, instanceId, service }: Key) =>
  record.provider === provider && record.instanceId === instanceId && record.service === service

const documentOf = (record: CertificateRecord) => ({
  provider: record.provider,
  instanceId: record.instanceId,
  service: record.service,
  currentSerial: record.currentSerial,
  currentTime: record.currentTime,
  currentIP: record.currentIp,
  prevSerial: record.prevSerial,
  prevTime: record.prevTime,
  prevIP: record.prevIp,
  clientCert: record.clientCert,
  lastNotifiedTime: record.lastNotifiedTime ?? null,
  lastNotifiedServer: record.lastNotifiedServer ?? null,
  expiryTime: record.expiryTime ?? null,
  hostName: record.hostName ?? null,
  siaProvider: record.siaProvider ?? null,
  svcDataUpdateTime: record.svcDataUpdateTime ?? null,
})

const recordOf = (members: RecordMembers): CertificateRecord => ({
  provider: members.text('provider'),
  instanceId: members.text('instanceId'),
  service: members.text('service'),
  currentSerial: members.text('currentSerial'),
  currentTime: members.time('currentTime'),
  currentIp: members.text('currentIP'),
  prevSerial: members.text('prevSerial'),
  prevTime: members.time('prevTime'),
  prevIp: members.text('prevIP'),
  clientCert: members.flag('clientCert'),
  lastNotifiedTime: members.optionalTime('lastNotifiedTime'),
  lastNotifiedServer: members.optionalText('lastNotifiedServer'),
  expiryTime: members.optionalTime('expiryTime'),
  hostName: members.optionalText('hostName'),
  siaProvider: members.optionalText('siaProvider'),
  svcDataUpdateTime: members.optionalTime('svcDataUpdateTime'),
})
