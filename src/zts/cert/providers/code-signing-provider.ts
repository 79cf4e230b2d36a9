import { textMember } from '#core/http/json-client.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import { type JwtClaims, textClaim } from '#core/token/json-web-token.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '../instance-provider.ts'
import { attributeNames } from './attributes.ts'
import type { TokenIssuer } from './token-issuer.ts'

/**
 * Judges what the token of a service says of it, beyond its name; a plug-in named by
 * `athenz.zts.code_signing_attr_validator_factory_class`.
 */
export interface ClaimsJudge {
  /** False refuses; what it throws refuses too. */
  accepts(claims: JwtClaims, service: { readonly domain: string; readonly service: string }): Promise<boolean> | boolean
}

/** What the provider is made of. */
export interface CodeSigningOptions {
  readonly issuer: Pick<TokenIssuer, 'claims'>
  readonly judge?: ClaimsJudge | undefined
  readonly expiryMins: number
  readonly close: () => Promise<void>
}

/** Vouches for services that sign code by id tokens of theirs, `{"identityToken": …}`. */
export class CodeSigningProvider implements InstanceProvider {
  readonly svidTypes = 'x509'
  readonly inProcess = true
  readonly #options: CodeSigningOptions

  constructor(options: CodeSigningOptions) {
    this.#options = options
  }

  async confirmInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    const { provider, domain, service, attestationData } = confirmation
    const claims = await this.#claims(attestationData)
    const subject = textClaim(claims, 'sub')
    if (subject !== serviceFullName(domain, service)) {
      throw new ProviderRefusal('subject mismatch between attestation id_token and requested certificate')
    }
    await this.#requireAccepted(claims, { domain, service })
    const attributes = {
      [attributeNames.expiryMins]: String(this.#options.expiryMins),
      [attributeNames.usage]: 'codeSigning',
      [attributeNames.keepsRecord]: 'false',
    }
    return { provider, domain, service, attestationData: '', attributes }
  }

  async refreshInstance(): Promise<InstanceConfirmation> {
    throw new ProviderRefusal('Code signing X.509 Certificates cannot be refreshed')
  }

  close(): Promise<void> {
    return this.#options.close()
  }

  async #requireAccepted(claims: JwtClaims, service: Parameters<ClaimsJudge['accepts']>[1]): Promise<void> {
    const { judge } = this.#options
    if (judge === undefined) return
    let accepted: unknown
    try {
      accepted = await judge.accepts(claims, service)
    } catch (cause) {
      throw Object.assign(new ProviderRefusal('attributes of the identity token cannot be validated'), { cause })
    }
    // Whatever a module gives by mistake is no consent.
    if (accepted !== true) throw new ProviderRefusal('attributes of the identity token are not accepted')
  }

  async #claims(attestationData: string): Promise<JwtClaims> {
    let token: string | undefined
    try {
      token = textMember(JSON.parse(attestationData), 'identityToken')
    } catch {
      // Refused below.
    }
    if (!token) throw new ProviderRefusal('invalid attestation data for code signing certificate request')
    return this.#options.issuer.claims(token)
  }
}
