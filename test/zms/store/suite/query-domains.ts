import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Domain, DomainBase } from '#zms/store/model.ts'
import type { DomainListFilter } from '#zms/store/store.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { domainWith, emptyDomain, fullDomain, roleWith } from './samples.ts'

export function domainQueryTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  const put = (name: string, value: Domain = emptyDomain(name)) =>
    fixture.commit([name], { kind: 'createDomain', domain: name, value })
  const list = (filter: DomainListFilter) => fixture.store.domainNames(filter)
  const withSettings = (settings: Partial<DomainBase>, stem?: string) =>
    fixture.create((own) => ({ ...emptyDomain(own), ...settings }), stem)

  test('lists domains in the order of their code units', async () => {
    const names = [
      'list',
      'list-1',
      'list.a',
      'list.a-b',
      'list.a.b',
      'list.a_b',
      'list.ab',
      'list0',
      'list_x',
      'listen',
    ]
    for (const name of names.toReversed()) await put(name)
    assert.deepEqual(await fixture.store.domainNames({ prefix: 'list' }), names.toSorted())
    const all = await fixture.store.domainNames()
    assert.deepEqual(all, all.toSorted())
    assert.ok(names.every((name) => all.includes(name)))
  })

  test('filters the list by prefix, depth, place and number', async () => {
    const names = ['filter', 'filter.a', 'filter.a.b', 'filter.c', 'filters', 'filt', 'f_lter.x', 'f%lter']
    for (const name of names) await put(name)
    assert.deepEqual(await list({ prefix: 'filter' }), ['filter', 'filter.a', 'filter.a.b', 'filter.c', 'filters'])
    assert.deepEqual(await list({ prefix: 'filter.' }), ['filter.a', 'filter.a.b', 'filter.c'])
    assert.deepEqual(await list({ prefix: 'filter', depth: 0 }), ['filter', 'filters'])
    assert.deepEqual(await list({ prefix: 'filter', depth: 1 }), ['filter', 'filter.a', 'filter.c', 'filters'])
    assert.deepEqual(await list({ prefix: 'filter', after: 'filter.a' }), ['filter.a.b', 'filter.c', 'filters'])
    assert.deepEqual(await list({ prefix: 'filter', after: 'filter.b' }), ['filter.c', 'filters'])
    assert.deepEqual(await list({ prefix: 'filter', after: 'filter', limit: 2 }), ['filter.a', 'filter.a.b'])
    assert.deepEqual(await list({ prefix: 'filter', depth: 0, limit: 1, after: 'filter' }), ['filters'])
    assert.deepEqual(await list({ prefix: 'f_lter' }), ['f_lter.x'])
    assert.deepEqual(await list({ prefix: 'f%' }), ['f%lter'])
    assert.deepEqual(await list({ prefix: 'filterx' }), [])
  })

  test('filters the list by the time of modification', async () => {
    const names = [await fixture.create(emptyDomain, 'since'), await fixture.create(emptyDomain, 'since')]
    const first = (await fixture.read(names[0] as string)).modified
    const second = (await fixture.read(names[1] as string)).modified
    const since = (modifiedSince: number) => fixture.store.domainNames({ prefix: 'since', modifiedSince })
    assert.deepEqual(await since(first - 1), names)
    if (second > first) assert.deepEqual(await since(first), [names[1]])
    assert.deepEqual(await since(second), [])
    await fixture.commit([names[0] as string], { kind: 'touchDomain', domain: names[0] as string })
    assert.deepEqual(await since(second), [names[0]])
  })

  test('tells which domains were modified, oldest first', async () => {
    const names: string[] = []
    for (let index = 0; index < 4; index++) names.push(await fixture.create(emptyDomain, 'modified'))
    // Stamps differ within a domain only: what the first change has in common with the last domain, the second has not.
    for (const enabled of [true, false]) {
      await fixture.commit([names[1] as string], {
        kind: 'putDomain',
        domain: names[1] as string,
        value: { ...emptyDomain(names[1] as string), enabled },
      })
    }
    const all = await fixture.store.modifiedDomains(0)
    assert.deepEqual(
      all.map(({ modified }) => modified),
      all.map(({ modified }) => modified).toSorted((a, b) => a - b),
    )
    const own = all.filter(({ name }) => names.includes(name))
    assert.deepEqual(
      own.map(({ name, enabled }) => [name, enabled]),
      [0, 2, 3, 1].map((index) => [names[index], index !== 1]),
    )
    const newest = own.at(-1) as { modified: number }
    assert.deepEqual(await fixture.store.modifiedDomains(newest.modified), [
      { name: names[1], modified: (await fixture.read(names[1] as string)).modified, enabled: false },
    ])
    assert.deepEqual(await fixture.store.modifiedDomains(newest.modified + 1), [])
  })

  test('finds domains by an attribute', async () => {
    const attributes = {
      azureSubscription: 'sub-1',
      gcpProject: 'gcp-1',
      productId: 'prod-1',
      businessService: 'service one',
      ypmId: 815,
    } as const
    const [one, two] = [await withSettings(attributes, 'attribute'), await withSettings(attributes, 'attribute')]
    await withSettings({ ypmId: 816, productId: 'prod-10', businessService: 'service' })
    for (const [attribute, value] of Object.entries(attributes) as [keyof typeof attributes, string | number][]) {
      assert.deepEqual(await fixture.store.domainsByAttribute(attribute, value), [one, two], attribute)
      assert.deepEqual(await fixture.store.domainsByAttribute(attribute, attribute === 'ypmId' ? 999 : 'none'), [])
    }
    await fixture.commit([one], { kind: 'putDomain', domain: one, value: { ...emptyDomain(one), productId: 'prod-2' } })
    assert.deepEqual(await fixture.store.domainsByAttribute('productId', 'prod-1'), [two])
    assert.deepEqual(await fixture.store.domainsByAttribute('productId', 'PROD-1'), [two])
    assert.deepEqual(await fixture.store.domainsByAttribute('productId', 'prod-2'), [one])
  })

  test('finds a domain by any of its accounts', async () => {
    const name = await withSettings({ account: '111,222,333' })
    const other = await withSettings({ account: '2222' })
    for (const account of ['111', '222', '333']) {
      assert.deepEqual(await fixture.store.domainsByAttribute('account', account), [name])
    }
    assert.deepEqual(await fixture.store.domainsByAttribute('account', '2222'), [other])
    for (const account of ['11', '22', '111,222', '%', '_11']) {
      assert.deepEqual(await fixture.store.domainsByAttribute('account', account), [], account)
    }
  })

  test('finds domains by a tag', async () => {
    const one = await withSettings(tags(['tier', ['gold', 'silver']]))
    const two = await withSettings(tags(['tier', ['gold']], ['zone', ['a']]))
    await withSettings(tags(['Tier', ['gold']]))
    assert.deepEqual(await fixture.store.domainsByTag('tier'), [one, two])
    assert.deepEqual(await fixture.store.domainsByTag('tier', 'gold'), [one, two])
    assert.deepEqual(await fixture.store.domainsByTag('tier', 'silver'), [one])
    assert.deepEqual(await fixture.store.domainsByTag('tier', 'SILVER'), [one])
    assert.deepEqual(await fixture.store.domainsByTag('tier', 'gol'), [])
    assert.deepEqual(await fixture.store.domainsByTag('zone', 'gold'), [])
    await fixture.commit([one], { kind: 'putDomain', domain: one, value: emptyDomain(one) })
    assert.deepEqual(await fixture.store.domainsByTag('tier'), [two])
  })

  test('finds domains by a member, a role or both', async () => {
    const one = await fixture.create((own) =>
      domainWith(own, { roles: [roleWith('by-readers', ['by.joe']), roleWith('by-writers', ['by.jane'])] }),
    )
    const two = await fixture.create((own) => domainWith(own, { roles: [roleWith('by-readers', ['by.jane'])] }))
    const find = (member?: string, role?: string) => fixture.store.domainsByMember(member, role)
    assert.deepEqual(await find('by.jane'), [one, two])
    assert.deepEqual(await find('by.joe'), [one])
    assert.deepEqual(await find('by.nobody'), [])
    assert.deepEqual(await find(undefined, 'by-readers'), [one, two])
    assert.deepEqual(await find(undefined, 'by-writers'), [one])
    assert.deepEqual(await find('by.jane', 'by-readers'), [two])
    assert.deepEqual(await find('by.jane', 'by-writers'), [one])
    assert.deepEqual(await find('by.joe', 'by-writers'), [])
  })

  test('finds a domain whose name differs in dots and hyphens only', async () => {
    await put('similar.one-two')
    for (const name of ['similar.one-two', 'similar-one-two', 'similar.one.two', 'similar-one.two']) {
      assert.equal(await fixture.store.similarDomain(name), 'similar.one-two')
    }
    for (const name of ['similar_one-two', 'similar.one-tw', 'similar.one-twoo', 'similarxone-two', 'similar']) {
      assert.equal(await fixture.store.similarDomain(name), undefined, name)
    }
  })

  test('finds domains by a contact', async () => {
    const one = await withSettings(contacts(['owner', 'user.contact'], ['security', 'user.contact']))
    const two = await withSettings(contacts(['security', 'user.contact']))
    await withSettings(contacts(['owner', 'user.contact2']))
    assert.deepEqual(await fixture.store.domainsByContact('user.contact'), [one, two])
    assert.deepEqual(await fixture.store.domainsByContact('user.nobody'), [])
  })

  test('finds domains by an applied template', async () => {
    const [one, two] = [await fixture.create(emptyDomain), await fixture.create(emptyDomain)]
    await fixture.commit([one], { kind: 'putTemplate', domain: one, template: 'found', version: 3 })
    await fixture.commit([two], { kind: 'putTemplate', domain: two, template: 'found', version: 1 })
    await fixture.commit([two], { kind: 'putTemplate', domain: two, template: 'found2', version: 1 })
    assert.deepEqual(await fixture.store.domainsByTemplate('found'), [
      { name: one, version: 3 },
      { name: two, version: 1 },
    ])
    assert.deepEqual(await fixture.store.domainsByTemplate('unknown'), [])
  })

  test('counts all objects', async () => {
    const before = await fixture.store.totalCounts()
    const name = await fixture.create(fullDomain)
    const after = await fixture.store.totalCounts()
    const added = Object.fromEntries(
      Object.entries(after).map(([key, count]) => [key, count - before[key as keyof typeof before]]),
    )
    assert.deepEqual(added, {
      subdomain: 1,
      role: 2,
      roleMember: 5,
      policy: 3,
      assertion: 4,
      entity: 1,
      service: 2,
      serviceHost: 2,
      publicKey: 2,
      group: 2,
      groupMember: 2,
    })
    await fixture.commit([name], { kind: 'deleteDomain', domain: name })
    assert.deepEqual(await fixture.store.totalCounts(), before)
  })
}

const tags = (...pairs: [string, string[]][]) => ({ tags: new Map(pairs) })
const contacts = (...pairs: [string, string][]) => ({ contacts: new Map(pairs) })
