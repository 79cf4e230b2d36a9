import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createSigner } from '#core/crypto/signing.ts'
import { apiDocumentationEndpoints } from '#core/http/api-documentation.ts'
import type { Endpoint } from '#core/http/endpoint.ts'
import { ZMS_API_ROOT, zmsEndpoints } from '#zms/api/index.ts'
import { ZTS_API_ROOT, ztsEndpoints } from '#zts/api/index.ts'
import type { ClientCertificate } from '../support/client-certificate.ts'
import { exampleValue } from '../support/example-value.ts'
import { assertGolden } from '../support/golden.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import {
  type Answer,
  AttackedServers,
  newKey,
  principalHeader,
  type Question,
  type ServerName,
} from './attacked-servers.ts'
import { clientAuthority, issued, LEAF } from './issued-certificates.ts'
import { LEAVER } from './user-directory.ts'

const DAY_MILLIS = 86_400_000
const DAY_SECONDS = DAY_MILLIS / 1000

/** Every operation, with the server that has it. */
const OPERATIONS: readonly (readonly [ServerName, string, Endpoint])[] = [
  ...Object.values<Endpoint>(zmsEndpoints).map((endpoint) => ['zms', ZMS_API_ROOT, endpoint] as const),
  ...Object.values<Endpoint>(ztsEndpoints).map((endpoint) => ['zts', ZTS_API_ROOT, endpoint] as const),
  ...(['zms', 'zts'] as const).flatMap((server) =>
    Object.values<Endpoint>(apiDocumentationEndpoints).map((endpoint) => [server, '', endpoint] as const),
  ),
]
/** The only one that the configuration opens, since the start waits for it. */
const isOpen = ({ access, operation }: Endpoint): boolean => access.kind === 'anonymous' || operation === 'getStatus'

/** Values of parameters and members; of all others the name of the victim is one, of which each kind of thing exists. */
const NAMED = new Map<string, unknown>([
  ['memberName', 'user.x'],
  ['principal', 'user.x'],
  ['principalName', 'user.x'],
  ['userName', 'x'],
  ['resource', 'victim:thing'],
  ['adminUsers', ['user.nobody', 'other.api']],
  ['provider', 'sys.auth.zts'],
  ['response_type', 'id_token'],
  ['ip', '10.0.0.1'],
  ['endpoint', 'https://victim.example.com/'],
  ['providerEndpoint', 'https://victim.example.com/'],
  ['executable', '/bin/victim'],
])
const CHOICE = { named: (name: string) => NAMED.get(name), text: 'victim' }

/** Operations that are not for reading, by their method, and that succeed for everybody whom the servers know. */
const FOR_ALL = new Map([
  ['postSignedPolicyRequest', 'reads policies, which are for everybody'],
  ['postIntrospectRequest', 'says of a text that is no token that it is not active'],
  ['postSSHCertRequest', 'answers nothing where no certificates for SSH are issued'],
])

/** A request for an operation that is right in everything but the credential. */
function questionFor(server: ServerName, root: string, endpoint: Endpoint): Question {
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(exampleValue(endpoint.params[name]?.wire ?? { base: 'String' }, CHOICE, name))),
  )
  const query = Object.values(endpoint.query)
    .filter(({ type }) => !type.wire.optional && type.wire.initial === undefined)
    .map(({ name, type }) => `${name}=${encodeURIComponent(String(exampleValue(type.wire, CHOICE, name)))}`)
  const form = endpoint.consumes !== 'application/json'
  return {
    server,
    method: endpoint.method,
    path: `${root}${path}${query.length > 0 ? `?${query.join('&')}` : ''}`,
    headers: { 'y-audit-ref': 'test' },
    ...(endpoint.body && {
      body: form
        ? 'grant_type=client_credentials&scope=victim:domain&token=a.b.c'
        : Object(exampleValue(endpoint.body.wire, CHOICE)),
      headers: { 'y-audit-ref': 'test', 'content-type': endpoint.consumes },
    }),
  }
}

/** A member of the administrators of the victim who is suspended. */
const SUSPENDED = 'user.suspended'

const DIRECTORY = join(import.meta.dirname, 'user-directory.ts')
const authorities = (...names: readonly string[]): string =>
  [...names.map((name) => `com.yahoo.athenz.auth.impl.${name}Authority`), DIRECTORY].join(',')

