import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ConfigError } from '../config/config-error.ts'
import type { JsonClientTls } from '../http/json-client.ts'
import type { PrivateKeyStore, PrivateKeyStoreContext, ServerPrivateKey, ServerService } from './private-key-store.ts'
import { type ServerKeyUse, serverKeyOf } from './server-key.ts'
import { VaultClient, type VaultClientOptions, VaultError, type VaultLogin } from './vault-client.ts'

const PREFIX = 'athenz.ts.vault_'
const FILE_PREFIX = 'file:'
const DEFAULT_KEY_ID = '0'
const DEFAULT_FIELD = 'value'
/** Longer time-outs and more attempts would only hide that Vault is away. */
const TIMEOUT_MAX_MILLIS = 600_000
const ATTEMPTS_MAX = 100

/** Fields of the secret of a server, by key; `_id` appended gives that of its id. */
const KEY_FIELD = { generic: 'private_key', rsa: 'private_rsa_key', ec: 'private_ec_key' } as const

/**
 * Private keys and passwords in HashiCorp Vault (or OpenBao), KV engine. The keys of a server are fields of the secret
 * `{vault_path}/{service}`: `private_key`, `private_rsa_key`, `private_ec_key` (PEM), each with its `_id`. A password that a
 * property names is the field `value` of `{vault_path}/{application}/{key group}/{name}`, absent parts left out, or the
 * field behind a `#` in the name. Properties: `athenz.ts.vault_*`. Failures are ConfigErrors without any secret.
 */
export class VaultPrivateKeyStore implements PrivateKeyStore {
  readonly #client: VaultClient
  readonly #path: readonly string[]
  readonly #place: string

  private constructor(client: VaultClient, mount: string, path: readonly string[]) {
    this.#client = client
    this.#path = path
    this.#place = [mount, ...path].join('/')
  }

  /** Reads the settings and logs in. */
  static async open(
    context: PrivateKeyStoreContext,
    overrides: Pick<VaultClientOptions, 'wait'> = {},
  ): Promise<VaultPrivateKeyStore> {
    const options = await readOptions(context)
    const path = segmentsOf(setting(context, 'path') ?? 'athenz', `${PREFIX}path`)
    const client = new VaultClient({ ...options, ...overrides })
    try {
      await client.open()
    } catch (error) {
      await client.close()
      throw explained(error, 'athenz.ts.vault_address')
    }
    return new VaultPrivateKeyStore(client, options.mount, path)
  }

  async privateKey(
    service: ServerService,
    _host: string,
    _region?: string,
    algorithm?: 'rsa' | 'ec',
  ): Promise<ServerPrivateKey | undefined> {
    const use: ServerKeyUse = algorithm ?? 'generic'
    const field = KEY_FIELD[use]
    const secret = await this.#read([...this.#path, service])
    const pem = secret?.get(field)
    if (pem === undefined) return undefined
    return {
      key: serverKeyOf(pem, use, `Vault: the field ${field} of ${this.#place}/${service}`),
      keyId: secret?.get(`${field}_id`)?.trim() || DEFAULT_KEY_ID,
    }
  }

  async applicationSecret(appName: string | undefined, keyGroup: string | undefined, keyName: string): Promise<string> {
    const hash = keyName.lastIndexOf('#')
    const [name, field] = hash === -1 ? [keyName, DEFAULT_FIELD] : [keyName.slice(0, hash), keyName.slice(hash + 1)]
    // The name stays out of messages: it may be a password that somebody has left in the file.
    const parts = [appName, keyGroup].filter((part) => part !== undefined && part !== '') as string[]
    const place = `a secret below ${[this.#place, ...parts].join('/')}`
    const path = [...parts, name].flatMap((part) => segmentsOf(part, place))
    const secret = await this.#read([...this.#path, ...path])
    const text = secret?.get(field)
    if (text !== undefined) return text
    const reason = secret === undefined ? 'there is none of the configured name' : `it has no field ${field}`
    throw new ConfigError([`Vault: ${place}: ${reason}`])
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  async #read(path: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
    try {
      return await this.#client.read(path)
    } catch (error) {
      throw explained(error, 'private key store')
    }
  }
}

