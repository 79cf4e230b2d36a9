import type { AccessQuestion } from '#core/rbac/evaluate.ts'
import { type NaiveDomain, naiveOutcome } from '../../core/rbac/naive-model.ts'
import { collectionReply, compare, membershipReply, normal, policyReply, writtenReply } from './naive-replies.ts'
import {
  type Assertion,
  type Collection,
  clean,
  type Domain,
  naiveDomain,
  newDomain,
  type Policy,
  put,
  remove,
} from './naive-state.ts'
import type { AssertionInput, Caller, Conditions, Kind, MemberInput, Request } from './requests.ts'

/**
 * ZMS written as plainly as possible: lists that are searched from the beginning, no index, no cache, no transactions. It
 * knows the operations that decisions depend on, with settings as they are by default, and is what the services, both
 * stores and the engine are compared with.
 */

/** An answer, without what differs from run to run; lists are in a fixed order. */
export interface ModelAnswer {
  readonly status: number
  readonly body?: unknown
}

class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const refuse = (status: number, message: string): never => {
  throw new Refusal(status, message)
}

const SYSTEM_DOMAINS = [
  'home',
  'sys',
  'sys.auth',
  'sys.auth.audit',
  'sys.auth.audit.org',
  'sys.auth.audit.domain',
  'user',
]
const ADMIN = 'user.admin'
/** Notes suspensions of the operator in memberships. */
const MONITOR = 'sys.auth.monitor'
const SUSPENDED_BY_OPERATOR = 4
const MAX_POLICY_VERSIONS = 3

const PREFIX = {
  role: {
    put: 'putRole',
    putMember: 'putMembership',
    putMemberMissing: 'Invalid role name specified',
    decideMissing: 'Invalid rolename specified',
    get: 'getRole: Role',
    deleted: 'Role does not exist',
    deleteMember: 'deleteMembership',
    deletePending: 'deletePendingMembership',
  },
  group: {
    put: 'putGroup',
    putMember: 'putGroupMembership',
    putMemberMissing: 'Invalid groupname specified',
    decideMissing: 'Invalid groupname specified',
    get: 'getGroup: Group',
    deleted: 'Group does not exist',
    deleteMember: 'deleteGroupMembership',
    deletePending: 'deletePendingGroupMembership',
  },
} as const

/** All of ZMS that the model knows. */
export class NaiveZms {
  #domains: Domain[] = SYSTEM_DOMAINS.map((name) => newDomain(name, [ADMIN], 'sys.auth.zms'))
  /** Services that exist, by full name. */
  readonly #services: readonly string[]
  /** Every name that has ever been a member or asked to be one. */
  #known: string[]
  readonly #now: number

  constructor(options: { now: number; services: readonly string[]; known: readonly string[] }) {
    this.#now = options.now
    this.#services = options.services
    this.#known = [...options.known]
  }

  /** Names that have ever been members. */
  get known(): readonly string[] {
    return this.#known
  }

