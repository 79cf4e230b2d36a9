import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { assertionService } from '#zms/service/assertion.ts'
import { policyService } from '#zms/service/policy.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, policy, quotaOf } from './objects.ts'

const P1 = '/domain/sports/policy/p1'
const returned = { headers: { 'Athenz-Return-Object': 'true' } }
const owner = (resourceOwner: string) => ({ headers: { 'Athenz-Resource-Owner': resourceOwner } })

const conditions = { conditionsList: [{ conditionsMap: { instances: { operator: 'EQUALS', value: 'host1' } } }] }
const assertions = [
  { role: 'sports:role.readers', resource: 'sports:a', action: 'read', conditions },
  { role: 'sports:role.readers', resource: 'sports:b', action: 'write', effect: 'DENY' },
]

const zms = await Harness.open({ services: [policyService, assertionService] })
beforeEach(async () => {
  await zms.createDomain('sports')
  await zms.put(P1, { name: 'p1', assertions, tags: { Tier: { list: ['gold'] } } })
})

const create = (version: string, fromVersion?: string, options?: object) =>
  zms.put(`${P1}/version/create`, { version, fromVersion }, options)
const versions = async () => (await zms.get(`${P1}/version`)).body.names
/** Assertions of a version without their ids. */
const contentOf = (body: { assertions: { id: number }[] }) => body.assertions.map(({ id: _, ...rest }) => rest)

describe('putPolicyVersion', () => {
  test('makes an inactive copy with assertions of its own, conditions and tags', async () => {
    const source = (await zms.get(P1)).body
    const { status, body } = await create('V2', undefined, returned)
    assert.equal(status, 200)
    assert.deepEqual([body.version, body.active, body.tags], ['v2', false, source.tags])
    assert.deepEqual(contentOf(body), contentOf(source))
    const ids = new Set([...source.assertions, ...body.assertions].map(({ id }: { id: number }) => id))
    assert.equal(ids.size, 4)
    assert.deepEqual((await zms.get(`${P1}/version/v2`)).body, body)
    assert.deepEqual((await zms.get(P1)).body, source)
  })

  test('copies the version it is told to', async () => {
    await zms.put(P1, { name: 'p1', version: 'v1', active: false, assertions: [] })
    assert.deepEqual((await create('v2', 'V1', returned)).body.assertions, [])
  })

  test('belongs to whom the header names, unchecked and as it is written', async () => {
    await zms.put(`${P1}/ownership`, { objectOwner: 'tf', assertionsOwner: 'tf' })
    assert.equal(
      (await create('v1', undefined, { headers: { ...returned.headers, 'Athenz-Resource-Owner': 'ui:force' } })).body
        .resourceOwnership,
      undefined,
    )
    assert.deepEqual((await zms.get(`${P1}/version/v1`)).body.resourceOwnership, {
      objectOwner: 'ui:force',
      assertionsOwner: 'ui:force',
    })
    await create('v2')
    assert.equal((await zms.get(`${P1}/version/v2`)).body.resourceOwnership, undefined, 'nobody’s without the header')
  })

  test('refuses in this order: the number of versions, the source, the version', async () => {
    assert.deepEqual(await create('v1', 'nope'), refusal(404, 'unable to fetch policy version: nope'))
    assert.deepEqual(await create('0', 'nope'), refusal(404, 'unable to fetch policy version: nope'))
    assert.deepEqual(await create('0'), refusal(400, 'Entry already exists'))
    await create('v1')
    await create('v2')
    const full = (version: string) =>
      refusal(429, `unable to put policy: p1, version: ${version}, max number of versions reached (3)`)
    assert.deepEqual(await create('v3', 'nope'), full('v3'))
    assert.deepEqual(await create('v1'), full('v1'))
    assert.deepEqual(await versions(), ['0', 'v1', 'v2'])
  })

  test('refuses the admin policy and missing policies', async () => {
    const put = (name: string) => zms.put(`/domain/sports/policy/${name}/version/create`, { version: 'v' })
    assert.deepEqual(await put('admin'), refusal(400, 'putpolicyversion: admin policy cannot be modified'))
    assert.deepEqual(await put('nosuch'), refusal(404, 'unknown policy - sports:policy.nosuch'))
    assert.equal((await create('a b')).status, 400)
    assert.equal((await create('v1', undefined, { as: 'user.eve' })).status, 403)
  })

  test('counts as a policy for the quota', async () => {
    const quota = quotaOf({ policy: 3 })
    await zms.createDomain('sports', { quota })
    await zms.put(P1, { name: 'p1', assertions })
    assert.deepEqual(await create('v1'), NOTHING)
    const full = refusal(429, 'policy quota exceeded - limit: 3 actual: 4')
    assert.deepEqual(await create('v2'), full)
    assert.deepEqual(await create('0'), full)
    await zms.createDomain('sports', { quota: quotaOf({ assertion: 0 }) })
    await commit(zms, ...policy('sports', 'p1', [{ role: 'r', resource: 'sports:x', action: 'read' }]))
    assert.deepEqual(await create('v1'), refusal(429, 'policy assertion quota exceeded - limit: 0 actual: 1'))
  })

  test('the number of versions is a setting', async () => {
    const one = await Harness.open({ services: [policyService], properties: { max_policy_versions: '1' } })
    await one.createDomain('sports')
    await one.put(P1, { name: 'p1', assertions: [] })
    const { status, body } = await one.put(`${P1}/version/create`, { version: 'v' })
    assert.deepEqual(
      [status, body.message],
      [429, 'unable to put policy: p1, version: v, max number of versions reached (1)'],
    )
  })
})

