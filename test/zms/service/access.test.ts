import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accessService } from '#zms/service/access.ts'
import { type CallOptions, Harness } from './harness.ts'
import { commit, group, policy, role } from './objects.ts'

const zms = await Harness.open({ services: [accessService] })
const { millis } = zms.clock
await zms.createDomain('sports')
await zms.createDomain('tenant')
await zms.createDomain('archive', { enabled: false })
await commit(
  zms,
  role('sports', 'readers', ['user.alice', 'sports:group.team', 'sports.api', 'sports:ext.eve@example.com']),
  role('sports', 'writers', ['user.bob', { memberName: 'user.late', expiration: millis - 1000 }]),
  role('sports', 'delegated', [], { trust: 'tenant' }),
  group('sports', 'team', ['user.carol']),
  policy('sports', 'data', [
    { role: 'readers', action: 'read', resource: 'sports:data.*' },
    { role: 'writers', action: 'write', resource: 'sports:data.*' },
    { role: 'readers', action: 'read', resource: 'sports:data.secret', effect: 'DENY' },
    { role: 'delegated', action: 'borrow', resource: 'sports:book' },
  ]),
  role('tenant', 'borrowers', ['user.dave']),
  policy('tenant', 'assume', [{ role: 'borrowers', action: 'assume_role', resource: 'sports:role.delegated' }]),
)

const granted = async (target: string, options?: CallOptions) => {
  const { status, body } = await zms.get(target, options)
  assert.equal(status, 200)
  return body.granted
}

test('a credential that is not for authorization is refused before its domain is looked for', async () => {
  const authority = { id: 'Auth-TEST', credentialSource: 'header', allowAuthorization: false } as const
  const caller = { domain: 'user', name: 'alice', fullName: 'user.alice', issueTimeSeconds: 0, authority }
  for (const resource of ['sports:data.x', 'nosuch:x', 'archive:x', 'plain']) {
    const refused = await zms.deps.authorization.check(caller, 'read', resource)
    assert.deepEqual([refused?.status, refused?.message], [403, 'Forbidden'], resource)
  }
})

