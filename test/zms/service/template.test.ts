import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { beforeEach, describe, test } from 'node:test'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { domainService } from '#zms/service/domain.ts'
import { SolutionTemplates } from '#zms/service/solution-templates.ts'
import { templateService } from '#zms/service/template.ts'
import { updateTemplates } from '#zms/service/template-update.ts'
import type { Role } from '#zms/store/model.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, policy, role, service } from './objects.ts'

const shipped = new URL('../../../conf/zms_server/solution_templates.json', import.meta.url)
const { templates: shippedTemplates } = JSON.parse(readFileSync(shipped, 'utf8')) as { templates: object }

/** A template with something of everything; `_who_` is a parameter. */
const FULL = {
  metadata: { latestVersion: 3, description: 'everything', keywordsToReplace: '_who_', autoUpdate: false },
  roles: [
    {
      name: '_domain_:role._who__readers',
      selfServe: true,
      roleMembers: [
        { memberName: 'user._who_', expiration: '2040-01-02T03:04:05.678Z' },
        { memberName: '_domain_:group.team' },
      ],
    },
    { name: '_domain_:role.delegated', trust: 'media' },
  ],
  policies: [
    {
      name: '_domain_:policy.data',
      description: 'about data',
      assertions: [
        { role: '_domain_:role._who__readers', resource: '_domain_:Data._who_.*', action: 'READ' },
        { role: '_domain_:role._who__readers', resource: '_domain_:x', action: 'write', effect: 'DENY' },
      ],
    },
  ],
  groups: [{ name: '_domain_:group.team', groupMembers: [{ memberName: 'user._who_' }] }],
  services: [
    {
      name: '_domain_.api',
      description: 'of a template',
      publicKeys: [{ id: '0', key: 'abc.' }],
      hosts: ['Host1', 'host2'],
    },
  ],
}
const TEMPLATES = {
  ...shippedTemplates,
  full: FULL,
  admin: {
    roles: [{ name: 'admin', roleMembers: [{ memberName: 'user.extra' }] }],
    policies: [{ name: 'admin', assertions: [] }],
  },
  foreign: { roles: [{ name: 'r', roleMembers: [{ memberName: 'nowhere.api' }] }] },
  parameters: {
    roles: [{ name: 'r', trust: '_tenant_' }],
    policies: [
      {
        name: 'p',
        assertions: [{ role: '_domain_:role.r', resource: '_domain_:x', action: '_domain_._tenant_.read' }],
      },
    ],
  },
  self: { roles: [{ name: 'r', trust: '_domain_' }] },
  lost: { roles: [{ name: 'r', trust: 'nowhere' }] },
  taken: { roles: [{ name: 'r', trust: 'media' }] },
  reviewed: { roles: [{ name: 'r', reviewEnabled: true, roleMembers: [{ memberName: 'user.a' }] }] },
  off: {
    roles: [{ name: 'r', selfServe: false, maxMembers: 0, description: '' }],
    groups: [{ name: 'g', reviewEnabled: false }],
  },
  old: { metadata: { latestVersion: 2, autoUpdate: true }, roles: [{ name: 'fresh' }] },
}
const templates = SolutionTemplates.parse(JSON.stringify({ templates: TEMPLATES }))
const services = [templateService, domainService]

const zms = await Harness.open({ services, parts: { templates } })
beforeEach(async () => {
  await zms.createDomain('media')
  await zms.createDomain('sports')
})

const TEMPLATE = '/domain/sports/template'
const WHO = [{ name: 'WHO', value: 'Alice' }]
const apply = (templateNames: string[], params?: object[], options?: object) =>
  zms.put(TEMPLATE, { templateNames, ...(params && { params }) }, options)
const ext = (templateNames: string[]) => zms.put(`${TEMPLATE}/user_provisioning`, { templateNames })

