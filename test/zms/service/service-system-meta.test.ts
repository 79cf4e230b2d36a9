import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { serviceIdentityService } from '#zms/service/service-identity.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { authorizing } from './objects.ts'

const services = [serviceIdentityService]
const API = '/domain/sports/service/api'
const meta = (attribute: string, service = 'api') => `/domain/sports/service/${service}/meta/system/${attribute}`
const UNAUTHORIZED = refusal(403, 'putServiceIdentitySystemMeta: Unauthorized update for service system meta attribute')

const zms = await Harness.open({ services, properties: { audit_ref_check_objects: 'service' } })
beforeEach(async () => {
  await zms.createDomain('sports')
  await zms.put(API, { name: 'sports.api', description: 'Scores' })
})

const all = {
  providerEndpoint: 'https://api.example.com/x',
  x509CertSignerKeyId: 'x',
  sshCertSignerKeyId: 's',
  clientId: 'Client',
  featureFlags: 1,
}

describe('putServiceIdentitySystemMeta', () => {
  for (const [name, value] of Object.entries(all)) {
    test(`sets ${name} alone, and clears it when it is empty or left out`, async () => {
      const others = Object.fromEntries(Object.entries(all).filter(([other]) => other !== name))
      assert.deepEqual(await zms.put(meta(name), all), NOTHING)
      const { body } = await zms.get(API)
      assert.equal(body[name], value)
      assert.equal(body.description, 'Scores')
      for (const other of Object.keys(others)) assert.equal(body[other], undefined)
      const empty = typeof value === 'number' ? 0 : ''
      for (const cleared of [{ [name]: empty }, others]) {
        await zms.put(meta(name), all)
        assert.deepEqual(await zms.put(meta(name.toLowerCase()), cleared), NOTHING)
        assert.equal((await zms.get(API)).body[name], undefined)
      }
    })
  }

  test('takes the right over this attribute in sys.auth', async () => {
    assert.deepEqual(await zms.put(meta('clientid'), all, { as: 'user.owner' }), UNAUTHORIZED)
    await zms.store.transact(['sys.auth'], (transaction) => {
      const place = { domain: 'sys.auth', policy: 'clients', version: '0' }
      transaction.apply(
        { kind: 'putRole', domain: 'sys.auth', value: { name: 'clients', modified: 0, created: 0 } },
        { kind: 'putRoleMember', domain: 'sys.auth', role: 'clients', value: { memberName: 'user.owner' } },
        {
          kind: 'putPolicy',
          domain: 'sys.auth',
          value: { name: 'clients', version: '0', active: true, modified: 0, created: 0 },
        },
        {
          kind: 'putAssertion',
          ...place,
          value: {
            role: 'clients',
            resource: 'sys.auth:meta.service.clientid.sports',
            action: 'update',
            effect: 'ALLOW',
          },
        },
      )
    })
    assert.deepEqual(await zms.put(meta('clientid'), all, { as: 'user.owner' }), NOTHING)
    assert.deepEqual(await zms.put(meta('featureflags'), all, { as: 'user.owner' }), UNAUTHORIZED)
  })

  test('refuses what is not there, then who may not, then attributes nobody knows', async () => {
    const eve = { as: 'user.eve' }
    assert.deepEqual(
      await zms.put('/domain/nosuch/service/api/meta/system/colour', {}, eve),
      refusal(404, 'putservicesystemmeta: Unknown domain: nosuch'),
    )
    assert.deepEqual(
      await zms.put(meta('colour', 'none'), {}, eve),
      refusal(404, 'putservicesystemmeta: Unknown service: none'),
    )
    assert.deepEqual(await zms.put(meta('colour'), {}, eve), UNAUTHORIZED)
    assert.deepEqual(await zms.put(meta('colour'), {}), refusal(400, 'unknown service system meta attribute: colour'))
  })

  test('judges the endpoint only where it is set', async () => {
    const body = { ...all, providerEndpoint: 'ftp://localhost/x' }
    assert.deepEqual(
      await zms.put(meta('providerendpoint'), body),
      refusal(
        400,
        'putServiceIdentitySystemMeta: Invalid endpoint: ftp://localhost/x - must be http(s) and in configured domain',
      ),
    )
    assert.deepEqual(await zms.put(meta('clientid'), body), NOTHING)
  })

  test('goes by another name in messages, in the audit log and for authorized services', async () => {
    await zms.put(meta('clientid'), all)
    assert.equal(zms.audit.at(-1)?.api, 'putservicesystemmeta')
    await zms.createDomain('sports', { auditEnabled: true })
    await zms.put(API, { name: 'sports.api' }, { headers: { 'Y-Audit-Ref': 'ticket' } })
    assert.deepEqual(
      await zms.put(meta('clientid'), all),
      refusal(400, 'putservicesystemmeta: Audit reference required for domain: sports'),
    )
    const parts = { authorizedServices: authorizing('ui.server', 'putservicesystemmeta') }
    const chained = await Harness.open({ services, parts })
    await chained.createDomain('sports')
    await chained.put(API, { name: 'sports.api' })
    const through = (authorizedService: string) => ({ principal: { authorizedService } })
    assert.deepEqual(await chained.put(meta('clientid'), all, through('ui.server')), NOTHING)
    assert.deepEqual(
      await chained.put(meta('clientid'), all, through('ui.other')),
      refusal(403, 'Unauthorized Service ui.other'),
    )
  })
})

