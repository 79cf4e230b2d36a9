import { ok, strictEqual } from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { type Agent, request } from 'node:https'
import type { Endpoint } from '#core/http/endpoint.ts'
import type { WireShape } from '#core/http/wire.ts'

/** A request that nobody should send. */
export interface BadRequest {
  readonly what: string
  readonly endpoint: Endpoint
  readonly path: string
  readonly body?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** No operation can make anything of it: the answer is an error. The others may mean something here and there. */
  readonly senseless?: boolean
}

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number
  readonly type: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** The server that bad requests are made for. */
export interface BadRequestSubject {
  readonly apiRoot: string
  /**
   * A good value of a parameter or of a member of the body, under its name on the wire, of things that exist: bad requests
   * reach the rules behind the checks of names only with those.
   */
  readonly good: (endpoint: Endpoint, name: string, shape: WireShape) => unknown
  /** The other members of a body of which one does not fit; all that are there when absent. */
  readonly bodyMembers?: readonly string[]
  /** Good fields of the form that an operation consumes. */
  readonly form?: (endpoint: Endpoint) => Readonly<Record<string, string>> | undefined
}

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
export const INHERITED_NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
/** Values of a query parameter or of a field of a form. */
const BAD_VALUES = ['b!d', '%00', '-1', '99999999999999999999', '1e400', 'NaN', '', '%F0%9F%92%A5', 'a'.repeat(5000)]
/** Tokens that are none, or hardly one. */
const BAD_TOKENS = [
  '.',
  'a.b.c',
  'e30.e30.',
  'e30.e30.e30',
  'eyJhbGciOiJub25lIn0.e30.',
  'eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLy4uLyJ9.eyJzdWIiOiJ1c2VyLmFkbWluIn0.AAAA',
  'eyJhbGciOiJFUzI1NiIsImtpZCI6MX0.W10.AAAA',
  'v=Z1;d=sports;r=admin;s=x',
]

