import type { X509Certificate } from 'node:crypto'
import type { Principal } from '#core/authority/principal.ts'
import { badRequest, ServiceError } from '#core/error/service-error.ts'
import { type Handlers, ok, type Reply, type RequestContext } from '#core/http/endpoint.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { InstanceRefreshInformation, instanceRefreshEndpoints } from '../api/instance-refresh.ts'
import type { CachedDomain } from '../cache/model.ts'
import { readPresentedCertificate } from '../cert/presented-certificate.ts'
import { attributeNames } from '../cert/providers/attributes.ts'
import type { SshCertificates } from '../cert/ssh-signer.ts'
import type { CertificateRecord } from '../store/certificate-records.ts'
import { signingPriority } from './certificate-choices.ts'
import { domainOfInstance, type InstanceNames, requireLaunchable } from './instance-admission.ts'
import type { InstanceRequest, VerifiedInstance } from './instance-certificate.ts'
import { InstanceIdentities, type InstanceIdentityDependencies, sshSignerKeyId } from './instance-identity.ts'
import { authenticated, isRoleIdentity } from './principal-rules.ts'
import { readSshRequest } from './ssh-request.ts'

type Instance = InstanceNames & { readonly instanceId: string }

/** Who asks for a renewal, and with what. */
interface Presented {
  readonly principal: Principal
  readonly certificate: X509Certificate
}

/** Renewals of the identities of instances. */
export function instanceRefreshService(deps: InstanceIdentityDependencies): Handlers<typeof instanceRefreshEndpoints> {
  const { config, now } = deps
  const identities = new InstanceIdentities(deps)

  const refreshCertificate = async (
    names: Instance,
    body: InstanceRefreshInformation & { csr: string },
    domain: CachedDomain,
    { principal, certificate }: Presented,
    context: RequestContext,
  ): Promise<Reply> => {
    const presented = readPresentedCertificate(certificate)
    // The certificate of a role is that of no instance, whatever it names.
    const presentedId = isRoleIdentity(principal) ? undefined : presented.instanceId
    const instance: InstanceRequest = {
      provider: names.provider,
      domain,
      service: names.service,
      csr: body.csr,
      body,
      expectedInstanceIds: [names.instanceId, presentedId],
      attributes: presented.hostname === undefined ? [] : [[attributeNames.certificateHostname, presented.hostname]],
      refreshes: true,
    }
    const verified = await identities.certificates.verify(instance, context)
    const identity = await (verified.answer.keepsRecord
      ? refreshRecorded(instance, verified, certificate, context)
      : refreshUnrecorded(instance, verified, certificate, context))
    const serviceToken =
      body.token === true ? await identities.tokens.principalToken(domain.name, names.service, context) : undefined
    return ok({ ...identity, serviceToken })
  }

  const refreshRecorded = async (
    instance: InstanceRequest,
    verified: VerifiedInstance,
    certificate: X509Certificate,
    context: RequestContext,
  ) => {
    const { provider, domain, service } = instance
    const key = { provider, instanceId: verified.instanceId, service: serviceFullName(domain.name, service) }
    const record = await identities.records.judge(key, certificate)
    const clientCert = record?.clientCert ?? verified.answer.usage === 'client'
    const issued = await issue(instance, verified, certificate, record)
    const facts = identities.recordFacts(instance, clientCert, context)
    await identities.records.refresh(record, key, certificate, issued, facts)
    return identities.identity(instance, verified, issued, context)
  }

  const refreshUnrecorded = async (
    instance: InstanceRequest,
    verified: VerifiedInstance,
    certificate: X509Certificate,
    context: RequestContext,
  ) => identities.identity(instance, verified, await issue(instance, verified, certificate, undefined), context)

  /** What a certificate is for does not grow by a renewal. */
  const issue = (
    instance: InstanceRequest,
    verified: VerifiedInstance,
    certificate: X509Certificate,
    record: CertificateRecord | undefined,
  ) => {
    const [notBefore, notAfter] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()]
    const priority = signingPriority(notBefore, notAfter, now(), config.zts)
    const usage = record?.clientCert ? 'client' : verified.answer.usage
    return identities.certificates.issue(instance, verified, { priority, usage })
  }

  const refreshSsh = async (
    names: Instance,
    body: InstanceRefreshInformation,
    domain: CachedDomain,
    principal: Principal,
  ): Promise<Reply> => {
    if (isRoleIdentity(principal)) throw unsupported(principal)
    const { provider, service, instanceId } = names
    // Without a signer there is an identity all the same, as clients know it.
    const ssh = identities.ssh.available ? await sshCertificates(body, domain, service, principal) : undefined
    return ok({
      provider,
      name: serviceFullName(domain.name, service),
      instanceId,
      sshCertificate: ssh?.certificates[0]?.certificate,
      sshCertificateSigner: ssh?.certificateSigner,
      athenzJWK: identities.keys(body),
    })
  }

  const sshCertificates = async (
    body: InstanceRefreshInformation,
    domain: CachedDomain,
    service: string,
    principal: Principal,
  ): Promise<SshCertificates> => {
    const request = readSshRequest(body)
    if (request === undefined) throw new ServiceError('internal', 'unable to generate ssh identity')
    try {
      return await identities.ssh.forUser(request, principal, sshSignerKeyId(domain, service, body.sshCertSignerKeyId))
    } catch (cause) {
      if (cause instanceof ServiceError) throw cause
      throw new ServiceError('internal', 'unable to generate ssh identity', { cause })
    }
  }

  return {
    async postInstanceRefreshInformation({ params, body }, context) {
      const principal = authenticated(context.principal)
      const domain = domainOfInstance(deps, params, context.remoteAddress)
      if (!body.csr && !body.ssh && body.sshCertRequest === undefined) throw badRequest('no csr provided')
      const presented = presentedBy(principal, serviceFullName(params.domain, params.service))
      requireLaunchable(deps, params)
      return body.csr
        ? await refreshCertificate(params, { ...body, csr: body.csr }, domain, presented, context)
        : await refreshSsh(params, body, domain, principal)
    },
  }
}

/** A certificate with which a service came: its own, or that of one of its roles. */
function presentedBy(principal: Principal, service: string): Presented {
  const { fullName, x509Certificate: certificate } = principal
  if (fullName !== service) throw badRequest(`Principal mismatch: ${service} vs. ${fullName}`)
  if (certificate === undefined) throw unsupported(principal)
  return { principal, certificate }
}

const unsupported = ({ authority }: Principal) => badRequest(`Unsupported authority for TLS Certs: ${authority.id}`)
