import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { dependencyService } from '#zms/service/dependency.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, policy, role, service } from './objects.ts'

const services = [dependencyService]
const zms = await Harness.open({ services })

const SPORTS = '/dependency/domain/sports'
const put = (body: unknown, options?: object) => zms.put(SPORTS, body, options)
const remove = (name: string, options?: object) => zms.delete(`${SPORTS}/service/${name}`, options)
const notProvider = (name: string) => refusal(401, `${name} is not an authorized service provider`)

beforeEach(async () => {
  await zms.createDomain('media')
  await zms.createDomain('sports')
  await zms.createDomain('sports.api')
  await commit(
    zms,
    ...service('media', 'storage'),
    ...role('sys.auth', 'service_providers', ['media.storage', 'media.queue']),
  )
  await zms.store.transact(['sports'], async (transaction) => {
    for (const domain of ['sports', 'sports.api']) {
      for (const dependency of await transaction.queries.dependentServices(domain)) {
        transaction.apply({ kind: 'deleteDependency', dependentDomain: domain, service: dependency })
      }
    }
  })
})

describe('noting a dependency', () => {
  test('is up to the provider itself, whatever the body says', async () => {
    assert.deepEqual(await put({ service: 'ignored' }, { as: 'media.storage' }), NOTHING)
    assert.deepEqual(await put({}, { as: 'media.queue' }), NOTHING)
    assert.deepEqual((await zms.get(SPORTS)).body, { names: ['media.queue', 'media.storage'] })
    assert.deepEqual((await zms.get('/dependency/service/media.storage')).body, { names: ['sports'] })
  })

  test('is up to system administrators for any provider', async () => {
    assert.deepEqual(await put({ service: 'Media.Storage' }), NOTHING)
    assert.deepEqual(await put({ service: 'media.storage' }), refusal(400, 'Entry already exists'))
    assert.deepEqual(await put({}), refusal(400, 'service is mandatory'))
    assert.deepEqual(await put({ service: '' }), refusal(400, 'service is mandatory'))
    assert.deepEqual(await put({ service: 'media.other' }), notProvider('media.other'))
    assert.deepEqual(await put({ service: 'b d' }), notProvider('b d'))
  })

  test('is up to services that may create domains, too', async () => {
    await commit(
      zms,
      ...role('sys.auth', 'makers', ['ops.robot']),
      ...policy('sys.auth', 'makers', [{ role: 'makers', resource: 'sys.auth:domain', action: 'create' }]),
    )
    assert.deepEqual(await put({ service: 'media.storage' }, { as: 'ops.robot' }), NOTHING)
    assert.deepEqual(await put({}, { as: 'ops.robot' }), refusal(400, 'service is mandatory'))
    assert.deepEqual(await remove('media.storage', { as: 'ops.robot' }), NOTHING)
  })

  test('is refused to everybody else, before it matters whether the domain exists', async () => {
    assert.deepEqual(await put({ service: 'media.storage' }, { as: 'user.owner' }), notProvider('user.owner'))
    assert.deepEqual(await put({}, { as: 'media.other' }), notProvider('media.other'))
    assert.deepEqual(await zms.put('/dependency/domain/none', { service: 'x.y' }), notProvider('x.y'))
    assert.deepEqual(
      await zms.put('/dependency/domain/none', { service: 'media.storage' }),
      refusal(404, 'putdomaindependency: Unknown domain: none'),
    )
  })

  test('is refused for a name that is none, after who may not', async () => {
    const bad = (as?: string) => zms.put('/dependency/domain/b!d', { service: 'media.storage' }, as ? { as } : {})
    const invalid = refusal(400, 'Invalid DomainName error: not a valid DomainName')
    assert.deepEqual(await bad(), invalid)
    assert.deepEqual(await bad('user.owner'), notProvider('user.owner'))
    assert.deepEqual(await zms.delete('/dependency/domain/b!d/service/media.storage'), invalid)
    assert.deepEqual(await zms.delete('/dependency/domain/b!d/service/b!d'), notProvider('b!d'))
  })

  test('needs an audit reference where domains do', async () => {
    const audited = await Harness.open({ services, properties: { audit_ref_check_objects: 'domain' } })
    await audited.createDomain('sports', { auditEnabled: true })
    await commit(audited, ...role('sys.auth', 'service_providers', ['media.storage']))
    const needed = 'putdomaindependency: Audit reference required for domain: sports'
    assert.deepEqual(await audited.put(SPORTS, { service: 'media.storage' }), refusal(400, needed))
  })

  test('is refused to a service that may not act so for users', async () => {
    const principal = { authorizedService: 'media.ui' }
    const unauthorized = refusal(403, 'Unauthorized Service media.ui')
    assert.deepEqual(await put({ service: 'media.storage' }, { principal }), unauthorized)
    assert.deepEqual(await remove('media.storage', { principal }), unauthorized)
  })
})

