import type { AssumeRoleCommandOutput, STSClient } from '@aws-sdk/client-sts'
import { ConfigError } from '#core/config/config-error.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'

/** A role of AWS that is to be assumed. */
export interface AssumeRoleQuestion {
  readonly roleArn: string
  /** How AWS calls who has the credentials, in its logs. */
  readonly sessionName: string
  /** What AWS gives when undefined. */
  readonly durationSeconds: number | undefined
  readonly externalId: string | undefined
}

/** Credentials of AWS for a while. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Epoch milliseconds. */
  readonly expiration: number
}

/** AWS gave no credentials; the message is for the client. */
export class RoleNotAssumed extends Error {
  /** Whether AWS said that the server may not: asking again does not help until somebody changes that. */
  readonly isRefusal: boolean

  constructor(message: string, isRefusal: boolean, options?: ErrorOptions) {
    super(message, options)
    this.isRefusal = isRefusal
  }
}

/** Gets credentials of AWS. */
export interface RoleAssumer {
  /** Rejects with {@link RoleNotAssumed}. */
  assume(question: AssumeRoleQuestion): Promise<AwsCredentials>
  close(): void
}

/** The parts of the AWS library that are used. */
export type StsLibrary = Pick<typeof import('@aws-sdk/client-sts'), 'STSClient' | 'AssumeRoleCommand'>

/** Where and as whom AWS is asked; for tests, since the library finds both out by itself. */
export interface StsAccess {
  readonly endpoint?: string
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

const CONNECT_TIMEOUT_MILLIS = 5_000
const REQUEST_TIMEOUT_MILLIS = 15_000
const REASON_MAX_LENGTH = 1000
const FORBIDDEN = 403

/**
 * What assumes roles of AWS by the settings; undefined unless `athenz.zts.aws_enabled`. The library of AWS is no
 * dependency of the server, since it is large and few need it. Throws a ConfigError that says how to install it.
 */
export async function openRoleAssumer(
  { zts }: Pick<ConfigOf['zts'], 'zts'>,
  access: StsAccess = {},
  load: () => Promise<StsLibrary> = () => import('@aws-sdk/client-sts'),
): Promise<RoleAssumer | undefined> {
  if (!zts.awsEnabled) return undefined
  return new StsRoleAssumer(await loadLibrary(load), zts.awsRegionName, access)
}

async function loadLibrary(load: () => Promise<StsLibrary>): Promise<StsLibrary> {
  try {
    return await load()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const line = 'athenz.zts.aws_enabled: the AWS library is not installed (npm install @aws-sdk/client-sts@3)'
    throw Object.assign(new ConfigError([line]), { cause })
  }
}

/** Asks the Security Token Service, as whoever the server is for AWS: by its environment, files or machine. */
class StsRoleAssumer implements RoleAssumer {
  readonly #library: StsLibrary
  readonly #client: STSClient

  constructor(library: StsLibrary, region: string | undefined, access: StsAccess) {
    this.#library = library
    this.#client = new library.STSClient({
      ...access,
      ...(region !== undefined && { region }),
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MILLIS, requestTimeout: REQUEST_TIMEOUT_MILLIS },
    })
  }

  async assume({ roleArn, sessionName, durationSeconds, externalId }: AssumeRoleQuestion): Promise<AwsCredentials> {
    const command = new this.#library.AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      DurationSeconds: durationSeconds,
      ExternalId: externalId,
    })
    try {
      return readCredentials(await this.#client.send(command))
    } catch (cause) {
      throw notAssumed(cause)
    }
  }

  close(): void {
    this.#client.destroy()
  }
}

function readCredentials({ Credentials: given }: AssumeRoleCommandOutput): AwsCredentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = given ?? {}
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) throw new Error('no credentials in the answer')
  const expiration = Expiration.getTime()
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken, expiration }
}

/** What AWS itself says is for the client; what goes wrong on the way to it only for the log. */
function notAssumed(cause: unknown): RoleNotAssumed {
  const {
    $fault: fault,
    $metadata: metadata,
    message,
  } = cause as {
    $fault?: string
    $metadata?: { httpStatusCode?: number }
    message: string
  }
  const reason = fault === undefined ? 'AWS gave no answer' : message.slice(0, REASON_MAX_LENGTH)
  return new RoleNotAssumed(reason, fault !== undefined && metadata?.httpStatusCode === FORBIDDEN, { cause })
}
