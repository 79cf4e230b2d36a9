import { textMember } from '#core/http/json-client.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import { type JwtClaims, textClaim } from '#core/token/json-web-token.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '../instance-provider.ts'
import { attributeNames } from './attributes.ts'
import type { TokenIssuer } from './token-issuer.ts'

/** What the provider is made of. */
export interface CodeSigningOptions {
  readonly issuer: Pick<TokenIssuer, 'claims'>
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
