import { badRequest } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { isName } from '#core/names/patterns.ts'
import { resourceDomain } from '#core/names/resource-name.ts'
import type { externalMemberCertificateEndpoints } from '../api/external-member-certificate.ts'
import { EXTERNAL_MEMBER_REQUEST_CHECKS } from '../cert/person-request-checks.ts'
import { personSignerKeyId } from './certificate-choices.ts'
import {
  issuePersonCertificate,
  type PersonCertificateDependencies,
  personExpiryMins,
  verifyPerson,
} from './person-certificate.ts'

/** Certificates of members from outside for whom an identity provider vouches. */
export function externalMemberCertificateService(
  deps: PersonCertificateDependencies,
): Handlers<typeof externalMemberCertificateEndpoints> {
  const { zts, userDomain } = deps.config
  const allowedDomains = new Set([...zts.externalMemberCertAllowedDomains].map((domain) => domain.toLowerCase()))

  return {
    async postExternalMemberCertificateRequest({ body }, context) {
      const provider = zts.externalMemberCertProvider
      if (allowedDomains.size === 0 || provider === undefined) {
        throw badRequest('External member certificate configuration is not set')
      }
      const name = body.name.toLowerCase()
      const domain = resourceDomain(name) ?? ''
      if (!isName('ExternalMemberName', name) || name.includes('*') || !allowedDomains.has(domain)) {
        throw badRequest('External member name is not valid for certificate request')
      }
      const request = await verifyPerson(
        deps,
        {
          person: { name, domain, localName: name.slice(domain.length + 1) },
          provider,
          confirmed: { domain: userDomain, service: name },
          csr: body.csr,
          attestationData: body.attestationData,
          checks: EXTERNAL_MEMBER_REQUEST_CHECKS,
          mismatch: 'External Member Certificate Request mismatch',
        },
        context,
      )
      const { externalMemberCertDefaultTimeoutMinutes: defaultMins, externalMemberCertMaxTimeoutMinutes: maxMins } = zts
      const signerKeyId = personSignerKeyId(undefined, body.x509CertSignerKeyId, zts.externalMemberCertSignerKeyIdList)
      const expiryMins = personExpiryMins(body.expiryTime, defaultMins, Math.max(defaultMins, maxMins))
      return ok({ x509Certificate: await issuePersonCertificate(deps, { provider, request, expiryMins, signerKeyId }) })
    },
  }
}
