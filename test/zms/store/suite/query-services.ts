import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fixture, type OpenStore } from './fixture.ts'
import { domainWith, plainService } from './samples.ts'

export function serviceQueryTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  const withServices = (...names: string[]) =>
    fixture.create((own) => domainWith(own, { services: names.map(plainService) }))
  const search = (name: string, substring: boolean, domain?: string, limit = 100) =>
    fixture.store.searchServices(name, { substring, limit, ...(domain !== undefined && { domain }) })

  test('finds services by their name or a part of it', async () => {
    const one = await withServices('seek', 'seek-api', 'hide')
    const two = await withServices('seek', 'aseekb')
    assert.deepEqual(await search('seek', false), { names: [`${one}.seek`, `${two}.seek`], total: 2 })
    assert.deepEqual(await search('seek', true), {
      names: [`${one}.seek`, `${one}.seek-api`, `${two}.aseekb`, `${two}.seek`],
      total: 4,
    })
    assert.deepEqual(await search('seek', true, two), { names: [`${two}.aseekb`, `${two}.seek`], total: 2 })
    assert.deepEqual(await search('seek', true, 'nowhere'), { names: [], total: 0 })
    assert.deepEqual(await search('see', false), { names: [], total: 0 })
  })

  test('finds services in domains whose names begin with a text', async () => {
    const [one, two] = ['kin_a', 'kinxb'].map((stem) =>
      fixture.create((own) => domainWith(own, { services: [plainService('prefixed')] }), stem),
    )
    const names = [`${await one}.prefixed`, `${await two}.prefixed`]
    assert.deepEqual(await search('prefixed', false, 'kin'), { names, total: 2 })
    assert.deepEqual(await search('refix', true, 'kin', 1), { names: names.slice(0, 1), total: 2 })
    assert.deepEqual(await search('prefixed', false, 'kin_'), { names: names.slice(0, 1), total: 1 })
    assert.deepEqual(await search('prefixed', false, 'in'), { names: [], total: 0 })
  })

  test('takes no character of the text for a wildcard', async () => {
    const name = await withServices('part_one', 'part-one', 'partxone')
    assert.deepEqual(await search('part_one', true), { names: [`${name}.part_one`], total: 1 })
    assert.deepEqual(await search('t_o', true), { names: [`${name}.part_one`], total: 1 })
    assert.deepEqual(await search('%', true), { names: [], total: 0 })
    assert.deepEqual(await search('part*', false), { names: [], total: 0 })
  })

  test('gives at most as many names as asked for, and the number of all', async () => {
    const name = await withServices('many-c', 'many-a', 'many-d', 'many-b')
    assert.deepEqual(await search('many', true, undefined, 3), {
      names: [`${name}.many-a`, `${name}.many-b`, `${name}.many-c`],
      total: 4,
    })
  })

  test('finds the services on a host', async () => {
    const [one, two] = [await withServices('b', 'a'), await withServices('a')]
    const put = (domain: string, service: string, ...hosts: string[]) =>
      fixture.commit([domain], { kind: 'putHosts', domain, service, hosts: new Set(hosts) })
    await put(one, 'b', 'shared.example.com', 'own.example.com')
    await put(one, 'a', 'shared.example.com')
    await put(two, 'a', 'shared.example.com')
    assert.deepEqual(await fixture.store.servicesOnHost('shared.example.com'), [`${one}.a`, `${one}.b`, `${two}.a`])
    assert.deepEqual(await fixture.store.servicesOnHost('own.example.com'), [`${one}.b`])
    assert.deepEqual(await fixture.store.servicesOnHost('example.com'), [])
    await put(one, 'b')
    await fixture.commit([one], { kind: 'deleteService', domain: one, service: 'a' })
    assert.deepEqual(await fixture.store.servicesOnHost('shared.example.com'), [`${two}.a`])
    assert.deepEqual(await fixture.store.servicesOnHost('own.example.com'), [])
  })
}
