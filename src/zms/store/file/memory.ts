import { applyChange } from '../apply.ts'
import { type Change, type DomainChange, type GlobalChange, isDomainChange, type MutableDomain } from '../change.ts'
import type { Domain, MemberAudit, Policy } from '../model.ts'
import { Membership } from './membership.ts'
import { SortedNames } from './sorted-names.ts'

/** What belongs to no domain. */
export interface Globals {
  /** Principal → suspension bits. */
  readonly principals: Iterable<readonly [string, number]>
  /** Dependent domain → services. */
  readonly dependencies: Iterable<readonly [string, Iterable<string>]>
  readonly lastAssertionId: number
  readonly lastModified: number
}

/**
 * All data of the file store in memory, with what its queries need to be quick. Changes are applied here only once they
 * are durable; applying is synchronous, so that readers see all of a transaction or nothing.
 */
export class Memory {
  readonly domains = new Map<string, MutableDomain>()
  readonly names = new SortedNames()
  /** Every name that was ever a member → its suspension bits. */
  readonly principals = new Map<string, number>()
  /** Who is a member where. */
  readonly membership = new Membership()
  /** Dependent domain → services it depends on. */
  readonly dependencies = new Map<string, Set<string>>()
  readonly #roleAudit = new Map<string, MemberAudit[]>()
  readonly #groupAudit = new Map<string, MemberAudit[]>()
  #lastAssertionId = 0
  #lastModified = 0

  /** Newest modification stamp of any domain, deleted ones included. */
  get lastModified(): number {
    return this.#lastModified
  }

  /** The next assertion id; ids are never used twice. */
  nextAssertionId(): number {
    this.#lastAssertionId += 1
    return this.#lastAssertionId
  }

  /** Greatest assertion id given so far. */
  get lastAssertionId(): number {
    return this.#lastAssertionId
  }

  /** Makes sure that ids up to this one are not given again. */
  reserveAssertionIds(last: number): void {
    this.#lastAssertionId = Math.max(this.#lastAssertionId, last)
  }

  /** Puts a domain that was read from disk. */
  restore(domain: MutableDomain): void {
    this.#insert(domain)
    this.#lastModified = Math.max(this.#lastModified, domain.modified)
  }

  /** Applies changes whose assertions have their ids, stamped `at` (epoch milliseconds). */
  apply(changes: readonly Change[], at: number): void {
    this.#lastModified = Math.max(this.#lastModified, at)
    for (const change of changes) {
      this.#remember(change)
      if (isDomainChange(change)) this.#applyToDomain(change, at)
      else this.#applyGlobally(change)
    }
  }

  /**
   * Applies a transaction again of which parts may be in what was restored: those of the domains for which `has` says
   * so are left out. Global changes, and that members are known, may be applied any number of times.
   */
  reapply(changes: readonly Change[], at: number, has: (domain: string) => boolean): void {
    const known = new Set<string>()
    for (const change of changes) if (isDomainChange(change) && has(change.domain)) known.add(change.domain)
    for (const change of changes) {
      if (isDomainChange(change) && known.has(change.domain)) this.#remember(change)
      else this.apply([change], at)
    }
    this.#lastModified = Math.max(this.#lastModified, at)
  }

  /** What belongs to no domain, as it is now and as it becomes while it is read. */
  globals(): Globals {
    return {
      principals: this.principals,
      dependencies: this.dependencies,
      lastAssertionId: this.#lastAssertionId,
      lastModified: this.#lastModified,
    }
  }

  /** Puts what belongs to no domain as it was read from disk. */
  restoreGlobals(globals: Globals): void {
    for (const [principal, suspended] of globals.principals) this.principals.set(principal, suspended)
    for (const [domain, services] of globals.dependencies) this.dependencies.set(domain, new Set(services))
    this.reserveAssertionIds(globals.lastAssertionId)
    this.#lastModified = Math.max(this.#lastModified, globals.lastModified)
  }

  /** History of a role's members, oldest first; the list must not be modified. */
  roleAudit(domain: string, role: string): readonly MemberAudit[] {
    return this.#roleAudit.get(auditKey(domain, role)) ?? []
  }

  /** History of a group's members, oldest first; the list must not be modified. */
  groupAudit(domain: string, group: string): readonly MemberAudit[] {
    return this.#groupAudit.get(auditKey(domain, group)) ?? []
  }

  /** Puts the history of a role that was read from disk. */
  restoreRoleAudit(domain: string, role: string, entries: MemberAudit[]): void {
    if (entries.length > 0) this.#roleAudit.set(auditKey(domain, role), entries)
  }

  /** Puts the history of a group that was read from disk. */
  restoreGroupAudit(domain: string, group: string, entries: MemberAudit[]): void {
    if (entries.length > 0) this.#groupAudit.set(auditKey(domain, group), entries)
  }

