import { messageOf } from '#core/error/message-of.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { InstanceIdentity } from '../api/instance-identity.ts'
import type { ZtsDependencies } from './dependencies.ts'
import {
  type InstanceCertificateDependencies,
  InstanceCertificates,
  type InstanceRequest,
  type IssuedCertificate,
  type VerifiedInstance,
} from './instance-certificate.ts'
import {
  type InstanceRecordDependencies,
  InstanceRecords,
  type RecordFacts,
  siaProviderOf,
} from './instance-records.ts'
import { type InstanceTokenDependencies, InstanceTokens } from './instance-token.ts'
import { KeyAnnouncement } from './key-announcement.ts'
import { type SshCertificateDependencies, SshCertificateService } from './ssh-certificates.ts'
import { readSshRequest } from './ssh-request.ts'
import { recordWorkloads } from './workload-recording.ts'

/** What identities of instances are made with. */
export type InstanceIdentityDependencies = InstanceCertificateDependencies &
  InstanceRecordDependencies &
  InstanceTokenDependencies &
  SshCertificateDependencies &
  Pick<ZtsDependencies, 'authorization' | 'allowedAddresses' | 'publishedKeys' | 'workloadRecords'>

/** What both the first identity of an instance and its renewal are made of. */
export class InstanceIdentities {
  readonly certificates: InstanceCertificates
  readonly records: InstanceRecords
  readonly tokens: InstanceTokens
  readonly ssh: SshCertificateService
  readonly #keys: KeyAnnouncement
  readonly #deps: InstanceIdentityDependencies

  constructor(deps: InstanceIdentityDependencies) {
    this.#deps = deps
    this.certificates = new InstanceCertificates(deps)
    this.records = new InstanceRecords(deps)
    this.tokens = new InstanceTokens(deps)
    this.ssh = new SshCertificateService(deps)
    this.#keys = new KeyAnnouncement(deps)
  }

  /** What its record says about an instance beside its certificate. */
  recordFacts({ body }: InstanceRequest, clientCert: boolean, context: RequestContext): RecordFacts {
    const { hostname } = body
    return { remoteAddress: context.remoteAddress, hostname, siaProvider: siaProviderOf(context), clientCert }
  }

  /** The identity with its certificate; where the instance runs is noted. The token, if one is asked for, is the caller's. */
  async identity(
    instance: InstanceRequest,
    { instanceId, request, answer }: VerifiedInstance,
    issued: IssuedCertificate,
    context: RequestContext,
  ): Promise<InstanceIdentity> {
    const { provider, domain, body } = instance
    const service = serviceFullName(domain.name, instance.service)
    const ssh = answer.ssh ? await this.#hostCertificate(instance, { instanceId, answer }, context) : undefined
    await recordWorkloads(this.#deps, {
      provider,
      service,
      instanceId,
      hostname: body.hostname,
      ipAddresses: request.ipAddresses,
      certExpiryTime: issued.notAfter,
    })
    const { attributes } = answer
    return {
      provider,
      name: service,
      instanceId,
      x509Certificate: issued.pem,
      x509CertificateSigner: issued.authorityPem,
      sshCertificate: ssh?.certificates[0]?.certificate,
      sshCertificateSigner: ssh?.certificateSigner,
      attributes: Object.keys(attributes).length > 0 ? attributes : undefined,
      athenzJWK: this.keys(body),
    }
  }

  /** The public keys of the servers, when an instance asks for them and they have changed. */
  keys({ athenzJWK, athenzJWKModified }: InstanceRequest['body']): InstanceIdentity['athenzJWK'] {
    return athenzJWK === true ? this.#keys.since(athenzJWKModified) : undefined
  }

  /** An instance does without an SSH certificate that it cannot have. */
  async #hostCertificate(
    { domain, service, body }: InstanceRequest,
    { instanceId, answer }: Pick<VerifiedInstance, 'instanceId' | 'answer'>,
    { remoteAddress }: RequestContext,
  ) {
    const fullName = serviceFullName(domain.name, service)
    try {
      const request = this.ssh.available ? readSshRequest(body) : undefined
      if (request === undefined) return undefined
      const host = {
        service: fullName,
        instanceId,
        hostname: body.hostname,
        clientIp: remoteAddress,
        privateIp: answer.privateIp,
        attested: answer.sshPrincipals,
      }
      return await this.ssh.forHost(request, host, sshSignerKeyId(domain, service, body.sshCertSignerKeyId))
    } catch (error) {
      const reason = messageOf(error)
      this.#deps.log('warn', `instance ${instanceId} of ${fullName} gets no SSH certificate: ${reason}`)
      return undefined
    }
  }
}

/** The key that signs SSH certificates: that of the service, of the domain, or the one asked for. */
export const sshSignerKeyId = (
  { services, settings }: InstanceRequest['domain'],
  service: string,
  requested: string | undefined,
): string | undefined => services.get(service)?.sshCertSignerKeyId || settings.sshCertSignerKeyId || requested
