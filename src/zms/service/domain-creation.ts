import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { resolveUserAlias } from '#core/names/principal-name.ts'
import type { SubDomainInput, TopLevelDomainInput, UserDomainInput } from '../api/domain.ts'
import type { Domain, DomainMeta } from '../store/model.ts'
import type { DomainQueries, Transaction } from '../store/store.ts'
import { contactsOf, requireContacts } from './contact-rules.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { requireKnownValues } from './domain-meta-store.ts'
import {
  accountOf,
  requireEnvironment,
  requireNameLength,
  requireNewForms,
  requireUnique,
  requireVirtualLimit,
  requireWholeAzure,
  requireWholeGcp,
} from './domain-rules.ts'
import { type MemberLookup, requireMemberDomain } from './member-rules.ts'
import { domainCreation, newDomain } from './new-domain.ts'
import { principalDomainsOf } from './principal-domains.ts'
import { applyTemplate } from './template-application.ts'
import { requireUserAuthorityFilter } from './user-authority-attributes.ts'
import { present, tagsOf } from './wire-form.ts'

/** A domain that a request asks for, of whichever kind. */
export interface CreationRequest {
  readonly kind: 'top' | 'sub' | 'user'
  /** Full name. */
  readonly name: string
  readonly detail: TopLevelDomainInput | SubDomainInput | UserDomainInput
  readonly admins: readonly string[]
  readonly auditRef: string | undefined
  readonly resourceOwner: string | undefined
  /** Domain above, for sub domains. */
  readonly parent?: string
}

/**
 * Creates a domain: checks the request in the original's order, then writes the domain with its admin role and policy
 * and the templates asked for, all in one transaction. Resolves to the new domain.
 */
export async function createDomain(
  deps: ZmsDependencies,
  context: RequestContext,
  request: CreationRequest,
): Promise<Domain> {
  const { config, writes } = deps
  const { name, detail } = request
  deps.authorizedServices.check(context)
  if (request.kind === 'sub') await requireRoomAtHome(deps, deps.store, name)
  const templateNames = detail.templates?.templateNames ?? []
  for (const template of templateNames) {
    if (!deps.templates.get(template)) throw notFound(`validateSolutionTemplates: Template not found: ${template}`)
  }
  requireProductId(deps, request)
  requireUserAuthorityFilter(deps.userAuthority, detail.userAuthorityFilter)
  await parentOf(deps.store, request)
  const settings = await requestedSettings(deps, request)
  const admins = adminsOf(deps, request.admins)
  const top = name.split('.')[0] as string
  // The top of the chain is locked too, so that two new domains cannot slip under its limit together.
  const domains = [...new Set([name, ...(request.parent === undefined ? [] : [request.parent]), top])]
  return writes.commit({ context, domains, entity: name, auditRef: request.auditRef }, async (transaction) => {
    const parent = await parentOf(transaction, request)
    const whole = { ...settings, ...(parent && inherited(parent)) }
    const created = newDomain({ name, admins: [], requestPrincipal: '', settings: whole })
    // The domain that is being made exists for its own members.
    const lookup = { domain: async (each: string) => (each === name ? created : transaction.domain(each)) }
    await checkAdmins(deps, lookup, created, admins)
    if (parent) await requireRoomAtHome(deps, transaction.queries, name)
    if (top !== name) await requireRoomBelow(deps, transaction, request.kind, top)
    const similar = await transaction.queries.similarDomain(name)
    if (similar !== undefined) throw badRequest(`Domain name conflict: ${similar}`)
    if (await transaction.domain(name)) throw badRequest(`makeDomain: Cannot create domain: ${name} - already exists`)
    await requireUnique(transaction.queries, name, settings, config)
    for (const admin of admins) await requireMemberDomain(lookup, admin)
    const creation = {
      name,
      admins,
      requestPrincipal: context.principal?.fullName ?? '',
      auditRef: request.auditRef,
      settings: whole,
    }
    transaction.apply(...domainCreation(creation, transaction.now))
    for (const template of templateNames) {
      await applyTemplate(deps, context, transaction, {
        domain: name,
        template,
        params: new Map(),
        auditRef: request.auditRef,
      })
    }
    return (await transaction.domain(name)) as Domain
  })
}

