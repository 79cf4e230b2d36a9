import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { ADMIN, describeZmsCli, OWNER } from './describe-zms-cli.ts'

await describeZmsCli('templates, tenants, limits, owners', (zms) => {
  const club = (who: string, command: string, expected: string) => zms().prints(who, `-d club ${command}`, expected)
  const clubRefuses = (who: string, command: string, code: number, message: string) =>
    zms().refused(who, `-d club ${command}`, code, message)
  const folder = temporaryFolder()
  const publicKey = join(folder, 'service.pem')

  before(async () => {
    const { key } = await zms().certificate(OWNER)
    await writeFile(publicKey, createPublicKey(key).export({ type: 'spki', format: 'pem' }))
  })

  test('templates are listed, shown, applied with parameters, and taken out', async () => {
    const names = 'auditors aws_role deployment read_write service_callers team temporary_access user_provisioning'
    const listed = `templates: - ${[...names.split(' '), 'zts_instance_launch_provider'].join(' - ')}`
    await zms().prints(OWNER, 'list-server-template', listed)
    const shown = [
      'template: metadata: - template-name: temporary_access',
      '- description: A role that everybody may ask for; an administrator approves, and it ends after one day.',
      '- keywords-to-replace: _role_,_resource_ - latest-version: 1 - auto-update: false',
      'roles: - name: _role_ member_expiry_days: 1 review_enabled: true self_serve: true',
      'description: Access for one day, after approval.',
      'policies: - name: _role_ assertions: - grant * to _role_ on _resource_',
    ]
    await zms().prints(OWNER, 'show-server-template temporary_access', shown.join(' '))
    await zms().refused(OWNER, 'show-server-template none', 404, "getTemplate: Template not found: 'none'")

    const applied = '[Template(s) successfully applied to domain]'
    await clubRefuses('user.bob', 'set-domain-template auditors', 403, 'Forbidden')
    await clubRefuses(OWNER, 'set-domain-template none', 404, 'validateSolutionTemplates: Template not found: none')
    await club(OWNER, 'set-domain-template temporary_access role=oncall resource=servers', applied)
    await club(OWNER, 'set-domain-template auditors team team=strikers', applied)
    await club(OWNER, 'list-domain-template', 'templates: - auditors - team - temporary_access')
    await club('user.bob', 'add-member oncall user.bob', '[Added to oncall: user.bob]')
    const approved = '[domain club role oncall member user.bob successfully approved.]'
    await club(OWNER, 'put-membership-decision oncall user.bob true', approved)
    await club(OWNER, 'check-active-member oncall user.bob', '- member: user.bob expiration: <+1d> result: true')
    await club(OWNER, 'show-access restart servers user.bob', 'access: granted')
    await club(
      OWNER,
      'show-role strikers',
      'role: - name: strikers description: The people of the team. members: - name: club:group.strikers',
    )

    await club(OWNER, 'delete-domain-template temporary_access', '[Deleted template: temporary_access]')
    await clubRefuses(OWNER, 'delete-domain-template none', 404, 'validateSolutionTemplates: Template not found: none')
    await club(OWNER, 'list-domain-template', 'templates: - auditors - team')
    // A template is taken out by its names as they are in the file; what a parameter named stays.
    await club(OWNER, 'list-role', 'roles: - admin - auditors - oncall - strikers')
    await club(OWNER, 'delete-domain-template auditors', '[Deleted template: auditors]')
    await club(OWNER, 'list-role', 'roles: - admin - oncall - strikers')
  })

  test('a provider gets tenants, and tenants get its roles', async () => {
    await zms().prints(ADMIN, 'add-domain storage 3 user.provider', '[domain created: storage]')
    const service = await zms().run('user.provider', `-d storage add-provider-service box v0 ${publicKey}`)
    assert.equal(service.status, 0, service.output)
    const dependency = '-d club put-domain-dependency storage.box'
    await zms().refused(ADMIN, dependency, 401, 'storage.box is not an authorized service provider')
    const providers = 'role: - name: service_providers members: - name: storage.box'
    await zms().prints(ADMIN, '-d sys.auth add-regular-role service_providers storage.box', providers)
    const updated = '[domain club service storage.box domain-dependency successfully updated]'
    await zms().prints(ADMIN, dependency, updated)
    await zms().prints(ADMIN, 'get-dependent-domain-list storage.box', 'dependent-domains: - club')
    await club(ADMIN, 'get-dependent-service-list', 'dependent-services: - storage.box')

    await clubRefuses('user.bob', 'add-tenancy storage.box', 403, 'Forbidden')
    const tenant = '[Successfully added tenant club to provider storage.box]'
    await club(OWNER, 'add-tenancy storage.box', tenant)
    await zms().prints('user.provider', '-d storage add-tenant box club', tenant)
    const group = 'add-tenant-resource-group-roles box club cellar reader=read writer=write'
    const roles =
      'resource-group: - name: cellar tenant-roles: - role: reader action: read - role: writer action: write'
    await zms().prints('user.provider', `-d storage ${group}`, roles)
    await zms().prints('user.provider', '-d storage show-tenant-resource-group-roles box club cellar', roles)
    const provided = 'resource-group: - name: cellar provider-roles: - reader - writer'
    await club(OWNER, 'add-provider-resource-group-roles storage box cellar false reader=read writer=write', provided)
    await club(OWNER, 'show-provider-resource-group-roles storage box cellar', provided)
    const added = '[Added to storage.box.res_group.cellar.reader: user.bob]'
    await club(OWNER, 'add-provider-role-member storage.box cellar reader user.bob', added)
    const resource = 'storage:service.box.tenant.club.res_group.cellar.wine'
    await zms().prints(ADMIN, `-d storage show-access read ${resource} user.bob`, 'access: granted')
    await zms().prints(ADMIN, `-d storage show-access write ${resource} user.bob`, 'access: denied')

    await club(
      OWNER,
      'delete-provider-resource-group-roles storage box cellar',
      '[Successfully deleted resource group cellar roles for tenant: club]',
    )
    await club(ADMIN, 'get-dependent-service-list', 'dependent-services: - storage.box')
    await zms().prints(
      'user.provider',
      '-d storage delete-tenant-resource-group-roles box club cellar',
      '[Successfully deleted resource group cellar roles for tenant: club]',
    )
    const deleted = '[Successfully deleted tenant club from provider storage.box]'
    // With the last resource group the dependency has ended.
    await club(ADMIN, 'get-dependent-service-list', 'dependent-services:')
    await zms().prints('user.provider', '-d storage delete-tenant box club', deleted)
    await club(OWNER, 'delete-tenancy storage.box', deleted)
    await zms().prints('user.provider', '-d storage list-role', 'roles: - admin - box_self_serve')
    await zms().prints(ADMIN, dependency, updated)
    await club(
      ADMIN,
      'delete-domain-dependency storage.box',
      '[domain club service storage.box domain-dependency successfully deleted]',
    )
    await club(ADMIN, 'get-dependent-service-list', 'dependent-services:')
  })

  test('a delegated role is held through the roles of the trusted domain', async () => {
    await zms().prints(ADMIN, 'add-domain media 4 user.editor', '[domain created: media]')
    await club(OWNER, 'add-delegated-role press media', 'role: - name: press trust: media')
    await clubRefuses(
      OWNER,
      'add-delegated-role own club',
      400,
      'validateRoleMembers: Role cannot be delegated to itself',
    )
    await clubRefuses(OWNER, 'add-delegated-role lost none', 400, 'Delegated role assigned to non existing domain')
    const policy = 'policy: - name: press version: 0 active: true assertions: - grant enter to press on stadium'
    await club(OWNER, 'add-policy press grant enter to press on stadium', policy)
    await club(OWNER, 'show-access enter stadium user.bob', 'access: denied')
    const journalists = 'role: - name: journalists members: - name: user.bob'
    await zms().prints('user.editor', '-d media add-regular-role journalists user.bob', journalists)
    await zms().prints(
      'user.editor',
      '-d media add-policy press grant assume_role to journalists on club:role.press',
      'policy: - name: press version: 0 active: true assertions: - grant assume_role to journalists on club:role.press',
    )
    await club(OWNER, 'show-access enter stadium user.bob', 'access: granted')
    await club(OWNER, 'show-role press expand', 'role: - name: press members: - name: user.bob trust: media')
    await clubRefuses(OWNER, 'add-member press user.carol', 400, 'putmembership: press is a delegated role')
  })

  test('quotas limit, and a domain has those of the server unless it has its own', async () => {
    await zms().prints(ADMIN, 'add-domain limited 6 user.owner', '[domain created: limited]')
    const quota = async () => (await zms().run(OWNER, '-d limited get-quota')).output
    assert.match(await quota(), /^ +role: 1000$/m)
    await zms().refused(OWNER, '-d limited set-quota role=2', 403, 'Forbidden')
    await zms().prints(ADMIN, '-d limited set-quota role=2 role-member=1', '[domain limited quota successfully set]')
    assert.match(await quota(), /^ +role: 2$/m)
    const members = '-d limited add-regular-role many user.a user.b'
    await zms().refused(OWNER, members, 429, 'role member quota exceeded - limit: 1 actual: 2')
    await zms().prints(OWNER, '-d limited add-regular-role first', 'role: - name: first')
    const second = '-d limited add-regular-role second'
    await zms().refused(OWNER, second, 429, 'role quota exceeded - limit: 2 actual: 3')
    await zms().prints(ADMIN, '-d limited delete-quota', '[Removed quota for domain limited]')
    await zms().refused(ADMIN, '-d limited delete-quota', 404, 'deletequota: unable to delete quota: limited')
    await zms().prints(OWNER, second, 'role: - name: second')
  })

  test('what has an owner is changed by the owner only, unless by force', async () => {
    await club(OWNER, 'add-regular-role owned user.a', 'role: - name: owned members: - name: user.a')
    await club(
      OWNER,
      'set-role-resource-ownership owned objectowner:terraform,membersowner:terraform',
      '[domain club role owned role-resource-ownership attribute successfully updated]',
    )
    await clubRefuses(OWNER, 'add-member owned user.b', 409, 'Role has a resource owner: terraform')
    const other = 'Invalid resource member owner for role: club:role.owned, terraform vs. chef'
    await clubRefuses(OWNER, '-r chef add-member owned user.b', 409, other)
    await club(OWNER, '-r terraform add-member owned user.b', '[Added to owned: user.b]')
    await club(OWNER, '-r ignore add-member owned user.c', '[Added to owned: user.c]')
    await clubRefuses(OWNER, 'delete-role owned', 409, 'Invalid resource owner for object: terraform vs. null')
    await club(OWNER, '-r chef:force add-member owned user.d', '[Added to owned: user.d]')
    await clubRefuses(
      OWNER,
      '-r terraform add-member owned user.e',
      409,
      'Invalid resource member owner for role: club:role.owned, chef vs. terraform',
    )
    await club(OWNER, '-r terraform delete-role owned', '[Deleted role: owned]')
    await clubRefuses(OWNER, 'set-domain-resource-ownership TF', 400, 'invalid resource owner format')
    await club(
      OWNER,
      'set-domain-resource-ownership objectowner:TF,metaowner:TF',
      '[domain club domain-resource-ownership attribute successfully updated]',
    )
    await clubRefuses(OWNER, 'set-domain-meta about', 409, 'Domain has a resource owner: TF')
    await club(
      OWNER,
      'reset-domain-resource-ownership domain',
      '[domain club resource-ownership attribute successfully reset for the requested types]',
    )
    await club(OWNER, 'set-domain-meta about', '[domain club metadata successfully updated]')
  })

  test('contacts, environment and accounts of a domain', async () => {
    const set = '[domain club contacts successfully updated]'
    await club(OWNER, 'set-domain-contact security-contact user.bob', set)
    await club(OWNER, 'set-domain-contact product-owner user.carol', set)
    await clubRefuses(OWNER, 'set-domain-contact mascot user.bob', 400, 'invalid domain contact type: mascot')
    const contacts = async () =>
      ((await zms().rest(OWNER, 'GET', '/domain/club')).body as { contacts: object }).contacts
    assert.deepEqual(await contacts(), { 'product-owner': 'user.carol', 'security-contact': 'user.bob' })
    await club(OWNER, 'set-domain-contact security-contact ""', set)
    assert.deepEqual(await contacts(), { 'product-owner': 'user.carol' })

    const updated = '[domain club metadata successfully updated]'
    const unauthorized = 'unauthorized to update system meta attribute: environment'
    await clubRefuses(OWNER, 'set-domain-environment production', 403, unauthorized)
    await clubRefuses(ADMIN, 'set-domain-environment moon', 400, 'invalid environment for domain')
    await club(ADMIN, 'set-domain-environment production', updated)
    await club(ADMIN, 'set-aws-account 123456789012', '[domain club account successfully updated]')
    await zms().prints(OWNER, 'lookup-domain-by-aws-account 123456789012', 'domains: - club')
    await zms().prints(OWNER, 'lookup-domain-by-aws-account 210987654321', 'domains:')
  })

  test('counts, checks and lists of a whole domain', async () => {
    await zms().prints(ADMIN, 'add-domain small 5 user.owner', '[domain created: small]')
    const counts =
      'name: small subdomain: 0 role: 1 rolemember: 3 policy: 1 assertion: 1 entity: 0 service: 0 servicehost: 0 publickey: 0 group: 0 groupmember: 0'
    await zms().prints(OWNER, 'get-stats small', counts)
    await zms().prints(OWNER, 'check-domain small', 'checked data: Number of policies: 1 Number of assertions: 1')
    const ghosts = 'policy: - name: ghosts version: 0 active: true assertions: - grant haunt to ghosts on castle'
    await zms().prints(OWNER, '-d small add-policy ghosts grant haunt to ghosts on castle', ghosts)
    const dangling = 'Policies where assertion is referencing a non-existent role: policy: ghosts role: ghosts'
    const checked = `checked data: ${dangling} Number of policies: 2 Number of assertions: 2`
    await zms().prints(OWNER, 'check-domain small', checked)
    await zms().prints(ADMIN, 'disable-domain small', '[domain small metadata successfully updated]')
    const disabled = "getAccessCheck: Disabled domain: 'small'"
    await zms().refused(ADMIN, '-d small show-access haunt castle user.owner', 403, disabled)
    await zms().prints(ADMIN, 'enable-domain small', '[domain small metadata successfully updated]')
    await zms().prints(ADMIN, 'set-default-admins small user.zoe', '[domain small administrators successfully set]')
    await zms().prints(ADMIN, 'lookup-domain-by-role user.zoe admin', 'domains: - small')
    await zms().prints(ADMIN, '-a leaves delete-user zoe', '[Deleted user: zoe]')
    await zms().prints(ADMIN, 'lookup-domain-by-role user.zoe admin', 'domains:')
    await zms().prints(ADMIN, 'delete-domain small', '[Deleted domain small]')
    await zms().refused(ADMIN, 'show-domain small', 404, 'No such domain: small')
  })
})
