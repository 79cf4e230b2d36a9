import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { assertionService } from '#zms/service/assertion.ts'
import { policyService } from '#zms/service/policy.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { authorizing, quotaOf } from './objects.ts'

const services = [policyService, assertionService]
const P1 = '/domain/sports/policy/p1'
const owner = (resourceOwner: string) => ({ headers: { 'Athenz-Resource-Owner': resourceOwner } })
const allow = (action: string, more: object = {}) => ({
  role: 'sports:role.readers',
  resource: 'sports:x',
  action,
  ...more,
})

const zms = await Harness.open({ services })
let firstId: number
beforeEach(async () => {
  await zms.createDomain('sports')
  await zms.put(P1, { name: 'p1', assertions: [allow('first')] })
  await zms.put(`${P1}/version/create`, { version: 'v1' })
  firstId = (await zms.get(P1)).body.assertions[0].id
})

const add = (assertion: object, options?: object) => zms.put(`${P1}/assertion`, assertion, options)
const actions = async (target = P1) =>
  (await zms.get(target)).body.assertions.map(({ action }: { action: string }) => action)

describe('putAssertion', () => {
  test('adds to the active version and answers with what is stored', async () => {
    const { status, body } = await add({ role: 'Sports:Role.Readers', resource: 'Sports:Data', action: 'Read' })
    assert.equal(status, 200)
    const { id, ...rest } = body
    assert.ok(id > firstId)
    assert.deepEqual(rest, { role: 'sports:role.readers', resource: 'sports:data', action: 'read', effect: 'ALLOW' })
    assert.deepEqual((await zms.get(`${P1}/assertion/${id}`)).body, body)
    assert.deepEqual(await actions(), ['first', 'read'])
    assert.deepEqual(await actions(`${P1}/version/v1`), ['first'])
  })

  test('keeps letters of a case-sensitive one, and ignores the id of the request', async () => {
    const { body } = await add(allow('Read', { resource: 'SPORTS:Data', caseSensitive: true, id: 1, effect: 'DENY' }))
    const { id, ...rest } = body
    assert.notEqual(id, 1)
    assert.deepEqual(rest, {
      ...allow('Read', { resource: 'sports:Data', effect: 'DENY' }),
      caseSensitive: true,
    })
  })

  test('repeats conditions in the answer but does not store them', async () => {
    const conditions = { conditionsList: [{ id: 7, conditionsMap: { Inst: { operator: 'EQUALS', value: 'HostA' } } }] }
    const { body } = await add(allow('read', { conditions }))
    assert.deepEqual(body.conditions, conditions)
    assert.equal((await zms.get(P1)).body.assertions[1].conditions, undefined)
  })

  test('adds what is there already only once, and then answers without id', async () => {
    const before = (await zms.get(P1)).body
    const { status, body } = await add(allow('FIRST'))
    assert.deepEqual([status, body.id, body.action], [200, undefined, 'first'])
    assert.deepEqual((await zms.get(P1)).body, before)
  })

  test('adds to the version of the path', async () => {
    const { status, body } = await zms.put(`${P1}/version/V1/assertion`, allow('more'))
    assert.equal(status, 200)
    assert.deepEqual(await actions(`${P1}/version/v1`), ['first', 'more'])
    assert.deepEqual(await actions(), ['first'])
    assert.equal((await zms.get(`${P1}/assertion/${body.id}`)).body.action, 'more', 'ids are found in any version')
  })

  test('refuses a broken assertion, the admin policy, what is not there, and strangers', async () => {
    assert.deepEqual(
      await add({ role: 'x', resource: 'y', action: '' }),
      refusal(400, 'Missing domain name from assertion resource: y'),
    )
    assert.equal((await add({ role: 'sports:role.r', resource: 'sports:x' })).status, 400)
    assert.deepEqual(
      await zms.put('/domain/sports/policy/admin/assertion', { role: 'x', resource: 'y', action: '' }),
      refusal(400, 'putAssertion: admin policy cannot be modified'),
    )
    assert.deepEqual(
      await zms.put('/domain/sports/policy/admin/version/0/assertion', allow('read')),
      refusal(400, 'putAssertionPolicyVersion: admin policy cannot be modified'),
    )
    const missing = (name: string) => refusal(404, `putAssertion: Unable to retrieve policy: sports:policy.${name}`)
    assert.deepEqual(await zms.put('/domain/sports/policy/nosuch/assertion', allow('read')), missing('nosuch'))
    assert.deepEqual(await zms.put(`${P1}/version/v9/assertion`, allow('read')), missing('p1'))
    const broken = { role: 'x', resource: 'y', action: '' }
    assert.deepEqual(await zms.put(`${P1}/version/v9/assertion`, broken), missing('p1'))
    assert.equal((await zms.put('/domain/sports/policy/nosuch/assertion', broken)).status, 400)
    assert.equal((await add(allow('read'), { as: 'user.eve' })).status, 403)
  })

  test('asks the owner of the assertions, and makes the caller it when there is none', async () => {
    assert.equal((await add(allow('a'), owner('tf'))).status, 200)
    assert.deepEqual((await zms.get(P1)).body.resourceOwnership, { assertionsOwner: 'tf' })
    assert.deepEqual(await add(allow('b')), refusal(409, 'Policy has a resource owner: tf'))
    assert.deepEqual(
      await add(allow('b'), owner('ui')),
      refusal(409, 'Invalid resource member owner for policy: sports:policy.p1, tf vs. ui'),
    )
    assert.equal((await add(allow('b'), owner('ui:force'))).status, 200)
    assert.deepEqual((await zms.get(P1)).body.resourceOwnership, { assertionsOwner: 'ui' })
    assert.deepEqual(await actions(), ['first', 'a', 'b'])
  })

  test('counts one more even for what is there already', async () => {
    const quota = quotaOf({ assertion: 1 })
    await zms.createDomain('sports', { quota })
    await zms.put(P1, { name: 'p1', assertions: [allow('first')] })
    for (const action of ['first', 'second']) {
      assert.deepEqual(await add(allow(action)), refusal(429, 'policy assertion quota exceeded - limit: 1 actual: 2'))
    }
  })

  test('the rules of roles and of the resource validator hold', async () => {
    const strict = await Harness.open({ services, properties: { validate_policy_assertion_roles: 'true' } })
    await strict.createDomain('sports')
    await strict.put(P1, { name: 'p1', assertions: [] })
    assert.deepEqual(
      await strict.put(`${P1}/assertion`, allow('read')),
      refusal(400, 'The role: sports:role.readers that associated to an assertion does not exist'),
    )
  })

  test('assertions added at the same time are all there', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => add(allow(`a${n}`))))
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 20)
    assert.equal((await actions()).length, 21)
  })
})

