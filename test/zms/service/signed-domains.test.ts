import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import { createSecretBox } from '#core/crypto/secret-box.ts'
import { createSigner, type Signer, verifySignature } from '#core/crypto/signing.ts'
import { decodeYBase64 } from '#core/crypto/ybase64.ts'
import { canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { signedDomainsService } from '#zms/service/signed-domains.ts'
import { type Answer, Harness } from './harness.ts'
import { commit, group, policy, role, service } from './objects.ts'

const ecSigner = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'ec.1')
const rsaSigner = createSigner(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'rsa.1')
const expiration = Date.UTC(2033, 4, 6, 7, 8, 9)

interface WorldOptions {
  signer?: Signer
  credentials?: boolean
  properties?: Record<string, string>
}

/** A server with the domains `sports`, which holds something of everything, and `plain`. */
async function world({ signer = ecSigner, credentials = false, properties = {} }: WorldOptions = {}): Promise<Harness> {
  const box = credentials ? createSecretBox('0123456789abcdef0123456789abcdef', 'test') : undefined
  const zms = await Harness.open({
    services: [signedDomainsService],
    properties,
    parts: { signer, credentialsBox: box },
  })
  await zms.createDomain('plain')
  zms.clock.millis += 5000
  await zms.createDomain('sports', {
    description: 'a "quoted" text',
    account: '111',
    awsAccountName: 'main',
    gcpProject: 'proj',
    gcpProjectNumber: '1',
    userAuthorityFilter: 'employee',
    x509CertSignerKeyId: 'x',
    costCenter: 'c1',
    environment: 'qa',
    featureFlags: 3,
    tokenExpiryMins: 7,
    tags: new Map([['k', ['v']]]),
    contacts: new Map([['owner', 'user.a']]),
  })
  await commit(
    zms,
    role('sports', 'readers', [
      { memberName: 'user.a', expiration, reviewReminder: expiration, requestPrincipal: 'user.b', auditRef: 'r' },
      { memberName: 'sports:group.team', systemDisabled: 2 },
    ]),
    role('sports', 'delegated', [], { trust: 'plain' }),
    group('sports', 'team', [{ memberName: 'user.a', requestPrincipal: 'user.b' }], { selfServe: true }),
    policy('sports', 'p', [
      {
        role: 'readers',
        action: 'read',
        resource: 'sports:x',
        conditions: new Map([[1, new Map([['host', { operator: 'EQUALS', value: 'h' }]])]]),
      },
    ]),
    policy('sports', 'p', [{ role: 'readers', action: 'old', resource: 'sports:y' }], { version: '1', active: false }),
    service('sports', 'api', { 0: 'key' }, { description: 'd', creds: 'cipher text' }),
    { kind: 'putHosts', domain: 'sports', service: 'api', hosts: new Set(['h1']) },
    { kind: 'putEntity', domain: 'sports', value: { name: 'e', value: '{"a":[1]}' } },
  )
  return zms
}

const modifiedOf = async (zms: Harness, name: string) => new Date((await zms.domain(name)).modified).toISOString()
const tagged = (time: string | number) => ({ headers: { 'If-None-Match': `"${new Date(time).toISOString()}"` } })
const names = ({ body }: Answer) => body.domains.map(({ domain }: { domain: { name: string } }) => domain.name)
const single = async (zms: Harness, query = '') => {
  const { body } = await zms.get(`/sys/modified_domains?domain=sports${query}`)
  return body.domains[0]
}

const zms = await world()

