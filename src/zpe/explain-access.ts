import { Glob, isGlob } from '#core/rbac/glob.ts'
import { ACCESS_STATUS_TEXTS, Refusal } from './access-status.ts'
import type { CredentialKind, HeldRoles } from './credentials.ts'
import type { AccessCheck, DomainPolicies, PolicyAssertion, PolicyVersion } from './domain-policies.ts'

/** What of an assertion does not fit a question. */
export type AccessMiss = 'action' | 'resource' | 'role'

/** An assertion of the domain and how it fared; without misses it applies. */
export interface AccessStep {
  readonly assertion: PolicyAssertion
  readonly misses: readonly AccessMiss[]
}

/** A role of the credential, and how many assertions name it or select it by a pattern. */
export interface AccessRole {
  readonly role: string
  readonly assertions: number
}

/** A decision and how it came about. */
export interface AccessExplanation {
  /** The decision, the same as without an explanation. */
  readonly check: AccessCheck
  /** Why, in words. */
  readonly reason: string
  readonly question: { readonly resource: string; readonly action: string }
  /** What was seen in the credential; undefined when it does not count. */
  readonly credential:
    | {
        readonly kind: CredentialKind
        readonly domain: string
        readonly principal: string | undefined
        readonly keyId: string | undefined
        /** Seconds until it expires; undefined when it does not say. */
        readonly remainingSeconds: number | undefined
      }
    | undefined
  readonly roles: readonly AccessRole[]
  /** The policies that were asked, with the seconds since their last change, since they were read, and after their life. */
  readonly policies:
    | (PolicyVersion & {
        readonly ageSeconds: number
        readonly loadedSeconds: number
        /** Positive when ZTS vouches for them no longer. */
        readonly overdueSeconds: number
      })
    | undefined
  /** All assertions of the domain, in order. */
  readonly assertions: readonly AccessStep[]
  /** When nothing matched: the ALLOW assertions that lack least, nearest first. */
  readonly nearestMisses: readonly AccessStep[]
}

/** What there is to explain. */
export interface ExplainedAccess {
  readonly check: AccessCheck
  readonly held: HeldRoles | Refusal
  readonly policies: DomainPolicies | undefined
  /** Whether these are the only policies there are, so that a colon may be part of a resource. */
  readonly isOnlyDomain: boolean
  readonly resource: string
  readonly action: string
  readonly nowMillis: number
}

const NEAREST_MISSES = 5
/** An assertion that differs in everything is not near. */
const NEAR_MISS_COUNT = 2

/** Tells how a decision came about. */
export function explainAccess(explained: ExplainedAccess): AccessExplanation {
  const { check, held, policies, resource, action, nowMillis } = explained
  const question = { resource, action }
  if (held instanceof Refusal) {
    const reason = `${ACCESS_STATUS_TEXTS[held.status]}: ${held.reason}`
    const nothing = { credential: undefined, roles: [], policies: undefined, assertions: [], nearestMisses: [] }
    return { check, reason, question, ...nothing }
  }
  const assertions = policies?.assertions.map((assertion) => stepOf(assertion, held, question)) ?? []
  return {
    check,
    reason: reasonOf(explained, held),
    question,
    credential: credentialOf(held, nowMillis),
    roles: held.roles.map((role) => ({
      role,
      assertions: assertions.filter(({ assertion }) => matches(assertion.role, role)).length,
    })),
    policies: policies && ageOf(policies.version, nowMillis),
    assertions,
    nearestMisses: check.status === 'DENY_NO_MATCH' ? nearest(assertions) : [],
  }
}

function stepOf(
  assertion: PolicyAssertion,
  { domain, roles }: HeldRoles,
  question: { readonly resource: string; readonly action: string },
): AccessStep {
  const resource = question.resource.toLowerCase()
  const local = resource.startsWith(`${domain}:`) ? resource.slice(domain.length + 1) : resource
  const misses: AccessMiss[] = []
  if (!matches(assertion.action, question.action.toLowerCase())) misses.push('action')
  if (!matches(assertion.resource, local)) misses.push('resource')
  if (!roles.some((role) => matches(assertion.role, role))) misses.push('role')
  return { assertion, misses }
}

