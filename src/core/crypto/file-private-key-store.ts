import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { PropertyReader } from '../authority/authority.ts'
import { ConfigError } from '../config/config-error.ts'
import type { PrivateKeyStore, ServerPrivateKey, ServerService } from './private-key-store.ts'
import { type ServerKeyUse, serverKeyOf } from './server-key.ts'

const PREFIX = 'athenz.auth.private_key_store.'
const DEFAULT_KEY_ID = '0'
const SECRET_FILE_PREFIX = 'file:'

/** Property with the path of the key, for each algorithm that may be asked for; `_id` appended gives that of its id. */
const PATH_PROPERTY = {
  generic: `${PREFIX}private_key`,
  rsa: `${PREFIX}private_rsa_key`,
  ec: `${PREFIX}private_ec_key`,
} as const

/** The properties that name keys and their ids. */
export const PRIVATE_KEY_PROPERTIES: ReadonlySet<string> = new Set(
  Object.values(PATH_PROPERTY).flatMap((property) => [property, `${property}_id`]),
)

/** The command that makes a missing key. */
const MAKE_KEY = {
  generic: (path: string) => `openssl genrsa -out ${path} 2048`,
  rsa: (path: string) => `openssl genrsa -out ${path} 2048`,
  ec: (path: string) => `openssl ecparam -name prime256v1 -genkey -noout -out ${path}`,
} as const

/**
 * Private keys in PEM files named by properties. The generic key has a default path,
 * `{root}/var/{service}_server/keys/{service}_private.pem`; those by algorithm exist only when configured. Key ids are `0`
 * by default. Relative paths count from the root directory. Failures are ConfigErrors.
 */
export class FilePrivateKeyStore implements PrivateKeyStore {
  readonly #property: PropertyReader
  readonly #rootDirectory: string

  constructor(property: PropertyReader, rootDirectory: string) {
    this.#property = property
    this.#rootDirectory = rootDirectory
  }

  async privateKey(
    service: ServerService,
    _host: string,
    _region?: string,
    algorithm?: 'rsa' | 'ec',
  ): Promise<ServerPrivateKey | undefined> {
    const use: ServerKeyUse = algorithm ?? 'generic'
    const property = PATH_PROPERTY[use]
    const configured = this.#property(property)?.trim()
    const byDefault = use === 'generic' ? `var/${service}_server/keys/${service}_private.pem` : undefined
    const path = configured || byDefault
    if (path === undefined) return undefined
    const fullPath = resolve(this.#rootDirectory, path)
    return {
      key: await this.#loadKey(property, fullPath, use),
      keyId: this.#property(`${property}_id`)?.trim() || DEFAULT_KEY_ID,
    }
  }

  /**
   * The name itself, so that properties may hold passwords as they are; `file:PATH` reads the secret from that file,
   * without the line end behind it.
   */
  async applicationSecret(
    _appName: string | undefined,
    _keyGroup: string | undefined,
    keyName: string,
  ): Promise<string> {
    if (!keyName.startsWith(SECRET_FILE_PREFIX)) return keyName
    const path = resolve(this.#rootDirectory, keyName.slice(SECRET_FILE_PREFIX.length))
    try {
      return (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
    } catch (cause) {
      throw withCause(new ConfigError([`secret ${keyName}: the file ${path} cannot be read: ${codeOf(cause)}`]), cause)
    }
  }

  async #loadKey(property: string, path: string, use: ServerKeyUse): Promise<ServerPrivateKey['key']> {
    let pem: string
    try {
      pem = await readFile(path, 'latin1')
    } catch (cause) {
      throw withCause(
        new ConfigError([
          `${property}: the private key ${path} cannot be read: ${codeOf(cause)} (${adviceOn(cause, MAKE_KEY[use](path))})`,
        ]),
        cause,
      )
    }
    return serverKeyOf(pem, use, `${property}: the private key ${path}`)
  }
}

const isMissing = (cause: unknown): boolean => (cause as NodeJS.ErrnoException).code === 'ENOENT'

function codeOf(cause: unknown): string {
  return isMissing(cause) ? 'no such file' : ((cause as NodeJS.ErrnoException).code ?? String(cause))
}

/** Who may not read a key is not told to write another one in its place. */
const adviceOn = (cause: unknown, makeKey: string): string =>
  isMissing(cause) ? `make one with: ${makeKey}` : 'give the user of the server the right to read the file'

function withCause(error: ConfigError, cause: unknown): ConfigError {
  error.cause = cause
  return error
}