describe('getSignedDomains of one domain', () => {
  for (const signer of [ecSigner, rsaSigner]) {
    test(`signs the domain and its policies with a key of kind ${signer.kind.name}`, async () => {
      const { domain, signature, keyId } = await single(signer === ecSigner ? zms : await world({ signer }))
      const { contents, ...policies } = domain.policies
      assert.deepEqual([keyId, policies.keyId], [signer.keyId, signer.keyId])
      const isSigned = (text: string, ybase64: string) =>
        verifySignature(signer.publicKey, text, decodeYBase64(ybase64))
      assert.ok(await isSigned(canonicalText(domain, canonicalShapes.domain), signature))
      assert.ok(await isSigned(canonicalText(contents, canonicalShapes.contents), policies.signature))
    })
  }

  test('tells what the domain holds: members without notes, active policies without ids, no credentials', async () => {
    const { domain } = await single(zms)
    const modified = await modifiedOf(zms, 'sports')
    const { policies, ...rest } = domain
    assert.deepEqual(rest, {
      description: 'a "quoted" text',
      enabled: true,
      account: '111',
      awsAccountName: 'main',
      ypmId: 0,
      tokenExpiryMins: 7,
      userAuthorityFilter: 'employee',
      tags: { k: { list: ['v'] } },
      contacts: { owner: 'user.a' },
      name: 'sports',
      modified,
      roles: [
        {
          name: 'sports:role.admin',
          modified: rest.roles[0].modified,
          roleMembers: ['user.admin', 'user.owner'].map((memberName) => ({
            memberName,
            requestPrincipal: 'user.admin',
            principalType: 1,
          })),
        },
        {
          name: 'sports:role.readers',
          modified,
          roleMembers: [
            {
              memberName: 'user.a',
              expiration: '2033-05-06T07:08:09.000Z',
              reviewReminder: '2033-05-06T07:08:09.000Z',
              requestPrincipal: 'user.b',
              principalType: 1,
            },
            { memberName: 'sports:group.team', systemDisabled: 2, principalType: 3 },
          ],
        },
        { name: 'sports:role.delegated', modified, trust: 'plain' },
      ],
      services: [
        { name: 'sports.api', modified, description: 'd', publicKeys: [{ id: '0', key: 'key' }], hosts: ['h1'] },
      ],
      entities: [{ name: 'sports:entity.e', value: { a: [1] } }],
      groups: [
        {
          name: 'sports:group.team',
          modified,
          selfServe: true,
          groupMembers: [{ memberName: 'user.a', groupName: 'sports:group.team' }],
        },
      ],
    })
    const [, shown] = policies.contents.policies
    assert.deepEqual(shown, {
      name: 'sports:policy.p',
      modified,
      assertions: [{ role: 'sports:role.readers', resource: 'sports:x', action: 'read', effect: 'ALLOW' }],
    })
    assert.equal(policies.contents.policies.length, 2)
  })

  test('tells conditions and ids of assertions on request', async () => {
    const [, shown] = (await single(zms, '&conditions=true')).domain.policies.contents.policies
    const [{ id, conditions }] = shown.assertions
    assert.equal(typeof id, 'number')
    assert.deepEqual(conditions, {
      conditionsList: [{ id: 1, conditionsMap: { host: { operator: 'EQUALS', value: 'h' } } }],
    })
  })

  test('never tells credentials, even when the server has their key', async () => {
    const { domain } = await single(await world({ credentials: true }))
    assert.equal(domain.services[0].creds, undefined)
  })

  test('tells of a disabled domain that it is, and of an audited one that it is', async () => {
    const changed = await world()
    await changed.createDomain('sports', { enabled: false, auditEnabled: true })
    const { domain } = await single(changed)
    assert.deepEqual([domain.enabled, domain.auditEnabled, domain.groups], [false, true, []])
  })

  test('signs an unchanged domain once, and a changed one anew', async () => {
    const changing = await world()
    const first = await single(changing)
    assert.deepEqual(await single(changing), first)
    await commit(changing, { kind: 'touchDomain', domain: 'sports' })
    assert.notEqual((await single(changing)).signature, first.signature)
  })

  const millisOf = Date.parse
  const tags: { tag: string; from: (modified: string) => string; status: number }[] = [
    { tag: 'its own tag', from: (modified) => `"${modified}"`, status: 304 },
    { tag: 'its own tag without quotes', from: (modified) => modified, status: 304 },
    { tag: 'a later tag', from: () => '"2099-01-01T00:00:00.000Z"', status: 304 },
    {
      tag: 'a tag one millisecond older',
      from: (modified) => `"${new Date(millisOf(modified) - 1).toISOString()}"`,
      status: 200,
    },
    { tag: 'something else', from: () => 'garbage', status: 200 },
  ]
  for (const { tag, from, status } of tags) {
    test(`answers ${status} to ${tag}, with the tag of the domain`, async () => {
      const modified = await modifiedOf(zms, 'sports')
      const headers = { 'If-None-Match': from(modified) }
      const answer = await zms.get('/sys/modified_domains?domain=SPORTS', { headers, as: 'user.eve' })
      assert.deepEqual([answer.status, answer.headers], [status, { etag: `"${modified}"` }])
      assert.equal(answer.body === undefined, status === 304)
    })
  }

  test('answers with an empty list and the time for a domain that does not exist', async () => {
    const { status, headers, body } = await zms.get('/sys/modified_domains?domain=nosuch')
    const etag = `"${new Date(zms.clock.millis).toISOString()}"`
    assert.deepEqual({ status, headers, body }, { status: 200, headers: { etag }, body: { domains: [] } })
  })
})

