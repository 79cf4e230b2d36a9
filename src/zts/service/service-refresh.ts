import type { KeyObject } from 'node:crypto'
import type { Principal } from '#core/authority/principal.ts'
import { badRequest, forbidden } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { InstanceRefreshRequest, serviceRefreshEndpoints } from '../api/service-refresh.ts'
import { type CertificateRequestView, readCertificateRequest } from '../cert/certificate-request.ts'
import { readPresentedCertificate } from '../cert/presented-certificate.ts'
import { firstRefusal } from '../cert/request-checks.ts'
import { RENEWAL_REQUEST_CHECKS, SERVICE_REQUEST_CHECKS } from '../cert/service-request-checks.ts'
import { serviceExpiryMins, serviceSignerKeyId, signingPriority } from './certificate-choices.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { authenticated, refuseRoleIdentity } from './principal-rules.ts'

/** What certificates of registered keys need. */
export type ServiceRefreshDependencies = Pick<
  ZtsDependencies,
  'config' | 'domains' | 'authorization' | 'certificateIssuer' | 'requestRules' | 'allowedAddresses' | 'now'
>

const UNREADABLE = { prefix: 'Unable to parse PKCS10 certificate request', peerGivesReasons: false }

/** Certificates of services for keys that are registered. */
export function serviceRefreshService(deps: ServiceRefreshDependencies): Handlers<typeof serviceRefreshEndpoints> {
  const { config, domains, authorization, certificateIssuer, requestRules, allowedAddresses, now } = deps
  const { zts } = config

  const mayRefresh = (caller: Principal, fullName: string, domain: string): boolean =>
    caller.fullName === fullName || authorization.isAllowed(caller, 'update', `${domain}:service`)

  const registeredKey = (
    caller: Principal,
    domain: string,
    service: string,
    body: InstanceRefreshRequest,
  ): KeyObject => {
    const fullName = serviceFullName(domain, service)
    const signedByService = caller.fullName === fullName && caller.x509Certificate === undefined
    const keyId = signedByService ? caller.keyId : body.keyId
    const key = keyId === undefined ? undefined : domains.publicKey(domain, service, keyId.toLowerCase())
    if (key !== undefined) return key
    throw badRequest(`Unable to retrieve public key for ${fullName} with key id: ${keyId ?? 'null'}`)
  }

  /** What holds in addition for a service that comes with its present certificate. */
  const checkRenewal = async (request: CertificateRequestView, caller: Principal, address: string) => {
    const { x509Certificate: certificate } = caller
    if (certificate === undefined) return
    const subject = { certificate, names: readPresentedCertificate(certificate) }
    const refusal = await firstRefusal(RENEWAL_REQUEST_CHECKS, request, subject, requestRules)
    if (refusal !== undefined) throw badRequest(`Request validation failed: ${refusal}`)
    if (!allowedAddresses.allowsService(address)) throw forbidden(`IP not allowed for refresh: ${address}`)
  }

  return {
    async postInstanceRefreshRequest({ params: { domain, service }, body }, { principal, remoteAddress }) {
      const caller = authenticated(principal)
      refuseRoleIdentity(caller)
      const fullName = serviceFullName(domain, service)
      if (!mayRefresh(caller, fullName, domain)) {
        throw badRequest(`Principal mismatch: ${fullName} vs. ${caller.fullName}`)
      }
      if (domain === config.userDomain) throw badRequest(`TLS Certificates require ServiceTokens: ${fullName}`)
      const publicKey = registeredKey(caller, domain, service, body)
      const request = await readCertificateRequest(body.csr, UNREADABLE)
      const subject = { domain, service, namespace: body.namespace, publicKey, remoteAddress }
      const refusal = await firstRefusal(SERVICE_REQUEST_CHECKS, request, subject, requestRules)
      if (refusal !== undefined) throw badRequest(`Invalid CSR - ${refusal}`)
      const renews = caller.fullName === fullName
      if (renews) await checkRenewal(request, caller, remoteAddress)

      const cached = domains.get(domain)
      const present = renews ? caller.x509Certificate : undefined
      const signerKeyId = serviceSignerKeyId(cached, service, body.x509CertSignerKeyId, zts.svcCertSignerKeyIdList)
      const certificate = await certificateIssuer.issue(
        {
          provider: undefined,
          request,
          usage: undefined,
          expiryMins: serviceExpiryMins([body.expiryTime], cached, zts.serviceCertDefaultExpiryMins.value),
          priority: signingPriority(present?.validFromDate.getTime(), present?.validToDate.getTime(), now(), zts),
          signerKeyId,
        },
        'Unable to generate identity',
      )
      const caCertBundle = zts.respX509SignerCerts
        ? await certificateIssuer.caCertificate(undefined, signerKeyId)
        : undefined
      return ok({ name: fullName, certificate, caCertBundle })
    },
  }
}
