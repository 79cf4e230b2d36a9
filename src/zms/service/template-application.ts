import { badRequest, notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { isName, type NameType } from '#core/names/patterns.ts'
import { localName, type ResourceType } from '#core/names/resource-name.ts'
import type { PolicyInput } from '../api/policy.ts'
import type { ServiceIdentityInput } from '../api/service-identity.ts'
import type { Domain, RoleBase, ServiceBase } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { requestedAssertion } from './assertion-rules.ts'
import { putAssertions } from './assertion-write.ts'
import { baseOf, type CollectionKind, groupKind, needsApproval, roleKind } from './collection.ts'
import { writtenSettings } from './collection-settings.ts'
import { requestedMembers, requireSamePendingState } from './collection-write.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { requireGroupUnused } from './domain-deletion.ts'
import { MemberChanges } from './member-changes.ts'
import { wholeSeconds } from './member-dates.ts'
import { requireMemberDomain } from './member-rules.ts'
import { type Fill, placeholders } from './placeholders.ts'
import { roleOf } from './role.ts'
import type { SolutionTemplate } from './solution-templates.ts'
import { serviceBaseOf } from './stored-service.ts'
import { compact, present, tagsOf } from './wire-form.ts'

/** A template and where it goes. */
export interface TemplateApplication {
  /** Domain that the transaction holds. */
  readonly domain: string
  /** Name of the template, lower case. */
  readonly template: string
  /** What the placeholders stand for, lower case; `domain` always is the domain. */
  readonly params: ReadonlyMap<string, string>
  readonly auditRef: string | undefined
}

/** What is being done, for the steps of it. */
interface Step {
  readonly deps: Pick<ZmsDependencies, 'config'>
  readonly context: RequestContext
  readonly transaction: Transaction
  /** The domain as it was before this template. */
  readonly domain: Domain
  readonly fill: Fill
  readonly auditRef: string | undefined
}

/**
 * Puts what a template contains into a domain and records that. Objects that are there already get the settings that the
 * template names and what they lack of its members, assertions, keys and hosts; they lose nothing. The members are those
 * that the operators chose: only the domains in their names must exist. 400 when a parameter makes a name that cannot be.
 */
export async function applyTemplate(
  deps: Pick<ZmsDependencies, 'config' | 'templates'>,
  context: RequestContext,
  transaction: Transaction,
  { domain: domainName, template: name, params, auditRef }: TemplateApplication,
): Promise<void> {
  const template = requireTemplate(deps, name)
  const domain = await transaction.domain(domainName)
  if (!domain) throw notFound(`${context.api}: Unknown domain: ${domainName}`)
  const fill = placeholders(new Map([...params, ['domain', domainName]]))
  const step = { deps, context, transaction, domain, fill, auditRef }
  const { roles = [], policies = [], services = [], groups = [] } = template.content
  for (const role of roles) {
    const members = role.roleMembers ?? (role.members ?? []).map((memberName) => ({ memberName }))
    const settings = roleOf(nameIn(step, 'role', role.name), role, undefined)
    await putCollection(step, roleKind, { settings, given: role, members })
  }
  for (const policy of policies) putPolicy(step, policy)
  for (const service of services) putService(step, service)
  for (const group of groups) {
    const settings = writtenSettings(nameIn(step, 'group', group.name), group, undefined)
    await putCollection(step, groupKind, { settings, given: group, members: group.groupMembers ?? [] })
  }
  const version = template.latestVersion ?? domain.templates.get(name) ?? 0
  transaction.apply({ kind: 'putTemplate', domain: domainName, template: name, version })
}

/**
 * Takes what a template contains by name out of a domain, and its record. The role and the policy of the administrators
 * stay. 400 when one of its groups is a member of roles in other domains.
 */
export async function removeTemplate(
  deps: Pick<ZmsDependencies, 'config' | 'templates'>,
  context: RequestContext,
  transaction: Transaction,
  { domain: domainName, template: name }: Pick<TemplateApplication, 'domain' | 'template'>,
): Promise<void> {
  const { roles = [], policies = [], services = [], groups = [] } = requireTemplate(deps, name).content
  const domain = await transaction.domain(domainName)
  if (!domain) throw notFound(`${context.api}: Unknown domain: ${domainName}`)
  const fill = placeholders(new Map([['domain', domainName]]))
  const local = (type: ResourceType, fullName: string) => localName(type, domainName, fill(fullName)) as string
  for (const { name: fullName } of roles) {
    const role = local('role', fullName)
    if (role !== ADMIN && domain.roles.has(role)) transaction.apply({ kind: 'deleteRole', domain: domainName, role })
  }
  for (const { name: fullName } of policies) {
    const policy = local('policy', fullName)
    if (policy === ADMIN || !domain.policies.has(policy)) continue
    transaction.apply({ kind: 'deletePolicy', domain: domainName, policy })
  }
  for (const { name: fullName } of services) {
    const service = fill(fullName).slice(domainName.length + 1)
    if (domain.services.has(service)) transaction.apply({ kind: 'deleteService', domain: domainName, service })
  }
  for (const { name: fullName } of groups) {
    const group = local('group', fullName)
    if (!domain.groups.has(group)) continue
    await requireGroupUnused(transaction.queries, domainName, group, 'elsewhere')
    transaction.apply({ kind: 'deleteGroup', domain: domainName, group })
  }
  if (domain.templates.has(name)) transaction.apply({ kind: 'deleteTemplate', domain: domainName, template: name })
}

const ADMIN = 'admin'

/** The template of that name; 404 without. */
export function requireTemplate({ templates }: Pick<ZmsDependencies, 'templates'>, name: string): SolutionTemplate {
  const template = templates.get(name)
  if (!template) throw notFound(`validateSolutionTemplates: Template not found: ${name}`)
  return template
}

/** Local name of an object of the template in the domain. */
function nameIn({ context, domain, fill }: Step, type: ResourceType, name: string): string {
  const full = fill(name)
  return requireName(context, 'EntityName', localName(type, domain.name, full) ?? full)
}

function requireName(context: RequestContext, type: NameType, name: string): string {
  if (!isName(type, name)) throw badRequest(`${context.api}: Invalid ${type} in template: ${name}`)
  return name
}

/** A role or group of a template. */
interface TemplateCollection {
  readonly settings: RoleBase
  /** The settings as the template has them: with `false`, `0` and empty texts, which clear what there is. */
  readonly given: Readonly<Partial<Record<keyof RoleBase, unknown>>>
  readonly members: readonly { memberName?: string | undefined; expiration?: number | undefined }[]
}

/** A role or group: its settings where the template names some, and members that are missing. */
async function putCollection(
  { deps, context, transaction, domain, fill, auditRef }: Step,
  kind: CollectionKind,
  { settings: { name, modified, created, ...settings }, given, members }: TemplateCollection,
): Promise<void> {
  const existing = kind.find(domain, name)
  const current: RoleBase = existing ? baseOf(existing) : { name, modified, created }
  const cleared = (Object.keys(current) as (keyof RoleBase)[]).filter((key) => CLEARING.has(given[key]))
  const base: RoleBase = { ...current, ...settings, ...(settings.trust && { trust: fill(settings.trust) }) }
  for (const key of cleared) delete base[key]
  if (base.trust)
    await requireTrust(transaction, domain.name, base.trust, members.length + (existing?.members.size ?? 0))
  if (!existing || cleared.length > 0 || Object.keys(settings).length > 0)
    transaction.apply(kind.put(domain.name, base))
  const principal = context.principal?.fullName ?? ''
  const changes = new MemberChanges(kind, domain.name, name, { principal, auditRef, now: transaction.now })
  const filled = members.map((member) => ({
    ...member,
    ...(member.memberName !== undefined && {
      memberName: requireName(context, kind === roleKind ? 'MemberName' : 'GroupMemberName', fill(member.memberName)),
    }),
  }))
  for (const { name: member, dates } of requestedMembers(deps, filled)) {
    if (existing?.members.has(member)) continue
    await requireMemberDomain(transaction, member)
    const whole = Object.fromEntries(Object.entries(dates).map(([key, date]) => [key, wholeSeconds(date)]))
    if (needsApproval(base)) {
      requireSamePendingState(existing, member, 'ADD')
      transaction.apply(...changes.request(member, whole, 'ADD'))
    } else {
      transaction.apply(...changes.put(member, whole, 'ADD', existing ? undefined : principal))
    }
  }
}

const CLEARING: ReadonlySet<unknown> = new Set([false, 0, ''])

/** 400 for a delegation to nobody or to the domain itself, and for members of a delegated role. */
async function requireTrust(transaction: Transaction, domain: string, trust: string, members: number): Promise<void> {
  if (trust === domain) throw badRequest('validateRoleMembers: Role cannot be delegated to itself')
  if (members > 0) throw badRequest('validateRoleMembers: Role cannot have both roleMembers and delegated domain set')
  if (!(await transaction.domain(trust))) throw badRequest('Delegated role assigned to non existing domain')
}

/** The assertions of a policy that are missing; the settings of the template are for a new policy only. */
function putPolicy(step: Step, policy: PolicyInput): void {
  const { transaction, domain, fill } = step
  const name = nameIn(step, 'policy', policy.name)
  const wanted = policy.assertions.map((input) => {
    const { role, resource, action } = input
    const filled = { ...input, role: fill(role), resource: fill(resource), action: fill(action) }
    return requestedAssertion(domain.name, filled, policy.caseSensitive === true)
  })
  const settings = compact({
    description: present(policy.description),
    tags: policy.tags && policy.tags.size > 0 ? tagsOf(policy.tags) : undefined,
  })
  putAssertions(transaction, domain, name, wanted, { others: 'keep', settings })
}

/** A service: its fields where the template names some, its keys, and hosts that are missing. */
function putService({ context, transaction, domain, fill }: Step, service: ServiceIdentityInput): void {
  const name = requireName(context, 'SimpleName', fill(service.name).slice(domain.name.length + 1))
  const existing = domain.services.get(name)
  const fields = compact({
    description: present(service.description),
    providerEndpoint: present(service.providerEndpoint),
    executable: present(service.executable),
    user: present(service.user),
    group: present(service.group),
    x509CertSignerKeyId: present(service.x509CertSignerKeyId),
    sshCertSignerKeyId: present(service.sshCertSignerKeyId),
    tags: service.tags && service.tags.size > 0 ? tagsOf(service.tags) : undefined,
  })
  if (!existing || Object.keys(fields).length > 0) {
    const base: ServiceBase = existing ? serviceBaseOf(existing) : { name, modified: 0, created: 0 }
    transaction.apply({ kind: 'putService', domain: domain.name, value: { ...base, ...fields } })
  }
  for (const { id: keyId, key } of service.publicKeys ?? []) {
    if (existing?.publicKeys.get(keyId) === key) continue
    transaction.apply({ kind: 'putPublicKey', domain: domain.name, service: name, keyId, key })
  }
  const hosts = new Set([...(existing?.hosts ?? []), ...(service.hosts ?? [])])
  if (hosts.size > (existing?.hosts.size ?? 0)) {
    transaction.apply({ kind: 'putHosts', domain: domain.name, service: name, hosts })
  }
}