  /** Does what is asked, or nothing where it is refused. */
  answer(request: Request): ModelAnswer {
    const reads = request.op === 'access' || request.op.startsWith('get')
    const before = reads ? undefined : structuredClone({ domains: this.#domains, known: this.#known })
    try {
      const body = this.#do(lowered(request))
      return body === undefined ? { status: 204 } : { status: 200, body: normal(body) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (before) {
        this.#domains = before.domains
        this.#known = before.known
      }
      return { status: error.status, body: { code: error.status, message: error.message } }
    }
  }

  /** The domains as the model of decisions knows them, by name; for many questions about the same state. */
  decisionDomains(): readonly NaiveDomain[] {
    return this.#domains.map(naiveDomain)
  }

  #do(request: Request): unknown {
    switch (request.op) {
      case 'postTopLevelDomain':
        this.#require(request.as, 'create', 'sys.auth:domain')
        return this.#create(request.name, request.admins, request.as)
      case 'postSubDomain':
        this.#require(request.as, 'create', `${request.parent}:domain`)
        return this.#create(`${request.parent}.${request.name}`, request.admins, request.as, request.parent)
      case 'deleteTopLevelDomain':
        this.#require(request.as, 'delete', 'sys.auth:domain')
        return this.#delete(request.name, 'deletetopleveldomain')
      case 'deleteSubDomain': {
        const name = `${request.parent}.${request.name}`
        if (!this.#domain(name)) refuse(404, `Domain not found: ${name}`)
        const may = [name, request.parent].some((domain) => this.#allows(request.as, 'delete', `${domain}:domain`))
        if (!may) refuse(403, `Principal is not authorized to delete domain: ${name}`)
        return this.#delete(name, 'deletesubdomain')
      }
      case 'putEnabled': {
        const domain = this.#domain(request.domain) ?? refuse(404, `No such domain: ${request.domain}`)
        const may =
          this.#allows(request.as, 'update', `sys.auth:meta.domain.enabled.${domain.name}`) ||
          this.#allows(request.as, 'update', `${domain.name}:`)
        if (!may) refuse(403, 'unauthorized to update system meta attribute: enabled')
        domain.enabled = request.enabled
        return undefined
      }
      case 'putCollection':
        return this.#putCollection(request)
      case 'deleteCollection':
        return this.#deleteCollection(request)
      case 'getCollection': {
        const found = this.#collection(request)
        const { kind, domain, name } = request
        return found
          ? collectionReply(domain, found)
          : refuse(404, `${PREFIX[kind].get} not found: '${domain}:${kind}.${name}'`)
      }
      case 'putMember':
        return this.#putMember(request)
      case 'deleteMember':
        return this.#deleteMember(request)
      case 'deletePending':
        return this.#deletePending(request)
      case 'getMember': {
        const { domain, kind, name, member } = request
        if (!this.#domain(domain)) refuse(404, `unknown domain - ${domain}`)
        const found = this.#collection(request) ?? refuse(404, `unknown ${kind} - ${domain}:${kind}.${name}`)
        return membershipReply(domain, found, member, this.#now)
      }
      case 'decide':
        return this.#decide(request)
      case 'putPolicy':
        return this.#putPolicy(request)
      case 'deletePolicy': {
        const domain = this.#require(request.as, 'delete', `${request.domain}:policy.${request.policy}`)
        if (request.policy === 'admin') refuse(400, 'deletePolicy: admin policy cannot be deleted')
        if (versionsOf(domain, request.policy).length === 0) refuse(404, 'Policy does not exist')
        domain.policies = domain.policies.filter(({ name }) => name !== request.policy)
        return undefined
      }
      case 'getPolicy': {
        const { domain, policy } = request
        const found = activeVersion(this.#domain(domain), policy)
        return found
          ? policyReply(domain, found)
          : refuse(404, `getpolicy: Policy not found: '${domain}:policy.${policy}'`)
      }
      case 'getPolicies': {
        const { domain } = request
        const found = this.#domain(domain) ?? refuse(404, `getpolicies: Domain not found: '${domain}'`)
        const replies = found.policies.map((policy) => policyReply(domain, policy))
        return { list: replies.map((reply) => (reply.assertions.length > 0 ? reply : { ...reply, assertions: null })) }
      }
      case 'putVersion':
        return this.#putVersion(request)
      case 'activateVersion': {
        const { policy, version } = request
        const domain = this.#require(request.as, 'update', `${request.domain}:policy.${policy}`)
        if (policy === 'admin') refuse(400, 'setactivepolicyversion: admin policy cannot be modified')
        const versions = versionsOf(domain, policy)
        if (versions.length === 0) refuse(404, `unknown policy: ${policy}`)
        if (!versions.some((each) => each.version === version)) refuse(404, `unknown policy version: ${version}`)
        for (const each of versions) each.active = each.version === version
        return undefined
      }
      case 'deleteVersion': {
        const { policy, version } = request
        const domain = this.#require(request.as, 'delete', `${request.domain}:policy.${policy}`)
        if (policy === 'admin') refuse(400, 'deletepolicyversion: admin policy version cannot be deleted')
        const found = versionsOf(domain, policy).find((each) => each.version === version)
        if (!found) return refuse(404, 'Policy does not exist')
        if (found.active) {
          refuse(
            400,
            `deletepolicyversion: unable to delete active policy version. Policy: ${policy}, version: ${version}`,
          )
        }
        domain.policies = domain.policies.filter((each) => each !== found)
        return undefined
      }
      case 'putAssertion': {
        const { policy, assertion } = request
        const domain = this.#require(request.as, 'update', `${request.domain}:policy.${policy}`)
        if (policy === 'admin') refuse(400, 'putAssertion: admin policy cannot be modified')
        const added = storedAssertion(domain.name, assertion, false)
        const found = activeVersion(domain, policy)
        if (!found) return refuse(404, `putAssertion: Unable to retrieve policy: ${domain.name}:policy.${policy}`)
        if (!found.assertions.some((each) => isSame(each, added))) found.assertions.push(added)
        // Conditions do not come in this way, but are repeated.
        const { conditions } = assertion
        return { ...added, role: `${domain.name}:role.${added.role}`, ...(conditions && { conditions }) }
      }
      case 'deleteAssertion':
        return this.#deleteAssertion(request)
      case 'putState':
        return this.#putState(request)
      default: {
        const { action, resource, trustDomain, principal } = request
        return { granted: this.#access(request.as, action, resource, trustDomain, principal) }
      }
    }
  }

  // Decisions

  /** The domain, after the check that an operation declares. */
  #require(caller: Caller, action: string, resource: string): Domain {
    if (caller.mtlsRestricted) refuse(403, 'mTLS Restricted')
    const name = resource.split(':')[0] ?? ''
    const domain = this.#domainFor(caller, name) ?? refuse(404, 'Domain not found')
    if (!domain.enabled) refuse(403, 'Disabled Domain')
    if (this.#outcome(domain, { principal: principalOf(caller), action, resource, now: this.#now }) !== 'allow') {
      refuse(403, 'Forbidden')
    }
    return domain
  }

  /** Whether a check inside of an operation is passed. */
  #allows(caller: Caller, action: string, resource: string): boolean {
    const domain = this.#domainFor(caller, resource.split(':')[0] ?? '')
    if (caller.mtlsRestricted || !domain) return false
    return this.#outcome(domain, { principal: principalOf(caller), action, resource, now: this.#now }) === 'allow'
  }

  #access(caller: Caller, action: string, resource: string, trustDomain?: string, checked?: string): boolean {
    const delegated = action === 'assume_role' ? trustDomain : undefined
    const name = delegated ?? resource.slice(0, Math.max(resource.indexOf(':'), 0))
    if (name === '' && delegated === undefined) refuse(404, 'getAccessCheck: Unable to extract resource domain')
    const domain = this.#domainFor(caller, name) ?? refuse(404, `getAccessCheck: Resource Domain not found: '${name}'`)
    if (!domain.enabled) refuse(403, `getAccessCheck: Disabled domain: '${name}'`)
    if (checked?.includes(':group.')) refuse(400, 'getAccessCheck: Invalid check principal value specified')
    const principal =
      checked === undefined ? principalOf(caller) : { fullName: checked.includes('.') ? checked : `user.${checked}` }
    return this.#outcome(domain, { principal, action, resource, trustDomain, now: this.#now }) === 'allow'
  }

  /** The domain of that name, or the home domain of the caller as if it existed. */
  #domainFor(caller: Caller, name: string): Domain | undefined {
    const isHome = !caller.roles && caller.name === name && /^user\.[^.]+$/.test(name)
    return this.#domain(name) ?? (isHome ? newDomain(name, [caller.name], caller.name) : undefined)
  }

  #outcome(domain: Domain, question: AccessQuestion): string {
    return naiveOutcome(this.decisionDomains(), naiveDomain(domain), question)
  }

  // Domains

  #domain(name: string): Domain | undefined {
    return this.#domains.find((domain) => domain.name === name)
  }

  #create(name: string, admins: readonly string[], caller: Caller, parent?: string): unknown {
    if (parent !== undefined && !this.#domain(parent)) refuse(404, `Invalid parent domain: ${parent}`)
    if (admins.length === 0) refuse(400, 'validatedAdminUsers: Missing adminUsers')
    for (const admin of admins) this.#requireMember({ kind: 'role', name: 'admin' }, name, admin, true)
    const plain = (text: string) => text.replaceAll('.', '-')
    const similar = this.#domains
      .map((each) => each.name)
      .toSorted()
      .find((each) => plain(each) === plain(name))
    if (similar !== undefined) refuse(400, `Domain name conflict: ${similar}`)
    for (const admin of admins) this.#requireMember({ kind: 'role', name: 'admin' }, name, admin, false)
    this.#domains.push(newDomain(name, [...new Set(admins)], caller.name))
    this.#known.push(...admins)
    return { name }
  }

  #delete(name: string, api: string): undefined {
    if (SYSTEM_DOMAINS.includes(name)) refuse(400, 'Cannot delete reserved system domain')
    const below = this.#domains.filter((domain) => domain.name.startsWith(`${name}.`))
    if (below.length > 0) refuse(400, `${api}: Cannot delete domain ${name}: ${below.length} subdomains of it exist`)
    const domain = this.#domain(name) ?? refuse(404, `Domain not found: '${name}'`)
    for (const { kind, name: group } of domain.collections) {
      if (kind === 'group') this.#requireUnused(name, group, (other) => other !== name)
    }
    this.#domains = this.#domains.filter((each) => each !== domain)
    return undefined
  }

  /** Nobody may delete a group that is a member of a role of one of these domains. */
  #requireUnused(domainName: string, group: string, counts: (domain: string) => boolean): void {
    const fullName = `${domainName}:group.${group}`
    const roles = this.#domains
      .filter((domain) => counts(domain.name))
      .flatMap((domain) =>
        domain.collections
          .filter(({ kind, members }) => kind === 'role' && members.some(({ memberName }) => memberName === fullName))
          .map((role) => ({ domain: domain.name, role: role.name })),
      )
      .toSorted((a, b) => compare(a.domain, b.domain) || compare(a.role, b.role))
    if (roles.length === 0) return
    const names = roles.map(({ domain, role }) => ` ${domain}:role.${role}`).join('')
    refuse(400, `Remove group '${fullName}' membership from the following role(s):${names}`)
  }

