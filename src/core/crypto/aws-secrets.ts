import { ConfigError } from '../config/config-error.ts'

/** Reads texts of one service of AWS by their names. */
export interface AwsSecrets {
  /** Undefined when there is none of that name. Rejects with an Error of AWS. */
  read(name: string): Promise<string | undefined>
  close(): void
}

/** Loads a package; replaced where it is not to be the real one. */
export type LoadPackage = (name: string) => Promise<unknown>

/** Where and as whom AWS is asked; for tests, since the libraries find all of it out by themselves. */
export interface AwsAccess {
  readonly endpoint?: string
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly maxAttempts?: number
  readonly forcePathStyle?: boolean
}

/** What a library of AWS is opened with. */
export interface AwsOptions {
  /** The property that asks for it, for messages. */
  readonly property: string
  /** What the library finds out by itself when absent. */
  readonly region?: string | undefined
  readonly access?: AwsAccess
  readonly load?: LoadPackage
}

/** The libraries of AWS are no dependencies of the server, since they are large and few need them. */
const PACKAGES = {
  ssm: '@aws-sdk/client-ssm',
  secretsManager: '@aws-sdk/client-secrets-manager',
  s3: '@aws-sdk/client-s3',
  kms: '@aws-sdk/client-kms',
} as const

const CONNECT_TIMEOUT_MILLIS = 5_000
const REQUEST_TIMEOUT_MILLIS = 15_000

/** The part of a client that is used; every library of AWS has one like it. */
interface AwsClient {
  send(command: object): Promise<unknown>
  destroy(): void
}
type Constructor<T> = new (input: object) => T

/** Reads parameters of Systems Manager, which it decrypts. Throws a ConfigError when the library is not installed. */
export async function openParameterStore(options: AwsOptions): Promise<AwsSecrets> {
  const { client, command } = await open(options, 'ssm', 'SSMClient', 'GetParameterCommand')
  return {
    read: (Name) =>
      unlessAbsent(async () => {
        const answer = await client.send(new command({ Name, WithDecryption: true }))
        return textOf(member(member(answer, 'Parameter'), 'Value'))
      }),
    close: () => client.destroy(),
  }
}

/**
 * Reads secrets of Secrets Manager; `NAME#MEMBER` is a member of one that is a JSON object. Throws a ConfigError when the
 * library is not installed.
 */
export async function openSecretsManager(options: AwsOptions): Promise<AwsSecrets> {
  const { client, command } = await open(options, 'secretsManager', 'SecretsManagerClient', 'GetSecretValueCommand')
  return {
    read: (name) =>
      unlessAbsent(async () => {
        const { base, field } = splitName(name)
        const answer = await client.send(new command({ SecretId: base }))
        const text = textOf(member(answer, 'SecretString')) ?? textOf(member(answer, 'SecretBinary'))
        return text === undefined || field === undefined ? text : textOf(member(objectOf(text), field))
      }),
    close: () => client.destroy(),
  }
}

/** How objects of S3 are read. */
export interface ObjectOptions extends AwsOptions {
  /** Decrypts them with KMS in the region given, for buckets that hold what somebody has encrypted. */
  readonly decryption?: { readonly region?: string | undefined } | undefined
}

/** Reads objects of S3 by `BUCKET/KEY`. Throws a ConfigError when a library is not installed. */
export async function openObjectStore({ decryption, ...options }: ObjectOptions): Promise<AwsSecrets> {
  const s3 = await open(options, 's3', 'S3Client', 'GetObjectCommand')
  const kms = decryption && (await open({ ...options, ...decryption }, 'kms', 'KMSClient', 'DecryptCommand'))
  return {
    read: (name) =>
      unlessAbsent(async () => {
        const slash = name.indexOf('/')
        const place = { Bucket: name.slice(0, slash), Key: name.slice(slash + 1) }
        const body = member(await s3.client.send(new s3.command(place)), 'Body') as {
          transformToByteArray(): Promise<Uint8Array>
        }
        const bytes = await body.transformToByteArray()
        if (kms === undefined) return textOf(bytes)
        return textOf(member(await kms.client.send(new kms.command({ CiphertextBlob: bytes })), 'Plaintext'))
      }),
    close: () => {
      s3.client.destroy()
      kms?.client.destroy()
    },
  }
}

/** A name and the member behind its `#`, if it has one. */
export function splitName(name: string): { base: string; field: string | undefined } {
  const hash = name.indexOf('#')
  return hash === -1 ? { base: name, field: undefined } : { base: name.slice(0, hash), field: name.slice(hash + 1) }
}

async function open(
  { property, region, access, load = (name) => import(name) }: AwsOptions,
  service: keyof typeof PACKAGES,
  clientName: string,
  commandName: string,
): Promise<{ client: AwsClient; command: Constructor<object> }> {
  const library = await loadLibrary(PACKAGES[service], property, load)
  const client = member(library, clientName) as Constructor<AwsClient>
  return {
    client: new client({
      ...access,
      ...(region !== undefined && { region }),
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MILLIS, requestTimeout: REQUEST_TIMEOUT_MILLIS },
    }),
    command: member(library, commandName) as Constructor<object>,
  }
}

async function loadLibrary(name: string, property: string, load: LoadPackage): Promise<unknown> {
  try {
    return await load(name)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const line = `${property}: the AWS library is not installed (npm install ${name}@3)`
    throw Object.assign(new ConfigError([line]), { cause })
  }
}

/** How the services call what is not there. */
const ABSENT: readonly string[] = ['ParameterNotFound', 'ResourceNotFoundException', 'NoSuchKey']

async function unlessAbsent(read: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await read()
  } catch (error) {
    if (ABSENT.includes((error as Error).name)) return undefined
    throw error
  }
}

/** Modules are objects without prototype, so that own members are all there are. */
const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined

function textOf(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  return typeof value === 'string' ? value : undefined
}

function objectOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