describe('owners of versions', () => {
  const owners = async () => {
    const { list } = (await zms.get('/domain/sports/policies?assertions=true&includeNonActive=true')).body
    return list
      .filter(({ name }: { name: string }) => name === 'sports:policy.p1')
      .map(({ resourceOwnership }: { resourceOwnership?: object }) => resourceOwnership)
  }
  const both = (ownership: object | undefined) => [ownership, ownership]

  test('a new version takes the others along', async () => {
    await create('v1', undefined, owner('tf'))
    assert.deepEqual(await owners(), both({ objectOwner: 'tf', assertionsOwner: 'tf' }))
    await create('v2')
    assert.equal((await zms.get(`${P1}/version/v2`)).body.resourceOwnership, undefined)
    assert.deepEqual((await zms.get(P1)).body.resourceOwnership, { objectOwner: 'tf', assertionsOwner: 'tf' })
  })

  test('each write of one version that sets owners sets them for all, and leaves the active one active', async () => {
    await create('v1')
    const put = { name: 'p1', version: 'v1', active: false, assertions: [] }
    assert.deepEqual(await zms.put(P1, put, owner('tf')), NOTHING)
    assert.deepEqual(await owners(), both({ objectOwner: 'tf' }))
    assert.equal((await zms.get(P1)).body.version, '0')
    assert.deepEqual(await zms.put(P1, { ...put, version: '0', active: true }), {
      ...refusal(409, 'Invalid resource owner for policy: sports:policy.p1, tf vs. null'),
    })
    const assertion = { role: 'sports:role.r', resource: 'sports:x', action: 'a' }
    assert.equal((await zms.put(`${P1}/version/v1/assertion`, assertion, owner('ui'))).status, 200)
    assert.deepEqual(await owners(), both({ objectOwner: 'tf', assertionsOwner: 'ui' }))
    const { id } = (await zms.get(P1)).body.assertions[0]
    const condition = { conditionsMap: { inst: { operator: 'EQUALS', value: 'a' } } }
    assert.equal((await zms.put(`${P1}/assertion/${id}/condition`, condition, owner('a:force'))).status, 200)
    assert.deepEqual(await owners(), both({ objectOwner: 'tf', assertionsOwner: 'a' }))
    assert.deepEqual(await zms.put(`${P1}/ownership`, {}), NOTHING)
    assert.deepEqual(await owners(), both(undefined))
  })
})

