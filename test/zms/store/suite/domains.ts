import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plain } from '../../../support/plain.ts'
import { Fixture, failure, type OpenStore } from './fixture.ts'
import { allSettings, domainWith, emptyDomain, fullDomain, groupWith, plainSettings, roleWith } from './samples.ts'
import { unstamped } from './unstamped.ts'

export function domainTests(open: OpenStore): void {
  const fixture = new Fixture(open)

  test('does not know a domain that was never created', async () => {
    assert.equal(await fixture.store.domain('nowhere'), undefined)
  })

  test('keeps a new domain with everything in it', async () => {
    const name = await fixture.create(fullDomain)
    assert.deepEqual(unstamped(await fixture.read(name)), unstamped(fullDomain(name)))
  })

  test('keeps a new domain that holds nothing', async () => {
    const name = await fixture.create(emptyDomain)
    assert.deepEqual(unstamped(await fixture.read(name)), unstamped(emptyDomain(name)))
  })

  test('gives everything in a new domain the time of the transaction', async () => {
    const before = Date.now()
    const name = await fixture.create(fullDomain)
    const domain = await fixture.read(name)
    assert.ok(Math.abs(domain.modified - before) < 60_000)
    const stamp = domain.created
    assert.ok(stamp <= domain.modified)
    const objects = [
      ...domain.roles.values(),
      ...domain.groups.values(),
      ...[...domain.policies.values()].flatMap((versions) => [...versions.values()]),
      ...domain.services.values(),
      ...domain.entities.values(),
    ]
    for (const { name: object, modified, created } of objects) {
      assert.deepEqual([object, modified, created], [object, stamp, stamp])
    }
  })

  test('refuses to create a domain that is there, and leaves it as it is', async () => {
    const name = await fixture.create(fullDomain)
    const before = plain(await fixture.read(name))
    await assert.rejects(
      fixture.commit([name], { kind: 'createDomain', domain: name, value: emptyDomain(name) }),
      failure('bad-request', 'Entry already exists'),
    )
    assert.deepEqual(plain(await fixture.read(name)), before)
  })

  test('refuses the second of two attempts to create a domain at the same time', async () => {
    const name = fixture.name()
    const outcomes = await Promise.allSettled(
      [1, 2].map(() => fixture.commit([name], { kind: 'createDomain', domain: name, value: fullDomain(name) })),
    )
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    failure('bad-request', 'Entry already exists')(refused?.reason)
    assert.deepEqual(unstamped(await fixture.read(name)), unstamped(fullDomain(name)))
  })

  test('replaces all settings and keeps what the domain holds', async () => {
    const name = await fixture.create(fullDomain)
    const { created } = await fixture.read(name)
    await fixture.commit([name], { kind: 'putDomain', domain: name, value: plainSettings(name) })
    const bare = await fixture.read(name)
    const { roles, groups, policies, services, entities, templates, quota } = fullDomain(name)
    const holdings = { roles, groups, policies, services, entities, templates, quota }
    assert.deepEqual(unstamped(bare), unstamped({ ...plainSettings(name), ...holdings }))
    assert.equal(bare.created, created)
    await fixture.commit([name], { kind: 'putDomain', domain: name, value: allSettings(name) })
    const full = await fixture.read(name)
    assert.deepEqual(unstamped(full), unstamped(fullDomain(name)))
    assert.equal(full.created, created)
  })

  test('moves the modification time of a touched domain and of nothing in it', async () => {
    const name = await fixture.create(fullDomain)
    const before = await fixture.read(name)
    const [modified, content] = [before.modified, plain({ ...before, modified: 0 })]
    await fixture.commit([name], { kind: 'touchDomain', domain: name })
    const after = await fixture.read(name)
    assert.ok(after.modified > modified)
    assert.deepEqual(plain({ ...after, modified: 0 }), content)
  })

  test('deletes a domain with all it holds', async () => {
    const name = await fixture.create(fullDomain)
    await fixture.commit([name], { kind: 'deleteDomain', domain: name })
    assert.equal(await fixture.store.domain(name), undefined)
    assert.deepEqual(await fixture.store.domainNames({ prefix: name }), [])
    assert.deepEqual(await fixture.store.rolesOfMember(`${name}.api`), [])
    assert.deepEqual(await fixture.store.searchServices('api', { substring: false, domain: name, limit: 9 }), {
      names: [],
      total: 0,
    })
  })

  test('ignores changes of a domain that is not there', async () => {
    const name = fixture.name()
    await fixture.commit([name], { kind: 'deleteDomain', domain: name })
    await fixture.commit([name], { kind: 'touchDomain', domain: name })
    assert.equal(await fixture.store.domain(name), undefined)
  })

  test('begins anew when a deleted domain is created again', async () => {
    const name = await fixture.create(fullDomain)
    const { modified } = await fixture.read(name)
    await fixture.commit([name], { kind: 'deleteDomain', domain: name })
    await fixture.commit([name], { kind: 'createDomain', domain: name, value: emptyDomain(name) })
    const again = await fixture.read(name)
    assert.deepEqual(unstamped(again), unstamped(emptyDomain(name)))
    assert.ok(again.modified > modified)
  })

  test('deletes and creates a domain in one transaction', async () => {
    const name = await fixture.create(fullDomain)
    const value = domainWith(name, { roles: [roleWith('writers', ['user.joe'])], groups: [groupWith('team')] })
    await fixture.commit(
      [name],
      { kind: 'deleteDomain', domain: name },
      { kind: 'createDomain', domain: name, value },
      { kind: 'putEntity', domain: name, value: { name: 'added', value: '{}' } },
    )
    const domain = await fixture.read(name)
    assert.deepEqual([...domain.roles.keys()], ['writers'])
    assert.deepEqual([...domain.entities.keys()], ['added'])
    assert.deepEqual([...domain.policies.keys()], [])
  })

  test('gives several domains of one moment, without those that are not there', async () => {
    const [one, two] = [await fixture.create(fullDomain), await fixture.create(emptyDomain)]
    const found = await fixture.store.domains([two, 'nowhere', one])
    assert.deepEqual([...found.keys()].sort(), [one, two].sort())
    assert.deepEqual(plain(found.get(one)), plain(await fixture.read(one)))
    assert.equal((await fixture.store.domains([])).size, 0)
  })
}
