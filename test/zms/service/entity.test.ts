import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { entityService } from '#zms/service/entity.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { authorizing, quotaOf } from './objects.ts'

const services = [entityService]
const E1 = '/domain/sports/entity/e1'

const zms = await Harness.open({ services })
beforeEach(() => zms.createDomain('sports'))

const put = (value: unknown, options?: object) => zms.put(E1, { name: 'sports:entity.e1', value }, options)

describe('putEntity', () => {
  const values = [
    {},
    { Key: 'Value', n: 1.5, list: [1, 'two', null, { deep: true }], nothing: null, nested: { a: [] } },
    JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"ключ":"\\u2028"}') as object,
  ]
  for (const value of values) {
    test(`keeps ${JSON.stringify(value)}`, async () => {
      assert.deepEqual(await put(value), NOTHING)
      const { status, body } = await zms.get('/domain/SPORTS/entity/E1', { as: 'user.eve' })
      assert.equal(status, 200)
      assert.equal(body.name, 'sports:entity.e1')
      assert.equal(JSON.stringify(body.value), JSON.stringify(value))
    })
  }

  test('replaces the value', async () => {
    await put({ a: 1 })
    await put({ b: 2 })
    assert.deepEqual((await zms.get(E1)).body.value, { b: 2 })
  })

  test('wants the full name, then a value that is an object', async () => {
    const named = (name: string) => zms.put(E1, { name })
    assert.deepEqual(await named('e1'), refusal(400, 'validateEntity: Entity name mismatch: sports:entity.e1 != e1'))
    assert.deepEqual(
      await named('sports:entity.e2'),
      refusal(400, 'validateEntity: Entity name mismatch: sports:entity.e1 != sports:entity.e2'),
    )
    assert.deepEqual(await named('SPORTS:entity.E1'), refusal(400, 'validateEntity: Entity value is empty: e1'))
    for (const value of ['text', 1, [1]]) assert.deepEqual(await put(value), refusal(400, 'Invalid Object'))
    assert.deepEqual(await put(null), refusal(400, 'validateEntity: Entity value is empty: e1'))
  })

  test('strangers and missing domains', async () => {
    assert.deepEqual(await put({}, { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.equal((await zms.put('/domain/nosuch/entity/e1', { name: 'nosuch:entity.e1', value: {} })).status, 404)
  })

  test('counts one more even when an entity is replaced', async () => {
    const quota = quotaOf({ entity: 1 })
    await zms.createDomain('sports', { quota })
    assert.deepEqual(await put({}), NOTHING)
    const full = refusal(429, 'entity quota exceeded - limit: 1 actual: 2')
    assert.deepEqual(await put({ a: 1 }), full)
    assert.deepEqual(await zms.put('/domain/sports/entity/e2', { name: 'sports:entity.e2', value: {} }), full)
  })
})

describe('entities of authorization details', () => {
  const INVALID = 'Invalid authorization details entity object provided'
  const MISSING = 'Authorization details entity object missing'
  const details = { type: 't', roles: [{ name: 'r' }], fields: [{ name: 'f' }] }
  const putDetails = (value: object) => {
    const name = 'zts.authorization_details_t'
    return zms.put(`/domain/sports/entity/${name}`, { name: `sports:entity.${name}`, value })
  }
  const withData = (data: unknown) => putDetails({ data: JSON.stringify(data) })

  test('hold JSON text with type, roles and fields', async () => {
    assert.deepEqual(await withData(details), NOTHING)
  })

  test('are refused in any other form', async () => {
    const attempts: [object, string][] = [
      [details, INVALID],
      [{ data: details }, INVALID],
      [{ data: '{' }, INVALID],
      [{ data: '[]' }, INVALID],
      [{ data: JSON.stringify({ ...details, more: 1 }) }, INVALID],
      [{ data: JSON.stringify({ ...details, roles: [{ name: 'r', more: 1 }] }) }, INVALID],
      [{ data: JSON.stringify({ ...details, roles: ['r'] }) }, INVALID],
      [{ data: JSON.stringify({ ...details, type: '' }) }, `${MISSING} type`],
      [{ data: JSON.stringify({ ...details, type: undefined }) }, `${MISSING} type`],
      [{ data: JSON.stringify({ ...details, roles: [] }) }, `${MISSING} roles`],
      [{ data: JSON.stringify({ ...details, fields: undefined }) }, `${MISSING} fields`],
    ]
    for (const [value, message] of attempts) assert.deepEqual(await putDetails(value), refusal(400, message))
  })

  test('other names hold what they like', async () => {
    const name = 'zts.authorization'
    const body = { name: `sports:entity.${name}`, value: { data: 1 } }
    assert.deepEqual(await zms.put(`/domain/sports/entity/${name}`, body), NOTHING)
  })
})

describe('reads and deletion of entities', () => {
  test('names come in order', async () => {
    for (const name of ['b', 'a.x', 'a']) {
      await zms.put(`/domain/sports/entity/${name}`, { name: `sports:entity.${name}`, value: {} })
    }
    assert.deepEqual((await zms.get('/domain/sports/entity')).body, { names: ['a', 'a.x', 'b'] })
  })

  test('an entity is deleted once, by those who may', async () => {
    await put({})
    assert.deepEqual(await zms.delete(E1, { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.deepEqual(await zms.delete(E1), NOTHING)
    assert.deepEqual(await zms.delete(E1), refusal(404, 'deleteentity: unable to delete entity: e1'))
  })

  const missing: [string, string][] = [
    ['/domain/nosuch/entity', 'unknown domain - nosuch'],
    ['/domain/nosuch/entity/e1', 'unknown domain - nosuch'],
    [E1, "getEntity: Entity not found: 'sports:entity.e1'"],
  ]
  for (const [target, message] of missing) {
    test(`${target} is missing`, async () => assert.deepEqual(await zms.get(target), refusal(404, message)))
  }
})

test('audited domains need a reference, authorized services their place in the file', async () => {
  const strict = await Harness.open({
    services,
    properties: { audit_ref_check_objects: 'entity' },
    parts: { authorizedServices: authorizing('ui.server', 'putrole') },
  })
  await strict.createDomain('sports', { auditEnabled: true })
  const attempts: [string, (options?: object) => Promise<unknown>][] = [
    ['putentity', (options) => strict.put(E1, { name: 'sports:entity.e1', value: {} }, options)],
    ['deleteentity', (options) => strict.delete(E1, options)],
  ]
  for (const [api, attempt] of attempts) {
    assert.deepEqual(await attempt(), refusal(400, `${api}: Audit reference required for domain: sports`))
    assert.deepEqual(
      await attempt({ principal: { authorizedService: 'ui.server' } }),
      refusal(403, `Unauthorized Operation (${api}) for Service ui.server`),
    )
  }
})
