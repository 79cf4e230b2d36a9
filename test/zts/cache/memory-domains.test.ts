import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { readDomainData } from '#zts/cache/domain-data.ts'
import { MalformedDomain } from '#zts/cache/json-reading.ts'
import { newSigner } from '../../core/authority/support.ts'
import { DOMAIN_MODIFIED, type DomainJson, domainData, domainsOf } from '../../support/zts-domains.ts'

const signer = newSigner()
const key = encodeYBase64(signer.publicKeyPem)

const service = (name: string, more: object = {}) => ({
  name: `sports.${name}`,
  publicKeys: [{ id: '0', key }],
  ...more,
})

describe('a domain', () => {
  test('has what ZMS sent, by local names', () => {
    const domains = domainsOf({
      name: 'sports',
      account: '1234',
      certDnsDomain: '',
      tokenExpiryMins: 5,
      featureFlags: 3,
      tags: { 'zts.X': { list: ['a', 'b'] } },
      roles: [
        {
          name: 'sports:role.readers',
          certExpiryMins: 7,
          tags: { t: { list: ['v'] } },
          roleMembers: [{ memberName: 'user.joe' }],
        },
      ],
      groups: [{ name: 'sports:group.all', groupMembers: [{ memberName: 'user.jane' }] }],
      services: [service('api', { hosts: ['h1'], providerEndpoint: 'https://p/', clientId: 'c1', creds: 'x' })],
      entities: [{ name: 'sports:entity.zts.authorization_details_a', value: { data: '{}' } }],
      policies: [
        {
          name: 'sports:policy.p',
          modified: DOMAIN_MODIFIED,
          assertions: [{ role: 'sports:role.readers', resource: 'sports:*', action: 'read' }],
        },
        { name: 'sports:policy.p', version: 'next', active: false, assertions: [] },
      ],
    })
    const sports = domains.get('sports')
    assert.ok(sports)
    assert.equal(sports.modified, Date.parse(DOMAIN_MODIFIED))
    assert.equal(sports.settings.account, '1234')
    assert.equal(sports.settings.certDnsDomain, undefined)
    assert.equal(sports.settings.tokenExpiryMins, 5)
    assert.equal(sports.settings.roleCertExpiryMins, 0)
    assert.equal(sports.settings.featureFlags, 3)
    assert.deepEqual(sports.tags.get('zts.X'), ['a', 'b'])
    const role = sports.roles.get('readers')
    assert.equal(role?.certExpiryMins, 7)
    assert.deepEqual(role.tags.get('t'), ['v'])
    assert.deepEqual([...role.members], [{ memberName: 'user.joe' }])
    assert.equal(sports.groups.get('all')?.members.size, 1)
    assert.equal(sports.services.get('api')?.providerEndpoint, 'https://p/')
    assert.deepEqual(sports.entities.get('zts.authorization_details_a'), { data: '{}' })
    assert.equal(sports.policyVersions.length, 2)
    assert.equal(sports.policies.assertions.length, 1)
    assert.deepEqual(sports.policiesSignature, { signature: 'c2lnbmF0dXJl', keyId: '0' })
  })

  test('has the members that ZMS once wrote without dates', () => {
    const members = domainsOf({ name: 'sports', roles: [{ name: 'sports:role.r', members: ['user.joe'] }] })
      .get('sports')
      ?.roles.get('r')?.members
    assert.deepEqual([...(members ?? [])], [{ memberName: 'user.joe' }])
  })

  test('keeps names that objects have of their own apart', () => {
    const domains = domainsOf({
      name: 'sports',
      roles: [{ name: 'sports:role.__proto__' }],
      tags: JSON.parse('{"__proto__":{"list":["x"]}}'),
    })
    assert.equal(domains.get('__proto__'), undefined)
    assert.ok(domains.get('sports')?.roles.has('__proto__'))
    assert.deepEqual(domains.get('sports')?.tags.get('__proto__'), ['x'])
  })

  test('of many members takes its place when it is ready for questions', async () => {
    const domains = domainsOf({ name: 'sports', account: 'old' })
    const roleMembers = Array.from({ length: 3000 }, (_, index) => ({ memberName: `user.u${index}` }))
    const put = domains.putPrepared(
      readDomainData(domainData({ name: 'sports', roles: [{ name: 'sports:role.r', roleMembers }] })),
    )
    assert.equal(domains.get('sports')?.settings.account, 'old')
    await put
    assert.deepEqual([...(domains.get('sports')?.rolesToJudge('user.u2999') ?? [])], ['r'])
    await domains.putPrepared({ name: 'sports', modified: 0, enabled: false })
    assert.equal(domains.get('sports'), undefined)
  })

  test('that is disabled is not there', () => {
    const domains = domainsOf({ name: 'sports' })
    domains.read(domainData({ name: 'sports', enabled: false }))
    assert.equal(domains.get('sports'), undefined)
    assert.deepEqual([...domains.names()], [])
  })

  const wrong: readonly [string, RegExp, DomainJson][] = [
    ['without time', /modified is missing/, { name: 'sports', modified: null as unknown as string }],
    ['with a time that is none', /modified is no timestamp/, { name: 'sports', modified: 'now' }],
    ['with roles that are no list', /roles is no list/, { name: 'sports', roles: {} }],
    ['with a role that is no object', /an item of roles is no object/, { name: 'sports', roles: ['r'] }],
    [
      'with a role of another domain',
      /news:role\.r is no role of it/,
      { name: 'sports', roles: [{ name: 'news:role.r' }] },
    ],
    [
      'with a service of another domain',
      /news\.api is no service of it/,
      { name: 'sports', services: [{ name: 'news.api' }] },
    ],
    [
      'with a service without name',
      /sports\. is no service of it/,
      { name: 'sports', services: [{ name: 'sports.' }] },
    ],
    [
      'with a member without name',
      /memberName is missing/,
      { name: 'sports', roles: [{ name: 'sports:role.r', roleMembers: [{}] }] },
    ],
    [
      'with an unknown effect',
      /the effect MAYBE is unknown/,
      {
        name: 'sports',
        policies: [
          { name: 'sports:policy.p', assertions: [{ role: 'r', resource: 'x', action: 'y', effect: 'MAYBE' }] },
        ],
      },
    ],
    ['with a flag that is none', /enabled is neither true nor false/, { name: 'sports', enabled: 'no' }],
    ['with a number that is none', /tokenExpiryMins is no number/, { name: 'sports', tokenExpiryMins: '5' }],
    [
      'with a host that is no text',
      /an item of hosts is no text/,
      { name: 'sports', services: [{ name: 'sports.a', hosts: [1] }] },
    ],
  ]
  for (const [what, reason, domain] of wrong) {
    test(`${what} is refused as a whole; the former one stays`, () => {
      const domains = domainsOf({ name: 'sports', account: 'old' })
      assert.throws(
        () => domains.read(domainData(domain)),
        (error) => error instanceof MalformedDomain && reason.test(error.message),
      )
      assert.equal(domains.get('sports')?.settings.account, 'old')
    })
  }
})

