import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Change } from '#zms/store/change.ts'
import type { Domain, Group, Role } from '#zms/store/model.ts'
import { plain } from '../../../support/plain.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import {
  allGroupSettings,
  allRoleSettings,
  domainWith,
  fullGroupMember,
  fullPendingGroupMember,
  fullPendingRoleMember,
  fullRoleMember,
  groupWith,
  plainCollection,
  roleWith,
} from './samples.ts'

/** How roles and groups are changed; they behave alike. */
interface Collections {
  readonly kind: string
  of(domain: Domain): ReadonlyMap<string, Role | Group>
  readonly settings: (name: string) => object
  readonly member: (name: string) => { memberName: string }
  readonly pending: (name: string) => { memberName: string }
  put(domain: string, value: object): Change
  remove(domain: string, name: string): Change
  putMember(domain: string, name: string, value: object): Change
  removeMember(domain: string, name: string, member: string): Change
  putPending(domain: string, name: string, value: object): Change
  removePending(domain: string, name: string, member: string): Change
}

const ROLES: Collections = {
  kind: 'role',
  of: ({ roles }) => roles,
  settings: allRoleSettings,
  member: fullRoleMember,
  pending: fullPendingRoleMember,
  put: (domain, value) => ({ kind: 'putRole', domain, value: value as Role }),
  remove: (domain, role) => ({ kind: 'deleteRole', domain, role }),
  putMember: (domain, role, value) => ({ kind: 'putRoleMember', domain, role, value: value as never }),
  removeMember: (domain, role, member) => ({ kind: 'deleteRoleMember', domain, role, member }),
  putPending: (domain, role, value) => ({ kind: 'putPendingRoleMember', domain, role, value: value as never }),
  removePending: (domain, role, member) => ({ kind: 'deletePendingRoleMember', domain, role, member }),
}

const GROUPS: Collections = {
  kind: 'group',
  of: ({ groups }) => groups,
  settings: allGroupSettings,
  member: fullGroupMember,
  pending: fullPendingGroupMember,
  put: (domain, value) => ({ kind: 'putGroup', domain, value: value as Group }),
  remove: (domain, group) => ({ kind: 'deleteGroup', domain, group }),
  putMember: (domain, group, value) => ({ kind: 'putGroupMember', domain, group, value: value as never }),
  removeMember: (domain, group, member) => ({ kind: 'deleteGroupMember', domain, group, member }),
  putPending: (domain, group, value) => ({ kind: 'putPendingGroupMember', domain, group, value: value as never }),
  removePending: (domain, group, member) => ({ kind: 'deletePendingGroupMember', domain, group, member }),
}

export function memberTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  for (const collections of [ROLES, GROUPS])
    describe(`of a ${collections.kind}`, () => collectionTests(fixture, collections))

  test('a role and a group of one name are different things', async () => {
    const name = await fixture.create((own) =>
      domainWith(own, { roles: [roleWith('same', ['user.role'])], groups: [groupWith('same', ['user.group'])] }),
    )
    await fixture.commit([name], { kind: 'deleteRoleMember', domain: name, role: 'same', member: 'user.group' })
    await fixture.commit([name], { kind: 'deleteRole', domain: name, role: 'same' })
    const { roles, groups } = await fixture.read(name)
    assert.equal(roles.size, 0)
    assert.deepEqual(plain(groups.get('same')?.members), [{ memberName: 'user.group' }])
  })
}

