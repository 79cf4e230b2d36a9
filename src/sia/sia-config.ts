import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { messageOf } from '#core/error/message-of.ts'
import { isName } from '#core/names/patterns.ts'

const name = (type: 'DomainName' | 'SimpleName' | 'ServiceName' | 'EntityName') =>
  // Names become parts of paths.
  z.string().refine((text) => isName(type, text) && !text.includes('/'), { error: `no ${type}` })

const DAY_MINUTES = 1440
const command = z.array(z.string()).min(1)
const id = z.int().min(0)

/** Members of the configuration file. */
const SiaConfigFile = z
  .strictObject({
    zts: z.url({ protocol: /^https?$/ }),
    /** Authorities that vouch for ZTS; those of the system unless given. */
    caFile: z.string().optional(),
    domain: name('DomainName'),
    service: name('SimpleName'),
    /** End of the DNS names in certificates. */
    dnsDomain: z.string().min(1),
    folder: z.string().default('/var/lib/sia'),
    /** The instance, with who vouches for it and what that one knows it by: a file, or a command that prints it. */
    provider: name('ServiceName').optional(),
    instanceId: z.string().min(1).optional(),
    attestationFile: z.string().optional(),
    attestationCommand: command.optional(),
    /** In place of an instance: a key that is registered for the service. */
    registeredKey: z.strictObject({ file: z.string(), id: z.string() }).optional(),
    keyKind: z.enum(['rsa', 'ec']).default('rsa'),
    /** The key stays when the certificate of an instance is renewed. */
    keepKey: z.boolean().default(false),
    expiryMinutes: z.int().min(1).optional(),
    signerKeyId: z.string().optional(),
    subject: z
      .strictObject({
        country: z.string().optional(),
        organization: z.string().optional(),
        unit: z.string().optional(),
      })
      .optional(),
    spiffeTrustDomain: z.string().optional(),
    ip: z.union([z.ipv4(), z.ipv6()]).optional(),
    dnsNames: z.array(z.string()).optional(),
    hostname: z.string().optional(),
    /** The SSH server of this machine, for whose key an instance gets a certificate. */
    sshHost: z
      .strictObject({
        publicKeyFile: z.string(),
        /** Where the certificate goes; beside the key (`…-cert.pub`) unless given. */
        certificateFile: z.string().optional(),
        /** Where the key of the authority goes, for lists of known hosts; nowhere unless given. */
        authorityFile: z.string().optional(),
        /** Names and addresses of the machine; `hostname` unless given. */
        principals: z.array(z.string().min(1)).default([]),
      })
      .optional(),
    roleCertificates: z
      .array(
        z.strictObject({
          domain: name('DomainName'),
          role: name('EntityName'),
          expiryMinutes: z.int().min(1).optional(),
        }),
      )
      .default([]),
    accessTokens: z
      .array(
        z.strictObject({
          domain: name('DomainName'),
          roles: z.array(name('EntityName')).default([]),
          /** Name of the file in `tokens/DOMAIN`; the roles unless given. */
          file: name('EntityName').optional(),
          expirySeconds: z
            .int()
            .min(60)
            .max(30 * DAY_MINUTES * 60)
            .optional(),
        }),
      )
      .default([]),
    /** Commands that are run after something was renewed, without a shell. */
    afterRenewal: z.array(command).default([]),
    commandTimeoutSeconds: z.int().min(1).default(60),
    metricsFile: z.string().optional(),
    metricsPort: z.int().min(0).max(65_535).optional(),
    /** Ids of the user and the group that keys and tokens are given to. */
    uid: id.optional(),
    gid: id.optional(),
  })
  .superRefine((config, context) => {
    const problem = (message: string) => context.addIssue({ code: 'custom', message })
    const { provider, instanceId, registeredKey, attestationFile, attestationCommand, sshHost } = config
    if (sshHost !== undefined && registeredKey !== undefined)
      problem('sshHost is for instances: ZTS certifies no other')
    if ((provider === undefined) !== (instanceId === undefined)) problem('provider and instanceId belong together')
    if ((provider === undefined) === (registeredKey === undefined)) {
      problem('either provider and instanceId or registeredKey says how the service is known')
    }
    if (attestationFile !== undefined && attestationCommand !== undefined) {
      problem('attestationFile and attestationCommand exclude each other')
    }
  })

/** The configuration of the agent; paths are absolute. */
export type SiaConfig = Readonly<z.output<typeof SiaConfigFile>>

/** Members whose values are paths. */
const PATHS = ['caFile', 'folder', 'attestationFile', 'metricsFile'] as const

/** Values that win over the file. */
export type SiaOverrides = Readonly<Record<string, unknown>>

/**
 * Reads the configuration: a JSON object, whose relative paths count from its folder, and `overrides`, whose relative paths
 * count from the present one. Throws Error whose message names every problem.
 */
export async function readSiaConfig(file: string | undefined, overrides: SiaOverrides = {}): Promise<SiaConfig> {
  const found = file === undefined ? {} : withAbsolutePaths(await readObject(file), dirname(resolve(file)))
  const parsed = SiaConfigFile.safeParse({ ...found, ...withAbsolutePaths(overrides, resolve()) })
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.')}${path.length > 0 ? ': ' : ''}${message}`,
  )
  throw new Error(`${file ?? 'the configuration'} cannot be used:\n  ${problems.join('\n  ')}`)
}

async function readObject(file: string): Promise<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file} cannot be used: ${messageOf(error)}`, { cause: error })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new Error(`${file} cannot be used: it is no JSON object`)
}

function withAbsolutePaths(config: SiaOverrides, folder: string): SiaOverrides {
  const absolute = (value: unknown): unknown => (typeof value === 'string' ? resolve(folder, value) : value)
  const paths = PATHS.filter((path) => config[path] !== undefined).map((path) => [path, absolute(config[path])])
  const { registeredKey: key, sshHost: ssh } = config
  return {
    ...config,
    ...Object.fromEntries(paths),
    ...(typeof key === 'object' &&
      key !== null && { registeredKey: { ...key, file: absolute(Reflect.get(key, 'file')) } }),
    ...(typeof ssh === 'object' && ssh !== null && { sshHost: { ...ssh, ...sshPaths(ssh, absolute) } }),
  }
}

const sshPaths = (ssh: object, absolute: (value: unknown) => unknown) =>
  Object.fromEntries(
    ['publicKeyFile', 'certificateFile', 'authorityFile']
      .filter((member) => Object.hasOwn(ssh, member))
      .map((member) => [member, absolute(Reflect.get(ssh, member))]),
  )
