import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { assertionService } from '#zms/service/assertion.ts'
import { policyService } from '#zms/service/policy.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { authorizing } from './objects.ts'

const services = [policyService, assertionService]
const P1 = '/domain/sports/policy/p1'
const owner = (resourceOwner: string) => ({ headers: { 'Athenz-Resource-Owner': resourceOwner } })
const operator = 'EQUALS'

/** A condition of a request: keys and their values. */
const condition = (values: Record<string, string>, id?: number) => ({
  ...(id !== undefined && { id }),
  conditionsMap: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { operator, value }])),
})

const zms = await Harness.open({ services })
let id: number
let target: string
beforeEach(async () => {
  await zms.createDomain('sports')
  await zms.put(P1, {
    name: 'p1',
    assertions: [{ role: 'sports:role.r', resource: 'sports:x', action: 'read' }],
  })
  id = (await zms.get(P1)).body.assertions[0].id
  target = `${P1}/assertion/${id}`
})

const stored = async () => (await zms.get(P1)).body.assertions[0].conditions?.conditionsList
const put = (body: object, options?: object) => zms.put(`${target}/condition`, body, options)
const putAll = (list: object[], options?: object) => zms.put(`${target}/conditions`, { conditionsList: list }, options)

describe('putAssertionCondition', () => {
  test('adds under the next id, in lower case', async () => {
    assert.deepEqual((await put(condition({ Inst: 'HostA' }))).body, condition({ inst: 'hosta' }, 1))
    assert.deepEqual(
      (await put(condition({ other: 'x', 'aa.bb': '*' }))).body,
      condition({ other: 'x', 'aa.bb': '*' }, 2),
    )
    assert.deepEqual(await stored(), [condition({ inst: 'hosta' }, 1), condition({ other: 'x', 'aa.bb': '*' }, 2)])
  })

  test('replaces the one whose id is given', async () => {
    await put(condition({ inst: 'a', more: 'b' }))
    assert.deepEqual((await put(condition({ inst: 'c' }, 1))).body, condition({ inst: 'c' }, 1))
    assert.deepEqual(await stored(), [condition({ inst: 'c' }, 1)])
    assert.deepEqual(
      await put(condition({ inst: 'c' }, 5)),
      refusal(
        404,
        `putassertioncondition: unable to delete assertion condition during putAssertionCondition for policy=p1 assertionId=${id} conditionId=5`,
      ),
    )
  })

  test('never uses an id again that a later one has followed', async () => {
    await put(condition({ inst: 'a' }))
    await put(condition({ inst: 'b' }))
    await zms.delete(`${target}/condition/1`)
    assert.equal((await put(condition({ inst: 'c' }))).body.id, 3)
  })

  test('refuses a condition without keys, other operators and malformed values', async () => {
    assert.deepEqual(
      await put({ conditionsMap: {} }),
      refusal(400, `putassertioncondition: unable to insert new assertion condition for policy=p1 assertionId=${id}`),
    )
    assert.equal((await put({ conditionsMap: { 'a-b': { operator: 'LIKE', value: 'x' } } })).status, 400)
    assert.equal((await put(condition({ inst: 'a b' }))).status, 400)
    assert.equal((await put(condition({ '1a': 'x' }))).status, 400)
    assert.equal(await stored(), undefined)
  })

  test('takes the keys of an object for what they are', async () => {
    const body = '{"conditionsMap":{"__proto__":{"operator":"EQUALS","value":"x"}}}'
    assert.equal((await zms.put(`${target}/condition`, body)).status, 400)
    assert.deepEqual((await put(condition({ constructor: 'x' }))).body, condition({ constructor: 'x' }, 1))
  })

  test('finds assertions of inactive versions', async () => {
    await zms.put(`${P1}/version/create`, { version: 'v1' })
    const other = (await zms.get(`${P1}/version/v1`)).body.assertions[0].id
    assert.equal((await zms.put(`${P1}/assertion/${other}/condition`, condition({ inst: 'a' }))).status, 200)
    assert.deepEqual((await zms.get(`${P1}/version/v1`)).body.assertions[0].conditions.conditionsList, [
      condition({ inst: 'a' }, 1),
    ])
    assert.equal(await stored(), undefined)
  })
})

describe('putAssertionConditions', () => {
  test('adds all under new ids, whatever ids they have', async () => {
    await put(condition({ inst: 'a' }))
    const { status, body } = await putAll([condition({ inst: 'B' }), condition({ inst: 'c' }, 1)])
    assert.equal(status, 200)
    assert.deepEqual(body.conditionsList, [condition({ inst: 'b' }, 2), condition({ inst: 'c' }, 3)])
    assert.deepEqual(await stored(), [condition({ inst: 'a' }, 1), ...body.conditionsList])
  })

  test('does nothing for an empty list', async () => {
    assert.deepEqual((await putAll([])).body, { conditionsList: [] })
    assert.equal(await stored(), undefined)
  })

  test('refuses all when one has no keys', async () => {
    assert.deepEqual(
      await putAll([condition({ inst: 'a' }), { conditionsMap: {} }]),
      refusal(400, `putassertionconditions: unable to insert new assertion conditions for policy=p1 assertionId=${id}`),
    )
    assert.equal(await stored(), undefined)
  })

  test('counts the keys of all conditions', async () => {
    const keys = (count: number, name: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`${name}${n}`, 'x']))
    assert.equal((await putAll([condition(keys(4, 'aa')), condition(keys(5, 'bb'))])).status, 200)
    const over = (count: number) => refusal(429, `assertion conditions quota exceeded - limit: 10 actual: ${count}`)
    assert.deepEqual(await putAll([condition(keys(1, 'cc')), condition(keys(1, 'dd'))]), over(11))
    assert.deepEqual(await put(condition(keys(2, 'cc'))), over(11))
    assert.equal((await put(condition(keys(6, 'bb'), 2))).status, 200, 'what is replaced does not count')
    assert.deepEqual(await put(condition(keys(1, 'cc'))), over(11))
  })
})

