import { join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { conflict } from '#core/error/service-error.ts'
import {
  type CertificateRecord,
  type CertificateRecords,
  isClaimed,
  type UnrefreshedClaim,
} from '../certificate-records.ts'
import type { JournaledFolder } from './journaled-folder.ts'
import { RecordMembers } from './record-members.ts'

/** A renewal reads its record, issues the certificate and compares the record again: the second reading is for nothing. */
const REMEMBERED = 1_000
/** Short, because operators may change files by hand. */
const REMEMBERED_MILLIS = 2_000

/**
 * Records in files `{provider}-{instanceId}-{service}`, JSON with the members and the form of times (epoch milliseconds)
 * that existing servers use. A change is durable before it is answered, and in its file soon.
 */
export class FileCertificateRecords implements CertificateRecords {
  readonly #folder: JournaledFolder
  readonly #recent = new LRUCache<string, CertificateRecord>({ max: REMEMBERED, ttl: REMEMBERED_MILLIS })

  constructor(folder: JournaledFolder) {
    this.#folder = folder
  }

  async get(provider: string, instanceId: string, service: string): Promise<CertificateRecord | undefined> {
    const name = fileNameOf({ provider, instanceId, service })
    // Apart from writes, lest what was read before one is remembered after it.
    const record = await this.#folder.inTurn(name, () => this.#read(name))
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
      if (found && isOf(found, key)) await this.#remove(name)
    })
  }

  async deleteExpired(before: number, limit: number): Promise<number> {
    let deleted = 0
    for (const name of await this.#folder.names()) {
      if (limit > 0 && deleted >= limit) break
      const expired = await this.#folder.inTurn(name, async () => {
        const found = await this.#read(name)
        if (found === undefined || found.currentTime >= before) return false
        await this.#remove(name)
        return true
      })
      if (expired) deleted++
    }
    return deleted
  }

  async claimUnrefreshed(claim: UnrefreshedClaim): Promise<CertificateRecord[]> {
    const claimed: CertificateRecord[] = []
    for (const name of await this.#folder.names()) {
      await this.#folder.inTurn(name, async () => {
        const found = await this.#read(name)
        if (found === undefined || !isClaimed(found, claim)) return
        const noted = { ...found, lastNotifiedTime: claim.at, lastNotifiedServer: claim.server }
        await this.#write(name, noted)
        claimed.push(noted)
      })
    }
    return claimed
  }

  check(): Promise<string | undefined> {
    return this.#folder.check()
  }

  close(): Promise<void> {
    return this.#folder.close()
  }

  async #read(name: string): Promise<CertificateRecord | undefined> {
    const recent = this.#recent.get(name)
    if (recent !== undefined) return recent
    const members = await this.#folder.read(name)
    const record = members && recordOf(new RecordMembers(members, join(this.#folder.folder, name)))
    if (record !== undefined) this.#recent.set(name, record)
    return record
  }

  async #write(name: string, record: CertificateRecord): Promise<void> {
    await this.#folder.write(name, documentOf(record))
    this.#recent.set(name, record)
  }

  async #remove(name: string): Promise<void> {
    await this.#folder.remove(name)
    this.#recent.delete(name)
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
