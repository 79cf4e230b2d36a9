import { setTimeout as pause } from 'node:timers/promises'
import type { HttpsClient } from './https-client.ts'
import type { RegisterValue } from './linearizability.ts'
import type { Register } from './registers.ts'
import type { RecordedOperation } from './workload.ts'

/** What a ZTS showed of a register, one after the other; repetitions are left out. */
export type Sightings = RegisterValue[]

const WATCH_MILLIS = 50

/** Asks a ZTS all the time for the public keys that clients change through ZMS. */
export class ZtsWatch {
  readonly #http: HttpsClient
  readonly #base: string
  readonly sightings: ReadonlyMap<Register, Sightings>

  /** `base` is the base URL of the ZTS; of the registers, only public keys are watched. */
  constructor(http: HttpsClient, base: string, registers: readonly Register[]) {
    this.#http = http
    this.#base = base
    const keys = registers.filter(({ name }) => name.startsWith('public key '))
    this.sightings = new Map(keys.map((register) => [register, []]))
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      for (const register of this.sightings.keys()) await this.look(register)
      await pause(WATCH_MILLIS)
    }
  }

  /** What ZTS says now; undefined also when it has no such key, `no answer` when it says nothing. */
  async look(register: Register): Promise<RegisterValue> {
    const [read] = register.reads
    if (read === undefined) return undefined
    const answer = await this.#http
      .ask(`${this.#base}${read.request.path}`, 'GET')
      .catch(() => ({ status: 0, body: '' }))
    if (answer.status !== 200 && answer.status !== 404) return 'no answer'
    const { value } = read.action(answer) as { value: RegisterValue }
    const seen = this.sightings.get(register) as Sightings
    if (seen.length === 0 || seen.at(-1) !== value) seen.push(value)
    return value
  }
}

/** Values of a register that a ZTS showed after a newer one, or that nobody wrote. */
export function backwardSteps(seen: Sightings, history: readonly RecordedOperation[]): string[] {
  const writes = new Map<string, RecordedOperation>()
  for (const operation of history) {
    if (operation.kind === 'write' && operation.value !== undefined) writes.set(operation.value, operation)
  }
  const wrong: string[] = []
  let newest: RecordedOperation | undefined
  for (const value of seen) {
    // Nothing is what a register holds at the beginning and after each deletion: it does not tell which.
    if (value === undefined) continue
    const write = writes.get(value)
    if (write === undefined) {
      wrong.push(`${value} was never written`)
      continue
    }
    if (newest !== undefined && (write.returnedAt ?? Number.POSITIVE_INFINITY) < newest.calledAt) {
      wrong.push(`${value} after ${String(newest.value)}, which was written later`)
    }
    newest = write
  }
  return wrong
}
