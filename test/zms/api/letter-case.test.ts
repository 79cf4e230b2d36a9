import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { WireType } from '#core/http/wire.ts'
import { foldAssertion } from '#zms/api/assertion.ts'
import { zmsEndpoints } from '#zms/api/index.ts'

const { putRole, putGroup, putPolicy, putAssertion, putAssertionCondition, putServiceIdentity, putEntity } =
  zmsEndpoints
const { putDomainMeta, postSubDomain, putDomainTemplate, putPolicyVersion, putTenantResourceGroupRoles } = zmsEndpoints
const tags = { Key: { list: ['Value'] } }
const keptTags = new Map([['Key', { list: ['Value'] }]])

const BODIES: readonly [type: WireType<unknown>, body: unknown, read: unknown][] = [
  [
    putRole.body,
    {
      name: 'SPORTS:Role.Readers',
      trust: 'News',
      members: ['User.Ann'],
      roleMembers: [{ memberName: 'USER.*', auditRef: 'Why' }],
      notifyRoles: 'Sports:Role.X',
      signAlgorithm: 'RSA',
      userAuthorityFilter: 'OnShore',
      description: 'Keep Case',
      tags,
    },
    {
      name: 'sports:role.readers',
      trust: 'news',
      members: ['user.ann'],
      roleMembers: [{ memberName: 'user.*', auditRef: 'Why' }],
      notifyRoles: 'sports:role.x',
      signAlgorithm: 'rsa',
      userAuthorityFilter: 'OnShore',
      description: 'Keep Case',
      tags: keptTags,
    },
  ],
  [
    putGroup.body,
    { name: 'Dev', groupMembers: [{ memberName: 'Sports:ext.Ann@Example.com' }], notifyRoles: 'A', tags },
    { name: 'dev', groupMembers: [{ memberName: 'sports:ext.ann@example.com' }], notifyRoles: 'a', tags: keptTags },
  ],
  [
    putPolicy.body,
    {
      name: 'POL',
      version: 'V2',
      description: 'Desc',
      assertions: [{ role: 'D:Role.R', resource: 'D:Res', action: 'Act' }],
    },
    {
      name: 'pol',
      version: 'v2',
      description: 'Desc',
      assertions: [{ role: 'd:role.r', resource: 'D:Res', action: 'Act' }],
    },
  ],
  [
    putAssertion.body,
    {
      role: 'D:Role.R',
      resource: 'D:Res',
      action: 'Act',
      conditions: { conditionsList: [{ conditionsMap: { Hosts: { operator: 'EQUALS', value: 'HostA' } } }] },
    },
    {
      role: 'd:role.r',
      resource: 'D:Res',
      action: 'Act',
      conditions: {
        conditionsList: [{ conditionsMap: new Map([['Hosts', { operator: 'EQUALS', value: 'HostA' }]]) }],
      },
    },
  ],
  [
    putAssertionCondition.body,
    { conditionsMap: { Hosts: { operator: 'EQUALS', value: 'HostA' } } },
    { conditionsMap: new Map([['hosts', { operator: 'EQUALS', value: 'hosta' }]]) },
  ],
  [
    putServiceIdentity.body,
    {
      name: 'SPORTS.Web',
      hosts: ['HostA'],
      publicKeys: [{ id: 'Key1', key: 'LS0T' }],
      user: 'Www',
      executable: '/Bin/X',
    },
    {
      name: 'sports.web',
      hosts: ['hosta'],
      publicKeys: [{ id: 'key1', key: 'LS0T' }],
      user: 'Www',
      executable: '/Bin/X',
    },
  ],
  [putEntity.body, { name: 'D:Entity.E', value: { Key: 'Val' } }, { name: 'd:entity.e', value: { Key: 'Val' } }],
  [
    putDomainMeta.body,
    { org: 'Org', certDnsDomain: 'X.Example', signAlgorithm: 'EC', account: 'Acc', contacts: { Owner: 'User.Ann' } },
    {
      org: 'org',
      certDnsDomain: 'x.example',
      signAlgorithm: 'ec',
      account: 'Acc',
      contacts: new Map([['Owner', 'User.Ann']]),
    },
  ],
  [
    postSubDomain.body,
    {
      name: 'Api',
      parent: 'SPORTS',
      adminUsers: ['User.Ann'],
      certDnsDomain: 'X.Example',
      templates: { templateNames: ['T'] },
    },
    {
      name: 'api',
      parent: 'sports',
      adminUsers: ['user.ann'],
      certDnsDomain: 'X.Example',
      templates: { templateNames: ['t'] },
    },
  ],
  [
    putDomainTemplate.body,
    { templateNames: ['T'], params: [{ name: 'Service', value: 'API' }] },
    { templateNames: ['t'], params: [{ name: 'service', value: 'api' }] },
  ],
  [putPolicyVersion.body, { version: 'V2', fromVersion: 'V1' }, { version: 'v2', fromVersion: 'v1' }],
  [
    putTenantResourceGroupRoles.body,
    { domain: 'D', service: 'S', tenant: 'T', roles: [{ role: 'R', action: 'Act' }], resourceGroup: 'G' },
    { domain: 'd', service: 's', tenant: 't', roles: [{ role: 'r', action: 'act' }], resourceGroup: 'g' },
  ],
]

describe('names of a body become lower case, values keep their letters', () => {
  for (const [type, body, read] of BODIES) {
    test(`${type.wire.name}`, () => {
      assert.deepEqual(type.parse(body), read)
    })
  }
})

test('names of paths and queries become lower case, tags keep their letters', () => {
  const { params, query } = zmsEndpoints.getRoles
  assert.equal(params.domainName.parse('Sports.API'), 'sports.api')
  assert.equal(query.tagKey.type.parse('Team'), 'Team')
  assert.equal(zmsEndpoints.getRole.params.roleName.parse('Readers'), 'readers')
  assert.equal(zmsEndpoints.getDomainList.query.prefix.type.parse('SPO'), 'spo')
  assert.equal(zmsEndpoints.getAccessExt.query.resource.type.parse('D:X Y'), 'd:x y')
})

describe('foldAssertion', () => {
  const assertion = { action: 'Act', resource: 'Dom:Res:X' }

  test('lowers action and resource', () => {
    assert.deepEqual(foldAssertion(assertion, false), { action: 'act', resource: 'dom:res:x' })
    assert.deepEqual(foldAssertion({ ...assertion, caseSensitive: false }, false), {
      action: 'act',
      resource: 'dom:res:x',
    })
  })

  test('lowers only the domain of a case-sensitive assertion', () => {
    const kept = { action: 'Act', resource: 'dom:Res:X' }
    assert.deepEqual(foldAssertion({ ...assertion, caseSensitive: true }, false), kept)
    assert.deepEqual(foldAssertion(assertion, true), kept)
    assert.deepEqual(foldAssertion({ ...assertion, caseSensitive: false }, true), kept)
  })

  test('keeps a case-sensitive resource without domain', () => {
    assert.deepEqual(foldAssertion({ action: 'A', resource: 'Plain' }, true), { action: 'A', resource: 'Plain' })
  })
})