/** Texts that are no JSON object. */
const NO_OBJECTS = [
  '',
  '{',
  '{"name":',
  '[]',
  '5',
  '"x"',
  'null',
  'true',
  '[[[[[[]]]]]]',
  '{"a":1,}',
  '\u0000',
  `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  '<xml/>',
]

/** JSON objects that are hardly one of any type. */
const ODD_OBJECTS = [
  '{}',
  '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
  '{"name":{"toString":1}}',
  '{"name":"\\ud800"}',
]

/** Texts that are no form, or hardly one. */
const BAD_FORMS = [
  '',
  '&&&&',
  '====',
  '%',
  'a',
  '=a',
  'grant_type',
  'grant_type=%zz',
  'grant_type=%ff%fe',
  '__proto__=x&constructor=y&grant_type=toString',
  'a=b&'.repeat(20_000),
  '{"grant_type":"client_credentials"}',
  '\u0000=\u0000',
]

/** Media types that are not those that an operation consumes, and some that a careless comparison takes for JSON. */
const BAD_MEDIA_TYPES = [
  'text/plain',
  'application/xml',
  'application/jsonx',
  'application',
  '/',
  ';',
  'application/ json',
]

/** The path of an operation below the root, with `bad` in the place of one of its parameters. */
export function pathWith(
  { apiRoot, good }: BadRequestSubject,
  endpoint: Endpoint,
  bad?: { readonly parameter: string; readonly value: string },
): string {
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const type = endpoint.params[name]
    ok(type, `${endpoint.operation} has no type for ${name}`)
    return name === bad?.parameter ? bad.value : String(good(endpoint, name, type.wire))
  })
  return apiRoot + path
}

/** The query that an operation cannot do without, without the parameter `except`. */
function queryOf({ good }: BadRequestSubject, endpoint: Endpoint, except?: string): string[] {
  return Object.values(endpoint.query)
    .filter(({ name, type }) => name !== except && !type.wire.optional && type.wire.initial === undefined)
    .map(({ name, type }) => `${name}=${encodeURIComponent(String(good(endpoint, name, type.wire)))}`)
}

/** Values of another kind than the one expected: those that nobody can take for it, and those that are only odd. */
function misfits({ base }: WireShape): { senseless: readonly unknown[]; odd: readonly unknown[] } {
  switch (base) {
    case 'Any':
      return { senseless: [], odd: [5, 'x', [], {}] }
    case 'Array':
      return { senseless: [5, 'x', {}, [[]]], odd: [[null], [5]] }
    case 'Struct':
    case 'Map':
      return { senseless: [5, 'x', []], odd: [{ a: { b: [{}] } }, { __proto__: null, a: null }] }
    case 'Bool':
      return { senseless: ['maybe', [], {}, 5.5], odd: [] }
    case 'Int32':
    case 'Int64':
      return { senseless: ['x', [], {}, 1e300], odd: [-1] }
    default:
      return { senseless: [{}, [], ['x']], odd: ['\u0000', 'b!d', 'ø'.repeat(3000), -1, true] }
  }
}

/** A text for a body, and whether nobody can make anything of it. */
type BadBody = readonly [text: string, senseless: boolean]

/** Bodies whose members are of the wrong kind, one after the other. */
function* bodiesWithMisfits(subject: BadRequestSubject, endpoint: Endpoint): Generator<BadBody> {
  const members = endpoint.body?.wire.members ?? new Map<string, WireShape>()
  const { good, bodyMembers = [...members.keys()] } = subject
  const whole = Object.fromEntries(
    bodyMembers.map((name) => [name, good(endpoint, name, members.get(name) ?? { base: 'String' })]),
  )
  for (const [member, shape] of members) {
    const { senseless, odd } = misfits(shape)
    for (const value of senseless) yield [JSON.stringify({ ...whole, [member]: value }), true]
    for (const value of odd) yield [JSON.stringify({ ...whole, [member]: value }), false]
  }
  yield [JSON.stringify(whole), false]
}

function* jsonBodies(subject: BadRequestSubject, endpoint: Endpoint): Generator<BadBody> {
  for (const text of NO_OBJECTS) yield [text, true]
  for (const text of ODD_OBJECTS) yield [text, false]
  yield* bodiesWithMisfits(subject, endpoint)
}

function* forms(fields: Readonly<Record<string, string>>): Generator<BadBody> {
  const form = (entries: Readonly<Record<string, string>>) =>
    Object.entries(entries)
      .map(([name, value]) => `${name}=${value}`)
      .join('&')
  for (const text of BAD_FORMS) yield [text, false]
  for (const name of Object.keys(fields)) {
    for (const value of [...BAD_VALUES, ...INHERITED_NAMES, ...BAD_TOKENS])
      yield [form({ ...fields, [name]: value }), false]
    yield [`${form(fields)}&${name}=`, false]
  }
}

/** The requests that nobody should send to an operation. */
export function* badRequests(subject: BadRequestSubject, endpoint: Endpoint): Generator<BadRequest> {
  const query = queryOf(subject, endpoint).join('&')
  const good = `${pathWith(subject, endpoint)}${query === '' ? '' : `?${query}`}`
  const body = endpoint.body && { body: '{}' }
  for (const parameter of Object.keys(endpoint.params)) {
    for (const value of [...BAD_NAMES, ...INHERITED_NAMES]) {
      const path = pathWith(subject, endpoint, { parameter, value })
      const senseless = !fits(endpoint.params[parameter]?.wire, value)
      yield { what: `${parameter}=${value.slice(0, 40)}`, endpoint, path, ...body, senseless }
    }
  }
  for (const { name } of Object.values(endpoint.query)) {
    const others = queryOf(subject, endpoint, name)
    for (const value of BAD_VALUES) {
      const path = `${pathWith(subject, endpoint)}?${[...others, `${name}=${value}`, `${name}=${value}`].join('&')}`
      yield { what: `?${name}=${value.slice(0, 40)}`, endpoint, path, ...body }
    }
  }
  if (endpoint.body === undefined) return
  const fields = subject.form?.(endpoint)
  for (const [text, senseless] of fields ? forms(fields) : jsonBodies(subject, endpoint)) {
    yield { what: `body ${text.slice(0, 90)}`, endpoint, path: good, body: text, senseless }
  }
  for (const type of BAD_MEDIA_TYPES) {
    const headers = { 'content-type': type }
    yield { what: `media type ${type}`, endpoint, path: good, body: '{}', headers, senseless: true }
  }
  const cut = Buffer.from('{"name":"\u00f8').subarray(0, -1)
  yield {
    what: 'body cut in the middle of a character',
    endpoint,
    path: good,
    body: cut,
    senseless: fields === undefined,
  }
}

/** Whether a name as it stands in a path can be one of that shape. */
function fits(shape: WireShape | undefined, encoded: string): boolean {
  try {
    return shape?.pattern?.test(decodeURIComponent(encoded)) ?? true
  } catch {
    return false
  }
}

/** An error is JSON that says its own status; nothing is the server's fault, and nothing that `senseless` says is taken. */
export function checkAnswer(
  what: string,
  { status, type, text }: RawAnswer,
  { expected, senseless = false }: { readonly expected?: readonly number[]; readonly senseless?: boolean } = {},
): void {
  ok(status >= (senseless ? 400 : 200) && status < 500, `${what}: ${status} ${text.slice(0, 200)}`)
  if (expected) ok(expected.includes(status), `${what}: ${status} ${text.slice(0, 200)}`)
  if (status < 400) return
  strictEqual(type.split(';')[0], 'application/json', `${what}: ${status} ${type}`)
  const error = JSON.parse(text) as { code?: unknown; message?: unknown }
  strictEqual(error.code, status, what)
  ok(typeof error.message === 'string' && error.message !== '', `${what}: no message in ${text}`)
}

/** Sends a request as it is, over TLS, and gives what comes back. */
export function sendRaw(base: URL, agent: Agent, bad: Omit<BadRequest, 'what'>): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
  const sent = request(
    {
      agent,
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
          headers: answer.headers,
          text: Buffer.concat(parts).toString(),
        }),
      )
    },
  )
  sent.on('error', reject)
  sent.end(bad.body)
  return promise
}

/** How many requests are sent at the same time. */
const AT_ONCE = 8

/** Sends every bad request of an operation and checks the answers; `send` sends one. */
export async function sendBadRequests(
  subject: BadRequestSubject,
  endpoint: Endpoint,
  send: (bad: BadRequest) => Promise<RawAnswer>,
): Promise<void> {
  const all = [...badRequests(subject, endpoint)]
  for (let first = 0; first < all.length; first += AT_ONCE) {
    await Promise.all(
      all.slice(first, first + AT_ONCE).map(async (bad) => {
        checkAnswer(bad.what, await send(bad), bad)
      }),
    )
  }
}
