import type { KeyObject } from 'node:crypto'
import { addressBytes } from '#core/crypto/certificate-name.ts'
import type { MaybePromise } from '#core/http/maybe-promise.ts'
import { type CertificateRequestView, certificateUris } from './certificate-request.ts'
import type { RequestRules } from './request-rules.ts'

/**
 * One rule of certificate requests: the reason why the request is refused, or undefined. `Subject` is what the request is
 * compared with.
 */
export type RequestCheck<Subject> = (
  request: CertificateRequestView,
  subject: Subject,
  rules: RequestRules,
) => MaybePromise<string | undefined>

/** The reason of the first check that refuses the request; undefined when none does. */
export async function firstRefusal<Subject>(
  checks: readonly RequestCheck<Subject>[],
  request: CertificateRequestView,
  subject: Subject,
  rules: RequestRules,
): Promise<string | undefined> {
  for (const check of checks) {
    const answer = check(request, subject, rules)
    const reason = typeof answer === 'object' ? await answer : answer
    if (reason !== undefined) return reason
  }
  return undefined
}

/** Texts that are the same but for the case of ASCII letters; no other letter is taken for one of them. */
export const sameIgnoringCase = (a: string, b: string): boolean =>
  a.length === b.length && lowerAscii(a) === lowerAscii(b)

const lowerAscii = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** Whether two texts are the same IP address. */
export function sameAddress(a: string, b: string): boolean {
  if (a === b) return true
  try {
    return addressBytes(a).equals(addressBytes(b))
  } catch {
    return false
  }
}

/** Reason where the peer gives none. */
const WITHOUT_REASON = ''

/** URIs have a known beginning. */
export const uriSchemes: RequestCheck<unknown> = ({ uris }, _subject, { verifiesUriSchemes }) => {
  if (!verifiesUriSchemes) return undefined
  const known = Object.values(certificateUris)
  return uris.every((uri) => known.some((beginning) => uri.startsWith(beginning))) ? undefined : WITHOUT_REASON
}

/** The organization is an allowed one, written exactly so. */
export const organization: RequestCheck<unknown> = (request, _subject, { allowedOrganizations }) => {
  const named = request.organization
  return named === undefined || allowedOrganizations.size === 0 || allowedOrganizations.has(named)
    ? undefined
    : 'Unable to validate Subject O Field'
}

const RESTRICTED = ':restricted'

/** Units that fit whatever the list of allowed ones says. */
export interface OwnUnits {
  /** Full name of the provider. */
  readonly provider?: string | undefined
  /** What the provider, or the certificate of the caller, names. */
  readonly unit?: string | undefined
}

/** The organizational unit is that of the provider, the name of the provider, or an allowed one; there may be none. */
export const organizationalUnit: RequestCheck<OwnUnits> = (request, own, { verifiesUnit, allowedUnits }) => {
  const named = request.organizationalUnit
  if (!verifiesUnit || named === undefined) return undefined
  const unit = named.endsWith(RESTRICTED) ? named.slice(0, -RESTRICTED.length) : named
  const fits = [own.unit, own.provider].some((wanted) => wanted !== undefined && sameIgnoringCase(unit, wanted))
  return fits || allowedUnits.has(unit) ? undefined : 'CSR Subject OrgUnit validation failed'
}

/** No instance is named but one: readers would take another than the checks. */
export const oneInstance: RequestCheck<unknown> = ({ namesOtherInstances }) =>
  namesOtherInstances ? 'more than one instance is named' : undefined

/** The only address, if any, is that of the caller. */
export const callerAddress: RequestCheck<{ readonly remoteAddress: string }> = (request, subject, rules) => {
  const [address, ...others] = request.ipAddresses
  if (!rules.verifiesAddress || address === undefined) return undefined
  return others.length === 0 && sameAddress(address, subject.remoteAddress) ? undefined : 'IP address mismatch'
}

/** The key is the registered one. */
export const registeredKey: RequestCheck<{ readonly publicKey: KeyObject }> = (request, subject) =>
  request.publicKey.equals(subject.publicKey) ? undefined : 'public key mismatch'

/** A service, with the namespace of the request. Names are lower case. */
export interface ServiceSubject {
  readonly domain: string
  readonly service: string
  readonly namespace?: string | undefined
}

/** The SPIFFE id, if any, is that of the service. */
export const serviceSpiffeUri: RequestCheck<ServiceSubject> = ({ spiffeUri }, subject, { spiffe }) =>
  spiffeUri === undefined || spiffe.isServiceUri(spiffeUri, subject.domain, subject.service, subject.namespace)
    ? undefined
    : 'Unable to validate Service SPIFFE URI'

/** A domain as a label of DNS names: `sports-api` of `sports.api`. */
export const domainLabel = (domain: string): string => domain.replaceAll('.', '-')
