import { badRequest, forbidden } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { formatTimestamp } from '#core/http/wire.ts'
import type { awsCredentialsEndpoints } from '../api/aws-credentials.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { AwsCredentialCache } from './external/aws-credential-cache.ts'
import { type AwsCredentials, type RoleAssumer, RoleNotAssumed } from './external/role-assumer.ts'
import { authenticated, refuseAuthorizedService, refuseRoleIdentity } from './principal-rules.ts'

/** What credentials of AWS need. */
export type AwsCredentialsDependencies = Pick<
  ZtsDependencies,
  'config' | 'domains' | 'roleAccess' | 'roleAssumer' | 'now' | 'log'
>

const ACTION = 'assume_aws_role'
const ACCOUNT = /^\d+$/
/** What ZMS puts between several accounts of a domain. */
const ACCOUNT_SEPARATOR = ','
/** RoleSessionName of AWS has at most 64 characters. */
const SESSION_NAME_MAX_LENGTH = 64
const SESSION_NAME_PART_LENGTH = 30

/** Temporary credentials of AWS for roles that policies of Athenz let the caller assume. */
export function awsCredentialsService(deps: AwsCredentialsDependencies): Handlers<typeof awsCredentialsEndpoints> {
  const { domains, roleAssumer, log } = deps
  const { zts } = deps.config
  const cache = roleAssumer && cacheOf(roleAssumer, deps)

  const mayAssume = (domain: CachedDomain, resource: string, principal: string): boolean =>
    allows(domain, resource, new Set(deps.roleAccess.rolesOf(domain, principal)))

  return {
    async getAWSTemporaryCredentials({ params: { domainName, role }, query }, context) {
      const principal = authenticated(context.principal)
      refuseAuthorizedService(principal, 'Authorized Service Principals not allowed')
      refuseRoleIdentity(principal)
      if (cache === undefined) throw badRequest('AWS support is not available')
      const { fullName } = principal
      const domain = domains.get(domainName)
      const resource = `${domainName}:${role.toLowerCase()}`
      if (domain === undefined || !mayAssume(domain, resource, fullName)) {
        throw forbidden(`Athenz Configuration Error: Forbidden (${ACTION} on ${resource} for ${fullName})`)
      }
      const account = accountOf(domain)
      const { durationSeconds = 0, externalId } = query
      const question = {
        roleArn: `arn:aws:iam::${account}:role/${role}`,
        sessionName: zts.awsRoleSessionName || sessionNameOf(fullName),
        durationSeconds: durationSeconds > 0 ? durationSeconds : undefined,
        externalId: externalId || undefined,
      }
      try {
        return ok(shown(await cache.credentials({ domain: domainName, principal: fullName }, question)))
      } catch (error) {
        if (!(error instanceof RoleNotAssumed)) throw error
        const detail = error.cause instanceof Error ? error.cause.message : error.message
        log('warn', `AWS: role ${question.roleArn} was not assumed for ${fullName}: ${detail}`)
        const what = `Unable to assume role ${role} in domain ${domainName} for principal ${fullName}`
        throw badRequest(`AWS Configuration Error: ${what}error: ${error.message}`, { cause: error })
      }
    },
  }
}

function cacheOf(assumer: RoleAssumer, { config: { zts }, now }: AwsCredentialsDependencies): AwsCredentialCache {
  const settings = {
    validSeconds: zts.awsCredsCacheTimeoutSeconds,
    refusedSeconds: zts.awsCredsInvalidCacheTimeoutSeconds,
    keepAllFailures: zts.awsCredsInvalidCacheAllErrors,
    cleanSeconds: zts.awsCredsUpdateTimeoutSeconds,
  }
  return new AwsCredentialCache(assumer, settings, now)
}

/**
 * Whether an assertion lets one of the roles assume the role of AWS. Only what is written out allows: neither an action
 * nor a resource nor a role with wildcards, so that an administrator of a domain is not one of its AWS account. Forbidding
 * it may be written as for every other action.
 */
function allows(domain: CachedDomain, resource: string, roles: ReadonlySet<string>): boolean {
  let allowed = false
  for (const assertion of domain.policies.matching(ACTION, resource)) {
    if (assertion.denies) {
      if ([...roles].some((role) => assertion.selectsRole(role))) return false
      continue
    }
    const isWrittenOut = assertion.action === ACTION && assertion.resource === resource
    if (isWrittenOut && assertion.role !== undefined && roles.has(assertion.role)) allowed = true
  }
  return allowed
}

/** The one account of a domain. @throws ServiceError `bad-request` when there is none, or a choice */
function accountOf({ name, settings: { account = '' } }: CachedDomain): string {
  if (account.includes(ACCOUNT_SEPARATOR)) throw badRequest(`more than one aws account found for domain: ${name}`)
  if (ACCOUNT.test(account)) return account
  throw badRequest(`Athenz Configuration Error: unable to retrieve AWS account for: ${name}`)
}

/** The name of the principal, without its middle when it is too long. */
function sessionNameOf(fullName: string): string {
  if (fullName.length <= SESSION_NAME_MAX_LENGTH) return fullName
  return `${fullName.slice(0, SESSION_NAME_PART_LENGTH)}...${fullName.slice(-SESSION_NAME_PART_LENGTH)}`
}

const shown = ({ accessKeyId, secretAccessKey, sessionToken, expiration }: AwsCredentials) => ({
  accessKeyId,
  secretAccessKey,
  sessionToken,
  expiration: formatTimestamp(expiration),
})
