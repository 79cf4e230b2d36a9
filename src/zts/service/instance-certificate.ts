import type { X509Certificate } from 'node:crypto'
import { badRequest } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import type { InstanceRefreshInformation } from '../api/instance-refresh.ts'
import type { CachedDomain } from '../cache/model.ts'
import { type CertificateRequestView, readCertificateRequest } from '../cert/certificate-request.ts'
import type { CertificateUsage, SigningPriority } from '../cert/certificate-signer.ts'
import { INSTANCE_REQUEST_CHECKS, type InstanceSubject, providerDnsNames } from '../cert/instance-request-checks.ts'
import { readIssuedCertificate } from '../cert/issued-certificate.ts'
import type { ProviderAnswer } from '../cert/providers/provider-answer.ts'
import { firstRefusal, oneInstance, organizationalUnit } from '../cert/request-checks.ts'
import { serviceExpiryMins, serviceSignerKeyId } from './certificate-choices.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { askProvider, instanceAttributes, requestAttributes } from './provider-question.ts'

/** What certificates of instances are made with. */
export type InstanceCertificateDependencies = Pick<
  ZtsDependencies,
  'config' | 'instanceProviders' | 'providerSuffixes' | 'requestRules' | 'certificateIssuer'
>

/** A request for a certificate of an instance, as it came. */
export interface InstanceRequest {
  readonly provider: string
  readonly domain: CachedDomain
  /** Local name. */
  readonly service: string
  readonly csr: string
  readonly body: Omit<InstanceRefreshInformation, 'csr'>
  /** Id for a certificate request that names none. */
  readonly fallbackInstanceId?: string | undefined
  /** Ids that the one of the request must be equal to: those of the path and of the present certificate. */
  readonly expectedInstanceIds?: readonly (string | undefined)[]
  /** Further attributes for the provider. */
  readonly attributes: Iterable<readonly [string, string]>
  /** The instance has a certificate already. */
  readonly refreshes: boolean
}

/** An instance whose request is in order and for which its provider vouches. */
export interface VerifiedInstance {
  readonly instanceId: string
  readonly request: CertificateRequestView
  readonly answer: ProviderAnswer
}

/** A certificate that was issued, with what is kept of it. Times are epoch milliseconds. */
export interface IssuedCertificate {
  /** With its chain when the signer sends one. */
  readonly pem: string
  /** Of the authority, when clients are told. */
  readonly authorityPem: string | undefined
  /** Decimal. */
  readonly serial: string
  readonly notBefore: number
  readonly notAfter: number
}

/** Checks requests of instances, asks their providers, and has certificates issued. */
export class InstanceCertificates {
  readonly #deps: InstanceCertificateDependencies

  constructor(deps: InstanceCertificateDependencies) {
    this.#deps = deps
  }

  /** @throws ServiceError with the reason why the instance is refused */
  async verify(instance: InstanceRequest, context: RequestContext): Promise<VerifiedInstance> {
    const { requestRules: rules, instanceProviders } = this.#deps
    const { provider: name, domain, service, body, refreshes } = instance
    const wording = { prefix: 'unable to parse PKCS10 CSR', peerGivesReasons: !refreshes }
    const request = await readCertificateRequest(instance.csr, wording)
    const subject = this.#subject(instance, request)
    const refusal = await firstRefusal(INSTANCE_REQUEST_CHECKS, request, subject, rules)
    if (refusal !== undefined) throw badRequest(`CSR validation failed - ${refusal}`)
    const instanceId = subject.instanceId ?? ''
    if (instance.expectedInstanceIds?.some((expected) => expected !== instanceId)) {
      throw badRequest('CSR validation failed - instance id mismatch')
    }
    const provider = instanceProviders.provider(name)
    if (provider === undefined) throw badRequest(`unable to get instance for provider: ${name}`)
    if (provider.svidTypes === 'jwt') throw badRequest(`invalid instance provider type for X509: ${name}`)
    const attributes = new Map([
      ...instanceAttributes(domain, service, { instanceId, hostname: body.hostname, cloud: body.cloud }, context),
      ...requestAttributes(request, await providerDnsNames(request, subject, rules), provider),
      ...instance.attributes,
    ])
    const { attestationData = '' } = body
    const question = { provider: name, domain: domain.name, service, attestationData, attributes, refreshes }
    const answer = await askProvider(provider, question, context)
    const unit = await organizationalUnit(request, { provider: name, unit: answer.organizationalUnit }, rules)
    if (unit !== undefined) throw badRequest(unit)
    // The peer leaves that to providers, and so to their words; none may overlook it.
    const others = await oneInstance(request, subject, rules)
    if (others !== undefined) throw badRequest(`CSR validation failed - ${others}`)
    return { instanceId, request, answer }
  }

  /** @throws ServiceError `internal` when the signer fails */
  async issue(
    { provider, domain, service, body }: InstanceRequest,
    { request, answer }: VerifiedInstance,
    { priority, usage }: { priority: SigningPriority; usage: CertificateUsage | undefined },
  ): Promise<IssuedCertificate> {
    const { config, certificateIssuer } = this.#deps
    const { zts } = config
    const signerKeyId = serviceSignerKeyId(domain, service, body.x509CertSignerKeyId, zts.svcCertSignerKeyIdList)
    const requestedMins = [answer.expiryMins, body.expiryTime]
    const expiryMins = serviceExpiryMins(requestedMins, domain, zts.serviceCertDefaultExpiryMins.value)
    const pem = await certificateIssuer.issue({ provider, request, usage, expiryMins, priority, signerKeyId })
    return {
      pem,
      authorityPem: zts.respX509SignerCerts ? await certificateIssuer.caCertificate(provider, signerKeyId) : undefined,
      ...readIssuedCertificate(pem),
    }
  }

  #subject(
    { provider, domain, service, body, fallbackInstanceId }: InstanceRequest,
    request: CertificateRequestView,
  ): InstanceSubject {
    return {
      domain: domain.name,
      service,
      namespace: body.namespace,
      instanceId: request.instanceId ?? fallbackInstanceId,
      hostname: body.hostname,
      hostCnames: body.hostCnames ?? [],
      suffixes: this.#deps.providerSuffixes.of(provider),
      certDnsDomain: domain.settings.certDnsDomain,
    }
  }
}

/** Serial number in decimal digits. */
export const serialOf = ({ serialNumber }: X509Certificate): string => BigInt(`0x${serialNumber}`).toString()
