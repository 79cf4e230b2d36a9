import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { ServiceIdentityInput, serviceIdentityEndpoints } from '../api/service-identity.ts'
import type { DomainChange } from '../store/change.ts'
import type { ResourceOwnership, Service, ServiceBase } from '../store/model.ts'
import { auditedDomain } from './audited-domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { namePage } from './name-page.ts'
import { publicKeyService } from './public-key.ts'
import { serviceCredentialsService } from './service-credentials.ts'
import { serviceReply } from './service-reply.ts'
import { requireProviderEndpoint, requirePublicKey, requireServiceName } from './service-rules.ts'
import { serviceSystemMetaService } from './service-system-meta.ts'
import { serviceBaseOf } from './stored-service.ts'
import { hasTag } from './tag-filter.ts'
import { requireUnchangedSince } from './unchanged.ts'
import { compact, ownershipOf, present, tagsOf } from './wire-form.ts'

/** Services with their keys, settings and credentials. */
export function serviceIdentityService(deps: ZmsDependencies): Handlers<typeof serviceIdentityEndpoints> {
  const { store, writes, config } = deps
  return {
    ...publicKeyService(deps),
    ...serviceCredentialsService(deps),
    ...serviceSystemMetaService(deps),

    async getServiceIdentityList({ params, query }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`unknown domain - ${params.domainName}`)
      return ok(namePage(domain.services.keys(), query))
    },

    async getServiceIdentities({ params, query }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`getServiceIdentities: Domain not found: '${params.domainName}'`)
      const parts = { publicKeys: query.publickeys, hosts: query.hosts }
      const list = [...domain.services.values()]
        .filter(({ tags }) => hasTag(tags, query.tagKey, query.tagValue))
        .map((service) => serviceReply(domain.name, service, parts))
      return ok({ list, serviceMatchCount: 0 })
    },

    async getServiceIdentity({ params }) {
      const service = (await store.domain(params.domain))?.services.get(params.service)
      if (!service) throw serviceNotFound(params.domain, params.service)
      return ok(serviceReply(params.domain, service))
    },

    async searchServiceIdentities({ params, query }) {
      const { names, total } = await store.searchServices(params.serviceName, {
        substring: query.substringMatch,
        ...(query.domainFilter !== undefined && { domain: query.domainFilter }),
        limit: config.zms.searchServiceLimit.value,
      })
      // The count says only that there are more than are listed.
      return ok({ list: names.map((name) => ({ name })), serviceMatchCount: total > names.length ? total : 0 })
    },

    async putServiceIdentity({ params, query: { unchangedSince }, body, headers }, context) {
      const { domain: domainName, service: serviceName } = params
      const fullName = serviceFullName(domainName, serviceName)
      requireServiceName(deps, await store.domain(domainName), serviceName)
      deps.authorizedServices.check(context)
      if (body.name !== fullName) throw badRequest('putServiceIdentity: Inconsistent service/domain names')
      const publicKeys = requestedKeys(body)
      requireProviderEndpoint(deps, 'putServiceIdentity', body.providerEndpoint)
      const hosts = new Set(body.hosts ?? [])
      const subject = { context, domains: [domainName], entity: serviceName, auditRef: headers.auditRef }
      const ownership = await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'service', ...headers })
        const existing = domain.services.get(serviceName)
        requireUnchangedSince(context, { name: fullName, modified: existing?.modified }, unchangedSince)
        const owners = deps.ownership.wholeWrite(
          'service',
          fullName,
          existing?.resourceOwnership,
          ['object', ...(publicKeys.size > 0 ? ['publickeys'] : []), ...(hosts.size > 0 ? ['hosts'] : [])],
          headers.resourceOwner,
        )
        deps.quotas.requireTags('service', body.tags, existing?.tags)
        deps.quotas.require(domain, 'serviceHost', hosts.size)
        deps.quotas.require(domain, 'publicKey', publicKeys.size)
        deps.quotas.require(domain, 'service', domain.services.size + 1)
        const value = serviceOf(serviceName, body, existing, owners)
        transaction.apply({ kind: 'putService', domain: domainName, value })
        transaction.apply(...holdingChanges(domainName, serviceName, existing, publicKeys, hosts))
        return existing?.resourceOwnership
      })
      return headers.returnObj ? ok(await written(domainName, serviceName, ownership)) : noContent
    },

    async deleteServiceIdentity({ params, headers }, context) {
      const { domain: domainName, service: serviceName } = params
      deps.authorizedServices.check(context)
      const subject = { context, domains: [domainName], entity: serviceName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'service', ...headers })
        const fullName = serviceFullName(domainName, serviceName)
        if (await deps.serviceProviders.has(fullName)) {
          const dependents = await transaction.queries.dependentDomains(fullName)
          if (dependents.length > 0) {
            throw forbidden(
              `Remove service '${fullName}' dependency from the following domain(s):${dependents.join(', ')}`,
            )
          }
        }
        const service = domain.services.get(serviceName)
        if (!service) throw notFound('Service does not exist')
        deps.ownership.deletion(service.resourceOwnership, 'object', headers.resourceOwner)
        transaction.apply({ kind: 'deleteService', domain: domainName, service: serviceName })
      })
      return noContent
    },

    async putResourceServiceIdentityOwnership({ params, body, headers }, context) {
      const { domainName, service: serviceName } = params
      if (body === undefined) throw badRequest('Invalid resource service ownership: null')
      deps.authorizedServices.check(context)
      const subject = { context, domains: [domainName], entity: serviceName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'service', ...headers })
        const service = domain.services.get(serviceName)
        if (!service) {
          throw badRequest(
            `unable to put resource service ownership for service: ${serviceName} in domain: ${domainName}`,
          )
        }
        const value = compact({ ...serviceBaseOf(service), resourceOwnership: ownershipOf(body) })
        transaction.apply({ kind: 'putService', domain: domainName, value })
      })
      return noContent
    },
  }

  /** The service as it is stored now, with the owners it had before the write. */
  async function written(domainName: string, serviceName: string, resourceOwnership: ResourceOwnership | undefined) {
    const service = (await store.domain(domainName))?.services.get(serviceName)
    if (!service) throw serviceNotFound(domainName, serviceName)
    return serviceReply(domainName, compact({ ...service, resourceOwnership }))
  }
}

