import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accessService } from '#zms/service/access.ts'
import { policyService } from '#zms/service/policy.ts'
import { roleMembershipService } from '#zms/service/role-membership.ts'
import { type Answer, type CallOptions, Harness, refusal } from './harness.ts'
import { commit, group, policy, role } from './objects.ts'

const zms = await Harness.open({ services: [accessService, policyService, roleMembershipService] })
const { millis } = zms.clock
const PAST = millis - 1000

await zms.createDomain('sports')
await zms.createDomain('tenant')
await zms.createDomain('archive', { enabled: false })
const request = { memberName: 'user.pat', requestTime: millis - 5000, requestPrincipal: 'user.boss' } as const
await commit(
  zms,
  role('sports', 'readers', ['user.alice', 'sports:group.team', 'guest.*', 'sports.api']),
  role('sports', 'writers', [
    { memberName: 'user.late', expiration: PAST },
    { memberName: 'user.off', systemDisabled: 6 },
  ]),
  { kind: 'putPendingRoleMember', domain: 'sports', role: 'writers', value: { ...request, pendingState: 'ADD' } },
  role('sports', 'delegated', [], { trust: 'tenant' }),
  group('sports', 'team', ['user.carol', { memberName: 'user.gone', expiration: PAST }]),
  policy('sports', 'data', [
    { role: 'readers', action: 'read', resource: 'sports:data.*' },
    { role: 'writers', action: 'write', resource: 'sports:data.*' },
    { role: 'readers', action: 'read', resource: 'sports:data.secret', effect: 'DENY' },
    { role: 'delegated', action: 'borrow', resource: 'sports:book' },
  ]),
  policy('sports', 'plans', [{ role: 'readers', action: 'plan', resource: 'sports:data.*' }], {
    version: 'next',
    active: false,
  }),
  policy('sports', 'plans', [{ role: 'writers', action: 'plan', resource: 'sports:data.*' }]),
  role('tenant', 'borrowers', ['user.dave']),
  policy('tenant', 'assume', [{ role: 'borrowers', action: 'assume_role', resource: 'sports:role.delegated' }]),
)

/** The explanation that a principal gets of a question of its own, or the administrator of one about another principal. */
async function explanationOf(question: string, options: CallOptions = {}) {
  const { status, body } = await explain(question, options)
  assert.equal(status, 200, JSON.stringify(body))
  const plain = await zms.get(`/access/${question}`, options)
  assert.deepEqual({ granted: body.granted }, plain.body, 'the plain answer is the same')
  return body.explanation
}

const explain = (question: string, options: CallOptions = {}): Promise<Answer> =>
  zms.get(`/access/${question}${question.includes('?') ? '&' : '?'}explain=true`, options)

