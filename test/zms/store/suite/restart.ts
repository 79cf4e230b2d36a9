import assert from 'node:assert/strict'
import { test } from 'node:test'
import { everything } from './everything.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { assertionOn, emptyDomain, fullDomain } from './samples.ts'

export function restartTests(open: OpenStore): void {
  const fixture = new Fixture(open)

  test('keeps everything', async () => {
    const names = ['again.a', 'again.b', 'again.c', 'again.d']
    for (const name of names)
      await fixture.commit([name], { kind: 'createDomain', domain: name, value: fullDomain(name) })
    const entry = { admin: 'user.admin', member: 'user.joe', created: 1_800_000_000_000, action: 'ADD' } as const
    await fixture.commit(
      names,
      { kind: 'addRoleAudit', domain: 'again.a', role: 'readers', value: entry },
      { kind: 'addGroupAudit', domain: 'again.b', group: 'team', value: { ...entry, auditRef: 'ticket' } },
      { kind: 'deleteRoleMember', domain: 'again.a', role: 'readers', member: 'user.joe' },
      { kind: 'deleteDomain', domain: 'again.c' },
      { kind: 'putPrincipal', principal: 'user.held', suspended: 4 },
      { kind: 'putPrincipal', principal: 'user.forgotten', suspended: 2 },
      { kind: 'putDependency', dependentDomain: 'again.a', service: 'provider.api' },
    )
    await fixture.commit([], { kind: 'deletePrincipal', principal: 'user.forgotten' })
    const before = await everything(fixture.store, 'again')
    await fixture.reopen()
    assert.deepEqual(await everything(fixture.store, 'again'), before)
    await fixture.reopen()
    assert.deepEqual(await everything(fixture.store, 'again'), before)
  })

  test('goes on where it was', async () => {
    const name = await fixture.create(fullDomain)
    const ids = async () =>
      [...((await fixture.read(name)).policies.get('read')?.get('0')?.assertions.keys() ?? [])].sort((a, b) => a - b)
    const { modified } = await fixture.read(name)
    const given = await ids()
    await fixture.reopen()
    const place = { domain: name, policy: 'read', version: '0' }
    await fixture.commit(
      [name],
      { kind: 'deleteAssertion', ...place, id: given.at(-1) as number },
      { kind: 'putAssertion', ...place, value: assertionOn(`${name}:later`) },
      { kind: 'putRoleMember', domain: name, role: 'readers', value: { memberName: 'user.later' } },
    )
    const after = await fixture.read(name)
    assert.ok(after.modified > modified)
    assert.ok(((await ids()).at(-1) as number) > (given.at(-1) as number))
    assert.ok(after.roles.get('readers')?.members.has('user.later'))
    assert.equal(after.roles.get('readers')?.members.size, 5)
  })

  test('does not stamp earlier than before, even when everything was deleted', async () => {
    const name = await fixture.create(emptyDomain)
    for (let index = 0; index < 5; index++) await fixture.commit([name], { kind: 'touchDomain', domain: name })
    const { modified } = await fixture.read(name)
    await fixture.commit([name], { kind: 'deleteDomain', domain: name })
    await fixture.reopen()
    await fixture.commit([name], { kind: 'createDomain', domain: name, value: emptyDomain(name) })
    assert.ok((await fixture.read(name)).modified > modified)
  })
}
