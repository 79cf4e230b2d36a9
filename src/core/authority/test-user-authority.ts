import type { AuthenticationResult, Authority, AuthorityContext } from './authority.ts'
import { parseBasicCredential, userPrincipal } from './basic-credential.ts'

/**
 * Accepts any user whose password is the user name: for development only, and it says so when it starts. Its principals
 * may only obtain a user token.
 */
export class TestUserAuthority implements Authority {
  readonly id = 'Auth-TESTUSER'
  readonly credentialSource = 'header'
  readonly domain = 'user'
  readonly header = 'Authorization'
  readonly challenge = 'Basic realm="athenz"'
  readonly allowAuthorization = false

  initialize({ log }: AuthorityContext): void {
    log('warn', 'TestUserAuthority accepts every user whose password is the user name: never use it in production')
  }

  authenticateHeader(credential: string): AuthenticationResult {
    const given = parseBasicCredential(credential)
    if (typeof given === 'string') return { rejected: `TestUserAuthority:authenticate: ${given}` }
    if (given.name !== given.password) {
      return { rejected: `TestUserAuthority:authenticate: login of ${given.name} refused: name and password differ` }
    }
    return userPrincipal(this, given.name)
  }
}
