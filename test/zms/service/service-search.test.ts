import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { serviceSearchService } from '#zms/service/service-search.ts'
import { Harness, refusal } from './harness.ts'
import { commit, service } from './objects.ts'
import { pagesOf } from './pages.ts'

const zms = await Harness.open({ services: [serviceSearchService] })
const stored = (pem: string) => encodeYBase64(pem)
const rsa = stored(
  generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }) as string,
)
const ec = stored(
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }) as string,
)
await zms.createDomain('sports')
await zms.createDomain('many')
await commit(
  zms,
  service(
    'sports',
    'api',
    { v1: rsa, v0: ec, lost: stored('nothing') },
    {
      description: 'The API',
      providerEndpoint: 'https://provider.example.com/',
      executable: '/bin/api',
      clientId: 'client',
      creds: 'secret',
      tags: new Map([['team', ['blue']]]),
    },
  ),
  { kind: 'putHosts', domain: 'sports', service: 'api', hosts: new Set(['host1.example.com']) },
  service('sports', 'rich', Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`k${at}`, ec]))),
  ...Array.from({ length: 70 }, (_, at) => service('many', `s${at}`)),
)

describe('searchServices', () => {
  test('tells of each service its keys by kind, how many hosts it has, and nothing secret', async () => {
    const { body } = await zms.get('/sys/domain/sports/service?filter=API', { as: 'user.anybody' })
    const { modified, ...rest } = body.list[0]
    assert.ok(modified)
    assert.deepEqual(rest, {
      name: 'sports.api',
      description: 'The API',
      providerEndpoint: 'https://provider.example.com/',
      executable: '/bin/api',
      clientId: 'client',
      tags: { team: { list: ['blue'] } },
      publicKeys: [{ id: 'lost' }, { id: 'v0', kind: 'P-256' }, { id: 'v1', kind: 'RSA 2048' }],
      publicKeyCount: 3,
      hostCount: 1,
    })
  })

  test('shows ten keys of a service and says how many there are', async () => {
    const { body } = await zms.get('/sys/domain/sports/service?filter=rich')
    assert.deepEqual([body.list[0].publicKeys.length, body.list[0].publicKeyCount], [10, 12])
  })

  test('gives all services in order, a page after the other, and filters', async () => {
    const pages = await pagesOf(zms, '/sys/domain/many/service', 30)
    assert.deepEqual(
      pages.flatMap(({ list }) => list.map(({ name }) => name.slice('many.'.length))),
      [...(await zms.domain('many')).services.keys()].sort(),
    )
    assert.equal((await zms.get('/sys/domain/many/service?filter=S6')).body.total, 11)
    assert.equal((await zms.get('/sys/domain/sports/service?tagKey=team')).body.total, 1)
  })

  test('refuses a limit out of range and a domain that does not exist', async () => {
    assert.deepEqual(
      await zms.get('/sys/domain/sports/service?limit=501'),
      refusal(400, 'searchServices: limit must be from 1 to 500: 501'),
    )
    assert.deepEqual(
      await zms.get('/sys/domain/nowhere/service'),
      refusal(404, "searchServices: Domain not found: 'nowhere'"),
    )
  })
})
