import { access, constants } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isName } from '#core/names/patterns.ts'
import type { AuthenticationResult, Authority, AuthorityContext, PropertyReader } from './authority.ts'
import type { KerberosAnswer, KerberosEnvironment, KerberosQuestion } from './kerberos-message.ts'
import { ProcessPool, type ProcessPoolLimits } from './process-pool.ts'
import { textSetting } from './setting.ts'

const PREFIX = 'athenz.auth.kerberos.'
const CONFIG_PROPERTY = 'athenz.ts.kerberos_config_file'
const SCHEME = 'Negotiate '
/** Tickets carry at most 64 kB of authorization data. */
const ENCODED_MAX_LENGTH = 131_072
const NAME_MAX_LENGTH = 256

/** The extension is that of this file, so that compiled code starts the compiled worker. */
const WORKER_PROGRAM = fileURLToPath(new URL(`./kerberos-worker${extname(import.meta.filename)}`, import.meta.url))

/** How many processes accept tickets; the program is replaced in tests. */
export interface KerberosAuthorityOptions extends Partial<ProcessPoolLimits> {
  readonly program?: string
}

/** Realm text and the domain of its clients, in the order in which they are tried. */
type RealmDomains = readonly (readonly [realm: string, domain: string])[]

/**
 * Accepts Kerberos tickets (SPNEGO, RFC 4559) for the principal of this server, checked by MIT's library in a process of
 * its own. Properties: `athenz.auth.kerberos.service_principal`, `.keytab_location`, `.user_realm` (its clients are users),
 * `.krb_user_realm` and `.krb_user_domain`; `athenz.user_domain`; `athenz.ts.kerberos_config_file`.
 */
export class KerberosAuthority implements Authority {
  readonly id = 'Auth-KERB'
  readonly credentialSource = 'header'
  readonly header = 'Authorization'
  readonly challenge = 'Negotiate'
  readonly allowAuthorization = true
  readonly #options: KerberosAuthorityOptions
  #pool: ProcessPool<KerberosQuestion, KerberosAnswer> | undefined
  #realmDomains: RealmDomains = []

  /** The options are for those who embed it and want other limits; the list of authorities gives none. */
  constructor(options: KerberosAuthorityOptions = {}) {
    this.#options = options
  }

  async initialize({ property, log }: AuthorityContext): Promise<void> {
    const servicePrincipal = requiredSetting(property, `${PREFIX}service_principal`)
    this.#realmDomains = [
      [
        textSetting(property, `${PREFIX}krb_user_realm`, 'KRB_REALM'),
        textSetting(property, `${PREFIX}krb_user_domain`, 'krb').toLowerCase(),
      ],
      [
        textSetting(property, `${PREFIX}user_realm`, 'USER_REALM'),
        textSetting(property, 'athenz.user_domain', 'user').toLowerCase(),
      ],
    ]
    const pool = new ProcessPool<KerberosQuestion, KerberosAnswer>({
      program: WORKER_PROGRAM,
      ...this.#options,
      subject: 'Kerberos',
      work: 'tickets',
      log,
      args: [servicePrincipal],
      env: { ...(await environmentOf(property)) },
    })
    try {
      await pool.start()
    } catch (error) {
      throw new Error(
        `Kerberos cannot be used: ${(error as Error).message}; install the system package libgssapi-krb5-2 and the npm ` +
          `package koffi, and check ${PREFIX}service_principal and ${PREFIX}keytab_location (klist -k shows a key table)`,
        { cause: error },
      )
    }
    this.#pool = pool
  }

  async authenticateHeader(credential: string): Promise<AuthenticationResult> {
    const token = tokenOf(credential)
    if (typeof token === 'string') return { rejected: `KerberosAuthority:authenticate: Invalid token: ${token}` }
    if (this.#pool === undefined) throw new Error('KerberosAuthority is not initialized')
    const outcome = await this.#pool.ask({ token })
    if (outcome.answer === undefined) return failed(outcome.reason)
    if (!outcome.answer.accepted) return failed(outcome.answer.reason)
    const client = clientOf(outcome.answer.client, this.#realmDomains)
    if (typeof client === 'string') return failed(client)
    const { domain, name } = client
    return {
      domain,
      name,
      fullName: `${domain}.${name}`,
      authority: this,
      unsignedCredentials: outcome.answer.client,
      issueTimeSeconds: 0,
    }
  }

  close(): void {
    this.#pool?.close()
  }
}

const failed = (reason: string): AuthenticationResult => ({
  rejected: `KerberosAuthority:authenticate: token validation failure: ${reason}`,
})

/** The token of a header; a reason as text when there is none. */
function tokenOf(credential: string): Uint8Array | string {
  if (!credential.startsWith(SCHEME)) return "credentials do not start with 'Negotiate '"
  const encoded = credential.slice(SCHEME.length)
  if (encoded.length > ENCODED_MAX_LENGTH) return 'credentials are too long'
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return 'credentials are not base64'
  return Buffer.from(encoded, 'base64')
}

/**
 * Domain and name of a client `joe@EXAMPLE.COM`; a reason as text when it is nobody here. Kerberos tells `Joe` and `joe`
 * apart and principals do not, so that lowering a name could turn it into that of somebody else.
 */
function clientOf(client: string, realmDomains: RealmDomains): { domain: string; name: string } | string {
  const at = client.indexOf('@')
  if (at === -1) return 'the client has no realm'
  const realm = client.slice(at + 1)
  const domain = realmDomains.find(([text]) => isInRealm(realm, text))?.[1]
  if (domain === undefined) return `clients of the realm ${realm} are not accepted`
  const name = client.slice(0, at)
  // Services and instances (`HTTP/host`, `joe/admin`) are no users; a period would make a service of one.
  if (name.length > NAME_MAX_LENGTH || !isName('SimpleName', name)) return `${client} is not a simple name`
  if (name !== name.toLowerCase()) return `${client} has capital letters`
  return { domain, name }
}

/**
 * Whether a realm is or contains a configured one in whole parts: `EXAMPLE` or `EXAMPLE.COM` stand for
 * `CORP.EXAMPLE.COM`, but not for `NOT-EXAMPLE.COM`, which may belong to somebody else.
 */
const isInRealm = (realm: string, text: string): boolean => `.${realm}.`.includes(`.${text}.`)

function requiredSetting(property: PropertyReader, name: string): string {
  const text = textSetting(property, name)
  if (text === undefined) throw new Error(`${name} is not set`)
  return text
}

async function environmentOf(property: PropertyReader): Promise<KerberosEnvironment> {
  const keyTable = requiredSetting(property, `${PREFIX}keytab_location`)
  await mustBeReadable(`${PREFIX}keytab_location`, keyTable)
  const config = textSetting(property, CONFIG_PROPERTY)
  if (config === undefined) return { KRB5_KTNAME: `FILE:${keyTable}` }
  await mustBeReadable(CONFIG_PROPERTY, config)
  return { KRB5_KTNAME: `FILE:${keyTable}`, KRB5_CONFIG: config }
}

async function mustBeReadable(name: string, file: string): Promise<void> {
  try {
    await access(file, constants.R_OK)
  } catch (cause) {
    throw new Error(`${name}: the file ${file} cannot be read`, { cause })
  }
}
