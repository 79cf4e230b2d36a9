import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fixture, type OpenStore } from './fixture.ts'
import { domainWith, emptyDomain, fullPendingRoleMember, groupWith, roleWith } from './samples.ts'

export function globalTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  const suspend = (principal: string, suspended: number) =>
    fixture.commit([], { kind: 'putPrincipal', principal, suspended })

  test('knows every name that is a member of anything', async () => {
    const name = await fixture.create((own) =>
      domainWith(own, {
        roles: [roleWith('readers', ['known.role-member', 'known.*'])],
        groups: [groupWith('team', ['known.group-member'])],
      }),
    )
    assert.deepEqual(await fixture.store.principalNames('known.'), [
      'known.*',
      'known.group-member',
      'known.role-member',
    ])
    await fixture.commit(
      [name],
      { kind: 'putRoleMember', domain: name, role: 'readers', value: { memberName: 'known.later' } },
      { kind: 'putPendingRoleMember', domain: name, role: 'readers', value: fullPendingRoleMember('known.pending') },
    )
    assert.equal(await fixture.store.principal('known.later'), 0)
    assert.equal(await fixture.store.principal('known.pending'), 0)
    assert.equal(await fixture.store.principal('known.never'), undefined)
  })

  test('remembers names after their last membership, and after the domain is gone', async () => {
    const name = await fixture.create((own) =>
      domainWith(own, { roles: [roleWith('readers', ['former.member', 'former.removed'])] }),
    )
    await fixture.commit([name], { kind: 'deleteRoleMember', domain: name, role: 'readers', member: 'former.removed' })
    assert.deepEqual(await fixture.store.principalNames('former.'), ['former.member', 'former.removed'])
    await fixture.commit([name], { kind: 'deleteDomain', domain: name })
    assert.deepEqual(await fixture.store.principalNames('former.'), ['former.member', 'former.removed'])
  })

  test('keeps the suspension of a principal, whatever its memberships', async () => {
    await suspend('held.one', 4)
    await suspend('held.two', 6)
    await suspend('held.three', 1)
    const name = await fixture.create((own) => domainWith(own, { roles: [roleWith('readers', ['held.one'])] }))
    await fixture.commit([name], { kind: 'deleteDomain', domain: name })
    assert.equal(await fixture.store.principal('held.one'), 4)
    assert.equal(await fixture.store.principal('held.two'), 6)
    assert.deepEqual(held(await fixture.store.suspendedPrincipals(4)), ['held.one', 'held.two'])
    assert.deepEqual(held(await fixture.store.suspendedPrincipals(3)), ['held.three', 'held.two'])
    await suspend('held.two', 0)
    assert.equal(await fixture.store.principal('held.two'), 0)
    assert.deepEqual(held(await fixture.store.suspendedPrincipals(7)), ['held.one', 'held.three'])
  })

  test('forgets a principal', async () => {
    await suspend('gone.user', 4)
    await suspend('gone.user2', 4)
    await fixture.commit([], { kind: 'deletePrincipal', principal: 'gone.user' })
    await fixture.commit([], { kind: 'deletePrincipal', principal: 'gone.never' })
    assert.deepEqual(await fixture.store.principalNames('gone.'), ['gone.user2'])
    assert.equal(await fixture.store.principal('gone.user'), undefined)
  })

  test('lists principals by the exact prefix, ascending', async () => {
    for (const each of ['pre_fix.b', 'pre_fix.a', 'prexfix.c', 'pre%fix.d']) await suspend(each, 0)
    assert.deepEqual(await fixture.store.principalNames('pre_fix.'), ['pre_fix.a', 'pre_fix.b'])
    assert.deepEqual(await fixture.store.principalNames('pre%'), ['pre%fix.d'])
  })

  test('records dependencies of domains on services', async () => {
    const put = (dependentDomain: string, service: string) =>
      fixture.commit([], { kind: 'putDependency', dependentDomain, service })
    await put('tenant-b', 'provider.api')
    await put('tenant-a', 'provider.api')
    await put('tenant-a', 'provider.api')
    await put('tenant-a', 'provider.other')
    assert.deepEqual(await fixture.store.dependentDomains('provider.api'), ['tenant-a', 'tenant-b'])
    assert.deepEqual(await fixture.store.dependentServices('tenant-a'), ['provider.api', 'provider.other'])
    await fixture.commit([], { kind: 'deleteDependency', dependentDomain: 'tenant-a', service: 'provider.api' })
    await fixture.commit([], { kind: 'deleteDependency', dependentDomain: 'tenant-a', service: 'provider.api' })
    assert.deepEqual(await fixture.store.dependentDomains('provider.api'), ['tenant-b'])
    assert.deepEqual(await fixture.store.dependentServices('tenant-a'), ['provider.other'])
    assert.deepEqual(await fixture.store.dependentDomains('nothing.api'), [])
    assert.deepEqual(await fixture.store.dependentServices('nothing'), [])
  })

  test('changes of domains and of what belongs to none are one transaction', async () => {
    const name = await fixture.create(emptyDomain)
    const decide = fixture.store.transact([name], (transaction) => {
      transaction.apply(
        { kind: 'putPrincipal', principal: 'together.user', suspended: 2 },
        { kind: 'putDependency', dependentDomain: name, service: 'together.api' },
        { kind: 'putEntity', domain: name, value: { name: 'e', value: '{}' } },
      )
      throw new Error('no')
    })
    await assert.rejects(decide, /^Error: no$/)
    assert.equal(await fixture.store.principal('together.user'), undefined)
    assert.deepEqual(await fixture.store.dependentServices(name), [])
    assert.equal((await fixture.read(name)).entities.size, 0)
  })
}

const held = (names: string[]) => names.filter((each) => each.startsWith('held.'))
