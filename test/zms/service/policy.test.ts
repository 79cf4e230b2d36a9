import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { assertionService } from '#zms/service/assertion.ts'
import { policyService } from '#zms/service/policy.ts'
import { admitsEverything } from '#zms/service/resource-validator.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { authorizing, quotaOf } from './objects.ts'

const services = [policyService, assertionService]
const returned = { headers: { 'Athenz-Return-Object': 'true' } }
const as = (owner: string, more: Record<string, string> = {}) => ({
  headers: { 'Athenz-Resource-Owner': owner, ...more },
})

/** An assertion of the domain `sports` in a request. */
const allow = (action: string, resource = 'sports:scores', more: object = {}) => ({
  role: 'sports:role.readers',
  resource,
  action,
  ...more,
})
const policy = (name: string, ...assertions: object[]) => ({ name, assertions })
const P1 = '/domain/sports/policy/p1'

const zms = await Harness.open({ services })
beforeEach(() => zms.createDomain('sports'))

/** Action → id of the assertions of a policy in an answer. */
const idsOf = (body: { assertions: { action: string; id: number }[] }) =>
  Object.fromEntries(body.assertions.map(({ action, id }) => [action, id]))

describe('putPolicy', () => {
  test('creates version 0 as the active one', async () => {
    const { status, body } = await zms.put(
      P1,
      policy('p1', allow('read'), allow('write', 'sports:x', { effect: 'DENY' })),
      returned,
    )
    assert.equal(status, 200)
    const { modified, assertions, ...rest } = body
    assert.deepEqual(rest, { name: 'sports:policy.p1', version: '0', active: true })
    assert.ok(Date.parse(modified) >= zms.clock.millis)
    assert.deepEqual(
      assertions.map(({ id, ...assertion }: { id: number }) => [typeof id, assertion]),
      [
        ['number', { role: 'sports:role.readers', resource: 'sports:scores', action: 'read', effect: 'ALLOW' }],
        ['number', { role: 'sports:role.readers', resource: 'sports:x', action: 'write', effect: 'DENY' }],
      ],
    )
    assert.deepEqual((await zms.get(P1)).body, body)
  })

  test('answers nothing unless the object is asked for', async () => {
    assert.deepEqual(await zms.put(P1, policy('p1')), NOTHING)
  })

  test('keeps the ids of assertions that stay, and drops those that are no longer there', async () => {
    const before = idsOf((await zms.put(P1, policy('p1', allow('a'), allow('b')), returned)).body)
    const after = idsOf((await zms.put(P1, policy('p1', allow('c'), allow('b')), returned)).body)
    assert.deepEqual(Object.keys(after).sort(), ['b', 'c'])
    assert.equal(after['b'], before['b'])
    assert.ok((after['c'] as number) > (before['b'] as number))
  })

  test('takes assertions that differ in letters or effect only for different, equal ones for one', async () => {
    const assertions = [
      allow('READ'),
      allow('read'),
      allow('READ', 'sports:Scores', { caseSensitive: true }),
      allow('read', 'sports:scores', { effect: 'DENY' }),
    ]
    const { body } = await zms.put(P1, policy('p1', ...assertions), returned)
    assert.deepEqual(
      body.assertions.map(({ action, resource, effect }: Record<string, string>) => [action, resource, effect]),
      [
        ['read', 'sports:scores', 'ALLOW'],
        ['READ', 'sports:Scores', 'ALLOW'],
        ['read', 'sports:scores', 'DENY'],
      ],
    )
  })

  test('keeps the letters of all assertions of a case-sensitive policy but those of domains and roles', async () => {
    const assertion = { role: 'SPORTS:role.Readers', resource: 'SPORTS:Scores', action: 'Read' }
    const { body } = await zms.put(P1, { ...policy('p1', assertion), caseSensitive: true }, returned)
    assert.equal(body.caseSensitive, undefined)
    const [{ id: _, ...stored }] = body.assertions
    assert.deepEqual(stored, {
      role: 'sports:role.readers',
      resource: 'sports:Scores',
      action: 'Read',
      effect: 'ALLOW',
    })
  })

  test('numbers conditions from 1 in lower case and replaces them when they say something else', async () => {
    const conditional = (...values: string[]) => {
      const conditionsList = values.map((value) => ({ conditionsMap: { Instances: { operator: 'EQUALS', value } } }))
      return policy('p1', allow('read', 'sports:x', { conditions: { conditionsList } }))
    }
    const first = (await zms.put(P1, conditional('HostA', 'HostB'), returned)).body.assertions[0]
    const operator = 'EQUALS'
    assert.deepEqual(first.conditions.conditionsList, [
      { id: 1, conditionsMap: { instances: { operator, value: 'hosta' } } },
      { id: 2, conditionsMap: { instances: { operator, value: 'hostb' } } },
    ])
    await zms.delete(`${P1}/assertion/${first.id}/condition/1`)
    await zms.put(
      `${P1}/assertion/${first.id}/condition`,
      first.conditions.conditionsList[0] && { conditionsMap: { instances: { operator, value: 'hosta' } } },
    )
    const same = (await zms.put(P1, conditional('hosta', 'hostb'), returned)).body.assertions[0]
    assert.deepEqual(
      same.conditions.conditionsList.map(({ id }: { id: number }) => id),
      [2, 3],
      'kept as they are',
    )
    const other = (await zms.put(P1, conditional('hostc'), returned)).body.assertions[0]
    assert.equal(other.id, first.id)
    assert.deepEqual(other.conditions.conditionsList, [
      { id: 1, conditionsMap: { instances: { operator, value: 'hostc' } } },
    ])
    const none = (await zms.put(P1, policy('p1', allow('read', 'sports:x')), returned)).body.assertions[0]
    assert.deepEqual([none.id, none.conditions], [first.id, undefined])
  })

  test('accepts the full name, and letters in any case', async () => {
    const { body } = await zms.put('/domain/SPORTS/policy/P1', policy('Sports:Policy.P1'), returned)
    assert.equal(body.name, 'sports:policy.p1')
  })

  test('keeps tags unless it is sent some', async () => {
    const tags = { Tier: { list: ['gold', 'gold', 'silver'] } }
    await zms.put(P1, { ...policy('p1'), tags })
    for (const kept of [undefined, {}]) {
      const { body } = await zms.put(P1, { ...policy('p1'), tags: kept }, returned)
      assert.deepEqual(body.tags, { Tier: { list: ['gold', 'silver'] } })
    }
    const { body } = await zms.put(P1, { ...policy('p1'), tags: { env: { list: ['test'] } } }, returned)
    assert.deepEqual(body.tags, { env: { list: ['test'] } })
  })

  test('does not store the description', async () => {
    await zms.put(P1, { ...policy('p1'), description: 'about scores' })
    assert.equal((await zms.get(P1)).body.description, undefined)
  })

  const refused: [string, object, string][] = [
    [
      'another name in the body',
      policy('p2'),
      'putPolicy: Inconsistent policy names - expected: sports:policy.p1, actual: p2',
    ],
    [
      'the full name in another domain',
      policy('media:policy.p1'),
      'putPolicy: Inconsistent policy names - expected: sports:policy.p1, actual: media:policy.p1',
    ],
    [
      'a resource without domain',
      policy('p1', allow('read', 'scores')),
      'Missing domain name from assertion resource: scores',
    ],
    [
      'a resource with an empty domain',
      policy('p1', allow('read', ':x')),
      'Missing domain name from assertion resource: :x',
    ],
    [
      'a resource whose domain is no domain name',
      policy('p1', allow('read', 'spo rts:x')),
      'Invalid DomainName error: spo rts is not a valid domain name',
    ],
    [
      'a line feed in a resource',
      policy('p1', allow('read', 'sports:a\nb')),
      'Assertion resource contains control characters: sports:a\nb',
    ],
    [
      'a control character of Latin-1 in an action',
      policy('p1', allow('re\u0085ad')),
      'Assertion action contains control characters: re\u0085ad',
    ],
    ['an empty action', policy('p1', allow('')), 'Assertion action cannot be empty'],
    [
      'a role of another domain',
      policy('p1', { ...allow('read'), role: 'media:role.readers' }),
      'domain name mismatch: sports assertion role name: media:role.readers',
    ],
    [
      'a group in place of a role',
      policy('p1', { ...allow('read'), role: 'sports:group.readers' }),
      'domain name mismatch: sports assertion role name: sports:group.readers',
    ],
    [
      'a role without name',
      policy('p1', { ...allow('read'), role: 'sports:role.' }),
      'domain name mismatch: sports assertion role name: sports:role.',
    ],
  ]
  for (const [what, body, message] of refused) {
    test(`refuses ${what}`, async () => {
      assert.deepEqual(await zms.put(P1, body), refusal(400, message))
      assert.equal((await zms.get(P1)).status, 404)
    })
  }

  test('refuses the admin policy before it looks at anything else', async () => {
    const { status, body } = await zms.put('/domain/sports/policy/admin', policy('other', allow('')))
    assert.deepEqual([status, body.message], [400, 'putPolicy: admin policy cannot be modified'])
  })

  test('accepts resources of other domains, of all domains, and patterns of roles', async () => {
    const assertions = [allow('a', 'media:x'), allow('b', '*:x'), { ...allow('c'), role: 'sports:role.read*' }]
    assert.equal((await zms.put(P1, policy('p1', ...assertions))).status, 204)
  })

  test('answers strangers 403 and missing domains 404', async () => {
    assert.deepEqual((await zms.put(P1, policy('p1'), { as: 'user.eve' })).body, { code: 403, message: 'Forbidden' })
    assert.equal((await zms.put('/domain/nosuch/policy/p1', policy('p1'))).status, 404)
  })

  test('writes one line of audit', async () => {
    const before = zms.audit.length
    await zms.put(P1, policy('p1', allow('read')), { as: 'user.owner', headers: { 'Y-Audit-Ref': 'because' } })
    const [entry, ...more] = zms.audit.slice(before)
    assert.deepEqual(more, [])
    const { api, method, domain, entity, why, whoFullName, details } = entry as NonNullable<typeof entry>
    assert.deepEqual(
      { api, method, domain, entity, why, whoFullName },
      { api: 'putpolicy', method: 'PUT', domain: 'sports', entity: 'p1', why: 'because', whoFullName: 'user.owner' },
    )
    assert.deepEqual(
      JSON.parse(details).map(({ kind }: { kind: string }) => kind),
      ['putPolicy', 'putAssertion'],
    )
  })
})

