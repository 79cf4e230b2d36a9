import { messageOf } from '#core/error/message-of.ts'
import type { Clock } from '#core/seam/clock.ts'
import type { PolicyDocument, PolicyVerification } from '#zpe/policy-document.ts'
import { readPolicyFile } from './policy-file.ts'
import type { ZpuConfig } from './zpu-config.ts'

/** How the file of one domain is: the form in which monitoring reads it. */
export interface DomainDetails {
  readonly domain_name: string
  readonly metrics: {
    readonly file_exists: boolean
    /** Until policies are due to be fetched again; negative when they are overdue, 0 when it cannot be told. */
    readonly policy_expiry_minutes: number
    readonly valid_signature: boolean
  }
}

/** The details, and what is wrong in words; undefined when nothing is. */
export interface DomainCheck {
  readonly details: DomainDetails
  readonly problem: string | undefined
}

const MINUTE_MILLIS = 60_000

/** Looks at the policy files of all configured domains. */
export function checkPolicyFiles(
  config: ZpuConfig,
  verification: PolicyVerification,
  clock: Clock,
): Promise<DomainCheck[]> {
  return Promise.all(config.domains.map((domain) => checkDomain(domain, config, verification, clock)))
}

async function checkDomain(
  domain: string,
  config: ZpuConfig,
  verification: PolicyVerification,
  clock: Clock,
): Promise<DomainCheck> {
  const checkOf = (exists: boolean, minutes: number, valid: boolean, problem?: string): DomainCheck => ({
    details: {
      domain_name: domain,
      metrics: { file_exists: exists, policy_expiry_minutes: minutes, valid_signature: valid },
    },
    problem,
  })
  try {
    const policies = await readPolicyFile(config, domain, verification)
    if (policies === undefined) return checkOf(false, 0, false, `policy file doesn't exist for domain ${domain}`)
    if (policies.domain !== domain) {
      return checkOf(true, 0, false, `policy file of domain ${domain} has the policies of ${policies.domain}`)
    }
    const dueMillis = policies.expiresMillis - config.expiryCheckSeconds * 1000 - clock()
    const problem = dueMillis < 0 ? `policy file expired for domain ${domain}` : undefined
    return checkOf(true, Math.trunc(dueMillis / MINUTE_MILLIS), true, problem)
  } catch (error) {
    const problem = `failed to validate policy file signature for domain ${domain}: ${messageOf(error)}`
    return checkOf(true, 0, false, problem)
  }
}

/** What `-check-status` prints and exits with: 0 when all files are good. */
export interface StatusReport {
  readonly application: 'zpu-check'
  readonly status_code: 0 | 1
  readonly status_msg: string
}

/** Puts the checks of all domains into one report. */
export function statusReport(checks: readonly DomainCheck[]): StatusReport {
  const problems = checks.flatMap(({ problem }) => problem ?? [])
  if (problems.length === 0) {
    return { application: 'zpu-check', status_code: 0, status_msg: 'All policy files are valid' }
  }
  const status_msg = `${problems.length} error(s) occurred: ${problems.join('; ')}`
  return { application: 'zpu-check', status_code: 1, status_msg }
}

/** What `-view-domain` prints: the signed data, members in the order of the API. */
export function policyView({ data }: PolicyDocument): object {
  const { policyData, ...origin } = data as unknown as SignedPolicyData
  const policies = policyData.policies?.map(({ name, modified, assertions, ...policy }) => ({
    name,
    modified,
    assertions: assertions?.map(({ role, resource, action, effect, ...assertion }) => ({
      role,
      resource,
      action,
      effect,
      ...assertion,
    })),
    ...policy,
  }))
  const { zmsSignature, zmsKeyId, modified, expires } = origin
  return { policyData: { domain: policyData.domain, policies }, zmsSignature, zmsKeyId, modified, expires }
}

/** As it was read and verified; its other members are of no interest here. */
interface SignedPolicyData {
  readonly policyData: {
    readonly domain: string
    readonly policies?: readonly {
      readonly name: string
      readonly modified?: string
      readonly assertions?: readonly Readonly<Record<'role' | 'resource' | 'action' | 'effect', string>>[] | null
    }[]
  }
  readonly zmsSignature?: string
  readonly zmsKeyId?: string
  readonly modified: string
  readonly expires: string
}
