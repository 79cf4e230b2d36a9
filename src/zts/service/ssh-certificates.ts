import { messageOf } from '#core/error/message-of.ts'
import { badRequest, forbidden } from '#core/error/service-error.ts'
import { sameAddress } from '../cert/request-checks.ts'
import type { SshCertificates } from '../cert/ssh-signer.ts'
import type { ZtsDependencies } from './dependencies.ts'
import type { SshRequest } from './ssh-request.ts'

/** What SSH certificates are made with. */
export type SshCertificateDependencies = Pick<
  ZtsDependencies,
  'config' | 'sshSigner' | 'sshAuthorityTexts' | 'sshRecords' | 'requestRules' | 'now' | 'log'
>

/** A host that asks for an SSH certificate, and the names that are known to be its own. */
export interface SshHost {
  /** Full name. */
  readonly service: string
  readonly instanceId: string
  readonly hostname: string | undefined
  readonly clientIp: string
  readonly privateIp: string | undefined
  /** Names that somebody vouches for besides. */
  readonly attested: readonly string[]
  /** Names that are recorded already, and stay so. */
  readonly recorded?: readonly string[]
}

/** Host names and addresses; nothing that has a meaning of its own in a list of known hosts. */
const HOST_PRINCIPAL = /^[A-Za-z0-9_:][A-Za-z0-9._:-]{0,254}$/

/** SSH certificates of hosts and users, by the rules of this server. */
export class SshCertificateService {
  readonly #deps: SshCertificateDependencies

  constructor(deps: SshCertificateDependencies) {
    this.#deps = deps
  }

  /** Whether there is somebody to sign. */
  get available(): boolean {
    return this.#deps.sshSigner !== undefined
  }

  /**
   * The certificate of a host: for its name, its addresses, its canonical names, and what is attested; for what is
   * recorded, or else its name, when the request names nothing.
   * @throws ServiceError `forbidden` for another name, `bad-request` for a request that is not in order
   */
  async forHost(request: SshRequest, host: SshHost, signerKeyId: string | undefined): Promise<SshCertificates> {
    const { config } = this.#deps
    if (request.certType === 'user') throw badRequest('the SSH certificate request is not for a host')
    if (config.zts.sshCertValidateIp.value && !sameAddress(request.origin ?? '', host.clientIp)) {
      throw forbidden('the SSH certificate request is from another address')
    }
    const usual = host.recorded ?? [host.hostname ?? host.clientIp]
    const principals = request.principals.length > 0 ? request.principals : usual
    await this.#requireOwn(principals, host)
    const certificates = await this.#sign(request, {
      principal: host.service,
      certType: 'host',
      principals,
      keyId: [host.service, host.instanceId, request.transactionId],
      signerKeyId,
    })
    await this.#record(host, host.recorded ?? principals)
    return certificates
  }

  /**
   * The certificate of a user or service: for its own name only, the local one (`joe`) for people, the full one otherwise.
   * @throws ServiceError as `forHost` does
   */
  async forUser(
    request: SshRequest,
    principal: { readonly fullName: string; readonly domain: string; readonly name?: string | undefined },
    signerKeyId: string | undefined,
  ): Promise<SshCertificates> {
    if (request.certType === 'host') throw badRequest('the SSH certificate request is not for a user')
    const { domain, fullName, name = '' } = principal
    const own = domain === this.#deps.config.userDomain ? name : fullName
    const foreign = request.principals.find((each) => each !== own)
    if (foreign !== undefined) throw forbidden(`${fullName} is not authorized for the SSH principal ${foreign}`)
    return this.#sign(request, {
      principal: fullName,
      certType: 'user',
      principals: [own],
      keyId: [fullName, request.transactionId],
      signerKeyId,
    })
  }

  async #requireOwn(principals: readonly string[], host: SshHost): Promise<void> {
    const { hostnames } = this.#deps.requestRules
    const { service, hostname, clientIp, privateIp, attested } = host
    const own = new Set([hostname, clientIp, privateIp, ...attested])
    const others = principals.filter((each) => !own.has(each))
    const unfit = principals.find((each) => !HOST_PRINCIPAL.test(each))
    if (unfit !== undefined) throw badRequest('the SSH certificate request has a principal that is no host name')
    if (others.length === 0) return
    const confirmed = hostname !== undefined && (await hostnames?.areCnames(service, hostname, others))
    if (confirmed !== true) throw forbidden(`the host is not authorized for the SSH principals ${others.join(',')}`)
  }

  async #sign(
    { publicKey, sources, command, further }: SshRequest,
    certificate: {
      principal: string
      certType: 'user' | 'host'
      principals: readonly string[]
      keyId: readonly (string | undefined)[]
      signerKeyId: string | undefined
    },
  ): Promise<SshCertificates> {
    const { sshSigner: signer, sshAuthorityTexts, config } = this.#deps
    if (signer === undefined) throw badRequest('SSH certificates are not issued here')
    const { certType, signerKeyId } = certificate
    const keyId = certificate.keyId.filter((part) => part !== undefined).join(' ')
    const { certificates, certificateSigner } = await signer.sign({
      ...certificate,
      keyId,
      publicKey,
      sources,
      command,
      ...(further && { further }),
    })
    if (!config.zts.respSshSignerCerts) return { certificates }
    const authority =
      sshAuthorityTexts[certType].of(signerKeyId) ??
      certificateSigner ??
      (await signer.signerKey(certType, signerKeyId))
    return { certificates, certificateSigner: authority }
  }

  /** What is not recorded can be asked for again. */
  async #record(host: SshHost, principals: readonly string[]): Promise<void> {
    const { sshRecords, now, log } = this.#deps
    const { instanceId, service, clientIp, privateIp = '' } = host
    const issueTime = now()
    try {
      await sshRecords?.put({ instanceId, service, principals: principals.join(','), clientIp, privateIp, issueTime })
    } catch (error) {
      const reason = messageOf(error)
      log('error', `the SSH certificate of instance ${instanceId} of ${service} is not recorded: ${reason}`)
    }
  }
}
