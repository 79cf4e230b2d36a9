import { MemoryDomains } from '#zts/cache/memory-domains.ts'

/** A domain in short: the JSON of a DomainData, where `modified` may be left out and `policies` be a plain list. */
export interface DomainJson {
  readonly name: string
  readonly modified?: string
  readonly policies?: readonly object[] | object | null
  readonly [member: string]: unknown
}

/** When domains that do not say so were modified. */
export const DOMAIN_MODIFIED = '2026-08-01T12:00:00.000Z'

/** The JSON of a DomainData in full. */
export function domainData(domain: DomainJson): Record<string, unknown> {
  const { policies } = domain
  const contents = Array.isArray(policies) ? { domain: domain.name, policies } : undefined
  return {
    modified: DOMAIN_MODIFIED,
    ...domain,
    ...(contents && { policies: { contents, signature: 'c2lnbmF0dXJl', keyId: '0' } }),
  }
}

/** The domains that a ZTS has in memory when ZMS has sent these; more can be put later with `domains.read(domainData(…))`. */
export function domainsOf(...domains: readonly DomainJson[]): MemoryDomains {
  const memory = new MemoryDomains()
  for (const domain of domains) memory.read(domainData(domain))
  return memory
}
