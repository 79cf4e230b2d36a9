import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { groupResourceName, roleResourceName } from '#core/names/resource-name.ts'
import type { Domain } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { reservedDomains } from './first-start.ts'

/** A domain that a request wants to delete. */
export interface DeletionRequest {
  readonly name: string
  readonly auditRef: string | undefined
  readonly resourceOwner: string | undefined
}

/** Attributes that may have to be empty before a domain is deleted, with the words of the refusal. */
const ATTRIBUTES = new Map<string, readonly ['account' | 'gcpProject' | 'azureSubscription', string]>([
  ['account', ['account', 'account']],
  ['gcpproject', ['gcpProject', 'gcp-project']],
  ['azuresubscription', ['azureSubscription', 'azure-subscription']],
])

/** Deletes a domain with all it holds, unless something still depends on it; checks in the original's order. */
export async function deleteDomain(
  deps: ZmsDependencies,
  context: RequestContext,
  request: DeletionRequest,
): Promise<void> {
  const { name } = request
  deps.authorizedServices.check(context)
  if (reservedDomains(deps.config).has(name)) throw badRequest('Cannot delete reserved system domain')
  // Providers are asked over the network, which a transaction must not wait for.
  const stored = await deps.store.domain(name)
  if (stored)
    await deps.serviceProviders.requireNoObjection(context, stored, () =>
      checkDeletion(deps, context, deps.store, stored, request),
    )
  const subject = { context, domains: [name], entity: name, auditRef: request.auditRef }
  await deps.writes.commit(subject, async (transaction) => {
    await requireNoSubdomains(context, transaction.queries, name)
    const domain = await transaction.domain(name)
    if (!domain) throw notFound(`Domain not found: '${name}'`)
    await checkDeletion(deps, context, transaction.queries, domain, request)
    requireEmptyAttributes(deps, domain)
    deps.writes.requireAuditReference(context, 'domain', domain, request.auditRef)
    transaction.apply({ kind: 'deleteDomain', domain: name })
  })
}

/** What forbids the deletion and is in the store, but for attributes. */
async function checkDeletion(
  deps: ZmsDependencies,
  context: RequestContext,
  queries: Transaction['queries'],
  domain: Domain,
  request: DeletionRequest,
): Promise<void> {
  await requireNoSubdomains(context, queries, domain.name)
  deps.ownership.deletion(domain.resourceOwnership, 'object', request.resourceOwner)
  for (const group of domain.groups.keys()) await requireGroupUnused(queries, domain.name, group, 'elsewhere')
  const services = await queries.dependentServices(domain.name)
  if (services.length > 0) {
    throw forbidden(`Remove domain '${domain.name}' dependency from the following service(s):${services.join(', ')}`)
  }
}

/** 400 when an attribute is set that must be empty; the providers have been asked before. */
function requireEmptyAttributes({ config }: ZmsDependencies, domain: Domain): void {
  for (const attribute of config.zms.domainDeleteMetaAttributes) {
    const [member, word] = ATTRIBUTES.get(attribute) ?? []
    const value = member && domain[member]
    if (value) throw badRequest(`Domain has non-empty ${word} attribute: ${value}`)
  }
}

async function requireNoSubdomains(
  context: RequestContext,
  queries: Transaction['queries'],
  name: string,
): Promise<void> {
  const below = await queries.domainNames({ prefix: `${name}.` })
  if (below.length > 0) {
    throw badRequest(`${context.api}: Cannot delete domain ${name}: ${below.length} subdomains of it exist`)
  }
}

/**
 * 400 when a group is a member of roles: of any role, or (`elsewhere`) of roles of other domains only.
 */
export async function requireGroupUnused(
  queries: Transaction['queries'],
  domain: string,
  group: string,
  where: 'anywhere' | 'elsewhere',
): Promise<void> {
  const fullName = groupResourceName(domain, group)
  const roles = (await queries.rolesOfMember(fullName)).filter(
    (found) => where === 'anywhere' || found.domain !== domain,
  )
  if (roles.length === 0) return
  const names = roles.map((found) => ` ${roleResourceName(found.domain, found.collection)}`)
  throw badRequest(`Remove group '${fullName}' membership from the following role(s):${names.join('')}`)
}