describe('versions in putPolicy', () => {
  test('a new policy may begin with any version', async () => {
    const { body } = await zms.put(P1, { ...policy('p1'), version: 'V7' }, returned)
    assert.deepEqual([body.version, body.active], ['v7', true])
    assert.equal(
      (await zms.put(P1, policy('p1', allow('read')), returned)).body.version,
      'v7',
      'the active one is meant',
    )
  })

  test('a new policy cannot begin with an inactive version of a name, but without a name it can', async () => {
    assert.deepEqual(
      await zms.put(P1, { ...policy('p1'), version: 'v7', active: false }),
      refusal(404, "Policy p1 doesn't exist, new version must be active "),
    )
    const { body } = await zms.put(P1, { ...policy('p1'), active: false }, returned)
    assert.deepEqual([body.version, body.active], ['0', false])
    assert.equal((await zms.get(P1)).status, 404)
    assert.deepEqual((await zms.get('/domain/sports/policy')).body.names, ['admin', 'p1'])
    assert.equal((await zms.put(P1, policy('p1'), returned)).body.active, true)
  })

  test('an existing policy gets no second active version this way', async () => {
    await zms.put(P1, policy('p1'))
    const { status, body } = await zms.put(P1, { ...policy('p1'), version: 'v1' })
    assert.equal(status, 400)
    assert.match(body.message, /^Policy p1 already exists with an active version\. /)
  })

  test('an existing policy gets inactive versions up to their number', async () => {
    await zms.put(P1, policy('p1', allow('read')))
    for (const version of ['v1', 'v2']) {
      const put = await zms.put(P1, { ...policy('p1', allow('write')), version, active: false }, returned)
      assert.deepEqual([put.status, put.body.version, put.body.active], [200, version, false])
    }
    assert.deepEqual((await zms.put(P1, { ...policy('p1'), version: 'v3', active: false })).body, {
      code: 429,
      message: 'unable to put policy: p1, version: v3, max number of versions reached (3)',
    })
    assert.equal((await zms.get(P1)).body.version, '0')
  })

  test('an inactive version becomes the only active one when it is put as active', async () => {
    await zms.put(P1, policy('p1'))
    await zms.put(P1, { ...policy('p1'), version: 'v1', active: false })
    assert.equal((await zms.put(P1, { ...policy('p1'), version: 'v1' }, returned)).body.active, true)
    assert.equal((await zms.get(`${P1}/version/0`)).body.active, false)
  })

  test('the active version can be put out of force, and the policy then still be deleted', async () => {
    await zms.put(P1, policy('p1', allow('read')))
    assert.equal((await zms.put(P1, { ...policy('p1', allow('read')), active: false }, returned)).body.active, false)
    assert.equal((await zms.get(P1)).status, 404)
    assert.equal((await zms.get('/domain/sports/policies')).body.list.length, 1)
    assert.deepEqual(await zms.delete(P1), NOTHING)
    assert.equal((await zms.get(`${P1}/version/0`)).status, 404)
  })
})