  // Roles, groups and their members

  #collection({ domain, kind, name }: { domain: string; kind: Kind; name: string }): Collection | undefined {
    return this.#domain(domain)?.collections.find((each) => each.kind === kind && each.name === name)
  }

  #putCollection(request: Request & { op: 'putCollection' }): unknown {
    const { as: caller, kind, name, given, members, settings } = request
    const domain = this.#require(caller, 'update', `${request.domain}:${kind}.${name}`)
    const full = `${domain.name}:${kind}.${name}`
    if (given !== name && given !== full) {
      refuse(400, `${PREFIX[kind].put}: Inconsistent ${kind} names - expected: ${full}, actual: ${given}`)
    }
    if (kind === 'role' && settings.trust) {
      if (members.length > 0)
        refuse(400, 'validateRoleMembers: Role cannot have both roleMembers and delegated domain set')
      if (settings.trust === domain.name) refuse(400, 'validateRoleMembers: Role cannot be delegated to itself')
    }
    if (kind === 'role' && name === 'admin' && !settings.trust && members.length === 0) {
      refuse(400, 'putRole: Admin role must have at least one member')
    }
    if (kind === 'role' && settings.trust && !this.#domain(settings.trust)) {
      refuse(400, 'Delegated role assigned to non existing domain')
    }
    const existing = this.#collection(request)
    const collection = existing ?? { kind, name, settings, members: [], pending: [] }
    collection.settings = settings
    const wanted: MemberInput[] = []
    for (const member of members) {
      if (!wanted.some(({ memberName }) => memberName === member.memberName)) wanted.push(member)
    }
    const before = [...collection.members]
    for (const { memberName, expiration } of wanted) {
      const current = before.find((member) => member.memberName === memberName)
      this.#requireMember({ kind, name }, domain.name, memberName, current !== undefined)
      const dates = datesOf(expiration)
      if (current && dates.expiration === current.expiration) continue
      if (settings.reviewEnabled) {
        this.#request(collection, memberName, 'ADD', caller, dates)
      } else if (current) {
        const { systemDisabled } = current
        const requestPrincipal = kind === 'group' ? caller.name : undefined
        put(collection.members, clean({ memberName, ...dates, requestPrincipal, systemDisabled }))
      } else {
        const requestPrincipal = kind === 'role' && existing ? undefined : caller.name
        put(collection.members, clean({ memberName, ...dates, requestPrincipal }))
        this.#known.push(memberName)
      }
    }
    for (const { memberName } of before) {
      if (wanted.some((member) => member.memberName === memberName)) continue
      if (settings.reviewEnabled && settings.deleteProtection) this.#request(collection, memberName, 'DELETE', caller)
      else remove(collection.members, memberName)
    }
    if (!existing) domain.collections.push(collection)
    return collectionReply(domain.name, collection)
  }

  #deleteCollection({
    as: caller,
    kind,
    domain: domainName,
    name,
  }: Request & { op: 'deleteCollection' | 'getCollection' }) {
    const domain = this.#require(caller, 'delete', `${domainName}:${kind}.${name}`)
    if (kind === 'role' && name === 'admin') refuse(400, 'deleteRole: admin role cannot be deleted')
    if (kind === 'group') this.#requireUnused(domainName, name, () => true)
    const found = this.#collection({ domain: domainName, kind, name })
    if (!found) refuse(404, PREFIX[kind].deleted)
    domain.collections = domain.collections.filter((each) => each !== found)
    return undefined
  }

  /** The rules about who may be a member. */
  #requireMember(
    { kind, name }: { kind: Kind; name: string },
    domain: string,
    member: string,
    isMember: boolean,
  ): void {
    const [home = '', group] = member.split(':group.')
    if (group !== undefined) {
      if (name === 'admin') refuse(400, 'Group principals are not allowed in the role')
      if (!this.#collection({ domain: home, kind: 'group', name: group }))
        refuse(400, `Principal ${member} is not valid`)
      return
    }
    const owner = member.slice(0, Math.max(member.lastIndexOf('.'), 0))
    const isUser = owner === 'user'
    if (kind === 'group' && !isUser && !(this.#services.includes(member) && this.#domain(owner))) {
      refuse(400, `Principal ${member} is not a valid service`)
    }
    if (isMember || member === '*' || owner === domain) return
    if (!this.#domain(owner)) refuse(404, `unknown domain - ${member}`)
  }

  #request(
    collection: Collection,
    memberName: string,
    state: 'ADD' | 'DELETE',
    caller: Caller,
    dates: Dates = {},
  ): void {
    const other = collection.pending.find((each) => each.memberName === memberName)
    if (other && other.pendingState !== state) {
      refuse(400, `The user ${memberName} already has a pending request in a different state`)
    }
    put(collection.pending, { memberName, ...dates, requestPrincipal: caller.name, pendingState: state })
    this.#known.push(memberName)
  }

  #mayUpdate(caller: Caller, { kind, domain, name }: { kind: Kind; domain: string; name: string }): boolean {
    return ['update', 'update_members'].some((action) => this.#allows(caller, action, `${domain}:${kind}.${name}`))
  }

  #putMember(request: Request & { op: 'putMember' | 'deleteMember' | 'deletePending' | 'getMember' }): unknown {
    const { as: caller, kind, domain, name, member: memberName } = request
    const collection = this.#collection(request) ?? refuse(400, PREFIX[kind].putMemberMissing)
    const current = collection.members.find((each) => each.memberName === memberName)
    this.#requireMember(collection, domain, memberName, current !== undefined)
    const mayUpdate = this.#mayUpdate(caller, request)
    if (!mayUpdate && !collection.settings.selfServe) {
      refuse(403, `${PREFIX[kind].putMember}: principal is not authorized to add members`)
    }
    if (collection.settings.trust) refuse(400, `${PREFIX[kind].putMember.toLowerCase()}: ${name} is a delegated role`)
    const asksOnly = !mayUpdate || collection.settings.reviewEnabled === true
    const dates = datesOf(request.expiration)
    if (asksOnly) this.#request(collection, memberName, 'ADD', caller, dates)
    else {
      const { systemDisabled } = current ?? {}
      put(collection.members, clean({ memberName, ...dates, requestPrincipal: caller.name, systemDisabled }))
      this.#known.push(memberName)
    }
    return writtenReply(domain, collection, memberName, asksOnly)
  }

  #deleteMember(request: Request & { op: 'putMember' | 'deleteMember' | 'deletePending' | 'getMember' }): undefined {
    const { as: caller, kind, name, member: memberName } = request
    const collection = this.#collection(request) ?? refuse(404, `Invalid domain/${kind} name specified`)
    const member = collection.members.find((each) => each.memberName === memberName)
    const isRequester = kind === 'role' && collection.settings.selfServe && member?.requestPrincipal === caller.name
    if (caller.name !== memberName && !isRequester && !this.#mayUpdate(caller, request)) {
      refuse(403, `${PREFIX[kind].deleteMember}: principal is not authorized to delete members`)
    }
    if (kind === 'role' && name === 'admin' && member && collection.members.length === 1) {
      refuse(403, "deleteMembership: Cannot delete last member of 'admin' role")
    }
    if (!member) {
      this.#requireKnown(memberName)
      const label = kind === 'role' ? 'deletemembership: ' : ''
      refuse(404, `${label}unable to delete ${kind} member: ${memberName} from ${kind}: ${name}`)
    }
    const { reviewEnabled, deleteProtection } = collection.settings
    if (reviewEnabled && deleteProtection) this.#request(collection, memberName, 'DELETE', caller)
    else remove(collection.members, memberName)
    return undefined
  }

  #requireKnown(principal: string): void {
    if (!this.#known.includes(principal)) refuse(404, `unknown principal - ${principal}`)
  }

  #deletePending(request: Request & { op: 'putMember' | 'deleteMember' | 'deletePending' | 'getMember' }): undefined {
    const { as: caller, kind, domain, name, member: memberName } = request
    if (!this.#domain(domain)) refuse(404, `Domain not found: ${domain}`)
    const collection = this.#collection(request) ?? refuse(404, `unknown ${kind} - ${domain}:${kind}.${name}`)
    const pending = collection.pending.find((each) => each.memberName === memberName)
    if (pending?.requestPrincipal !== caller.name && !this.#mayUpdate(caller, request)) {
      refuse(403, `${PREFIX[kind].deletePending}: principal is not authorized to delete pending members`)
    }
    if (!pending) {
      this.#requireKnown(memberName)
      const label = kind === 'role' ? 'deletependingmembership: ' : ''
      refuse(404, `${label}unable to delete pending ${kind} member: ${memberName} from ${kind}: ${name}`)
    }
    remove(collection.pending, memberName)
    return undefined
  }

  #decide(request: Request & { op: 'decide' }): undefined {
    const { as: caller, kind, domain, member: memberName, approved } = request
    const collection = this.#collection(request) ?? refuse(400, PREFIX[kind].decideMissing)
    const pending = collection.pending.find((each) => each.memberName === memberName)
    if (!this.#mayUpdate(caller, request)) {
      refuse(403, `principal ${caller.name} is not authorized to approve / reject members`)
    }
    if (collection.settings.reviewEnabled) {
      if (caller.name === memberName) refuse(403, `principal ${caller.name} cannot approve / reject own membership`)
      if (pending?.requestPrincipal === caller.name) {
        refuse(403, `principal ${caller.name} cannot approve / reject own request`)
      }
    }
    if (!pending) return refuse(404, `Pending ${kind} member ${memberName} not found`)
    remove(collection.pending, memberName)
    if (!approved) return undefined
    if (pending.pendingState === 'DELETE') {
      remove(collection.members, memberName)
      return undefined
    }
    const current = collection.members.find((each) => each.memberName === memberName)
    this.#requireMember(collection, domain, memberName, current !== undefined)
    const requestPrincipal = kind === 'role' ? pending.requestPrincipal : caller.name
    put(collection.members, clean({ memberName, requestPrincipal, systemDisabled: current?.systemDisabled }))
    return undefined
  }

  #putState({ as: caller, principal, suspended }: Request & { op: 'putState' }): undefined {
    const fullName = principal.includes('.') ? principal : `user.${principal}`
    const [domain, name] = [fullName.slice(0, fullName.lastIndexOf('.')), fullName.slice(fullName.lastIndexOf('.') + 1)]
    if (!this.#domain(domain)) refuse(404, `Domain not found: ${domain}`)
    const may =
      this.#allows(caller, 'update', `${domain}:service.${name}`) ||
      this.#allows(caller, 'update', `sys.auth:state.${domain}.${name}`)
    if (!may) refuse(403, 'Unauthorized to update principal state')
    if (!this.#known.includes(principal)) refuse(404, `Principal not found: ${principal}`)
    const bits = suspended ? SUSPENDED_BY_OPERATOR : 0
    for (const member of this.#domains.flatMap(({ collections }) => collections.flatMap(({ members }) => members))) {
      if (member.memberName !== principal || (member.systemDisabled ?? 0) === bits) continue
      member.requestPrincipal = MONITOR
      if (suspended) member.systemDisabled = bits
      else delete member.systemDisabled
    }
    return undefined
  }

  // Policies

  #putPolicy(request: Request & { op: 'putPolicy' }): unknown {
    const { as: caller, policy: name, caseSensitive = false, active = true } = request
    const domain = this.#require(caller, 'update', `${request.domain}:policy.${name}`)
    if (name === 'admin') refuse(400, 'putPolicy: admin policy cannot be modified')
    const assertions: Assertion[] = []
    for (const input of request.assertions) {
      const assertion = storedAssertion(domain.name, input, caseSensitive)
      const conditions = storedConditions(input.conditions)
      if (assertions.some((each) => isSame(each, assertion))) continue
      assertions.push({ ...assertion, ...(conditions && { conditions }) })
    }
    const versions = versionsOf(domain, name)
    const version = request.version ?? versions.find((each) => each.active)?.version ?? '0'
    let found = versions.find((each) => each.version === version)
    if (!found) {
      if (request.version !== undefined && versions.length === 0 && !active) {
        refuse(404, `Policy ${name} doesn't exist, new version must be active `)
      }
      if (request.version !== undefined && versions.length > 0 && active) {
        refuse(
          400,
          `Policy ${name} already exists with an active version. Create version ${version} as not active and activate it afterwards`,
        )
      }
      requireVersionRoom(versions, name, version)
      found = { name, version, active, assertions }
      domain.policies.push(found)
    }
    found.assertions = assertions
    found.active = active
    if (active) for (const other of versions) other.active = other === found
    return policyReply(domain.name, found)
  }

  #putVersion({
    as: caller,
    domain: domainName,
    policy,
    version,
    fromVersion,
  }: Request & { op: 'putVersion' }): unknown {
    const domain = this.#require(caller, 'update', `${domainName}:policy.${policy}`)
    if (policy === 'admin') refuse(400, 'putpolicyversion: admin policy cannot be modified')
    const versions = versionsOf(domain, policy)
    if (versions.length === 0) refuse(404, `unknown policy - ${domainName}:policy.${policy}`)
    requireVersionRoom(versions, policy, version)
    const source = versions.find((each) => (fromVersion === undefined ? each.active : each.version === fromVersion))
    if (!source) return refuse(404, `unable to fetch policy version: ${fromVersion ?? 'active'}`)
    if (versions.some((each) => each.version === version)) refuse(400, 'Entry already exists')
    const copy = { ...source, version, active: false, assertions: [...source.assertions] }
    domain.policies.push(copy)
    return policyReply(domainName, copy)
  }

  #deleteAssertion(request: Request & { op: 'putAssertion' | 'deleteAssertion' }): undefined {
    const { as: caller, domain, policy, assertion } = request
    if (policy === 'admin') refuse(400, 'deleteAssertion: admin policy cannot be modified')
    const found = activeVersion(this.#domain(domain), policy) ?? refuse(404, 'Invalid policy name specified')
    const may =
      this.#allows(caller, 'update', `${domain}:policy.${policy}`) ||
      this.#allows(caller, 'delete', `${domain}:policy.${policy}.assertion.${NO_ASSERTION}`)
    if (!may) refuse(403, 'deleteAssertion: principal is not authorized to delete assertion')
    const index = found.assertions.findIndex((each) => isSame(each, foldedAssertion(domain, assertion, false)))
    if (index < 0) {
      refuse(
        404,
        `deleteassertion: unable to read assertion: ${NO_ASSERTION} from policy: ${policy} version: active version`,
      )
    }
    found.assertions.splice(index, 1)
    return undefined
  }
}