const matches = (pattern: string, text: string): boolean =>
  isGlob(pattern) ? new Glob(pattern, { trailingStarCrossesLines: true }).matches(text) : pattern === text

const nearest = (steps: readonly AccessStep[]): AccessStep[] =>
  steps
    .filter(({ assertion, misses }) => assertion.effect === 'ALLOW' && misses.length <= NEAR_MISS_COUNT)
    .sort((a, b) => a.misses.length - b.misses.length)
    .slice(0, NEAREST_MISSES)

function credentialOf({ kind, domain, token }: HeldRoles, nowMillis: number): AccessExplanation['credential'] {
  const expires = token?.expiryTimeSeconds ?? 0
  return {
    kind,
    domain,
    principal: token?.principal,
    keyId: token?.keyId,
    remainingSeconds: expires === 0 ? undefined : expires - Math.floor(nowMillis / 1000),
  }
}

const ageOf = (version: PolicyVersion, nowMillis: number) => ({
  ...version,
  ageSeconds: Math.floor((nowMillis - version.modifiedMillis) / 1000),
  loadedSeconds: Math.floor((nowMillis - version.loadedMillis) / 1000),
  overdueSeconds: Math.floor((nowMillis - version.expiresMillis) / 1000),
})

function reasonOf({ check, resource, policies, nowMillis }: ExplainedAccess, held: HeldRoles): string {
  const { status, assertion } = check
  const said = ACCESS_STATUS_TEXTS[status]
  if (assertion !== undefined) {
    const { effect, role, action, resource: about, policy } = assertion
    return `${said}: ${policy} has ${effect} ${action} to ${role} on ${about}`
  }
  switch (status) {
    case 'DENY_DOMAIN_MISMATCH':
      return `${said}: ${resource} is not of ${held.domain}`
    case 'DENY_DOMAIN_NOT_FOUND':
      return `${said}: ${held.domain}`
    case 'DENY_DOMAIN_EXPIRED':
      return `${said}: they counted until ${new Date(policies?.version.expiresMillis ?? nowMillis).toISOString()}`
    default:
      return said
  }
}

/** Controls, line ends, bidirectional overrides and the like: they must not forge lines of a terminal or log. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** An explanation for people, line by line; invisible characters are spelled out. */
export function accessExplanationLines(explanation: AccessExplanation): string[] {
  const { check, reason, question, credential, roles, policies, nearestMisses } = explanation
  const lines = [`${check.status}: ${question.action} on ${question.resource}: ${reason}`]
  if (credential !== undefined) {
    const { kind, domain, principal = 'somebody', remainingSeconds } = credential
    const life = remainingSeconds === undefined ? '' : `, for another ${remainingSeconds} s`
    lines.push(`${kind.replace('-', ' ')} of ${principal} for ${domain}${life}`)
  }
  for (const { role, assertions } of roles) lines.push(`holds role ${role}, which ${assertions} assertions are about`)
  if (policies !== undefined) {
    const { modifiedMillis, ageSeconds, loadedSeconds, overdueSeconds } = policies
    const overdue = overdueSeconds > 0 ? `, expired ${overdueSeconds} s ago` : ''
    const version = new Date(modifiedMillis).toISOString()
    lines.push(`policies of ${version} (${ageSeconds} s old, read ${loadedSeconds} s ago${overdue})`)
  }
  for (const { assertion, misses } of nearestMisses) {
    const { policy, effect, role, action, resource } = assertion
    lines.push(
      `nearest: ${policy}: ${effect} ${action} to ${role} on ${resource} (another ${misses.join(', another ')})`,
    )
  }
  return lines.map((line) => line.replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`))
}
