import type { Domain, Group, Role } from '../model.ts'
import { SmallMap } from '../small-map.ts'

/** How often a name occurs in each domain. */
class Occurrences {
  /** The domain of a name that occurs once, as most do; else the number of occurrences by domain. */
  readonly #domains = new Map<string, string | Map<string, number>>()

  add(name: string, domain: string): void {
    const known = this.#domains.get(name)
    if (known === undefined) {
      this.#domains.set(name, domain)
      return
    }
    const counts = typeof known === 'string' ? new SmallMap([[known, 1]]) : known
    counts.set(domain, (counts.get(domain) ?? 0) + 1)
    this.#domains.set(name, counts)
  }

  remove(name: string, domain: string): void {
    const known = this.#domains.get(name)
    if (known === domain) this.#domains.delete(name)
    if (known === undefined || typeof known === 'string') return
    const count = known.get(domain)
    if (count === undefined) return
    if (count > 1) known.set(domain, count - 1)
    else known.delete(domain)
    if (known.size === 0) this.#domains.delete(name)
  }

  /** Domains in which the name occurs, ascending. */
  domainsOf(name: string): string[] {
    const known = this.#domains.get(name)
    if (known === undefined) return []
    return typeof known === 'string' ? [known] : [...known.keys()].sort()
  }

  names(): IterableIterator<string> {
    return this.#domains.keys()
  }
}

/** In which domains a name is a member of roles or groups, or trusted by roles; where exactly is in the domain. */
export class Membership {
  readonly roles = new Occurrences()
  readonly groups = new Occurrences()
  /** By trust domain. */
  readonly trusts = new Occurrences()

  rememberDomain(domain: Domain): void {
    for (const role of domain.roles.values()) {
      for (const { memberName } of role.members.values()) this.roles.add(memberName, domain.name)
      if (role.trust) this.trusts.add(role.trust, domain.name)
    }
    for (const group of domain.groups.values()) {
      for (const { memberName } of group.members.values()) this.groups.add(memberName, domain.name)
    }
  }

  forgetDomain(domain: Domain): void {
    for (const role of domain.roles.values()) this.forgetRole(domain.name, role)
    for (const group of domain.groups.values()) this.forgetGroup(domain.name, group)
  }

  forgetRole(domain: string, role: Role | undefined): void {
    if (!role) return
    for (const { memberName } of role.members.values()) this.roles.remove(memberName, domain)
    if (role.trust) this.trusts.remove(role.trust, domain)
  }

  forgetGroup(domain: string, group: Group | undefined): void {
    if (!group) return
    for (const { memberName } of group.members.values()) this.groups.remove(memberName, domain)
  }
}
