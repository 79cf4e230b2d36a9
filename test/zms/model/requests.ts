/** Kinds of objects that have members. */
export type Kind = 'role' | 'group'

/** Who asks. */
export interface Caller {
  readonly name: string
  /** Roles of a role token. */
  readonly roles?: readonly string[] | undefined
  readonly mtlsRestricted?: boolean | undefined
}

/** A member as a request names it; dates are texts of the API. */
export interface MemberInput {
  readonly memberName: string
  readonly expiration?: string | undefined
}

/** Conditions of an assertion, of which one must hold where it is enforced. ZMS does not look at them. */
export interface Conditions {
  readonly conditionsList: readonly {
    readonly conditionsMap: Readonly<Record<string, { readonly operator: 'EQUALS'; readonly value: string }>>
  }[]
}

/** An assertion as a request names it, with the full name of its role. */
export interface AssertionInput {
  readonly role: string
  readonly action: string
  readonly resource: string
  readonly effect?: 'ALLOW' | 'DENY' | undefined
  readonly conditions?: Conditions | undefined
}

/** Settings of roles and groups that requests of the model have. */
export interface CollectionSettings {
  readonly trust?: string | undefined
  readonly selfServe?: boolean | undefined
  readonly reviewEnabled?: boolean | undefined
  readonly deleteProtection?: boolean | undefined
}

/** What the model knows how to answer. Names may be in any letter case. */
export type Operation =
  | { readonly op: 'postTopLevelDomain'; readonly name: string; readonly admins: readonly string[] }
  | { readonly op: 'postSubDomain'; readonly parent: string; readonly name: string; readonly admins: readonly string[] }
  | { readonly op: 'deleteTopLevelDomain'; readonly name: string }
  | { readonly op: 'deleteSubDomain'; readonly parent: string; readonly name: string }
  | { readonly op: 'putEnabled'; readonly domain: string; readonly enabled: boolean }
  | {
      readonly op: 'putCollection'
      readonly kind: Kind
      readonly domain: string
      readonly name: string
      /** Name in the body. */
      readonly given: string
      readonly members: readonly MemberInput[]
      readonly settings: CollectionSettings
    }
  | {
      readonly op: 'deleteCollection' | 'getCollection'
      readonly kind: Kind
      readonly domain: string
      readonly name: string
    }
  | {
      readonly op: 'putMember' | 'deleteMember' | 'deletePending' | 'getMember'
      readonly kind: Kind
      readonly domain: string
      readonly name: string
      readonly member: string
      readonly expiration?: string | undefined
    }
  | {
      readonly op: 'decide'
      readonly kind: Kind
      readonly domain: string
      readonly name: string
      readonly member: string
      readonly approved: boolean
    }
  | {
      readonly op: 'putPolicy'
      readonly domain: string
      readonly policy: string
      readonly version?: string | undefined
      readonly active?: boolean | undefined
      readonly caseSensitive?: boolean | undefined
      readonly assertions: readonly AssertionInput[]
    }
  | { readonly op: 'deletePolicy' | 'getPolicy'; readonly domain: string; readonly policy: string }
  | { readonly op: 'getPolicies'; readonly domain: string }
  | {
      readonly op: 'putVersion'
      readonly domain: string
      readonly policy: string
      readonly version: string
      readonly fromVersion?: string | undefined
    }
  | {
      readonly op: 'activateVersion' | 'deleteVersion'
      readonly domain: string
      readonly policy: string
      readonly version: string
    }
  | {
      readonly op: 'putAssertion' | 'deleteAssertion'
      readonly domain: string
      readonly policy: string
      readonly assertion: AssertionInput
    }
  | { readonly op: 'putState'; readonly principal: string; readonly suspended: boolean }
  | {
      readonly op: 'access'
      /** Whether the resource is a parameter, and so may be any text. */
      readonly ext: boolean
      readonly action: string
      readonly resource: string
      readonly trustDomain?: string | undefined
      readonly principal?: string | undefined
    }

/** An operation and who asks for it. */
export type Request = Operation & { readonly as: Caller }

/** A request on the wire: path and query below the API root. */
export interface WireRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly target: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const text = encodeURIComponent
const WRITTEN = { 'athenz-return-object': 'true' }
const MEMBERS = { role: 'roleMembers', group: 'groupMembers' } as const

/**
 * The request as HTTP has it. `assertionId` finds the id of an assertion that is to be deleted, which every store gives
 * as it likes.
 */
