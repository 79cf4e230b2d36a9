import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { roleService } from '#zms/service/role.ts'
import { Harness, NOTHING } from './harness.ts'
import { commit, policy, role } from './objects.ts'

const services = [roleService]
const properties = { auto_delete_tenant_assume_role_assertions: 'true' }
const ON = { autoDeleteTenantAssumeRoleAssertions: true }
const on = await Harness.open({ services, properties })
const off = await Harness.open({ services })

/** A role of `sports` that is delegated to `media`, which lets several roles of its own assume it. */
async function delegate(zms: Harness, settings: object): Promise<void> {
  await zms.createDomain('sports')
  await zms.createDomain('media', settings)
  const assertion = (resource: string, action = 'assume_role') => ({ role: 'staff', resource, action })
  await commit(
    zms,
    ...role('sports', 'guests', [], { trust: 'media' }),
    ...policy('media', 'p', [assertion('sports:role.guests')], { active: false }),
    ...policy(
      'media',
      'p',
      [
        assertion('sports:role.guests', 'ASSUME_ROLE'),
        assertion('SPORTS:role.Guests'),
        assertion('sports:role.*'),
        assertion('sports:role.guests2'),
        assertion('sports:role.guests', 'read'),
      ],
      { version: '1' },
    ),
  )
}

const left = async (zms: Harness) =>
  [...((await zms.domain('media')).policies.get('p')?.values() ?? [])].map(({ version, assertions }) => [
    version,
    [...assertions.values()].map(({ action, resource }) => `${action} ${resource}`),
  ])

describe('deleting a delegated role', () => {
  beforeEach(() => delegate(on, ON))

  test('takes from the trusted domain what lets its members assume exactly this role', async () => {
    assert.deepEqual(await on.delete('/domain/sports/role/guests'), NOTHING)
    assert.deepEqual(await left(on), [
      ['0', []],
      ['1', ['assume_role sports:role.*', 'assume_role sports:role.guests2', 'read sports:role.guests']],
    ])
  })

  test('does not where the trusted domain has not switched it on', async () => {
    await delegate(on, {})
    const before = await left(on)
    assert.deepEqual(await on.delete('/domain/sports/role/guests'), NOTHING)
    assert.deepEqual(await left(on), before)
  })

  test('does not where the server has not switched it on', async () => {
    await delegate(off, ON)
    const before = await left(off)
    assert.deepEqual(await off.delete('/domain/sports/role/guests'), NOTHING)
    assert.deepEqual(await left(off), before)
  })

  test('works when the trusted domain is gone', async () => {
    await on.store.transact(['media'], (transaction) => transaction.apply({ kind: 'deleteDomain', domain: 'media' }))
    assert.deepEqual(await on.delete('/domain/sports/role/guests'), NOTHING)
    assert.equal((await on.domain('sports')).roles.has('guests'), false)
  })
})
