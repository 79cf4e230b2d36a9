import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoleMember } from '#zms/store/model.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { domainWith, fullPendingGroupMember, fullPendingRoleMember, groupWith, roleWith } from './samples.ts'

export function memberQueryTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  const withRoles = (roles: Record<string, (string | RoleMember)[]>, groups: Record<string, string[]> = {}) =>
    fixture.create((own) =>
      domainWith(own, {
        roles: Object.entries(roles).map(([name, members]) => roleWith(name, members)),
        groups: Object.entries(groups).map(([name, members]) => groupWith(name, members)),
      }),
    )
  const roles = async (member: string) =>
    (await fixture.store.rolesOfMember(member)).map(({ domain, collection }) => `${domain}:${collection}`)
  const groups = async (member: string) =>
    (await fixture.store.groupsOfMember(member)).map(({ domain, collection }) => `${domain}:${collection}`)

  test('finds the roles and groups of a member by its exact name', async () => {
    const one = await withRoles(
      { writers: ['find.joe'], readers: ['find.joe', 'find.jane'] },
      { team: ['find.joe'], crew: ['find.jane'] },
    )
    const two = await withRoles({ admin: ['find.joe'] })
    assert.deepEqual(await fixture.store.rolesOfMember('find.joe'), [
      { domain: one, collection: 'readers', member: 'find.joe' },
      { domain: one, collection: 'writers', member: 'find.joe' },
      { domain: two, collection: 'admin', member: 'find.joe' },
    ])
    assert.deepEqual(await fixture.store.groupsOfMember('find.joe'), [
      { domain: one, collection: 'team', member: 'find.joe' },
    ])
    assert.deepEqual(await roles('find.jane'), [`${one}:readers`])
    for (const name of ['find.jo', 'find.joe2', 'find.%', 'find.*', 'user.find.joe']) {
      assert.deepEqual([await roles(name), await groups(name)], [[], []], name)
    }
  })

  test('follows every change of members, roles, groups and domains', async () => {
    const one = await withRoles({ readers: ['follow.joe'], writers: [] }, { team: [] })
    const add = (role: string) =>
      ({ kind: 'putRoleMember', domain: one, role, value: { memberName: 'follow.joe' } }) as const
    await fixture.commit([one], add('readers'), add('writers'), {
      kind: 'putGroupMember',
      domain: one,
      group: 'team',
      value: { memberName: 'follow.joe' },
    })
    assert.deepEqual(await roles('follow.joe'), [`${one}:readers`, `${one}:writers`])
    assert.deepEqual(await groups('follow.joe'), [`${one}:team`])
    await fixture.commit([one], { kind: 'deleteRoleMember', domain: one, role: 'readers', member: 'follow.joe' })
    await fixture.commit([one], { kind: 'deleteRoleMember', domain: one, role: 'readers', member: 'follow.joe' })
    assert.deepEqual(await roles('follow.joe'), [`${one}:writers`])
    await fixture.commit([one], { kind: 'putRole', domain: one, value: { name: 'writers', modified: 0, created: 0 } })
    assert.deepEqual(await roles('follow.joe'), [`${one}:writers`])
    await fixture.commit([one], { kind: 'deleteRole', domain: one, role: 'writers' })
    assert.deepEqual(await roles('follow.joe'), [])
    assert.deepEqual(await groups('follow.joe'), [`${one}:team`])
    await fixture.commit([one], { kind: 'deleteGroup', domain: one, group: 'team' })
    assert.deepEqual(await groups('follow.joe'), [])
    const two = await withRoles({ readers: ['follow.joe'] }, { team: ['follow.joe'] })
    await fixture.commit([two], { kind: 'deleteDomain', domain: two })
    assert.deepEqual([await roles('follow.joe'), await groups('follow.joe')], [[], []])
  })

  test('finds expired and disabled memberships too, and no requested ones', async () => {
    const name = await withRoles({
      readers: [
        { memberName: 'state.expired', expiration: Date.UTC(2020, 0, 1) },
        { memberName: 'state.disabled', systemDisabled: 4 },
      ],
    })
    await fixture.commit([name], {
      kind: 'putPendingRoleMember',
      domain: name,
      role: 'readers',
      value: fullPendingRoleMember('state.pending'),
    })
    assert.deepEqual(await roles('state.expired'), [`${name}:readers`])
    assert.deepEqual(await roles('state.disabled'), [`${name}:readers`])
    assert.deepEqual(await roles('state.pending'), [])
  })

  test('finds the roles that a domain is trusted with', async () => {
    const name = await withRoles({ b: [], a: [], c: [] })
    const other = await withRoles({ a: [] })
    const trust = (domain: string, role: string, to?: string) =>
      fixture.commit([domain], {
        kind: 'putRole',
        domain,
        value: { name: role, modified: 0, created: 0, ...(to !== undefined && { trust: to }) },
      })
    await trust(name, 'b', 'trusted')
    await trust(name, 'a', 'trusted')
    await trust(name, 'c', 'trusted.not')
    await trust(other, 'a', 'trusted')
    assert.deepEqual(await fixture.store.rolesTrusting('trusted'), [
      { domain: name, role: 'a' },
      { domain: name, role: 'b' },
      { domain: other, role: 'a' },
    ])
    await trust(name, 'a')
    await trust(name, 'b', 'trusted.other')
    await fixture.commit([other], { kind: 'deleteRole', domain: other, role: 'a' })
    assert.deepEqual(await fixture.store.rolesTrusting('trusted'), [])
    assert.deepEqual(await fixture.store.rolesTrusting('trusted.other'), [{ domain: name, role: 'b' }])
  })

  test('finds wildcard memberships', async () => {
    const one = await withRoles({ b: ['*', 'user.x'], a: ['wild.*', 'user.*'] })
    const two = await withRoles({ a: ['wild.*'] }, { team: ['wild.x'] })
    const own = async () =>
      (await fixture.store.wildcardMemberships())
        .filter(({ domain }) => domain === one || domain === two)
        .map(({ domain, collection, member }) => `${domain}:${collection} ${member}`)
    assert.deepEqual(await own(), [`${one}:a user.*`, `${one}:a wild.*`, `${one}:b *`, `${two}:a wild.*`])
    await fixture.commit([one], { kind: 'deleteRole', domain: one, role: 'a' })
    assert.deepEqual(await own(), [`${one}:b *`, `${two}:a wild.*`])
  })

  test('tells in which domains memberships are requested', async () => {
    const [one, two] = [await withRoles({ readers: [] }, { team: [] }), await withRoles({ readers: [] }, { team: [] })]
    for (const domain of [two, one]) {
      await fixture.commit([domain], {
        kind: 'putPendingRoleMember',
        domain,
        role: 'readers',
        value: fullPendingRoleMember('user.joe'),
      })
    }
    await fixture.commit([two], {
      kind: 'putPendingGroupMember',
      domain: two,
      group: 'team',
      value: fullPendingGroupMember('user.joe'),
    })
    const { store } = fixture
    const own = (found: readonly string[]) => found.filter((name) => name === one || name === two)
    assert.deepEqual(own(await store.domainsWithPendingRoleMembers()), [one, two])
    assert.deepEqual(await store.domainsWithPendingRoleMembers(two), [two])
    assert.deepEqual(await store.domainsWithPendingRoleMembers('nowhere'), [])
    assert.deepEqual(own(await store.domainsWithPendingGroupMembers()), [two])
    assert.deepEqual(await store.domainsWithPendingGroupMembers(one), [])
    await fixture.commit([two], {
      kind: 'deletePendingRoleMember',
      domain: two,
      role: 'readers',
      member: 'user.joe',
    })
    assert.deepEqual(own(await store.domainsWithPendingRoleMembers()), [one])
  })

  test('finds expired memberships', async () => {
    // Before everything that other tests have.
    const at = Date.UTC(2001, 5, 1)
    const name = await withRoles({
      readers: [expiring('exp.old', at - 1000), expiring('exp.now', at), expiring('exp.later', at + 1000), 'exp.never'],
      writers: [expiring('exp.old', at - 2000)],
    })
    await fixture.commit(
      [name],
      { kind: 'putGroup', domain: name, value: { name: 'team', modified: 0, created: 0 } },
      { kind: 'putGroupMember', domain: name, group: 'team', value: expiring('exp.group', at - 1000) },
    )
    assert.deepEqual(sorted(await fixture.store.expiredRoleMembers(at, 10)), [
      { domain: name, collection: 'readers', member: 'exp.old', expiration: at - 1000 },
      { domain: name, collection: 'writers', member: 'exp.old', expiration: at - 2000 },
    ])
    assert.equal((await fixture.store.expiredRoleMembers(at, 1)).length, 1)
    assert.deepEqual(await fixture.store.expiredGroupMembers(at, 10), [
      { domain: name, collection: 'team', member: 'exp.group', expiration: at - 1000 },
    ])
    assert.deepEqual(await fixture.store.expiredGroupMembers(at - 1000, 10), [])
  })
}

const expiring = (memberName: string, expiration: number) => ({ memberName, expiration })
const sorted = <T extends { collection: string }>(found: readonly T[]) =>
  found.toSorted((a, b) => (a.collection < b.collection ? -1 : 1))