export function wireOf(request: Operation, assertionId: number): WireRequest {
  switch (request.op) {
    case 'postTopLevelDomain':
      return { method: 'POST', target: '/domain', body: { name: request.name, adminUsers: request.admins } }
    case 'postSubDomain': {
      const { parent, name, admins } = request
      return { method: 'POST', target: `/subdomain/${parent}`, body: { parent, name, adminUsers: admins } }
    }
    case 'deleteTopLevelDomain':
      return { method: 'DELETE', target: `/domain/${request.name}` }
    case 'deleteSubDomain':
      return { method: 'DELETE', target: `/subdomain/${request.parent}/${request.name}` }
    case 'putEnabled':
      return {
        method: 'PUT',
        target: `/domain/${request.domain}/meta/system/enabled`,
        body: { enabled: request.enabled },
      }
    case 'putCollection': {
      const { kind, domain, name, given, members, settings } = request
      const body = { name: given, [MEMBERS[kind]]: members, ...settings }
      return { method: 'PUT', target: `/domain/${domain}/${kind}/${name}`, body, headers: WRITTEN }
    }
    case 'deleteCollection':
      return { method: 'DELETE', target: `/domain/${request.domain}/${request.kind}/${request.name}` }
    case 'getCollection':
      return { method: 'GET', target: `/domain/${request.domain}/${request.kind}/${request.name}?pending=true` }
    case 'putMember': {
      const { member, expiration } = request
      const body = { memberName: member, ...(expiration !== undefined && { expiration }) }
      return { method: 'PUT', target: memberPath(request), body, headers: WRITTEN }
    }
    case 'deleteMember':
      return { method: 'DELETE', target: memberPath(request) }
    case 'getMember':
      return { method: 'GET', target: memberPath(request) }
    case 'deletePending':
      return { method: 'DELETE', target: memberPath(request, 'pendingmember') }
    case 'decide': {
      const body = { memberName: request.member, approved: request.approved, active: request.approved }
      return { method: 'PUT', target: `${memberPath(request)}/decision`, body }
    }
    case 'putPolicy': {
      const { domain, policy, version, active, caseSensitive, assertions } = request
      const body = { name: policy, assertions, ...defined({ version, active, caseSensitive }) }
      return { method: 'PUT', target: `/domain/${domain}/policy/${policy}`, body, headers: WRITTEN }
    }
    case 'deletePolicy':
      return { method: 'DELETE', target: `/domain/${request.domain}/policy/${request.policy}` }
    case 'getPolicy':
      return { method: 'GET', target: `/domain/${request.domain}/policy/${request.policy}` }
    case 'getPolicies':
      return { method: 'GET', target: `/domain/${request.domain}/policies?assertions=true&includeNonActive=true` }
    case 'putVersion': {
      const { domain, policy, version, fromVersion } = request
      const body = { version, ...defined({ fromVersion }) }
      return { method: 'PUT', target: `/domain/${domain}/policy/${policy}/version/create`, body, headers: WRITTEN }
    }
    case 'activateVersion': {
      const { domain, policy, version } = request
      return { method: 'PUT', target: `/domain/${domain}/policy/${policy}/version/active`, body: { version } }
    }
    case 'deleteVersion': {
      const { domain, policy, version } = request
      return { method: 'DELETE', target: `/domain/${domain}/policy/${policy}/version/${version}` }
    }
    case 'putAssertion': {
      const { domain, policy, assertion } = request
      return { method: 'PUT', target: `/domain/${domain}/policy/${policy}/assertion`, body: assertion }
    }
    case 'deleteAssertion':
      return { method: 'DELETE', target: `/domain/${request.domain}/policy/${request.policy}/assertion/${assertionId}` }
    case 'putState': {
      const headers = { 'y-audit-ref': 'model' }
      return {
        method: 'PUT',
        target: `/principal/${request.principal}/state`,
        body: { suspended: request.suspended },
        headers,
      }
    }
    default: {
      const { ext, action, resource, trustDomain, principal } = request
      const query = Object.entries(defined({ domain: trustDomain, principal, ...(ext && { resource }) }))
      const search = query.map(([name, value]) => `${name}=${text(value)}`).join('&')
      return {
        method: 'GET',
        target: `/access/${action}${ext ? '' : `/${resource}`}${search === '' ? '' : `?${search}`}`,
      }
    }
  }
}

function memberPath(
  { domain, kind, name, member }: { domain: string; kind: Kind; name: string; member: string },
  word = 'member',
): string {
  return `/domain/${domain}/${kind}/${name}/${word}/${text(member)}`
}

/** The members that are there. */
const defined = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>
