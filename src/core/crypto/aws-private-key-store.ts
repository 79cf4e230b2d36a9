import type { PropertyReader } from '../authority/authority.ts'
import { ConfigError } from '../config/config-error.ts'
import {
  type AwsOptions,
  type AwsSecrets,
  openObjectStore,
  openParameterStore,
  openSecretsManager,
  splitName,
} from './aws-secrets.ts'
import type { PrivateKeyStore, PrivateKeyStoreContext, ServerPrivateKey, ServerService } from './private-key-store.ts'
import { serverKeyOf } from './server-key.ts'

/** What differs between the services of AWS. */
export interface AwsKeyStoreKind {
  /** For messages: `Systems Manager`. */
  readonly service: string
  /** Name of a key or its id, of which the part before a `#` gets the suffix. */
  readonly keyName: (property: PropertyReader, service: ServerService, name: string) => string
  /** Name of a password. */
  readonly secretName: (appName: string | undefined, keyName: string) => string
}

/**
 * Private keys and passwords in a service of AWS. The keys of a server are texts named by `athenz.aws.{server}.key_name`
 * (`service_private_key` unless set) with `.rsa` or `.ec` behind it; their ids, by `athenz.aws.{server}.key_id_name`
 * (`service_private_key_id`). A password is named by the property that needs it. Failures are ConfigErrors without any
 * secret.
 */
export class AwsPrivateKeyStore implements PrivateKeyStore {
  readonly #kind: AwsKeyStoreKind
  readonly #secrets: AwsSecrets
  readonly #property: PropertyReader

  constructor(kind: AwsKeyStoreKind, secrets: AwsSecrets, property: PropertyReader) {
    this.#kind = kind
    this.#secrets = secrets
    this.#property = property
  }

  async privateKey(
    service: ServerService,
    _host: string,
    _region?: string,
    algorithm?: 'rsa' | 'ec',
  ): Promise<ServerPrivateKey | undefined> {
    const suffix = algorithm === undefined ? '' : `.${algorithm}`
    const keyName = this.#keyName(service, 'key_name', 'service_private_key', suffix)
    const idName = this.#keyName(service, 'key_id_name', 'service_private_key_id', suffix)
    const pem = await this.#read(keyName, keyName)
    if (pem === undefined) return undefined
    const keyId = (await this.#read(idName, idName))?.trim()
    if (!keyId) throw new ConfigError([`${this.#kind.service}: ${keyName} has no id: there is nothing in ${idName}`])
    return { key: serverKeyOf(pem, algorithm ?? 'generic', `${this.#kind.service}: ${keyName}`), keyId }
  }

  async applicationSecret(
    appName: string | undefined,
    _keyGroup: string | undefined,
    keyName: string,
  ): Promise<string> {
    // The name stays out of messages: it may be a password that somebody has left in the file.
    const what = 'a password named by a property'
    const text = await this.#read(this.#kind.secretName(appName, keyName), what)
    if (text === undefined) throw new ConfigError([`${this.#kind.service}: ${what}: there is none of that name`])
    return text.trim()
  }

  close(): void {
    this.#secrets.close()
  }

  #keyName(service: ServerService, setting: string, whenAbsent: string, suffix: string): string {
    const configured = this.#property(`athenz.aws.${service}.${setting}`)?.trim() || whenAbsent
    const { base, field } = splitName(configured)
    const name = `${base}${suffix}${field === undefined ? '' : `#${field}`}`
    return this.#kind.keyName(this.#property, service, name)
  }

  async #read(name: string, what: string): Promise<string | undefined> {
    try {
      return await this.#secrets.read(name)
    } catch (cause) {
      // Names of errors are those of AWS's documentation; their texts may repeat what was asked for.
      const { name: kind, message } = cause as Error
      const reason = what === name ? `${kind}: ${message}` : kind
      throw Object.assign(new ConfigError([`${this.#kind.service}: ${what} cannot be read: ${reason}`]), { cause })
    }
  }
}

const PLAIN: Pick<AwsKeyStoreKind, 'keyName' | 'secretName'> = {
  keyName: (_property, _service, name) => name,
  secretName: (_appName, keyName) => keyName,
}

/** Settings of the libraries that the context does not have, for tests. */
export type AwsOverrides = Pick<AwsOptions, 'access' | 'load'>

/** Keys and passwords as parameters of AWS Systems Manager. Property: `athenz.ts.aws_region`. */
export async function openParameterKeyStore(
  property: string,
  context: PrivateKeyStoreContext,
  overrides: AwsOverrides = {},
): Promise<PrivateKeyStore> {
  const region = textOf(context, 'athenz.ts.aws_region')
  const secrets = await openParameterStore({ property, region, ...overrides })
  return new AwsPrivateKeyStore({ ...PLAIN, service: 'AWS Systems Manager' }, secrets, context.property)
}

/** Keys and passwords as secrets of AWS Secrets Manager. Property: `athenz.ts.aws_region`. */
export async function openSecretKeyStore(
  property: string,
  context: PrivateKeyStoreContext,
  overrides: AwsOverrides = {},
): Promise<PrivateKeyStore> {
  const region = textOf(context, 'athenz.ts.aws_region')
  const secrets = await openSecretsManager({ property, region, ...overrides })
  return new AwsPrivateKeyStore({ ...PLAIN, service: 'AWS Secrets Manager' }, secrets, context.property)
}

/**
 * Keys as objects of the bucket `athenz.aws.{server}.bucket_name` of AWS S3; a password is an object of the bucket that its
 * application names. Properties: `athenz.aws.s3.region`, `athenz.aws.store_kms_decrypt`, `athenz.aws.store_kms_region`.
 */
export async function openObjectKeyStore(
  property: string,
  context: PrivateKeyStoreContext,
  overrides: AwsOverrides = {},
): Promise<PrivateKeyStore> {
  const decrypts = textOf(context, 'athenz.aws.store_kms_decrypt')?.toLowerCase() === 'true'
  const secrets = await openObjectStore({
    property,
    region: textOf(context, 'athenz.aws.s3.region'),
    ...(decrypts && { decryption: { region: textOf(context, 'athenz.aws.store_kms_region') } }),
    ...overrides,
  })
  const kind: AwsKeyStoreKind = {
    service: 'AWS S3',
    keyName: (read, service, name) => {
      const bucket = read(`athenz.aws.${service}.bucket_name`)?.trim()
      if (!bucket) throw new ConfigError([`athenz.aws.${service}.bucket_name is not set`])
      return `${bucket}/${name}`
    },
    secretName: (appName, keyName) => {
      if (!appName) throw new ConfigError(['AWS S3: a password needs the application, which names its bucket'])
      return `${appName}/${keyName}`
    },
  }
  return new AwsPrivateKeyStore(kind, secrets, context.property)
}

const textOf = ({ property }: PrivateKeyStoreContext, name: string): string | undefined =>
  property(name)?.trim() || undefined
