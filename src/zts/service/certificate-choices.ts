import type { ConfigOf } from '#core/config/server-tables.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { SigningPriority } from '../cert/certificate-signer.ts'

type PrioritySettings = Pick<
  ConfigOf['zts']['zts'],
  'certPriorityMaxPercentHighPriority' | 'certPriorityMinPercentLowPriority'
>

/**
 * How urgent a certificate is, by how much of its life the one that it replaces has left; what replaces none is urgent.
 * All times are epoch milliseconds.
 */
export function signingPriority(
  notBefore: number | undefined,
  notAfter: number | undefined,
  now: number,
  settings: PrioritySettings,
): SigningPriority {
  if (notBefore === undefined || notAfter === undefined || notAfter <= notBefore) return 'High'
  const percentLeft = ((notAfter - now) / (notAfter - notBefore)) * 100
  if (percentLeft <= settings.certPriorityMaxPercentHighPriority) return 'High'
  return percentLeft >= settings.certPriorityMinPercentLowPriority ? 'Low' : 'Medium'
}

/**
 * The key that signs: the first that is configured for whom the certificate is, or else the one that is asked for, which
 * is passed over when it is not among `allowed` (any when that is empty). Undefined: the signer's choice.
 */
export function signerKeyIdOf(
  configured: readonly (string | undefined)[],
  requested: string | undefined,
  allowed: ReadonlySet<string>,
): string | undefined {
  const own = configured.find((key) => key !== undefined && key !== '')
  if (own !== undefined) return own
  return requested !== undefined && (allowed.size === 0 || allowed.has(requested)) ? requested : undefined
}

/** As {@link signerKeyIdOf}, for a person, who may ask only for keys that are allowed. */
export const personSignerKeyId = (
  own: string | undefined,
  requested: string | undefined,
  allowed: ReadonlySet<string>,
): string | undefined => own || (requested !== undefined && allowed.has(requested) ? requested : undefined)

/** As {@link signerKeyIdOf}, for a service: its own key, that of its domain, or the one that is asked for. */
export const serviceSignerKeyId = (
  domain: CachedDomain | undefined,
  service: string | undefined,
  requested: string | undefined,
  allowed: ReadonlySet<string>,
): string | undefined => {
  const own = service === undefined ? undefined : domain?.services.get(service)?.x509CertSignerKeyId
  return signerKeyIdOf([own, domain?.settings.x509CertSignerKeyId], requested, allowed)
}

/**
 * Life of the certificate of a service in minutes: the smallest that anybody asks for, not above what its domain allows,
 * which counts, too, when nobody asks; otherwise the default, where 0 leaves it to the signer.
 */
export function serviceExpiryMins(
  requested: readonly (number | undefined)[],
  domain: CachedDomain | undefined,
  defaultMins: number,
): number {
  const given = [...requested, domain?.settings.serviceCertExpiryMins].filter((mins) => mins !== undefined && mins > 0)
  return given.length > 0 ? Math.min(...(given as number[])) : defaultMins
}