describe('getAccess with explain', () => {
  test('tells everything about an answer', async () => {
    const [first, deny] = [...((await zms.domain('sports')).policies.get('data')?.get('0')?.assertions.values() ?? [])]
      .filter(({ action }) => action === 'read')
      .map(({ id }) => id)
    const { modified } = await zms.domain('sports')
    const tried = (more: object) => ({ policy: 'data', version: '0', active: true, effect: 'ALLOW', ...more })
    const denied = tried({
      id: deny,
      effect: 'DENY',
      role: 'sports:role.readers',
      action: 'read',
      resource: 'sports:data.secret',
      misses: [],
      standing: 'held',
      through: 'sports:role.readers',
    })
    const explanation = await explanationOf('read/sports:data.secret', { as: 'user.carol' })
    assert.deepEqual(
      { ...explanation, assertions: explanation.assertions.slice(0, 2) },
      {
        summary:
          'user.carol asks to read sports:data.secret (domain sports): denied by policy data: DENY readers read sports:data.secret through role readers',
        caller: { principal: 'user.carol', authority: 'Auth-TEST', credential: 'token' },
        principal: 'user.carol',
        action: 'read',
        resource: 'sports:data.secret',
        domain: 'sports',
        modified: new Date(modified).toISOString(),
        outcome: 'deny',
        decidedBy: denied,
        roles: [
          { role: 'sports:role.readers', held: true, via: 'group', member: 'user.carol', group: 'sports:group.team' },
        ],
        assertions: [
          denied,
          tried({
            id: first,
            role: 'sports:role.readers',
            action: 'read',
            resource: 'sports:data.*',
            misses: [],
            standing: 'held',
            through: 'sports:role.readers',
          }),
        ],
        nearestMisses: [],
        remedies: [
          {
            text: 'remove from policy data: DENY readers read sports:data.secret (policy data: ALLOW readers read sports:data.*)',
            changes: [{ kind: 'remove-assertion', policy: 'data', version: '0', assertion: deny }],
          },
        ],
      },
    )
  })

  const holdings: readonly (readonly [why: string, question: string, as: string, roles: readonly object[]])[] = [
    [
      'a member',
      'read/sports:data.x',
      'user.alice',
      [{ role: 'sports:role.readers', held: true, via: 'direct', member: 'user.alice' }],
    ],
    [
      'a wildcard',
      'read/sports:data.x',
      'guest.bo',
      [{ role: 'sports:role.readers', held: true, via: 'wildcard', member: 'guest.*' }],
    ],
    [
      'a delegated role',
      'borrow/sports:book',
      'user.dave',
      [
        {
          role: 'sports:role.delegated',
          held: true,
          via: 'trust',
          member: 'user.dave',
          trustRole: 'tenant:role.borrowers',
        },
      ],
    ],
    [
      'a membership that has expired',
      'write/sports:data.x',
      'user.late',
      [
        {
          role: 'sports:role.writers',
          held: false,
          lapses: [
            {
              state: 'expired',
              member: 'user.late',
              role: 'sports:role.writers',
              expiration: new Date(PAST).toISOString(),
            },
          ],
        },
      ],
    ],
    [
      'a membership that is suspended',
      'write/sports:data.x',
      'user.off',
      [
        {
          role: 'sports:role.writers',
          held: false,
          lapses: [
            {
              state: 'disabled',
              member: 'user.off',
              role: 'sports:role.writers',
              disabledBy: ['authority', 'operator'],
            },
          ],
        },
      ],
    ],
    [
      'a request that awaits a decision',
      'write/sports:data.x',
      'user.pat',
      [
        {
          role: 'sports:role.writers',
          held: false,
          lapses: [
            {
              state: 'pending',
              member: 'user.pat',
              role: 'sports:role.writers',
              requestedBy: 'user.boss',
              requested: new Date(millis - 5000).toISOString(),
            },
          ],
        },
      ],
    ],
    [
      'a membership in a group that has expired',
      'read/sports:data.x',
      'user.gone',
      [
        {
          role: 'sports:role.readers',
          held: false,
          lapses: [
            {
              state: 'expired',
              member: 'user.gone',
              role: 'sports:role.readers',
              group: 'sports:group.team',
              expiration: new Date(PAST).toISOString(),
            },
          ],
        },
      ],
    ],
  ]
  for (const [why, question, as, roles] of holdings) {
    test(`tells of ${why}`, async () => {
      assert.deepEqual((await explanationOf(question, { as })).roles, roles)
    })
  }

  test('tells of a version that is not active, and what activating it would do', async () => {
    const { assertions, remedies } = await explanationOf('plan/sports:data.x', { as: 'user.alice' })
    const { id: _, ...inactive } = assertions.find(({ active }: { active: boolean }) => !active)
    assert.deepEqual(inactive, {
      policy: 'plans',
      version: 'next',
      active: false,
      effect: 'ALLOW',
      role: 'sports:role.readers',
      action: 'plan',
      resource: 'sports:data.*',
      misses: ['version'],
      standing: 'held',
      through: 'sports:role.readers',
    })
    assert.deepEqual(remedies[0], {
      text: 'activate policy plans version next (policy plans version next: ALLOW readers plan sports:data.*)',
      changes: [{ kind: 'activate-version', policy: 'plans', version: 'next' }],
    })
  })

  test('tells which roles the credential names, and whose they are', async () => {
    const roles = ['sports:role.readers']
    const principal = { fullName: 'user.zoe', roles, rolePrincipalName: 'user.zoe' }
    const explanation = await explanationOf('write/sports:data.x', { as: 'user.zoe', principal })
    assert.deepEqual(explanation.caller, {
      principal: 'user.zoe',
      authority: 'Auth-TEST',
      credential: 'role-token',
      roles,
      rolePrincipal: 'user.zoe',
    })
    assert.deepEqual(explanation.roles, [{ role: 'sports:role.readers', held: true, via: 'credential' }])
    assert.deepEqual(explanation.remedies[0], {
      text: 'use a credential that names role sports:role.writers (policy data: ALLOW writers write sports:data.*)',
      changes: [{ kind: 'name-role', role: 'sports:role.writers' }],
    })
  })

  test('tells the holder of a restricted certificate that it is one', async () => {
    const options = { as: 'user.alice', principal: { mtlsRestricted: true } }
    const {
      outcome,
      refusal: refused,
      roles,
      assertions,
      remedies,
    } = await explanationOf('read/sports:data.x', options)
    assert.deepEqual([outcome, refused, roles, assertions], ['deny', 'mtls-restricted', [], []])
    assert.deepEqual(remedies[0]?.changes, [{ kind: 'avoid-refusal', refusal: 'mtls-restricted' }])
  })

  test('explains the home domain that nobody has made yet', async () => {
    const { domain, modified, decidedBy } = await explanationOf('create/user.frank:domain', { as: 'user.frank' })
    assert.deepEqual([domain, modified], ['user.frank', undefined])
    const { version: _, ...admin } = decidedBy
    assert.deepEqual(admin, {
      policy: 'admin',
      active: true,
      effect: 'ALLOW',
      role: 'user.frank:role.admin',
      action: '*',
      resource: 'user.frank:*',
      misses: [],
      standing: 'held',
      through: 'user.frank:role.admin',
    })
  })

  test('tells of conditions that somebody else must look at', async () => {
    const conditions = new Map([[1, new Map([['instances', { operator: 'EQUALS', value: 'a' }]])]])
    await commit(
      zms,
      policy('sports', 'bound', [{ role: 'readers', action: 'run', resource: 'sports:job', conditions }]),
    )
    const { decidedBy } = await explanationOf('run/sports:job', { as: 'user.alice' })
    assert.equal(decidedBy.conditions, true)
  })

  test('explains any text as resource', async () => {
    const resource = encodeURIComponent('sports:a b\n')
    const { status, body } = await zms.get(`/access/read?resource=${resource}&explain=true`, { as: 'user.alice' })
    assert.equal(status, 200)
    assert.equal(body.explanation.resource, 'sports:a b\n')
    assert.match(body.explanation.summary, /asks to read sports:a b\\u\{a\} \(domain sports\): not granted/)
    assert.deepEqual(body.explanation.remedies, [])
  })

  test('cuts long lists and says how much is left out', async () => {
    await zms.createDomain('wide')
    const names = Array.from({ length: 70 }, (_, index) => `r${index}`)
    await commit(
      zms,
      ...names.map((name) => role('wide', name, ['user.alice'])),
      policy(
        'wide',
        'many',
        names.map((name) => ({ role: name, action: 'read', resource: 'wide:x' })),
      ),
    )
    const explanation = await explanationOf('write/wide:x', { as: 'user.alice' })
    const { roles, moreRoles, assertions, moreAssertions, nearestMisses, remedies } = explanation
    assert.deepEqual([roles.length, moreRoles, assertions.length], [50, 20, 50])
    // The policy of the administrators has one more.
    assert.equal(moreAssertions, 21)
    assert.ok(nearestMisses.length === 5 && remedies.length <= 5)
    assert.ok(JSON.stringify(explanation).length < 40_000)
  })
})