/** The domains in an answer that tells settings only. */
const bare = async (attribute: string, name = 'sports') => {
  const query = `domain=${name}&metaonly=TRUE${attribute && `&metaattr=${attribute}`}`
  const { body } = await zms.get(`/sys/modified_domains?${query}`)
  return body.domains
}

describe('getSignedDomains of settings only', () => {
  const held = { roles: null, policies: null, services: null, entities: null, groups: null }

  const attributes: { attribute: string; members: Record<string, unknown> }[] = [
    { attribute: '', members: {} },
    { attribute: 'colour', members: {} },
    { attribute: 'account', members: { account: '111', awsAccountName: 'main' } },
    { attribute: 'Account', members: { account: '111', awsAccountName: 'main' } },
    { attribute: 'gcpproject', members: { gcpProject: 'proj', gcpProjectNumber: '1' } },
    { attribute: 'costcenter', members: { costCenter: 'c1' } },
  ]
  for (const { attribute, members } of attributes) {
    test(`tells name, time, state and ${attribute || 'nothing else'}, without signature`, async () => {
      const modified = await modifiedOf(zms, 'sports')
      assert.deepEqual(await bare(attribute), [
        { domain: { enabled: true, name: 'sports', ...held, modified, ...members } },
      ])
    })
  }

  for (const attribute of ['azuresubscription', 'ypmid', 'productid', 'businessservice', 'externalmembervalidator']) {
    test(`leaves out a domain without ${attribute}`, async () => assert.deepEqual(await bare(attribute), []))
  }

  test('tells all settings, without those that only the domain itself tells', async () => {
    const [{ domain }] = await bare('all')
    assert.deepEqual(domain, {
      description: 'a "quoted" text',
      enabled: true,
      auditEnabled: false,
      account: '111',
      awsAccountName: 'main',
      ypmId: 0,
      tokenExpiryMins: 7,
      gcpProject: 'proj',
      gcpProjectNumber: '1',
      x509CertSignerKeyId: 'x',
      costCenter: 'c1',
      tags: { k: { list: ['v'] } },
      contacts: { owner: 'user.a' },
      name: 'sports',
      ...held,
      modified: await modifiedOf(zms, 'sports'),
    })
  })
})

describe('getSignedDomains of all domains', () => {
  test('lists those modified in the second of the tag and later, oldest first, with the newest as tag', async () => {
    const plain = (await zms.domain('plain')).modified
    const endOfSecond = plain - (plain % 1000) + 999
    const answer = await zms.get('/sys/modified_domains?metaonly=true', tagged(endOfSecond))
    assert.deepEqual(names(answer).slice(-2), ['plain', 'sports'])
    assert.equal(answer.headers['etag'], `"${await modifiedOf(zms, 'sports')}"`)
    const later = await zms.get('/sys/modified_domains?metaonly=true', tagged(endOfSecond + 1))
    assert.deepEqual(names(later), ['sports'])
  })

  test('lists all of them without a tag', async () => {
    const answer = await zms.get('/sys/modified_domains?metaonly=true')
    assert.deepEqual(names(answer).toSorted(), await zms.store.domainNames())
  })

  test('answers 304 with the tag of the request when there is nothing so young', async () => {
    const { status, headers } = await zms.get('/sys/modified_domains?metaonly=true', tagged('2099-01-01'))
    assert.deepEqual([status, headers], [304, { etag: '"2099-01-01T00:00:00.000Z"' }])
  })

  test('lists the domains with a setting, and all settings without tags and contacts', async () => {
    assert.deepEqual(names(await zms.get('/sys/modified_domains?metaonly=true&metaattr=account')), ['sports'])
    const { body } = await zms.get('/sys/modified_domains?metaonly=true&metaattr=all')
    const { domain } = body.domains.at(-1)
    assert.deepEqual(
      [domain.name, domain.account, domain.tags, domain.contacts],
      ['sports', '111', undefined, undefined],
    )
  })

  test('signs all domains for a system service that asks for the master copy', async () => {
    const { body } = await zms.get('/sys/modified_domains?master=true', { as: 'sys.auth.zts' })
    assert.ok(body.domains.length > 2)
    for (const { domain, signature } of body.domains) {
      const text = canonicalText(domain, canonicalShapes.domain)
      assert.ok(await verifySignature(ecSigner.publicKey, text, decodeYBase64(signature)))
    }
  })

  const refused: { who: string; as: string; query: string; properties?: Record<string, string> }[] = [
    { who: 'a user', as: 'user.admin', query: 'master=true' },
    { who: 'another service', as: 'sports.api', query: 'master=true' },
    { who: 'a system service that does not ask for the master copy', as: 'sys.auth.zts', query: 'metaonly=false' },
    {
      who: 'anybody in read-only mode',
      as: 'sys.auth.zts',
      query: 'master=true',
      properties: { read_only_mode: 'true' },
    },
  ]
  for (const { who, as, query, properties } of refused) {
    test(`refuses to sign all domains for ${who}`, async () => {
      const { status, body } = await (properties ? await world({ properties }) : zms).get(
        `/sys/modified_domains?${query}`,
        { as },
      )
      assert.deepEqual(
        [status, body.message],
        [400, 'getSignedDomains: all domains at once are for system services only; ask with metaonly=true'],
      )
    })
  }

  test('signs all domains for system services when the master copy is configured', async () => {
    const configured = await world({ properties: { master_copy_for_signed_domains: 'true' } })
    assert.equal((await configured.get('/sys/modified_domains', { as: 'sys.auth.zts' })).status, 200)
    assert.equal((await configured.get('/sys/modified_domains', { as: 'user.admin' })).status, 400)
  })
})

