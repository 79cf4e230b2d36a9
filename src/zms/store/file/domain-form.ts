import { Members } from '#core/rbac/members.ts'
import type { MutableDomain, MutableGroup, MutablePolicy, MutableRole, MutableService } from '../change.ts'
import type {
  Assertion,
  AssertionCondition,
  Domain,
  Entity,
  Group,
  GroupMember,
  PendingGroupMember,
  PendingRoleMember,
  Policy,
  Quota,
  ResourceOwnership,
  Role,
  RoleMember,
  Service,
  Tags,
} from '../model.ts'
import { SmallMap } from '../small-map.ts'

/**
 * Domains as JSON: objects as they are in the model, maps of named objects as arrays, other maps as arrays of pairs (so
 * that no name has a meaning of its own, and the order stays).
 */

/** Pairs of a map. */
export type Pairs<K, V> = (readonly [K, V])[]

/** The maps that settings of several kinds of objects have, as JSON. */
export interface SettingsForm {
  tags?: Pairs<string, readonly string[]>
  resourceOwnership?: Pairs<string, string>
  contacts?: Pairs<string, string>
}

/** An assertion as JSON. */
export type AssertionForm = Omit<Assertion, 'conditions'> & { conditions?: ConditionsForm }
/** Conditions of an assertion as JSON. */
export type ConditionsForm = Pairs<number, Pairs<string, { readonly operator: string; readonly value: string }>>

type Form<T, Held extends string> = Omit<T, Held | keyof SettingsForm> & SettingsForm
type RoleForm = Form<Role, 'members' | 'pending'> & { members: RoleMember[]; pending: PendingRoleMember[] }
type GroupForm = Form<Group, 'members' | 'pending'> & { members: GroupMember[]; pending: PendingGroupMember[] }
type PolicyForm = Form<Policy, 'assertions'> & { assertions: AssertionForm[] }
type ServiceForm = Form<Service, 'publicKeys' | 'hosts'> & { publicKeys: Pairs<string, string>; hosts: string[] }

/** A domain as JSON. */
export type DomainForm = Form<
  Domain,
  'roles' | 'groups' | 'policies' | 'services' | 'entities' | 'templates' | 'quota' | 'policiesRevision'
> & {
  roles: RoleForm[]
  groups: GroupForm[]
  policies: PolicyForm[]
  services: ServiceForm[]
  entities: Entity[]
  templates: Pairs<string, number>
  quota?: Quota
}

const NO_HOSTS: ReadonlySet<string> = new Set()

/** Members of one role that are put into text at once. */
const PIECE_SIZE = 500

/** The JSON text of a domain in pieces of bounded size, for those who must not stop the event loop for a large one. */
export function* domainPieces(domain: Domain): Generator<string> {
  const { roles, groups, policies, services, entities, templates, policiesRevision: _, quota, ...base } = domain
  const settings = JSON.stringify({ ...formOfSettings(base), quota, templates: [...templates] })
  yield `${settings.slice(0, -1)},"entities":`
  yield* arrayPieces(entities.values(), (entity) => entity)
  yield ',"services":'
  yield* arrayPieces(services.values(), formOfService)
  yield ',"policies":['
  let first = true
  for (const versions of policies.values()) {
    for (const { assertions, ...policy } of versions.values()) {
      yield opening(formOfSettings(policy), first)
      yield ',"assertions":'
      yield* arrayPieces(assertions.values(), formOfAssertion)
      yield '}'
      first = false
    }
  }
  yield '],"groups":['
  yield* collectionPieces(groups.values())
  yield '],"roles":['
  yield* collectionPieces(roles.values())
  yield ']}'
}

function* collectionPieces(collections: Iterable<Role | Group>): Generator<string> {
  let first = true
  for (const { members, pending, ...collection } of collections) {
    yield opening(formOfSettings(collection), first)
    yield ',"members":'
    yield* arrayPieces(members.values(), (member) => member)
    yield ',"pending":'
    yield* arrayPieces(pending.values(), (member) => member)
    yield '}'
    first = false
  }
}

/** An object's text without its last brace. */
const opening = (object: object, first: boolean) => `${first ? '' : ','}${JSON.stringify(object).slice(0, -1)}`

function* arrayPieces<T>(values: Iterable<T>, form: (value: T) => unknown): Generator<string> {
  yield '['
  let piece: unknown[] = []
  let first = true
  const text = () => {
    const items = JSON.stringify(piece).slice(1, -1)
    const separated = first ? items : `,${items}`
    ;[piece, first] = [[], false]
    return separated
  }
  for (const value of values) {
    piece.push(form(value))
    if (piece.length === PIECE_SIZE) yield text()
  }
  if (piece.length > 0) yield text()
  yield ']'
}