describe('who may see an explanation', () => {
  const others = (domain: string) =>
    refusal(
      403,
      `getAccessCheck: principal is not authorized to see why: the question is not its own, and access on ${domain}:meta.role.lookup is missing`,
    )

  test('everybody of questions about itself', async () => {
    const { principal, caller } = await explanationOf('read/sports:data.x?principal=user.eve', { as: 'user.eve' })
    assert.deepEqual([principal, caller.principal], ['user.eve', 'user.eve'])
  })

  test('administrators of the domain and of the system, of questions about others', async () => {
    for (const as of ['user.owner', 'user.admin']) {
      assert.equal((await explanationOf('read/tenant:x?principal=user.eve', { as })).principal, 'user.eve')
    }
  })

  test('whoever holds access on the lookup of roles of the domain', async () => {
    const question = 'read/tenant:x?principal=user.eve'
    assert.deepEqual(await explain(question, { as: 'user.helper' }), others('tenant'))
    await commit(
      zms,
      role('tenant', 'helpers', ['user.helper']),
      policy('tenant', 'help', [{ role: 'helpers', action: 'access', resource: 'tenant:meta.role.lookup' }]),
    )
    assert.equal((await explanationOf(question, { as: 'user.helper' })).outcome, 'no-match')
    assert.deepEqual(await explain('read/sports:x?principal=user.eve', { as: 'user.helper' }), others('sports'))
  })

  test('whoever may update the service that the question is about', async () => {
    await zms.createDomain('team')
    await commit(zms, role('team', 'keepers', ['user.keeper']), {
      kind: 'putService',
      domain: 'team',
      value: { name: 'api', modified: 0, created: 0 },
    })
    const question = 'read/sports:x?principal=team.api'
    assert.deepEqual(await explain(question, { as: 'user.keeper' }), others('sports'))
    await commit(zms, policy('team', 'keep', [{ role: 'keepers', action: 'update', resource: 'team:service.api' }]))
    assert.equal((await explanationOf(question, { as: 'user.keeper' })).outcome, 'no-match')
  })

  test('nobody with a restricted certificate of questions about others', async () => {
    const options = { as: 'user.owner', principal: { mtlsRestricted: true } }
    assert.deepEqual(await explain('read/sports:x?principal=user.eve', options), others('sports'))
  })

  const plain: readonly string[] = [
    'read/plain',
    'read/nosuch:x',
    'read/archive:x',
    'read/sports:x?principal=sports:group.team',
  ]
  for (const question of plain) {
    test(`${question} has the error of the plain question`, async () => {
      assert.deepEqual(await explain(question), await zms.get(`/access/${question}`))
    })
  }

  test('nobody without credentials', async () => {
    assert.equal((await explain('read/sports:x', { anonymous: true })).status, 401)
  })
})

