import { ok, strictEqual } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import type { Endpoint } from '#core/http/endpoint.ts'
import type { WireShape } from '#core/http/wire.ts'
import { ZMS_API_ROOT, zmsEndpoints } from '#zms/api/index.ts'
import { ZTS_API_ROOT, ztsEndpoints } from '#zts/api/index.ts'
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

/** Name of the domain that the bad requests are about, and of everything in it. */
const VICTIM = 'victim'
/** The paths open to everybody. */
const OPEN_PATHS = [`${ZTS_API_ROOT}/status`]
const MEBIBYTE = 1024 * 1024

const SETTINGS = {
  'athenz.zts.no_auth_uri_list': OPEN_PATHS.join(','),
  'athenz.zts.introspect_support_enabled': 'true',
  'athenz.zts.oauth_openid_scope': 'true',
  'athenz.zts.authorized_proxy_users': ADMINISTRATOR,
  'athenz.zts.workload_enable_store_feature': 'true',
  'athenz.zts.redirect_uri_suffix': '.athenz.cloud',
}

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** A good request for a certificate with that common name and those alternative names. */
async function certificateRequest(commonName: string, ...names: string[]): Promise<string> {
  const file = join(temporaryFolder(), 'key.pem')
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const extension = `subjectAltName=${names.join(',')}`
  const args = ['req', '-new', '-key', file, '-subj', `/O=Athenz/CN=${commonName}`, '-addext', extension]
  return execFileSync('openssl', args).toString()
}

/** What the bad requests are about, as ZMS is told of it. */
const things: readonly (readonly [Endpoint, object])[] = [
  [zmsEndpoints.postTopLevelDomain, { name: VICTIM, adminUsers: [ADMINISTRATOR] }],
  [zmsEndpoints.putRole, { name: VICTIM, roleMembers: [{ memberName: ADMINISTRATOR }] }],
  [zmsEndpoints.putGroup, { name: VICTIM, groupMembers: [{ memberName: ADMINISTRATOR }] }],
  [
    zmsEndpoints.putPolicy,
    { name: VICTIM, assertions: [{ role: `${VICTIM}:role.${VICTIM}`, action: 'read', resource: `${VICTIM}:thing` }] },
  ],
  [
    zmsEndpoints.putServiceIdentity,
    {
      name: `${VICTIM}.${VICTIM}`,
      hosts: ['10.0.0.1'],
      publicKeys: [{ id: '0', key: encodeYBase64(publicKey.export({ type: 'spki', format: 'pem' })) }],
    },
  ],
]
const inZms: BadRequestSubject = { apiRoot: ZMS_API_ROOT, good: () => VICTIM }

/** Good values by the names of parameters and members; of the others, the name of the victim is one. */
const GOOD_VALUES = new Map<string, unknown>([
  ['provider', 'sys.auth.zts'],
  ['instanceId', 'i-1'],
  ['principal', ADMINISTRATOR],
  ['userName', ADMINISTRATOR],
  ['action', 'read'],
  ['resource', `${VICTIM}:thing`],
  ['ip', '10.0.0.1'],
  ['keyId', '0'],
  ['response_type', 'id_token'],
  ['client_id', `${VICTIM}.${VICTIM}`],
  ['clientId', `${VICTIM}.${VICTIM}`],
  ['redirect_uri', `https://${VICTIM}.${VICTIM}.athenz.cloud`],
  ['scope', `openid ${VICTIM}:domain`],
  ['certType', 'user'],
  ['requestor', ADMINISTRATOR],
  ['expiryTime', 60],
])

const TYPE = 'urn:ietf:params:oauth:token-type'
const FORMS = new Map<string, Readonly<Record<string, string>>>([
  [
    'postAccessTokenRequest',
    {
      grant_type: 'client_credentials',
      scope: `${VICTIM}:domain`,
      expires_in: '60',
      proxy_for_principal: ADMINISTRATOR,
      proxy_principal_spiffe_uris: 'spiffe://victim/sa/victim',
      authorization_details: '[{"type":"proxy_access","principal":["x"]}]',
      openid_issuer: 'true',
      role_in_aud_claim: 'true',
      full_arn: 'true',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'a.b.c',
      requested_token_type: `${TYPE}:access_token`,
      subject_token_type: `${TYPE}:access_token`,
      subject_token: 'a.b.c',
      actor_token_type: `${TYPE}:access_token`,
      actor_token: 'a.b.c',
      assertion: 'a.b.c',
      audience: VICTIM,
      resource: VICTIM,
      actor: `${VICTIM}.${VICTIM}`,
    },
  ],
  ['postIntrospectRequest', { token: 'a.b.c', token_type_hint: 'access_token' }],
])
/** Other grants than the first, each with the same fields. */
const GRANTS = [
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
] as const

