import { isName } from '#core/names/patterns.ts'

/** Whether a text is to be read as a SPIFFE id. */
export const isSpiffeId = (text: string): boolean => text.toLowerCase().startsWith('spiffe://')

/**
 * Lower-case full name of the principal that a SPIFFE id stands for: `spiffe://{trustDomain}/ns/{namespace}/sa/{name}` or
 * `spiffe://{domain}/sa/{service}`, in any letter case; undefined for every other id.
 */
export function principalOfSpiffeId(id: string, trustDomain: string): string | undefined {
  const text = id.toLowerCase()
  if (!isSpiffeId(text)) return undefined
  const [authority = '', ...path] = text.slice('spiffe://'.length).split('/')
  const name = path.length === 2 ? basicName(authority, path) : nameInTrustDomain(authority, path, trustDomain)
  return name !== undefined && isName('ServiceName', name) && name.includes('.') ? name : undefined
}

function basicName(domain: string, [kind, service]: readonly string[]): string | undefined {
  // With a period in the service, another domain could be meant than the id says.
  return kind === 'sa' && domain !== '' && !service?.includes('.') ? `${domain}.${service}` : undefined
}

function nameInTrustDomain(authority: string, path: readonly string[], trustDomain: string): string | undefined {
  const [ns, namespace, kind, name] = path
  const isTrusted = authority === trustDomain.toLowerCase()
  return path.length === 4 && isTrusted && ns === 'ns' && namespace !== '' && kind === 'sa' ? name : undefined
}
