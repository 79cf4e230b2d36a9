import type { ZmsClient } from '#client/zms-client.ts'
import { type CollectionForm, collectionForm } from './collection-form.ts'
import { absentAsUndefined } from './exit-status.ts'
import { type Fields, field, isFields, tagsFromWire, textField } from './fields.ts'
import { type PolicyForm, policyForm } from './policy-form.ts'
import { type ServiceForm, serviceForm } from './service-form.ts'

/** What a domain has, by local names, in the forms in which people write it. */
export interface DomainContent {
  readonly settings: Fields
  readonly groups: ReadonlyMap<string, CollectionForm>
  readonly roles: ReadonlyMap<string, CollectionForm>
  readonly services: ReadonlyMap<string, ServiceForm>
  readonly policies: ReadonlyMap<string, PolicyForm>
}

/** A domain as ZMS has it, and what is needed to change it. */
export interface DomainState extends DomainContent {
  /** Version in which a policy is active. */
  readonly versions: ReadonlyMap<string, string>
}

/** Settings of a domain that its administrators may change, by their published names. */
export const DOMAIN_SETTINGS: ReadonlySet<string> = new Set([
  'description',
  'applicationId',
  'memberExpiryDays',
  'serviceExpiryDays',
  'groupExpiryDays',
  'tokenExpiryMins',
  'serviceCertExpiryMins',
  'roleCertExpiryMins',
  'memberPurgeExpiryDays',
  'signAlgorithm',
  'businessService',
  'environment',
  'slackChannel',
  'onCall',
  'autoDeleteTenantAssumeRoleAssertions',
  'clientIdSelfUpdate',
  'tags',
  'contacts',
])

/** Reads a domain; undefined when there is none. */
export async function readDomain(zms: ZmsClient, domain: string): Promise<DomainState | undefined> {
  const settings = await settingsOf(zms, domain)
  if (settings === undefined) return undefined
  const [groups, roles, services, policies] = await Promise.all([
    zms.call('getGroups', { domainName: domain, members: true }),
    zms.call('getRoles', { domainName: domain, members: true }),
    zms.call('getServiceIdentities', { domainName: domain, publickeys: true, hosts: true }),
    zms.call('getPolicies', { domainName: domain, assertions: true }),
  ])
  return {
    settings,
    groups: byName(groups, `${domain}:group.`, (wire) => collectionForm('group', wire)),
    roles: byName(roles, `${domain}:role.`, (wire) => collectionForm('role', wire)),
    services: byName(services, `${domain}.`, serviceForm),
    policies: byName(policies, `${domain}:policy.`, (wire) => policyForm(domain, wire)),
    versions: byName(policies, `${domain}:policy.`, (wire) => textField(wire, 'version') ?? '0'),
  }
}

/** The settings of a domain that its administrators may change; undefined when there is no such domain. */
export async function settingsOf(zms: ZmsClient, domain: string): Promise<Fields | undefined> {
  const wire: Fields | undefined = await zms.call('getDomain', { domain }).catch(absentAsUndefined)
  if (wire === undefined) return undefined
  const tags = tagsFromWire(field(wire, 'tags'))
  const said = Object.entries(wire).filter(
    ([name, value]) =>
      name !== 'tags' && DOMAIN_SETTINGS.has(name) && value !== false && value !== '' && value !== null,
  )
  return { ...Object.fromEntries(said.sort(([a], [b]) => (a < b ? -1 : 1))), ...(tags && { tags }) }
}

/** A domain in the form in which `athenz apply` takes it. */
export function manifestOf(domain: string, { settings, groups, roles, services, policies }: DomainContent): Fields {
  const sections = { groups, roles, services, policies }
  const present = Object.entries(sections).filter(([, content]) => content.size > 0)
  return {
    domain,
    ...(Object.keys(settings).length > 0 && { settings }),
    ...Object.fromEntries(present.map(([name, content]) => [name, Object.fromEntries(content)])),
  }
}

/** The entries of a list of the interface by their local names, in order. */
function byName<T>(reply: unknown, prefix: string, form: (wire: Fields) => T): ReadonlyMap<string, T> {
  const list = isFields(reply) ? field(reply, 'list') : undefined
  const entries = (Array.isArray(list) ? list : []).filter(isFields).map((wire): [string, T] => {
    const name = textField(wire, 'name') ?? ''
    return [name.startsWith(prefix) ? name.slice(prefix.length) : name, form(wire)]
  })
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
