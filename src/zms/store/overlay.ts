import type { MemberEntry, Members } from '#core/rbac/members.ts'
import { applyChange } from './apply.ts'
import type { DomainChange, MutableDomain } from './change.ts'
import { ForkedMembers } from './forked-members.ts'
import { standInAt } from './stand-ins.ts'

/** The maps of a domain, as its changes concern them. */
type Holding = 'roles' | 'groups' | 'policies' | 'services' | 'entities' | 'templates'

/**
 * A domain with changes that the one given does not get. Only what the changes touch is copied, once, and of members not
 * even that, so that the size of a domain or role hardly matters.
 */
export class Overlay {
  readonly domain: MutableDomain
  readonly #copied = new Set<object>()

  constructor(domain: MutableDomain) {
    this.domain = { ...domain }
  }

  /** Applies a change, whose assertion has its id, with the time `at`. */
  apply(change: DomainChange, at: number): void {
    const holding = HOLDING_OF[change.kind]
    if (holding) this.#own(holding)
    detach(this.domain, change, this.#copied)
    applyChange(this.domain, change, at)
  }

  #own(holding: Holding): void {
    const maps = this.domain as Record<Holding, Map<string, unknown>>
    if (this.#copied.has(maps[holding])) return
    maps[holding] = new Map(maps[holding])
    this.#copied.add(maps[holding])
  }
}

/** Which of a domain's maps each kind of change concerns. */
const HOLDING_OF: Readonly<Record<DomainChange['kind'], Holding | undefined>> = {
  putRole: 'roles',
  deleteRole: 'roles',
  putRoleMember: 'roles',
  deleteRoleMember: 'roles',
  putPendingRoleMember: 'roles',
  deletePendingRoleMember: 'roles',
  putGroup: 'groups',
  deleteGroup: 'groups',
  putGroupMember: 'groups',
  deleteGroupMember: 'groups',
  putPendingGroupMember: 'groups',
  deletePendingGroupMember: 'groups',
  putPolicy: 'policies',
  deletePolicy: 'policies',
  putAssertion: 'policies',
  deleteAssertion: 'policies',
  putConditions: 'policies',
  putService: 'services',
  deleteService: 'services',
  putPublicKey: 'services',
  deletePublicKey: 'services',
  putHosts: 'services',
  putEntity: 'entities',
  deleteEntity: 'entities',
  putTemplate: 'templates',
  deleteTemplate: 'templates',
  createDomain: undefined,
  deleteDomain: undefined,
  putDomain: undefined,
  touchDomain: undefined,
  addRoleAudit: undefined,
  addGroupAudit: undefined,
  putQuota: undefined,
  deleteQuota: undefined,
}

/** The domain as it will be after `changes`, without touching the one given. */
export function overlay(domain: MutableDomain, changes: readonly DomainChange[], at: number): MutableDomain {
  const view = new Overlay(domain)
  for (const [index, change] of changes.entries()) view.apply(withStandIn(change, index), at)
  return view.domain
}

function withStandIn(change: DomainChange, index: number): DomainChange {
  if (change.kind !== 'putAssertion' || change.value.id !== undefined) return change
  return { ...change, value: { ...change.value, id: standInAt(index) } }
}

/** Copies the object that a change is about to modify, once. */
function detach(domain: MutableDomain, change: DomainChange, copied: Set<object>): void {
  const once = <T extends object>(
    map: Map<string, T>,
    name: string,
    copy: (value: T) => T,
    part: (value: T) => object,
  ) => {
    const value = map.get(name)
    if (value === undefined || copied.has(part(value))) return
    const fresh = copy(value)
    copied.add(part(fresh))
    map.set(name, fresh)
  }
  switch (change.kind) {
    case 'putRoleMember':
    case 'deleteRoleMember':
      once(domain.roles, change.role, withOwnMembers, membersOf)
      return
    case 'putPendingRoleMember':
    case 'deletePendingRoleMember':
      once(domain.roles, change.role, withOwnPending, pendingOf)
      return
    case 'putGroupMember':
    case 'deleteGroupMember':
      once(domain.groups, change.group, withOwnMembers, membersOf)
      return
    case 'putPendingGroupMember':
    case 'deletePendingGroupMember':
      once(domain.groups, change.group, withOwnPending, pendingOf)
      return
    case 'putPolicy':
    case 'deletePolicy':
    case 'putAssertion':
    case 'deleteAssertion':
    case 'putConditions': {
      const name = change.kind === 'putPolicy' ? change.value.name : change.policy
      once(
        domain.policies,
        name,
        (versions) =>
          new Map(
            [...versions].map(([version, policy]) => [version, { ...policy, assertions: new Map(policy.assertions) }]),
          ),
        whole,
      )
      return
    }
    case 'putPublicKey':
    case 'deletePublicKey':
    case 'putHosts':
      once(
        domain.services,
        change.service,
        (service) => ({ ...service, publicKeys: new Map(service.publicKeys) }),
        whole,
      )
      return
    default:
      return
  }
}

interface Collection<M extends MemberEntry, P> {
  members: Members<M>
  pending: Map<string, P>
}
const withOwnMembers = <M extends MemberEntry, P, T extends Collection<M, P>>(owner: T): T => ({
  ...owner,
  members: new ForkedMembers(owner.members),
})
const withOwnPending = <M extends MemberEntry, P, T extends Collection<M, P>>(owner: T): T => ({
  ...owner,
  pending: new Map(owner.pending),
})
const membersOf = (owner: { members: object }) => owner.members
const pendingOf = (owner: { pending: object }) => owner.pending
const whole = (value: object) => value