describe('ending a dependency', () => {
  test('is up to the provider and to system administrators', async () => {
    await put({}, { as: 'media.storage' })
    await put({}, { as: 'media.queue' })
    assert.deepEqual(await remove('media.queue', { as: 'media.storage' }), NOTHING)
    assert.deepEqual((await zms.get(SPORTS)).body, { names: ['media.queue'] })
    assert.deepEqual(await remove('MEDIA.queue'), NOTHING)
    assert.deepEqual((await zms.get(SPORTS)).body, { names: [] })
  })

  test('fails where there is none', async () => {
    assert.deepEqual(
      await remove('media.storage'),
      refusal(400, 'unable to delete dependency on domain sports for service media.storage'),
    )
    assert.deepEqual(await remove('media.other'), notProvider('media.other'))
    assert.deepEqual(await remove('media.storage', { as: 'user.owner' }), notProvider('user.owner'))
    assert.deepEqual(
      await zms.delete('/dependency/domain/none/service/media.storage'),
      refusal(404, 'deletedomaindependency: Unknown domain: none'),
    )
  })
})

describe('reading dependencies', () => {
  test('is up to everybody', async () => {
    await put({ service: 'media.storage' })
    const eve = { as: 'user.eve' }
    assert.deepEqual((await zms.get(SPORTS, eve)).body, { names: ['media.storage'] })
    assert.deepEqual((await zms.get('/dependency/service/media.queue', eve)).body, { names: [] })
  })

  test('knows what it does not know', async () => {
    assert.deepEqual(await zms.get('/dependency/domain/none'), refusal(404, 'No such domain: none'))
    assert.deepEqual((await zms.get('/dependency/domain/none/resourceGroup')).body, { serviceAndResourceGroups: [] })
    assert.deepEqual(
      await zms.get('/dependency/service/media.other'),
      refusal(400, 'media.other is not a registered service provider'),
    )
  })

  test('names the resource groups that a provider has delegated to the domain', async () => {
    await put({ service: 'media.storage' })
    await put({ service: 'media.queue' })
    await commit(
      zms,
      ...role('media', 'storage.tenant.sports.res_group.b.x.reader', [], { trust: 'sports' }),
      ...role('media', 'storage.tenant.sports.res_group.a.reader', [], { trust: 'sports' }),
      ...role('media', 'storage.tenant.sports.admin', [], { trust: 'sports' }),
      ...role('media', 'storage.tenant.sports.res_group.c.reader', [], { trust: 'other' }),
      ...role('media', 'storage.tenant.sports.res_group.d.reader', ['user.alice']),
      ...role('media', 'queue.tenant.other.res_group.a.reader', [], { trust: 'sports' }),
    )
    assert.deepEqual((await zms.get(`${SPORTS}/resourceGroup`)).body, {
      serviceAndResourceGroups: [
        { service: 'media.queue', domain: 'sports' },
        {
          service: 'media.storage',
          domain: 'sports',
          resourceGroups: ['storage.tenant.sports.res_group.a.reader', 'storage.tenant.sports.res_group.b.x.reader'],
        },
      ],
    })
  })

  test('survives a provider whose domain is gone', async () => {
    await commit(zms, ...role('sys.auth', 'service_providers', ['gone.api']))
    await put({ service: 'gone.api' })
    assert.deepEqual((await zms.get(`${SPORTS}/resourceGroup`)).body, {
      serviceAndResourceGroups: [{ service: 'gone.api', domain: 'sports' }],
    })
  })
})
