import { applyChange } from '../apply.ts'
import { type Change, type DomainChange, type GlobalChange, isDomainChange, type MutableDomain } from '../change.ts'
import type { Domain } from '../model.ts'
import type { History } from './history.ts'
import { Membership } from './membership.ts'
import { ModificationOrder } from './modification-order.ts'
import { applyNotice, type LoggedChange } from './notice-change.ts'
import { ownDomain } from './own-domain.ts'
import { SortedNames } from './sorted-names.ts'

/** Where a transaction is among all, and what it stamps. */
export interface TransactionPlace {
  readonly sequence: number
  /** Stamp of the objects it changes, in epoch milliseconds. */
  readonly at: number
  /** Stamp of their domains. */
  readonly stamp: number
}

/** What belongs to no domain. */
export interface Globals {
  /** Principal → suspension bits. */
  readonly principals: Iterable<readonly [string, number]>
  /** Dependent domain → services. */
  readonly dependencies: Iterable<readonly [string, Iterable<string>]>
  readonly lastAssertionId: number
  readonly lastModified: number
}

/** Ids of assertions are greater, as in a new database, so that none looks like another number of a log or an answer. */
const ASSERTION_IDS_AFTER = 100_000

/**
 * All data of the file store in memory, with what its queries need to be quick. Changes are applied here only once they
 * are durable; applying is synchronous, so that readers see all of a transaction or nothing.
 */
export class Memory {
  readonly domains = new Map<string, MutableDomain>()
  readonly names = new SortedNames()
  readonly modifications = new ModificationOrder((name) => this.domains.get(name)?.modified)
  /** Every name that was ever a member → its suspension bits. */
  readonly principals = new Map<string, number>()
  /** Who is a member where. */
  readonly membership = new Membership()
  /** Dependent domain → services it depends on. */
  readonly dependencies = new Map<string, Set<string>>()
  /** What happened to the members of roles and groups. */
  readonly history: History
  #lastAssertionId = ASSERTION_IDS_AFTER
  #lastModified = 0

  constructor(history: History) {
    this.history = history
  }

  /** Newest modification stamp of any domain, deleted ones included. */
  get lastModified(): number {
    return this.#lastModified
  }

  /** The next assertion id; ids are never used twice. */
  nextAssertionId(): number {
    this.#lastAssertionId += 1
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

  /** Applies the changes of a transaction, whose assertions have their ids. */
  apply(changes: readonly LoggedChange[], transaction: TransactionPlace): void {
    this.reapply(changes, transaction, () => false)
  }

  /**
   * Applies a transaction of which parts may already be in what was restored: those of the domains for which `has` says
   * so are left out. Global changes, and that members are known, may be applied any number of times.
   */
  reapply(changes: readonly LoggedChange[], transaction: TransactionPlace, has: (domain: string) => boolean): void {
    this.#lastModified = Math.max(this.#lastModified, transaction.stamp)
    for (const change of changes) {
      if (change.kind === 'noteNotice') {
        const domain = this.domains.get(change.domain)
        if (domain && !has(change.domain)) applyNotice(domain, change)
        continue
      }
      this.#remember(change)
      if (!isDomainChange(change)) this.#applyGlobally(change)
      else if (!has(change.domain)) this.#applyToDomain(change, transaction)
    }
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

  #applyToDomain(change: DomainChange, { sequence, at, stamp }: TransactionPlace): void {
    if (change.kind === 'createDomain') {
      this.#insert({ ...ownDomain(change.value, at), modified: stamp })
      return
    }
    const domain = this.domains.get(change.domain)
    if (!domain) return
    if (change.kind === 'deleteDomain') {
      this.#remove(domain)
      return
    }
    this.#follow(domain, change, sequence)
    applyChange(domain, change, at)
    domain.modified = stamp
    this.modifications.note(domain.name, stamp)
  }

  /** Keeps the indexes in step with a change that is about to be applied. */
  #follow(domain: MutableDomain, change: DomainChange, sequence: number): void {
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
        this.history.forget(domain.name, 'role', change.role)
        return
      case 'deleteGroup':
        this.membership.forgetGroup(domain.name, domain.groups.get(change.group))
        this.history.forget(domain.name, 'group', change.group)
        return
      case 'addRoleAudit':
        if (domain.roles.has(change.role)) this.history.add(domain.name, 'role', change.role, change.value, sequence)
        return
      case 'addGroupAudit':
        if (domain.groups.has(change.group))
          this.history.add(domain.name, 'group', change.group, change.value, sequence)
        return
      default:
        return
    }
  }

  #insert(domain: MutableDomain): void {
    this.domains.set(domain.name, domain)
    this.names.add(domain.name)
    this.modifications.note(domain.name, domain.modified)
    this.membership.rememberDomain(domain)
    this.#rememberAll(domain)
  }

  #remove(domain: MutableDomain): void {
    this.domains.delete(domain.name)
    this.names.delete(domain.name)
    this.membership.forgetDomain(domain)
    this.history.forgetDomain(domain.name)
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