/** The domain above, for sub domains; 404 when it does not exist. */
async function parentOf(
  lookup: { domain(name: string): Domain | undefined | Promise<Domain | undefined> },
  { parent: name }: CreationRequest,
): Promise<Domain | undefined> {
  if (name === undefined) return undefined
  const parent = await lookup.domain(name)
  if (!parent) throw notFound(`Invalid parent domain: ${name}`)
  return parent
}

/** 400 when a top-level domain needs a product id and has none. */
function requireProductId({ config }: ZmsDependencies, { kind, detail }: CreationRequest): void {
  if (!config.zms.productIdSupport || kind !== 'top') return
  if (detail.ypmId === undefined && !detail.productId) {
    throw badRequest('Product Id is required when creating top level domain')
  }
  if (detail.ypmId !== undefined && detail.ypmId < 1) throw badRequest('Product Id must be a positive integer')
}

/** Settings that only the operators may change later. */
const OF_OPERATORS = [
  'account',
  'awsAccountName',
  'azureSubscription',
  'azureTenant',
  'azureClient',
  'gcpProject',
  'gcpProjectNumber',
  'ypmId',
  'productId',
  'certDnsDomain',
  'org',
  'userAuthorityFilter',
  'featureFlags',
  'externalMemberValidator',
  'costCenter',
  'x509CertSignerKeyId',
  'sshCertSignerKeyId',
] as const satisfies readonly (keyof UserDomainInput)[]

/**
 * The request for a domain that no operator makes: it begins without the settings of the operators, whatever it asks
 * for, except for those it takes over from the domain above.
 */
export function withoutOperatorSettings<T extends SubDomainInput | UserDomainInput>(detail: T): T {
  const own = { ...detail }
  for (const setting of OF_OPERATORS) own[setting] = undefined
  return own
}

/** The settings of the new domain, checked. */
async function requestedSettings(
  deps: ZmsDependencies,
  request: CreationRequest,
): Promise<Partial<DomainMeta & Domain>> {
  const { config } = deps
  const { detail } = request
  requireNewForms(detail)
  const account = detail.account ? accountOf(detail.account, config.zms.allowMultipleAwsAccounts) : undefined
  requireWholeAzure(detail)
  requireWholeGcp(detail)
  requireEnvironment(detail.environment, config.zms.domainEnvironments)
  if (detail.contacts) await requireContacts(deps, detail.contacts)
  await requireKnownValues(deps.domainMetaStore, request.name, { ...detail, account })
  deps.quotas.requireTags('domain', detail.tags, undefined)
  const ownership = deps.ownership.wholeWrite(
    'domain',
    request.name,
    undefined,
    ['object', 'meta'],
    request.resourceOwner,
  )
  return {
    description: present(detail.description),
    org: present(detail.org),
    auditEnabled: detail.auditEnabled ?? false,
    account,
    awsAccountName: present(detail.awsAccountName),
    ypmId: config.zms.productIdSupport ? (detail.ypmId ?? 0) : 0,
    applicationId: present(detail.applicationId),
    certDnsDomain: present(detail.certDnsDomain),
    memberExpiryDays: present(detail.memberExpiryDays),
    tokenExpiryMins: present(detail.tokenExpiryMins),
    serviceCertExpiryMins: present(detail.serviceCertExpiryMins),
    roleCertExpiryMins: present(detail.roleCertExpiryMins),
    signAlgorithm: present(detail.signAlgorithm),
    serviceExpiryDays: present(detail.serviceExpiryDays),
    groupExpiryDays: present(detail.groupExpiryDays),
    userAuthorityFilter: present(detail.userAuthorityFilter),
    azureSubscription: present(detail.azureSubscription),
    azureTenant: present(detail.azureTenant),
    azureClient: present(detail.azureClient),
    gcpProject: present(detail.gcpProject),
    gcpProjectNumber: present(detail.gcpProjectNumber),
    businessService: present(detail.businessService),
    memberPurgeExpiryDays: present(detail.memberPurgeExpiryDays),
    productId: present(detail.productId),
    featureFlags: present(detail.featureFlags),
    environment: present(detail.environment),
    x509CertSignerKeyId: present(detail.x509CertSignerKeyId),
    sshCertSignerKeyId: present(detail.sshCertSignerKeyId),
    slackChannel: present(detail.slackChannel),
    onCall: present(detail.onCall),
    autoDeleteTenantAssumeRoleAssertions: detail.autoDeleteTenantAssumeRoleAssertions ?? false,
    clientIdSelfUpdate: detail.clientIdSelfUpdate ?? false,
    externalMemberValidator: present(detail.externalMemberValidator),
    costCenter: present(detail.costCenter),
    ...(detail.tags && detail.tags.size > 0 && { tags: tagsOf(detail.tags) }),
    contacts: contactsOf(detail.contacts),
    ...(ownership && { resourceOwnership: ownership }),
  }
}

