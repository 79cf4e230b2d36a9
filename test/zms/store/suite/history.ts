import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemberAudit } from '#zms/store/model.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { domainWith, groupWith, roleWith } from './samples.ts'

const entry = (member: string, seconds: number, action: MemberAudit['action'] = 'ADD'): MemberAudit => ({
  admin: 'user.admin',
  member,
  created: 1_800_000_000_000 + seconds * 1000,
  action,
  auditRef: `because of ${member} "…" \\ ünï`,
})

export function historyTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  const create = () =>
    fixture.create((own) =>
      domainWith(own, {
        roles: [roleWith('readers'), roleWith('readers2')],
        groups: [groupWith('readers'), groupWith('readers2')],
      }),
    )
  const roleAudit = (domain: string, role = 'readers') => fixture.store.roleAudit(domain, role)
  const addRole = (domain: string, value: MemberAudit, role = 'readers') =>
    fixture.commit([domain], { kind: 'addRoleAudit', domain, role, value })
  const addGroup = (domain: string, value: MemberAudit, group = 'readers') =>
    fixture.commit([domain], { kind: 'addGroupAudit', domain, group, value })

  test('is empty at first, and where there is no such role, group or domain', async () => {
    const domain = await create()
    assert.deepEqual(await roleAudit(domain), [])
    assert.deepEqual(await roleAudit(domain, 'nothing'), [])
    assert.deepEqual(await fixture.store.groupAudit('nowhere', 'readers'), [])
  })

  test('keeps all of each entry in the order they were added, by role and by group', async () => {
    const domain = await create()
    const entries = [entry('user.a', 3), entry('user.b', 1, 'DELETE'), { ...entry('user.a', 2, 'APPROVE') }]
    delete entries[2]?.auditRef
    for (const each of entries) await addRole(domain, each)
    await addGroup(domain, entry('user.g', 5, 'REJECT'))
    await addRole(domain, entry('user.other', 6), 'readers2')
    assert.deepEqual(await roleAudit(domain), entries)
    assert.deepEqual(await fixture.store.groupAudit(domain, 'readers'), [entry('user.g', 5, 'REJECT')])
    assert.deepEqual(await roleAudit(domain, 'readers2'), [entry('user.other', 6)])
  })

  test('is told of a whole domain, newest first, a part at a time, and by names', async () => {
    const domain = await create()
    await addRole(domain, entry('user.a', 1))
    await addGroup(domain, entry('user.b', 2))
    await addRole(domain, entry('user.c', 3), 'readers2')
    await addGroup(domain, entry('user.Dee', 4), 'readers2')
    await addRole(domain, entry('user.e', 4))
    const { store } = fixture
    const told = (entries: Awaited<ReturnType<typeof store.domainHistory>>) =>
      entries.map(({ kind, collection, member }) => `${kind} ${collection} ${member}`)
    const all = await store.domainHistory({ domain, limit: 10 })
    assert.deepEqual(told(all), [
      'role readers user.e',
      'group readers2 user.Dee',
      'role readers2 user.c',
      'group readers user.b',
      'role readers user.a',
    ])
    const { kind: _, collection: __, place: ___, ...first } = all[0] as (typeof all)[number]
    assert.deepEqual(first, entry('user.e', 4))
    assert.deepEqual(told(await store.domainHistory({ domain, limit: 2 })), told(all.slice(0, 2)))
    const before = { role: all[2]?.place as number, group: all[1]?.place as number }
    assert.deepEqual(told(await store.domainHistory({ domain, limit: 2, before })), told(all.slice(3)))
    assert.deepEqual(
      told(await store.domainHistory({ domain, limit: 2, before: { role: before.role } })),
      told([all[1], all[3]].map((each) => each as (typeof all)[number])),
    )
    assert.deepEqual(told(await store.domainHistory({ domain, limit: 9, filter: 'R.dE' })), ['group readers2 user.Dee'])
    assert.equal((await store.domainHistory({ domain, limit: 9, filter: 'user.admin' })).length, 5)
    assert.deepEqual(await store.domainHistory({ domain, limit: 9, filter: '%' }), [])
    assert.deepEqual(await store.domainHistory({ domain: 'nowhere', limit: 9 }), [])
    const readers = { kind: 'role', collection: 'readers' } as const
    const [newest, , , , oldest] = all as [(typeof all)[0], unknown, unknown, unknown, (typeof all)[0]]
    assert.deepEqual(told(await store.domainHistory({ domain, of: readers, limit: 9 })), told([newest, oldest]))
    assert.deepEqual(told(await store.domainHistory({ domain, of: readers, limit: 1 })), told([newest]))
    const older = { domain, of: readers, limit: 9, before: { role: newest.place } }
    assert.deepEqual(told(await store.domainHistory(older)), told([oldest]))
    assert.deepEqual(told(await store.domainHistory({ ...older, filter: 'USER.e' })), [])
    const team = { kind: 'group', collection: 'readers2' } as const
    assert.deepEqual(told(await store.domainHistory({ domain, of: team, limit: 9 })), ['group readers2 user.Dee'])
    await fixture.commit([domain], { kind: 'deleteRole', domain, role: 'readers' })
    assert.deepEqual(told(await store.domainHistory({ domain, limit: 10 })), told(all.slice(1, 4)))
    assert.deepEqual(await store.domainHistory({ domain, of: readers, limit: 9 }), [])
  })

  test('keeps equal entries apart', async () => {
    const domain = await create()
    const same = entry('user.a', 1)
    await fixture.commit(
      [domain],
      { kind: 'addRoleAudit', domain, role: 'readers', value: same },
      { kind: 'addRoleAudit', domain, role: 'readers', value: same },
    )
    assert.deepEqual(await roleAudit(domain), [same, same])
  })

  test('ends with its role or group, and does not come back with a new one of the same name', async () => {
    const domain = await create()
    await addRole(domain, entry('user.a', 1))
    await addGroup(domain, entry('user.g', 1))
    await fixture.commit(
      [domain],
      { kind: 'deleteRole', domain, role: 'readers' },
      { kind: 'putRole', domain, value: { name: 'readers', modified: 0, created: 0 } },
      { kind: 'addRoleAudit', domain, role: 'readers', value: entry('user.b', 2) },
    )
    assert.deepEqual(await roleAudit(domain), [entry('user.b', 2)])
    assert.deepEqual(await fixture.store.groupAudit(domain, 'readers'), [entry('user.g', 1)])
    await fixture.commit([domain], { kind: 'deleteGroup', domain, group: 'readers' })
    assert.deepEqual(await fixture.store.groupAudit(domain, 'readers'), [])
  })

  test('ends with the domain', async () => {
    const domain = await create()
    await addRole(domain, entry('user.a', 1))
    await fixture.commit([domain], { kind: 'deleteDomain', domain })
    assert.deepEqual(await roleAudit(domain), [])
    const value = domainWith(domain, { roles: [roleWith('readers')] })
    await fixture.commit([domain], { kind: 'createDomain', domain, value })
    assert.deepEqual(await roleAudit(domain), [])
  })

  test('stays when settings and members of the role change', async () => {
    const domain = await create()
    await addRole(domain, entry('user.a', 1))
    await fixture.commit(
      [domain],
      { kind: 'putRole', domain, value: { name: 'readers', modified: 0, created: 0, selfServe: true } },
      { kind: 'putRoleMember', domain, role: 'readers', value: { memberName: 'user.a' } },
      { kind: 'deleteRoleMember', domain, role: 'readers', member: 'user.a' },
    )
    assert.deepEqual(await roleAudit(domain), [entry('user.a', 1)])
  })

  test('of a role that is not there is not kept', async () => {
    const domain = await create()
    await addRole(domain, entry('user.a', 1), 'later')
    await fixture.commit([domain], {
      kind: 'putRole',
      domain,
      value: { name: 'later', modified: 0, created: 0 },
    })
    assert.deepEqual(await roleAudit(domain, 'later'), [])
  })
}
