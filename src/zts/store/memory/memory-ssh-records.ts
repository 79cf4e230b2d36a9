import type { SshRecord, SshRecords } from '../ssh-records.ts'

/** Records that end with the process. */
export class MemorySshRecords implements SshRecords {
  readonly #records = new Map<string, SshRecord>()

  async get(instanceId: string, service: string): Promise<SshRecord | undefined> {
    return this.#records.get(keyOf(instanceId, service))
  }

  async put(record: SshRecord): Promise<void> {
    this.#records.set(keyOf(record.instanceId, record.service), record)
  }

  async delete(instanceId: string, service: string): Promise<void> {
    this.#records.delete(keyOf(instanceId, service))
  }
}

const keyOf = (...parts: readonly string[]) => JSON.stringify(parts)
