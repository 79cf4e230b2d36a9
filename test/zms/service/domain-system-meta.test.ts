import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { domainMetaService } from '#zms/service/domain-meta.ts'
import type { DomainMetaStore } from '#zms/service/domain-meta-store.ts'
import type { Domain } from '#zms/store/model.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, policy, role } from './objects.ts'

const services = [domainMetaService]
const zms = await Harness.open({ services })
beforeEach(() => zms.createDomain('sports'))

const put = (attribute: string, body: object, options?: object) =>
  zms.put(`/domain/sports/meta/system/${attribute}`, body, options)

const taken = (label: string, value: string | number) =>
  refusal(400, `${label}: ${value} is already assigned to domain: media`)

describe('putDomainSystemMeta', () => {
  const attributes: readonly (readonly [string, object, Partial<Domain>])[] = [
    ['account', { account: ' 12 , 12', awsAccountName: 'n' }, { account: '12', awsAccountName: 'n' }],
    [
      'azuresubscription',
      { azureSubscription: 's', azureTenant: 't', azureClient: 'c' },
      { azureSubscription: 's', azureTenant: 't', azureClient: 'c' },
    ],
    ['gcpproject', { gcpProject: 'p', gcpProjectNumber: '7' }, { gcpProject: 'p', gcpProjectNumber: '7' }],
    ['productid', { productId: 'p', ypmId: 5 }, { productId: 'p', ypmId: 5 }],
    ['certdnsdomain', { certDnsDomain: 'Athenz.Cloud' }, { certDnsDomain: 'athenz.cloud' }],
    ['org', { org: 'Org' }, { org: 'org' }],
    ['enabled', { enabled: false }, { enabled: false }],
    ['auditenabled', { auditEnabled: true }, { auditEnabled: true }],
    ['businessservice', { businessService: 'b' }, { businessService: 'b' }],
    ['featureflags', { featureFlags: 3 }, { featureFlags: 3 }],
    ['externalmembervalidator', { externalMemberValidator: 'v' }, { externalMemberValidator: 'v' }],
    ['costcenter', { costCenter: 'c' }, { costCenter: 'c' }],
    ['environment', { environment: 'production' }, { environment: 'production' }],
    ['x509certsignerkeyid', { x509CertSignerKeyId: 'x' }, { x509CertSignerKeyId: 'x' }],
    ['sshcertsignerkeyid', { sshCertSignerKeyId: 's' }, { sshCertSignerKeyId: 's' }],
  ]
  for (const [attribute, body, expected] of attributes) {
    test(`replaces and clears ${attribute}, and nothing else`, async () => {
      const { modified: _, ...before } = await zms.domain('sports')
      const everything = Object.assign({}, ...attributes.map(([, each]) => each)) as object
      assert.deepEqual(await put(attribute.toUpperCase(), { ...everything, ...body, description: 'x' }), NOTHING)
      const { modified: __, ...after } = await zms.domain('sports')
      assert.deepEqual(withoutHoldings(after), withoutHoldings({ ...before, ...expected }))
      assert.deepEqual(await put(attribute, {}), NOTHING)
      const { modified: ___, ...cleared } = await zms.domain('sports')
      assert.deepEqual(withoutHoldings(cleared), withoutHoldings(before))
    })
  }

  test('touches the domain for the attribute modified', async () => {
    const { modified } = await zms.domain('sports')
    zms.clock.millis += 5
    assert.deepEqual(await put('modified', { org: 'x' }), NOTHING)
    const after = await zms.domain('sports')
    assert.ok(after.modified > modified)
    assert.equal(after.org, undefined)
  })

  test('looks for the domain, then the right, then the attribute', async () => {
    const eve = { as: 'user.eve' }
    assert.deepEqual(await zms.put('/domain/none/meta/system/colour', {}, eve), refusal(404, 'No such domain: none'))
    const unauthorized = refusal(403, 'unauthorized to update system meta attribute: colour')
    assert.deepEqual(await put('colour', {}, eve), unauthorized)
    assert.deepEqual(await put('colour', {}), refusal(400, 'unknown system meta attribute: colour'))
    const unknown = refusal(400, 'invalid environment for domain')
    assert.deepEqual(await put('environment', { environment: 'moon' }), unknown)
  })

  test('lets who may change the settings of the domain switch it off and on', async () => {
    const owner = { as: 'user.owner' }
    assert.deepEqual(await put('enabled', { enabled: false }, owner), NOTHING)
    assert.deepEqual(await put('enabled', { enabled: true }, owner), NOTHING)
    assert.deepEqual(
      await put('org', { org: 'x' }, owner),
      refusal(403, 'unauthorized to update system meta attribute: org'),
    )
    assert.deepEqual(
      await put('enabled', {}, { as: 'user.eve' }),
      refusal(403, 'unauthorized to update system meta attribute: enabled'),
    )
  })

  test('needs another right to replace or clear what is set', async () => {
    await commit(
      zms,
      ...role('sys.auth', 'clerks', ['user.clerk']),
      ...policy('sys.auth', 'clerks', [
        { role: 'clerks', resource: 'sys.auth:meta.domain.*.sports', action: 'update' },
      ]),
    )
    const clerk = { as: 'user.clerk' }
    assert.deepEqual(await put('org', { org: 'a' }, clerk), NOTHING)
    assert.deepEqual(await put('org', { org: 'a' }, clerk), NOTHING)
    const reset = refusal(403, 'unauthorized to reset system meta attribute: org')
    assert.deepEqual(await put('org', { org: 'b' }, clerk), reset)
    assert.deepEqual(await put('org', {}, clerk), reset)
    assert.deepEqual(await put('auditenabled', { auditEnabled: true }, clerk), NOTHING)
    assert.deepEqual(await put('auditenabled', { auditEnabled: false }, clerk), NOTHING)
    assert.deepEqual(await put('org', { org: 'b' }), NOTHING)
  })

  const refused: readonly (readonly [string, object, string])[] = [
    ['account', { account: 'b d' }, 'invalid aws account for domain'],
    ['account', { account: '1,2' }, 'invalid aws account for domain'],
    ['account', { account: 'x'.repeat(513) }, 'aws account value exceeds maximum length of 512'],
    [
      'azuresubscription',
      { azureSubscription: 's' },
      'invalid azure details for domain, all of subscription, tenant and client must be specified',
    ],
    ['gcpproject', { gcpProject: 'p' }, 'invalid gcp project details for domain, both id and number must be specified'],
    ['featureflags', { featureFlags: -1 }, 'featureFlags cannot be negative'],
    ['productid', { ypmId: -1 }, 'ypmId cannot be negative'],
    ['org', { org: 'a', memberExpiryDays: -1 }, 'memberExpiryDays cannot be negative'],
    [
      'x509certsignerkeyid',
      { x509CertSignerKeyId: 'b d' },
      'Invalid CompoundName error: x509CertSignerKeyId b d is not a compound name',
    ],
    [
      'userauthorityfilter',
      { userAuthorityFilter: 'OnShore' },
      'User Authority filter specified without a valid user authority',
    ],
  ]
  for (const [attribute, body, message] of refused) {
    test(`refuses for ${attribute} ${JSON.stringify(body).slice(0, 40)}`, async () => {
      assert.deepEqual(await put(attribute, body), refusal(400, message))
    })
  }

  test('top-level domains keep a product where they need one', async () => {
    const other = await Harness.open({ services, properties: { product_id_support: 'true' } })
    await other.createDomain('sports')
    await other.createDomain('sports.api')
    const clear = (domain: string) => other.put(`/domain/${domain}/meta/system/productid`, {})
    assert.deepEqual(await clear('sports'), refusal(400, 'Unique Product Id must be specified for top level domain'))
    assert.deepEqual(await clear('sports.api'), NOTHING)
  })

  test('keeps values that belong to one domain apart', async () => {
    await zms.createDomain('media', {
      account: '77',
      gcpProject: 'p',
      gcpProjectNumber: '1',
      productId: 'prod',
      ypmId: 9,
    })
    assert.deepEqual(await put('account', { account: '77' }), taken('Account Id', '77'))
    assert.deepEqual(await put('gcpproject', { gcpProject: 'p', gcpProjectNumber: '2' }), taken('Project', 'p'))
    assert.deepEqual(await put('productid', { productId: 'prod' }), taken('Product Id', 'prod'))
    assert.deepEqual(await put('productid', { ypmId: 9 }), taken('Product Id', 9))
  })

  test('needs an audit reference where domains do', async () => {
    const audited = await Harness.open({ services, properties: { audit_ref_check_objects: 'domain' } })
    await audited.createDomain('sports', { auditEnabled: true })
    assert.deepEqual(
      await audited.put('/domain/sports/meta/system/org', { org: 'x' }),
      refusal(400, 'putdomainsystemmeta: Audit reference required for domain: sports'),
    )
  })

  test('asks the inventory', async () => {
    const domainMetaStore: DomainMetaStore = { isValid: (_, __, value) => value === 'good', validValues: () => [] }
    const other = await Harness.open({ services, parts: { domainMetaStore } })
    await other.createDomain('sports')
    const ask = (attribute: string, body: object) => other.put(`/domain/sports/meta/system/${attribute}`, body)
    assert.deepEqual(await ask('account', { account: 'bad' }), refusal(400, 'invalid aws account for domain'))
    assert.deepEqual(await ask('productid', { productId: 'bad' }), refusal(400, 'invalid product id for domain'))
    assert.deepEqual(await ask('productid', { productId: 'good' }), NOTHING)
  })
})

