import { maybe } from '#core/http/scalar-types.ts'
import { optional, struct, text, type ValueOf, type WireType } from '#core/http/wire.ts'
import { patterns, RESOURCE_OWNER_MAX_LENGTH } from '#core/names/patterns.ts'

/**
 * Owners of the parts of an object. The operations that replace them take simple names only, as long as owners may be;
 * the header that names the owner of a write may hold a colon, so that replies can show what these operations would
 * refuse.
 */
const input: WireType<string | undefined> = optional(text(patterns.SimpleName, RESOURCE_OWNER_MAX_LENGTH, 'SimpleName'))
const { simple: reply } = maybe

const ofDomain = (owner: typeof input) => struct('ResourceDomainOwnership', { metaOwner: owner, objectOwner: owner })
const ofRole = (owner: typeof input) =>
  struct('ResourceRoleOwnership', { metaOwner: owner, membersOwner: owner, objectOwner: owner })
const ofGroup = (owner: typeof input) =>
  struct('ResourceGroupOwnership', { metaOwner: owner, membersOwner: owner, objectOwner: owner })
const ofPolicy = (owner: typeof input) =>
  struct('ResourcePolicyOwnership', { assertionsOwner: owner, objectOwner: owner })
const ofService = (owner: typeof input) =>
  struct('ResourceServiceIdentityOwnership', { publicKeysOwner: owner, hostsOwner: owner, objectOwner: owner })

/** Owners of a domain in a request. */
export const ResourceDomainOwnershipInput = ofDomain(input)
export type ResourceDomainOwnershipInput = ValueOf<typeof ResourceDomainOwnershipInput>
/** Owners of a role in a request. */
export const ResourceRoleOwnershipInput = ofRole(input)
export type ResourceRoleOwnershipInput = ValueOf<typeof ResourceRoleOwnershipInput>
/** Owners of a group in a request. */
export const ResourceGroupOwnershipInput = ofGroup(input)
export type ResourceGroupOwnershipInput = ValueOf<typeof ResourceGroupOwnershipInput>
/** Owners of a policy in a request. */
export const ResourcePolicyOwnershipInput = ofPolicy(input)
export type ResourcePolicyOwnershipInput = ValueOf<typeof ResourcePolicyOwnershipInput>
/** Owners of a service in a request. */
export const ResourceServiceIdentityOwnershipInput = ofService(input)
export type ResourceServiceIdentityOwnershipInput = ValueOf<typeof ResourceServiceIdentityOwnershipInput>

/** Owners of a domain in a reply. */
export const ResourceDomainOwnership = ofDomain(reply)
export type ResourceDomainOwnership = ValueOf<typeof ResourceDomainOwnership>
/** Owners of a role in a reply. */
export const ResourceRoleOwnership = ofRole(reply)
export type ResourceRoleOwnership = ValueOf<typeof ResourceRoleOwnership>
/** Owners of a group in a reply. */
export const ResourceGroupOwnership = ofGroup(reply)
export type ResourceGroupOwnership = ValueOf<typeof ResourceGroupOwnership>
/** Owners of a policy in a reply. */
export const ResourcePolicyOwnership = ofPolicy(reply)
export type ResourcePolicyOwnership = ValueOf<typeof ResourcePolicyOwnership>
/** Owners of a service in a reply. */
export const ResourceServiceIdentityOwnership = ofService(reply)
export type ResourceServiceIdentityOwnership = ValueOf<typeof ResourceServiceIdentityOwnership>
