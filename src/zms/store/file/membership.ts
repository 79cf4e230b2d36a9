import type { Domain, Group, Role } from '../model.ts'

/** How often a name occurs in each domain: name → domain → number of occurrences. */
class Occurrences {
  readonly #domains = new Map<string, Map<string, number>>()

  add(name: string, domain: string): void {
    const counts = this.#domains.get(name)
    if (counts) counts.set(domain, (counts.get(domain) ?? 0) + 1)
    else this.#domains.set(name, new Map([[domain, 1]]))
  }

  remove(name: string, domain: string): void {
    const counts = this.#domains.get(name)
    const count = counts?.get(domain)
    if (!counts || count === undefined) return
    if (count > 1) counts.set(domain, count - 1)
    else if (counts.size > 1) counts.delete(domain)
    else this.#domains.delete(name)
  }

  /** Domains in which the name occurs, ascending. */
  domainsOf(name: string): string[] {
    return [...(this.#domains.get(name)?.keys() ?? [])].sort()
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
