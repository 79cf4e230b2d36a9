import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { domainService } from '#zms/service/domain.ts'
import type { DependencyAnswer, DependencyQuestion, ProviderClient } from '#zms/service/provider-client.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, policy, role, service } from './objects.ts'

/** A client that answers from memory. */
class FakeClient implements ProviderClient {
  readonly asked: { url: string; question: DependencyQuestion }[] = []
  readonly answers = new Map<string, DependencyAnswer>()

  ask(url: URL, question: DependencyQuestion): Promise<DependencyAnswer> {
    this.asked.push({ url: url.href, question })
    return Promise.resolve(this.answers.get(question.provider) ?? { allowed: true })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

const client = new FakeClient()
const zms = await Harness.open({ services: [domainService], providerClient: client })
const providers = zms.deps.serviceProviders

const ENDPOINT = 'https://media.example.com:4443/api'
/** Registers providers, by full name or as they stand in the role. */
const register = (...members: Parameters<typeof role>[2] & object) =>
  commit(
    zms,
    { kind: 'deleteRole', domain: 'sys.auth', role: 'service_providers' },
    ...role('sys.auth', 'service_providers', members),
  )

beforeEach(async () => {
  client.asked.length = 0
  client.answers.clear()
  await zms.createDomain('media')
  await zms.createDomain('sports')
  await commit(
    zms,
    ...service('media', 'storage', {}, { providerEndpoint: ENDPOINT }),
    ...service('media', 'queue', {}, { providerEndpoint: 'https://queue.example.com/' }),
    ...service('media', 'silent'),
  )
})

describe('the providers', () => {
  test('are the members of a role that count now, also by a group', async () => {
    const past = zms.clock.millis - 1000
    await commit(zms, ...group('media', 'all', ['media.queue', { memberName: 'media.old', expiration: past }]))
    await register(
      'media.storage',
      { memberName: 'media.gone', expiration: past },
      { memberName: 'media.bad', systemDisabled: 4 },
      { memberName: 'media.later', expiration: zms.clock.millis + 1000 },
      'media:group.all',
      'media:group.none',
    )
    assert.deepEqual(await providers.names(), ['media.storage', 'media.later', 'media.queue'])
    assert.equal(await providers.has('media.queue'), true)
    assert.equal(await providers.has('media.gone'), false)
    assert.equal(await providers.has('media:group.all'), false)
  })

  test('are none without the role, or when it is delegated', async () => {
    await commit(zms, { kind: 'deleteRole', domain: 'sys.auth', role: 'service_providers' })
    assert.deepEqual(await providers.names(), [])
    await commit(zms, ...role('sys.auth', 'service_providers', [], { trust: 'media' }))
    assert.deepEqual(await providers.names(), [])
  })

  test('are read where the settings say', async () => {
    const properties = { service_provider_manager_domain: 'media', service_provider_manager_role: 'partners' }
    const other = await Harness.open({ services: [], properties })
    await other.createDomain('media')
    await commit(other, ...role('media', 'partners', ['media.storage']))
    assert.deepEqual(await other.deps.serviceProviders.names(), ['media.storage'])
  })
})

const remove = (options?: object) => zms.delete('/domain/sports', options)
const tags = (value: string) => ({ tags: new Map([['zms.DeleteSkipServiceProviderCheck', [value]]]) })

describe('before a domain is deleted', () => {
  test('every provider with an endpoint is asked', async () => {
    await register('media.storage', 'media.queue', 'media.silent', 'media.nosuch', 'nowhere.api', 'user.admin')
    assert.deepEqual(await remove(), NOTHING)
    assert.deepEqual(client.asked.map(({ url }) => url).sort(), [ENDPOINT, 'https://queue.example.com/'])
    assert.deepEqual(client.asked.find(({ url }) => url === ENDPOINT)?.question, {
      operation: 'delete',
      domainName: 'sports',
      objectType: 'domain',
      objectName: 'sports',
      principal: 'user.admin',
      provider: 'media.storage',
    })
  })

  test('all objections are told, and the domain stays', async () => {
    await register('media.storage', 'media.queue')
    client.answers.set('media.storage', { allowed: false, message: 'in use' })
    client.answers.set('media.queue', { allowed: false })
    assert.deepEqual(
      await remove(),
      refusal(
        403,
        "Service 'media.storage' is dependent on domain 'sports'. Error: in use, " +
          "Service 'media.queue' is dependent on domain 'sports'",
      ),
    )
    assert.ok(await zms.store.domain('sports'))
  })

  test('an endpoint that cannot be asked is an objection', async () => {
    for (const providerEndpoint of ['http://media.example.com', 'class://com.example.Provider', 'no url']) {
      await commit(zms, ...service('media', 'storage', {}, { providerEndpoint }))
      await register('media.storage')
      assert.deepEqual(
        await remove(),
        refusal(
          403,
          "Service 'media.storage' is dependent on domain 'sports'. " +
            'Error: the endpoint of the provider is no https URL',
        ),
      )
    }
    assert.deepEqual(client.asked, [])
  })

  test('providers of instances are asked below their endpoint', async () => {
    await commit(
      zms,
      ...role('sys.auth', 'launchers', ['media.storage']),
      ...policy('sys.auth', 'launchers', [{ role: 'launchers', resource: 'sys.auth:instance', action: 'launch' }]),
    )
    await register('media.storage', 'media.queue')
    await commit(zms, ...service('media', 'storage', {}, { providerEndpoint: `${ENDPOINT}/?a=1` }))
    assert.deepEqual(await remove(), NOTHING)
    assert.deepEqual(client.asked.map(({ url }) => url).sort(), [
      `${ENDPOINT}/dependency-check?a=1`,
      'https://queue.example.com/',
    ])
  })

  test('what the store forbids is told first, and nobody is asked', async () => {
    await register('media.storage')
    await zms.createDomain('sports.api')
    assert.deepEqual(
      await remove(),
      refusal(400, 'deletetopleveldomain: Cannot delete domain sports: 1 subdomains of it exist'),
    )
    await zms.store.transact(['sports.api'], (transaction) =>
      transaction.apply({ kind: 'deleteDomain', domain: 'sports.api' }),
    )
    await zms.store.transact(['sports'], (transaction) =>
      transaction.apply({ kind: 'putDependency', dependentDomain: 'sports', service: 'media.storage' }),
    )
    assert.deepEqual(
      await remove(),
      refusal(403, "Remove domain 'sports' dependency from the following service(s):media.storage"),
    )
    assert.deepEqual(client.asked, [])
    await zms.store.transact(['sports'], (transaction) =>
      transaction.apply({ kind: 'deleteDependency', dependentDomain: 'sports', service: 'media.storage' }),
    )
  })

  test('attributes that must be empty come after the providers', async () => {
    const properties = { domain_delete_meta_attributes: 'account' }
    const other = await Harness.open({ services: [domainService], providerClient: client, properties })
    await other.createDomain('media')
    await other.createDomain('sports', { account: '123' })
    await commit(
      other,
      ...service('media', 'storage', {}, { providerEndpoint: ENDPOINT }),
      ...role('sys.auth', 'service_providers', ['media.storage']),
    )
    client.answers.set('media.storage', { allowed: false })
    assert.deepEqual(
      await other.delete('/domain/sports'),
      refusal(403, "Service 'media.storage' is dependent on domain 'sports'"),
    )
    client.answers.clear()
    assert.deepEqual(await other.delete('/domain/sports'), refusal(400, 'Domain has non-empty account attribute: 123'))
  })

  test('nobody is asked for a domain that is not there', async () => {
    await register('media.storage')
    assert.deepEqual(await zms.delete('/domain/none'), refusal(404, "Domain not found: 'none'"))
    assert.deepEqual(client.asked, [])
  })

  test('system administrators skip the question for domains with a tag', async () => {
    await register('media.storage')
    client.answers.set('media.storage', { allowed: false })
    await zms.createDomain('sports', tags('false'))
    assert.equal((await remove()).status, 403)
    await zms.createDomain('sports', tags('true'))
    await commit(
      zms,
      ...role('sys.auth', 'cleaners', ['media.cleaner']),
      ...policy('sys.auth', 'cleaners', [{ role: 'cleaners', resource: 'sys.auth:domain', action: 'delete' }]),
    )
    assert.equal((await remove({ as: 'media.cleaner' })).status, 403)
    assert.deepEqual(await remove(), NOTHING)
  })

  test('nobody is asked without a client', async () => {
    const other = await Harness.open({ services: [domainService] })
    await other.createDomain('media')
    await other.createDomain('sports')
    await commit(
      other,
      ...service('media', 'storage', {}, { providerEndpoint: ENDPOINT }),
      ...role('sys.auth', 'service_providers', ['media.storage']),
    )
    assert.deepEqual(await other.delete('/domain/sports'), NOTHING)
  })
})