describe('every operation with every credential', () => {
  const folder = temporaryFolder()
  let servers: AttackedServers
  before(async () => {
    servers = await AttackedServers.start(folder, {
      'athenz.zts.introspect_support_enabled': 'true',
      'athenz.zms.authority_classes': authorities('Principal', 'Certificate'),
      'athenz.zms.user_authority_class': DIRECTORY,
      'athenz.zms.validate_user_authority_principals': 'true',
      'athenz.zts.authority_classes': authorities('Principal', 'Certificate', 'Role'),
      'athenz.zts.user_authority_class': DIRECTORY,
      'athenz.zts.validate_user_authority_principals': 'true',
    })
    const addAdministrator = (domain: string, memberName: string) =>
      servers.tell('PUT', `/zms/v1/domain/${domain}/role/admin/member/${memberName}`, { memberName })
    await addAdministrator('victim', SUSPENDED)
    await servers.tell('PUT', `/zms/v1/principal/${SUSPENDED}/state`, { suspended: true })
    await addAdministrator('sys.auth', LEAVER)
    await addAdministrator('victim', LEAVER)
    const path = `/zts/v1/access/update/victim:thing?principal=${LEAVER}`
    const known = async () => {
      const { body } = await servers.ask({ server: 'zts', path, certificate: servers.administrator })
      return Reflect.get(Object(body), 'granted') === true
    }
    await until(known, { timeoutMillis: 20_000, what: 'that ZTS knows the administrators' })
  })
  after(() => servers?.[Symbol.asyncDispose]())

  const ask = (question: Question, more: Partial<Question>): Promise<Answer> =>
    servers.ask({ ...question, ...more, headers: { ...question.headers, ...more.headers } })

  /** Nobody gets in with this credential; the log says why. */
  const refusedEverywhere = async (credential: Partial<Question>, reason: RegExp): Promise<void> => {
    const refused: (readonly [ServerName, Endpoint, Answer])[] = []
    for (const [server, root, endpoint] of OPERATIONS) {
      const answer = await ask(questionFor(server, root, endpoint), credential)
      if (endpoint.access.kind === 'anonymous') assert.ok(![401, 403].includes(answer.status), endpoint.operation)
      else if (isOpen(endpoint) && answer.status === 200) continue
      else refused.push([server, endpoint, answer])
    }
    const unknownTo = (name: ServerName) =>
      refused.flatMap(([server, , answer]) => (server === name && answer.status === 401 ? [answer] : []))
    const reasonsOf = (name: ServerName) => servers.reasonsOf(name, unknownTo(name))
    const reasons = { zms: await reasonsOf('zms'), zts: await reasonsOf('zts') }
    for (const [server, { operation }, answer] of refused) {
      assert.deepEqual([answer.status, answer.message], [401, 'Invalid credentials'], `${server} ${operation}`)
      assert.match(reasons[server].get(answer.requestId) ?? '', reason, `${server} ${operation}`)
    }
  }

  test('none: 401', () => refusedEverywhere({}, /^No credentials provided$/))

  test('an expired token: 401', async () => {
    const headers = await principalHeader(servers.stranger, 2 * DAY_SECONDS)
    await refusedEverywhere({ headers }, /PrincipalAuthority:authenticate: expired at \d+, \d+ seconds ago/)
  })

  test('a token signed with another key under the id of the right one: 401', async () => {
    const forger = { name: servers.stranger.name, signer: createSigner(newKey(), '0') }
    await refusedEverywhere({ headers: await principalHeader(forger) }, /the signature does not match/)
  })

  test('a token under the id of a key that does not exist: 401', async () => {
    const forger = { name: servers.stranger.name, signer: createSigner(newKey(), '../0') }
    await refusedEverywhere({ headers: await principalHeader(forger) }, /no such public key|unknown/)
  })

  test('a token whose name was changed to that of another service: 401', async () => {
    const { 'athenz-principal-auth': token = '' } = await principalHeader(servers.stranger)
    const headers = { 'athenz-principal-auth': token.replace('d=other;n=api', 'd=victim;n=victim') }
    await refusedEverywhere({ headers }, /the signature does not match/)
  })

  test('a web token without signature: 401', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const token = `${part({ alg: 'none' })}.${part({ sub: 'user.admin', exp: 9_999_999_999 })}.`
    await refusedEverywhere({ headers: { authorization: `Bearer ${token}` } }, /^No credentials provided$/)
  })

  test('that of an administrator who has left: 401, since the user is not valid', async () => {
    const certificate = await issued(await clientAuthority(servers.summary), LEAVER)
    const untouched = await victimOf(servers)
    let refused = 0
    for (const [server, root, endpoint] of OPERATIONS) {
      const { status, message } = await ask(questionFor(server, root, endpoint), { certificate })
      if (endpoint.access.kind === 'anonymous') assert.ok(![401, 403].includes(status), endpoint.operation)
      else if (status !== 404 || message !== 'Domain not found') {
        // The rule of an operation is asked first, about a domain that there is not.
        assert.deepEqual([status, message], [401, 'user is not valid'], `${server} ${endpoint.operation}`)
        refused++
      }
    }
    assert.ok(refused > OPERATIONS.length * 0.8, String(refused))
    assert.deepEqual(await victimOf(servers), untouched)
  })

  for (const [what, certificateOf, codes] of [
    ['an expired certificate of the administrator', expiredCertificate, /CERTIFICATE_EXPIRED|ECONNRESET|EPIPE/],
    [
      'a certificate of an authority that only has the name of ours',
      forgedCertificate,
      /UNKNOWN_CA|DECRYPT_ERROR|BAD_CERTIFICATE|ECONNRESET|EPIPE/,
    ],
  ] as const) {
    test(`${what}: no answer at all`, async () => {
      const certificate = await certificateOf(servers)
      for (const [server, root, endpoint] of OPERATIONS) {
        await assert.rejects(
          ask(questionFor(server, root, endpoint), { certificate }),
          (error: NodeJS.ErrnoException) => codes.test(error.code ?? ''),
          `${server} ${endpoint.operation}`,
        )
      }
    })
  }

  test('that of a user or a service without any role there, of a role elsewhere, or of a suspended administrator: as listed, and nothing is changed', async () => {
    const authority = await clientAuthority(servers.summary)
    const holder = [{ type: 'uri', value: 'athenz://principal/other.api' }] as const
    const strangers: readonly (readonly [string, Partial<Question>])[] = [
      ['user', { certificate: servers.nobody }],
      ['service', { headers: await principalHeader(servers.stranger) }],
      ['role', { certificate: await issued(authority, 'other:role.admin', { ...LEAF, names: holder }) }],
      ['suspended', { certificate: await issued(authority, SUSPENDED) }],
    ]
    const untouched = await victimOf(servers)
    const lines: string[] = []
    for (const [server, root, endpoint] of OPERATIONS) {
      for (const [who, credential] of strangers) {
        const answer = await ask(questionFor(server, root, endpoint), credential)
        const { status, message, body } = answer
        assert.ok(status < 500, `${endpoint.operation}: ${status} ${message}`)
        if (status < 300 && endpoint.method !== 'GET') assert.ok(FOR_ALL.has(endpoint.operation), endpoint.operation)
        lines.push(`${server} ${endpoint.operation} ${who} ${status} ${body === '' ? '(empty)' : message}`.trim())
      }
    }
    assert.deepEqual(await victimOf(servers), untouched)
    assertGolden('route-sweep.txt', `${lines.join('\n')}\n`)
  })

  test('that of the administrator: no declared right is missing', async () => {
    for (const [server, root, endpoint] of OPERATIONS.filter(([, , { access }]) => access.kind === 'authorize')) {
      const { status, message } = await ask(questionFor(server, root, endpoint), { certificate: servers.administrator })
      const isRefusal = status === 401 || (status === 403 && message === 'Forbidden')
      // The last operations find what earlier ones have deleted gone, but not forbidden.
      assert.ok(!isRefusal, `${server} ${endpoint.operation}: ${status} ${message}`)
    }
  })
})

/** All of the victim, as its administrator sees it. */
async function victimOf(servers: AttackedServers): Promise<unknown> {
  const certificate = servers.administrator
  const paths = ['', '/roles?members=true', '/groups?members=true', '/policies?assertions=true', '/services', '/entity']
  return Promise.all(
    paths.map(async (path) => {
      const { status, body } = await servers.ask({ server: 'zms', path: `/zms/v1/domain/victim${path}`, certificate })
      assert.equal(status, 200, path)
      return body
    }),
  )
}

async function expiredCertificate({ summary }: AttackedServers): Promise<ClientCertificate> {
  const notBefore = new Date(Date.now() - 2 * DAY_MILLIS)
  const notAfter = new Date(Date.now() - DAY_MILLIS)
  return issued(await clientAuthority(summary), 'user.admin', { ...LEAF, notBefore, notAfter })
}

async function forgedCertificate({ summary }: AttackedServers): Promise<ClientCertificate> {
  const signer = createSigner(newKey(), 'ca', 'certificate')
  return issued({ ...(await clientAuthority(summary)), signer }, 'user.admin')
}
