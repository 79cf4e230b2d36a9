import { CompiledPolicies } from '#core/rbac/compiled-policies.ts'
import type { DomainView } from '#core/rbac/domain-view.ts'
import { type MemberEntry, Members } from '#core/rbac/members.ts'

/** A recorded world: see test/conformance/decisions/README.md. */
export interface World {
  readonly world: string
  readonly domains: readonly { readonly name: string; readonly create: Write; readonly writes: readonly Write[] }[]
  readonly after: readonly Write[]
  readonly questions: readonly Question[]
  readonly tokens: readonly TokenQuestion[]
}

export interface Question {
  readonly as: string
  readonly action: string
  readonly resource: string
  /** True: the resource may be any text; false: it must be a resource name. */
  readonly ext: boolean
  readonly principal?: string
  readonly domain?: string
  readonly answer: boolean | number
  /** Answer of ZTS, where it differs. */
  readonly zts?: boolean | number
}

export interface TokenQuestion {
  readonly as: string
  readonly domain: string
  readonly role?: string
  readonly roles: readonly string[] | number
}

interface Write {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly body?: Body
}

interface Body {
  readonly name?: string
  readonly adminUsers?: readonly string[]
  readonly trust?: string
  readonly memberName?: string
  readonly expiration?: string
  readonly roleMembers?: readonly RecordedMember[]
  /** The older form of roleMembers. */
  readonly members?: readonly string[]
  readonly groupMembers?: readonly RecordedMember[]
  readonly version?: string
  readonly fromVersion?: string
  readonly active?: boolean
  readonly caseSensitive?: boolean
  readonly assertions?: readonly RecordedAssertion[]
  readonly suspended?: boolean
  readonly enabled?: boolean
}

interface RecordedMember {
  readonly memberName: string
  readonly expiration?: string
}

interface RecordedAssertion {
  readonly role: string
  readonly resource: string
  readonly action: string
  readonly effect?: 'ALLOW' | 'DENY'
  readonly caseSensitive?: boolean
}

/** One version of a policy. */
export interface Policy {
  readonly name: string
  readonly assertions: readonly RecordedAssertion[]
}

interface Role {
  readonly trust: string | undefined
  readonly members: Members
}

interface Domain {
  readonly name: string
  enabled: boolean
  readonly roles: Map<string, Role>
  readonly groups: Map<string, { readonly members: Members }>
  readonly policies: Map<string, { active: string; readonly versions: Map<string, Policy> }>
}

/** What every server has from its first start. */
const SYSTEM_DOMAINS = ['sys', 'sys.auth', 'user']
const ADMINISTRATOR = 'user.admin'
const SUSPENDED_BY_OPERATOR = 4

/** The domains of a world after its recorded writes, as far as decisions depend on them; refused writes change nothing. */
export function loadWorld(world: World): Map<string, DomainView<Policy>> {
  const domains = new Map<string, Domain>()
  for (const name of SYSTEM_DOMAINS) createDomain(domains, name, { adminUsers: [ADMINISTRATOR] })
  const writes = [...world.domains.map((d) => d.create), ...world.domains.flatMap((d) => d.writes), ...world.after]
  for (const write of writes) if (write.status < 300) apply(domains, write)
  return new Map([...domains].map(([name, domain]) => [name, viewOf(domain)]))
}

function viewOf(domain: Domain): DomainView<Policy> {
  const { name, enabled, roles, groups } = domain
  const policies = [...domain.policies.values()].flatMap(({ active, versions }) => versions.get(active) ?? [])
  return { name, enabled, roles, groups, policies: new CompiledPolicies(name, policies) }
}

