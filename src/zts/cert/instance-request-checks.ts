import { serviceFullName } from '#core/names/resource-name.ts'
import type { CertificateRequestView } from './certificate-request.ts'
import type { NameSuffixes } from './provider-suffixes.ts'
import {
  domainLabel,
  organization,
  type RequestCheck,
  type ServiceSubject,
  sameIgnoringCase,
  serviceSpiffeUri,
  uriSchemes,
} from './request-checks.ts'
import type { RequestRules } from './request-rules.ts'

/** The instance that asks for a certificate of its service, and what its provider may vouch for. */
export interface InstanceSubject extends ServiceSubject {
  /** Of the request for a certificate, or else the one named beside it. */
  readonly instanceId: string | undefined
  readonly hostname?: string | undefined
  readonly hostCnames: readonly string[]
  /** Of the provider. */
  readonly suffixes: NameSuffixes
  /** `certDnsDomain` of the domain. */
  readonly certDnsDomain?: string | undefined
}

/** The instance has an id. */
export const instanceId: RequestCheck<InstanceSubject> = (_request, subject) =>
  subject.instanceId ? undefined : 'InstanceId cannot be empty'

/** The common name, if any, is the service's full name. */
export const commonName: RequestCheck<ServiceSubject> = (request, { domain, service }) =>
  request.commonName === undefined || sameIgnoringCase(request.commonName, serviceFullName(domain, service))
    ? undefined
    : 'Unable to validate CSR common name'

/** There is a common name or a SPIFFE id. */
export const someName: RequestCheck<unknown> = (request) =>
  request.commonName === undefined && request.spiffeUri === undefined
    ? 'CSR contains neither a CommonName nor a SPIFFE URI'
    : undefined

/** The URI of the host name, if any, names the host that is named beside the request. */
export const hostnameUri: RequestCheck<InstanceSubject> = (request, { hostname }) =>
  request.hostname === undefined || request.hostname === hostname
    ? undefined
    : `Instance/Uri hostname mismatch: ${hostname ?? 'null'} vs. ${request.hostname}`

/** A check that holds only for requests with DNS names. */
const withDnsNames =
  (check: RequestCheck<InstanceSubject>): RequestCheck<InstanceSubject> =>
  (request, subject, rules) =>
    request.dnsNames.length === 0 ? undefined : check(request, subject, rules)

/** The provider may vouch for the host name, which exists as far as anybody is there to ask. */
export const hostname: RequestCheck<InstanceSubject> = withDnsNames(async (_request, subject, { hostnames }) => {
  const { hostname: name, suffixes } = subject
  if (!name) return undefined
  const lower = name.toLowerCase()
  const ends = (suffix: string) => lower.endsWith(suffix)
  const allowed = suffixes.hostname.some(ends) && !suffixes.deniedHostname.some(ends)
  const exists = allowed && (hostnames === undefined || (await hostnames.isHostname(name)))
  return exists ? undefined : `Unable to validate Instance hostname: ${name}`
})

/** Canonical names come with a host name, end as the provider's names do, and are those of the host. */
export const cnames: RequestCheck<InstanceSubject> = withDnsNames(async (_request, subject, { hostnames }) => {
  const { hostname: name, hostCnames, suffixes } = subject
  if (hostCnames.length === 0) return undefined
  if (!name) return 'Instance Host CNAME list provided without Hostname'
  const foreign = hostCnames.find((cname) => !suffixes.hostname.some((suffix) => cname.toLowerCase().endsWith(suffix)))
  const denied = hostCnames.find((cname) =>
    suffixes.deniedHostname.some((suffix) => cname.toLowerCase().endsWith(suffix)),
  )
  const invalid = foreign ?? denied
  if (invalid !== undefined) return `invalid cname provided for instance: ${invalid}`
  if (hostnames === undefined) return 'Instance host name CNAME list provided without a valid hostname resolver'
  const service = serviceFullName(subject.domain, subject.service)
  return (await hostnames.areCnames(service, name, hostCnames))
    ? undefined
    : `${name} does not have all hosts in ${hostCnames.join(',')} as configured CNAMEs`
})

/** Every DNS name ends as the provider or the domain may have it, or is the host's. */
export const dnsNames: RequestCheck<InstanceSubject> = async (request, subject, rules) => {
  for (const name of request.dnsNames) {
    const fits =
      endsAsProvider(name, subject) ||
      endsAsDomain(name, subject) ||
      isOfHost(name, subject) ||
      (await isAccepted(name, subject, rules))
    if (!fits) return `${name} does not end with provider/service configured suffix or hostname`
  }
  return undefined
}

const endsAsProvider = (name: string, { suffixes }: InstanceSubject): boolean => {
  const lower = name.toLowerCase()
  return suffixes.dns.some((suffix) => lower.endsWith(suffix))
}

const endsAsDomain = (name: string, { certDnsDomain }: InstanceSubject): boolean =>
  !!certDnsDomain && name.toLowerCase().endsWith(`.${certDnsDomain.toLowerCase()}`)

const isHostname = (name: string, { hostname: own }: InstanceSubject): boolean =>
  own !== undefined && sameIgnoringCase(name, own)

const isOfHost = (name: string, subject: InstanceSubject): boolean =>
  isHostname(name, subject) || subject.hostCnames.includes(name)

const isAccepted = async (name: string, { domain, service }: InstanceSubject, { dataValidator }: RequestRules) =>
  dataValidator !== undefined && (await dataValidator.acceptsServiceDnsName(name.toLowerCase(), domain, service))

/**
 * DNS names that the provider must vouch for: those that end as it may have them, without wildcards of the service, names
 * of the host and names that the plug-in accepts; and the host name itself.
 */
export async function providerDnsNames(
  request: CertificateRequestView,
  subject: InstanceSubject,
  rules: RequestRules,
): Promise<string[]> {
  const wildcard = `*.${subject.service}.${domainLabel(subject.domain)}.`
  const names: string[] = []
  for (const name of request.dnsNames) {
    if (isHostname(name, subject)) names.push(name)
    else if (subject.hostCnames.includes(name) || name.toLowerCase().startsWith(wildcard)) continue
    else if (endsAsProvider(name, subject) && !(await isAccepted(name, subject, rules))) names.push(name)
  }
  return names
}

/** Requests of instances, at registration and at each refresh. The unit is checked after the provider has answered. */
export const INSTANCE_REQUEST_CHECKS: readonly RequestCheck<InstanceSubject>[] = [
  instanceId,
  uriSchemes,
  commonName,
  someName,
  hostnameUri,
  hostname,
  cnames,
  dnsNames,
  organization,
  serviceSpiffeUri,
]
