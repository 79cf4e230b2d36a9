import { certificateUris } from '../certificate-request.ts'
import type { HostnameResolver } from '../hostname-resolver.ts'
import { ProviderRefusal } from '../instance-provider.ts'
import { domainLabel, sameAddress } from '../request-checks.ts'
import { attributeNames, attributeOf, listAttribute } from './attributes.ts'

type Attributes = Readonly<Record<string, string>>

const INSTANCE_ID_INFIX = '.instanceid.athenz.'

/** Resolves host names to addresses. */
export type AddressLookup = HostnameResolver['addressesOf']

const wrongHostname = () => new ProviderRefusal('Unable to validate certificate request hostname')

/** The addresses that a certificate is to have, if any, include the one that the request comes from. */
export function requireOwnAddress(attributes: Attributes): void {
  const addresses = listAttribute(attributes, attributeNames.ipAddresses)
  const clientIp = attributeOf(attributes, attributeNames.clientIp) ?? ''
  if (addresses.length > 0 && !addresses.some((address) => sameAddress(address, clientIp))) {
    throw new ProviderRefusal('Unable to validate request IP address')
  }
}

/** Without a host name there is at most one address; with one there are some, and all are addresses of that host. */
export async function requireAddressesOfHost(attributes: Attributes, addressesOf: AddressLookup): Promise<void> {
  const addresses = listAttribute(attributes, attributeNames.ipAddresses)
  const hostname = attributeOf(attributes, attributeNames.hostname)
  if (hostname === undefined) {
    if (addresses.length > 1) throw wrongHostname()
    return
  }
  if (addresses.length === 0) throw wrongHostname()
  const known = await addressesOf(hostname)
  if (!addresses.every((address) => known.some((other) => sameAddress(address, plainAddress(other)))))
    throw wrongHostname()
}

/** A resolver may name the interface of a link-local address. */
const plainAddress = (address: string) => address.replace(/%.*$/, '')

/** The URI of a host name, if any, names the host of the request. */
export function requireSameHostnameUri(attributes: Attributes): void {
  const hostname = attributeOf(attributes, attributeNames.hostname) ?? ''
  for (const uri of listAttribute(attributes, attributeNames.uris)) {
    if (!uri.startsWith(certificateUris.hostname)) continue
    if (uri.slice(certificateUris.hostname.length) !== hostname) {
      throw new ProviderRefusal('Unable to validate certificate request URI hostname')
    }
  }
}

/** Instance and service that DNS names are compared with. */
export interface DnsSubject {
  readonly domain: string
  readonly service: string
  /** Ends of DNS names, without a dot in front. */
  readonly suffixes: readonly string[]
  /** What a refusal says. */
  readonly refusal: string
}

/**
 * Every DNS name is one of the service (`{service}.{domain-with-dashes}.{suffix}`, with further labels in front) or carries
 * the id of the instance; there is at least one of the service. The id comes from its URI, its DNS name, or beside them.
 */
export function requireDnsNames(attributes: Attributes, subject: DnsSubject): void {
  const names = listAttribute(attributes, attributeNames.dnsNames).map((name) => name.toLowerCase())
  const { suffixes, domain, service, refusal } = subject
  const ends = suffixes.map((suffix) => `.${domainLabel(domain)}.${suffix}`)
  let ofService = 0
  let instanceId = instanceIdOf(attributes)
  for (const name of names) {
    const at = name.indexOf(INSTANCE_ID_INFIX)
    if (at !== -1) {
      const id = name.slice(0, at)
      const suffix = name.slice(at + INSTANCE_ID_INFIX.length)
      if (!suffixes.includes(suffix)) throw new ProviderRefusal(refusal)
      if (instanceId !== undefined && instanceId.toLowerCase() !== id) throw new ProviderRefusal(refusal)
      instanceId ??= id
      continue
    }
    const end = ends.find((each) => name.endsWith(each))
    if (end === undefined) throw new ProviderRefusal(refusal)
    const labels = name.slice(0, -end.length).split('.')
    if (!labels.includes(service)) throw new ProviderRefusal(refusal)
    ofService++
  }
  if (ofService === 0 || instanceId === undefined) throw new ProviderRefusal(refusal)
}

function instanceIdOf(attributes: Attributes): string | undefined {
  for (const uri of listAttribute(attributes, attributeNames.uris)) {
    if (!uri.startsWith(certificateUris.instanceId)) continue
    const slash = uri.indexOf('/', certificateUris.instanceId.length)
    if (slash !== -1) return uri.slice(slash + 1)
  }
  return attributeOf(attributes, attributeNames.instanceId)
}