describe('deletion of conditions', () => {
  test('one', async () => {
    await putAll([condition({ inst: 'a' }), condition({ inst: 'b' })])
    assert.deepEqual(await zms.delete(`${target}/condition/1`), NOTHING)
    assert.deepEqual(await stored(), [condition({ inst: 'b' }, 2)])
    assert.deepEqual(
      await zms.delete(`${target}/condition/1`),
      refusal(
        404,
        `deleteassertioncondition: unable to read assertion condition for policy=p1 assertionId=${id} conditionId=1`,
      ),
    )
  })

  test('all', async () => {
    await putAll([condition({ inst: 'a' }), condition({ inst: 'b' })])
    assert.deepEqual(await zms.delete(`${target}/conditions`), NOTHING)
    assert.equal(await stored(), undefined)
    const missing = (assertionId: number) =>
      refusal(
        404,
        `deleteassertionconditions: unable to delete assertion conditions for policy=p1 assertionId=${assertionId}`,
      )
    assert.deepEqual(await zms.delete(`${target}/conditions`), missing(id))
    assert.deepEqual(await zms.delete(`${P1}/assertion/999/conditions`), missing(999))
  })
})

test('an assertion is found under its own policy only', async () => {
  await zms.put('/domain/sports/policy/p2', { name: 'p2', assertions: [] })
  await put(condition({ inst: 'a' }))
  const other = `/domain/sports/policy/p2/assertion/${id}`
  assert.equal((await zms.delete(`${other}/conditions`)).status, 404)
  assert.equal((await zms.delete(`${other}/condition/1`)).status, 404)
  assert.deepEqual(
    await zms.put(`${other}/condition`, condition({ inst: 'b' })),
    refusal(404, `putassertioncondition: unable to read assertion for policy=p2 assertionId=${id}`),
  )
  assert.deepEqual(
    await zms.put('/domain/sports/policy/nosuch/assertion/1/conditions', { conditionsList: [] }),
    refusal(404, 'unknown policy - sports:policy.nosuch'),
  )
  assert.deepEqual(await stored(), [condition({ inst: 'a' }, 1)])
})

test('the admin policy has no conditions', async () => {
  const admin = '/domain/sports/policy/admin/assertion/1'
  const one = condition({ inst: 'x' })
  const attempts: [Promise<unknown>, string][] = [
    [zms.put(`${admin}/condition`, one), 'deleteAssertionCondition: admin policy cannot be modified'],
    [
      zms.put(`${admin}/conditions`, { conditionsList: [one] }),
      'putAssertionConditions: admin policy cannot have conditions',
    ],
    [zms.delete(`${admin}/condition/1`), 'deleteAssertionCondition: admin policy cannot be modified'],
    [zms.delete(`${admin}/conditions`), 'deleteAssertionConditions: admin policy cannot be modified'],
  ]
  for (const [answer, message] of attempts) assert.deepEqual(await answer, refusal(400, message))
})

test('the owner of the assertions is asked before conditions are put, not before they are deleted', async () => {
  assert.equal((await put(condition({ inst: 'a' }), owner('tf'))).status, 200)
  assert.deepEqual((await zms.get(P1)).body.resourceOwnership, { assertionsOwner: 'tf' })
  assert.deepEqual(await put(condition({ inst: 'a' })), refusal(409, 'Policy has a resource owner: tf'))
  assert.deepEqual(
    await putAll([condition({ inst: 'a' })], owner('ui')),
    refusal(409, 'Invalid resource member owner for policy: sports:policy.p1, tf vs. ui'),
  )
  assert.deepEqual(
    await zms.put(`${P1}/assertion/999/condition`, condition({ inst: 'a' })),
    refusal(409, 'Policy has a resource owner: tf'),
  )
  assert.deepEqual(await zms.delete(`${target}/condition/1`, owner('ui')), NOTHING)
})

test('strangers may not, audited domains need a reference, authorized services their place in the file', async () => {
  const strict = await Harness.open({
    services,
    properties: { audit_ref_check_objects: 'policy' },
    parts: { authorizedServices: authorizing('ui.server', 'putpolicy') },
  })
  await strict.createDomain('sports', { auditEnabled: true })
  const one = condition({ inst: 'x' })
  const place = `${P1}/assertion/1`
  const attempts: [string, (options?: object) => Promise<unknown>][] = [
    ['putassertioncondition', (options) => strict.put(`${place}/condition`, one, options)],
    ['putassertionconditions', (options) => strict.put(`${place}/conditions`, { conditionsList: [one] }, options)],
    ['deleteassertioncondition', (options) => strict.delete(`${place}/condition/1`, options)],
    ['deleteassertionconditions', (options) => strict.delete(`${place}/conditions`, options)],
  ]
  for (const [api, attempt] of attempts) {
    assert.deepEqual(await attempt({ as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.deepEqual(await attempt(), refusal(400, `${api}: Audit reference required for domain: sports`))
    assert.deepEqual(
      await attempt({ principal: { authorizedService: 'ui.server' } }),
      refusal(403, `Unauthorized Operation (${api}) for Service ui.server`),
    )
  }
})
