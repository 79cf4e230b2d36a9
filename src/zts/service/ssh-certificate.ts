import type { Principal } from '#core/authority/principal.ts'
import { forbidden } from '#core/error/service-error.ts'
import type { Handlers, Reply } from '#core/http/endpoint.ts'
import type { sshCertificateEndpoints } from '../api/ssh-certificate.ts'
import { readPresentedCertificate } from '../cert/presented-certificate.ts'
import type { SshCertificates } from '../cert/ssh-signer.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { sshSignerKeyId } from './instance-identity.ts'
import { authenticated, refuseRoleIdentity } from './principal-rules.ts'
import { type SshCertificateDependencies, SshCertificateService } from './ssh-certificates.ts'
import { type SshRequest, sshRequestOf } from './ssh-request.ts'

const CREATED = 201

/** SSH certificates for users, and for hosts that were given one when they registered. */
export function sshCertificateService(
  deps: SshCertificateDependencies & Pick<ZtsDependencies, 'domains'>,
): Handlers<typeof sshCertificateEndpoints> {
  const certificates = new SshCertificateService(deps)

  const signerKeyIdOf = ({ domain: name, name: service = '' }: Principal): string | undefined => {
    const domain = deps.domains.get(name)
    return domain && sshSignerKeyId(domain, service, undefined)
  }

  const forHost = async (request: SshRequest, principal: Principal, clientIp: string): Promise<SshCertificates> => {
    const { fullName: service, x509Certificate } = principal
    const instanceId = x509Certificate && readPresentedCertificate(x509Certificate).instanceId
    const record = instanceId === undefined ? undefined : await deps.sshRecords?.get(instanceId, service)
    if (instanceId === undefined || record === undefined) {
      throw forbidden(`${service} is not authorized for an SSH certificate of a host`)
    }
    const recorded = record.principals.split(',').filter((name) => name !== '')
    const { privateIp } = record
    return certificates.forHost(
      request,
      {
        service,
        instanceId,
        hostname: undefined,
        clientIp,
        privateIp,
        attested: recorded,
        ...(recorded.length > 0 && { recorded }),
      },
      signerKeyIdOf(principal),
    )
  }

  return {
    async postSSHCertRequest({ body }, context): Promise<Reply> {
      const principal = authenticated(context.principal)
      // Clients of servers without a signer are used to an answer that has nothing in it.
      if (!certificates.available) return { status: CREATED }
      refuseRoleIdentity(principal)
      const request = sshRequestOf(body)
      const issued =
        request.certType === 'host'
          ? await forHost(request, principal, context.remoteAddress)
          : await certificates.forUser(request, principal, signerKeyIdOf(principal))
      return { status: CREATED, body: issued }
    },
  }
}