/** Id of an assertion that is not there. */
export const NO_ASSERTION = 999_999_999

interface Dates {
  expiration?: number
}

const datesOf = (expiration: string | undefined): Dates =>
  expiration === undefined ? {} : { expiration: Date.parse(expiration) }

const principalOf = ({ name, roles, mtlsRestricted }: Caller) => ({ fullName: name, roles, mtlsRestricted })

const versionsOf = (domain: Domain, policy: string): Policy[] => domain.policies.filter(({ name }) => name === policy)

const activeVersion = (domain: Domain | undefined, policy: string): Policy | undefined =>
  domain?.policies.find(({ name, active }) => name === policy && active)

function requireVersionRoom(versions: readonly Policy[], policy: string, version: string): void {
  if (versions.length < MAX_POLICY_VERSIONS) return
  refuse(
    429,
    `unable to put policy: ${policy}, version: ${version}, max number of versions reached (${MAX_POLICY_VERSIONS})`,
  )
}

/** An assertion of a request as it is stored, with its role by local name. */
function storedAssertion(domain: string, input: AssertionInput, caseSensitive: boolean): Assertion {
  const { resource } = foldedAssertion(domain, input, caseSensitive)
  const colon = resource.indexOf(':')
  const owner = resource.slice(0, Math.max(colon, 0))
  if (owner === '') refuse(400, `Missing domain name from assertion resource: ${resource}`)
  if (owner !== '*' && !/^\w[\w.-]*$/.test(owner)) {
    refuse(400, `Invalid DomainName error: ${owner} is not a valid domain name`)
  }
  const { role } = input
  if (!role.startsWith(`${domain}:role.`)) refuse(400, `domain name mismatch: ${domain} assertion role name: ${role}`)
  return foldedAssertion(domain, input, caseSensitive)
}