const decode = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString())

const credsFor = async (server: Harness, as: string) =>
  decode((await server.get('/domain/sports/signed', { as })).body.payload).services[0].creds

describe('getJWSDomain', () => {
  const cases: { name: string; signer: Signer; query: string; alg: string; encoding: 'der' | 'ieee-p1363' }[] = [
    { name: 'an EC key, by default in ASN.1', signer: ecSigner, query: '', alg: 'ES256', encoding: 'der' },
    {
      name: 'an EC key, as the standards want it',
      signer: ecSigner,
      query: '?signaturep1363format=true',
      alg: 'ES256',
      encoding: 'ieee-p1363',
    },
    { name: 'an RSA key', signer: rsaSigner, query: '?signaturep1363format=true', alg: 'RS256', encoding: 'der' },
  ]
  for (const { name, signer, query, alg, encoding } of cases) {
    test(`signs with ${name}`, async () => {
      const { body, headers } = await (signer === ecSigner ? zms : await world({ signer })).get(
        `/domain/sports/signed${query}`,
      )
      const protectedText = Buffer.from(body.protected, 'base64url').toString()
      assert.equal(protectedText, `{"kid":"${signer.keyId}","alg":"${alg}"}`)
      assert.deepEqual(body.header, { kid: signer.keyId })
      const key = { key: signer.publicKey, dsaEncoding: encoding }
      const input = Buffer.from(`${body.protected}.${body.payload}`)
      assert.ok(verify('sha256', input, key, Buffer.from(body.signature, 'base64url')))
      assert.equal(headers['etag'], `"${decode(body.payload).modified}"`)
    })
  }

  test('tells all versions of policies with conditions, and signs those in force', async () => {
    const { policies, auditEnabled, gcpProject, userAuthorityFilter } = decode(
      (await zms.get('/domain/sports/signed')).body.payload,
    )
    const versions = policies.contents.policies.map(
      ({ name, version, active }: { name: string; version: string; active: boolean }) => `${name} ${version} ${active}`,
    )
    assert.deepEqual(versions, ['sports:policy.admin 0 true', 'sports:policy.p 0 true', 'sports:policy.p 1 false'])
    assert.ok(policies.contents.policies[1].assertions[0].conditions)
    const inForce = policies.contents.policies.filter(({ active }: { active: boolean }) => active)
    const text = canonicalText({ domain: 'sports', policies: inForce }, canonicalShapes.contents)
    assert.ok(await verifySignature(ecSigner.publicKey, text, decodeYBase64(policies.signature)))
    assert.deepEqual([auditEnabled, gcpProject, userAuthorityFilter], [false, 'proj', undefined])
  })

  test('tells credentials to those with the right when the server has their key', async () => {
    const withKey = await world({ credentials: true })
    assert.equal(await credsFor(withKey, 'user.admin'), 'cipher text')
    assert.equal(await credsFor(withKey, 'user.eve'), undefined)
    assert.equal(await credsFor(zms, 'user.admin'), undefined)
  })

  test('answers 304 to its own tag', async () => {
    const modified = await modifiedOf(zms, 'sports')
    const { status, headers } = await zms.get('/domain/sports/signed', tagged(modified))
    assert.deepEqual([status, headers], [304, { etag: `"${modified}"` }])
    assert.equal((await zms.get('/domain/sports/signed', tagged(Date.parse(modified) - 1))).status, 200)
  })

  test('answers 404 for a domain that does not exist', async () => {
    const { status, body } = await zms.get('/domain/nosuch/signed')
    assert.deepEqual([status, body.message], [404, 'No such domain: nosuch'])
  })
})
