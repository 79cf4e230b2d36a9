import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { RequestContext } from '#core/http/endpoint.ts'
import { domainService } from '#zms/service/domain.ts'
import { purgeExpiredMembers } from '#zms/service/expired-members.ts'
import { Writes } from '#zms/service/writes.ts'
import type { Domain } from '#zms/store/model.ts'
import type { Store } from '#zms/store/store.ts'
import { Harness, NOTHING, principalOf, refusal } from './harness.ts'
import { commit, group, role } from './objects.ts'

const DAY_MILLIS = 86_400_000
const services = [domainService]
const SHOWN = { headers: { 'Athenz-Return-Object': 'true' } }

const zms = await Harness.open({ services })
beforeEach(async () => {
  await zms.createDomain('media')
  await zms.createDomain('sports')
})

const ago = (days: number) => Math.floor(zms.clock.millis / 1000) * 1000 - days * DAY_MILLIS
const expired = (memberName: string, days: number) => ({ memberName, expiration: ago(days) })
const purge = (resources?: number | string, options: object = {}) =>
  zms.delete(`/expired-members${resources === undefined ? '' : `?purgeResources=${resources}`}`, options)

const membersOf = async (domain: string, name: string, kind: 'roles' | 'groups' = 'roles') =>
  [...((await zms.domain(domain))[kind].get(name)?.members ?? [])].map(({ memberName }) => memberName)

