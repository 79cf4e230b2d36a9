import type { PrincipalType } from '#core/names/principal-name.ts'
import { CanonicalPart, type CanonicalShape, canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import type { Domain, Entity, Group, GroupMember, Policy, Role, RoleMember, Service } from '../store/model.ts'
import { activePolicies } from './domain-views.ts'
import { entityReply } from './entity-reply.ts'
import { groupIdentityReply, groupSettingsReply, listedGroupMemberReply } from './group-reply.ts'
import { Pace } from './pace.ts'
import { signedPolicyReply, wholePolicyReply } from './policy-reply.ts'
import { listedMemberReply, roleIdentityReply, roleSettingsReply } from './role-reply.ts'
import { serviceReply } from './service-reply.ts'
import { listedSettings, signedSettings } from './signed-settings.ts'
import { timestamp } from './wire-form.ts'

/** What is told of a domain: to `getSignedDomains` without or with conditions, or in a web signature. */
export type SignedForm = 'signed' | 'signed-with-conditions' | 'jws' | 'jws-with-credentials'

/** An object as JSON, and its canonical text. */
export interface Texts {
  readonly json: string
  readonly canonical: string
}

/** Members or assertions that are written between two looks at the time. */
const PIECE_SIZE = 200

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
  readonly #pace = new Pace()

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
    const { json } = await this.#list(this.#allPolicies, (each) => this.#policyReply(each), undefined)
    const bare = (each: Policy) => signedPolicyReply(this.#name, each, { conditions: false })
    const { canonical } = await this.#list(this.#activePolicies, bare, canonicalShapes.policy)
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
    const roles = await this.#texts(this.#roles, (each) => this.#role(...each))
    const groups = await this.#texts(this.#groups, (each) => this.#group(...each))
    const services = await this.#list(this.#services, (each) => this.#serviceReply(each), canonicalShapes.service)
    const entities = await this.#list(this.#entities, (each) => entityReply(this.#name, each), undefined)
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
      await this.#list(members, memberReply, canonicalShapes.roleMember),
      canonicalShapes.role,
    )
  }

  async #group(each: Omit<Group, 'members'>, members: readonly GroupMember[]): Promise<Texts> {
    const reply = { ...groupSettingsReply(each), ...groupIdentityReply(this.#name, each) }
    const memberReply = (member: GroupMember) => listedGroupMemberReply(this.#name, each, member)
    return collectionTexts(
      reply,
      'groupMembers',
      await this.#list(members, memberReply, canonicalShapes.groupMember),
      canonicalShapes.group,
    )
  }

  /** A list of objects; without a shape, only its JSON. */
  #list<T>(
    items: readonly T[],
    reply: (item: T) => Record<string, unknown>,
    shape: CanonicalShape | undefined,
  ): Promise<Texts> {
    return this.#texts(pieces(items), (piece) => {
      const replies = piece.map(reply)
      return {
        json: withoutBrackets(JSON.stringify(replies)),
        canonical: shape ? withoutBrackets(canonicalText(replies, shape)) : '',
      }
    })
  }

  /** A list of the texts of each item; others have their turn in between. */
  async #texts<T>(items: Iterable<T>, textsOf: (item: T) => Texts | Promise<Texts>): Promise<Texts> {
    const json: string[] = []
    const canonical: string[] = []
    for (const item of items) {
      const texts = await textsOf(item)
      json.push(texts.json)
      canonical.push(texts.canonical)
      await this.#pace.pause()
    }
    return { json: `[${json.join(',')}]`, canonical: `[${canonical.join(',')}]` }
  }
}

const copyOf = (policy: Policy): Policy => ({ ...policy, assertions: new Map(policy.assertions) })

const withoutBrackets = (list: string): string => list.slice(1, -1)

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

function* pieces<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += PIECE_SIZE) yield items.slice(start, start + PIECE_SIZE)
}