describe('owners of policies', () => {
  test('a new policy belongs to whom the header names, which shows after the write', async () => {
    const { body } = await zms.put(P1, policy('p1', allow('read')), as('tf', returned.headers))
    assert.equal(body.resourceOwnership, undefined)
    assert.deepEqual((await zms.get(P1)).body.resourceOwnership, { objectOwner: 'tf', assertionsOwner: 'tf' })
  })

  test('assertions that a new policy does not have belong to nobody until there are some', async () => {
    const ownership = async () => (await zms.get(P1)).body.resourceOwnership
    await zms.put(P1, policy('p1'), as('tf'))
    assert.deepEqual(await ownership(), { objectOwner: 'tf' })
    await zms.put(P1, policy('p1', allow('read')), as('tf'))
    assert.deepEqual(await ownership(), { objectOwner: 'tf', assertionsOwner: 'tf' })
  })

  test('others and nobody are refused, the same owner in other letters is not', async () => {
    await zms.put(P1, policy('p1'), as('TF'))
    const conflict = (given: string) => ({
      code: 409,
      message: `Invalid resource owner for policy: sports:policy.p1, TF vs. ${given}`,
    })
    assert.deepEqual((await zms.put(P1, policy('p1'), as('ui'))).body, conflict('ui'))
    assert.deepEqual((await zms.put(P1, policy('p1'))).body, conflict('null'))
    assert.equal((await zms.put(P1, policy('p1'), as('tf'))).status, 204)
    assert.equal((await zms.put(P1, policy('p1'), as('ignore'))).status, 204)
  })

  test('the owner of the assertions is asked too', async () => {
    await zms.put(P1, policy('p1'))
    await zms.put(`${P1}/ownership`, { objectOwner: 'a', assertionsOwner: 'b' })
    assert.deepEqual((await zms.put(P1, policy('p1'), as('a'))).body, {
      code: 409,
      message: 'Invalid assertions owner for policy: sports:policy.p1, b vs. a',
    })
  })

  test('a forced owner takes the policy over; the answer shows the owner before', async () => {
    await zms.put(P1, policy('p1', allow('read')), as('tf'))
    const { body } = await zms.put(P1, policy('p1'), as('ui:force', returned.headers))
    assert.deepEqual(body.resourceOwnership, { objectOwner: 'tf', assertionsOwner: 'tf' })
    assert.deepEqual((await zms.get(P1)).body.resourceOwnership, { objectOwner: 'ui', assertionsOwner: 'ui' })
  })

  test('nothing is checked or stored where owners do not count', async () => {
    const free = await Harness.open({ services, properties: { enforce_resource_ownership: 'false' } })
    await free.createDomain('sports')
    assert.equal((await free.put(P1, policy('p1'), as('tf'))).status, 204)
    assert.equal((await free.get(P1)).body.resourceOwnership, undefined)
  })

  test('putResourcePolicyOwnership replaces and removes owners, and refuses what is not there', async () => {
    const target = `${P1}/ownership`
    assert.deepEqual((await zms.put(target, { objectOwner: 'a' })).body, {
      code: 400,
      message: 'unable to put resource policy ownership for policy: p1 in domain: sports',
    })
    await zms.put(P1, policy('p1', allow('read')))
    assert.equal((await zms.put(target, { objectOwner: 'A' })).status, 204)
    const { resourceOwnership, assertions } = (await zms.get(P1)).body
    assert.deepEqual([resourceOwnership, assertions.length], [{ objectOwner: 'A' }, 1])
    assert.equal((await zms.put(target, {})).status, 204)
    assert.equal((await zms.get(P1)).body.resourceOwnership, undefined)
    for (const body of [undefined, 'null']) {
      assert.deepEqual((await zms.put(target, body)).body, {
        code: 400,
        message: 'Invalid resource policy ownership: null',
      })
    }
    assert.equal((await zms.put(target, { objectOwner: 'a b' })).status, 400)
    assert.equal((await zms.put(target, {}, { as: 'user.eve' })).status, 403)
  })
})