describe('a service takes a client id for itself', () => {
  /** A server and domain that allow it or not, with a service that holds the right to the client id `mine`. */
  async function prepared(server: boolean, domain: boolean) {
    const own = await Harness.open({ services, properties: { client_id_self_update: String(server) } })
    await own.createDomain('sports', { clientIdSelfUpdate: domain })
    await own.put(API, { name: 'sports.api' })
    await own.put('/domain/sports/service/other', { name: 'sports.other' })
    await own.store.transact(['sports'], (transaction) => {
      const place = { domain: 'sports', policy: 'clients', version: '0' }
      transaction.apply(
        { kind: 'putRole', domain: 'sports', value: { name: 'clients', modified: 0, created: 0 } },
        { kind: 'putRoleMember', domain: 'sports', role: 'clients', value: { memberName: 'sports.api' } },
        {
          kind: 'putPolicy',
          domain: 'sports',
          value: { name: 'clients', version: '0', active: true, modified: 0, created: 0 },
        },
        {
          kind: 'putAssertion',
          ...place,
          value: {
            role: 'clients',
            resource: 'sports:service.*.clientid.mine',
            action: 'update',
            effect: 'ALLOW',
          },
        },
      )
    })
    return own
  }
  const api = { as: 'sports.api' }

  test('where server and domain allow it', async () => {
    const own = await prepared(true, true)
    assert.deepEqual(await own.put(meta('clientid'), { clientId: 'Mine' }, api), NOTHING)
    assert.deepEqual(await own.put(meta('clientid'), { clientId: 'theirs' }, api), UNAUTHORIZED)
    assert.deepEqual(await own.put(meta('clientid'), {}, api), UNAUTHORIZED)
    assert.deepEqual(await own.put(meta('clientid', 'other'), { clientId: 'mine' }, api), UNAUTHORIZED)
    assert.deepEqual(await own.put(meta('featureflags'), { clientId: 'mine', featureFlags: 1 }, api), UNAUTHORIZED)
    assert.equal((await own.get(API)).body.clientId, 'Mine')
  })

  for (const [server, domain] of [
    [true, false],
    [false, true],
  ] as const) {
    test(`not when the server says ${server} and the domain ${domain}`, async () => {
      const own = await prepared(server, domain)
      assert.deepEqual(await own.put(meta('clientid'), { clientId: 'mine' }, api), UNAUTHORIZED)
    })
  }
})