describe('the filter of a domain', () => {
  const employees = new Set(['user.alice', 'user.owner', 'user.admin'])
  const userAuthority: Authority = {
    id: 'Auth-USERS',
    credentialSource: 'header',
    allowAuthorization: true,
    booleanAttributes: () => new Set(['employee', 'training']),
    isAttributeSet: async (name, attribute) => attribute === 'employee' && employees.has(name),
    isAttributeRevocable: (attribute) => attribute !== 'training',
  }

  test('suspends members of roles and groups who lack it, until it is gone', async () => {
    const other = await Harness.open({ services, userAuthority })
    await other.createDomain('sports')
    const members = ['user.alice', 'user.eve', 'user.*', 'media.api', 'sports:group.team']
    await commit(
      other,
      ...role('sports', 'readers', [...members, { memberName: 'user.mallory', systemDisabled: 4 }]),
      ...group('sports', 'team', ['user.alice', 'user.eve']),
      {
        kind: 'putPendingRoleMember',
        domain: 'sports',
        role: 'readers',
        value: { memberName: 'user.newbie', requestTime: 0, pendingState: 'ADD' },
      },
    )
    const filter = (userAuthorityFilter: string) =>
      other.put('/domain/sports/meta/system/userauthorityfilter', { userAuthorityFilter })
    const suspended = async () => {
      const { roles, groups } = await other.domain('sports')
      const lists = [...roles.values(), ...groups.values()].map(({ members: list }) => [...list])
      return lists
        .flat()
        .flatMap(({ memberName, systemDisabled }) => (systemDisabled ? [[memberName, systemDisabled]] : []))
    }
    assert.deepEqual(await filter('nosuch'), refusal(400, 'nosuch is not a valid user authority attribute'))
    assert.deepEqual(await filter('training'), NOTHING)
    assert.deepEqual(await suspended(), [['user.mallory', 4]])
    assert.deepEqual(await filter('employee,training'), NOTHING)
    assert.deepEqual(await suspended(), [
      ['user.eve', 1],
      ['user.mallory', 5],
      ['user.eve', 1],
    ])
    assert.equal((await other.domain('sports')).roles.get('readers')?.pending.size, 1)
    assert.deepEqual(await filter(''), NOTHING)
    assert.deepEqual(await suspended(), [['user.mallory', 4]])
    const audit = await other.store.roleAudit('sports', 'readers')
    assert.deepEqual(
      audit.filter(({ member }) => member === 'user.eve').map(({ action, admin }) => [action, admin]),
      [
        ['DISABLE', 'sys.auth.monitor'],
        ['ENABLE', 'sys.auth.monitor'],
      ],
    )
  })
})

/** The settings of a domain, without what is absent. */
function withoutHoldings(domain: object): object {
  const holdings = new Set([
    'roles',
    'groups',
    'policies',
    'services',
    'entities',
    'templates',
    'quota',
    'policiesRevision',
  ])
  return Object.fromEntries(Object.entries(domain).filter(([key, value]) => !holdings.has(key) && value !== undefined))
}