function apply(domains: Map<string, Domain>, { method, path, body = {} }: Write): void {
  const [area, first = '', ...rest] = path.slice(1).split('/')
  if (area === 'subdomain') return createDomain(domains, `${first}.${body.name}`, body)
  if (area === 'domain' && first === '') return createDomain(domains, body.name ?? '', body)
  if (area === 'principal') return suspend(domains, first.toLowerCase(), body.suspended === true)
  const domain = domains.get(first)
  if (domain === undefined) throw new Error(`no domain for ${method} ${path}`)
  const [kind, name = '', ...more] = rest.map((part) => decodeURIComponent(part).toLowerCase())
  if (kind === 'role') changeRole(domain, method, name, more, body)
  else if (kind === 'group') domain.groups.set(name, { members: membersOf(body.groupMembers) })
  else if (kind === 'policy') changePolicy(domain, method, name, more, body)
  else if (kind === 'meta' && more[0] === 'enabled') domain.enabled = body.enabled === true
  else if (kind !== 'service') throw new Error(`cannot apply ${method} ${path}`)
}

function createDomain(domains: Map<string, Domain>, name: string, { adminUsers = [] }: Body): void {
  const members = membersOf(adminUsers.map((memberName) => ({ memberName })))
  const assertions = [{ role: `${name}:role.admin`, resource: `${name}:*`, action: '*' }]
  domains.set(name, {
    name,
    enabled: true,
    roles: new Map([['admin', { trust: undefined, members }]]),
    groups: new Map(),
    policies: new Map([['admin', { active: '0', versions: new Map([['0', { name: 'admin', assertions }]]) }]]),
  })
}

/** Touches the memberships there are; one written later is not suspended. */
function suspend(domains: Map<string, Domain>, principal: string, suspended: boolean): void {
  for (const domain of domains.values()) {
    for (const { members } of [...domain.roles.values(), ...domain.groups.values()]) {
      const member = members.get(principal)
      if (member) members.set({ ...member, systemDisabled: suspended ? SUSPENDED_BY_OPERATOR : 0 })
    }
  }
}

function changeRole(domain: Domain, method: string, name: string, [part, member = '']: string[], body: Body): void {
  if (part === 'member') {
    const members = domain.roles.get(name)?.members
    if (method === 'DELETE') members?.delete(member)
    else members?.set(entryOf({ ...body, memberName: member }))
  } else if (method === 'DELETE') domain.roles.delete(name)
  else {
    const members = membersOf(body.roleMembers ?? body.members?.map((memberName) => ({ memberName })))
    domain.roles.set(name, { trust: body.trust?.toLowerCase(), members })
  }
}

function changePolicy(domain: Domain, method: string, name: string, [, verb]: string[], body: Body): void {
  const policy = domain.policies.get(name)
  const version = body.version?.toLowerCase()
  if (method === 'DELETE') {
    if (verb === undefined) domain.policies.delete(name)
    else policy?.versions.delete(verb)
  } else if (verb === 'create') {
    const source = policy?.versions.get(body.fromVersion?.toLowerCase() ?? policy.active)
    if (policy && source && version !== undefined) policy.versions.set(version, source)
  } else if (verb === 'active') {
    if (policy && version !== undefined) policy.active = version
  } else {
    const content = {
      name,
      assertions: (body.assertions ?? []).map((each) => stored(each, body.caseSensitive === true)),
    }
    if (policy) policy.versions.set(version ?? policy.active, content)
    else if (body.active !== false) domain.policies.set(name, { active: '0', versions: new Map([['0', content]]) })
  }
}

/** Letter case as the server stores it: kept in action and resource on demand, but never in a domain. */
function stored(assertion: RecordedAssertion, keep: boolean): RecordedAssertion {
  const { action, resource, effect } = assertion
  const role = assertion.role.toLowerCase()
  if (!keep && !assertion.caseSensitive) {
    return { role, action: action.toLowerCase(), resource: resource.toLowerCase(), effect }
  }
  const colon = resource.indexOf(':')
  return { role, action, resource: resource.slice(0, colon).toLowerCase() + resource.slice(colon), effect }
}

function membersOf(members: readonly RecordedMember[] = []): Members {
  return new Members(members.map(entryOf))
}

function entryOf({ memberName, expiration }: RecordedMember): MemberEntry {
  return {
    memberName: memberName.toLowerCase(),
    expiration: expiration === undefined ? undefined : Date.parse(expiration),
  }
}
