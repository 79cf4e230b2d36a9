import type { Assertion } from '../store/model.ts'

/** Judges objects before they are stored; a plug-in. */
export interface ResourceValidator {
  /** Whether the domain may have the assertion in this policy. */
  validatePolicyAssertion(domain: string, policy: string, assertion: Assertion): boolean | Promise<boolean>
  /** Whether the principal may become a member of the role of the domain. */
  validateRoleMember(domain: string, role: string, member: string): boolean | Promise<boolean>
  /** Whether the principal may become a member of the group of the domain. */
  validateGroupMember(domain: string, group: string, member: string): boolean | Promise<boolean>
}

/** Without a plug-in every object that the rules admit is stored. */
export const admitsEverything: ResourceValidator = {
  validatePolicyAssertion: () => true,
  validateRoleMember: () => true,
  validateGroupMember: () => true,
}
