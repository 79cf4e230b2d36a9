import { badRequest } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok, type RequestContext } from '#core/http/endpoint.ts'
import type { DomainMetaInput, domainMetaEndpoints } from '../api/domain-meta.ts'
import type { Domain, DomainBase, RoleBase } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { auditedDomain } from './audited-domain.ts'
import { baseOf, groupKind, roleKind } from './collection.ts'
import { limitMemberDates } from './collection-write.ts'
import { contactsOf, requireContacts } from './contact-rules.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { domainBaseOf } from './domain-base.ts'
import { META_STORE_ATTRIBUTES, requireKnownValues } from './domain-meta-store.ts'
import { requireEnvironment, requireForms } from './domain-rules.ts'
import { putDomainSystemMeta } from './domain-system-meta.ts'
import { isShorter } from './member-dates.ts'
import { requireUnchangedSince } from './unchanged.ts'
import { compact, ownershipOf, present, tagsOf } from './wire-form.ts'

/** Settings of domains. */
export function domainMetaService(deps: ZmsDependencies): Handlers<typeof domainMetaEndpoints> {
  const { store, writes, config } = deps
  return {
    async putDomainMeta({ params: { name }, query: { unchangedSince }, body, headers }, context) {
      const { auditRef, resourceOwner } = headers
      deps.authorizedServices.check(context)
      requireForms(body)
      requireEnvironment(body.environment, config.zms.domainEnvironments)
      if (body.contacts) await requireContacts(deps, body.contacts)
      const { businessService, onCall } = body
      await requireKnownValues(deps.domainMetaStore, name, { businessService, onCall }, await store.domain(name))
      await writes.commit({ context, domains: [name], entity: name, auditRef }, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName: name, kind: 'domain', auditRef })
        requireUnchangedSince(context, domain, unchangedSince)
        deps.quotas.requireTags('domain', body.tags, domain.tags)
        const owners = domain.resourceOwnership
        const ownership = deps.ownership.componentWrite('domain', name, owners, 'meta', undefined, resourceOwner)
        const value = { ...settingsOf(domain, body), ...(ownership && { resourceOwnership: ownership }) }
        transaction.apply({ kind: 'putDomain', domain: name, value: compact(value) })
        await limitMembers(deps, context, transaction, domain, value, auditRef)
      })
      return noContent
    },

    async putDomainSystemMeta({ params, body, headers }, context) {
      await putDomainSystemMeta(deps, context, { ...params, meta: body, ...headers })
      return noContent
    },

    async getDomainMetaStoreValidValuesList({ query: { attributeName, userName } }) {
      if (!attributeName) throw badRequest('attributeName is mandatory')
      const attribute = META_STORE_ATTRIBUTES.find((known) => known === attributeName)
      if (!attribute) throw badRequest(`Invalid attribute: ${attributeName}`)
      return ok({ validValues: await deps.domainMetaStore.validValues(attribute, userName || undefined) })
    },

    async putResourceDomainOwnership({ params: { domainName }, body, headers: { auditRef } }, context) {
      if (body === undefined) throw badRequest('Invalid resource domain ownership: null')
      deps.authorizedServices.check(context)
      await writes.commit({ context, domains: [domainName], entity: domainName, auditRef }, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'domain', auditRef })
        const resourceOwnership = ownershipOf(body)
        const value = { ...domainBaseOf(domain), resourceOwnership }
        transaction.apply({ kind: 'putDomain', domain: domainName, value: compact(value) })
      })
      return noContent
    },
  }
}

/**
 * The settings after a change by the administrators of a domain: description, application and switches are replaced,
 * also by their absence, the others where the request names them. An empty map of tags leaves them as they are.
 */
function settingsOf(domain: Domain, meta: DomainMetaInput): DomainBase {
  const named = Object.fromEntries(
    REPLACED_WHEN_NAMED.flatMap((key) => (meta[key] === undefined ? [] : [[key, present(meta[key])]])),
  ) as Partial<DomainBase>
  return {
    ...domainBaseOf(domain),
    ...named,
    description: present(meta.description),
    applicationId: present(meta.applicationId),
    autoDeleteTenantAssumeRoleAssertions: meta.autoDeleteTenantAssumeRoleAssertions ?? false,
    clientIdSelfUpdate: meta.clientIdSelfUpdate ?? false,
    ...(meta.tags && meta.tags.size > 0 && { tags: tagsOf(meta.tags) }),
    ...(meta.contacts && { contacts: contactsOf(meta.contacts) }),
  }
}

const REPLACED_WHEN_NAMED = [
  'memberExpiryDays',
  'serviceExpiryDays',
  'groupExpiryDays',
  'roleCertExpiryMins',
  'serviceCertExpiryMins',
  'tokenExpiryMins',
  'signAlgorithm',
  'businessService',
  'memberPurgeExpiryDays',
  'environment',
  'slackChannel',
  'onCall',
] as const

const EXPIRIES = ['memberExpiryDays', 'serviceExpiryDays', 'groupExpiryDays'] as const

/** Moves the dates of members that the domain's new days do not allow, where a role or group has no days of its own. */
async function limitMembers(
  deps: ZmsDependencies,
  context: RequestContext,
  transaction: Transaction,
  before: Domain,
  after: DomainBase,
  auditRef: string | undefined,
): Promise<void> {
  const shorter = EXPIRIES.filter((key) => isShorter(after[key], before[key]))
  if (shorter.length === 0) return
  const collections = [
    ...[...before.roles.values()].map((collection) => ({ kind: roleKind, collection })),
    ...[...before.groups.values()].map((collection) => ({ kind: groupKind, collection })),
  ]
  for (const { kind, collection } of collections) {
    const base: RoleBase = baseOf(collection)
    const days = Object.fromEntries(shorter.flatMap((key) => (isPositive(base[key]) ? [] : [[key, after[key]]])))
    if (Object.keys(days).length === 0) continue
    // Only what the domain shortens: what the role or group says itself was carried out when it said so.
    const { name, modified, created } = base
    const limits = { domain: { name: before.name, ...days }, base: { name, modified, created } }
    await limitMemberDates(deps, context, transaction, { kind, collection, auditRef, ...limits })
  }
}

const isPositive = (days: number | undefined): days is number => days !== undefined && days > 0
