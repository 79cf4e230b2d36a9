import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { roleService } from '#zms/service/role.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, policy, role } from './objects.ts'

const services = [roleService]
const zms = await Harness.open({ services })
beforeEach(() => zms.createDomain('sports'))

const put = (admins: readonly string[], options: object = {}) => zms.put('/domain/sports/admins', { admins }, options)
const membersOf = async (name: string) =>
  [...((await zms.domain('sports')).roles.get(name)?.members ?? [])].map(({ memberName }) => memberName)
const rulesOf = async (name: string) => {
  const versions = [...((await zms.domain('sports')).policies.get(name)?.values() ?? [])]
  const assertions = [...(versions.find(({ active }) => active)?.assertions.values() ?? [])]
  return assertions.map((each) => `${each.effect} ${each.role} ${each.action} ${each.resource}`)
}
const STANDARD = 'ALLOW admin * sports:*'
const allowed = (user: string) =>
  zms.deps.authorization.isAllowed(
    { domain: 'user', name: user, fullName: `user.${user}`, issueTimeSeconds: 0, authority: AUTHORITY },
    'update',
    'sports:x',
  )
const AUTHORITY = { id: 'Auth-TEST', credentialSource: 'header', allowAuthorization: true } as const

describe('restoring the administrators of a domain', () => {
  test('adds them once, and keeps those who are there', async () => {
    assert.deepEqual(
      await put(['User.Alice', 'user.owner', 'user.alice'], { headers: { 'Y-Audit-Ref': 'why' } }),
      NOTHING,
    )
    assert.deepEqual(await membersOf('admin'), ['user.admin', 'user.owner', 'user.alice'])
    const member = (await zms.domain('sports')).roles.get('admin')?.members.get('user.alice')
    assert.deepEqual(member, { memberName: 'user.alice', auditRef: 'why', requestPrincipal: 'user.admin' })
    assert.deepEqual(await put([]), NOTHING)
    assert.deepEqual(await rulesOf('admin'), [STANDARD])
  })

  test('needs a reference in audit-enabled domains for each change of members', async () => {
    await zms.createDomain('sports', { auditEnabled: true })
    const needed = refusal(400, 'putdefaultadmins: Audit reference required for domain: sports')
    assert.deepEqual(await put(['user.owner']), NOTHING, 'who is there already')
    assert.deepEqual(await put(['user.alice']), needed)
    await commit(
      zms,
      role('sports', 'denied', ['user.owner']),
      policy('sports', 'deny', [{ role: 'denied', resource: 'sports:*', action: '*', effect: 'DENY' }]),
    )
    assert.deepEqual(await put(['user.owner']), needed)
    assert.deepEqual(await put(['user.owner', 'user.alice'], { headers: { 'Y-Audit-Ref': 'why' } }), NOTHING)
  })

  test('makes the role and the policy again', async () => {
    await commit(
      zms,
      { kind: 'deleteRole', domain: 'sports', role: 'admin' },
      { kind: 'deletePolicy', domain: 'sports', policy: 'admin' },
    )
    assert.deepEqual(await put(['user.alice']), NOTHING)
    assert.deepEqual(await membersOf('admin'), ['user.alice'])
    assert.deepEqual(await rulesOf('admin'), [STANDARD])
    assert.equal(await allowed('alice'), true)
  })

  test('adds the assertion to a policy that has lost it', async () => {
    const [id] = (await zms.domain('sports')).policies.get('admin')?.get('0')?.assertions.keys() ?? []
    await commit(
      zms,
      { kind: 'deleteAssertion', domain: 'sports', policy: 'admin', version: '0', id: id as number },
      ...policy('sports', 'admin', [{ role: 'admin', resource: 'sports:*', action: 'read' }], { version: '7' }),
    )
    assert.deepEqual(await put([]), NOTHING)
    assert.deepEqual(await rulesOf('admin'), ['ALLOW admin read sports:*', STANDARD])
  })

  test('gives a delegated role its own members again', async () => {
    await commit(zms, ...role('sports', 'admin', [], { trust: 'media', description: 'kept' }))
    assert.equal(await allowed('alice'), false)
    assert.deepEqual(await put(['user.alice']), NOTHING)
    const admin = (await zms.domain('sports')).roles.get('admin')
    assert.equal(admin?.trust, undefined)
    assert.equal(admin?.description, 'kept')
    assert.equal(await allowed('alice'), true)
  })

  test('removes what denies them: by the role, by patterns that hit it, by membership in denied roles', async () => {
    await commit(
      zms,
      ...role('sports', 'denied', ['user.alice', 'user.x']),
      ...role('sports', 'other', ['user.alice', 'user.x']),
      ...role('sports', 'free', ['user.alice']),
      ...policy('sports', 'deny', [
        { role: 'admin', resource: 'sports:x', action: 'update', effect: 'DENY' },
        { role: '*', resource: 'sports:x', action: 'update', effect: 'DENY' },
        { role: 'adm?n', resource: 'sports:x', action: 'update', effect: 'DENY' },
        { role: 'denied', resource: 'sports:*', action: '*', effect: 'DENY' },
        { role: 'oth*', resource: 'sports:*', action: '*', effect: 'DENY' },
        { role: 'free', resource: 'sports:*', action: '*' },
      ]),
      ...policy('sports', 'old', [{ role: 'admin', resource: 'sports:*', action: '*', effect: 'DENY' }], {
        active: false,
      }),
      ...policy('sports', 'old', [], { version: '1' }),
    )
    assert.equal(await allowed('alice'), false)
    assert.deepEqual(await put(['user.alice']), NOTHING)
    assert.deepEqual(await rulesOf('deny'), ['DENY denied * sports:*', 'DENY oth* * sports:*', 'ALLOW free * sports:*'])
    assert.deepEqual(await membersOf('denied'), ['user.x'])
    assert.deepEqual(await membersOf('other'), ['user.x'])
    assert.deepEqual(await membersOf('free'), ['user.alice'])
    assert.equal((await zms.domain('sports')).policies.get('old')?.get('0')?.assertions.size, 1)
    assert.equal(await allowed('alice'), true)
  })

  test('limits memberships to the days of the domain', async () => {
    await zms.createDomain('sports', { memberExpiryDays: 10 })
    await put(['user.alice'])
    const member = (await zms.domain('sports')).roles.get('admin')?.members.get('user.alice')
    assert.equal(member?.expiration, Math.floor(zms.clock.millis / 1000) * 1000 + 10 * 86_400_000)
  })

  test('adds no more of them than the role or the quota allows', async () => {
    await commit(zms, ...role('sports', 'admin', [], { maxMembers: 3 }))
    assert.deepEqual(
      await put(['user.alice', 'user.bob']),
      refusal(429, 'role max members exceeded - limit: 3 actual: 3'),
    )
    const small = await Harness.open({ services, properties: { quota_role_member: '2' } })
    await small.createDomain('sports')
    assert.deepEqual(await small.put('/domain/sports/admins', { admins: ['user.owner'] }), NOTHING)
    assert.deepEqual(
      await small.put('/domain/sports/admins', { admins: ['user.alice'] }),
      refusal(429, 'role member quota exceeded - limit: 2 actual: 2'),
    )
  })

  const refused: readonly (readonly [string, number, string])[] = [
    ['sports:group.none', 400, 'Group principals are not allowed in the role'],
    ['b!d', 404, 'unknown domain - b!d'],
    ['nowhere.api', 404, 'unknown domain - nowhere.api'],
    ['user.a b', 400, 'Principal user.a b is not valid'],
    ['', 404, 'unknown domain - '],
  ]
  for (const [name, status, message] of refused) {
    test(`refuses ${JSON.stringify(name)}, and changes nothing`, async () => {
      assert.deepEqual(await put(['user.alice', name]), refusal(status, message))
      assert.deepEqual(await membersOf('admin'), ['user.admin', 'user.owner'])
    })
  }

  test('is for system administrators, in a domain that exists', async () => {
    assert.deepEqual(await put([], { as: 'user.owner' }), refusal(403, 'Forbidden'))
    assert.deepEqual(
      await zms.put('/domain/none/admins', { admins: [] }),
      refusal(404, "putDefaultAdmins: Domain not found: 'none'"),
    )
    const principal = { authorizedService: 'media.ui' }
    assert.deepEqual(await put([], { principal }), refusal(403, 'Unauthorized Service media.ui'))
  })
})
