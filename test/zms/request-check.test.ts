import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { ServiceError, unauthorized } from '#core/error/service-error.ts'
import type { Endpoint, RequestContext } from '#core/http/endpoint.ts'
import { zmsEndpoints } from '#zms/api/index.ts'
import { requestCheck } from '#zms/request-check.ts'
import { principalOf } from '../support/service-caller.ts'

type Operation = keyof typeof zmsEndpoints

interface Circumstances {
  readonly properties?: Readonly<Record<string, string>>
  readonly context?: Partial<RequestContext>
  readonly userAuthority?: Authority
}

/** What a request is refused with, as `STATUS MESSAGE`; undefined when it goes on. */
async function refusal(operation: Operation, circumstances: Circumstances = {}): Promise<string | undefined> {
  const { properties = {}, context, userAuthority } = circumstances
  const { config } = await loadServerConfig({
    server: 'zms',
    rootDir: '/nonexistent',
    files: [],
    overrides: Object.entries(properties),
    env: {},
    hostname: 'zms.example.com',
  })
  const endpoint: Endpoint = zmsEndpoints[operation]
  const request: RequestContext = {
    requestId: 'id',
    api: operation.toLowerCase(),
    method: endpoint.method,
    principal: principalOf('user.joe'),
    remoteAddress: '127.0.0.1',
    secure: true,
    localPort: 4443,
    header: () => undefined,
    ...context,
  }
  try {
    await requestCheck(config, userAuthority)(endpoint, request)
    return undefined
  } catch (error) {
    assert.ok(error instanceof ServiceError)
    return `${error.status} ${error.message}`
  }
}

const OPERATIONS = Object.keys(zmsEndpoints) as Operation[]

describe('read-only mode', () => {
  const MAINTENANCE = '400 Server in Maintenance Read-Only mode. Please try your request later'
  const properties = { 'athenz.zms.read_only_mode': 'true' }
  const writes = OPERATIONS.filter((operation) => ['PUT', 'POST', 'DELETE'].includes(zmsEndpoints[operation].method))

  test('refuses every operation that changes something', async () => {
    assert.ok(writes.length > 60)
    for (const operation of writes) assert.equal(await refusal(operation, { properties }), MAINTENANCE, operation)
  })

  test('leaves all others alone', async () => {
    for (const operation of OPERATIONS.filter((name) => !writes.includes(name))) {
      assert.equal(await refusal(operation, { properties }), undefined, operation)
    }
  })

  test('is off by default', async () => {
    assert.equal(await refusal('putRole'), undefined)
  })

  test('comes before the check of the owner', async () => {
    const context = { header: () => 'no name!' }
    assert.equal(await refusal('putRole', { properties, context }), MAINTENANCE)
    assert.match((await refusal('putRole', { context })) ?? '', /^400 Invalid resource owner: no name! - /)
  })
})

describe('the status port', () => {
  const properties = { 'athenz.status_port': '4480' }

  test('serves the status and nothing else, and the others do not serve it', async () => {
    const at = (operation: Operation, localPort: number) => refusal(operation, { properties, context: { localPort } })
    assert.equal(await at('getStatus', 4480), undefined)
    assert.equal(await at('getRole', 4480), '400 incorrect port number for a non-status request')
    assert.equal(await at('getStatus', 4443), '400 incorrect port number for a status request')
    assert.equal(await at('getRole', 4443), undefined)
  })
})

describe('a request without TLS', () => {
  const context = { secure: false }

  test('is refused unless the operator allows it', async () => {
    assert.equal(await refusal('getRole', { context }), '400 getrole request must be over TLS')
    const properties = { 'athenz.zms.secure_requests_only': 'false' }
    assert.equal(await refusal('getRole', { context, properties }), undefined)
  })
})

describe('a request with several faults', () => {
  test('is refused for want of TLS, then at the status port, then for the user, then for the owner', async () => {
    const userAuthority = { userType: async () => 'invalid' } as unknown as Authority
    const properties = { 'athenz.status_port': '4480', 'athenz.zms.validate_user_authority_principals': 'true' }
    const faults = { secure: false, localPort: 4480, header: () => 'no name!' }
    const refused = (context: Partial<RequestContext>) => refusal('putRole', { properties, userAuthority, context })
    assert.equal(await refused(faults), '400 putrole request must be over TLS')
    assert.equal(await refused({ ...faults, secure: true }), '400 incorrect port number for a non-status request')
    assert.equal(await refused({ ...faults, secure: true, localPort: 4443 }), '401 user is not valid')
    const owner = await refused({ header: faults.header, principal: principalOf('sports.api') })
    assert.match(owner ?? '', /^400 Invalid resource owner: no name! - /)
  })
})

describe('a user whom the user authority does not know any more', () => {
  const userAuthority = { userType: async () => 'invalid' } as unknown as Authority

  test('is refused where that is asked for', async () => {
    const properties = { 'athenz.zms.validate_user_authority_principals': 'true' }
    const expected = unauthorized('user is not valid')
    assert.equal(await refusal('getRole', { properties, userAuthority }), `${expected.status} ${expected.message}`)
    assert.equal(await refusal('getRole', { userAuthority }), undefined)
    const service = { principal: principalOf('sports.api') }
    assert.equal(await refusal('getRole', { properties, userAuthority, context: service }), undefined)
  })
})
