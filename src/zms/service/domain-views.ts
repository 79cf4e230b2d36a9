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

const VIEW = Symbol('view')

/** The view of a domain, kept with it: to follow one reference costs a quarter of a look-up in a WeakMap. */
export function viewOf(domain: Domain & { readonly [VIEW]?: DomainView<Policy> }): DomainView<Policy> {
  const known = domain[VIEW]
  if (known) return known
  const view = new StoredDomainView(domain)
  // Not enumerable: a copy of the domain, with changes that are its own, must not have this view.
  Object.defineProperty(domain, VIEW, { value: view })
  return view
}
