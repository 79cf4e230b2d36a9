import { validateRoleToken } from '#core/token/validate-role-token.ts'
import type { AuthenticationResult, Authority, AuthorityContext } from './authority.ts'
import { textSetting } from './setting.ts'
import { readTokenSettings, type TokenSettings } from './token-setting.ts'

/**
 * Accepts role tokens, signed by the ZTS server, for authorization by the roles in them. Properties:
 * `athenz.auth.role.header`, `athenz.auth.role.token_allowed_offset` (seconds), `athenz.token_max_expiry` (seconds),
 * `athenz.user_domain`.
 */
export class RoleAuthority implements Authority {
  readonly id = 'Auth-ROLE'
  readonly credentialSource = 'header'
  readonly domain = 'sys.auth'
  readonly challenge = 'AthenzRoleToken realm="athenz"'
  readonly allowAuthorization = true
  #header = 'Athenz-Role-Auth'
  #context!: AuthorityContext
  #settings!: TokenSettings

  get header(): string {
    return this.#header
  }

  initialize(context: AuthorityContext): void {
    this.#context = context
    this.#header = textSetting(context.property, 'athenz.auth.role.header', this.#header)
    this.#settings = readTokenSettings(context.property, 'athenz.auth.role.token_allowed_offset')
  }

  async authenticateHeader(credential: string, remoteAddress: string, method: string): Promise<AuthenticationResult> {
    const { keyStore, now } = this.#context
    const outcome = await validateRoleToken(credential, {
      ...this.#settings,
      nowSeconds: Math.floor(now() / 1000),
      publicKey: (domain, service, keyId) => keyStore.publicKey(domain, service, keyId),
      request: { remoteAddress, method, userDomain: this.#settings.userDomain },
    })
    if (!outcome.ok) {
      const { failure, signedText } = outcome
      const shown = signedText === undefined ? '' : `, credentials: ${signedText}`
      return { rejected: `RoleAuthority:authenticate: ${failure.reason}${shown}` }
    }
    const { token } = outcome
    return {
      domain: token.domain,
      fullName: token.domain,
      authority: this,
      credentials: credential,
      unsignedCredentials: token.signedText,
      issueTimeSeconds: token.issueTimeSeconds,
      roles: token.roles,
      rolePrincipalName: token.principal,
      keyId: token.keyId,
      ip: token.ip,
    }
  }
}
