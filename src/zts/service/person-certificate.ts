import { badRequest } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { type CertificateRequestView, readCertificateRequest } from '../cert/certificate-request.ts'
import type { SigningRequest } from '../cert/certificate-signer.ts'
import { type PersonSubject, personCommonName } from '../cert/person-request-checks.ts'
import { attributeNames } from '../cert/providers/attributes.ts'
import { firstRefusal, type RequestCheck } from '../cert/request-checks.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { askProvider } from './provider-question.ts'

/** What certificates of people need. */
export type PersonCertificateDependencies = Pick<
  ZtsDependencies,
  'config' | 'certificateIssuer' | 'requestRules' | 'instanceProviders'
>

/** Somebody who asks for a certificate, and who vouches for him. */
export interface PersonRequest {
  readonly person: PersonSubject
  /** Service or class, as the setting names it. */
  readonly provider: string
  /** Domain and name of which the provider is told. */
  readonly confirmed: { readonly domain: string; readonly service: string }
  readonly csr: string
  readonly attestationData: string
  readonly checks: readonly RequestCheck<PersonSubject>[]
  /** What a request with another common name is called. */
  readonly mismatch: string
}

/** Checks the request of somebody and asks his identity provider. @throws ServiceError with the reason of the refusal */
export async function verifyPerson(
  { requestRules, instanceProviders }: PersonCertificateDependencies,
  { person, provider: name, confirmed, csr, attestationData, checks, mismatch }: PersonRequest,
  context: RequestContext,
): Promise<CertificateRequestView> {
  const request = await readCertificateRequest(csr, { prefix: 'Unable to parse PKCS10 CSR', peerGivesReasons: true })
  const named = await personCommonName(request, person, requestRules)
  if (named !== undefined) throw badRequest(`${mismatch}: ${request.commonName ?? 'null'}/${person.name}`)
  const refusal = await firstRefusal(checks, request, person, requestRules)
  if (refusal !== undefined) throw badRequest('Unable to validate cert request', { detail: refusal })
  const provider = instanceProviders.provider(name)
  if (provider === undefined) throw badRequest(`unable to get instance for provider: ${name}`)
  const attributes = new Map([[attributeNames.clientIp, context.remoteAddress]])
  await askProvider(provider, { provider: name, ...confirmed, attestationData, attributes, refreshes: false }, context)
  return request
}

/** Has a certificate issued for somebody who was verified. @throws ServiceError `internal` when the signer fails */
export async function issuePersonCertificate(
  { certificateIssuer }: PersonCertificateDependencies,
  request: Pick<SigningRequest, 'provider' | 'request' | 'expiryMins' | 'signerKeyId'>,
): Promise<string> {
  return certificateIssuer.issue(
    { ...request, usage: 'client', priority: 'High' },
    'Unable to create certificate from the cert signer',
  )
}

/** Life in minutes: the default, or less when less is asked for; never above the maximum. */
export const personExpiryMins = (requested: number | undefined, defaultMins: number, maxMins: number): number =>
  Math.min(requested !== undefined && requested > 0 ? requested : defaultMins, defaultMins, maxMins)
