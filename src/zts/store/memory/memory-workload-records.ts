import type { WorkloadRecord, WorkloadRecords } from '../workload-records.ts'

/** Records that end with the process, with an index for each question. */
export class MemoryWorkloadRecords implements WorkloadRecords {
  readonly #byService = new Map<string, Map<string, WorkloadRecord>>()
  readonly #byAddress = new Map<string, Map<string, WorkloadRecord>>()

  async ofService(service: string): Promise<readonly WorkloadRecord[]> {
    return [...(this.#byService.get(service)?.values() ?? [])]
  }

  async atAddress(ip: string): Promise<readonly WorkloadRecord[]> {
    return [...(this.#byAddress.get(ip)?.values() ?? [])]
  }

  async put(record: WorkloadRecord): Promise<void> {
    this.keep(record)
  }

  /** As `put`; gives the record as it is kept, with the creation time that it may have had before. */
  keep(record: WorkloadRecord): WorkloadRecord {
    const key = JSON.stringify([record.instanceId, record.ip, record.service])
    const former = this.#byService.get(record.service)?.get(key)
    const kept = former ? { ...record, creationTime: former.creationTime } : record
    within(this.#byService, record.service).set(key, kept)
    within(this.#byAddress, record.ip).set(key, kept)
    return kept
  }
}

function within<Value>(index: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  let values = index.get(key)
  if (values === undefined) index.set(key, (values = new Map()))
  return values
}
