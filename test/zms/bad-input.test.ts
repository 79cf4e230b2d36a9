import { ok, strictEqual } from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { after, before, describe, test } from 'node:test'
import type { Endpoint } from '#core/http/endpoint.ts'
import { ZMS_API_ROOT, zmsEndpoints } from '#zms/api/index.ts'
import { ADMINISTRATOR } from '../../src/cli/dev-administrator.ts'
import {
  type BadRequest,
  type BadRequestSubject,
  checkAnswer,
  INHERITED_NAMES,
  pathWith,
  type RawAnswer,
  sendBadRequests,
  sendRaw,
} from '../support/bad-requests.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Name of the things that the bad requests of an operation are about; also the name of their domain. */
const victimOf = ({ operation }: Endpoint): string => `victim-${operation.toLowerCase()}`

/** What the bad requests are about: they reach the rules behind the checks of names only if it exists. */
const things = (name: string): readonly (readonly [Endpoint, object])[] => [
  [zmsEndpoints.postTopLevelDomain, { name, adminUsers: [ADMINISTRATOR] }],
  [zmsEndpoints.putRole, { name, roleMembers: [{ memberName: `user.${name}` }] }],
  [zmsEndpoints.putGroup, { name, groupMembers: [{ memberName: `user.${name}` }] }],
  [
    zmsEndpoints.putPolicy,
    { name, assertions: [{ role: `${name}:role.${name}`, action: 'read', resource: `${name}:thing` }] },
  ],
  [zmsEndpoints.putServiceIdentity, { name: `${name}.${name}` }],
  [zmsEndpoints.putEntity, { name: `${name}:entity.${name}`, value: { a: 1 } }],
]

/** Requests about the things of that name. */
const about = (name: string): BadRequestSubject => ({
  apiRoot: ZMS_API_ROOT,
  good: (_, __, shape) => (shape.base === 'Int32' || shape.base === 'Int64' ? '9999999' : (shape.words?.[0] ?? name)),
  bodyMembers: ['name'],
})

/** The path open to everybody. */
const OPEN_PATH = `${ZMS_API_ROOT}/status`
const MEBIBYTE = 1024 * 1024

const endpoints: readonly Endpoint[] = Object.values(zmsEndpoints)

describe('requests that nobody should send', () => {
  // Not within the hook, whose end would be that of the folder.
  const folder = temporaryFolder()
  let servers: DevServers
  let agent: Agent
  let anonymousAgent: Agent
  let base: URL

  before(async () => {
    // Of the shipped list of paths open to everybody only the one that the start waits for: the declarations hold.
    const settings = { 'athenz.zms.no_auth_uri_list': OPEN_PATH }
    servers = await startDevServers({ dir: folder, zts: false, settings })
    const { summary } = servers
    base = new URL(summary.zms ?? '')
    const [ca, cert, key] = await Promise.all(
      [summary.ca, summary.adminCert, summary.adminKey].map((file) => readFile(file)),
    )
    agent = new Agent({ keepAlive: true, maxSockets: 8, ca, cert, key })
    anonymousAgent = new Agent({ keepAlive: true, maxSockets: 8, ca })
  })
  after(async () => {
    agent?.destroy()
    anonymousAgent?.destroy()
    await servers?.[Symbol.asyncDispose]()
  })

  const send = (bad: Omit<BadRequest, 'what'>, through = agent): Promise<RawAnswer> => sendRaw(base, through, bad)

  const isAlive = async (): Promise<void> => {
    const { status } = await send({ endpoint: zmsEndpoints.getStatus, path: OPEN_PATH })
    strictEqual(status, 200)
  }

  for (const endpoint of endpoints)
    test(`${endpoint.operation}: ${endpoint.method} ${endpoint.path}`, async () => {
      const name = victimOf(endpoint)
      const subject = about(name)
      for (const [making, thing] of things(name)) {
        const path = pathWith(subject, making)
        const made = await send({ endpoint: making, path, body: JSON.stringify(thing) })
        ok(made.status < 300, `${making.operation}: ${made.status} ${made.text}`)
      }
      await sendBadRequests(subject, endpoint, send)
      await isAlive()
    })

  test('every operation but the declared ones refuses callers without credentials', async () => {
    for (const endpoint of endpoints) {
      const path = pathWith(about(victimOf(endpoint)), endpoint)
      const answer = await send({ endpoint, path, ...(endpoint.body && { body: '{}' }) }, anonymousAgent)
      if (endpoint.access.kind === 'anonymous' || path === OPEN_PATH) ok(answer.status !== 401, endpoint.operation)
      else {
        strictEqual(answer.status, 401, `${endpoint.operation}: ${answer.status} ${answer.text}`)
        checkAnswer(endpoint.operation, answer)
      }
    }
  })

  test('a body above the limit is refused by its length', async () => {
    const endpoint = zmsEndpoints.putRole
    const path = pathWith(about(victimOf(endpoint)), endpoint)
    checkAnswer('17 MiB', await send({ endpoint, path, body: Buffer.alloc(17 * MEBIBYTE, 0x20) }), { expected: [413] })
    await isAlive()
  })

  test('names of inherited members neither exist nor do harm', async () => {
    const endpoint = zmsEndpoints.getDomain
    for (const value of INHERITED_NAMES) {
      const path = pathWith(about(victimOf(endpoint)), endpoint, { parameter: 'domain', value })
      checkAnswer(value, await send({ endpoint, path }), { expected: [400, 404] })
    }
  })
})