function collectionTests(fixture: Fixture, on: Collections): void {
  const create = () =>
    fixture.create((own) =>
      domainWith(own, {
        roles: [roleWith('readers', ['user.joe', 'user.jane']), roleWith('others', ['user.joe'])],
        groups: [groupWith('readers', ['user.joe', 'user.jane']), groupWith('others', ['user.joe'])],
      }),
    )
  const read = async (domain: string, name = 'readers') => {
    const found = on.of(await fixture.read(domain)).get(name)
    assert.ok(found)
    return found
  }

  test('keeps its settings', async () => {
    const domain = await create()
    await fixture.commit([domain], on.put(domain, on.settings('writers')))
    const { members, pending, created, modified, ...settings } = await read(domain, 'writers')
    assert.deepEqual(plain({ ...settings, created: 0, modified: 0 }), plain(on.settings('writers')))
    assert.deepEqual([members.size, pending.size], [0, 0])
    assert.equal(created, modified)
    assert.ok(modified <= (await fixture.read(domain)).modified)
  })

  test('keeps its members and its creation time when its settings are replaced', async () => {
    const domain = await create()
    await fixture.commit([domain], on.putPending(domain, 'readers', on.pending('user.late')))
    const { created, modified } = await read(domain)
    await fixture.commit([domain], on.put(domain, on.settings('readers')))
    await fixture.commit([domain], on.put(domain, plainCollection('readers')))
    const after = await read(domain)
    assert.ok(after.modified > modified)
    assert.deepEqual(plain({ ...after, modified: 0 }), {
      name: 'readers',
      created,
      modified: 0,
      members: [{ memberName: 'user.jane' }, { memberName: 'user.joe' }],
      pending: { 'user.late': plain(on.pending('user.late')) },
    })
  })

  test('is deleted with its members and nothing else', async () => {
    const domain = await create()
    await fixture.commit([domain], on.remove(domain, 'readers'))
    assert.deepEqual([...on.of(await fixture.read(domain)).keys()], ['others'])
    assert.deepEqual(plain((await read(domain, 'others')).members), [{ memberName: 'user.joe' }])
    await fixture.commit([domain], on.put(domain, plainCollection('readers')))
    assert.equal((await read(domain)).members.size, 0)
  })

  test('keeps all of a membership', async () => {
    const domain = await create()
    await fixture.commit([domain], on.putMember(domain, 'readers', on.member('user.new')))
    assert.deepEqual(plain((await read(domain)).members.get('user.new')), plain(on.member('user.new')))
  })

  test('replaces a membership as a whole', async () => {
    const domain = await create()
    await fixture.commit([domain], on.putMember(domain, 'readers', on.member('user.joe')))
    assert.deepEqual(plain((await read(domain)).members.get('user.joe')), plain(on.member('user.joe')))
    await fixture.commit([domain], on.putMember(domain, 'readers', { memberName: 'user.joe' }))
    const { members } = await read(domain)
    assert.deepEqual(plain(members), [{ memberName: 'user.jane' }, { memberName: 'user.joe' }])
    assert.deepEqual(plain((await read(domain, 'others')).members), [{ memberName: 'user.joe' }])
  })

  test('removes a membership of this one only', async () => {
    const domain = await create()
    await fixture.commit([domain], on.removeMember(domain, 'readers', 'user.joe'))
    assert.deepEqual(plain((await read(domain)).members), [{ memberName: 'user.jane' }])
    assert.deepEqual(plain((await read(domain, 'others')).members), [{ memberName: 'user.joe' }])
  })

  test('keeps, replaces and removes a requested membership apart from the active ones', async () => {
    const domain = await create()
    await fixture.commit([domain], on.putPending(domain, 'readers', on.pending('user.joe')))
    const both = await read(domain)
    assert.deepEqual(plain(both.pending.get('user.joe')), plain(on.pending('user.joe')))
    assert.deepEqual(plain(both.members.get('user.joe')), { memberName: 'user.joe' })
    const bare = { memberName: 'user.joe', requestTime: 1_900_000_000_000, pendingState: 'ADD' }
    await fixture.commit([domain], on.putPending(domain, 'readers', bare))
    assert.deepEqual(plain((await read(domain)).pending), { 'user.joe': bare })
    await fixture.commit([domain], on.removePending(domain, 'readers', 'user.joe'))
    const after = await read(domain)
    assert.deepEqual([after.pending.size, after.members.size], [0, 2])
  })

  test('ignores members of one that is not there', async () => {
    const domain = await create()
    await fixture.commit([domain], on.putMember(domain, 'nothing', on.member('user.joe')))
    await fixture.commit([domain], on.removeMember(domain, 'nothing', 'user.joe'))
    await fixture.commit([domain], on.putPending(domain, 'nothing', on.pending('user.joe')))
    await fixture.commit([domain], on.removePending(domain, 'nothing', 'user.joe'))
    await fixture.commit([domain], on.remove(domain, 'nothing'))
    assert.deepEqual([...on.of(await fixture.read(domain)).keys()].sort(), ['others', 'readers'])
  })

  test('moves its own time and the domain’s with every change of a member, and no other', async () => {
    const domain = await create()
    const changes: Change[] = [
      on.putMember(domain, 'readers', on.member('user.new')),
      on.removeMember(domain, 'readers', 'user.new'),
      on.putPending(domain, 'readers', on.pending('user.new')),
      on.removePending(domain, 'readers', 'user.new'),
    ]
    for (const change of changes) {
      const former = (await fixture.read(domain)).modified
      const other = (await read(domain, 'others')).modified
      await fixture.commit([domain], change)
      const { modified } = await fixture.read(domain)
      assert.ok(modified > former, change.kind)
      const own = (await read(domain)).modified
      assert.ok(own > former && own <= modified, change.kind)
      assert.equal((await read(domain, 'others')).modified, other)
    }
  })

  test('takes thousands of members in one transaction', async () => {
    const domain = await create()
    const names = Array.from({ length: 3000 }, (_, index) => `user.member${index}`)
    await fixture.commit([domain], ...names.map((name) => on.putMember(domain, 'readers', { memberName: name })))
    assert.equal((await read(domain)).members.size, 3002)
    await fixture.commit([domain], ...names.slice(1000).map((name) => on.removeMember(domain, 'readers', name)))
    const { members } = await read(domain)
    assert.equal(members.size, 1002)
    assert.ok(members.get('user.member999'))
    assert.equal(members.get('user.member1000'), undefined)
  })
}
