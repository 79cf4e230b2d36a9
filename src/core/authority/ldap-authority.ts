import { readFile } from 'node:fs/promises'
import type { AuthenticationResult, Authority, AuthorityContext, PropertyReader } from './authority.ts'
import { parseBasicCredential, userPrincipal } from './basic-credential.ts'
import { type LdapServer, ldapBind } from './ldap-bind.ts'
import { choiceSetting, integerSetting, textSetting } from './setting.ts'

const CA_PROPERTY = 'athenz.ts.ldap_ca_file'
const TIMEOUT_MILLIS = 10_000
/** Logins at the same time; more are refused, so that a slow directory does not pile up connections. */
const LOGINS_MAX_COUNT = 64
const PORT_MAX = 65_535
const WRONG_CREDENTIALS = 49

/**
 * Accepts name and password of an entry of an LDAP directory. Its principals may only obtain a user token. Properties:
 * `athenz.auth.ldap.hostname`, `.port`, `.base_dn` (the entry of joe is `cn=joe,{base}`), `athenz.ts.ldap_tls`
 * (`off`, `ldaps`, `starttls`), `athenz.ts.ldap_ca_file` (PEM).
 */
export class LdapAuthority implements Authority {
  readonly id = 'Auth-LDAP'
  readonly credentialSource = 'header'
  readonly domain = 'user'
  readonly header = 'Authorization'
  readonly challenge = 'LDAPAuthentication realm="athenz"'
  readonly allowAuthorization = false
  readonly #timeoutMillis: number
  #server: LdapServer | undefined
  #baseName = ''
  #loginCount = 0

  /** The time-out is for those who embed it and want another one; the list of authorities gives none. */
  constructor(timeoutMillis: number = TIMEOUT_MILLIS) {
    this.#timeoutMillis = timeoutMillis
  }

  async initialize({ property, log }: AuthorityContext): Promise<void> {
    const host = textSetting(property, 'athenz.auth.ldap.hostname', 'localhost')
    const tls = choiceSetting(property, 'athenz.ts.ldap_tls', ['off', 'ldaps', 'starttls'])
    this.#baseName = textSetting(property, 'athenz.auth.ldap.base_dn', 'o=Athenz')
    this.#server = {
      host,
      port: portOf(property),
      tls,
      ca: await readAuthorities(property),
      timeoutMillis: this.#timeoutMillis,
    }
    if (tls === 'off' && host !== 'localhost' && !host.startsWith('127.')) {
      log('warn', `LDAPAuthority: passwords go to ${host} unprotected (set athenz.ts.ldap_tls to starttls or ldaps)`)
    }
  }

  async authenticateHeader(credential: string): Promise<AuthenticationResult> {
    const given = parseBasicCredential(credential)
    if (typeof given === 'string') return failed(given)
    if (this.#server === undefined) throw new Error('LDAPAuthority is not initialized')
    if (this.#loginCount >= LOGINS_MAX_COUNT) return failed('too many logins at the same time')
    this.#loginCount++
    try {
      // A simple name has no character that has a meaning in a distinguished name (RFC 4514, 2.4).
      const { code, message } = await ldapBind(this.#server, `cn=${given.name},${this.#baseName}`, given.password)
      if (code === 0) return userPrincipal(this, given.name)
      if (code === WRONG_CREDENTIALS) return failed(`Wrong credentials of ${given.name}`)
      return failed(`login of ${given.name}: result ${code}${message === '' ? '' : ` (${message})`}`)
    } catch (error) {
      return failed(`login of ${given.name}: ${(error as Error).message}`)
    } finally {
      this.#loginCount--
    }
  }
}

const failed = (reason: string): AuthenticationResult => ({ rejected: `LDAPAuthority: failed: ${reason}` })

function portOf(property: PropertyReader): number {
  const port = integerSetting(property, 'athenz.auth.ldap.port', 389)
  if (port < 1 || port > PORT_MAX) throw new Error(`athenz.auth.ldap.port: ${port} is no port`)
  return port
}

async function readAuthorities(property: PropertyReader): Promise<string | undefined> {
  const file = textSetting(property, CA_PROPERTY)
  if (file === undefined) return undefined
  try {
    return await readFile(file, 'latin1')
  } catch (cause) {
    throw new Error(`${CA_PROPERTY}: the file ${file} cannot be read`, { cause })
  }
}
