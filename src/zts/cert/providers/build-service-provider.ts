import { type JwtClaims, textClaim, timeClaim } from '#core/token/json-web-token.ts'
import { certificateUris } from '../certificate-request.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '../instance-provider.ts'
import { attributeNames, attributeOf, listAttribute } from './attributes.ts'
import { requireDnsNames } from './instance-names.ts'
import { refused, type TokenIssuer } from './token-issuer.ts'

/** What is peculiar to one build service. */
export interface BuildService {
  /** For messages. */
  readonly name: string
  /** Id of the job, made of its token; undefined when a part is missing. */
  readonly instanceId: (claims: JwtClaims) => string | undefined
  /** What the job does, for the decision whether it may; undefined when the token does not say. */
  readonly action: (claims: JwtClaims) => string | undefined
  /** Claims for each of which the service needs the right to the action; the subject alone when absent. */
  readonly subjectClaims?: readonly string[]
  /** Why the token is not accepted, if so. */
  readonly refusal?: (claims: JwtClaims) => string | undefined
}

/** What the provider is made of. */
export interface BuildServiceOptions {
  readonly service: BuildService
  readonly issuer: Pick<TokenIssuer, 'claims'>
  /** Whether a service (full name) may do something, by the policies of its domain. */
  readonly mayService: (service: string, action: string, resource: string) => boolean
  /** How old a token may be. */
  readonly maxAgeSeconds: number
  readonly expiryMins: number
  readonly dnsSuffixes: readonly string[]
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly close: () => Promise<void>
}

const SUBJECT_ONLY: readonly string[] = ['sub']

/**
 * Vouches for the jobs of a build service by the tokens that it gives them: the job has the id that its token names, and
 * the policies of the domain allow the service the action of the job on `{domain}:{subject}`. The certificates are for
 * clients, for the time of a job, and cannot be renewed.
 */
export class BuildServiceProvider implements InstanceProvider {
  readonly svidTypes = 'x509'
  readonly inProcess = true
  readonly #options: BuildServiceOptions

  constructor(options: BuildServiceOptions) {
    this.#options = options
  }

  async confirmInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    const { provider, domain, service, attestationData, attributes } = confirmation
    const { issuer, expiryMins, dnsSuffixes } = this.#options
    requireNoHost(attributes)
    if (attestationData === '') throw new ProviderRefusal('Service credentials not provided')
    this.#judge(
      await issuer.claims(attestationData),
      domain,
      service,
      attributeOf(attributes, attributeNames.instanceId),
    )
    requireDnsNames(attributes, {
      domain,
      service,
      suffixes: dnsSuffixes,
      refusal: 'Unable to validate certificate request sanDNS entries',
    })
    return {
      provider,
      domain,
      service,
      attestationData: '',
      attributes: {
        [attributeNames.keepsRecord]: 'false',
        [attributeNames.usage]: 'client',
        [attributeNames.expiryMins]: String(expiryMins),
      },
    }
  }

  async refreshInstance(): Promise<InstanceConfirmation> {
    throw new ProviderRefusal(`${this.#options.service.name} X.509 Certificates cannot be refreshed`)
  }

  close(): Promise<void> {
    return this.#options.close()
  }

  #judge(claims: JwtClaims, domain: string, service: string, instanceId: string | undefined): void {
    const { service: row, maxAgeSeconds, now, mayService } = this.#options
    const refusal = row.refusal?.(claims)
    if (refusal !== undefined) throw refused(refusal)
    const issued = timeClaim(claims, 'iat')
    if (issued === undefined || issued < now() / 1000 - maxAgeSeconds) {
      throw refused(`job start time is not recent enough, issued at: ${issued ?? 'null'}`)
    }
    const id = row.instanceId(claims)
    if (id === undefined) throw refused('token does not contain required claims')
    if (id !== instanceId) throw refused(`invalid instance id: ${id}/${instanceId ?? 'null'}`)
    const action = row.action(claims)
    for (const name of row.subjectClaims ?? SUBJECT_ONLY) {
      const subject = textClaim(claims, name)
      if (!action || !subject) throw refused('token does not contain required claims')
      const resource = `${domain}:${subject}`
      if (!mayService(`${domain}.${service}`, action, resource)) {
        throw refused(`authorization check failed for action ${action}, resource: ${resource}`)
      }
    }
  }
}

/** Jobs run wherever there is room: neither addresses nor hosts are theirs. */
function requireNoHost(attributes: InstanceConfirmation['attributes']): void {
  if (attributeOf(attributes, attributeNames.ipAddresses) !== undefined) {
    throw new ProviderRefusal('Request must not have any sanIP addresses')
  }
  if (attributeOf(attributes, attributeNames.hostname) !== undefined) {
    throw new ProviderRefusal('Request must not have any hostname values')
  }
  const known = [certificateUris.spiffe, certificateUris.instanceId]
  const uris = listAttribute(attributes, attributeNames.uris)
  if (!uris.every((uri) => known.some((beginning) => uri.startsWith(beginning)))) {
    throw new ProviderRefusal('Unable to validate certificate request URI values')
  }
}
