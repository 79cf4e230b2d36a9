import { type AddressCheckMode, validatePrincipalToken } from '#core/token/validate-principal-token.ts'
import type { AuthenticationResult, Authority, AuthorityContext } from './authority.ts'
import { choiceSetting, flagSetting, textSetting } from './setting.ts'
import { readTokenSettings, type TokenSettings } from './token-setting.ts'

interface Settings extends TokenSettings {
  readonly addressCheck: AddressCheckMode
  readonly allowNoExpiry: boolean
}

/**
 * Accepts principal tokens: of services, signed with their registered keys; of users, signed by the ZMS server; also
 * with the signature of an authorized service. Properties: `athenz.auth.principal.header`,
 * `athenz.auth.principal.token_allowed_offset` (seconds), `athenz.auth.principal.remote_ip_check_mode`,
 * `athenz.token_max_expiry` (seconds), `athenz.token_no_expiry`, `athenz.user_domain`.
 */
export class PrincipalAuthority implements Authority {
  readonly id = 'Auth-NTOKEN'
  readonly credentialSource = 'header'
  readonly challenge = 'AthenzPrincipalToken realm="athenz"'
  readonly allowAuthorization = true
  #header = 'Athenz-Principal-Auth'
  #context!: AuthorityContext
  #settings!: Settings

  get header(): string {
    return this.#header
  }

  initialize(context: AuthorityContext): void {
    const { property } = context
    this.#context = context
    this.#header = textSetting(property, 'athenz.auth.principal.header', this.#header)
    this.#settings = {
      ...readTokenSettings(property, 'athenz.auth.principal.token_allowed_offset'),
      addressCheck: choiceSetting(property, 'athenz.auth.principal.remote_ip_check_mode', [
        'OPS_WRITE',
        'OPS_ALL',
        'OPS_NONE',
      ]),
      allowNoExpiry: flagSetting(property, 'athenz.token_no_expiry', false),
    }
  }

  async authenticateHeader(credential: string, remoteAddress: string, method: string): Promise<AuthenticationResult> {
    const { keyStore, now } = this.#context
    const outcome = await validatePrincipalToken(credential, {
      ...this.#settings,
      nowSeconds: Math.floor(now() / 1000),
      publicKey: (domain, service, keyId) => keyStore.publicKey(domain, service, keyId),
      request: { remoteAddress, method },
    })
    if (!outcome.ok) {
      const { failure, signedText } = outcome
      const shown = signedText === undefined ? '' : `, credentials: ${signedText}`
      return { rejected: `PrincipalAuthority:authenticate: ${failure.reason}${shown}` }
    }
    const { token, authorizedService } = outcome
    return {
      domain: token.domain,
      name: token.name,
      fullName: `${token.domain}.${token.name}`,
      authority: this,
      credentials: credential,
      unsignedCredentials: token.signedText,
      issueTimeSeconds: token.issueTimeSeconds,
      authorizedService,
      originalRequestor: token.originalRequestor,
      keyService: token.keyService,
      keyId: token.keyId,
      ip: token.ip,
    }
  }
}
