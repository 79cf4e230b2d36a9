import { CompiledPolicies } from '#core/rbac/compiled-policies.ts'
import { atOnce, inTurns } from '#core/seam/steps.ts'
import type {
  CachedDomain,
  CachedGroup,
  CachedPolicy,
  CachedRole,
  CachedService,
  DomainSettings,
  Tags,
} from './model.ts'
import { type IndexedDomain, RoleIndex } from './role-index.ts'

/** Everything of a domain that is given, not computed. */
export type DomainContent = Omit<CachedDomain, 'policies' | 'rolesToJudge' | 'enabled'>

/** The index of fewer members is made in less than a millisecond. */
const PREPARED_SIZE = 2_000

/** A domain in memory, with what is computed for questions; the index of roles is made when it is first needed. */
export class CompiledDomain implements CachedDomain, IndexedDomain {
  readonly name: string
  readonly enabled = true
  readonly modified: number
  readonly settings: DomainSettings
  readonly tags: Tags
  readonly roles: ReadonlyMap<string, CachedRole>
  readonly groups: ReadonlyMap<string, CachedGroup>
  readonly services: ReadonlyMap<string, CachedService>
  readonly entities: ReadonlyMap<string, unknown>
  readonly policies: CompiledPolicies<CachedPolicy>
  readonly policyVersions: readonly CachedPolicy[]
  readonly policiesSignature: CachedDomain['policiesSignature']
  readonly #lookup: (name: string) => IndexedDomain | undefined
  #index: RoleIndex | undefined

  /** `lookup` gives the other domains that groups and delegated roles lead to, as they are at that moment. */
  constructor(content: DomainContent, lookup: (name: string) => IndexedDomain | undefined) {
    this.name = content.name
    this.modified = content.modified
    this.settings = content.settings
    this.tags = content.tags
    this.roles = content.roles
    this.groups = content.groups
    this.services = content.services
    this.entities = content.entities
    this.policyVersions = content.policyVersions
    this.policiesSignature = content.policiesSignature
    this.policies = new CompiledPolicies(
      content.name,
      content.policyVersions.filter(({ active }) => active),
    )
    this.#lookup = lookup
  }

  /** Makes the index now, letting others have their turn, where making it at the first question would hold them up. */
  async prepare(): Promise<void> {
    let members = 0
    for (const role of this.roles.values()) members += role.members.size
    if (members >= PREPARED_SIZE) this.#index = await inTurns(RoleIndex.steps(this, this.#lookup))
  }

  rolesToJudge(principal: string): readonly string[] {
    return this.#roleIndex().rolesToJudge(principal)
  }

  mayHoldOwnRole(principal: string): boolean {
    return this.#roleIndex().mayHoldOwnRole(principal)
  }

  #roleIndex(): RoleIndex {
    return (this.#index ??= atOnce(RoleIndex.steps(this, this.#lookup)))
  }
}