describe('getAssertion', () => {
  test('finds nothing under another policy, domain or id', async () => {
    const missing = (name: string, id: number) =>
      refusal(404, `getAssertion: Assertion not found: '${name}' Assertion: '${id}'`)
    assert.deepEqual(await zms.get(`${P1}/assertion/999999`), missing('sports:policy.p1', 999999))
    assert.deepEqual(
      await zms.get(`/domain/sports/policy/admin/assertion/${firstId}`),
      missing('sports:policy.admin', firstId),
    )
    assert.deepEqual(
      await zms.get(`/domain/nosuch/policy/p1/assertion/${firstId}`),
      missing('nosuch:policy.p1', firstId),
    )
    assert.equal((await zms.get(`${P1}/assertion/abc`)).status, 404)
  })
})

describe('deleteAssertion', () => {
  const remove = (id: number, options?: object) => zms.delete(`${P1}/assertion/${id}`, options)

  test('removes from the active version only', async () => {
    const other = (await zms.get(`${P1}/version/v1`)).body.assertions[0].id
    const gone = (id: number) =>
      refusal(404, `deleteassertion: unable to read assertion: ${id} from policy: p1 version: active version`)
    assert.deepEqual(await remove(other), gone(other))
    assert.deepEqual(await remove(firstId), NOTHING)
    assert.deepEqual(await remove(firstId), gone(firstId))
    assert.deepEqual(await actions(), [])
    assert.deepEqual(await zms.delete(`${P1}/version/V1/assertion/${other}`), NOTHING)
    assert.deepEqual(
      await zms.delete(`${P1}/version/v1/assertion/${other}`),
      refusal(404, `deleteassertionpolicyversion: unable to read assertion: ${other} from policy: p1 version: v1`),
    )
  })

  test('takes the right to the policy, or the right to this assertion', async () => {
    const second = (await add(allow('second'))).body.id
    const eve = { as: 'user.eve' }
    const refused = refusal(403, 'deleteAssertion: principal is not authorized to delete assertion')
    assert.deepEqual(await remove(firstId, eve), refused)
    assert.deepEqual(
      await zms.delete(`${P1}/version/0/assertion/${firstId}`, eve),
      refusal(403, 'deleteAssertion: principal is not authorized to delete assertions'),
    )
    const grant = { role: 'sports:role.admin', resource: `sports:policy.p1.assertion.${second}`, action: 'delete' }
    await zms.createDomain('other')
    await zms.store.transact(['sports'], (transaction) => {
      const role = { name: 'deleters', modified: 0, created: 0 }
      transaction.apply(
        { kind: 'putRole', domain: 'sports', value: role },
        { kind: 'putRoleMember', domain: 'sports', role: 'deleters', value: { memberName: 'user.eve' } },
      )
    })
    await zms.put('/domain/sports/policy/grant', {
      name: 'grant',
      assertions: [{ ...grant, role: 'sports:role.deleters' }],
    })
    assert.deepEqual(await remove(firstId, eve), refused)
    assert.deepEqual(await remove(second, eve), NOTHING)
  })

  test('finds the policy before it asks for rights', async () => {
    const eve = { as: 'user.eve' }
    const missing = refusal(404, 'Invalid policy name specified')
    assert.deepEqual(await zms.delete('/domain/sports/policy/nosuch/assertion/1', eve), missing)
    assert.deepEqual(await zms.delete('/domain/nosuch/policy/p1/assertion/1', eve), missing)
    assert.deepEqual(await zms.delete(`${P1}/version/v9/assertion/${firstId}`), refusal(404, 'Policy does not exist'))
  })

  test('refuses the admin policy', async () => {
    const refused = refusal(400, 'deleteAssertion: admin policy cannot be modified')
    assert.deepEqual(await zms.delete('/domain/sports/policy/admin/assertion/1'), refused)
    assert.deepEqual(await zms.delete('/domain/sports/policy/admin/version/0/assertion/1'), refused)
  })

  test('asks the owner of the assertions', async () => {
    await zms.put(`${P1}/ownership`, { objectOwner: 'other', assertionsOwner: 'tf' })
    assert.deepEqual(await remove(firstId), refusal(409, 'Invalid resource owner for object: tf vs. null'))
    assert.deepEqual(
      await remove(firstId, owner('other')),
      refusal(409, 'Invalid resource owner for object: tf vs. other'),
    )
    assert.deepEqual(await remove(999999), refusal(409, 'Invalid resource owner for object: tf vs. null'))
    assert.deepEqual(await remove(firstId, owner('TF')), NOTHING)
  })
})