  #applyGlobally(change: GlobalChange): void {
    if (change.kind === 'putPrincipal') this.principals.set(change.principal, change.suspended)
    else if (change.kind === 'deletePrincipal') this.principals.delete(change.principal)
    else this.#applyDependency(change.kind, change.dependentDomain, change.service)
  }

  #applyDependency(kind: 'putDependency' | 'deleteDependency', domain: string, service: string): void {
    const services = this.dependencies.get(domain) ?? new Set()
    if (kind === 'putDependency') services.add(service)
    else services.delete(service)
    if (services.size > 0) this.dependencies.set(domain, services)
    else this.dependencies.delete(domain)
  }

  #applyToDomain(change: DomainChange, at: number): void {
    if (change.kind === 'createDomain') {
      this.#insert(stamped(change.value as MutableDomain, at))
      return
    }
    const domain = this.domains.get(change.domain)
    if (!domain) return
    if (change.kind === 'deleteDomain') {
      this.#remove(domain)
      return
    }
    this.#follow(domain, change)
    applyChange(domain, change, at)
  }

  /** Keeps the indexes in step with a change that is about to be applied. */
  #follow(domain: MutableDomain, change: DomainChange): void {
    switch (change.kind) {
      case 'putRoleMember':
        if (domain.roles.get(change.role)?.members.get(change.value.memberName) === undefined) {
          if (domain.roles.has(change.role)) this.membership.roles.add(change.value.memberName, domain.name)
        }
        return
      case 'deleteRoleMember':
        if (domain.roles.get(change.role)?.members.get(change.member)) {
          this.membership.roles.remove(change.member, domain.name)
        }
        return
      case 'putGroupMember':
        if (domain.groups.get(change.group)?.members.get(change.value.memberName) === undefined) {
          if (domain.groups.has(change.group)) this.membership.groups.add(change.value.memberName, domain.name)
        }
        return
      case 'deleteGroupMember':
        if (domain.groups.get(change.group)?.members.get(change.member)) {
          this.membership.groups.remove(change.member, domain.name)
        }
        return
      case 'putRole': {
        const old = domain.roles.get(change.value.name)
        if (old?.trust === change.value.trust) return
        if (old?.trust) this.membership.trusts.remove(old.trust, domain.name)
        if (change.value.trust) this.membership.trusts.add(change.value.trust, domain.name)
        return
      }
      case 'deleteRole':
        this.membership.forgetRole(domain.name, domain.roles.get(change.role))
        this.#roleAudit.delete(auditKey(domain.name, change.role))
        return
      case 'deleteGroup':
        this.membership.forgetGroup(domain.name, domain.groups.get(change.group))
        this.#groupAudit.delete(auditKey(domain.name, change.group))
        return
      case 'addRoleAudit':
        if (domain.roles.has(change.role)) append(this.#roleAudit, auditKey(domain.name, change.role), change.value)
        return
      case 'addGroupAudit':
        if (domain.groups.has(change.group)) append(this.#groupAudit, auditKey(domain.name, change.group), change.value)
        return
      default:
        return
    }
  }

  #insert(domain: MutableDomain): void {
    this.domains.set(domain.name, domain)
    this.names.add(domain.name)
    this.membership.rememberDomain(domain)
    this.#rememberAll(domain)
  }

  #remove(domain: MutableDomain): void {
    this.domains.delete(domain.name)
    this.names.delete(domain.name)
    this.membership.forgetDomain(domain)
    for (const role of domain.roles.keys()) this.#roleAudit.delete(auditKey(domain.name, role))
    for (const group of domain.groups.keys()) this.#groupAudit.delete(auditKey(domain.name, group))
  }

  /** Notes what stays when the change is undone by a later one: principals that were seen and ids that were given. */
  #remember(change: Change): void {
    switch (change.kind) {
      case 'createDomain':
        this.#rememberAll(change.value)
        return
      case 'putAssertion':
        this.reserveAssertionIds(change.value.id ?? 0)
        return
      case 'putRoleMember':
      case 'putPendingRoleMember':
      case 'putGroupMember':
      case 'putPendingGroupMember':
        this.#know(change.value.memberName)
        return
      default:
        return
    }
  }

  #rememberAll({ roles, groups, policies }: Domain): void {
    for (const versions of policies.values()) {
      for (const { assertions } of versions.values()) for (const id of assertions.keys()) this.reserveAssertionIds(id)
    }
    for (const collections of [roles.values(), groups.values()]) {
      for (const { members, pending } of collections) {
        for (const { memberName } of members.values()) this.#know(memberName)
        for (const memberName of pending.keys()) this.#know(memberName)
      }
    }
  }

  #know(principal: string): void {
    if (!this.principals.has(principal)) this.principals.set(principal, 0)
  }
}

/** A new domain with the time of the transaction on everything in it. */
function stamped(domain: MutableDomain, at: number): MutableDomain {
  const stamp = <T extends object>(value: T): T => ({ ...value, modified: at, created: at })
  const each = <T extends object>(map: ReadonlyMap<string, T>) =>
    new Map([...map].map(([name, value]) => [name, stamp(value)]))
  return {
    ...stamp(domain),
    roles: each(domain.roles),
    groups: each(domain.groups),
    policies: new Map(
      [...domain.policies].map(([name, versions]) => [name, each<Policy>(versions)]),
    ) as MutableDomain['policies'],
    services: each(domain.services),
    entities: each(domain.entities),
    templates: new Map(domain.templates),
  }
}

const auditKey = (domain: string, name: string) => `${domain}:${name}`

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