describe('getAccess', () => {
  const cases: { question: string; as?: string; granted: boolean; why: string }[] = [
    { why: 'a member of the role', as: 'user.alice', question: 'read/sports:data.x', granted: true },
    { why: 'a denied resource', as: 'user.alice', question: 'read/sports:data.secret', granted: false },
    { why: 'another action', as: 'user.alice', question: 'write/sports:data.x', granted: false },
    { why: 'any letter case', as: 'user.alice', question: 'READ/SPORTS:Data.X', granted: true },
    { why: 'a member of a group', as: 'user.carol', question: 'read/sports:data.x', granted: true },
    { why: 'an expired member', as: 'user.late', question: 'write/sports:data.x', granted: false },
    { why: 'a stranger', as: 'user.eve', question: 'read/sports:data.x', granted: false },
    { why: 'another user', question: 'write/sports:data.x?principal=user.bob', granted: true },
    { why: 'another user in upper case', question: 'write/sports:data.x?principal=USER.BOB', granted: true },
    { why: 'a user by short name', question: 'write/sports:data.x?principal=bob', granted: true },
    { why: 'a service', question: 'read/sports:data.x?principal=sports.api', granted: true },
    {
      why: 'an external member',
      question: `read/sports:data.x?principal=${encodeURIComponent('sports:ext.eve@example.com')}`,
      granted: true,
    },
    { why: 'nobody by a malformed name', question: 'write/sports:data.x?principal=b!d', granted: false },
    { why: 'nobody by an empty name', as: 'user.bob', question: 'write/sports:data.x?principal=', granted: false },
    { why: 'a delegated role', as: 'user.dave', question: 'borrow/sports:book', granted: true },
    { why: 'the trust domain', as: 'user.dave', question: 'borrow/sports:book?domain=Tenant', granted: true },
    { why: 'another trust domain', as: 'user.dave', question: 'borrow/sports:book?domain=sys', granted: false },
    { why: 'an empty trust domain', as: 'user.dave', question: 'borrow/sports:book?domain=', granted: false },
    { why: 'a role of its own', as: 'user.alice', question: 'read/sports:data.x?domain=', granted: true },
    {
      why: 'assuming a role, as a question to the trust domain',
      as: 'user.dave',
      question: 'assume_role/sports:role.delegated?domain=tenant',
      granted: true,
    },
    {
      why: 'assuming a role, as a question to its own domain',
      as: 'user.dave',
      question: 'assume_role/sports:role.delegated',
      granted: false,
    },
    {
      why: 'the home domain that could be made',
      as: 'user.frank',
      question: 'create/user.frank:domain',
      granted: true,
    },
    {
      why: 'the home of the caller for others',
      as: 'user.frank',
      question: 'x/user.frank:y?principal=bob',
      granted: false,
    },
  ]
  for (const { why, question, as, granted: expected } of cases) {
    test(`${expected ? 'grants' : 'denies'}: ${why}`, async () => {
      assert.equal(await granted(`/access/${question}`, as === undefined ? {} : { as }), expected)
    })
  }

  test('denies a restricted certificate, but tells its holder about others', async () => {
    const options = { as: 'user.alice', principal: { mtlsRestricted: true } }
    assert.equal(await granted('/access/read/sports:data.x', options), false)
    assert.equal(await granted('/access/read/sports:data.x?principal=user.alice', options), true)
  })

  test('counts the roles of a credential that names them instead of memberships', async () => {
    const roles = ['sports:role.writers']
    assert.equal(await granted('/access/write/sports:data.x', { as: 'user.eve', principal: { roles } }), true)
    assert.equal(await granted('/access/read/sports:data.x', { as: 'user.alice', principal: { roles } }), false)
  })

  test('sees a change at once', async () => {
    assert.equal(await granted('/access/write/sports:data.x', { as: 'user.new' }), false)
    await commit(zms, { kind: 'putRoleMember', domain: 'sports', role: 'writers', value: { memberName: 'user.new' } })
    assert.equal(await granted('/access/write/sports:data.x', { as: 'user.new' }), true)
  })

  const refused = [
    { target: '/access/read/plain', status: 404, message: 'getAccessCheck: Unable to extract resource domain' },
    { target: '/access/read/nosuch:x', status: 404, message: "getAccessCheck: Resource Domain not found: 'nosuch'" },
    {
      target: '/access/assume_role/sports:role.delegated?domain=',
      status: 404,
      message: "getAccessCheck: Resource Domain not found: ''",
    },
    { target: '/access/read/archive:x', status: 403, message: "getAccessCheck: Disabled domain: 'archive'" },
    {
      target: '/access/read/sports:x?principal=sports:group.team',
      status: 400,
      message: 'getAccessCheck: Invalid check principal value specified',
    },
  ]
  for (const { target, status, message } of refused) {
    test(`answers ${status} to ${target}`, async () => {
      assert.deepEqual(await zms.get(target), { status, headers: {}, body: { code: status, message } })
    })
  }

  test('answers 401 to a caller without credentials', async () => {
    assert.equal((await zms.get('/access/read/sports:x', { anonymous: true })).status, 401)
  })

  test('answers without waiting for anything when the store answers from memory', async () => {
    const { getAccess } = accessService(zms.deps)
    const request = {
      params: { action: 'read', resource: 'sports:data.x' },
      query: { domain: undefined, checkPrincipal: 'user.alice', explain: false },
      headers: {},
      body: undefined,
    }
    const principal = { domain: 'user', name: 'x', fullName: 'user.x', issueTimeSeconds: 0 }
    const context = { requestId: '', api: 'getaccess', method: 'GET', remoteAddress: '', header: () => undefined }
    const reply = getAccess(request, { ...context, principal: { ...principal, authority: {} as never } })
    assert.ok(!(reply instanceof Promise))
    assert.deepEqual(reply, { status: 200, body: '{"granted":true}' })
  })
})

describe('getAccessExt', () => {
  test('takes any text as resource', async () => {
    await commit(zms, policy('sports', 'paths', [{ role: 'readers', action: 'list', resource: 'sports:a/b*' }]))
    const resource = encodeURIComponent('sports:a/b c?d=[1]')
    assert.equal(await granted(`/access/list?resource=${resource}`, { as: 'user.alice' }), true)
  })

  test('asks about another principal', async () => {
    assert.equal(await granted('/access/write?resource=sports:data.x&principal=user.bob'), true)
  })

  test('answers 404 to a resource without domain', async () => {
    const { status, body } = await zms.get('/access/read?resource=')
    assert.deepEqual([status, body.message], [404, 'getAccessCheck: Unable to extract resource domain'])
  })
})