test('audited domains need a reference, authorized services their place in the file', async () => {
  const strict = await Harness.open({
    services,
    properties: { audit_ref_check_objects: 'policy' },
    parts: { authorizedServices: authorizing('ui.server', 'putpolicy') },
  })
  await strict.createDomain('sports', { auditEnabled: true })
  await strict.put(P1, { name: 'p1', assertions: [] }, { headers: { 'Y-Audit-Ref': 'ticket' } })
  const attempts: [string, (options?: object) => Promise<unknown>][] = [
    ['putassertion', (options) => strict.put(`${P1}/assertion`, allow('a'), options)],
    ['putassertionpolicyversion', (options) => strict.put(`${P1}/version/0/assertion`, allow('a'), options)],
    ['deleteassertion', (options) => strict.delete(`${P1}/assertion/1`, options)],
    ['deleteassertionpolicyversion', (options) => strict.delete(`${P1}/version/0/assertion/1`, options)],
  ]
  for (const [api, attempt] of attempts) {
    assert.deepEqual(await attempt(), refusal(400, `${api}: Audit reference required for domain: sports`))
    assert.deepEqual(
      await attempt({ principal: { authorizedService: 'ui.server' } }),
      refusal(403, `Unauthorized Operation (${api}) for Service ui.server`),
    )
  }
})
