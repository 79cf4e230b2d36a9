import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plain } from '../../../support/plain.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { allServiceSettings, domainWith, emptyDomain, fullQuota, plainService } from './samples.ts'
import { unstamped } from './unstamped.ts'

export function serviceTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  const create = () =>
    fixture.create((own) => domainWith(own, { services: [plainService('api'), plainService('worker')] }))
  const read = async (domain: string, service = 'api') => {
    const found = (await fixture.read(domain)).services.get(service)
    assert.ok(found)
    return found
  }

  test('keeps the settings of a service', async () => {
    const domain = await create()
    await fixture.commit([domain], { kind: 'putService', domain, value: allServiceSettings('new') })
    assert.deepEqual(unstamped(await read(domain, 'new')), {
      ...(unstamped(allServiceSettings('new')) as object),
      publicKeys: {},
      hosts: [],
    })
  })

  test('keeps keys, hosts and the creation time when the settings of a service are replaced', async () => {
    const domain = await create()
    await fixture.commit(
      [domain],
      { kind: 'putPublicKey', domain, service: 'api', keyId: '0', key: 'key-0' },
      { kind: 'putHosts', domain, service: 'api', hosts: new Set(['host1']) },
    )
    const { created, modified } = await read(domain)
    await fixture.commit([domain], { kind: 'putService', domain, value: allServiceSettings('api') })
    await fixture.commit([domain], { kind: 'putService', domain, value: { name: 'api', modified: 0, created: 0 } })
    const after = await read(domain)
    assert.ok(after.modified > modified)
    assert.deepEqual(plain({ ...after, modified: 0 }), {
      name: 'api',
      created,
      modified: 0,
      publicKeys: { 0: 'key-0' },
      hosts: ['host1'],
    })
  })

  test('puts, replaces and deletes public keys of one service', async () => {
    const domain = await create()
    const keys = async (service = 'api') => plain((await read(domain, service)).publicKeys)
    const put = (keyId: string, key: string) =>
      fixture.commit([domain], { kind: 'putPublicKey', domain, service: 'api', keyId, key })
    await put('0', 'first')
    await put('v1.2_x', 'second')
    await put('0', 'third')
    assert.deepEqual(await keys(), { 0: 'third', 'v1.2_x': 'second' })
    assert.deepEqual(await keys('worker'), {})
    await fixture.commit([domain], { kind: 'deletePublicKey', domain, service: 'api', keyId: '0' })
    await fixture.commit([domain], { kind: 'deletePublicKey', domain, service: 'api', keyId: 'nothing' })
    assert.deepEqual(await keys(), { 'v1.2_x': 'second' })
  })

  test('replaces all hosts of a service', async () => {
    const domain = await create()
    const put = (...hosts: string[]) =>
      fixture.commit([domain], { kind: 'putHosts', domain, service: 'api', hosts: new Set(hosts) })
    await put('a.example.com', 'b.example.com')
    await put('b.example.com', 'c.example.com')
    assert.deepEqual([...(await read(domain)).hosts].sort(), ['b.example.com', 'c.example.com'])
    await put()
    assert.equal((await read(domain)).hosts.size, 0)
  })

  test('deletes a service with its keys and hosts', async () => {
    const domain = await create()
    await fixture.commit(
      [domain],
      { kind: 'putPublicKey', domain, service: 'api', keyId: '0', key: 'key-0' },
      { kind: 'putHosts', domain, service: 'api', hosts: new Set(['host1']) },
    )
    await fixture.commit([domain], { kind: 'deleteService', domain, service: 'api' })
    assert.deepEqual([...(await fixture.read(domain)).services.keys()], ['worker'])
    await fixture.commit([domain], { kind: 'putService', domain, value: { name: 'api', modified: 0, created: 0 } })
    const { publicKeys, hosts } = await read(domain)
    assert.deepEqual([publicKeys.size, hosts.size], [0, 0])
  })

  test('moves the time of a service with changes of its keys and hosts', async () => {
    const domain = await create()
    const other = (await read(domain, 'worker')).modified
    for (const change of [
      { kind: 'putPublicKey', domain, service: 'api', keyId: '0', key: 'key-0' },
      { kind: 'putHosts', domain, service: 'api', hosts: new Set(['host1']) },
      { kind: 'deletePublicKey', domain, service: 'api', keyId: '0' },
    ] as const) {
      const before = (await read(domain)).modified
      await fixture.commit([domain], change)
      const after = await read(domain)
      assert.ok(after.modified > before, change.kind)
      assert.ok(after.modified <= (await fixture.read(domain)).modified, change.kind)
    }
    assert.equal((await read(domain, 'worker')).modified, other)
  })

  test('ignores parts of a service that is not there', async () => {
    const domain = await create()
    await fixture.commit(
      [domain],
      { kind: 'putPublicKey', domain, service: 'nothing', keyId: '0', key: 'key-0' },
      { kind: 'deletePublicKey', domain, service: 'nothing', keyId: '0' },
      { kind: 'putHosts', domain, service: 'nothing', hosts: new Set(['host1']) },
      { kind: 'deleteService', domain, service: 'nothing' },
    )
    assert.deepEqual([...(await fixture.read(domain)).services.keys()].sort(), ['api', 'worker'])
  })

  test('puts, replaces and deletes entities', async () => {
    const domain = await fixture.create(emptyDomain)
    const put = (name: string, value: string) =>
      fixture.commit([domain], { kind: 'putEntity', domain, value: { name, value } })
    await put('a', '{"x":1}')
    await put('b', '{}')
    const { created, modified } = (await fixture.read(domain)).entities.get('a') ?? { created: 0, modified: 0 }
    await put('a', '{"y":[null,"é"]}')
    const entities = (await fixture.read(domain)).entities
    assert.deepEqual([...entities.keys()].sort(), ['a', 'b'])
    assert.equal(entities.get('a')?.value, '{"y":[null,"é"]}')
    assert.equal(entities.get('a')?.created, created)
    assert.ok((entities.get('a')?.modified ?? 0) > modified)
    await fixture.commit([domain], { kind: 'deleteEntity', domain, entity: 'a' })
    await fixture.commit([domain], { kind: 'deleteEntity', domain, entity: 'nothing' })
    assert.deepEqual([...(await fixture.read(domain)).entities.keys()], ['b'])
  })

  test('puts, replaces and deletes templates', async () => {
    const domain = await fixture.create(emptyDomain)
    const put = (template: string, version: number) =>
      fixture.commit([domain], { kind: 'putTemplate', domain, template, version })
    await put('vipng', 1)
    await put('platforms', 0)
    await put('vipng', 12)
    assert.deepEqual(plain((await fixture.read(domain)).templates), { platforms: 0, vipng: 12 })
    await fixture.commit([domain], { kind: 'deleteTemplate', domain, template: 'vipng' })
    await fixture.commit([domain], { kind: 'deleteTemplate', domain, template: 'nothing' })
    assert.deepEqual(plain((await fixture.read(domain)).templates), { platforms: 0 })
  })

  test('puts, replaces and deletes the quota', async () => {
    const domain = await fixture.create(emptyDomain)
    const quota = async () => {
      const { quota: found } = await fixture.read(domain)
      if (!found) return undefined
      const { modified, ...limits } = found
      assert.ok(Math.abs(modified - Date.now()) < 60_000)
      return limits
    }
    assert.equal(await quota(), undefined)
    await fixture.commit([domain], { kind: 'putQuota', domain, value: { ...fullQuota(), role: 1 } })
    await fixture.commit([domain], { kind: 'putQuota', domain, value: fullQuota() })
    assert.deepEqual(await quota(), fullQuota())
    await fixture.commit([domain], { kind: 'deleteQuota', domain })
    assert.equal(await quota(), undefined)
  })
}
