import { ok, strictEqual } from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { after, before, describe, test } from 'node:test'
import type { Endpoint } from '#core/http/endpoint.ts'
import type { WireShape } from '#core/http/wire.ts'
import { ZMS_API_ROOT, zmsEndpoints } from '#zms/api/index.ts'
import { ADMINISTRATOR } from '../../src/cli/dev-administrator.ts'
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

/** A request that nobody should send. */
interface BadRequest {
  readonly what: string
  readonly endpoint: Endpoint
  readonly path: string
  readonly body?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** Statuses it may have; any below 500 when absent. */
  readonly expected?: readonly number[]
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** The path open to everybody. */
const OPEN_PATH = `${ZMS_API_ROOT}/status`
const MEBIBYTE = 1024 * 1024

/** Names that no published pattern has, as they stand in a path or query. */
const BAD_NAMES = [
  'b!d',
  '%00',
  '..%2f..%2fetc%2fpasswd',
  '%',
  '%zz',
  '%ff%fe',
  '%F0%9F%92%A5',
  "x'%20OR%20'1'%3D'1",
  'a'.repeat(5000),
  '.*%2b%5B',
  '%0d%0aSet-Cookie:x',
]
/** Names of members that every object of the language has. */
const INHERITED_NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
/** Values of a query parameter. */
const BAD_VALUES = ['b!d', '%00', '-1', '99999999999999999999', '1e400', 'NaN', '', '%F0%9F%92%A5', 'a'.repeat(5000)]

/** JSON texts that are no object of any type, or hardly one. */
const BAD_DOCUMENTS = [
  '',
  '{',
  '{"name":',
  '[]',
  '5',
  '"x"',
  'null',
  'true',
  '{}',
  '[[[[[[]]]]]]',
  '{"a":1,}',
  '\u0000',
  '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
  '{"name":{"toString":1}}',
  `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  '<xml/>',
  '{"name":"\\ud800"}',
]

/** Media types that are not `application/json`, and some that a careless comparison takes for it. */
const BAD_MEDIA_TYPES = [
  'text/plain',
  'application/xml',
  'application/jsonx',
  'application',
  '/',
  ';',
  'application/ json',
]

/** An element of a path that has the published form of its parameter, of a thing that exists. */
function fittingText(shape: WireShape, name: string): string {
  if (shape.base === 'Int32' || shape.base === 'Int64') return '9999999'
  return shape.words?.[0] ?? name
}

/** The path of an operation, with `bad` in the place of one of its parameters. */
function pathWith(
  endpoint: Endpoint,
  bad?: { readonly parameter: string; readonly value: string },
  thing = victimOf(endpoint),
): string {
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const type = endpoint.params[name]
    ok(type, `${endpoint.operation} has no type for ${name}`)
    return name === bad?.parameter ? bad.value : fittingText(type.wire, thing)
  })
  return ZMS_API_ROOT + path
}

/** A value of another kind than the one expected. */
function misfits({ base }: WireShape): unknown[] {
  switch (base) {
    case 'Array':
      return [5, 'x', {}, [null], [[]], [5]]
    case 'Struct':
    case 'Map':
      return [5, 'x', [], { a: { b: [{}] } }, { __proto__: null, a: null }]
    case 'Bool':
      return ['maybe', [], {}, 5.5]
    case 'Int32':
    case 'Int64':
      return ['x', [], {}, 1e300, -1]
    default:
      return [{}, [], ['x'], '\u0000', 'b!d', 'ø'.repeat(3000), -1, true]
  }
}

/** Bodies whose members are of the wrong kind, one after the other. */
function* bodiesWithMisfits({ members }: WireShape, name: string): Generator<string> {
  for (const [member, shape] of members ?? [])
    for (const value of misfits(shape)) yield JSON.stringify({ name, [member]: value })
}

function* badRequests(endpoint: Endpoint): Generator<BadRequest> {
  const good = pathWith(endpoint)
  for (const parameter of Object.keys(endpoint.params))
    for (const value of [...BAD_NAMES, ...INHERITED_NAMES])
      yield {
        what: `${parameter}=${value.slice(0, 40)}`,
        endpoint,
        path: pathWith(endpoint, { parameter, value }),
        ...(endpoint.body && { body: '{}' }),
      }
  for (const { name } of Object.values(endpoint.query))
    for (const value of BAD_VALUES)
      yield {
        what: `?${name}=${value.slice(0, 40)}`,
        endpoint,
        path: `${good}?${name}=${value}&${name}=${value}`,
        ...(endpoint.body && { body: '{}' }),
      }
  if (endpoint.body === undefined) return
  for (const body of BAD_DOCUMENTS) yield { what: `body ${body.slice(0, 60)}`, endpoint, path: good, body }
  for (const body of bodiesWithMisfits(endpoint.body.wire, victimOf(endpoint)))
    yield { what: `body ${body.slice(0, 90)}`, endpoint, path: good, body }
  for (const type of BAD_MEDIA_TYPES)
    yield { what: `media type ${type}`, endpoint, path: good, body: '{}', headers: { 'content-type': type } }
  yield {
    what: 'body cut in the middle of a character',
    endpoint,
    path: good,
    body: Buffer.from('{"name":"\u00f8').subarray(0, -1),
  }
}

/** An error is JSON that says its own status; nothing is the server's fault. */
const checkAnswer = (what: string, { status, type, text }: Answer, expected?: readonly number[]): void => {
  ok(status >= 200 && status < 500, `${what}: ${status} ${text.slice(0, 200)}`)
  if (expected) ok(expected.includes(status), `${what}: ${status} ${text.slice(0, 200)}`)
  if (status < 400) return
  strictEqual(type.split(';')[0], 'application/json', `${what}: ${status} ${type}`)
  const error = JSON.parse(text) as { code?: unknown; message?: unknown }
  strictEqual(error.code, status, what)
  ok(typeof error.message === 'string' && error.message !== '', `${what}: no message in ${text}`)
}

const endpoints: readonly Endpoint[] = Object.values(zmsEndpoints)

describe('requests that nobody should send', () => {
  let servers: DevServers
  let agent: Agent
  let anonymousAgent: Agent
  let base: URL

  before(async () => {
    // Of the shipped list of paths open to everybody only the one that the start waits for: the declarations hold.
    const settings = { 'athenz.zms.no_auth_uri_list': OPEN_PATH }
    servers = await startDevServers({ dir: temporaryFolder(), zts: false, settings })
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

  const send = (bad: Omit<BadRequest, 'what'>, through = agent): Promise<Answer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const sent = request(
      {
        agent: through,
        host: base.hostname,
        port: base.port,
        method: bad.endpoint.method,
        path: bad.path,
        headers: {
          ...(bad.body !== undefined && {
            'content-type': bad.endpoint.consumes,
            'content-length': Buffer.byteLength(bad.body),
          }),
          ...bad.headers,
        },
      },
      (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            type: answer.headers['content-type'] ?? '',
            text: Buffer.concat(parts).toString(),
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(bad.body)
    return promise
  }

  const isAlive = async (): Promise<void> => {
    const { status } = await send({ endpoint: zmsEndpoints.getStatus, path: pathWith(zmsEndpoints.getStatus) })
    strictEqual(status, 200)
  }

  for (const endpoint of endpoints)
    test(`${endpoint.operation}: ${endpoint.method} ${endpoint.path}`, async () => {
      const name = victimOf(endpoint)
      for (const [making, thing] of things(name)) {
        const path = pathWith(making, undefined, name)
        const made = await send({ endpoint: making, path, body: JSON.stringify(thing) })
        ok(made.status < 300, `${making.operation}: ${made.status} ${made.text}`)
      }
      const all = [...badRequests(endpoint)]
      for (let first = 0; first < all.length; first += 8)
        await Promise.all(
          all.slice(first, first + 8).map(async (bad) => {
            checkAnswer(bad.what, await send(bad), bad.expected)
          }),
        )
      await isAlive()
    })

  test('every operation but the declared ones refuses callers without credentials', async () => {
    for (const endpoint of endpoints) {
      const path = pathWith(endpoint)
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
    const answer = await send({ endpoint, path: pathWith(endpoint), body: Buffer.alloc(17 * MEBIBYTE, 0x20) })
    checkAnswer('17 MiB', answer, [413])
    await isAlive()
  })

  test('names of inherited members neither exist nor do harm', async () => {
    for (const name of INHERITED_NAMES) {
      const endpoint = zmsEndpoints.getDomain
      checkAnswer(
        name,
        await send({ endpoint, path: pathWith(endpoint, { parameter: 'domain', value: name }) }),
        [400, 404],
      )
    }
  })
})
