import type { KeyObject, X509Certificate } from 'node:crypto'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { PresentedCertificate } from './presented-certificate.ts'
import {
  callerAddress,
  domainLabel,
  oneInstance,
  organization,
  organizationalUnit,
  type RequestCheck,
  registeredKey,
  type ServiceSubject,
  sameIgnoringCase,
  serviceSpiffeUri,
  uriSchemes,
} from './request-checks.ts'

/** A service that asks for a certificate of a key it has registered. */
export interface RegisteredServiceSubject extends ServiceSubject {
  /** The registered one. */
  readonly publicKey: KeyObject
  readonly remoteAddress: string
}

/** A check whose reason the peer words otherwise here. */
const inWords =
  (reason: string, check: RequestCheck<RegisteredServiceSubject>): RequestCheck<RegisteredServiceSubject> =>
  async (request, subject, rules) =>
    (await check(request, subject, rules)) === undefined ? undefined : reason

/** The common name is the service's full name. */
export const serviceCommonName: RequestCheck<ServiceSubject> = (request, { domain, service }) =>
  request.commonName !== undefined && sameIgnoringCase(request.commonName, serviceFullName(domain, service))
    ? undefined
    : 'data mismatch'

/** Every DNS name begins with service and domain, or names an instance, and ends as the server has it. */
export const serviceDnsNames: RequestCheck<ServiceSubject> = (request, { domain, service }, { dnsSuffixes }) => {
  const prefix = `${service}.${domainLabel(domain)}.`
  const fits = (name: string) =>
    dnsSuffixes.some((suffix) =>
      name.startsWith(prefix) ? name.endsWith(suffix) : name.endsWith(`.instanceid.athenz${suffix}`),
    )
  return request.dnsNames.every((name) => fits(name.toLowerCase())) ? undefined : 'data mismatch'
}

const noUnit: RequestCheck<RegisteredServiceSubject> = (request, _subject, rules) =>
  organizationalUnit(request, {}, rules)

/** Requests of services with a registered key; reasons follow `Invalid CSR - `. */
export const SERVICE_REQUEST_CHECKS: readonly RequestCheck<RegisteredServiceSubject>[] = [
  serviceCommonName,
  serviceDnsNames,
  inWords('data mismatch', uriSchemes),
  inWords('invalid Subject O field', organization),
  inWords('invalid Subject OU field', noUnit),
  registeredKey,
  callerAddress,
  inWords('spiffe uri mismatch', serviceSpiffeUri),
  oneInstance,
]

/** What a service came with to ask for its next certificate. */
export interface RenewalSubject {
  readonly certificate: X509Certificate
  readonly names: PresentedCertificate
}

/** The DNS names are those of the present certificate. */
export const sameDnsNames: RequestCheck<RenewalSubject> = (request, { names }) => {
  const present = new Set(names.dnsNames)
  const asked = new Set(request.dnsNames)
  return present.size === asked.size && [...present].every((name) => asked.has(name)) ? undefined : 'DNS_NAME_MISMATCH'
}

/** The key is that of the present certificate. */
export const samePublicKey: RequestCheck<RenewalSubject> = (request, { certificate }) =>
  certificate.publicKey.equals(request.publicKey) ? undefined : 'PUBLIC_KEY_MISMATCH'

/** Requests of services that come with their certificate; reasons follow `Request validation failed: `. */
export const RENEWAL_REQUEST_CHECKS: readonly RequestCheck<RenewalSubject>[] = [sameDnsNames, samePublicKey]
