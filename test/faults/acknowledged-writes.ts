import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '#core/error/message-of.ts'
import { until } from '../support/until.ts'
import type { RunningFaultServer } from './fault-servers.ts'

const DOMAIN = 'faults'
/** After a failure, so that a server that is down is not asked all the time. */
const BREATH_MILLIS = 20

/** Clients of a server that is gone do not keep this process from ending. */
const breath = () => pause(BREATH_MILLIS, undefined, { ref: false })

/**
 * Clients that add members to roles, each to its own, one after the other, and remember which ZMS has acknowledged. What
 * became of those without an answer nobody knows; each client goes on with its next member.
 */
export class AcknowledgedWrites {
  readonly #acknowledged: Set<string>[]
  #refusals = new Map<string, number>()
  #unanswered = 0
  #lastFailure = ''
  #over = false
  #clients: Promise<void>[] = []

  constructor(clients: number) {
    this.#acknowledged = Array.from({ length: clients }, () => new Set())
  }

  /** Makes the domain and the roles. */
  async prepare(server: RunningFaultServer): Promise<void> {
    const made = await server.ask('POST', '/domain', { name: DOMAIN, adminUsers: ['user.admin'] })
    assert.equal(made.status, 200, JSON.stringify(made.body))
    for (const client of this.#acknowledged.keys()) {
      const { status } = await server.ask('PUT', `/domain/${DOMAIN}/role/w${client}`, { name: `w${client}` })
      assert.equal(status, 204)
    }
  }

  /** Begins to write; `server` is asked for again before each request. */
  start(server: () => RunningFaultServer): void {
    this.#over = false
    this.#clients = this.#acknowledged.map(async (acknowledged, client) => {
      for (let number = acknowledged.size; !this.#over; number++) {
        const memberName = `user.m${number}x${Math.round(performance.now())}`
        const body = { memberName, roleName: `w${client}`, isMember: true }
        try {
          const path = `/domain/${DOMAIN}/role/w${client}/member/${memberName}`
          const { status, body: answer } = await server().ask('PUT', path, body)
          if (status === 204) acknowledged.add(memberName)
          else await this.#refused(status, answer)
        } catch (error) {
          this.#unanswered++
          this.#lastFailure = messageOf(error)
          await breath()
        }
      }
    })
  }

  /** Lets the requests under way come to their end. */
  async stop(): Promise<void> {
    this.#over = true
    await Promise.all(this.#clients)
  }

  get count(): number {
    return this.#acknowledged.reduce((sum, each) => sum + each.size, 0)
  }

  /** Refusals so far, by status and message, and requests without an answer. */
  get story(): string {
    const refusals = [...this.#refusals].map(([what, times]) => `${times} × ${what}`)
    return `${this.count} acknowledged, ${this.#unanswered} without answer${refusals.length > 0 ? `, refused ${refusals.join(', ')}` : ''}`
  }

  get refused(): number {
    return [...this.#refusals.values()].reduce((sum, times) => sum + times, 0)
  }

  /** Resolves when so many more are acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.count + count
    await until(() => this.count >= goal, {
      timeoutMillis: 60_000,
      what: `${count} more acknowledged writes (last failure: ${this.#lastFailure})`,
    })
  }

  /** Resolves when so many more are refused. */
  async moreRefusals(count: number): Promise<void> {
    const goal = this.refused + count
    await until(() => this.refused >= goal, { timeoutMillis: 60_000, what: `${count} more refusals` })
  }

  /** Everything that was acknowledged before is there; clients may go on meanwhile. */
  async assertKept(server: RunningFaultServer): Promise<void> {
    for (const [client, set] of this.#acknowledged.entries()) {
      const acknowledged = [...set]
      const { status, body } = await server.ask('GET', `/domain/${DOMAIN}/role/w${client}`)
      assert.equal(status, 200)
      const { roleMembers = [] } = body as { roleMembers?: { memberName: string }[] }
      const stored = new Set(roleMembers.map(({ memberName }) => memberName))
      assert.deepEqual(
        acknowledged.filter((member) => !stored.has(member)),
        [],
        'acknowledged, but lost',
      )
    }
  }

  async #refused(status: number, answer: unknown): Promise<void> {
    const what = `${status} ${String(Reflect.get(Object(answer), 'message'))}`
    this.#refusals.set(what, (this.#refusals.get(what) ?? 0) + 1)
    await breath()
  }
}
