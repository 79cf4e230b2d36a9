import { X509Certificate } from 'node:crypto'
import type { InstanceIdentity } from '#zts/api/instance-identity.ts'
import type { Identity as ServiceCertificate } from '#zts/api/service-refresh.ts'
import {
  type RoleCertificateRequestOptions,
  roleCertificateRequest,
  type ServiceCertificateRequestOptions,
  serviceCertificateRequest,
} from './certificate-requests.ts'
import { invalidRequest } from './client-error.ts'
import type { ZtsCalls } from './zts-calls.ts'

/** What all certificates are asked for with. */
interface Wishes {
  /** Life of the certificate in minutes; the server's choice unless given. */
  readonly expiryMinutes?: number
  /** Key of the authority that signs, by the id that ZTS has for it. */
  readonly signerKeyId?: string
  readonly signal?: AbortSignal
}

/** Which role certificate is wanted. */
export interface RoleCertificateOptions extends Omit<RoleCertificateRequestOptions, 'principal'>, Wishes {
  /** Who asks: the full name of a service; that of the identity of the client unless given. */
  readonly principal?: string
  readonly proxyForPrincipal?: string
  /** The certificate that is replaced, as PEM: its dates say how urgent this one is. */
  readonly previousCertificate?: string
}

/** Which certificate is wanted for a registered key. */
export interface ServiceCertificateOptions extends ServiceCertificateRequestOptions, Wishes {
  /** Under which the public key is registered; needed by callers with a principal token. */
  readonly keyId?: string
}

/** An SSH certificate of a host that is wanted. */
export interface SshHostRequest {
  /** The key of the host, in the one-line form of OpenSSH. */
  readonly publicKey: string
  /** Names and addresses of the host; its `hostname`, or else the address that the server sees, when there are none. */
  readonly principals?: readonly string[]
}

/** An instance that asks for its identity. */
export interface InstanceOptions extends Omit<ServiceCertificateRequestOptions, 'instance'>, Wishes {
  /** Full name of the provider that vouches for the instance. */
  readonly provider: string
  readonly instanceId: string
  /** What the provider knows the instance by; needed for the first identity. */
  readonly attestationData?: string
  readonly hostname?: string
  /** Asks for an SSH certificate of the host, too. */
  readonly sshHost?: SshHostRequest
  /** Asks for a service token, too. */
  readonly token?: boolean
  /** Asks for the public keys of the servers, too; a date: if they changed after it. */
  readonly athenzJwk?: boolean | Date
}

/** Asks for a certificate of a role; PEM. */
export async function getRoleCertificate(
  zts: ZtsCalls,
  identityName: string | undefined,
  options: RoleCertificateOptions,
): Promise<string> {
  const { principal = identityName, expiryMinutes, signerKeyId, proxyForPrincipal, signal } = options
  if (principal === undefined) throw invalidRequest('a role certificate needs the name of who asks for it')
  const csr = await roleCertificateRequest({ ...options, principal })
  const previous =
    options.previousCertificate === undefined ? undefined : new X509Certificate(options.previousCertificate)
  const body = {
    csr,
    expiryTime: expiryMinutes,
    proxyForPrincipal,
    x509CertSignerKeyId: signerKeyId,
    prevCertNotBefore: previous?.validFromDate,
    prevCertNotAfter: previous?.validToDate,
  }
  const { x509Certificate } = await zts.call('postRoleCertificateRequestExt', { body }, signal && { signal })
  return x509Certificate
}

/** Asks for a certificate for a public key that is registered for a service. */
export async function getServiceCertificate(
  zts: ZtsCalls,
  options: ServiceCertificateOptions,
): Promise<ServiceCertificate> {
  const { domain, service, keyId, expiryMinutes, signerKeyId, signal } = options
  const csr = await serviceCertificateRequest(options)
  const body = { csr, keyId, expiryTime: expiryMinutes, x509CertSignerKeyId: signerKeyId }
  return zts.call('postInstanceRefreshRequest', { domain, service, body }, signal && { signal })
}

/** Asks for the first identity of an instance. */
export async function registerInstance(zts: ZtsCalls, options: InstanceOptions): Promise<InstanceIdentity> {
  const { provider, domain, service, instanceId, signal } = options
  const body = { provider, domain, service, x509CertInstanceId: instanceId, ...(await instanceBody(options)) }
  return zts.call('postInstanceRegisterInformation', { body }, signal && { signal })
}

/** Asks for a new identity of an instance; the client must call with the certificate of the present one. */
export async function refreshInstance(zts: ZtsCalls, options: InstanceOptions): Promise<InstanceIdentity> {
  const { provider, domain, service, instanceId, signal } = options
  const request = { provider, domain, service, instanceId, body: await instanceBody(options) }
  return zts.call('postInstanceRefreshInformation', request, signal && { signal })
}

async function instanceBody(options: InstanceOptions) {
  const { provider, instanceId, attestationData, hostname, sshHost, token, athenzJwk, expiryMinutes, signerKeyId } =
    options
  return {
    csr: await serviceCertificateRequest({ ...options, instance: { provider, id: instanceId } }),
    attestationData,
    hostname,
    token,
    athenzJWK: athenzJwk === undefined ? undefined : athenzJwk !== false,
    athenzJWKModified: athenzJwk instanceof Date ? athenzJwk : undefined,
    sshCertRequest: sshHost && sshCertRequest(sshHost, options),
    expiryTime: expiryMinutes,
    x509CertSignerKeyId: signerKeyId,
  }
}

function sshCertRequest({ publicKey, principals = [] }: SshHostRequest, instance: InstanceOptions) {
  const { domain, service, instanceId, ip = '' } = instance
  return {
    certRequestData: { principals: [...principals], publicKey },
    certRequestMeta: {
      requestor: `${domain}.${service}`,
      origin: ip,
      certType: 'host',
      athenzService: service,
      instanceId,
    },
  }
}
