import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { domainService } from '#zms/service/domain.ts'
import { domainMetaService } from '#zms/service/domain-meta.ts'
import type { DomainMetaStore } from '#zms/service/domain-meta-store.ts'
import { timestamp } from '#zms/service/wire-form.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { authorizing, commit, group, role } from './objects.ts'

const DAY_MILLIS = 86_400_000
const services = [domainMetaService]
const META = '/domain/sports/meta'

const zms = await Harness.open({ services, properties: { domain_contact_types: 'security-contact,owner' } })
beforeEach(() => zms.createDomain('sports'))

const wholeSeconds = (millis: number) => Math.floor(millis / 1000) * 1000
const inDays = (days: number) => wholeSeconds(zms.clock.millis + days * DAY_MILLIS)

describe('putDomainMeta', () => {
  test('replaces what is named, and clears by 0 and empty text', async () => {
    await zms.put(META, {
      memberExpiryDays: 30,
      signAlgorithm: 'EC',
      slackChannel: 'general',
      memberPurgeExpiryDays: -1,
    })
    const first = await zms.domain('sports')
    assert.equal(first.memberExpiryDays, 30)
    assert.equal(first.signAlgorithm, 'ec')
    assert.equal(first.memberPurgeExpiryDays, -1)
    await zms.put(META, { memberExpiryDays: 0, slackChannel: '' })
    const second = await zms.domain('sports')
    assert.equal(second.memberExpiryDays, undefined)
    assert.equal(second.slackChannel, undefined)
    assert.equal(second.signAlgorithm, 'ec')
  })

  test('clears description, application and switches that are not named', async () => {
    const all = {
      description: 'd',
      applicationId: 'a',
      autoDeleteTenantAssumeRoleAssertions: true,
      clientIdSelfUpdate: true,
    }
    await zms.put(META, all)
    assert.equal((await zms.domain('sports')).clientIdSelfUpdate, true)
    await zms.put(META, {})
    const domain = await zms.domain('sports')
    assert.equal(domain.description, undefined)
    assert.equal(domain.applicationId, undefined)
    assert.equal(domain.autoDeleteTenantAssumeRoleAssertions, false)
    assert.equal(domain.clientIdSelfUpdate, false)
  })

  test('changes nothing where somebody else has changed the domain since it was read, for those who ask for that', async () => {
    const read = timestamp((await zms.domain('sports')).modified)
    const since = (modified = '', description = '') => zms.put(`${META}?unchangedSince=${modified}`, { description })
    await zms.put(META, { description: 'of somebody else' })
    assert.deepEqual(await since(read, 'late'), refusal(409, `putdomainmeta: sports was changed after ${read}`))
    assert.equal((await since('never', 'late')).status, 409)
    const { description, modified } = await zms.domain('sports')
    assert.equal(description, 'of somebody else')
    assert.deepEqual(await since(timestamp(modified), 'in time'), NOTHING)
    assert.equal((await zms.domain('sports')).description, 'in time')
  })

  test('leaves what belongs to the operators, and what the domain holds', async () => {
    await commit(zms, ...role('sports', 'readers', ['user.alice']))
    await zms.put(META, { account: '123', org: 'x', enabled: false, auditEnabled: true, costCenter: 'c' })
    const domain = await zms.domain('sports')
    assert.equal(domain.account, undefined)
    assert.equal(domain.enabled, true)
    assert.equal(domain.auditEnabled, false)
    assert.ok(domain.roles.get('readers')?.members.has('user.alice'))
  })

  test('replaces tags by others, not by none', async () => {
    await zms.put(META, { tags: { a: { list: ['1', '1'] }, b: { list: ['2'] } } })
    await zms.put(META, { tags: {} })
    await zms.put(META, {})
    assert.deepEqual(
      [...((await zms.domain('sports')).tags ?? [])],
      [
        ['a', ['1']],
        ['b', ['2']],
      ],
    )
    await zms.put(META, { tags: { c: { list: ['3'] } } })
    assert.deepEqual([...((await zms.domain('sports')).tags?.keys() ?? [])], ['c'])
  })

  test('refuses more tag values than allowed', async () => {
    const list = Array.from({ length: 26 }, (_, index) => `v${index}`)
    assert.deepEqual(
      await zms.put(META, { tags: { a: { list } } }),
      refusal(400, 'domain tag quota exceeded - limit: 25, current tags count: 0, new tags count: 26'),
    )
  })

  test('replaces contacts as a whole; an empty name removes one, no map changes nothing', async () => {
    await zms.put(META, { contacts: { 'security-contact': 'user.alice', owner: 'user.bob' } })
    await zms.put(META, {})
    assert.equal((await zms.domain('sports')).contacts?.size, 2)
    await zms.put(META, { contacts: { 'security-contact': 'user.carol', owner: '' } })
    assert.deepEqual([...((await zms.domain('sports')).contacts ?? [])], [['security-contact', 'user.carol']])
    await zms.put(META, { contacts: {} })
    assert.equal((await zms.domain('sports')).contacts, undefined)
  })

  const refused: readonly (readonly [object, string])[] = [
    [{ memberExpiryDays: -1 }, 'memberExpiryDays cannot be negative'],
    [{ tokenExpiryMins: -1 }, 'tokenExpiryMins cannot be negative'],
    [{ ypmId: -1 }, 'ypmId cannot be negative'],
    [{ featureFlags: -1 }, 'featureFlags cannot be negative'],
    [{ applicationId: 'b d' }, 'Invalid CompoundName error: applicationId b d is not a compound name'],
    [{ environment: 'moon' }, 'invalid environment for domain'],
    [{ contacts: { boss: 'user.alice' } }, 'invalid domain contact type: boss'],
  ]
  for (const [body, message] of refused) {
    test(`refuses ${JSON.stringify(body)}`, async () => {
      const { modified } = await zms.domain('sports')
      assert.deepEqual(await zms.put(META, body), refusal(400, message))
      assert.equal((await zms.domain('sports')).modified, modified)
    })
  }

  test('needs the right, in a domain that exists', async () => {
    assert.deepEqual(await zms.put(META, {}, { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.deepEqual(await zms.put('/domain/none/meta', {}), refusal(404, 'Domain not found'))
    assert.deepEqual(await zms.put(META, {}, { as: 'user.owner' }), NOTHING)
  })

  test('needs an audit reference where domains do', async () => {
    const audited = await Harness.open({ services, properties: { audit_ref_check_objects: 'domain' } })
    await audited.createDomain('sports', { auditEnabled: true })
    assert.deepEqual(
      await audited.put(META, {}),
      refusal(400, 'putdomainmeta: Audit reference required for domain: sports'),
    )
    assert.deepEqual(
      await audited.put('/domain/sports/ownership', {}),
      refusal(400, 'putresourcedomainownership: Audit reference required for domain: sports'),
    )
    assert.deepEqual(await audited.put(META, {}, { headers: { 'Y-Audit-Ref': 'why' } }), NOTHING)
    assert.equal(audited.audit.at(-1)?.why, 'why')
  })

  test('so does the deletion of a domain', async () => {
    const properties = { audit_ref_check_objects: 'domain' }
    const audited = await Harness.open({ services: [domainService], properties })
    await audited.createDomain('sports', { auditEnabled: true })
    assert.deepEqual(
      await audited.delete('/domain/sports'),
      refusal(400, 'deletetopleveldomain: Audit reference required for domain: sports'),
    )
    assert.deepEqual(await audited.delete('/domain/sports', { headers: { 'Y-Audit-Ref': 'why' } }), NOTHING)
  })

  test('respects the owner of the settings', async () => {
    assert.deepEqual(await zms.put(META, {}, { headers: { 'Athenz-Resource-Owner': 'TF' } }), NOTHING)
    assert.deepEqual(await zms.put(META, {}), refusal(409, 'Domain has a resource owner: TF'))
    assert.deepEqual(
      await zms.put(META, {}, { headers: { 'Athenz-Resource-Owner': 'ui' } }),
      refusal(409, 'Invalid resource owner for domain: sports, TF vs. ui'),
    )
    assert.deepEqual(await zms.put(META, {}, { headers: { 'Athenz-Resource-Owner': 'ui:force' } }), NOTHING)
    assert.deepEqual([...((await zms.domain('sports')).resourceOwnership ?? [])], [['meta', 'ui']])
  })

  test('is refused to a service that may not act so for users', async () => {
    const principal = { authorizedService: 'media.ui' }
    assert.deepEqual(await zms.put(META, {}, { principal }), refusal(403, 'Unauthorized Service media.ui'))
    const authorizedServices = authorizing('media.ui', 'putdomainmeta')
    const other = await Harness.open({ services, parts: { authorizedServices } })
    await other.createDomain('sports')
    assert.deepEqual(await other.put(META, {}, { principal }), NOTHING)
  })
})

const expirationOf = async (name: string, member: string) =>
  (await zms.domain('sports')).roles.get(name)?.members.get(member)?.expiration

describe('days that get shorter limit the members', () => {
  test('of roles and groups without days of their own, by the kind of member', async () => {
    const soon = inDays(5)
    const own = { memberExpiryDays: 90 }
    await commit(
      zms,
      ...role('sports', 'readers', ['user.alice', 'media.api', { memberName: 'user.bob', expiration: soon }]),
      ...role('sports', 'long', [{ memberName: 'user.alice', expiration: inDays(80) }, 'media.api'], own),
      ...group('sports', 'team', ['user.alice']),
    )
    await zms.put(META, { memberExpiryDays: 30 })
    assert.equal(await expirationOf('readers', 'user.alice'), inDays(30))
    assert.equal(await expirationOf('readers', 'user.bob'), soon)
    assert.equal(await expirationOf('readers', 'media.api'), undefined)
    assert.equal(await expirationOf('long', 'user.alice'), inDays(80))
    assert.equal((await zms.domain('sports')).groups.get('team')?.members.get('user.alice')?.expiration, inDays(30))
    await zms.put(META, { serviceExpiryDays: 10 })
    assert.equal(await expirationOf('readers', 'media.api'), inDays(10))
    assert.equal(await expirationOf('long', 'media.api'), inDays(10))
    assert.equal(await expirationOf('readers', 'user.alice'), inDays(30))
  })

  test('but days that get longer or end do not', async () => {
    await zms.put(META, { memberExpiryDays: 30 })
    await commit(zms, ...role('sports', 'readers', [{ memberName: 'user.alice', expiration: inDays(90) }, 'user.bob']))
    await zms.put(META, { memberExpiryDays: 60 })
    await zms.put(META, { memberExpiryDays: 60 })
    await zms.put(META, { memberExpiryDays: 0 })
    assert.equal(await expirationOf('readers', 'user.alice'), inDays(90))
    assert.equal(await expirationOf('readers', 'user.bob'), undefined)
  })
})

describe('the inventory of values', () => {
  const asked: unknown[] = []
  const domainMetaStore: DomainMetaStore = {
    isValid: (attribute, domain, value) => {
      asked.push([attribute, domain, value])
      return value.startsWith('good')
    },
    validValues: async (attribute, user) => [`${attribute} of ${user ?? 'all'}`],
  }

  test('is asked about business service and on-call team', async () => {
    const other = await Harness.open({ services, parts: { domainMetaStore } })
    await other.createDomain('sports')
    assert.deepEqual(
      await other.put(META, { businessService: 'bad' }),
      refusal(400, 'invalid business service name for domain'),
    )
    assert.deepEqual(
      await other.put(META, { onCall: 'bad' }),
      refusal(400, 'invalid on-call support team id/name for domain'),
    )
    asked.length = 0
    assert.deepEqual(await other.put(META, { businessService: 'good1', onCall: '' }), NOTHING)
    assert.deepEqual(asked, [['businessService', 'sports', 'good1']])
    assert.deepEqual(await other.put(META, { businessService: 'good1' }), NOTHING)
    assert.equal(asked.length, 1, 'not about what the domain has')
    const list = await other.get('/domain/metastore?attribute=onCall&user=Alice')
    assert.deepEqual(list.body, { validValues: ['onCall of alice'] })
    const all = await other.get('/domain/metastore?attribute=onCall&user=')
    assert.deepEqual(all.body, { validValues: ['onCall of all'] })
  })

  test('is asked about new domains', async () => {
    const other = await Harness.open({ services: [domainService], parts: { domainMetaStore } })
    const create = (more: object) =>
      other.call('POST', '/domain', { name: 'media', adminUsers: ['user.admin'], ...more })
    assert.deepEqual(await create({ account: 'bad' }), refusal(400, 'invalid aws account for domain'))
    assert.deepEqual(await create({ businessService: 'bad' }), refusal(400, 'invalid business service name for domain'))
    assert.equal((await create({ account: 'good', productId: 'good' })).status, 200)
  })

  test('has names for its attributes that count letter by letter', async () => {
    assert.deepEqual(await zms.get('/domain/metastore'), refusal(400, 'attributeName is mandatory'))
    assert.deepEqual(await zms.get('/domain/metastore?attribute=oncall'), refusal(400, 'Invalid attribute: oncall'))
    assert.deepEqual((await zms.get('/domain/metastore?attribute=onCall')).body, { validValues: [] })
  })

  test('judges contacts by the user authority', async () => {
    const userAuthority: Authority = {
      id: 'Auth-USERS',
      credentialSource: 'header',
      allowAuthorization: true,
      userType: (name) => (name === 'user.alice' ? 'active' : 'invalid'),
    }
    const other = await Harness.open({ services, userAuthority, properties: { domain_contact_types: 'owner' } })
    await other.createDomain('sports')
    assert.deepEqual(await other.put(META, { contacts: { owner: 'user.alice' } }), NOTHING)
    assert.deepEqual(
      await other.put(META, { contacts: { owner: 'user.eve' } }),
      refusal(400, 'invalid domain contact: owner'),
    )
    assert.deepEqual(await other.put(META, { contacts: { owner: '' } }), NOTHING)
  })
})

describe('putResourceDomainOwnership', () => {
  const OWNERSHIP = '/domain/sports/ownership'

  test('replaces the owners', async () => {
    assert.deepEqual(await zms.put(OWNERSHIP, { metaOwner: 'a', objectOwner: 'b' }), NOTHING)
    const owners = new Map((await zms.domain('sports')).resourceOwnership)
    assert.deepEqual(
      owners,
      new Map([
        ['object', 'b'],
        ['meta', 'a'],
      ]),
    )
    assert.deepEqual(await zms.put(OWNERSHIP, { objectOwner: 'c' }), NOTHING)
    assert.deepEqual([...((await zms.domain('sports')).resourceOwnership ?? [])], [['object', 'c']])
    assert.deepEqual(await zms.put(OWNERSHIP, {}), NOTHING)
    assert.equal((await zms.domain('sports')).resourceOwnership, undefined)
  })

  test('needs a body, and the right', async () => {
    assert.deepEqual(await zms.put(OWNERSHIP, 'null'), refusal(400, 'Invalid resource domain ownership: null'))
    assert.deepEqual(await zms.put(OWNERSHIP, {}, { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.equal((await zms.put(OWNERSHIP, { metaOwner: 'a b' })).status, 400)
    assert.equal((await zms.put(OWNERSHIP, { metaOwner: 'a'.repeat(33) })).status, 400)
    assert.deepEqual(await zms.put(OWNERSHIP, { metaOwner: 'a'.repeat(32) }), NOTHING)
  })
})