describe('setActivePolicyVersion', () => {
  const activate = (version: string, options?: object) => zms.put(`${P1}/version/active`, { version }, options)

  test('puts one version in force and the other out of it, and moves the times of both', async () => {
    await create('v1')
    await create('v2')
    zms.clock.millis += 60_000
    assert.deepEqual(await activate('V1'), NOTHING)
    const { list } = (await zms.get('/domain/sports/policies?includeNonActive=true')).body
    const times = new Map<string, { active: boolean; modified: number }>(
      list
        .filter(({ name }: { name: string }) => name === 'sports:policy.p1')
        .map(({ version, active, modified }: { version: string; active: boolean; modified: string }) => [
          version,
          { active, modified: Date.parse(modified) },
        ]),
    )
    assert.deepEqual(
      [...times].map(([version, { active }]) => [version, active]),
      [
        ['0', false],
        ['v1', true],
        ['v2', false],
      ],
    )
    assert.equal(times.get('0')?.modified, times.get('v1')?.modified)
    assert.ok((times.get('0')?.modified ?? 0) > (times.get('v2')?.modified ?? 0))
    assert.equal((await zms.get(P1)).body.version, 'v1')
  })

  test('leaves the active version active', async () => {
    assert.deepEqual(await activate('0'), NOTHING)
    assert.equal((await zms.get(P1)).body.active, true)
  })

  test('asks no owner', async () => {
    await create('v1')
    await zms.put(`${P1}/ownership`, { objectOwner: 'tf' })
    assert.deepEqual(await activate('v1', owner('ui')), NOTHING)
  })

  test('refuses what is not there, the admin policy, and strangers', async () => {
    assert.deepEqual(await activate('nope'), refusal(404, 'unknown policy version: nope'))
    assert.deepEqual(
      await zms.put('/domain/sports/policy/nosuch/version/active', { version: '0' }),
      refusal(404, 'unknown policy: nosuch'),
    )
    assert.deepEqual(
      await zms.put('/domain/sports/policy/admin/version/active', { version: '0' }),
      refusal(400, 'setactivepolicyversion: admin policy cannot be modified'),
    )
    assert.equal((await activate('0', { as: 'user.eve' })).status, 403)
  })
})

describe('deletePolicyVersion', () => {
  const remove = (version: string, options?: object) => zms.delete(`${P1}/version/${version}`, options)

  test('deletes an inactive version', async () => {
    await create('v1')
    assert.deepEqual(await remove('V1'), NOTHING)
    assert.deepEqual(await versions(), ['0'])
  })

  test('refuses the active one, what is not there, the admin policy, and strangers', async () => {
    assert.deepEqual(
      await remove('0'),
      refusal(400, 'deletepolicyversion: unable to delete active policy version. Policy: p1, version: 0'),
    )
    assert.deepEqual(await remove('v1'), refusal(404, 'Policy does not exist'))
    assert.deepEqual(await zms.delete('/domain/sports/policy/nosuch/version/0'), refusal(404, 'Policy does not exist'))
    assert.deepEqual(
      await zms.delete('/domain/sports/policy/admin/version/0'),
      refusal(400, 'deletepolicyversion: admin policy version cannot be deleted'),
    )
    assert.equal((await remove('0', { as: 'user.eve' })).status, 403)
  })

  test('asks the owner of that version', async () => {
    await create('v1', undefined, owner('tf'))
    assert.deepEqual(await remove('v1'), refusal(409, 'Invalid resource owner for object: tf vs. null'))
    assert.deepEqual(await remove('v1', owner('tf')), NOTHING)
    assert.deepEqual(
      await remove('0'),
      refusal(409, 'Invalid resource owner for object: tf vs. null'),
      'before all else',
    )
  })
})

describe('reads of versions', () => {
  test('names come in order', async () => {
    await create('b')
    await create('a')
    assert.deepEqual(await versions(), ['0', 'a', 'b'])
  })

  const missing: [string, string][] = [
    ['/domain/nosuch/policy/p1/version', 'unknown domain - nosuch'],
    ['/domain/sports/policy/nosuch/version', 'unknown policy - sports:policy.nosuch'],
    ['/domain/nosuch/policy/p1/version/0', "getpolicyversion: Policy not found: 'nosuch:policy.p1' with version: 0"],
    ['/domain/sports/policy/p1/version/v9', "getpolicyversion: Policy not found: 'sports:policy.p1' with version: v9"],
  ]
  for (const [target, message] of missing) {
    test(`${target} is missing`, async () => assert.deepEqual(await zms.get(target), refusal(404, message)))
  }
})
