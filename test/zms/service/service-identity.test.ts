import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, test } from 'node:test'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { serviceIdentityService } from '#zms/service/service-identity.ts'
import type { ServiceProviders } from '#zms/service/service-providers.ts'
import { goodModulus, rocaPrivateKey, rsaPublicKey } from '../../support/weak-rsa-keys.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { authorizing, quotaOf } from './objects.ts'

const ecPem = (namedCurve = 'P-256') =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'pem' }).toString()
const [k0, k1] = [encodeYBase64(ecPem()), encodeYBase64(ecPem())]

const API = '/domain/sports/service/api'
const returned = { headers: { 'Athenz-Return-Object': 'true' } }
const as = (owner: string, more: Record<string, string> = {}) => ({
  headers: { 'Athenz-Resource-Owner': owner, ...more },
})

const providers = new Set<string>()
const services = [serviceIdentityService]
const zms = await Harness.open({
  services,
  parts: { serviceProviders: { has: async (name: string) => providers.has(name) } as unknown as ServiceProviders },
})
beforeEach(() => zms.createDomain('sports'))

const put = (body: object = {}, options?: object) => zms.put(API, { name: 'sports.api', ...body }, options)
const putNamed = (name: string, body: object = {}) =>
  zms.put(`/domain/sports/service/${name}`, { name: `sports.${name}`, ...body })

