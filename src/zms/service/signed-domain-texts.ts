import type { PrincipalType } from '#core/names/principal-name.ts'
import { CanonicalPart, type CanonicalShape, canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { SignedTexts, type Texts } from '#core/token/signed-texts.ts'
import type { Domain, Entity, Group, GroupMember, Policy, Role, RoleMember, Service } from '../store/model.ts'
import { activePolicies } from './domain-views.ts'
import { entityReply } from './entity-reply.ts'
import { groupIdentityReply, groupSettingsReply, listedGroupMemberReply } from './group-reply.ts'
import { signedPolicyReply, wholePolicyReply } from './policy-reply.ts'
import { listedMemberReply, roleIdentityReply, roleSettingsReply } from './role-reply.ts'
import { serviceReply } from './service-reply.ts'
import { listedSettings, signedSettings } from './signed-settings.ts'
import { timestamp } from './wire-form.ts'

/** What is told of a domain: to `getSignedDomains` without or with conditions, or in a web signature. */
export type SignedForm = 'signed' | 'signed-with-conditions' | 'jws' | 'jws-with-credentials'

/**
 * Writes the signed texts of a domain as it is when this is made: the maps are copied at once, since the store may change
 * them while a large domain is being written, piece by piece. What a map holds is replaced, not changed, except for the
 * settings of roles and the like, which are copied too.
 */
export class SignedDomainTexts {
  readonly #name: string
  readonly #modified: number
  readonly #form: SignedForm
  readonly #typeOf: (memberName: string) => PrincipalType
  readonly #settings: Record<string, unknown>
  readonly #roles: readonly (readonly [Omit<Role, 'members'>, readonly RoleMember[]])[]
  readonly #groups: readonly (readonly [Omit<Group, 'members'>, readonly GroupMember[]])[]
  readonly #services: readonly Service[]
  readonly #entities: readonly Entity[]
  readonly #activePolicies: readonly Policy[]
  readonly #allPolicies: readonly Policy[]
  readonly #texts = new SignedTexts()

  constructor(domain: Domain, form: SignedForm, typeOf: (memberName: string) => PrincipalType) {
    this.#name = domain.name
    this.#modified = domain.modified
    this.#form = form
    this.#typeOf = typeOf
    this.#settings = this.#isJws ? listedSettings(domain) : signedSettings(domain)
    this.#roles = [...domain.roles.values()].map((each) => [{ ...each }, [...each.members]])
    this.#groups = [...domain.groups.values()].map((each) => [{ ...each }, [...each.members]])
    this.#services = [...domain.services.values()].map((each) => ({ ...each, publicKeys: new Map(each.publicKeys) }))
    this.#entities = [...domain.entities.values()]
    this.#activePolicies = [...activePolicies(domain)].map(copyOf)
    const versions = [...domain.policies.values()].flatMap((each) => [...each.values()])
    this.#allPolicies = this.#isJws ? versions.map(copyOf) : this.#activePolicies
  }

  /** The domain's name and policies: only those in force in the canonical text, all versions in a web signature. */
  async contents(): Promise<Texts> {
    const { json } = await this.#texts.list(this.#allPolicies, (each) => this.#policyReply(each), undefined)
    const bare = (each: Policy) => signedPolicyReply(this.#name, each, { conditions: false })
    const { canonical } = await this.#texts.list(this.#activePolicies, bare, canonicalShapes.policy)
    return {
      json: `{"domain":${JSON.stringify(this.#name)},"policies":${json}}`,
      canonical: canonicalText(
        { domain: this.#name, policies: new CanonicalPart(canonical) },
        canonicalShapes.contents,
      ),
    }
  }

  /** The whole domain, with its signed policies. A web signature has no canonical text. */
  async domain(policies: Texts): Promise<Texts> {
    const roles = await this.#texts.each(this.#roles, (each) => this.#role(...each))
    const groups = await this.#texts.each(this.#groups, (each) => this.#group(...each))
    const services = await this.#texts.list(this.#services, (each) => this.#serviceReply(each), canonicalShapes.service)
    const entities = await this.#texts.list(this.#entities, (each) => entityReply(this.#name, each), undefined)
    const base = { ...this.#settings, name: this.#name, modified: timestamp(this.#modified) }
    const json = [
      JSON.stringify(base).slice(0, -1),
      `"roles":${roles.json}`,
      `"policies":${policies.json}`,
      `"services":${services.json}`,
      `"entities":${entities.json}`,
      `"groups":${groups.json}}`,
    ].join(',')
    if (this.#isJws) return { json, canonical: '' }
    const parts = {
      ...base,
      roles: new CanonicalPart(roles.canonical),
      policies: new CanonicalPart(policies.canonical),
      services: new CanonicalPart(services.canonical),
      groups: this.#groups.length > 0 ? new CanonicalPart(groups.canonical) : undefined,
    }
    return { json, canonical: canonicalText(parts, canonicalShapes.domain) }
  }

  get #isJws(): boolean {
    return this.#form === 'jws' || this.#form === 'jws-with-credentials'
  }

  #policyReply(each: Policy): Record<string, unknown> {
    if (this.#isJws) return wholePolicyReply(this.#name, each)
    return signedPolicyReply(this.#name, each, { conditions: this.#form === 'signed-with-conditions' })
  }

  #serviceReply(each: Service): Record<string, unknown> {
    const reply = serviceReply(this.#name, each)
    if (this.#form !== 'jws-with-credentials' || each.creds === undefined) return reply
    return { ...reply, creds: each.creds }
  }

  async #role(each: Omit<Role, 'members'>, members: readonly RoleMember[]): Promise<Texts> {
    const reply = { ...roleSettingsReply(each), ...roleIdentityReply(this.#name, each) }
    const memberReply = (member: RoleMember) => listedMemberReply(member, this.#typeOf(member.memberName))
    return collectionTexts(
      reply,
      'roleMembers',
      await this.#texts.list(members, memberReply, canonicalShapes.roleMember),
      canonicalShapes.role,
    )
  }

  async #group(each: Omit<Group, 'members'>, members: readonly GroupMember[]): Promise<Texts> {
    const reply = { ...groupSettingsReply(each), ...groupIdentityReply(this.#name, each) }
    const memberReply = (member: GroupMember) => listedGroupMemberReply(this.#name, each, member)
    return collectionTexts(
      reply,
      'groupMembers',
      await this.#texts.list(members, memberReply, canonicalShapes.groupMember),
      canonicalShapes.group,
    )
  }
}

const copyOf = (policy: Policy): Policy => ({ ...policy, assertions: new Map(policy.assertions) })

/** A role or group with its members, which are left out when there are none. */
function collectionTexts(
  reply: Record<string, unknown>,
  member: 'roleMembers' | 'groupMembers',
  members: Texts,
  shape: CanonicalShape,
): Texts {
  if (members.json === '[]') return { json: JSON.stringify(reply), canonical: canonicalText(reply, shape) }
  return {
    json: `${JSON.stringify(reply).slice(0, -1)},"${member}":${members.json}}`,
    canonical: canonicalText({ ...reply, [member]: new CanonicalPart(members.canonical) }, shape),
  }
}