describe('without explain the answer is the plain one, byte for byte', () => {
  for (const parameter of ['', '?explain=false', '?explain=', '?explain=yes']) {
    test(parameter === '' ? 'no parameter' : parameter, async () => {
      const handlers = accessService(zms.deps)
      const { headers, body } = await zms.get(`/access/read/sports:data.x${parameter}`, { as: 'user.alice' })
      assert.deepEqual([headers, body], [{}, { granted: true }])
      const values = { params: { action: 'read', resource: 'sports:data.x' }, headers: {}, body: undefined }
      const query = { domain: undefined, checkPrincipal: 'user.alice', explain: false }
      const principal = { domain: 'user', fullName: 'user.x', issueTimeSeconds: 0, authority: {} as never }
      const context = { requestId: '', api: 'getaccess', method: 'GET', remoteAddress: '', header: () => undefined }
      const reply = await handlers.getAccess({ ...values, query }, { ...context, principal })
      assert.deepEqual(reply, { status: 200, body: '{"granted":true}' })
    })
  }
})

describe('what an explanation says would make it pass does', () => {
  const changed = async (question: string, as: string, change: () => Promise<Answer>) => {
    assert.equal((await zms.get(`/access/${question}`, { as })).body.granted, false)
    const { status, body } = await change()
    assert.ok(status < 300, JSON.stringify(body))
    assert.equal((await zms.get(`/access/${question}`, { as })).body.granted, true)
  }

  test('adding a member', async () => {
    const question = 'write/sports:data.x'
    const [remedy] = (await explanationOf(question, { as: 'user.new' })).remedies
    assert.deepEqual(remedy, {
      text: 'add user.new to role sports:role.writers (policy data: ALLOW writers write sports:data.*)',
      changes: [{ kind: 'add-member', role: 'sports:role.writers', member: 'user.new' }],
    })
    await changed(question, 'user.new', () =>
      zms.put('/domain/sports/role/writers/member/user.new', { memberName: 'user.new' }),
    )
  })

  test('renewing a membership', async () => {
    const question = 'write/sports:data.x'
    const [remedy] = (await explanationOf(question, { as: 'user.late' })).remedies
    assert.deepEqual(remedy?.changes, [{ kind: 'renew-member', role: 'sports:role.writers', member: 'user.late' }])
    await changed(question, 'user.late', () =>
      zms.put('/domain/sports/role/writers/member/user.late', { memberName: 'user.late' }),
    )
  })

  test('approving a request', async () => {
    const question = 'write/sports:data.x'
    const [remedy] = (await explanationOf(question, { as: 'user.pat' })).remedies
    assert.deepEqual(remedy?.changes, [{ kind: 'approve-member', role: 'sports:role.writers', member: 'user.pat' }])
    const decision = { memberName: 'user.pat', approved: true, active: true }
    await changed(question, 'user.pat', () => zms.put('/domain/sports/role/writers/member/user.pat/decision', decision))
  })

  test('activating a version', async () => {
    const question = 'plan/sports:data.x'
    const [remedy] = (await explanationOf(question, { as: 'user.alice' })).remedies
    assert.deepEqual(remedy?.changes, [{ kind: 'activate-version', policy: 'plans', version: 'next' }])
    await changed(question, 'user.alice', () =>
      zms.put('/domain/sports/policy/plans/version/active', { version: 'next' }),
    )
  })
})
