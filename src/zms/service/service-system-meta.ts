import type { Principal } from '#core/authority/principal.ts'
import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, type RequestContext } from '#core/http/endpoint.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { ServiceIdentitySystemMetaInput, serviceIdentityEndpoints } from '../api/service-identity.ts'
import type { Domain, ServiceBase } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { requireProviderEndpoint } from './service-rules.ts'
import { serviceBaseOf } from './stored-service.ts'
import { compact, present } from './wire-form.ts'

/** What the original calls the operation in messages, the audit log and the file of authorized services. */
const API = 'putservicesystemmeta'

/** Attribute in the path → the setting it changes, as the request has it; a value left out clears the setting. */
const ATTRIBUTES = new Map<string, (meta: ServiceIdentitySystemMetaInput) => Partial<ServiceBase>>([
  ['providerendpoint', (meta) => ({ providerEndpoint: present(meta.providerEndpoint) })],
  ['x509certsignerkeyid', (meta) => ({ x509CertSignerKeyId: present(meta.x509CertSignerKeyId) })],
  ['sshcertsignerkeyid', (meta) => ({ sshCertSignerKeyId: present(meta.sshCertSignerKeyId) })],
  ['clientid', (meta) => ({ clientId: present(meta.clientId) })],
  ['featureflags', (meta) => ({ featureFlags: present(meta.featureFlags) })],
])

/** Settings of services that belong to the operators. */
export function serviceSystemMetaService(
  deps: ZmsDependencies,
): Pick<Handlers<typeof serviceIdentityEndpoints>, 'putServiceIdentitySystemMeta'> {
  const { store, writes, authorization, config } = deps
  return {
    async putServiceIdentitySystemMeta({ params, body, headers }, request) {
      const { domain: domainName, service: serviceName, attribute } = params
      const context = calledAs(request)
      deps.authorizedServices.check(context)
      const domain = requireDomain(await store.domain(domainName), domainName)
      requireService(domain, serviceName)
      if (!(await mayChange(context.principal, domain, serviceName, attribute, body))) {
        throw forbidden('putServiceIdentitySystemMeta: Unauthorized update for service system meta attribute')
      }
      const settingOf = ATTRIBUTES.get(attribute)
      if (!settingOf) throw badRequest(`unknown service system meta attribute: ${attribute}`)
      if (attribute === 'providerendpoint') {
        requireProviderEndpoint(deps, 'putServiceIdentitySystemMeta', body.providerEndpoint)
      }
      const subject = { context, domains: [domainName], entity: serviceName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const current = requireDomain(await transaction.domain(domainName), domainName)
        writes.requireAuditReference(context, 'service', current, headers.auditRef)
        const service = requireService(current, serviceName)
        const value = compact({ ...serviceBaseOf(service), ...settingOf(body) })
        transaction.apply({ kind: 'putService', domain: domainName, value })
      })
      return noContent
    },
  }

  /**
   * Whether the caller may change the attribute: the operators may, and where server and domain allow it a service with
   * the right to a client id may take it for itself.
   */
  async function mayChange(
    principal: Principal | undefined,
    domain: Domain,
    service: string,
    attribute: string,
    { clientId }: ServiceIdentitySystemMetaInput,
  ): Promise<boolean> {
    if (!principal) return false
    const system = `sys.auth:meta.service.${attribute}.${domain.name}`
    if (await authorization.isAllowed(principal, 'update', system)) return true
    if (attribute !== 'clientid' || !config.zms.clientIdSelfUpdate || !domain.clientIdSelfUpdate) return false
    if (principal.fullName !== serviceFullName(domain.name, service)) return false
    return authorization.isAllowed(principal, 'update', `${domain.name}:service.${service}.clientid.${clientId ?? ''}`)
  }
}

function requireDomain(domain: Domain | undefined, name: string): Domain {
  if (!domain) throw notFound(`${API}: Unknown domain: ${name}`)
  return domain
}

function requireService(domain: Domain, name: string) {
  const service = domain.services.get(name)
  if (!service) throw notFound(`${API}: Unknown service: ${name}`)
  return service
}

/** The request under the name that the original gives this operation. */
function calledAs(context: RequestContext): RequestContext {
  const { requestId, method, principal, remoteAddress } = context
  return { requestId, api: API, method, principal, remoteAddress, header: (name) => context.header(name) }
}
