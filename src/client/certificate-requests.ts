import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { AlternativeName, DistinguishedName } from '#core/crypto/certificate-name.ts'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { messageOf } from '#core/error/message-of.ts'
import { invalidRequest } from './client-error.ts'

const newKeyPair = promisify(generateKeyPair)

/** Makes a private key: RSA with 2048 bits, or EC on the curve P-256. */
export async function newPrivateKey(kind: 'rsa' | 'ec' = 'rsa'): Promise<KeyObject> {
  const { privateKey } =
    kind === 'rsa' ? await newKeyPair('rsa', { modulusLength: 2048 }) : await newKeyPair('ec', { namedCurve: 'P-256' })
  return privateKey
}

/** A private key as PEM (PKCS#8). */
export const privateKeyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

/** What all requests for certificates have in common. */
export interface CertificateRequestOptions {
  /** RSA, EC or Ed25519; as PEM, or parsed. */
  readonly privateKey: string | KeyObject
  /** End of the DNS names of services, without a dot before it, e.g. `athenz.cloud`. */
  readonly dnsDomain: string
  /** Attributes of the subject before the common name; none unless given. */
  readonly subject?: { readonly country?: string; readonly organization?: string; readonly unit?: string }
  /** False: no SPIFFE URI. True unless given. */
  readonly spiffe?: boolean
  /** Trust domain for the longer form of the SPIFFE URI. */
  readonly spiffeTrustDomain?: string
  readonly ip?: string
  /** DNS names beside that of the service. */
  readonly dnsNames?: readonly string[]
}

/** A service that asks for a certificate. */
export interface ServiceCertificateRequestOptions extends CertificateRequestOptions {
  readonly domain: string
  readonly service: string
  /** The instance of the service, and the provider that vouches for it. */
  readonly instance?: { readonly provider: string; readonly id: string }
}

/** A service that asks for a certificate of a role. */
export interface RoleCertificateRequestOptions extends CertificateRequestOptions {
  readonly roleDomain: string
  /** Local name. */
  readonly roleName: string
  /** Who asks: the full name of a service. */
  readonly principal: string
}

/**
 * A certificate request (PKCS#10 in PEM) of a service: common name `DOMAIN.SERVICE`, its DNS name, its SPIFFE URI, and the
 * URI of the instance when there is one.
 * @throws AthenzClientError `invalid-request` for a key or a name that cannot be written
 */
export function serviceCertificateRequest(options: ServiceCertificateRequestOptions): Promise<string> {
  const { domain, service, instance, spiffeTrustDomain: trustDomain } = options
  const name = `${domain}.${service}`
  const spiffe =
    trustDomain === undefined ? `spiffe://${domain}/sa/${service}` : `spiffe://${trustDomain}/ns/default/sa/${name}`
  const instanceUri = instance && `athenz://instanceid/${instance.provider}/${instance.id}`
  return request(options, { commonName: name, principal: name, uris: [spiffe, instanceUri] })
}

/**
 * A certificate request (PKCS#10 in PEM) for a role: common name `DOMAIN:role.ROLE`, DNS name and e-mail address of the
 * service that asks, the SPIFFE URI of the role and the URI of the service.
 * @throws AthenzClientError `invalid-request` for a key or a name that cannot be written
 */
export function roleCertificateRequest(options: RoleCertificateRequestOptions): Promise<string> {
  const { roleDomain, roleName, principal, dnsDomain, spiffeTrustDomain: trustDomain } = options
  const role = `${roleDomain}/ra/${roleName}`
  return request(options, {
    commonName: `${roleDomain}:role.${roleName}`,
    principal,
    uris: [
      trustDomain === undefined ? `spiffe://${role}` : `spiffe://${trustDomain}/ns/${role}`,
      `athenz://principal/${principal}`,
    ],
    email: `${principal}@${dnsDomain}`,
  })
}

interface Names {
  readonly commonName: string
  /** Full name of the service that asks. */
  readonly principal: string
  /** The SPIFFE URI first. */
  readonly uris: readonly (string | undefined)[]
  readonly email?: string
}

async function request(options: CertificateRequestOptions, { commonName, principal, uris, email }: Names) {
  const { privateKey, dnsDomain, spiffe = true, ip, dnsNames = [] } = options
  const names: AlternativeName[] = [
    ...[dnsName(principal, dnsDomain), ...dnsNames].map((value) => ({ type: 'dns', value }) as const),
    ...(ip === undefined ? [] : [{ type: 'ip', value: ip } as const]),
    ...(email === undefined ? [] : [{ type: 'email', value: email } as const]),
    ...uris.slice(spiffe ? 0 : 1).flatMap((value) => (value === undefined ? [] : [{ type: 'uri', value } as const])),
  ]
  // The ASN.1 library takes time to load, which clients that ask for tokens only need not wait for.
  const { buildCertificateRequest } = await import('#core/crypto/certificate-request.ts')
  try {
    const key = typeof privateKey === 'string' ? loadPrivateKey(privateKey, { use: 'certificate' }) : privateKey
    return await buildCertificateRequest({
      subject: subjectOf(options.subject, commonName),
      signer: createSigner(key, '', 'certificate'),
      subjectAlternativeNames: names,
    })
  } catch (cause) {
    throw invalidRequest(`no certificate request: ${messageOf(cause)}`, cause)
  }
}

function subjectOf(subject: CertificateRequestOptions['subject'] = {}, commonName: string): DistinguishedName {
  const { country, organization, unit } = subject
  const attributes = [
    ['C', country],
    ['O', organization],
    ['OU', unit],
    ['CN', commonName],
  ] as const
  return attributes.flatMap(([type, value]) => (value === undefined || value === '' ? [] : [{ type, value }]))
}

/** DNS name of a service: `SERVICE.DOMAIN-WITH-DASHES.SUFFIX`. */
function dnsName(principal: string, suffix: string): string {
  const dot = principal.lastIndexOf('.')
  if (dot <= 0) throw invalidRequest(`${principal} is not the full name of a service`)
  return `${principal.slice(dot + 1)}.${principal.slice(0, dot).replaceAll('.', '-')}.${suffix}`
}
