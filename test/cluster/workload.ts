import { setTimeout as pause } from 'node:timers/promises'
import type { Answer, HttpsClient } from './https-client.ts'
import type { RegisterAction, RegisterOperation, RegisterValue } from './linearizability.ts'
import { DOMAINS, type Register, type ZmsRequest } from './registers.ts'

/** An operation with what it was asked of, for people who have to find out what went wrong. */
export type RecordedOperation = RegisterOperation & { readonly server: number; readonly status: number | string }

/** An acknowledged write. */
export interface Acknowledgement {
  readonly server: number
  /** Milliseconds of the monotonic clock. */
  readonly at: number
}

/** What clients work on. */
export interface WorkloadOptions {
  readonly http: HttpsClient
  /** Base URLs of the ZMS. */
  readonly zms: readonly string[]
  readonly registers: readonly Register[]
  readonly clients: number
  /** Longest pause between two operations of a client. */
  readonly pauseMillis: number
}

/** After an operation that failed a client waits longer, so that an outage is not all that its history shows. */
const FAILURE_PAUSE_MILLIS = 100

/** The role of each domain to which members are added that are never removed. */
export const CROWD = 'crowd'

/** Clients that read and write registers through all ZMS, at random, and remember what they were told. */
export class Workload {
  readonly #options: WorkloadOptions
  readonly histories: ReadonlyMap<Register, RecordedOperation[]>
  readonly acknowledged: Acknowledgement[] = []
  /** Members of the crowds whose addition was acknowledged, `domain/member`. */
  readonly crowd = new Set<string>()
  /** Members that may be in a crowd, because somebody tried. */
  readonly invited = new Set<string>()
  /** How often each status was the answer; what is no status is a failure of the connection. */
  readonly outcomes = new Map<string, number>()
  /** How often a deletion and a creation of domains met. */
  races = 0
  /** Answers that no server should give. */
  readonly unexpected: string[] = []

  constructor(options: WorkloadOptions) {
    this.#options = options
    this.histories = new Map(options.registers.map((register) => [register, []]))
  }

