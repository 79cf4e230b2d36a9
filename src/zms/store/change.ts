import type {
  Assertion,
  AssertionCondition,
  Domain,
  DomainBase,
  Entity,
  Group,
  GroupBase,
  GroupMember,
  MemberAudit,
  PendingGroupMember,
  PendingRoleMember,
  Policy,
  PolicyBase,
  Quota,
  Role,
  RoleBase,
  RoleMember,
  Service,
  ServiceBase,
} from './model.ts'

/**
 * The smallest changes a store knows. A transaction is a list of them; each store writes each kind once (file: a line of
 * its log, SQL: a bounded number of statements) and applies it to the domain in memory with `applyChange`.
 *
 * `put…` creates or replaces the named object without touching what it holds (a role keeps its members); objects that do
 * not exist yet begin empty. `modified` and `created` of the objects given are ignored: the commit stamps every touched
 * object and its domain with the transaction's time, and keeps `created`.
 */
export type DomainChange =
  /** A new domain with all it holds; assertions are keyed by -1, -2, … until the commit gives them ids. */
  | { kind: 'createDomain'; domain: string; value: Domain }
  | { kind: 'deleteDomain'; domain: string }
  /** Settings, tags and contacts, complete. */
  | { kind: 'putDomain'; domain: string; value: DomainBase }
  /** Only moves the modification time. */
  | { kind: 'touchDomain'; domain: string }
  | { kind: 'putRole'; domain: string; value: RoleBase }
  | { kind: 'deleteRole'; domain: string; role: string }
  | { kind: 'putRoleMember'; domain: string; role: string; value: RoleMember }
  | { kind: 'deleteRoleMember'; domain: string; role: string; member: string }
  | { kind: 'putPendingRoleMember'; domain: string; role: string; value: PendingRoleMember }
  | { kind: 'deletePendingRoleMember'; domain: string; role: string; member: string }
  | { kind: 'addRoleAudit'; domain: string; role: string; value: MemberAudit }
  | { kind: 'putGroup'; domain: string; value: GroupBase }
  | { kind: 'deleteGroup'; domain: string; group: string }
  | { kind: 'putGroupMember'; domain: string; group: string; value: GroupMember }
  | { kind: 'deleteGroupMember'; domain: string; group: string; member: string }
  | { kind: 'putPendingGroupMember'; domain: string; group: string; value: PendingGroupMember }
  | { kind: 'deletePendingGroupMember'; domain: string; group: string; member: string }
  | { kind: 'addGroupAudit'; domain: string; group: string; value: MemberAudit }
  /** One version of a policy; `active` true makes the other versions inactive. */
  | { kind: 'putPolicy'; domain: string; value: PolicyBase }
  /** One version, or all of them when `version` is undefined. */
  | { kind: 'deletePolicy'; domain: string; policy: string; version?: string }
  | { kind: 'putAssertion'; domain: string; policy: string; version: string; value: Assertion }
  | { kind: 'deleteAssertion'; domain: string; policy: string; version: string; id: number }
  /** All conditions of an assertion, complete; empty removes them. */
  | {
      kind: 'putConditions'
      domain: string
      policy: string
      version: string
      id: number
      value: ReadonlyMap<number, AssertionCondition>
    }
  | { kind: 'putService'; domain: string; value: ServiceBase }
  | { kind: 'deleteService'; domain: string; service: string }
  | { kind: 'putPublicKey'; domain: string; service: string; keyId: string; key: string }
  | { kind: 'deletePublicKey'; domain: string; service: string; keyId: string }
  /** All hosts, complete. */
  | { kind: 'putHosts'; domain: string; service: string; hosts: ReadonlySet<string> }
  | { kind: 'putEntity'; domain: string; value: Pick<Entity, 'name' | 'value'> }
  | { kind: 'deleteEntity'; domain: string; entity: string }
  | { kind: 'putTemplate'; domain: string; template: string; version: number }
  | { kind: 'deleteTemplate'; domain: string; template: string }
  | { kind: 'putQuota'; domain: string; value: Omit<Quota, 'modified'> }
  | { kind: 'deleteQuota'; domain: string }

/** Changes outside of domains. */
export type GlobalChange =
  /** The service depends on the domain. */
  | { kind: 'putDependency'; dependentDomain: string; service: string }
  | { kind: 'deleteDependency'; dependentDomain: string; service: string }
  /** Suspension bits of a principal (0 lifts them); creates the principal when it is not known. */
  | { kind: 'putPrincipal'; principal: string; suspended: number }
  /** Forgets a principal; its memberships must be gone. */
  | { kind: 'deletePrincipal'; principal: string }

/** Any change. */
export type Change = DomainChange | GlobalChange

/** Whether a change belongs to a domain. */
export const isDomainChange = (change: Change): change is DomainChange => 'domain' in change

/** The maps of a domain as the stores may modify them; services only ever see the read-only `Domain`. */
export interface MutableDomain extends Domain {
  roles: Map<string, MutableRole>
  groups: Map<string, MutableGroup>
  policies: Map<string, Map<string, MutablePolicy>>
  services: Map<string, MutableService>
  entities: Map<string, Entity>
  templates: Map<string, number>
  quota?: Quota | undefined
  policiesRevision: number
}
export interface MutableRole extends Role {
  pending: Map<string, PendingRoleMember>
}
export interface MutableGroup extends Group {
  pending: Map<string, PendingGroupMember>
}
export interface MutablePolicy extends Policy {
  assertions: Map<number, Assertion>
}
export interface MutableService extends Service {
  publicKeys: Map<string, string>
  hosts: ReadonlySet<string>
}
