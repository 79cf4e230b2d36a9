import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { domainService } from '#zms/service/domain.ts'
import { Harness, type HarnessOptions, refusal } from './harness.ts'
import { commit, quotaOf } from './objects.ts'

const services = [domainService]
const zms = await Harness.open({ services })
const ADMINS = { adminUsers: ['user.admin'] }

const create = (name: string, more: object = {}, on: Harness = zms) =>
  on.call('POST', '/domain', { name, ...ADMINS, ...more })
const createBelow = (parent: string, name: string, more: object = {}, on: Harness = zms, as = 'user.admin') =>
  on.call('POST', `/subdomain/${parent}`, { parent, name, ...ADMINS, ...more }, { as })

/** A harness of its own, with the domain `sports`. */
async function other(options: Omit<HarnessOptions, 'services'>): Promise<Harness> {
  const harness = await Harness.open({ services, ...options })
  await harness.createDomain('sports')
  return harness
}

beforeEach(async () => {
  await zms.createDomain('sports')
})

describe('the answer to who creates a domain', () => {
  test('repeats zeros and empty texts, which reading leaves out', async () => {
    const numbers = {
      memberExpiryDays: 0,
      serviceExpiryDays: 0,
      groupExpiryDays: 0,
      tokenExpiryMins: 0,
      serviceCertExpiryMins: 0,
      roleCertExpiryMins: 0,
      memberPurgeExpiryDays: 0,
      featureFlags: 0,
    }
    const texts = {
      signAlgorithm: '',
      businessService: '',
      environment: '',
      x509CertSignerKeyId: '',
      sshCertSignerKeyId: '',
      slackChannel: '',
      onCall: '',
      externalMemberValidator: '',
      costCenter: '',
    }
    const left = { description: '', applicationId: '', account: '', certDnsDomain: '', enabled: false, ypmId: 7 }
    const { status, body } = await create('plain', { ...numbers, ...texts, ...left })
    assert.equal(status, 200)
    const { id, modified, ...rest } = body
    const always = { auditEnabled: false, autoDeleteTenantAssumeRoleAssertions: false, clientIdSelfUpdate: false }
    assert.deepEqual(rest, { name: 'plain', ypmId: 0, ...always, ...numbers, ...texts })
    const read = (await zms.get('/domain/plain')).body
    assert.deepEqual(read, { name: 'plain', ypmId: 0, enabled: true, ...always, id, modified })
    await zms.delete('/domain/plain')
  })

  test('repeats tags as they were written', async () => {
    const tags = { a: { list: ['1', '1'] }, b: { list: [] } }
    assert.deepEqual((await create('tagged', { tags })).body.tags, tags)
    assert.deepEqual((await zms.get('/domain/tagged')).body.tags, { a: { list: ['1'] } })
    await zms.delete('/domain/tagged')
  })

  test('has what a sub domain took over instead of what was asked for', async () => {
    await zms.createDomain('sports', { org: 'club', x509CertSignerKeyId: 'k1', auditEnabled: true })
    const { body } = await createBelow('sports', 'api', {
      org: 'other',
      x509CertSignerKeyId: '',
      sshCertSignerKeyId: '',
    })
    assert.deepEqual(
      [body.org, body.x509CertSignerKeyId, body.sshCertSignerKeyId, body.auditEnabled],
      ['club', 'k1', undefined, true],
    )
    await zms.delete('/subdomain/sports/api')
  })
})

describe('contacts of a new domain', () => {
  const properties = { domain_contact_types: 'owner,security' }

  test('are those with a name', async () => {
    const harness = await other({ properties })
    assert.equal((await create('plain', { contacts: { owner: 'user.a', security: '' } }, harness)).status, 200)
    assert.deepEqual((await harness.get('/domain/plain')).body.contacts, { owner: 'user.a' })
  })
})

