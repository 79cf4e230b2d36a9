import { maybe } from '#core/http/scalar-types.ts'
import { struct, type ValueOf } from '#core/http/wire.ts'

const { simple: owner } = maybe

/** Owners of the parts of a domain. */
export const ResourceDomainOwnership = struct('ResourceDomainOwnership', { metaOwner: owner, objectOwner: owner })
export type ResourceDomainOwnership = ValueOf<typeof ResourceDomainOwnership>

const collectionOwners = { metaOwner: owner, membersOwner: owner, objectOwner: owner }

/** Owners of the parts of a role. */
export const ResourceRoleOwnership = struct('ResourceRoleOwnership', collectionOwners)
export type ResourceRoleOwnership = ValueOf<typeof ResourceRoleOwnership>

/** Owners of the parts of a group. */
export const ResourceGroupOwnership = struct('ResourceGroupOwnership', collectionOwners)
export type ResourceGroupOwnership = ValueOf<typeof ResourceGroupOwnership>

/** Owners of the parts of a policy. */
export const ResourcePolicyOwnership = struct('ResourcePolicyOwnership', {
  assertionsOwner: owner,
  objectOwner: owner,
})
export type ResourcePolicyOwnership = ValueOf<typeof ResourcePolicyOwnership>

/** Owners of the parts of a service. */
export const ResourceServiceIdentityOwnership = struct('ResourceServiceIdentityOwnership', {
  publicKeysOwner: owner,
  hostsOwner: owner,
  objectOwner: owner,
})
export type ResourceServiceIdentityOwnership = ValueOf<typeof ResourceServiceIdentityOwnership>
