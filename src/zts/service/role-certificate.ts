import type { Principal } from '#core/authority/principal.ts'
import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, ok, type RequestContext } from '#core/http/endpoint.ts'
import { resolveUserAlias } from '#core/names/principal-name.ts'
import { requireName } from '#core/names/require-name.ts'
import { type ResourceParts, roleResourceName, splitResourceName } from '#core/names/resource-name.ts'
import type { RoleCertificateRequest, roleCertificateEndpoints } from '../api/role-certificate.ts'
import type { CachedDomain } from '../cache/model.ts'
import { type CertificateRequestView, readCertificateRequest } from '../cert/certificate-request.ts'
import { readIssuedCertificate } from '../cert/issued-certificate.ts'
import { readPresentedCertificate } from '../cert/presented-certificate.ts'
import { firstRefusal } from '../cert/request-checks.ts'
import { ROLE_REQUEST_CHECKS, type RoleSubject } from '../cert/role-request-checks.ts'
import { serviceSignerKeyId, signerKeyIdOf, signingPriority } from './certificate-choices.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { authenticated, refuseAuthorizedService, refuseRoleIdentity } from './principal-rules.ts'
import { grantedRoles, ProxyUsers } from './role-grant.ts'

/** What role certificates need. */
export type RoleCertificateDependencies = Pick<
  ZtsDependencies,
  'config' | 'domains' | 'roleAccess' | 'certificateIssuer' | 'requestRules' | 'now'
>

/** Tag of a domain whose role certificates are signed with the domain's own key; its first value must be `true`. */
const OWN_SIGNER_KEY_TAG = 'zts.RoleCertUseDomainSignerKeyId'
const UNREADABLE = 'Unable to parse PKCS10 CSR'

/** A request with the role that its common name names. */
interface RoleRequest {
  readonly request: CertificateRequestView
  readonly role: ResourceParts
}

/** Role certificates. */
export function roleCertificateService(deps: RoleCertificateDependencies): Handlers<typeof roleCertificateEndpoints> {
  const { config, domains, roleAccess, certificateIssuer, requestRules, now } = deps
  const { zts } = config
  const proxyUsers = new ProxyUsers(zts.authorizedProxyUsers)

  const issue = async (
    { request, role }: RoleRequest,
    body: RoleCertificateRequest,
    { api, principal, remoteAddress }: RequestContext,
  ): Promise<string> => {
    const caller = authenticated(principal)
    refuseRoleIdentity(caller)
    refuseAuthorizedService(caller, 'Authorized Service Principals not allowed')
    const { proxyForPrincipal } = body
    const proxied = proxyForPrincipal && resolveUserAlias(proxyForPrincipal, config)
    if (proxied !== undefined && !proxyUsers.includes(caller)) {
      throw forbidden(`Principal: ${caller.fullName} not authorized for proxy role certificate request`)
    }
    const domain = domains.get(role.domain)
    if (domain === undefined) throw notFound(`No such domain: ${role.domain}`)
    const names = [role.name]
    grantedRoles({ roleAccess, domain, caller: caller.fullName, proxied, names, match: 'exact', api })

    const { x509Certificate } = caller
    const subject: RoleSubject = {
      domain: role.domain,
      role: role.name,
      principal: proxied ?? caller.fullName,
      proxy: proxied === undefined ? undefined : caller.fullName,
      remoteAddress,
      certificate: x509Certificate && readPresentedCertificate(x509Certificate),
    }
    const refusal = await firstRefusal(ROLE_REQUEST_CHECKS, request, subject, requestRules)
    if (refusal !== undefined) throw badRequest('Unable to validate cert request', { detail: refusal })
    return certificateIssuer.issue(
      {
        provider: undefined,
        request,
        usage: 'client',
        expiryMins: expiryMinsOf(domain, role.name, body.expiryTime),
        priority: signingPriority(body.prevCertNotBefore, body.prevCertNotAfter, now(), zts),
        signerKeyId: signerKeyId(domain, caller, body.x509CertSignerKeyId),
      },
      'Unable to create certificate from the cert signer',
    )
  }

  const signerKeyId = (domain: CachedDomain, caller: Principal, requested: string | undefined): string | undefined => {
    const usesOwn = domain.tags.get(OWN_SIGNER_KEY_TAG)?.[0] === 'true'
    return usesOwn
      ? signerKeyIdOf([domain.settings.x509CertSignerKeyId], requested, zts.svcCertSignerKeyIdList)
      : serviceSignerKeyId(domains.get(caller.domain), caller.name, requested, zts.svcCertSignerKeyIdList)
  }

  return {
    async postRoleCertificateRequest({ params: { domainName, roleName }, body }, context) {
      const read = await readRoleRequest(body.csr)
      const [asked, named] = [
        roleResourceName(read.role.domain, read.role.name),
        roleResourceName(domainName, roleName),
      ]
      if (asked !== named) throw badRequest(`Role Certificate Request mismatch: ${asked}/${named}`)
      const token = await issue(read, body, context)
      return ok({ token, expiryTime: readIssuedCertificate(token).notAfter / 1000 })
    },

    async postRoleCertificateRequestExt({ body }, context) {
      const read = await readRoleRequest(body.csr)
      requireName('DomainName', read.role.domain)
      requireName('EntityName', read.role.name)
      const x509Certificate = await issue(read, body, context)
      context.concerns?.(read.role.domain)
      return ok({ x509Certificate })
    },
  }
}

async function readRoleRequest(csr: string): Promise<RoleRequest> {
  const request = await readCertificateRequest(csr, { prefix: UNREADABLE, peerGivesReasons: true })
  const { commonName } = request
  const role = commonName === undefined ? undefined : splitResourceName('role', commonName)
  if (role === undefined) {
    throw badRequest(`${UNREADABLE}: Role Certificate CN is not a valid role: ${commonName ?? 'null'}`)
  }
  return { request, role: { domain: role.domain.toLowerCase(), name: role.name.toLowerCase() } }
}

/** Minutes that the role, or else its domain, allows, or fewer when fewer are asked for; 0 when nobody says anything. */
function expiryMinsOf({ roles, settings }: CachedDomain, role: string, requested: number): number {
  const limits = [roles.get(role)?.certExpiryMins || settings.roleCertExpiryMins, requested].filter((mins) => mins > 0)
  return limits.length > 0 ? Math.min(...limits) : 0
}
