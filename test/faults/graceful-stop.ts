import assert from 'node:assert/strict'
import { until } from '../support/until.ts'
import type { Fault } from './fault.ts'
import { FaultServers, type RunningFaultServer } from './fault-servers.ts'
import { type ConnectionStory, PipeliningClient, requestText } from './pipelining-client.ts'

const PIPELINED = 4
/** Of those who wait: what there is, what they are told with it, and then nothing until there is news. */
const QUESTIONS: readonly Readonly<Record<string, string>>[] = [{}, { prefer: 'wait=0' }, { prefer: 'wait=60' }]
const CHANGES = '/zms/v1/sys/modified_domains?metaonly=true'
const POLICIES = '/zts/v1/domain/sys.auth/signed_policy_data'
/** What requests that wait are answered with when the server stops: there is no news. */
const NO_NEWS = 304
const OK = 200

/** Requests that clients repeat, by number; those of ZMS write, so that what was done without an answer shows. */
type Requests = (client: number, number: number) => string

interface Stopped {
  readonly rounds: number
  readonly connections: number
  readonly answered: number
  readonly unserved: number
}

/** Both servers are stopped by SIGTERM under load. */
export const gracefulStop: Fault = {
  name: 'stop',
  what: 'SIGTERM while many kept connections send pipelined requests and others wait for news',
  async attempt({ dir, size, report }) {
    const [rounds, connections] = size === 'long' ? [20, 100] : [1, 20]
    await using servers = await FaultServers.make(dir, { zts: true })
    const zms = await servers.start('zms')
    await zms.ask('POST', '/domain', { name: 'stops', adminUsers: ['user.admin'] })
    for (let client = 0; client < connections; client++) {
      await zms.ask('PUT', `/domain/stops/role/r${client}`, { name: `r${client}` })
    }
    const member = (client: number, number: number) => {
      const memberName = `user.m${number}`
      const body = JSON.stringify({ memberName, roleName: `r${client}`, isMember: true })
      return requestText('PUT', `/zms/v1/domain/stops/role/r${client}/member/${memberName}`, {}, body)
    }
    const sums = { zms: none(), zts: none() }
    let server = zms
    for (let round = 0; round < rounds; round++) {
      const stories = await stopUnderLoad(servers, server, connections, (client, number) =>
        member(client, round * 1_000_000 + number),
      )
      sums.zms = plus(sums.zms, stories)
      server = await servers.start('zms')
      await assertWritten(server, stories, round * 1_000_000)
      const read: Requests = (client) => requestText('GET', `/zms/v1/domain/stops/role/r${client}`)
      const asked = await stopUnderLoad(servers, server, connections, read, CHANGES)
      sums.zms = plus(sums.zms, asked)
      server = await servers.start('zms')
    }
    for (let round = 0; round < rounds; round++) {
      const zts = await servers.start('zts')
      await zts.becomes(200)
      const tokens: Requests = () => requestText('GET', '/zts/v1/access/read/sys.auth:thing')
      sums.zts = plus(sums.zts, await stopUnderLoad(servers, zts, connections, tokens, POLICIES))
    }
    for (const [name, { rounds: times, connections: all, answered, unserved }] of Object.entries(sums)) {
      report(
        `${name}: ${times} stops, ${all} connections: ${answered} requests answered, none lost; ${unserved} came behind the announced end and were not served`,
      )
    }
  },
}

async function stopUnderLoad(
  servers: FaultServers,
  server: RunningFaultServer,
  connections: number,
  requests: Requests,
  /** Where some wait for news; nobody does when absent. */
  awaited?: string,
): Promise<readonly ConnectionStory[]> {
  const { ca, cert, key } = servers
  const connect = () => PipeliningClient.connect({ host: '127.0.0.1', port: server.port, ca, cert, key })
  const clients = await Promise.all(Array.from({ length: connections }, connect))
  const waiters = await Promise.all(Array.from({ length: 3 }, connect))
  for (const waiter of waiters) {
    if (awaited === undefined) break
    for (const headers of QUESTIONS) {
      await waiter.settled()
      waiter.send([requestText('GET', awaited, { ...headers, 'if-none-match': waiter.etag })])
    }
  }
  let answeredBefore = 0
  const work = clients.map(async (client, index) => {
    for (let number = 0; client.isOpen; number += PIPELINED) {
      client.send(Array.from({ length: PIPELINED }, (_, at) => requests(index, number + at)))
      await client.settled()
      answeredBefore += PIPELINED
    }
  })
  await until(() => answeredBefore >= connections * PIPELINED * 3, { timeoutMillis: 60_000, what: 'load' })
  server.kill('SIGTERM')
  await Promise.all(work)
  const [status, signal] = await server.ended
  assert.deepEqual([status, signal], [0, null], `the server ended with ${status} ${signal}: ${server.log.slice(-2000)}`)
  await assert.rejects(connect(), /ECONNREFUSED/)
  await Promise.all([...clients, ...waiters].map(({ closed }) => closed))
  for (const { story } of clients) {
    assert.ok(
      story.statuses.every((each) => each >= 200 && each < 300),
      `statuses ${[...new Set(story.statuses)].join()}`,
    )
    assert.equal(story.leftBytes, 0)
    // What is not answered was sent behind an answer that said that it is the last one.
    assert.ok(
      story.statuses.length === story.sent || story.toldOfEnd,
      `${story.sent - story.statuses.length} requests lost`,
    )
  }
  for (const { story } of waiters) {
    if (awaited === undefined) continue
    assert.deepEqual([story.statuses.length, story.statuses[0], story.statuses.at(-1)], [3, OK, NO_NEWS])
    assert.ok(story.toldOfEnd)
  }
  for (const waiter of waiters) waiter.destroy()
  return clients.map(({ story }) => story)
}

/** Every answered write is there, and none that was not answered. */
async function assertWritten(
  server: RunningFaultServer,
  stories: readonly ConnectionStory[],
  first: number,
): Promise<void> {
  for (const [client, { statuses }] of stories.entries()) {
    const { body } = await server.ask('GET', `/domain/stops/role/r${client}`)
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

const none = (): Stopped => ({ rounds: 0, connections: 0, answered: 0, unserved: 0 })

function plus(sum: Stopped, stories: readonly ConnectionStory[]): Stopped {
  const answered = stories.reduce((all, { statuses }) => all + statuses.length, 0)
  const sent = stories.reduce((all, story) => all + story.sent, 0)
  return {
    rounds: sum.rounds + 1,
    connections: sum.connections + stories.length,
    answered: sum.answered + answered,
    unserved: sum.unserved + sent - answered,
  }
}