describe('putServiceIdentity', () => {
  const whole = {
    description: 'Scores',
    executable: '/usr/bin/api',
    user: 'nobody',
    group: 'daemon',
    publicKeys: [
      { id: '0', key: k0 },
      { id: 'V1', key: k1 },
    ],
    hosts: ['Host1.example.com', 'host2', 'HOST2'],
    tags: { env: { list: ['prod'] } },
  }

  test('changes nothing where somebody else has changed the service since it was read, for those who ask for that', async () => {
    const since = (modified: string, body: object) =>
      zms.put(`${API}?unchangedSince=${encodeURIComponent(modified)}`, { name: 'sports.api', ...body })
    const absent = '2020-01-01T00:00:00.000Z'
    assert.deepEqual(
      await since(absent, whole),
      refusal(409, `putserviceidentity: sports.api was changed after ${absent}`),
    )
    const { body: read } = await put(whole, returned)
    await zms.put(`${API}/publickey/new`, { id: 'new', key: k1 })
    assert.deepEqual(
      await since(read.modified, { ...read, description: 'late' }),
      refusal(409, `putserviceidentity: sports.api was changed after ${read.modified}`),
    )
    assert.equal((await since('never', {})).status, 409)
    const { body: now } = await zms.get(API)
    assert.deepEqual([now.description, now.publicKeys.length], ['Scores', 3])
    assert.deepEqual(await since(now.modified, { ...now, description: 'in time' }), NOTHING)
    assert.equal((await zms.get(API)).body.description, 'in time')
  })

  test('creates a service with all it has', async () => {
    const { status, body } = await put(whole, returned)
    assert.equal(status, 200)
    const { modified, ...rest } = body
    assert.ok(Date.parse(modified) >= zms.clock.millis)
    assert.deepEqual(rest, {
      name: 'sports.api',
      ...whole,
      publicKeys: [
        { key: k0, id: '0' },
        { key: k1, id: 'v1' },
      ],
      hosts: ['host1.example.com', 'host2'],
    })
    assert.deepEqual((await zms.get(API)).body, body)
  })

  test('replaces keys, hosts and texts, and keeps tags unless it is sent some', async () => {
    await put(whole)
    const publicKeys = [{ id: 'v1', key: k0 }]
    const { modified: _, ...rest } = (await put({ publicKeys, user: 'daemon' }, returned)).body
    assert.deepEqual(rest, { name: 'sports.api', user: 'daemon', publicKeys, tags: whole.tags })
    const tags = { env: { list: ['test'] } }
    assert.deepEqual((await put({ tags }, returned)).body.tags, tags)
    assert.deepEqual((await put({ tags: {} }, returned)).body.tags, tags)
  })

  test('changes nothing in the store that stays the same', async () => {
    await put(whole)
    const before = zms.audit.length
    await put(whole)
    const [{ details } = { details: '' }] = zms.audit.slice(before)
    assert.deepEqual(
      JSON.parse(details).map(({ kind }: { kind: string }) => kind),
      ['putService'],
    )
  })

  test('ignores what other operations set, and keeps it', async () => {
    const others = {
      providerEndpoint: 'https://localhost/x',
      x509CertSignerKeyId: 'x',
      sshCertSignerKeyId: 's',
      clientId: 'c',
      featureFlags: 1,
      creds: 'secret',
    }
    assert.deepEqual(Object.keys((await put(others, returned)).body), ['name', 'modified'])
    await zms.store.transact(['sports'], (transaction) => {
      const value = { name: 'api', modified: 0, created: 0, ...others }
      transaction.apply({ kind: 'putService', domain: 'sports', value })
    })
    const { creds: _, ...shown } = others
    const { name: __, modified: ___, ...rest } = (await put({}, returned)).body
    assert.deepEqual(rest, shown)
    assert.equal((await zms.domain('sports')).services.get('api')?.creds, 'secret')
  })

  test('accepts keys of RSA and the usual curves, as ybase64 of PEM', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' })
    for (const pem of [rsa.toString(), ecPem('P-384'), ecPem('P-521')]) {
      assert.deepEqual(await put({ publicKeys: [{ id: '0', key: encodeYBase64(pem) }] }), NOTHING)
    }
  })

  const ed25519 = generateKeyPairSync('ed25519')
  const keys: [string, string, string][] = [
    ['text that is no key', '0', 'notakey'],
    ['a plain base64 key', '0', Buffer.from(ecPem()).toString('base64')],
    ['a PEM key', '0', ecPem()],
    ['a private key', '0', encodeYBase64(ed25519.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())],
    [
      'a key that cannot sign tokens',
      '0',
      encodeYBase64(ed25519.publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    ],
    ['a key with an even modulus', '0', encodeYBase64(publicKeyPem(rsaPublicKey(goodModulus() + 1n)))],
    ['a key with the exponent 1', '0', encodeYBase64(publicKeyPem(rsaPublicKey(goodModulus(), 1n)))],
    ['a key that can be factored', '0', encodeYBase64(publicKeyPem(createPublicKey(rocaPrivateKey())))],
    ['an empty key', '0', ''],
    ['a key without id', '', k0],
  ]
  for (const [what, id, key] of keys) {
    test(`refuses ${what}`, async () => {
      const publicKeys = [
        { id: 'good', key: k0 },
        { id, key },
      ]
      assert.deepEqual(await put({ publicKeys }), refusal(400, 'putServiceIdentity: Provided public key is invalid'))
      assert.equal((await zms.get(API)).status, 404)
    })
  }

  const names: [string, string][] = [
    ['com', 'reserved service name'],
    ['COM', 'reserved service name'],
    ['ab', 'service name length too short'],
    ['my_svc', 'service name with underscore not allowed'],
    ['a_', 'service name with underscore not allowed'],
  ]
  for (const [name, reason] of names) {
    test(`refuses the name ${name} before it compares names`, async () => {
      assert.deepEqual(
        await zms.put(`/domain/sports/service/${name}`, { name: 'sports.other' }),
        refusal(400, `putServiceIdentity: ${reason}`),
      )
    })
  }

  test('allows underscores by setting, by feature of the domain, and for services that exist', async () => {
    await zms.createDomain('sports', { featureFlags: 3 })
    assert.deepEqual(await putNamed('my_svc'), NOTHING)
    await zms.store.transact(['sports'], async (transaction) => {
      const { roles: _, ...domain } = (await transaction.domain('sports')) as NonNullable<
        Awaited<ReturnType<typeof transaction.domain>>
      >
      transaction.apply({ kind: 'putDomain', domain: 'sports', value: { ...domain, featureFlags: 2 } })
    })
    assert.deepEqual(await putNamed('my_svc'), NOTHING)
    assert.equal((await putNamed('my_other')).status, 400)
    const open = await Harness.open({ services, properties: { allow_underscore_in_service_names: 'true' } })
    await open.createDomain('sports')
    assert.deepEqual(await open.put('/domain/sports/service/my_svc', { name: 'sports.my_svc' }), NOTHING)
  })

  test('reserved and short names are settings', async () => {
    const other = await Harness.open({
      services,
      properties: { reserved_service_names: 'api', service_name_min_length: '2' },
    })
    await other.createDomain('sports')
    assert.equal((await other.put(API, { name: 'sports.api' })).status, 400)
    for (const name of ['com', 'ab']) {
      assert.deepEqual(await other.put(`/domain/sports/service/${name}`, { name: `sports.${name}` }), NOTHING)
    }
  })

  test('wants the full name', async () => {
    for (const name of ['api', 'media.api', 'sports.other']) {
      assert.deepEqual(
        await zms.put(API, { name }),
        refusal(400, 'putServiceIdentity: Inconsistent service/domain names'),
      )
    }
    assert.deepEqual(await zms.put('/domain/SPORTS/service/Api', { name: 'Sports.API' }), NOTHING)
  })

  test('judges the endpoint although it does not store it', async () => {
    assert.deepEqual(
      await put({ providerEndpoint: 'ftp://localhost/x' }),
      refusal(
        400,
        'putServiceIdentity: Invalid endpoint: ftp://localhost/x - must be http(s) and in configured domain',
      ),
    )
  })

  test('judges the endpoint after the keys', async () => {
    assert.deepEqual(
      await put({ providerEndpoint: 'ftp://localhost/x', publicKeys: [{ id: '0', key: '' }] }),
      refusal(400, 'putServiceIdentity: Provided public key is invalid'),
    )
  })

  test('strangers and missing domains', async () => {
    assert.deepEqual(await put({}, { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.equal((await zms.put('/domain/nosuch/service/api', { name: 'nosuch.api' })).status, 404)
  })
})

describe('limits of services', () => {
  test('hosts and keys are counted before services', async () => {
    const quota = quotaOf({ service: 1, serviceHost: 1, publicKey: 1 })
    await zms.createDomain('sports', { quota })
    const one = { publicKeys: [{ id: '0', key: k0 }], hosts: ['a', 'A'] }
    assert.deepEqual(await put(one), NOTHING)
    const two = [...one.publicKeys, { id: '1', key: k1 }]
    assert.deepEqual(
      await put({ ...one, publicKeys: two }),
      refusal(429, 'service public key quota exceeded - limit: 1 actual: 2'),
    )
    assert.deepEqual(
      await put({ ...one, hosts: ['a', 'b'] }),
      refusal(429, 'service host quota exceeded - limit: 1 actual: 2'),
    )
    const full = refusal(429, 'service quota exceeded - limit: 1 actual: 2')
    assert.deepEqual(await putNamed('other'), full)
    assert.deepEqual(await put(one), full, 'one more is counted when a service is replaced')
  })

  test('tags are counted by their values', async () => {
    const list = Array.from({ length: 26 }, (_, n) => `v${n}`)
    assert.deepEqual(
      await put({ tags: { a: { list } } }),
      refusal(400, 'service tag quota exceeded - limit: 25, current tags count: 0, new tags count: 26'),
    )
  })
})

describe('owners of services', () => {
  const ownership = async () => (await zms.get(API)).body.resourceOwnership

  test('the header owns what the request carries; the answer shows the owners before', async () => {
    const publicKeys = [{ id: '0', key: k0 }]
    assert.equal((await put({ publicKeys, hosts: [] }, as('tf', returned.headers))).body.resourceOwnership, undefined)
    assert.deepEqual(await ownership(), { objectOwner: 'tf', publicKeysOwner: 'tf' })
    const { body } = await put({ hosts: ['h'] }, as('ui:force', returned.headers))
    assert.deepEqual(body.resourceOwnership, { objectOwner: 'tf', publicKeysOwner: 'tf' })
    assert.deepEqual(await ownership(), { objectOwner: 'ui', publicKeysOwner: 'ui', hostsOwner: 'ui' })
  })

  test('others are refused, by component', async () => {
    await zms.put(API, { name: 'sports.api' })
    const own = (owners: object) => zms.put(`${API}/ownership`, owners)
    const conflict = (what: string) => refusal(409, `Invalid ${what} vs. a`)
    await own({ objectOwner: 'a', publicKeysOwner: 'b', hostsOwner: 'c' })
    assert.deepEqual(await put(), refusal(409, 'Invalid resource owner for service: sports.api, a vs. null'))
    assert.deepEqual(await put({}, as('a')), conflict('public-keys owner for service: sports.api, b'))
    await own({ objectOwner: 'a', publicKeysOwner: 'a', hostsOwner: 'c' })
    assert.deepEqual(await put({}, as('a')), conflict('hosts owner for service: sports.api, c'))
    await own({ objectOwner: 'a' })
    assert.deepEqual(await put({}, as('A')), NOTHING)
  })

  test('putResourceServiceIdentityOwnership replaces and removes owners, and refuses what is not there', async () => {
    const target = `${API}/ownership`
    assert.deepEqual(
      await zms.put(target, { objectOwner: 'a' }),
      refusal(400, 'unable to put resource service ownership for service: api in domain: sports'),
    )
    await put({ publicKeys: [{ id: '0', key: k0 }] })
    assert.deepEqual(await zms.put(target, { hostsOwner: 'x' }), NOTHING)
    assert.deepEqual(await ownership(), { hostsOwner: 'x' })
    assert.equal((await zms.get(API)).body.publicKeys.length, 1)
    assert.deepEqual(await zms.put(target, {}), NOTHING)
    assert.equal(await ownership(), undefined)
    assert.deepEqual(await zms.put(target, undefined), refusal(400, 'Invalid resource service ownership: null'))
    assert.equal((await zms.put(target, {}, { as: 'user.eve' })).status, 403)
  })
})

describe('deleteServiceIdentity', () => {
  test('deletes a service once', async () => {
    await put()
    assert.deepEqual(await zms.delete('/domain/sports/service/API'), NOTHING)
    assert.deepEqual(await zms.delete(API), refusal(404, 'Service does not exist'))
  })

  test('asks the owner', async () => {
    await put({}, as('tf'))
    assert.deepEqual(await zms.delete(API), refusal(409, 'Invalid resource owner for object: tf vs. null'))
    assert.deepEqual(await zms.delete(API, as('tf')), NOTHING)
  })

  test('a provider stays while domains depend on it', async () => {
    await put()
    await zms.store.transact([], (transaction) => {
      for (const dependentDomain of ['tenant.b', 'tenant.a']) {
        transaction.apply({ kind: 'putDependency', dependentDomain, service: 'sports.api' })
      }
    })
    providers.add('sports.api')
    assert.deepEqual(
      await zms.delete(API),
      refusal(403, "Remove service 'sports.api' dependency from the following domain(s):tenant.a, tenant.b"),
    )
    providers.clear()
    assert.deepEqual(await zms.delete(API), NOTHING, 'dependencies on others than providers do not count')
  })
})

describe('reads of services', () => {
  beforeEach(async () => {
    await put({ publicKeys: [{ id: '0', key: k0 }], hosts: ['h1'], tags: { env: { list: ['prod'] } } })
    await putNamed('backend')
  })

  test('names come in order and in pages', async () => {
    assert.deepEqual((await zms.get('/domain/sports/service')).body, { names: ['api', 'backend'] })
    assert.deepEqual((await zms.get('/domain/sports/service?limit=1')).body, { names: ['api'], next: 'api' })
    assert.deepEqual((await zms.get('/domain/sports/service?limit=1&skip=api')).body, { names: ['backend'] })
  })

  test('lists show keys and hosts on request, and filter by tags', async () => {
    const list = async (query: string) => {
      const { list: found, serviceMatchCount } = (await zms.get(`/domain/sports/services${query}`)).body
      assert.equal(serviceMatchCount, 0)
      return found.map(({ modified: _, tags: __, ...rest }: Record<string, unknown>) => rest)
    }
    const backend = { name: 'sports.backend' }
    const publicKeys = [{ key: k0, id: '0' }]
    assert.deepEqual(await list(''), [{ name: 'sports.api' }, backend])
    assert.deepEqual(await list('?publickeys=true'), [{ name: 'sports.api', publicKeys }, backend])
    assert.deepEqual(await list('?hosts=TRUE'), [{ name: 'sports.api', hosts: ['h1'] }, backend])
    assert.deepEqual(await list('?tagKey=env&tagValue=prod'), [{ name: 'sports.api' }])
    assert.deepEqual(await list('?tagKey=env&tagValue=test'), [])
  })

  test('lists show owners and what operators set, whatever parts are asked for', async () => {
    const system = { clientId: 'c', x509CertSignerKeyId: 'x', sshCertSignerKeyId: 's', featureFlags: 1 }
    await zms.store.transact(['sports'], (transaction) => {
      const resourceOwnership = new Map([['object', 'tf']])
      const value = {
        name: 'api',
        modified: 0,
        created: 0,
        resourceOwnership,
        providerEndpoint: 'class://x',
        ...system,
      }
      transaction.apply({ kind: 'putService', domain: 'sports', value })
    })
    const listed = async (query: string) => (await zms.get(`/domain/sports/services${query}`)).body.list[0]
    const whole = { ...system, resourceOwnership: { objectOwner: 'tf' } }
    const { modified, ...all } = await listed('?publickeys=true&hosts=true')
    const api = { name: 'sports.api', providerEndpoint: 'class://x', ...whole }
    const parts = { publicKeys: [{ key: k0, id: '0' }], hosts: ['h1'] }
    assert.deepEqual(all, { ...api, ...parts })
    assert.deepEqual(await listed('?publickeys=true'), { ...api, modified, publicKeys: parts.publicKeys })
    assert.deepEqual(await listed('?hosts=true'), { ...api, modified, hosts: parts.hosts })
    assert.deepEqual(await listed(''), { ...api, modified })
  })

  test('credentials are never shown', async () => {
    await zms.store.transact(['sports'], (transaction) => {
      const value = { name: 'api', modified: 0, created: 0, creds: 'cipher text' }
      transaction.apply({ kind: 'putService', domain: 'sports', value })
    })
    assert.equal((await zms.get(API)).body.creds, undefined)
    const { list } = (await zms.get('/domain/sports/services?publickeys=true&hosts=true')).body
    assert.equal(list[0].creds, undefined)
    assert.ok(!JSON.stringify(zms.audit.at(-1)).includes('cipher text'))
  })

  const missing: [string, string][] = [
    ['/domain/nosuch/service', 'unknown domain - nosuch'],
    ['/domain/nosuch/services', "getServiceIdentities: Domain not found: 'nosuch'"],
    ['/domain/nosuch/service/api', "getServiceIdentity: Service not found: 'nosuch.api'"],
    ['/domain/sports/service/none', "getServiceIdentity: Service not found: 'sports.none'"],
  ]
  for (const [target, message] of missing) {
    test(`${target} is missing`, async () => assert.deepEqual(await zms.get(target), refusal(404, message)))
  }
})

describe('searchServiceIdentities', () => {
  test('finds names, parts of names, in all domains or some', async () => {
    await zms.createDomain('media')
    for (const domain of ['sports', 'media']) {
      await zms.put(`/domain/${domain}/service/finder`, { name: `${domain}.finder` })
    }
    await putNamed('finders')
    const search = async (target: string) =>
      (await zms.get(`/service/${target}`)).body.list.map(({ name }: { name: string }) => name).sort()
    assert.deepEqual(await search('FINDER'), ['media.finder', 'sports.finder'])
    assert.deepEqual(await search('inde?substringMatch=true'), ['media.finder', 'sports.finder', 'sports.finders'])
    assert.deepEqual(await search('finder?domainFilter=media'), ['media.finder'])
    assert.deepEqual((await zms.get('/service/nothing')).body, { list: [], serviceMatchCount: 0 })
  })

  test('says how many there are only when not all are listed', async () => {
    const limited = await Harness.open({ services, properties: { search_service_limit: '2' } })
    await limited.createDomain('sports')
    const search = async () => (await limited.get('/service/svc?substringMatch=true')).body
    for (const [name, count] of [
      ['svc1', 0],
      ['svc2', 0],
      ['svc3', 3],
    ] as const) {
      await limited.put(`/domain/sports/service/${name}`, { name: `sports.${name}` })
      assert.equal((await search()).serviceMatchCount, count)
    }
    assert.equal((await search()).list.length, 2)
  })
})

test('audited domains need a reference, authorized services their place in the file', async () => {
  const strict = await Harness.open({
    services,
    properties: { audit_ref_check_objects: 'service' },
    parts: { authorizedServices: authorizing('ui.server', 'putrole') },
  })
  await strict.createDomain('sports', { auditEnabled: true })
  const key = { id: '1', key: k0 }
  const attempts: [string, (options?: object) => Promise<unknown>][] = [
    ['putserviceidentity', (options) => strict.put(API, { name: 'sports.api' }, options)],
    ['deleteserviceidentity', (options) => strict.delete(API, options)],
    ['putpublickeyentry', (options) => strict.put(`${API}/publickey/1`, key, options)],
    ['deletepublickeyentry', (options) => strict.delete(`${API}/publickey/1`, options)],
    ['putresourceserviceidentityownership', (options) => strict.put(`${API}/ownership`, {}, options)],
  ]
  for (const [api, attempt] of attempts) {
    assert.deepEqual(await attempt(), refusal(400, `${api}: Audit reference required for domain: sports`))
    assert.deepEqual(
      await attempt({ principal: { authorizedService: 'ui.server' } }),
      refusal(403, `Unauthorized Operation (${api}) for Service ui.server`),
    )
  }
})
