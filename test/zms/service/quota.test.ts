import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { quotaService } from '#zms/service/quota.ts'
import { QuotaRules } from '#zms/service/quota-rules.ts'
import { fullQuota } from '../store/suite/samples.ts'
import { Harness, NOTHING, refusal } from './harness.ts'

const services = [quotaService]
const QUOTA = '/domain/sports/quota'
const zms = await Harness.open({ services, properties: { quota_role: '77' } })
const startedAt = new Date(zms.clock.millis).toISOString()
beforeEach(() => zms.createDomain('sports'))

const LIMITS = fullQuota()

const needed = (api: string) => refusal(400, `${api}: Audit reference required for domain: sports`)

describe('quota of a domain', () => {
  test('is that of the server since its start, as long as the domain has none', async () => {
    zms.clock.millis += 1000
    const { status, body } = await zms.get(QUOTA, { as: 'user.eve' })
    assert.equal(status, 200)
    assert.equal(body.name, 'server-default')
    assert.equal(body.role, 77)
    assert.equal(body.groupMember, 100)
    assert.equal(body.modified, startedAt)
  })

  test('is replaced as a whole', async () => {
    assert.deepEqual(await zms.put(QUOTA, { name: 'SPORTS', ...LIMITS }), NOTHING)
    const { modified, ...first } = (await zms.get(QUOTA)).body
    assert.deepEqual(first, { name: 'sports', ...LIMITS })
    assert.equal(modified, new Date((await zms.domain('sports')).quota?.modified ?? 0).toISOString())
    assert.deepEqual(await zms.put(QUOTA, { name: 'sports', role: 5 }), NOTHING)
    const { body } = await zms.get(QUOTA)
    assert.equal(body.role, 5)
    assert.equal(body.policy, 0)
  })

  test('can be taken away once', async () => {
    await zms.put(QUOTA, { name: 'sports', ...LIMITS })
    assert.deepEqual(await zms.delete(QUOTA), NOTHING)
    assert.deepEqual(await zms.delete(QUOTA), refusal(404, 'deletequota: unable to delete quota: sports'))
    assert.equal((await zms.get(QUOTA)).body.name, 'server-default')
  })

  test('counts after the maximum of a role or group', () => {
    const rules = new QuotaRules(zms.deps.config)
    const domain = { quota: { ...LIMITS, roleMember: 2, groupMember: 2, modified: 0 } }
    const full = (kind: 'role' | 'group', maxMembers?: number) => () =>
      rules.requireRoomForMember(kind, domain, maxMembers, 2)
    for (const kind of ['role', 'group'] as const) {
      assert.throws(full(kind, 1), { code: 'quota', message: `${kind} max members exceeded - limit: 1 actual: 2` })
      assert.throws(full(kind, 3), { code: 'quota', message: `${kind} member quota exceeded - limit: 2 actual: 2` })
      assert.throws(full(kind), { code: 'quota', message: `${kind} member quota exceeded - limit: 2 actual: 2` })
    }
  })

  test('names its domain', async () => {
    const mismatch = refusal(400, 'putQuota: Domain name in URI and Quota object do not match')
    assert.deepEqual(await zms.put(QUOTA, { name: 'other' }), mismatch)
    const unknown = refusal(404, 'unknown domain - none')
    assert.deepEqual(await zms.get('/domain/none/quota'), unknown)
    assert.deepEqual(await zms.put('/domain/none/quota', { name: 'none' }), unknown)
    assert.deepEqual(await zms.delete('/domain/none/quota'), unknown)
  })

  for (const name of Object.keys(LIMITS)) {
    test(`has no negative limit: ${name}`, async () => {
      const answer = await zms.put(QUOTA, { name: 'sports', ...LIMITS, [name]: -1 })
      assert.deepEqual(answer, refusal(400, `${name} cannot be negative`))
      assert.equal((await zms.get(QUOTA)).body.name, 'server-default')
    })
  }

  test('belongs to the operators', async () => {
    const owner = { as: 'user.owner' }
    assert.deepEqual(await zms.put(QUOTA, { name: 'sports' }, owner), refusal(403, 'Forbidden'))
    assert.deepEqual(await zms.delete(QUOTA, owner), refusal(403, 'Forbidden'))
    const principal = { authorizedService: 'media.ui' }
    assert.deepEqual(await zms.delete(QUOTA, { principal }), refusal(403, 'Unauthorized Service media.ui'))
  })

  test('needs an audit reference where domains do', async () => {
    const audited = await Harness.open({ services, properties: { audit_ref_check_objects: 'domain' } })
    await audited.createDomain('sports', { auditEnabled: true })
    assert.deepEqual(await audited.put(QUOTA, { name: 'sports' }), needed('putquota'))
    assert.deepEqual(await audited.delete(QUOTA), needed('deletequota'))
    assert.deepEqual(await audited.put(QUOTA, { name: 'sports' }, { headers: { 'Y-Audit-Ref': 'r' } }), NOTHING)
  })
})