describe('limits of policies', () => {
  const quota = quotaOf({ policy: 2, assertion: 1 })

  test('assertions are counted before policies, and without repetitions', async () => {
    await zms.createDomain('small', { quota })
    const small = { role: 'small:role.r', resource: 'small:x' }
    const put = (name: string, ...actions: string[]) =>
      zms.put(`/domain/small/policy/${name}`, policy(name, ...actions.map((action) => ({ ...small, action }))))
    assert.equal((await put('p1', 'a', 'A')).status, 204)
    assert.deepEqual((await put('p2', 'a', 'b')).body, {
      code: 429,
      message: 'policy assertion quota exceeded - limit: 1 actual: 2',
    })
    const full = { code: 429, message: 'policy quota exceeded - limit: 2 actual: 3' }
    assert.deepEqual((await put('p2', 'a')).body, full)
    assert.deepEqual((await put('p1', 'a')).body, full, 'one more is counted when a policy is replaced')
  })

  test('tags are counted by their values, those that stay apart from those that come', async () => {
    const tags = {
      a: { list: Array.from({ length: 20 }, (_, n) => `v${n}`) },
      b: { list: ['1', '2', '3', '4', '5', '6'] },
    }
    await zms.put(P1, { ...policy('p1'), tags: { b: tags.b, c: { list: ['1', '2'] } } })
    assert.deepEqual((await zms.put(P1, { ...policy('p1'), tags })).body, {
      code: 400,
      message: 'policy tag quota exceeded - limit: 25, current tags count: 6, new tags count: 20',
    })
  })
})