const serviceNotFound = (domain: string, service: string) =>
  notFound(`getServiceIdentity: Service not found: '${serviceFullName(domain, service)}'`)

/** Public keys of a request by their id; 400 for one that is no key. */
function requestedKeys({ publicKeys }: ServiceIdentityInput): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  for (const { id, key } of publicKeys ?? []) {
    requirePublicKey(id, key, 'putServiceIdentity: Provided public key is invalid')
    keys.set(id, key)
  }
  return keys
}

/**
 * The settings of a service after a whole write: those that other operations set stay as they are, and tags and owners
 * unless the request has new ones.
 */
function serviceOf(
  name: string,
  body: ServiceIdentityInput,
  existing: Service | undefined,
  owners: ResourceOwnership | undefined,
): ServiceBase {
  return compact({
    ...(existing ? serviceBaseOf(existing) : { name, modified: 0, created: 0 }),
    description: present(body.description),
    executable: present(body.executable),
    user: present(body.user),
    group: present(body.group),
    tags: body.tags && body.tags.size > 0 ? tagsOf(body.tags) : existing?.tags,
    resourceOwnership: owners ?? existing?.resourceOwnership,
  })
}

/** The changes that leave a service with exactly the wanted keys and hosts. */
function holdingChanges(
  domain: string,
  service: string,
  existing: Service | undefined,
  publicKeys: ReadonlyMap<string, string>,
  hosts: ReadonlySet<string>,
): DomainChange[] {
  const changes: DomainChange[] = []
  for (const keyId of existing?.publicKeys.keys() ?? []) {
    if (!publicKeys.has(keyId)) changes.push({ kind: 'deletePublicKey', domain, service, keyId })
  }
  for (const [keyId, key] of publicKeys) {
    if (existing?.publicKeys.get(keyId) !== key) changes.push({ kind: 'putPublicKey', domain, service, keyId, key })
  }
  const current = existing?.hosts ?? new Set()
  if (hosts.size !== current.size || [...hosts].some((host) => !current.has(host))) {
    changes.push({ kind: 'putHosts', domain, service, hosts })
  }
  return changes
}
