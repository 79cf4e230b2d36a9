import type { DomainBase } from '../store/model.ts'
import { domainSettingsReply } from './domain-reply.ts'
import { timestamp } from './wire-form.ts'

/** Settings that no signed form of a domain has. */
const NEVER = ['featureFlags', 'environment', 'autoDeleteTenantAssumeRoleAssertions', 'clientIdSelfUpdate']

/** Settings that signed domains do not have, in contrast to web signatures. */
const NOT_SIGNED: ReadonlySet<string> = new Set([
  ...NEVER,
  'gcpProject',
  'gcpProjectNumber',
  'resourceOwnership',
  'x509CertSignerKeyId',
  'sshCertSignerKeyId',
  'externalMemberValidator',
  'costCenter',
])

/** Settings that lists of all settings and web signatures do not have, in contrast to signed domains. */
const NOT_LISTED: ReadonlySet<string> = new Set([...NEVER, 'userAuthorityFilter'])

const without = (settings: Record<string, unknown>, names: ReadonlySet<string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => !names.has(name)))

/** The settings of a domain in signed domains; whether it is audited only if it is. */
export function signedSettings(domain: DomainBase): Record<string, unknown> {
  const { auditEnabled, ...settings } = without(domainSettingsReply(domain), NOT_SIGNED)
  return auditEnabled ? { ...settings, auditEnabled } : settings
}

/** The settings of a domain in web signatures, and where all settings are asked for. */
export const listedSettings = (domain: DomainBase): Record<string, unknown> =>
  without(domainSettingsReply(domain), NOT_LISTED)

/** Members that go with a setting, by the lower-case name under which it is asked for; the first one must be there. */
const ATTRIBUTES: ReadonlyMap<string, readonly (keyof DomainBase)[]> = new Map<string, readonly (keyof DomainBase)[]>([
  ['account', ['account', 'awsAccountName']],
  ['azuresubscription', ['azureSubscription', 'azureTenant', 'azureClient']],
  ['gcpproject', ['gcpProject', 'gcpProjectNumber']],
  ['ypmid', ['ypmId']],
  ['productid', ['productId']],
  ['businessservice', ['businessService']],
  ['externalmembervalidator', ['externalMemberValidator']],
  ['costcenter', ['costCenter']],
])

/** Whether a setting asked for needs more of a domain than its name, time and state. */
export const needsSettings = (attribute: string | undefined): boolean =>
  attribute !== undefined && (attribute === 'all' || ATTRIBUTES.has(attribute))

/** What a domain holds, in answers that only tell settings. */
const NOTHING_HELD = { roles: null, policies: null, services: null, entities: null, groups: null }

/** A domain without settings, as lists of modified domains write it. */
export const bareDomain = (domain: Pick<DomainBase, 'name' | 'modified' | 'enabled'>): Record<string, unknown> => ({
  domain: { enabled: domain.enabled, name: domain.name, ...NOTHING_HELD, modified: timestamp(domain.modified) },
})

/** A domain with the setting asked for, or `all`; undefined when it does not have it. Unknown settings add nothing. */
export function domainWithSetting(domain: DomainBase, attribute: string): Record<string, unknown> | undefined {
  const { domain: bare } = bareDomain(domain) as { domain: Record<string, unknown> }
  if (attribute === 'all') return { domain: { ...listedSettings(domain), ...bare } }
  const members = ATTRIBUTES.get(attribute) ?? []
  const [required] = members
  if (required !== undefined && !domain[required]) return undefined
  return { domain: { ...bare, ...Object.fromEntries(members.map((name) => [name, domain[name]])) } }
}