describe('across domains', () => {
  test('public keys are found by service and id, in any letter case of the id', () => {
    const domains = domainsOf({ name: 'sports', services: [{ name: 'sports.api', publicKeys: [{ id: 'k.1', key }] }] })
    assert.ok(domains.publicKey('sports', 'api', 'k.1')?.equals(signer.publicKey))
    assert.equal(domains.publicKey('sports', 'api', 'K.1'), domains.publicKey('sports', 'api', 'k.1'))
    for (const [domain, name, id] of [
      ['sports', 'api', '2'],
      ['sports', 'other', 'k.1'],
      ['news', 'api', 'k.1'],
    ] as const) {
      assert.equal(domains.publicKey(domain, name, id), undefined)
    }
  })

  test('what is registered and is no key is none', () => {
    const domains = domainsOf({
      name: 'sports',
      services: [{ name: 'sports.api', publicKeys: [{ id: '0', key: 'eA--' }] }],
    })
    assert.equal(domains.publicKey('sports', 'api', '0'), undefined)
    assert.equal(domains.publicKey('sports', 'api', '0'), undefined)
  })

  test('a removed key is gone with the version that had it', () => {
    const domains = domainsOf({ name: 'sports', services: [service('api')] })
    assert.ok(domains.publicKey('sports', 'api', '0'))
    domains.read(domainData({ name: 'sports', services: [service('api', { publicKeys: [] })] }))
    assert.equal(domains.publicKey('sports', 'api', '0'), undefined)
  })

  test('hosts and client ids lead to services, and follow their changes', () => {
    const domains = domainsOf(
      {
        name: 'sports',
        services: [service('api', { hosts: ['h1', 'h2'], clientId: 'c1' }), service('web', { hosts: ['h1'] })],
      },
      { name: 'news', services: [{ name: 'news.api', hosts: ['h1'] }] },
    )
    assert.deepEqual(domains.servicesOnHost('h1'), ['sports.api', 'sports.web', 'news.api'])
    assert.equal(domains.serviceOfClient('c1'), 'sports.api')
    domains.read(domainData({ name: 'sports', services: [service('web', { hosts: ['h2'], clientId: 'c1' })] }))
    assert.deepEqual(domains.servicesOnHost('h1'), ['news.api'])
    assert.deepEqual(domains.servicesOnHost('h2'), ['sports.web'])
    assert.equal(domains.serviceOfClient('c1'), 'sports.web')
    domains.remove('sports')
    assert.deepEqual(domains.servicesOnHost('h2'), [])
    assert.equal(domains.serviceOfClient('c1'), undefined)
  })

  test('a client id that two services claim belongs to neither', () => {
    const claimed = (name: string) => ({ name, services: [{ name: `${name}.api`, clientId: 'c1' }] })
    const domains = domainsOf(claimed('sports'), claimed('news'))
    assert.equal(domains.serviceOfClient('c1'), undefined)
    domains.remove('news')
    assert.equal(domains.serviceOfClient('c1'), 'sports.api')
  })

  test('those who want to know are told of each change, after it', () => {
    const domains = domainsOf({ name: 'sports' })
    const seen: string[] = []
    const end = domains.onChange((name) => seen.push(`${name} ${domains.get(name) !== undefined}`))
    domains.read(domainData({ name: 'news' }))
    domains.remove('sports')
    domains.remove('sports')
    end()
    domains.remove('news')
    assert.deepEqual(seen, ['news true', 'sports false'])
  })
})