/** The bad requests of ZTS. */
async function ztsSubject(): Promise<BadRequestSubject> {
  const ofService = await certificateRequest(
    `${VICTIM}.${VICTIM}`,
    `DNS:${VICTIM}.${VICTIM}.zts.athenz.cloud`,
    'URI:athenz://instanceid/sys.auth.zts/i-1',
  )
  const ofRole = await certificateRequest(`${VICTIM}:role.${VICTIM}`, `URI:athenz://principal/${ADMINISTRATOR}`)
  const ofShape = (name: string, shape: WireShape): unknown => {
    if (GOOD_VALUES.has(name)) return GOOD_VALUES.get(name)
    switch (shape.base) {
      case 'Struct':
        return Object.fromEntries([...(shape.members ?? [])].map(([member, type]) => [member, ofShape(member, type)]))
      case 'Map':
        return {}
      case 'Array':
        return shape.items ? [ofShape('', shape.items)] : []
      case 'Bool':
        return true
      case 'Int32':
      case 'Int64':
        return 1
      case 'Timestamp':
        return '2030-01-01T00:00:00.000Z'
      default:
        return shape.words?.[0] ?? VICTIM
    }
  }
  return {
    apiRoot: ZTS_API_ROOT,
    good: ({ operation }, name, shape) => {
      if (name === 'csr') return operation.startsWith('postRoleCertificateRequest') ? ofRole : ofService
      return name === 'provider' && operation === 'postExternalCredentialsRequest' ? 'gcp' : ofShape(name, shape)
    },
    form: ({ operation }) => FORMS.get(operation),
  }
}

const endpoints: readonly Endpoint[] = Object.values(ztsEndpoints)

describe('requests that nobody should send to ZTS', () => {
  // Not within the hook, whose end would be that of the folder.
  const folder = temporaryFolder()
  let servers: DevServers
  let agent: Agent
  let anonymousAgent: Agent
  let base: URL
  let subject: BadRequestSubject

  before(async () => {
    servers = await startDevServers({ dir: folder, zts: true, settings: SETTINGS })
    const { summary } = servers
    base = new URL(summary.zts ?? '')
    const [ca, cert, key] = await Promise.all(
      [summary.ca, summary.adminCert, summary.adminKey].map((file) => readFile(file)),
    )
    agent = new Agent({ keepAlive: true, maxSockets: 8, ca, cert, key })
    anonymousAgent = new Agent({ keepAlive: true, maxSockets: 8, ca })
    subject = await ztsSubject()
    const zms = new URL(summary.zms ?? '')
    for (const [endpoint, thing] of things) {
      const made = await sendRaw(zms, agent, { endpoint, path: pathWith(inZms, endpoint), body: JSON.stringify(thing) })
      ok(made.status < 300, `${endpoint.operation}: ${made.status} ${made.text}`)
    }
    const seen = ztsEndpoints.getServiceIdentity
    while ((await send({ endpoint: seen, path: pathWith(subject, seen) })).status !== 200);
  })
  after(async () => {
    agent?.destroy()
    anonymousAgent?.destroy()
    await servers?.[Symbol.asyncDispose]()
  })

  const send = (bad: Omit<BadRequest, 'what'>, through = agent): Promise<RawAnswer> => sendRaw(base, through, bad)

  const isAlive = async (): Promise<void> => {
    const endpoint = ztsEndpoints.getRoleToken
    const { status, text } = await send({ endpoint, path: pathWith(subject, endpoint) })
    strictEqual(status, 200, text)
  }

  for (const endpoint of endpoints)
    test(`${endpoint.operation}: ${endpoint.method} ${endpoint.path}`, async () => {
      await sendBadRequests(subject, endpoint, send)
      await isAlive()
    })

  for (const grant of GRANTS) {
    test(`postAccessTokenRequest with the grant ${grant}`, async () => {
      const form = (endpoint: Endpoint) => ({ ...FORMS.get(endpoint.operation), grant_type: grant })
      await sendBadRequests({ ...subject, form }, ztsEndpoints.postAccessTokenRequest, send)
      await isAlive()
    })
  }

  test('every operation but the declared ones refuses callers without credentials', async () => {
    for (const endpoint of endpoints) {
      const path = pathWith(subject, endpoint)
      const answer = await send({ endpoint, path, ...(endpoint.body && { body: '{}' }) }, anonymousAgent)
      if (endpoint.access.kind === 'anonymous' || OPEN_PATHS.includes(path)) {
        ok(answer.status !== 401, endpoint.operation)
      } else {
        strictEqual(answer.status, 401, `${endpoint.operation}: ${answer.status} ${answer.text}`)
        checkAnswer(endpoint.operation, answer)
      }
    }
  })

  test('a body above the limit is refused by its length', async () => {
    for (const endpoint of endpoints.filter(({ body }) => body !== undefined)) {
      const path = pathWith(subject, endpoint)
      checkAnswer(endpoint.operation, await send({ endpoint, path, body: Buffer.alloc(17 * MEBIBYTE, 0x20) }), {
        expected: [413],
      })
    }
    await isAlive()
  })

  test('names of inherited members neither exist nor do harm', async () => {
    const endpoint = ztsEndpoints.getServiceIdentityList
    for (const value of INHERITED_NAMES) {
      const path = pathWith(subject, endpoint, { parameter: 'domainName', value })
      checkAnswer(value, await send({ endpoint, path }), { expected: [400, 404] })
    }
  })
})