describe('what else may refuse a policy', () => {
  test('an audited domain needs a reference where policies are audited', async () => {
    const audited = await Harness.open({ services, properties: { audit_ref_check_objects: 'role,policy' } })
    await audited.createDomain('sports', { auditEnabled: true })
    const message = (api: string) => refusal(400, `${api}: Audit reference required for domain: sports`)
    const reference = { headers: { 'Y-Audit-Ref': 'ticket' } }
    assert.deepEqual(await audited.put(P1, policy('p1')), message('putpolicy'))
    assert.equal((await audited.put(P1, policy('p1'), reference)).status, 204)
    assert.deepEqual(await audited.delete(P1), message('deletepolicy'))
    assert.deepEqual(await audited.put(`${P1}/ownership`, {}), message('putresourcepolicyownership'))
    assert.deepEqual(await audited.put(`${P1}/version/create`, { version: 'v' }), message('putpolicyversion'))
    assert.deepEqual(await audited.put(`${P1}/version/active`, { version: '0' }), message('setactivepolicyversion'))
    assert.deepEqual(await audited.delete(`${P1}/version/0`), message('deletepolicyversion'))
    assert.equal((await audited.delete(P1, reference)).status, 204)
  })

  test('roles must exist where the server is told to look', async () => {
    const strict = await Harness.open({ services, properties: { validate_policy_assertion_roles: 'true' } })
    await strict.createDomain('sports')
    assert.deepEqual((await strict.put(P1, policy('p1', allow('read')))).body, {
      code: 400,
      message: 'The role: sports:role.readers that associated to an assertion does not exist',
    })
    assert.equal((await strict.put(P1, policy('p1', { ...allow('read'), role: 'sports:role.admin' }))).status, 204)
  })

  test('a resource validator may object', async () => {
    const asked: unknown[] = []
    const judged = await Harness.open({
      services,
      parts: {
        resourceValidator: {
          ...admitsEverything,
          validatePolicyAssertion: (domain, name, { action }) => {
            asked.push([domain, name, action])
            return action !== 'bad'
          },
        },
      },
    })
    await judged.createDomain('sports')
    assert.equal((await judged.put(P1, policy('p1', allow('good')))).status, 204)
    assert.deepEqual((await judged.put(P1, policy('p1', allow('bad')))).body, {
      code: 400,
      message: 'Assertion is not allowed by external resource validator',
    })
    assert.deepEqual(asked, [
      ['sports', 'p1', 'good'],
      ['sports', 'p1', 'bad'],
    ])
  })

  test('an authorized service may do what its file lists', async () => {
    const parts = { authorizedServices: authorizing('ui.server', 'putpolicy') }
    const chained = await Harness.open({ services, parts })
    await chained.createDomain('sports')
    const through = (authorizedService: string) => ({ principal: { authorizedService } })
    assert.equal((await chained.put(P1, policy('p1'), through('ui.server'))).status, 204)
    assert.deepEqual((await chained.put(P1, policy('p1'), through('ui.other'))).body, {
      code: 403,
      message: 'Unauthorized Service ui.other',
    })
    const refused: [Promise<unknown>, string][] = [
      [chained.delete(P1, through('ui.server')), 'deletepolicy'],
      [chained.put(`${P1}/ownership`, {}, through('ui.server')), 'putresourcepolicyownership'],
      [chained.put(`${P1}/version/create`, { version: 'v' }, through('ui.server')), 'putpolicyversion'],
      [chained.put(`${P1}/version/active`, { version: 'v' }, through('ui.server')), 'setactivepolicyversion'],
      [chained.delete(`${P1}/version/v`, through('ui.server')), 'deletepolicyversion'],
    ]
    for (const [answer, operation] of refused) {
      const message = `Unauthorized Operation (${operation}) for Service ui.server`
      assert.deepEqual(await answer, refusal(403, message))
    }
  })
})

