import { CompiledPolicies } from '#core/rbac/compiled-policies.ts'
import type { DomainView } from '#core/rbac/domain-view.ts'
import type { Domain, Policy } from '../store/model.ts'

/** A domain of the store as the access engine reads it; its policies are compiled once per revision. */
class StoredDomainView implements DomainView<Policy> {
  readonly #domain: Domain
  #policies: CompiledPolicies<Policy> | undefined
  #revision = -1

  constructor(domain: Domain) {
    this.#domain = domain
  }

  get name(): string {
    return this.#domain.name
  }
  get enabled(): boolean {
    return this.#domain.enabled
  }
  get roles(): Domain['roles'] {
    return this.#domain.roles
  }
  get groups(): Domain['groups'] {
    return this.#domain.groups
  }
  get policies(): CompiledPolicies<Policy> {
    if (!this.#policies || this.#revision !== this.#domain.policiesRevision) {
      this.#revision = this.#domain.policiesRevision
      this.#policies = new CompiledPolicies(this.#domain.name, activePolicies(this.#domain), { roleNames: 'local' })
    }
    return this.#policies
  }
}

/** The versions of a domain's policies that are in force. */
export function* activePolicies(domain: Domain): Generator<Policy> {
  for (const versions of domain.policies.values()) {
    for (const policy of versions.values()) if (policy.active) yield policy
  }
}

/** Views of domains, kept as long as the store keeps the domain. */
export class DomainViews {
  readonly #views = new WeakMap<Domain, StoredDomainView>()

  of(domain: Domain): DomainView<Policy> {
    let view = this.#views.get(domain)
    if (!view) {
      view = new StoredDomainView(domain)
      this.#views.set(domain, view)
    }
    return view
  }
}
