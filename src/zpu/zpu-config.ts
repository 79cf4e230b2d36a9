import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError, problemLine } from '#core/config/config-error.ts'
import { messageOf } from '#core/error/message-of.ts'
import { isName } from '#core/names/patterns.ts'

/** What the policy updater does: the members of `zpu.conf`. */
export interface ZpuConfig {
  readonly domains: readonly string[]
  readonly policyFolder: string
  /** Where files are written before they take the place of others; on the same file system. */
  readonly temporaryFolder: string
  readonly metricsFolder: string
  readonly privateKeyFile: string | undefined
  readonly certificateFile: string | undefined
  readonly authoritiesFile: string | undefined
  /** Use the HTTP proxy that the environment names. */
  readonly proxy: boolean
  /** Policies are fetched again when less than this is left of their life. */
  readonly expiryCheckSeconds: number
  readonly checkZmsSignature: boolean
  /** Fetch web signatures instead of plain signed policies. */
  readonly jws: boolean
  /** Versions of policies that are wanted instead of the active ones, with web signatures. */
  readonly policyVersions: Readonly<Record<string, string>>
  readonly log: LogLimits
}

/** How much of the log is kept. */
export interface LogLimits {
  readonly maxBytes: number
  readonly maxAgeDays: number
  readonly maxBackups: number
  readonly compress: boolean
}

const text = z.string().nullish()
const whole = z.number().int().min(0).nullish()
const toggle = z.boolean().nullish()

const File = z.object({
  domains: text,
  policyDir: text,
  tempPolicyDir: text,
  metricsDir: text,
  privateKeyFile: text,
  certFile: text,
  caCertFile: text,
  proxy: toggle,
  expiryCheck: whole,
  checkZMSSignature: toggle,
  jwsPolicySupport: toggle,
  policyVersions: z.record(z.string(), z.string()).nullish(),
  logMaxsize: whole,
  logMaxage: whole,
  logMaxbackups: whole,
  logCompress: toggle,
})

const MEGABYTE = 1024 * 1024
const MINUTE_SECONDS = 60

/**
 * Reads a `zpu.conf`; `root` is the base of default folders. Members that are not known, and empty texts, say nothing.
 * @throws ConfigError that names the file and everything in it that cannot be used
 */
export async function readZpuConfig(file: string, root: string): Promise<ZpuConfig> {
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new ConfigError([`${file}: the configuration cannot be read: ${messageOf(error)}`])
  }
  const parsed = File.safeParse(content)
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map(({ path, message }) => problemLine(file, path.join('.') || 'the whole file', message)),
    )
  }
  const given = parsed.data
  const domains = (given.domains ?? '')
    .split(',')
    .map((domain) => domain.trim())
    .filter((domain) => domain !== '')
  // They become names of files.
  const wrong = domains.filter((domain) => !isName('DomainName', domain))
  if (wrong.length > 0)
    throw new ConfigError([problemLine(file, 'domains', `${wrong.join(', ')} is no name of a domain`)])
  return {
    domains,
    policyFolder: given.policyDir || join(root, 'var', 'zpe'),
    temporaryFolder: given.tempPolicyDir || join(root, 'tmp', 'zpe'),
    metricsFolder: given.metricsDir || join(root, 'var', 'zpe_stat'),
    privateKeyFile: given.privateKeyFile || undefined,
    certificateFile: given.certFile || undefined,
    authoritiesFile: given.caCertFile || undefined,
    proxy: given.proxy ?? false,
    expiryCheckSeconds: (given.expiryCheck || 2880) * MINUTE_SECONDS,
    checkZmsSignature: given.checkZMSSignature ?? false,
    jws: given.jwsPolicySupport ?? false,
    policyVersions: given.policyVersions ?? {},
    log: {
      maxBytes: (given.logMaxsize || 100) * MEGABYTE,
      maxAgeDays: given.logMaxage || 28,
      maxBackups: given.logMaxbackups || 7,
      compress: given.logCompress ?? false,
    },
  }
}