describe('deletePolicy', () => {
  test('deletes all versions', async () => {
    await zms.put(P1, policy('p1'))
    await zms.put(`${P1}/version/create`, { version: 'v1' })
    assert.equal((await zms.delete(P1)).status, 204)
    assert.equal((await zms.get(`${P1}/version/v1`)).status, 404)
    assert.deepEqual((await zms.delete(P1)).body, { code: 404, message: 'Policy does not exist' })
  })

  test('refuses the admin policy, others than the owner, and strangers', async () => {
    assert.deepEqual((await zms.delete('/domain/sports/policy/admin')).body, {
      code: 400,
      message: 'deletePolicy: admin policy cannot be deleted',
    })
    await zms.put(P1, policy('p1'), as('tf'))
    assert.deepEqual((await zms.delete(P1)).body, {
      code: 409,
      message: 'Invalid resource owner for object: tf vs. null',
    })
    assert.equal((await zms.delete(P1, { as: 'user.eve' })).status, 403)
    assert.equal((await zms.delete(P1, as('TF'))).status, 204)
  })
})

describe('reads of policies', () => {
  const put = (name: string, ...assertions: object[]) =>
    zms.put(`/domain/sports/policy/${name}`, policy(name, ...assertions))

  test('names come in order and in pages', async () => {
    for (const name of ['p2', 'p1', 'p3']) await put(name)
    const list = async (query: string) => (await zms.get(`/domain/sports/policy${query}`)).body
    assert.deepEqual(await list(''), { names: ['admin', 'p1', 'p2', 'p3'] })
    assert.deepEqual(await list('?limit=2'), { names: ['admin', 'p1'], next: 'p1' })
    assert.deepEqual(await list('?limit=2&skip=P1'), { names: ['p2', 'p3'] })
    assert.deepEqual(await list('?skip=p15'), { names: ['admin', 'p1', 'p2', 'p3'] }, 'an unknown name skips nothing')
    assert.deepEqual(await list('?limit=-1'), { names: ['admin', 'p1', 'p2', 'p3'] })
  })

  test('lists show assertions and owners on request, and inactive versions on request', async () => {
    await zms.put(P1, policy('p1', allow('read')), as('tf'))
    await put('p2')
    await zms.put(`${P1}/version/create`, { version: 'v1' })
    const list = async (query: string) =>
      (await zms.get(`/domain/sports/policies${query}`)).body.list.map((item: Record<string, unknown>) => [
        item['name'],
        item['version'],
        (item['assertions'] as unknown[] | null)?.length ?? null,
        item['resourceOwnership'] !== undefined,
      ])
    const p1 = 'sports:policy.p1'
    assert.deepEqual(await list(''), [
      ['sports:policy.admin', '0', null, false],
      [p1, '0', null, false],
      ['sports:policy.p2', '0', null, false],
    ])
    assert.deepEqual(await list('?assertions=true&includeNonActive=true'), [
      ['sports:policy.admin', '0', 1, false],
      [p1, '0', 1, true],
      [p1, 'v1', 1, false],
      ['sports:policy.p2', '0', null, false],
    ])
    assert.deepEqual((await zms.get('/domain/sports/policy/p2')).body.assertions, [])
  })

  test('lists are filtered by tags, letter by letter', async () => {
    await zms.put(P1, { ...policy('p1'), tags: { Tier: { list: ['gold', 'new'] } } })
    await put('p2')
    const names = async (query: string) =>
      (await zms.get(`/domain/sports/policies?${query}`)).body.list.map(({ name }: { name: string }) => name)
    assert.deepEqual(await names('tagKey=Tier'), ['sports:policy.p1'])
    assert.deepEqual(await names('tagKey=Tier&tagValue=new'), ['sports:policy.p1'])
    assert.deepEqual(await names('tagKey=Tier&tagValue=NEW'), [])
    assert.deepEqual(await names('tagKey=tier'), [])
    assert.equal((await names('tagValue=gold')).length, 3)
  })

  const missing: [string, string][] = [
    ['/domain/nosuch/policy', 'unknown domain - nosuch'],
    ['/domain/nosuch/policies', "getpolicies: Domain not found: 'nosuch'"],
    ['/domain/nosuch/policy/p1', "getpolicy: Policy not found: 'nosuch:policy.p1'"],
    ['/domain/sports/policy/p9', "getpolicy: Policy not found: 'sports:policy.p9'"],
  ]
  for (const [target, message] of missing) {
    test(`${target} is missing`, async () => {
      assert.deepEqual(await zms.get(target), refusal(404, message))
    })
  }

  test('everybody who is known may read', async () => {
    assert.equal((await zms.get('/domain/sports/policy/admin', { as: 'user.eve' })).status, 200)
  })
})