  /** Works until it is told to stop; operations on their way are finished. */
  async run(stop: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.clients }, (_, client) => this.#work(client, stop)))
  }

  /** Reads every register once through every ZMS; how many could not be read. */
  async readAll(): Promise<number> {
    let failed = 0
    for (const register of this.#options.registers) {
      for (const server of this.#options.zms.keys()) {
        for (const index of register.reads.keys()) if (!(await this.#read(register, server, index))) failed++
      }
    }
    return failed
  }

  async #work(client: number, stop: AbortSignal): Promise<void> {
    const { registers, zms, pauseMillis } = this.#options
    for (let turn = 0; !stop.aborted; turn++) {
      const register = registers[Math.floor(Math.random() * registers.length)] as Register
      const server = Math.floor(Math.random() * zms.length)
      const isWrite = Math.random() < 0.5
      let succeeded: boolean
      if (Math.random() < 0.02) succeeded = await this.#raceForDomain(`race${client}-${turn}`, server)
      else if (Math.random() < 0.1) succeeded = await this.#join(`user.guest${client}-${turn}`, server)
      else if (isWrite) succeeded = await this.#write(register, server)
      else succeeded = await this.#readAny(register, server)
      // Who was told of a write asks another server about it, at once.
      if (succeeded && isWrite) await this.#readAny(register, (server + 1) % zms.length)
      await pause(succeeded ? Math.random() * pauseMillis : FAILURE_PAUSE_MILLIS)
    }
  }

  async #write(register: Register, server: number): Promise<boolean> {
    const isDeletion = register.mayBeDeleted && Math.random() < 0.2
    const value: RegisterValue = isDeletion ? undefined : await register.newValue()
    const calledAt = performance.now()
    const answer = await this.#ask(server, register.write(value))
    const returnedAt = performance.now()
    const isAbsent = isDeletion && answer.status === 404
    const isDone = isSuccess(answer.status)
    if (isDone) this.acknowledged.push({ server, at: returnedAt })
    else if (!isAbsent && !isUnclear(answer.status)) {
      this.unexpected.push(`write of ${register.name}: ${JSON.stringify(answer)}`)
    }
    const action: RegisterAction = isAbsent ? { kind: 'read', value: undefined } : { kind: 'write', value }
    const isKnown = isDone || isAbsent
    this.#record(register, action, { calledAt, returnedAt: isKnown ? returnedAt : undefined, server }, answer)
    return isKnown
  }

  #readAny(register: Register, server: number): Promise<boolean> {
    return this.#read(register, server, Math.floor(Math.random() * register.reads.length))
  }

  async #read(register: Register, server: number, index: number): Promise<boolean> {
    const { request, action } = register.reads[index] as Register['reads'][number]
    const calledAt = performance.now()
    const answer = await this.#ask(server, request)
    const returnedAt = performance.now()
    if (isSuccess(answer.status) || answer.status === 404) {
      this.#record(register, action(answer as Answer), { calledAt, returnedAt, server }, answer)
      return true
    }
    if (!isUnclear(answer.status)) this.unexpected.push(`read of ${register.name}: ${JSON.stringify(answer)}`)
    return false
  }

  async #join(member: string, server: number): Promise<boolean> {
    const domain = DOMAINS[Math.floor(Math.random() * DOMAINS.length)] as string
    this.invited.add(`${domain}/${member}`)
    const path = `/domain/${domain}/role/${CROWD}/member/${member}`
    const answer = await this.#ask(server, { method: 'PUT', path, body: { memberName: member } })
    if (!isSuccess(answer.status)) {
      if (!isUnclear(answer.status)) this.unexpected.push(`new member of ${domain}: ${JSON.stringify(answer)}`)
      return false
    }
    this.crowd.add(`${domain}/${member}`)
    this.acknowledged.push({ server, at: performance.now() })
    return true
  }

  /**
   * A domain is deleted through one ZMS while another one makes a domain below it. Only one of both may be acknowledged:
   * a domain without its parent belongs to nobody.
   */
  async #raceForDomain(name: string, server: number): Promise<boolean> {
    const adminUsers = ['user.admin']
    const made = await this.#ask(server, { method: 'POST', path: '/domain', body: { name, adminUsers } })
    if (!isSuccess(made.status)) return false
    const below = { name: 'below', parent: name, adminUsers }
    const [creation, deletion] = await Promise.all([
      this.#ask(server, { method: 'POST', path: `/subdomain/${name}`, body: below }),
      this.#ask((server + 1) % this.#options.zms.length, { method: 'DELETE', path: `/domain/${name}` }),
    ])
    this.races++
    if (isSuccess(creation.status) && isSuccess(deletion.status)) {
      this.unexpected.push(`the domain ${name} was deleted, and one below it was made`)
    }
    await this.#ask(server, { method: 'DELETE', path: `/subdomain/${name}/below` })
    await this.#ask(server, { method: 'DELETE', path: `/domain/${name}` })
    return true
  }

  #record(
    register: Register,
    action: RegisterAction,
    circumstances: { calledAt: number; returnedAt: number | undefined; server: number },
    { status }: { status: number | string },
  ): void {
    this.histories.get(register)?.push({ ...action, ...circumstances, status })
  }

  /** The answer of a ZMS; its status is a text when there is none. */
  async #ask(
    server: number,
    { method, path, body }: ZmsRequest,
  ): Promise<Answer | { status: string; body: undefined }> {
    let answer: Answer | { status: string; body: undefined }
    try {
      answer = await this.#options.http.ask(`${this.#options.zms[server]}${path}`, method, body)
    } catch (error) {
      answer = { status: error instanceof Error ? error.name : String(error), body: undefined }
    }
    const outcome = `${method} ${answer.status}`
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    return answer
  }
}

const isSuccess = (status: number | string) => typeof status === 'number' && status >= 200 && status < 300

/** Nobody knows what became of a write that was answered so; ZMS answers a conflict when it does not know itself. */
const isUnclear = (status: number | string) => typeof status === 'string' || status === 409 || status >= 500