describe('the order in which a new domain is refused', () => {
  const quota = quotaOf({ subdomain: 1 })

  test('asks for the domains of administrators last', async () => {
    const adminUsers = ['nowhere.api']
    assert.deepEqual(await create('sports', { adminUsers }), refusal(400, 'Domain name conflict: sports'))
    assert.deepEqual(await create('fresh', { adminUsers }), refusal(404, 'unknown domain - nowhere.api'))
    await zms.createDomain('media', { account: '123' })
    assert.deepEqual(
      await create('fresh', { adminUsers, account: '123' }),
      refusal(400, 'Account Id: 123 is already assigned to domain: media'),
    )
    assert.equal((await create('fresh', { adminUsers: ['fresh.api'] })).status, 200)
    await zms.delete('/domain/fresh')
  })

  test('asks for room below the top before it looks for domains of the same name', async () => {
    await commit(zms, { kind: 'putQuota', domain: 'sports', value: quota })
    assert.equal((await createBelow('sports', 'api')).status, 200)
    const full = refusal(429, 'subdomain quota exceeded - limit: 1 actual: 2')
    assert.deepEqual(await createBelow('sports', 'api'), full)
    await zms.delete('/subdomain/sports/api')
  })

  test('counts personal domains only where a quota was set', async () => {
    const harness = await other({ properties: { quota_subdomain: '0' } })
    const createOwn = (name: string) => harness.call('POST', `/userdomain/${name}`, { name }, { as: `user.${name}` })
    assert.equal((await createOwn('ann')).status, 200)
    await commit(harness, { kind: 'putQuota', domain: 'user', value: { ...quota, subdomain: 2 } })
    assert.equal((await createOwn('bob')).status, 200)
    const full = refusal(429, 'subdomain quota exceeded - limit: 2 actual: 3')
    assert.deepEqual(await createOwn('cid'), full)
  })

  test('asks for room below a personal domain before all that the request says', async () => {
    const harness = await other({ properties: { virtual_domain_limit: '1' } })
    await harness.createDomain('user.joe')
    await harness.createDomain('user.joe.one')
    const full = refusal(403, 'postSubDomain: Exceeding the configured number of virtual subdomains')
    assert.deepEqual(await createBelow('user.joe', 'one', { adminUsers: [] }, harness, 'user.owner'), full)
    assert.deepEqual(
      await createBelow('user.joe', 'two', { templates: { templateNames: ['nosuch'] } }, harness, 'user.owner'),
      full,
    )
  })

  test('asks for the domain above before the administrators', async () => {
    assert.deepEqual(
      await createBelow('user.joe', 'one', { adminUsers: [] }, zms, 'user.joe'),
      refusal(404, 'Invalid parent domain: user.joe'),
    )
  })
})

describe('administrators of a new domain', () => {
  const userAuthority: Authority = {
    id: 'Auth-USERS',
    credentialSource: 'header',
    allowAuthorization: true,
    booleanAttributes: () => new Set(['employee']),
    isAttributeSet: (name) => name === 'user.admin',
  }
  const lacking = refusal(
    400,
    'Required user authority filter employee not valid for the member. For more information, see ',
  )

  test('have what its filter asks for', async () => {
    const harness = await other({ userAuthority })
    const userAuthorityFilter = 'employee'
    assert.deepEqual(await create('fresh', { userAuthorityFilter, adminUsers: ['user.eve'] }, harness), lacking)
    assert.equal((await create('fresh', { userAuthorityFilter }, harness)).status, 200)
  })

  test('have what the filter of the domain above asks for', async () => {
    const harness = await other({ userAuthority })
    await harness.createDomain('sports', { userAuthorityFilter: 'employee' })
    assert.deepEqual(await createBelow('sports', 'api', { adminUsers: ['user.eve'] }, harness), lacking)
    assert.equal((await createBelow('sports', 'api', {}, harness)).status, 200)
  })
})

describe('the product number', () => {
  test('of a top-level domain must be positive', async () => {
    const harness = await other({ properties: { product_id_support: 'true' } })
    const refused = refusal(400, 'Product Id must be a positive integer')
    assert.deepEqual(await create('fresh', { ypmId: 0 }, harness), refused)
    assert.equal((await create('fresh', { ypmId: 1 }, harness)).body.ypmId, 1)
  })
})