describe('applying a template', () => {
  test('makes its objects, with placeholders filled in', async () => {
    assert.deepEqual(await apply(['FULL'], WHO, { headers: { 'Y-Audit-Ref': 'why' } }), NOTHING)
    const { roles, policies, groups, services: stored, templates: applied } = await zms.domain('sports')
    const readers = roles.get('alice_readers') as Role
    assert.equal(readers.selfServe, true)
    assert.deepEqual(
      [...readers.members],
      [
        {
          memberName: 'user.alice',
          expiration: Date.UTC(2040, 0, 2, 3, 4, 5),
          auditRef: 'why',
          requestPrincipal: 'user.admin',
        },
        { memberName: 'sports:group.team', auditRef: 'why', requestPrincipal: 'user.admin' },
      ],
    )
    assert.equal(roles.get('delegated')?.trust, 'media')
    const data = policies.get('data')?.get('0')
    assert.equal(data?.active, true)
    assert.equal(data.description, 'about data')
    assert.deepEqual(
      [...data.assertions.values()].map(({ id: _id, ...assertion }) => assertion),
      [
        { role: 'alice_readers', resource: 'sports:data.alice.*', action: 'read', effect: 'ALLOW' },
        { role: 'alice_readers', resource: 'sports:x', action: 'write', effect: 'DENY' },
      ],
    )
    assert.ok(groups.get('team')?.members.has('user.alice'))
    assert.deepEqual([...(stored.get('api')?.publicKeys ?? [])], [['0', 'abc.']])
    assert.deepEqual([...(stored.get('api')?.hosts ?? [])], ['host1', 'host2'])
    assert.deepEqual([...applied], [['full', 3]])
    const [entry] = zms.audit.slice(-1)
    assert.equal(entry?.entity, 'full')
    assert.equal(entry.api, 'putdomaintemplate')
  })

  test('fills in trusted domains and actions too', async () => {
    assert.deepEqual(await apply(['parameters'], [{ name: 'tenant', value: 'Media' }]), NOTHING)
    const { roles, policies } = await zms.domain('sports')
    assert.equal(roles.get('r')?.trust, 'media')
    const actions = [...(policies.get('p')?.get('0')?.assertions.values() ?? [])].map(({ action }) => action)
    assert.deepEqual(actions, ['sports.media.read'])
    assert.deepEqual(await apply(['parameters']), refusal(400, 'Delegated role assigned to non existing domain'))
  })

  test('adds what is missing to objects that are there, and takes nothing away', async () => {
    await commit(
      zms,
      ...role('sports', 'alice_readers', ['user.bob', { memberName: 'user.alice', auditRef: 'old' }], {
        description: 'mine',
      }),
      ...policy('sports', 'data', [
        { role: 'alice_readers', resource: 'sports:data.alice.*', action: 'read' },
        { role: 'mine', resource: 'sports:mine', action: 'read' },
      ]),
      ...group('sports', 'team', ['user.bob']),
      ...service('sports', 'api', { '0': 'other', '1': 'kept' }, { executable: '/bin/x' }),
      { kind: 'putHosts', domain: 'sports', service: 'api', hosts: new Set(['host0']) },
    )
    const ids = [...((await zms.domain('sports')).policies.get('data')?.get('0')?.assertions.keys() ?? [])]
    assert.deepEqual(await apply(['full'], WHO), NOTHING)
    const { roles, policies, groups, services: stored } = await zms.domain('sports')
    const readers = roles.get('alice_readers')
    assert.equal(readers?.description, 'mine')
    assert.equal(readers.selfServe, true)
    assert.deepEqual(
      [...readers.members].map(({ memberName, auditRef, requestPrincipal }) => [
        memberName,
        auditRef,
        requestPrincipal,
      ]),
      [
        ['user.bob', undefined, undefined],
        ['user.alice', 'old', undefined],
        ['sports:group.team', undefined, undefined],
      ],
    )
    const data = policies.get('data')?.get('0')
    assert.deepEqual([...(data?.assertions.keys() ?? [])].slice(0, 2), ids)
    assert.equal(data?.assertions.size, 3)
    assert.equal(data.description, undefined)
    assert.equal(groups.get('team')?.members.size, 2)
    const api = stored.get('api')
    assert.equal(api?.executable, '/bin/x')
    assert.equal(api.description, 'of a template')
    assert.deepEqual(
      new Map(api.publicKeys),
      new Map([
        ['0', 'abc.'],
        ['1', 'kept'],
      ]),
    )
    assert.deepEqual([...api.hosts].sort(), ['host0', 'host1', 'host2'])
  })

  test('clears what it names as false, 0 or empty, and leaves what it does not name', async () => {
    const settings = { selfServe: true, maxMembers: 5, memberExpiryDays: 7 }
    await commit(
      zms,
      ...role('sports', 'r', [], { ...settings, description: 'mine' }),
      ...group('sports', 'g', [], { ...settings, reviewEnabled: true }),
    )
    assert.deepEqual(await apply(['off']), NOTHING)
    const { roles, groups } = await zms.domain('sports')
    const { selfServe, maxMembers, memberExpiryDays, description } = roles.get('r') as Role
    assert.deepEqual([selfServe, maxMembers, memberExpiryDays, description], [undefined, undefined, 7, undefined])
    assert.deepEqual([groups.get('g')?.selfServe, groups.get('g')?.reviewEnabled], [true, undefined])
  })

  test('again changes nothing but the record', async () => {
    await apply(['full'], WHO)
    const before = await zms.domain('sports')
    zms.clock.millis += 1000
    await apply(['full'], WHO)
    const after = await zms.domain('sports')
    assert.deepEqual(after.policies, before.policies)
    assert.deepEqual([...(after.roles.get('alice_readers')?.members ?? [])].length, 2)
  })

  test('applies several, all or none', async () => {
    assert.deepEqual(await apply(['user_provisioning', 'foreign']), refusal(404, 'unknown domain - nowhere.api'))
    assert.deepEqual([...(await zms.domain('sports')).roles.keys()], ['admin'])
    assert.deepEqual(await apply(['user_provisioning', 'zts_instance_launch_provider']), NOTHING)
    assert.deepEqual((await zms.get(TEMPLATE)).body.templateNames, [
      'user_provisioning',
      'zts_instance_launch_provider',
    ])
  })

  const refused: readonly (readonly [string, number, string])[] = [
    ['self', 400, 'validateRoleMembers: Role cannot be delegated to itself'],
    ['lost', 400, 'Delegated role assigned to non existing domain'],
    ['foreign', 404, 'unknown domain - nowhere.api'],
    ['nosuch', 404, 'validateSolutionTemplates: Template not found: nosuch'],
  ]
  for (const [name, status, message] of refused) {
    test(`fails for ${name}`, async () => {
      // A domain called as the placeholder is no special case.
      const target = name === 'self' ? '_domain_' : 'sports'
      await zms.createDomain(target)
      assert.deepEqual(await zms.put(`/domain/${target}/template`, { templateNames: [name] }), refusal(status, message))
    })
  }

  test('does not make a role with members a delegated one', async () => {
    await commit(zms, ...role('sports', 'r', ['user.alice']))
    const message = 'validateRoleMembers: Role cannot have both roleMembers and delegated domain set'
    assert.deepEqual(await apply(['taken']), refusal(400, message))
  })

  test('asks for members where changes need approval', async () => {
    assert.deepEqual(await apply(['reviewed']), NOTHING)
    const stored = (await zms.domain('sports')).roles.get('r')
    assert.equal(stored?.members.size, 0)
    assert.equal(stored.pending.get('user.a')?.pendingState, 'ADD')
    await commit(zms, {
      kind: 'putPendingRoleMember',
      domain: 'sports',
      role: 'r',
      value: { memberName: 'user.a', requestTime: 0, pendingState: 'DELETE' },
    })
    assert.deepEqual(
      await apply(['reviewed']),
      refusal(400, 'The user user.a already has a pending request in a different state'),
    )
  })

  const badValues: readonly (readonly [string, string])[] = [
    ['a b', 'putdomaintemplate: Invalid EntityName in template: a b_readers'],
    ['x:role.admin', 'putdomaintemplate: Invalid EntityName in template: x:role.admin_readers'],
    ['', 'putdomaintemplate: Invalid MemberName in template: user.'],
  ]
  for (const [value, message] of badValues) {
    test(`refuses the value ${JSON.stringify(value)} in a name`, async () => {
      assert.deepEqual(await apply(['full'], [{ name: 'who', value }]), refusal(400, message))
      assert.deepEqual([...(await zms.domain('sports')).roles.keys()], ['admin'])
    })
  }

  test('keeps the domain what it is, whatever parameters say', async () => {
    assert.deepEqual(await apply(['full'], [...WHO, { name: 'domain', value: 'media' }]), NOTHING)
    assert.ok((await zms.domain('sports')).roles.has('alice_readers'))
    assert.equal((await zms.domain('media')).roles.size, 1)
  })

  test('takes the first of several values for one placeholder', async () => {
    assert.deepEqual(await apply(['full'], [...WHO, { name: 'who', value: 'bob' }]), NOTHING)
    assert.ok((await zms.domain('sports')).roles.has('alice_readers'))
  })

  test('records version 0 for a template without metadata', async () => {
    await apply(['user_provisioning'])
    assert.deepEqual([...(await zms.domain('sports')).templates], [['user_provisioning', 0]])
    assert.deepEqual((await zms.get('/domain/sports/templatedetails')).body, {
      metaData: [{ templateName: 'user_provisioning', currentVersion: 0, latestVersion: 0 }],
    })
  })

  test('needs names, and in the second form just the one of the path', async () => {
    assert.deepEqual(await apply([]), refusal(400, 'putDomainTemplate: No templates specified'))
    assert.deepEqual(await ext([]), refusal(400, 'putDomainTemplateExt: No templates specified'))
    const mismatch = refusal(400, 'putDomainTemplateExt: template name mismatch')
    assert.deepEqual(await ext(['full']), mismatch)
    assert.deepEqual(await ext(['user_provisioning', 'full']), mismatch)
    assert.deepEqual(await ext(['User_Provisioning']), NOTHING)
  })

  test('needs the right, and an audit reference where templates do', async () => {
    assert.deepEqual(await apply(['full'], WHO, { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.deepEqual(await apply(['full'], WHO, { as: 'user.owner' }), NOTHING)
    const audited = await Harness.open({
      services,
      parts: { templates },
      properties: { audit_ref_check_objects: 'template' },
    })
    await audited.createDomain('sports', { auditEnabled: true })
    assert.deepEqual(
      await audited.put(TEMPLATE, { templateNames: ['user_provisioning'] }),
      refusal(400, 'putdomaintemplate: Audit reference required for domain: sports'),
    )
    assert.deepEqual(
      await audited.delete(`${TEMPLATE}/user_provisioning`),
      refusal(400, 'deletedomaintemplate: Audit reference required for domain: sports'),
    )
  })

  test('through an authorized service is limited to the templates it may apply', async () => {
    const file = {
      services: { 'media.ui': { allowedOperations: [{ name: 'putdomaintemplate', items: { name: ['old'] } }] } },
    }
    const authorizedServices = AuthorizedServices.parse(JSON.stringify(file))
    const other = await Harness.open({ services, parts: { templates, authorizedServices } })
    await other.createDomain('sports')
    const principal = { authorizedService: 'media.ui' }
    const put = (templateNames: string[]) => other.put(TEMPLATE, { templateNames }, { principal })
    assert.deepEqual(await put(['old']), NOTHING)
    assert.deepEqual(
      await put(['old', 'full']),
      refusal(
        403,
        'Unauthorized Operation (putdomaintemplate) for Service media.ui on opItemKey name and opItemVal full',
      ),
    )
  })

  test('goes with the creation of a domain', async () => {
    const detail = { name: 'fresh', adminUsers: ['user.admin'], templates: { templateNames: ['old', 'admin'] } }
    assert.equal((await zms.call('POST', '/domain', detail)).status, 200)
    const { roles, policies } = await zms.domain('fresh')
    assert.ok(roles.has('fresh'))
    assert.ok(roles.get('admin')?.members.has('user.extra'))
    assert.equal(policies.get('admin')?.get('0')?.assertions.size, 1)
    await zms.delete('/domain/fresh')
  })
})

describe('removing a template', () => {
  test('deletes its objects by name and the record', async () => {
    await commit(zms, ...role('sports', 'other', ['user.alice']))
    await apply(['zts_instance_launch_provider', 'user_provisioning'], [{ name: 'service', value: 'api' }])
    assert.deepEqual(await zms.delete(`${TEMPLATE}/ZTS_instance_launch_provider`), NOTHING)
    const { roles, policies, templates: applied } = await zms.domain('sports')
    assert.equal(roles.has('zts_instance_launch_provider'), false)
    assert.equal(policies.has('zts_instance_launch_provider'), false)
    assert.ok(roles.has('superuser') && roles.has('other'))
    assert.deepEqual([...applied.keys()], ['user_provisioning'])
    assert.deepEqual(await zms.delete(`${TEMPLATE}/zts_instance_launch_provider`), NOTHING)
  })

  test('leaves the administrators', async () => {
    await apply(['admin'])
    assert.deepEqual(await zms.delete(`${TEMPLATE}/admin`), NOTHING)
    const { roles, policies } = await zms.domain('sports')
    assert.ok(roles.has('admin') && policies.has('admin'))
  })

  test('waits until other domains have done with its groups', async () => {
    await apply(['full'], WHO)
    await commit(zms, ...role('media', 'guests', ['sports:group.team']))
    assert.deepEqual(
      await zms.delete(`${TEMPLATE}/full`),
      refusal(400, "Remove group 'sports:group.team' membership from the following role(s): media:role.guests"),
    )
    assert.ok((await zms.domain('sports')).services.has('api'))
    await commit(zms, { kind: 'deleteRole', domain: 'media', role: 'guests' })
    assert.deepEqual(await zms.delete(`${TEMPLATE}/full`), NOTHING)
    const { groups, services: stored } = await zms.domain('sports')
    assert.equal(groups.size + stored.size, 0)
  })

  test('needs the right and a template that is known', async () => {
    assert.deepEqual(await zms.delete(`${TEMPLATE}/full`, { as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.deepEqual(
      await zms.delete(`${TEMPLATE}/nosuch`),
      refusal(404, 'validateSolutionTemplates: Template not found: nosuch'),
    )
  })
})

describe('reading templates', () => {
  test('lists and describes those of the server', async () => {
    const { names } = templates
    assert.deepEqual((await zms.get('/template', { as: 'user.eve' })).body, { templateNames: names })
    const { metaData } = (await zms.get('/templatedetails')).body as { metaData: { templateName: string }[] }
    assert.deepEqual(
      metaData.map(({ templateName }) => templateName),
      names,
    )
    assert.deepEqual(
      metaData.find(({ templateName }) => templateName === 'full'),
      {
        templateName: 'full',
        latestVersion: 3,
        description: 'everything',
        keywordsToReplace: '_who_',
        autoUpdate: false,
      },
    )
    assert.deepEqual(metaData[1], { templateName: 'foreign', latestVersion: 0 })
  })

  test('shows what one contains', async () => {
    const { status, body } = await zms.get('/template/FULL')
    assert.equal(status, 200)
    assert.equal(body.roles[0].name, '_domain_:role._who__readers')
    assert.deepEqual(await zms.get('/template/nosuch'), refusal(404, "getTemplate: Template not found: 'nosuch'"))
  })

  test('shows those of a domain, also what the server no longer knows', async () => {
    await commit(zms, { kind: 'putTemplate', domain: 'sports', template: 'gone', version: 3 })
    await apply(['full'], WHO)
    assert.deepEqual((await zms.get(TEMPLATE)).body, { templateNames: ['full', 'gone'] })
    const { metaData } = (await zms.get('/domain/sports/templatedetails')).body
    assert.deepEqual(metaData[1], { templateName: 'gone', currentVersion: 3 })
    assert.deepEqual(await zms.get('/domain/none/template'), refusal(404, 'unknown domain - none'))
    assert.deepEqual(await zms.get('/domain/none/templatedetails'), refusal(404, 'unknown domain - none'))
  })
})

describe('new versions of templates', () => {
  test('reach the domains that have an older one', async () => {
    const { server, log, has } = await open({ properties: { auto_update_template_feature_flag: 'true' } })
    await updateTemplates(server.deps)
    assert.ok(await has('behind'))
    assert.equal((await server.domain('behind')).templates.get('old'), 2)
    for (const name of ['current', 'ahead', 'without']) assert.equal(await has(name), false)
    assert.deepEqual(log, [])
    const [entry] = server.audit
    assert.equal(entry?.why, 'AutoApplyTemplate')
    assert.equal(entry.whoFullName, 'sys.auth.monitor')
  })

  test('do so only where that is switched on', async () => {
    const { server, has } = await open({})
    await updateTemplates(server.deps)
    assert.equal(await has('behind'), false)
  })

  test('pass over a domain in which they fail', async () => {
    const broken = SolutionTemplates.parse(
      JSON.stringify({
        templates: {
          old: {
            metadata: { latestVersion: 2, autoUpdate: true },
            roles: [{ name: 'fresh', roleMembers: [{ memberName: '_domain_.x.api' }] }],
          },
        },
      }),
    )
    const { server, log, has } = await open({ properties: { auto_update_template_feature_flag: 'true' } })
    await server.createDomain('good')
    await server.createDomain('good.x')
    await commit(server, { kind: 'putTemplate', domain: 'good', template: 'old', version: 1 })
    await updateTemplates({ ...server.deps, templates: broken })
    assert.deepEqual(log, ['error template old could not be updated in domain behind: unknown domain - behind.x.api'])
    assert.equal(await has('behind'), false)
    assert.ok(await has('good'))
  })
})

/** A server with domains that have different versions of the template `old`. */
async function open(more: object) {
  const log: string[] = []
  const parts = { templates, log: (level: string, message: string) => void log.push(`${level} ${message}`) }
  const server = await Harness.open({ services, parts, ...more })
  for (const [name, version] of [
    ['behind', 1],
    ['current', 2],
    ['ahead', 3],
  ] as const) {
    await server.createDomain(name)
    await commit(server, { kind: 'putTemplate', domain: name, template: 'old', version })
  }
  await server.createDomain('without')
  const has = async (name: string) => (await server.domain(name)).roles.has('fresh')
  return { server, log, has }
}