/** What a sub domain takes over from the domain above. */
const inherited = (parent: Domain): Partial<DomainMeta> => ({
  auditEnabled: parent.auditEnabled,
  org: parent.org,
  userAuthorityFilter: parent.userAuthorityFilter,
  x509CertSignerKeyId: parent.x509CertSignerKeyId,
  sshCertSignerKeyId: parent.sshCertSignerKeyId,
})

/** Administrators under their stored names, each once; 400 when there is none. */
function adminsOf({ config }: ZmsDependencies, admins: readonly string[]): string[] {
  if (admins.length === 0) throw badRequest('validatedAdminUsers: Missing adminUsers')
  const domains = principalDomainsOf(config)
  return [...new Set(admins.map((admin) => resolveUserAlias(admin, domains)))]
}

/** Each administrator must be allowed in the admin role of the new domain; whether theirs exist is not asked yet. */
async function checkAdmins(
  deps: ZmsDependencies,
  lookup: MemberLookup,
  domain: Domain,
  admins: readonly string[],
): Promise<void> {
  const refuseGroups = deps.config.zms.disallowGroupsInAdminRole.value
  for (const admin of admins) {
    await deps.memberRules.check(lookup, { kind: 'role', name: 'admin', domain, refuseGroups }, admin, NOT_SUSPENDED)
  }
}

const NOT_SUSPENDED = { suspended: false }

/** 403 when a user may not have another domain below the personal one. */
async function requireRoomAtHome(
  { config }: ZmsDependencies,
  queries: Pick<DomainQueries, 'domainNames'>,
  name: string,
): Promise<void> {
  const homePrefix = `${config.homeDomain}.`
  if (!config.zms.virtualDomainSupport || !name.startsWith(homePrefix)) return
  const home = name.split('.').slice(0, homePrefix.split('.').length).join('.')
  const below = await queries.domainNames({ prefix: `${home}.` })
  requireVirtualLimit(below.length, config.zms.virtualDomainLimit)
}

/**
 * 429 when there may not be another domain below a top-level domain. Of personal domains there may be any number unless a
 * quota was set: the default of 100 is made for the sub domains of a team, not for the users of an installation.
 */
async function requireRoomBelow(
  deps: ZmsDependencies,
  transaction: Transaction,
  kind: CreationRequest['kind'],
  top: string,
): Promise<void> {
  const { config } = deps
  const topDomain = await transaction.domain(top)
  if (!topDomain || !config.zms.quotaCheck || (kind === 'user' && topDomain.quota === undefined)) return
  const count = (await transaction.queries.domainNames({ prefix: `${top}.` })).length
  deps.quotas.require(topDomain, 'subdomain', count + 1)
}

/** 400 when a name has an underscore and the caller is no system administrator, or is too long. */
export async function requireDomainName(
  deps: ZmsDependencies,
  context: RequestContext,
  { fullName, checked, word }: { fullName: string; checked: string; word: 'Domain' | 'SubDomain' },
): Promise<void> {
  if (checked.includes('_')) {
    const { principal } = context
    if (!principal || !(await deps.authorization.isSystemAdministrator(principal))) {
      throw badRequest('Domain name cannot contain underscores')
    }
  }
  requireNameLength(fullName, deps.config.zms.domainNameMaxLen, word)
}

/** 403 when body and path name different things. */
export function requireSame(a: string, b: string, message: string): void {
  if (a !== b) throw forbidden(message)
}
