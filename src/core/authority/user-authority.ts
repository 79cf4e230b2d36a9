import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuthenticationResult, Authority, AuthorityContext } from './authority.ts'
import { parseBasicCredential, userPrincipal } from './basic-credential.ts'
import { PamPool, type PamPoolOptions } from './pam-pool.ts'
import { textSetting } from './setting.ts'

const PROFILE_PROPERTY = 'athenz.auth.user.pam_service_name'
/** Where Linux-PAM looks for profiles; the later ones are for the files of vendors. */
const PROFILE_FOLDERS = ['/etc/pam.d', '/usr/lib/pam.d', '/usr/etc/pam.d']

/**
 * Accepts name and password of a Unix account, checked by PAM. Its principals may only obtain a user token. Property:
 * `athenz.auth.user.pam_service_name`, the profile in /etc/pam.d.
 */
export class UserAuthority implements Authority {
  readonly id = 'Auth-UNIX'
  readonly credentialSource = 'header'
  readonly domain = 'user'
  readonly header = 'Authorization'
  readonly challenge = 'Basic realm="athenz"'
  readonly allowAuthorization = false
  readonly #poolOptions: Partial<PamPoolOptions>
  #pool: PamPool | undefined

  /** The options are for those who embed it and want other limits; the list of authorities gives none. */
  constructor(poolOptions: Partial<PamPoolOptions> = {}) {
    this.#poolOptions = poolOptions
  }

  async initialize({ property, log }: AuthorityContext): Promise<void> {
    const profile = textSetting(property, PROFILE_PROPERTY, 'login')
    // libpam would take the last part of a path and lower its letters, and open another profile than the one named.
    if (!/^[a-z0-9_][a-z0-9_.-]*$/.test(profile)) {
      throw new Error(`${PROFILE_PROPERTY}: "${profile}" is not the name of a PAM profile (a file in /etc/pam.d)`)
    }
    if (!(await isProfile(profile)))
      throw new Error(`${PROFILE_PROPERTY}: there is no PAM profile /etc/pam.d/${profile}`)
    const pool = new PamPool({ profile, log, ...this.#poolOptions })
    try {
      await pool.start()
    } catch (error) {
      throw new Error(
        `PAM cannot be used with ${PROFILE_PROPERTY}=${profile}: ${(error as Error).message}; install the system ` +
          'package libpam0g and the npm package koffi, or take UserAuthority out of the list of authorities',
        { cause: error },
      )
    }
    this.#pool = pool
    if (!(await isReadable('/etc/shadow'))) {
      log('warn', 'UserAuthority: this process may not read /etc/shadow, so local accounts cannot log in')
    }
  }

  async authenticateHeader(credential: string, remoteAddress: string): Promise<AuthenticationResult> {
    const given = parseBasicCredential(credential)
    if (typeof given === 'string') return { rejected: `UserAuthority:authenticate: ${given}` }
    if (this.#pool === undefined) throw new Error('UserAuthority is not initialized')
    const answer = await this.#pool.authenticate(given.name, given.password, remoteAddress)
    if (!answer.accepted) {
      return { rejected: `UserAuthority:authenticate: login of ${given.name} refused: ${answer.reason}` }
    }
    return userPrincipal(this, given.name)
  }

  close(): void {
    this.#pool?.close()
  }
}

/** libpam itself would silently take the profile `other`, which as a rule refuses everybody. */
async function isProfile(profile: string): Promise<boolean> {
  // Without the folder, profiles are in one file, /etc/pam.conf.
  if (!(await isReadable('/etc/pam.d'))) return true
  const found = await Promise.all(PROFILE_FOLDERS.map((folder) => isReadable(join(folder, profile))))
  return found.includes(true)
}

const isReadable = (path: string): Promise<boolean> =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  )