describe('purging expired members', () => {
  test('is nothing that every service may do for a user', async () => {
    const principal = { authorizedService: 'media.ui' }
    assert.deepEqual(await purge(3, { principal }), refusal(403, 'Unauthorized Service media.ui'))
  })

  test('removes those that expired longer ago than the server keeps them', async () => {
    await commit(
      zms,
      ...role('sports', 'r', [
        expired('user.old', 181),
        expired('user.young', 179),
        'user.always',
        expired('user.later', -5),
      ]),
      ...role('media', 'r', [expired('user.old', 400)]),
      ...group('sports', 'g', [expired('user.old', 181), expired('user.young', 1)]),
    )
    const { status, body } = await purge(undefined, { headers: { ...SHOWN.headers, 'Y-Audit-Ref': 'why' } })
    assert.equal(status, 200)
    const place = (domainName: string, collectionName: string, days: number) => ({
      domainName,
      collectionName,
      principalName: 'user.old',
      expiration: new Date(ago(days)).toISOString(),
    })
    assert.deepEqual(body, {
      expiredRoleMembers: [place('media', 'r', 400), place('sports', 'r', 181)],
      expiredGroupMembers: [place('sports', 'g', 181)],
    })
    assert.deepEqual(await membersOf('sports', 'r'), ['user.young', 'user.always', 'user.later'])
    assert.deepEqual(await membersOf('sports', 'g', 'groups'), ['user.young'])
    const [entry] = await zms.store.roleAudit('sports', 'r')
    assert.deepEqual([entry?.action, entry?.admin, entry?.auditRef], ['DELETE', 'user.admin', 'why'])
    assert.deepEqual(await purge(), NOTHING)
  })

  const days: readonly (readonly [Partial<Domain>, number, boolean])[] = [
    [{ memberPurgeExpiryDays: 10 }, 11, true],
    [{ memberPurgeExpiryDays: 10 }, 9, false],
    [{ memberPurgeExpiryDays: 400 }, 300, false],
    [{ memberPurgeExpiryDays: -1 }, 4000, false],
  ]
  for (const [settings, age, gone] of days) {
    test(`${gone ? 'removes' : 'keeps'} after ${age} days with ${JSON.stringify(settings)}`, async () => {
      await zms.createDomain('sports', settings)
      await commit(zms, ...role('sports', 'r', [expired('user.old', age)]))
      await purge(1)
      assert.deepEqual(await membersOf('sports', 'r'), gone ? [] : ['user.old'])
    })
  }

  test('does so for the kinds asked for', async () => {
    await commit(
      zms,
      ...role('sports', 'r', [expired('user.old', 200)]),
      ...group('sports', 'g', [expired('user.old', 200)]),
    )
    assert.deepEqual((await purge(0, SHOWN)).body, { expiredRoleMembers: null, expiredGroupMembers: null })
    assert.deepEqual((await purge(2, SHOWN)).body.expiredRoleMembers, null)
    assert.deepEqual(await membersOf('sports', 'r'), ['user.old'])
    assert.deepEqual(await membersOf('sports', 'g', 'groups'), [])
    assert.deepEqual((await purge(1, SHOWN)).body.expiredGroupMembers, null)
    assert.deepEqual(await membersOf('sports', 'r'), [])
    assert.deepEqual((await purge(3, SHOWN)).body, { expiredRoleMembers: [], expiredGroupMembers: [] })
  })

  for (const resources of [4, 9, -1]) {
    test(`refuses ${resources}`, async () => {
      const message = 'Invalid purgeResources value, error: should be a number in [0-3]'
      assert.deepEqual(await purge(resources), refusal(400, message))
    })
  }

  test('belongs to the operators', async () => {
    assert.deepEqual(await purge(3, { as: 'user.owner' }), refusal(403, 'Forbidden'))
  })

  test('is limited in one run, over all domains', async () => {
    const properties = { purge_task_limit_per_call: '2', purge_task_max_db_calls_per_run: '2' }
    const other = await Harness.open({ services, properties })
    for (const name of ['media', 'sports']) {
      await other.createDomain(name)
      await commit(
        other,
        ...role(
          name,
          'r',
          ['a', 'b', 'c'].map((user) => expired(`user.${user}`, 200)),
        ),
      )
    }
    const run = async () => {
      const { body } = await other.delete('/expired-members?purgeResources=1', SHOWN)
      return (body.expiredRoleMembers as object[]).length
    }
    assert.deepEqual([await run(), await run(), await run()], [4, 2, 0])
  })

  test('keeps members for ever where the server does and the domain says nothing', async () => {
    const other = await Harness.open({ services, properties: { purge_member_expiry_days: '0' } })
    await other.createDomain('media', { memberPurgeExpiryDays: 5 })
    await other.createDomain('sports')
    for (const name of ['media', 'sports']) await commit(other, ...role(name, 'r', [expired('user.old', 4000)]))
    await other.delete('/expired-members')
    assert.equal((await other.domain('media')).roles.get('r')?.members.size, 0)
    assert.equal((await other.domain('sports')).roles.get('r')?.members.size, 1)
  })

  test('leaves a membership that is extended meanwhile', async () => {
    await commit(zms, ...role('sports', 'r', [expired('user.old', 200), expired('user.gone', 200)]))
    const extend = () =>
      commit(zms, {
        kind: 'putRoleMember',
        domain: 'sports',
        role: 'r',
        value: { memberName: 'user.old', expiration: zms.clock.millis + DAY_MILLIS },
      })
    const store: Pick<Store, 'transact'> = {
      transact: async (domains, decide) => {
        await extend()
        return zms.store.transact(domains, decide)
      },
    }
    const writes = new Writes({
      store: store as Store,
      audit: { record: () => {} },
      serverName: 'zms.example.com',
      auditedKinds: new Set(),
      now: zms.deps.now,
    })
    const context: RequestContext = {
      requestId: 'test',
      api: 'deleteexpiredmembers',
      method: 'DELETE',
      principal: principalOf('user.admin'),
      remoteAddress: '192.0.2.1',
      header: () => undefined,
    }
    const { expiredRoleMembers } = await purgeExpiredMembers({ ...zms.deps, writes }, context, 1, undefined)
    assert.deepEqual(
      expiredRoleMembers?.map(({ principalName }) => principalName),
      ['user.gone'],
    )
    assert.deepEqual(await membersOf('sports', 'r'), ['user.old'])
  })
})