/** Settings of any kind of object with their maps as JSON; everything else stays. */
export function formOfSettings<T extends { tags?: Tags; resourceOwnership?: ResourceOwnership }>(
  settings: T & { contacts?: ReadonlyMap<string, string> },
): Omit<T, keyof SettingsForm> & SettingsForm {
  const { tags, resourceOwnership, contacts, ...rest } = settings
  return {
    ...rest,
    ...(tags && { tags: [...tags] }),
    ...(resourceOwnership && { resourceOwnership: [...resourceOwnership] }),
    ...(contacts && { contacts: [...contacts] }),
  }
}

interface SettingsMaps {
  tags?: Tags
  resourceOwnership?: ResourceOwnership
  contacts?: ReadonlyMap<string, string>
}

/** Takes `formOfSettings` back, in place. */
export function settingsOf<F extends SettingsForm>(form: F): Omit<F, keyof SettingsForm> & SettingsMaps {
  return Object.assign<F, SettingsMaps>(form, {
    ...(form.tags && { tags: new Map(form.tags) }),
    ...(form.resourceOwnership && { resourceOwnership: new Map(form.resourceOwnership) }),
    ...(form.contacts && { contacts: new Map(form.contacts) }),
  })
}

/** An assertion as JSON. */
export function formOfAssertion({ conditions, ...assertion }: Assertion): AssertionForm {
  return conditions ? { ...assertion, conditions: formOfConditions(conditions) } : assertion
}

/** Takes `formOfAssertion` back, in place. */
export function assertionOf(form: AssertionForm): Assertion {
  return form.conditions ? Object.assign(form, { conditions: conditionsOf(form.conditions) }) : (form as Assertion)
}

/** Conditions of an assertion as JSON. */
export const formOfConditions = (conditions: ReadonlyMap<number, AssertionCondition>): ConditionsForm =>
  [...conditions].map(([id, keys]) => [id, [...keys]])

/** Takes `formOfConditions` back. */
export const conditionsOf = (form: ConditionsForm): Map<number, AssertionCondition> =>
  new Map(form.map(([id, keys]) => [id, new Map(keys)]))

const formOfService = ({ publicKeys, hosts, ...service }: Service) => ({
  ...formOfSettings(service),
  publicKeys: [...publicKeys],
  hosts: [...hosts],
})

/** Gives the same string object for equal texts, so that a name that occurs often takes memory once. */
export class SharedTexts {
  readonly #texts = new Map<string, string>()

  of(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    this.#texts.set(text, text)
    return text
  }
}

/**
 * The domain that a parsed JSON text describes. The parsed objects become those of the domain: copies of all of them
 * would take as much time again, and objects that were parsed are laid out more compactly than copies.
 */
export function domainOf(form: DomainForm, texts: SharedTexts): MutableDomain {
  const { roles, groups, policies, services, entities, templates } = form
  const versions = new Map<string, SmallMap<string, MutablePolicy>>()
  for (const policy of policies.map(policyOf)) {
    const others = versions.get(policy.name)
    if (others) others.set(policy.version, policy)
    else versions.set(policy.name, new SmallMap([[policy.version, policy]]))
  }
  return Object.assign(settingsOf(form), {
    roles: named(roles.map((role) => roleOf(role, texts))),
    groups: named(groups.map((group) => groupOf(group, texts))),
    policies: versions,
    services: named(services.map(serviceOf)),
    entities: named(entities),
    templates: new SmallMap(templates),
    policiesRevision: 0,
  })
}

const named = <T extends { name: string }>(objects: readonly T[]): SmallMap<string, T> =>
  new SmallMap(objects.map((object) => [object.name, object]))

function roleOf(form: RoleForm, texts: SharedTexts): MutableRole {
  return Object.assign(settingsOf(form), {
    members: membersOf(form.members, texts),
    pending: pendingOf(form.pending),
  })
}

function groupOf(form: GroupForm, texts: SharedTexts): MutableGroup {
  return Object.assign(settingsOf(form), {
    members: membersOf(form.members, texts),
    pending: pendingOf(form.pending),
  })
}

function membersOf<M extends RoleMember | GroupMember>(members: readonly M[], texts: SharedTexts): Members<M> {
  for (const member of members) {
    member.memberName = texts.of(member.memberName)
    if (member.requestPrincipal !== undefined) member.requestPrincipal = texts.of(member.requestPrincipal)
  }
  return new Members(members)
}

const pendingOf = <P extends { memberName: string }>(pending: readonly P[]): SmallMap<string, P> =>
  new SmallMap(pending.map((member) => [member.memberName, member]))

function policyOf(form: PolicyForm): MutablePolicy {
  let resource = ''
  const assertions = form.assertions.map((each): [number, Assertion] => {
    const assertion = assertionOf(each)
    // Assertions that follow each other often have the same.
    if (assertion.resource === resource) assertion.resource = resource
    resource = assertion.resource
    return [assertion.id as number, assertion]
  })
  return Object.assign(settingsOf(form), { assertions: new SmallMap(assertions) })
}

function serviceOf(form: ServiceForm): MutableService {
  return Object.assign(settingsOf(form), {
    publicKeys: new SmallMap(form.publicKeys),
    hosts: form.hosts.length > 0 ? new Set(form.hosts) : NO_HOSTS,
  })
}
