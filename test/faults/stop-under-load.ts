import assert from 'node:assert/strict'
import { until } from '../support/until.ts'
import { isAlive, workersOf } from '../support/worker-servers.ts'
import type { FaultServers, RunningFaultServer } from './fault-servers.ts'
import { type ConnectionStory, PipeliningClient, requestText } from './pipelining-client.ts'

const PIPELINED = 4
/** Those who are there beside the clients: they wait for news, or never send anything. */
const BYSTANDERS = 3
/** Of those who wait: what there is, what they are told with it, and then nothing until there is news. */
const QUESTIONS: readonly Readonly<Record<string, string>>[] = [{}, { prefer: 'wait=0' }, { prefer: 'wait=60' }]
/** What requests that wait are answered with when the server stops: there is no news. */
const NO_NEWS = 304
const OK = 200
/** Nobody has to be waited for any longer than this: less than the time for which a silent connection may stay. */
const STOP_MILLIS = 20_000

/** Requests that clients repeat, by number. */
export type Requests = (client: number, number: number) => string

/** What is sent to a server while it is stopped. */
export interface StopLoad {
  readonly connections: number
  readonly requests: Requests
  /** Where some wait for news; when absent they connect and send nothing. */
  readonly awaited?: string
}

/** What came of a stop. */
export interface StopOutcome {
  /** Of each client, in their order. */
  readonly stories: readonly ConnectionStory[]
  /** From the signal to the end of the last process. */
  readonly millis: number
}

/**
 * Stops a server by SIGTERM while clients send pipelined requests on kept connections. Fails unless every request that was
 * sent before the announced end of its connection is answered with success, the server ends with status 0, in time, and
 * takes all its workers with it.
 */
export async function stopUnderLoad(
  { ca, cert, key }: Pick<FaultServers, 'ca' | 'cert' | 'key'>,
  server: RunningFaultServer,
  { connections, requests, awaited }: StopLoad,
): Promise<StopOutcome> {
  const connect = () => PipeliningClient.connect({ host: '127.0.0.1', port: server.port, ca, cert, key })
  const clients = await Promise.all(Array.from({ length: connections }, connect))
  const bystanders = await Promise.all(Array.from({ length: BYSTANDERS }, connect))
  for (const waiter of bystanders) {
    if (awaited === undefined) break
    for (const headers of QUESTIONS) {
      await waiter.settled()
      waiter.send([requestText('GET', awaited, { ...headers, 'if-none-match': waiter.etag })])
    }
  }
  const workers = await workersOf(server.pid)
  let answered = 0
  const work = clients.map(async (client, index) => {
    for (let number = 0; client.isOpen; number += PIPELINED) {
      client.send(Array.from({ length: PIPELINED }, (_, at) => requests(index, number + at)))
      await client.settled()
      answered += PIPELINED
    }
  })
  await until(() => answered >= connections * PIPELINED * 3, { timeoutMillis: 60_000, what: 'load' })
  const start = performance.now()
  server.kill('SIGTERM')
  await Promise.all(work)
  const [status, signal] = await server.ended
  assert.deepEqual([status, signal], [0, null], `the server ended with ${status} ${signal}: ${server.log.slice(-2000)}`)
  const millis = performance.now() - start
  assert.ok(millis < STOP_MILLIS, `the stop took ${Math.round(millis)} ms: ${server.log.slice(-2000)}`)
  assert.deepEqual(workers.filter(isAlive), [], 'workers that are left')
  await assert.rejects(connect(), /ECONNREFUSED/)
  await Promise.all([...clients, ...bystanders].map(({ closed }) => closed))
  for (const { story } of clients) assertComplete(story)
  for (const { story } of bystanders) {
    if (awaited === undefined) {
      assert.deepEqual(story.statuses, [])
      continue
    }
    assert.deepEqual([story.statuses.length, story.statuses[0], story.statuses.at(-1)], [3, OK, NO_NEWS])
    assert.ok(story.toldOfEnd)
  }
  for (const each of bystanders) each.destroy()
  return { stories: clients.map(({ story }) => story), millis }
}

/** Every request was answered with success; what was not was sent behind an answer that said that it is the last one. */
function assertComplete({ statuses, sent, leftBytes, toldOfEnd }: ConnectionStory): void {
  assert.deepEqual(
    [...new Set(statuses)].filter((each) => each < 200 || each >= 300),
    [],
  )
  assert.equal(leftBytes, 0)
  assert.ok(statuses.length === sent || toldOfEnd, `${sent - statuses.length} requests lost`)
}

/** Members that clients add to roles of a domain, each to its own: what was done without an answer shows. */
export class NumberedMembers {
  readonly #domain: string

  private constructor(domain: string) {
    this.#domain = domain
  }

  /** Makes the domain, and a role for each client. */
  static async prepare(server: RunningFaultServer, domain: string, clients: number): Promise<NumberedMembers> {
    const { status, body } = await server.ask('POST', '/domain', { name: domain, adminUsers: ['user.admin'] })
    assert.equal(status, OK, JSON.stringify(body))
    for (let client = 0; client < clients; client++) {
      await server.ask('PUT', `/domain/${domain}/role/r${client}`, { name: `r${client}` })
    }
    return new NumberedMembers(domain)
  }

  /** Requests that add members, whose numbers begin with `first`. */
  additions(first = 0): Requests {
    return (client, number) => {
      const memberName = `user.m${first + number}`
      const body = JSON.stringify({ memberName, roleName: `r${client}`, isMember: true })
      return requestText('PUT', `/zms/v1/domain/${this.#domain}/role/r${client}/member/${memberName}`, {}, body)
    }
  }

  /** Requests that read the roles. */
  get reads(): Requests {
    return (client) => requestText('GET', `/zms/v1/domain/${this.#domain}/role/r${client}`)
  }

  /** Every answered addition is there, and none that was not answered. */
  async assertWritten(server: RunningFaultServer, stories: readonly ConnectionStory[], first = 0): Promise<void> {
    for (const [client, { statuses }] of stories.entries()) {
      const { body } = await server.ask('GET', `/domain/${this.#domain}/role/r${client}`)
      const { roleMembers = [] } = body as { roleMembers?: { memberName: string }[] }
      const stored = roleMembers
        .map(({ memberName }) => Number(memberName.slice('user.m'.length)))
        .filter((n) => n >= first)
      assert.deepEqual(
        stored.sort((one, other) => one - other),
        statuses.map((_, number) => first + number),
      )
    }
  }
}