const setting = ({ property }: PrivateKeyStoreContext, name: string): string | undefined =>
  property(PREFIX + name)?.trim() || undefined

const explained = (error: unknown, subject: string): unknown =>
  error instanceof VaultError
    ? Object.assign(new ConfigError([`${subject}: ${error.message}`]), { cause: error })
    : error

/** Parts of a path; none may lead out of the place it belongs to. */
function segmentsOf(path: string, what: string): readonly string[] {
  const segments = path.split('/')
  if (segments.some((segment) => ['', '.', '..'].includes(segment))) {
    throw new ConfigError([`Vault: ${what}: not a path (write parts with single slashes between them)`])
  }
  return segments
}

async function readOptions(context: PrivateKeyStoreContext): Promise<VaultClientOptions> {
  const mount = setting(context, 'mount') ?? 'secret'
  return {
    address: addressOf(context),
    namespace: setting(context, 'namespace'),
    login: loginOf(context),
    mount: segmentsOf(mount, `${PREFIX}mount`).join('/'),
    kvVersion: versionOf(context),
    tls: await tlsOf(context),
    timeoutMillis: numberOf(context, 'timeout_millis', 5_000, TIMEOUT_MAX_MILLIS),
    attemptMaxCount: numberOf(context, 'attempts', 4, ATTEMPTS_MAX),
    log: context.log,
  }
}

function addressOf(context: PrivateKeyStoreContext): URL {
  const text = setting(context, 'address')
  if (text === undefined) throw new ConfigError([`${PREFIX}address is not set`])
  const url = URL.parse(text)
  const isLocal = url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url === null || (url.protocol !== 'https:' && !isLocal)) {
    throw new ConfigError([`${PREFIX}address: "${text}" is no https URL (http is for this machine only)`])
  }
  return url
}

function versionOf(context: PrivateKeyStoreContext): 1 | 2 {
  const text = setting(context, 'kv_version') ?? '2'
  if (text !== '1' && text !== '2') throw new ConfigError([`${PREFIX}kv_version: "${text}" is neither 1 nor 2`])
  return text === '1' ? 1 : 2
}

function loginOf(context: PrivateKeyStoreContext): VaultLogin {
  const [token, roleId, secretId] = ['token', 'role_id', 'secret_id'].map((name) => setting(context, name))
  if (token !== undefined && roleId === undefined) {
    return { method: 'token', token: () => textOrFile(context, 'token', token) }
  }
  if (token === undefined && roleId !== undefined && secretId !== undefined) {
    const mount = setting(context, 'approle_mount') ?? 'approle'
    return { method: 'approle', mount, roleId, secretId: () => textOrFile(context, 'secret_id', secretId) }
  }
  throw new ConfigError([`set either ${PREFIX}token, or ${PREFIX}role_id and ${PREFIX}secret_id`])
}

/** The text itself, or the content of the file that `file:PATH` names. */
async function textOrFile(context: PrivateKeyStoreContext, name: string, text: string): Promise<string> {
  if (!text.startsWith(FILE_PREFIX)) return text
  return (await readSetting(context, name, text.slice(FILE_PREFIX.length))).trim()
}

async function tlsOf(context: PrivateKeyStoreContext): Promise<JsonClientTls | undefined> {
  const read = async (name: string) => {
    const file = setting(context, name)
    return file === undefined ? undefined : readSetting(context, name, file)
  }
  const [ca, cert, key] = await Promise.all([read('ca_file'), read('cert_file'), read('key_file')])
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError([`${PREFIX}cert_file and ${PREFIX}key_file belong together`])
  }
  return ca === undefined && cert === undefined ? undefined : { ca, cert, key }
}

async function readSetting({ rootDirectory }: PrivateKeyStoreContext, name: string, path: string): Promise<string> {
  const file = resolve(rootDirectory, path)
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw Object.assign(new ConfigError([`${PREFIX}${name}: the file ${file} cannot be read: ${code}`]), { cause })
  }
}

function numberOf(context: PrivateKeyStoreContext, name: string, whenAbsent: number, max: number): number {
  const text = setting(context, name)
  if (text === undefined) return whenAbsent
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > max) throw new ConfigError([`${PREFIX}${name}: "${text}" is no number of 1 to ${max}`])
  return value
}