describe('settings of the operators', () => {
  const settings = {
    account: 'b d',
    awsAccountName: 'a',
    azureSubscription: 'a',
    gcpProject: 'a',
    ypmId: -1,
    productId: 'a',
    certDnsDomain: 'a',
    org: 'a',
    userAuthorityFilter: 'a',
    featureFlags: 1,
    externalMemberValidator: 'a',
    costCenter: 'a',
    x509CertSignerKeyId: 'a',
    sshCertSignerKeyId: 'a',
  }

  test('are not for those who make domains below theirs, or of their own', async () => {
    const harness = await other({ properties: { product_id_support: 'true' } })
    const own = () => harness.call('POST', '/userdomain/joe', { name: 'joe', ...settings }, { as: 'user.joe' })
    const made = [await createBelow('sports', 'api', settings, harness), await own()]
    for (const { status, body } of made) {
      assert.equal(status, 200)
      const { body: read } = await harness.get(`/domain/${body.name}`)
      for (const setting of Object.keys(settings)) {
        assert.equal(body[setting], undefined, setting)
        assert.equal(read[setting], setting === 'ypmId' ? 0 : undefined, setting)
      }
    }
  })
})

describe('settings that have a form', () => {
  const names = [
    'applicationId',
    'x509CertSignerKeyId',
    'sshCertSignerKeyId',
    'azureSubscription',
    'azureTenant',
    'azureClient',
    'gcpProject',
  ]
  for (const name of names) {
    test(`${name} is a name`, async () => {
      const { status, body } = await create('fresh', { [name]: 'b d' })
      assert.equal(status, 400)
      assert.match(body.message, /^Invalid CompoundName error: /)
    })
  }

  test('feature flags are not negative', async () => {
    assert.deepEqual(await create('fresh', { featureFlags: -1 }), refusal(400, 'featureFlags cannot be negative'))
  })
})

describe('the length of names', () => {
  test('is 128 where less than 10 is asked for', async () => {
    const harness = await other({ properties: { domain_name_max_len: '9' } })
    assert.deepEqual(
      await create('a'.repeat(129), {}, harness),
      refusal(400, `Invalid Domain name: ${'a'.repeat(129)} : name length cannot exceed: 128`),
    )
    assert.equal((await create('a'.repeat(128), {}, harness)).status, 200)
  })
})

describe('the list of domains', () => {
  test('skips only names that it has', async () => {
    await zms.createDomain('sports.api')
    await zms.createDomain('sports.web')
    const list = async (query: string) => (await zms.get(`/domain?prefix=sports&${query}`)).body.names
    assert.deepEqual(await list('skip=sports.api'), ['sports.web'])
    assert.deepEqual(await list('depth=0&skip=sports.api'), ['sports'])
    assert.deepEqual(await list('depth=1&skip=sports.api'), ['sports.web'])
    const since = { headers: { 'If-Modified-Since': new Date(zms.clock.millis + 3_600_000).toUTCString() } }
    zms.clock.millis += 7_200_000
    await zms.store.transact(['sports.web'], (transaction) =>
      transaction.apply({ kind: 'touchDomain', domain: 'sports.web' }),
    )
    const { body } = await zms.get('/domain?prefix=sports&skip=sports.api', since)
    assert.deepEqual(body.names, ['sports.web'])
    assert.deepEqual((await zms.get('/domain?prefix=sports&skip=sports.web', since)).body.names, [])
    for (const name of ['sports.api', 'sports.web']) {
      await zms.store.transact([name], (transaction) => transaction.apply({ kind: 'deleteDomain', domain: name }))
    }
  })

  test('knows members under the alias of the user domain', async () => {
    const config = { ...zms.deps.config, userDomainAlias: 'unix' }
    const aliased = await other({ parts: { config } })
    assert.deepEqual((await aliased.get('/domain?member=unix.owner')).body, { names: ['sports'] })
  })
})

describe('a deletion through an authorized service', () => {
  test('is refused first, but for sub domains whose existence and rights come before', async () => {
    const harness = await other({ parts: { authorizedServices: AuthorizedServices.none() } })
    const principal = { authorizedService: 'media.ui' }
    const refused = refusal(403, 'Unauthorized Service media.ui')
    assert.deepEqual(await harness.delete('/domain/sys', { principal }), refused)
    const missing = refusal(404, 'Domain not found: sports.nosuch')
    assert.deepEqual(await harness.delete('/subdomain/sports/nosuch', { principal }), missing)
    await harness.createDomain('sports.api')
    assert.deepEqual(await harness.delete('/subdomain/sports/api', { principal }), refused)
  })
})
