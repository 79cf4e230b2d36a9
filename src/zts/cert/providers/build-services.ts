import { type JwtClaims, textClaim } from '#core/token/json-web-token.ts'
import type { BuildService } from './build-service-provider.ts'

/** Texts with colons between them; undefined when one is missing. */
function joined(...parts: readonly (string | undefined)[]): string | undefined {
  return parts.every((part) => part !== undefined && part !== '') ? parts.join(':') : undefined
}

/** A claim that must have a value if one is configured. */
const claimIs = (claims: JwtClaims, name: string, wanted: string | undefined): string | undefined =>
  wanted === undefined || textClaim(claims, name) === wanted ? undefined : `token ${name} is not the configured one`

/**
 * Jobs of GitHub Actions; only those of an enterprise, if one is named. With `judgesWorkflow` the service needs the right
 * for the workflow that a job calls (claim `job_workflow_ref`) as well as for its subject.
 */
export const gitHubActions = (enterprise: string | undefined, judgesWorkflow = false): BuildService => ({
  name: 'GitHub Action',
  ...(judgesWorkflow && { subjectClaims: ['sub', 'job_workflow_ref'] }),
  // The name of a repository has one slash.
  instanceId: (claims) => joined(textClaim(claims, 'repository')?.replaceAll('/', ':'), textClaim(claims, 'run_id')),
  action: (claims) => {
    const event = textClaim(claims, 'event_name')
    return event ? `github.${event}` : undefined
  },
  refusal: (claims) => claimIs(claims, 'enterprise', enterprise),
})

/** Jobs of Buildkite. */
export const buildkite: BuildService = {
  name: 'BuildKite',
  instanceId: (claims) => {
    const build: unknown = claims['build_number']
    const number = typeof build === 'number' && Number.isSafeInteger(build) && build >= 0 ? String(build) : undefined
    return joined(
      textClaim(claims, 'organization_slug'),
      textClaim(claims, 'pipeline_slug'),
      number,
      textClaim(claims, 'job_id'),
    )
  },
  action: () => 'build-kite.build',
}

/** Runs of Spacelift. */
export const spacelift: BuildService = {
  name: 'Spacelift',
  instanceId: (claims) =>
    joined(textClaim(claims, 'spaceId'), textClaim(claims, 'callerId'), textClaim(claims, 'runId')),
  action: () => 'spacelift.run',
}

/** Jobs of Harness; only those of an account, if one is named. */
export const harness = (accountId: string | undefined): BuildService => ({
  name: 'Harness',
  instanceId: (claims) =>
    joined(
      textClaim(claims, 'organization_id'),
      textClaim(claims, 'project_id'),
      textClaim(claims, 'pipeline_id'),
      contextField(claims, 'sequenceId'),
    ),
  action: (claims) => {
    const type = contextField(claims, 'triggerType')
    const event = contextField(claims, 'triggerEvent')
    if (!type) return undefined
    return event && event !== 'null' ? `harness.${type}.${event}` : `harness.${type}`
  },
  refusal: (claims) => claimIs(claims, 'account_id', accountId) ?? harnessSubject(claims),
})

/** The claim `context` has fields `name:value` with slashes between them. */
function contextField(claims: JwtClaims, name: string): string | undefined {
  const fields = (textClaim(claims, 'context') ?? '').split('/')
  return fields.find((field) => field.startsWith(`${name}:`))?.slice(name.length + 1)
}

/** The subject, by which is decided, must be made of the claims beside it. */
function harnessSubject(claims: JwtClaims): string | undefined {
  const part = (name: string) => textClaim(claims, name) ?? ''
  const project = `account/${part('account_id')}:org/${part('organization_id')}:project/${part('project_id')}`
  const subject = textClaim(claims, 'sub')
  const fits = subject === project || subject === `${project}:pipeline/${part('pipeline_id')}`
  return fits ? undefined : 'token subject does not match its other claims'
}
