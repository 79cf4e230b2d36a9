import {
  type CertificateRecord,
  type CertificateRecords,
  isClaimed,
  type UnrefreshedClaim,
} from '../certificate-records.ts'

/** Records that end with the process. */
export class MemoryCertificateRecords implements CertificateRecords {
  readonly #records = new Map<string, CertificateRecord>()

  async get(provider: string, instanceId: string, service: string): Promise<CertificateRecord | undefined> {
    return this.#records.get(keyOf(provider, instanceId, service))
  }

  async insert(record: CertificateRecord): Promise<void> {
    this.#records.set(keyOf(record.provider, record.instanceId, record.service), record)
  }

  async update(record: CertificateRecord, replaced: string): Promise<boolean> {
    const key = keyOf(record.provider, record.instanceId, record.service)
    if (this.#records.get(key)?.currentSerial !== replaced) return false
    this.#records.set(key, record)
    return true
  }

  async delete(provider: string, instanceId: string, service: string): Promise<void> {
    this.#records.delete(keyOf(provider, instanceId, service))
  }

  async deleteExpired(before: number, limit: number): Promise<number> {
    let deleted = 0
    for (const [key, { currentTime }] of this.#records) {
      if (limit > 0 && deleted >= limit) break
      if (currentTime >= before) continue
      this.#records.delete(key)
      deleted++
    }
    return deleted
  }

  async claimUnrefreshed(claim: UnrefreshedClaim): Promise<CertificateRecord[]> {
    const claimed: CertificateRecord[] = []
    for (const [key, record] of this.#records) {
      if (!isClaimed(record, claim)) continue
      const noted = { ...record, lastNotifiedTime: claim.at, lastNotifiedServer: claim.server }
      this.#records.set(key, noted)
      claimed.push(noted)
    }
    return claimed
  }
}

const keyOf = (...parts: readonly string[]) => JSON.stringify(parts)