function foldedAssertion(
  domain: string,
  { role, action, resource, effect }: AssertionInput,
  caseSensitive: boolean,
): Assertion {
  const colon = resource.indexOf(':')
  const kept = caseSensitive
    ? { action, resource: resource.slice(0, Math.max(colon, 0)).toLowerCase() + resource.slice(Math.max(colon, 0)) }
    : { action: action.toLowerCase(), resource: resource.toLowerCase() }
  return { role: role.slice(`${domain}:role.`.length), ...kept, effect: effect ?? 'ALLOW' }
}

/** Conditions in lower case; those without keys are none. */
function storedConditions(given: Conditions | undefined): Conditions | undefined {
  const filled = (given?.conditionsList ?? []).filter(({ conditionsMap }) => Object.keys(conditionsMap).length > 0)
  if (filled.length === 0) return undefined
  const lower = ([key, { operator, value }]: [string, { operator: 'EQUALS'; value: string }]) =>
    [key.toLowerCase(), { operator, value: value.toLowerCase() }] as const
  return {
    conditionsList: filled.map(({ conditionsMap }) => ({
      conditionsMap: Object.fromEntries(Object.entries(conditionsMap).map(lower)),
    })),
  }
}

const isSame = (a: Assertion, b: Assertion): boolean =>
  a.role === b.role && a.action === b.action && a.resource === b.resource && a.effect === b.effect

/** Names in lower case; actions and resources of policies are folded where they are stored. */
function lowered(request: Request): Request {
  const fold = (value: unknown, name = ''): unknown => {
    if (Array.isArray(value)) return value.map((item) => fold(item, name))
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, fold(inner, member)]))
    }
    return typeof value === 'string' && !['op', 'effect', 'expiration'].includes(name) ? value.toLowerCase() : value
  }
  const keepsCase = (assertion: AssertionInput): AssertionInput => ({
    ...assertion,
    role: assertion.role.toLowerCase(),
  })
  const folded = fold(request) as Request
  if (request.op === 'putPolicy' && folded.op === 'putPolicy') {
    return { ...folded, assertions: request.assertions.map(keepsCase) }
  }
  if (request.op === 'putAssertion' && folded.op === 'putAssertion') {
    return { ...folded, assertion: keepsCase(request.assertion) }
  }
  return folded
}
