import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hostService } from '#zts/service/host.ts'
import { serviceIdentityService } from '#zts/service/service-identity.ts'
import { DOMAIN_MODIFIED, type DomainJson } from '../../support/zts-domains.ts'
import { Harness, refusal } from './harness.ts'

const key = Buffer.from('a public key').toString('base64')
const SPORTS: DomainJson = {
  name: 'sports',
  services: [
    {
      name: 'sports.full',
      description: 'is not told',
      modified: DOMAIN_MODIFIED,
      publicKeys: [
        { id: 'k1', key },
        { id: 'broken', key: 'no ybase64!' },
      ],
      hosts: ['h1', 'h2'],
      providerEndpoint: 'https://provider',
      executable: '/bin/full',
      user: 'runner',
      group: 'staff',
    },
    { name: 'sports.bare', modified: DOMAIN_MODIFIED, publicKeys: [], hosts: [], executable: '' },
    { name: 'sports.other', hosts: ['h2'] },
  ],
}
const open = () => Harness.open({ services: [serviceIdentityService, hostService], domains: [SPORTS] })

describe('getServiceIdentity', () => {
  test('tells all there is of a service but its description', async () => {
    const { body } = await (await open()).get('/domain/Sports/service/FULL')
    const { description: _, ...told } = (SPORTS['services'] as Record<string, unknown>[])[0] ?? {}
    assert.deepEqual(body, told)
  })

  test('leaves out what is empty', async () => {
    const { body } = await (await open()).get('/domain/sports/service/bare')
    assert.deepEqual(body, { name: 'sports.bare', modified: DOMAIN_MODIFIED })
  })

  test('answers 404 without the service or the domain', async () => {
    const zts = await open()
    assert.deepEqual(await zts.get('/domain/sports/service/nosuch'), refusal(404, "Service not found: 'sports.nosuch'"))
    assert.deepEqual(await zts.get('/domain/nosuch/service/full'), refusal(404, "Domain not found: 'nosuch'"))
  })

  test('answers 400 for a name with a period', async () => {
    const answer = await (await open()).get('/domain/nosuch/service/full.er')
    assert.deepEqual(answer, refusal(400, 'Invalid SimpleName error: not a valid SimpleName'))
  })
})

describe('getServiceIdentityList', () => {
  test('lists local names', async () => {
    assert.deepEqual((await (await open()).get('/domain/sports/service')).body, { names: ['full', 'bare', 'other'] })
  })

  test('answers 404 without the domain', async () => {
    assert.deepEqual(await (await open()).get('/domain/nosuch/service'), refusal(404, "Domain not found: 'nosuch'"))
  })
})

describe('getPublicKeyEntry', () => {
  test('reads a key by its id in any letter case', async () => {
    assert.deepEqual((await (await open()).get('/domain/sports/service/full/publickey/K1')).body, { key, id: 'k1' })
  })

  const missing = [
    'sports/service/full/publickey/nosuch',
    'sports/service/nosuch/publickey/k1',
    'nosuch/service/full/publickey/k1',
    'sports/service/full/publickey/broken',
    'sports/service/full/publickey/__proto__',
  ]
  for (const path of missing) {
    test(`answers 404 for ${path}`, async () => {
      assert.deepEqual(await (await open()).get(`/domain/${path}`), refusal(404, 'Public Key not found'))
    })
  }
})

describe('getHostServices', () => {
  test('lists the services of a host in any letter case', async () => {
    const { body } = await (await open()).get('/host/H2/services')
    assert.deepEqual(body, { host: 'h2', names: ['sports.full', 'sports.other'] })
  })

  test('answers null for a host without services, whatever its name', async () => {
    const zts = await open()
    for (const host of ['nosuch', 'a b', '__proto__']) {
      assert.deepEqual((await zts.get(`/host/${encodeURIComponent(host)}/services`)).body, { host, names: null })
    }
  })

  test('follows what ZMS sends', async () => {
    const zts = await open()
    zts.receive({ name: 'sports', services: [{ name: 'sports.other', hosts: ['h1'] }] })
    assert.deepEqual((await zts.get('/host/h1/services')).body.names, ['sports.other'])
    assert.equal((await zts.get('/host/h2/services')).body.names, null)
  })
})
