import { type KeyObject, randomUUID } from 'node:crypto'
import { loadPublicKey } from '#core/crypto/keys.ts'
import { type Signer, verifyJoseSignature } from '#core/crypto/signing.ts'
import type { MaybePromise } from '#core/http/maybe-promise.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import {
  audiencesOf,
  JWT_ALGORITHMS,
  JWT_ALLOWED_SKEW_SECONDS,
  type JwtHeader,
  JwtWriter,
  parseJwt,
  textClaim,
  timeClaim,
} from '#core/token/json-web-token.ts'
import { validatePrincipalToken } from '#core/token/validate-principal-token.ts'
import type { Domains } from '../../cache/domains.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '../instance-provider.ts'
import { attributeNames, attributeOf } from './attributes.ts'
import {
  type AddressLookup,
  requireAddressesOfHost,
  requireDnsNames,
  requireOwnAddress,
  requireSameHostnameUri,
} from './instance-names.ts'

/** What the provider is made of. */
export interface ZtsProviderOptions {
  /** Full name of the provider service. */
  readonly provider: string
  readonly domains: Pick<Domains, 'publicKey'>
  /** Signs the next register token. */
  readonly signer: () => Signer
  /** Keys that register tokens of this server and of its peers are signed with. */
  readonly registerTokenKeys: {
    keyOf(header: JwtHeader): MaybePromise<KeyObject | undefined>
    close(): Promise<void> | void
  }
  /** Whether ZTS launches instances of the service (full name). */
  readonly launches: (domain: string, service: string) => boolean
  readonly dnsSuffixes: readonly string[]
  readonly registerTokenLifeSeconds: number
  readonly principalTokens: { readonly allowedOffsetSeconds: number; readonly maxExpirySeconds: number }
  readonly userDomain: string
  readonly addressesOf: AddressLookup
  /** Epoch milliseconds. */
  readonly now: () => number
}

const PRINCIPAL_TOKEN_PREFIX = 'v=S1;'
const WRONG_DNS = 'Unable to validate certificate request DNS'
const NOT_THE_SERVICE = 'Unable to validate Certificate Request Auth Token'

/**
 * ZTS as a provider: vouches for an instance that has a token of its service, signed with the registered key that the
 * certificate is for, or a register token that somebody with rights over the service has obtained here.
 */
export class ZtsProvider implements InstanceProvider {
  readonly svidTypes = 'x509'
  readonly inProcess = true
  readonly #options: ZtsProviderOptions
  readonly #writer = new JwtWriter('jwt')

  constructor(options: ZtsProviderOptions) {
    this.#options = options
  }

  confirmInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    return this.#confirm(confirmation, true)
  }

  /** The token that an instance registered with vouches for it at every renewal. */
  refreshInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    return this.#confirm(confirmation, false)
  }

  async instanceRegisterToken(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    const { provider, domain, service, attributes } = confirmation
    const { signer, now } = this.#options
    const token = await this.#writer.write(signer(), {
      sub: serviceFullName(domain, service),
      aud: provider,
      instance_id: attributeOf(attributes, attributeNames.instanceId),
      provider,
      service,
      domain,
      iss: provider,
      iat: Math.floor(now() / 1000),
      jti: randomUUID(),
      client_id: attributeOf(attributes, attributeNames.principal),
    })
    return { provider, domain, service, attestationData: token, attributes: {} }
  }

  async close(): Promise<void> {
    await this.#options.registerTokenKeys.close()
  }

  async #confirm(confirmation: InstanceConfirmation, registers: boolean): Promise<InstanceConfirmation> {
    const { provider, domain, service, attestationData, attributes } = confirmation
    const { launches, addressesOf, dnsSuffixes } = this.#options
    if (!launches(domain, service)) throw new ProviderRefusal('Service not authorized to be launched by ZTS Provider')
    if (attestationData === '') throw new ProviderRefusal('Service credentials not provided')
    const hasKey = attestationData.startsWith(PRINCIPAL_TOKEN_PREFIX)
    const proven = hasKey
      ? await this.#isTokenOfService(confirmation)
      : await this.#isRegisterToken(confirmation, registers)
    if (!proven) throw new ProviderRefusal(NOT_THE_SERVICE)
    requireOwnAddress(attributes)
    await requireAddressesOfHost(attributes, addressesOf)
    requireSameHostnameUri(attributes)
    requireDnsNames(attributes, { domain, service, suffixes: dnsSuffixes, refusal: WRONG_DNS })
    // Whoever has the registered key needs no certificate to get the next one.
    const answer: Record<string, string> = hasKey ? { [attributeNames.keepsRecord]: 'false' } : {}
    return { provider, domain, service, attestationData: '', attributes: answer }
  }

  async #isTokenOfService({ domain, service, attestationData, attributes }: InstanceConfirmation): Promise<boolean> {
    const { principalTokens, userDomain, now, domains } = this.#options
    const requested = requestedKey(attributes)
    if (requested === undefined) return false
    const outcome = await validatePrincipalToken(attestationData, {
      ...principalTokens,
      userDomain,
      nowSeconds: Math.floor(now() / 1000),
      // Only the key that the certificate is for may have signed.
      publicKey: async (...name) => {
        const key = domains.publicKey(...name)
        return key?.equals(requested) ? key : undefined
      },
    })
    if (!outcome.ok) return false
    const { token, authorizedService } = outcome
    // A server's signature or that of another service says nothing about the key.
    if (token.keyService !== undefined || authorizedService !== undefined) return false
    return token.domain === domain && token.name === service
  }

  async #isRegisterToken(confirmation: InstanceConfirmation, registers: boolean): Promise<boolean> {
    const { domain, service, attestationData, attributes } = confirmation
    const { provider, registerTokenKeys, registerTokenLifeSeconds, now } = this.#options
    const parsed = parseJwt(attestationData)
    if (!parsed.ok) return false
    const { header, claims, signingInput, signature } = parsed.token
    if (!JWT_ALGORITHMS.has(header.alg) || header.typ !== 'jwt') return false
    const key = await registerTokenKeys.keyOf(header)
    if (key === undefined) return false
    if (!(await verifyJoseSignature(header.alg, key, signingInput, signature))) return false
    const instanceId = attributeOf(attributes, attributeNames.instanceId)
    const expected = [
      ['provider', provider],
      ['domain', domain],
      ['service', service],
      ['instance_id', instanceId],
    ] as const
    if (instanceId === undefined || !expected.every(([name, value]) => textClaim(claims, name) === value)) return false
    const audiences = audiencesOf(claims)
    if (audiences.length !== 1 || audiences[0] !== provider) return false
    const issued = timeClaim(claims, 'iat')
    const nowSeconds = now() / 1000
    if (issued === undefined || issued > nowSeconds + JWT_ALLOWED_SKEW_SECONDS) return false
    return !registers || issued > nowSeconds - registerTokenLifeSeconds
  }
}

function requestedKey(attributes: InstanceConfirmation['attributes']): KeyObject | undefined {
  const pem = attributeOf(attributes, attributeNames.publicKey)
  return pem === undefined ? undefined : loadPublicKey(pem, { use: 'certificate' })
}
