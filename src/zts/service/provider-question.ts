import { createHash, type X509Certificate } from 'node:crypto'
import { badRequest, forbidden, ServiceError } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { CertificateRequestView } from '../cert/certificate-request.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '../cert/instance-provider.ts'
import { attributeNames } from '../cert/providers/attributes.ts'
import { type ProviderAnswer, readProviderAnswer } from '../cert/providers/provider-answer.ts'
import type { InstanceNames } from './instance-admission.ts'

/** What a provider is told about an instance beside its names. */
export interface InstanceFacts {
  readonly instanceId: string
  readonly hostname?: string | undefined
  readonly cloud?: string | undefined
}

/** Attributes that every question has. */
export function instanceAttributes(
  domain: CachedDomain,
  service: string,
  { instanceId, hostname, cloud }: InstanceFacts,
  { remoteAddress, principal }: Pick<RequestContext, 'remoteAddress' | 'principal'>,
): Map<string, string> {
  const { settings } = domain
  return present([
    [attributeNames.instanceId, instanceId],
    [attributeNames.clientIp, remoteAddress],
    ['awsAccount', settings.account],
    ['azureSubscription', settings.azureSubscription],
    ['azureTenant', settings.azureTenant],
    ['azureClient', settings.azureClient],
    ['gcpProject', settings.gcpProject],
    [attributeNames.hostname, hostname],
    [attributeNames.principal, principal?.fullName],
    [attributeNames.cloud, cloud],
    ['serviceFeatureFlags', flagsOf(domain.services.get(service)?.featureFlags)],
    ['domainFeatureFlags', flagsOf(settings.featureFlags)],
  ])
}

/**
 * Attributes about a certificate request; `dnsNames` are those that the provider must vouch for.
 * @throws ServiceError `bad-request` for a name with a comma, which would be two names for the provider
 */
export function requestAttributes(
  request: CertificateRequestView,
  dnsNames: readonly string[],
  { inProcess }: Pick<InstanceProvider, 'inProcess'>,
): Map<string, string> {
  if (request.uris.some((uri) => uri.includes(','))) throw badRequest('CSR validation failed - a URI has a comma')
  return present([
    [attributeNames.dnsNames, dnsNames.join(',')],
    [attributeNames.ipAddresses, joined(request.ipAddresses)],
    [attributeNames.uris, joined(request.uris)],
    [attributeNames.publicKey, inProcess ? request.publicKeyPem : undefined],
  ])
}

/** Attributes about the certificate that the caller has come with. */
export function callerCertificateAttributes(certificate: X509Certificate): Map<string, string> {
  return present([
    [attributeNames.issuerName, nameText(certificate.issuer)],
    [attributeNames.subjectName, nameText(certificate.subject)],
    [attributeNames.modulusHash, modulusHash(certificate)],
  ])
}

const flagsOf = (flags: number | undefined) => (flags ? String(flags) : undefined)
const joined = (names: readonly string[]) => (names.length > 0 ? names.join(',') : undefined)

const present = (entries: readonly (readonly [string, string | undefined])[]): Map<string, string> =>
  new Map(entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined))

/** RFC 4514: the last attribute first. */
const nameText = (name: string): string => name.split('\n').toReversed().join(',')

/** SHA-256 of the modulus in capital hexadecimal digits; undefined for keys that have none. */
function modulusHash({ publicKey }: X509Certificate): string | undefined {
  // Other keys have none, some cannot be written as JSON, and the rest take 20 µs for it.
  if (publicKey.asymmetricKeyType !== 'rsa') return undefined
  const { n } = publicKey.export({ format: 'jwk' })
  if (n === undefined) return undefined
  return createHash('sha256').update(Buffer.from(n, 'base64url').toString('hex').toUpperCase()).digest('hex')
}

/** A question about an instance. */
export interface ProviderQuestion extends InstanceNames {
  readonly attestationData: string
  readonly attributes: ReadonlyMap<string, string>
  /** For an instance that has a certificate already. */
  readonly refreshes: boolean
}

/** Asks a provider. @throws ServiceError `forbidden` or `gateway-timeout` when it does not vouch for the instance */
export async function askProvider(
  provider: InstanceProvider,
  question: ProviderQuestion,
  context: Pick<RequestContext, 'header' | 'remoteAddress'>,
): Promise<ProviderAnswer> {
  const { attestationData, attributes, refreshes, ...names } = question
  const confirmation: InstanceConfirmation = {
    provider: names.provider,
    domain: names.domain,
    service: names.service,
    attestationData,
    attributes: Object.fromEntries(attributes),
  }
  try {
    const answer = refreshes
      ? await provider.refreshInstance(confirmation)
      : await provider.confirmInstance(confirmation)
    return readProviderAnswer(confirmation, answer)
  } catch (cause) {
    const client = context.header('user-agent') ?? 'null'
    const host = attributes.get(attributeNames.hostname) ?? 'null'
    const where = `client: ${client} clientIP: ${context.remoteAddress} clientHost: ${host}`
    const { reason, timedOut } = refusalOf(cause)
    const message = `unable to verify attestation data: ${reason} ${where}`
    const detail = detailOf(cause)
    throw timedOut
      ? new ServiceError('gateway-timeout', message, { cause, detail })
      : forbidden(message, { cause, detail })
  }
}

/** As clients know the refusals of providers. */
export const refusalText = ({ status, message }: { readonly status: number; readonly message: string }): string =>
  `ResourceException (${status}): ${message}`

/** A plug-in that fails otherwise than by a refusal keeps its reasons to the log. */
function refusalOf(cause: unknown): { reason: string; timedOut: boolean } {
  const { status, message } =
    cause instanceof ProviderRefusal ? cause : { status: 403, message: 'the provider has failed' }
  return { reason: refusalText({ status, message }), timedOut: status === 504 }
}

/** What is behind a refusal, for the log. */
function detailOf(cause: unknown): string {
  const last = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return last instanceof Error ? last.message : 'not an error'
}
