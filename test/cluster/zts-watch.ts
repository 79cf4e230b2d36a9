import { setTimeout as pause } from 'node:timers/promises'
import type { HttpsClient } from './https-client.ts'
import type { RegisterOperation, RegisterValue } from './linearizability.ts'
import type { Register } from './registers.ts'

/** What a ZTS showed of a register: its value, or whether there is one. */
export interface Sighting {
  readonly value: RegisterValue | boolean
  /** Milliseconds of the monotonic clock at which its answer was there. */
  readonly at: number
}

const WATCH_MILLIS = 50

/** Asks a ZTS all the time for what clients change through ZMS: public keys, and decisions about members. */
export class ZtsWatch {
  readonly #http: HttpsClient
  readonly #base: string
  readonly #sightings: ReadonlyMap<Register, Sighting[]>

  /** `base` is the base URL of the ZTS; of the registers, those are watched that ZTS knows. */
  constructor(http: HttpsClient, base: string, registers: readonly Register[]) {
    this.#http = http
    this.#base = base
    const watched = registers.filter(({ ztsRead }) => ztsRead !== undefined)
    this.#sightings = new Map(watched.map((register) => [register, []]))
  }

  /** What was seen of each register, one after the other; repetitions are left out. */
  get sightings(): ReadonlyMap<Register, readonly Sighting[]> {
    return this.#sightings
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      for (const register of this.#sightings.keys()) await this.look(register)
      await pause(WATCH_MILLIS)
    }
  }

  /** What ZTS says now; undefined also when it has no such key, `no answer` when it says nothing. */
  async look(register: Register): Promise<RegisterValue | boolean> {
    const { ztsRead } = register
    if (ztsRead === undefined) return undefined
    const answer = await this.#http
      .ask(`${this.#base}${ztsRead.request.path}`, 'GET')
      .catch(() => ({ status: 0, body: '' }))
    if (answer.status !== 200 && answer.status !== 404) return 'no answer'
    const { value } = ztsRead.action(answer)
    const seen = this.#sightings.get(register) as Sighting[]
    if (seen.length === 0 || seen.at(-1)?.value !== value) seen.push({ value, at: performance.now() })
    return value
  }
}

/** Values of a register that a ZTS showed after a newer one, or that nobody wrote. */
export function backwardSteps(seen: readonly Sighting[], history: readonly RegisterOperation[]): string[] {
  const writes = new Map<string, RegisterOperation>()
  for (const operation of history) {
    if (operation.kind === 'write' && operation.value !== undefined) writes.set(operation.value, operation)
  }
  const wrong: string[] = []
  let newest: RegisterOperation | undefined
  for (const { value } of seen) {
    // Nothing is what a register holds at the beginning and after each deletion: it does not tell which.
    if (typeof value !== 'string') continue
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

/** What a write left in a register, or what was there before all of them. */
type Version = Pick<RegisterOperation, 'calledAt' | 'returnedAt'> & { readonly isPresent: boolean }

const INITIAL: Version = {
  isPresent: false,
  calledAt: Number.NEGATIVE_INFINITY,
  returnedAt: Number.NEGATIVE_INFINITY,
}

/**
 * Decisions of a ZTS that ZMS cannot have led to: before anybody wrote what they follow from, or after a later one was
 * shown. ZTS may be behind, as far as it likes, but does not go back.
 */
export function impossibleDecisions(seen: readonly Sighting[], history: readonly RegisterOperation[]): string[] {
  const versions: Version[] = [INITIAL]
  for (const { kind, value, calledAt, returnedAt } of history) {
    if (kind === 'write') versions.push({ isPresent: value !== undefined, calledAt, returnedAt })
  }
  const wrong: string[] = []
  /** Those that ZTS may have. */
  let held: readonly Version[] = versions
  for (const { value, at } of seen) {
    if (typeof value !== 'boolean') continue
    const next = versions.filter(
      (version) =>
        version.isPresent === value && version.calledAt <= at && held.some((other) => !isBefore(version, other)),
    )
    if (next.length === 0) wrong.push(`${value ? 'granted' : 'not granted'} at ${at.toFixed(1)}, which cannot be`)
    else held = next
  }
  return wrong
}

/** Whether a version was over for certain when another one began; one of unknown outcome may come at any time. */
const isBefore = ({ returnedAt = Number.POSITIVE_INFINITY }: Version, { calledAt }: Version): boolean =>
  returnedAt < calledAt
