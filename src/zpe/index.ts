export { ACCESS_STATUS_TEXTS, type AccessStatus } from './access-status.ts'
export type { AccessToken, Confirmation, Credential, ParsedToken, Presenter } from './credential.ts'
export type { AccessCheck, PolicyAssertion, PolicyVersion } from './domain-policies.ts'
export { DomainPolicies } from './domain-policies.ts'
export {
  type AccessExplanation,
  type AccessMiss,
  type AccessRole,
  type AccessStep,
  accessExplanationLines,
} from './explain-access.ts'
export { init } from './init.ts'
export { type PolicyDocument, readPolicyDocument, UnusablePolicies } from './policy-document.ts'
export type { ZpeLog } from './policy-folder.ts'
export { Zpe, type ZpeCounts } from './zpe.ts'
export type { PolicySource, ZpeOptions } from './zpe-options.ts'
export { readZpeProperties, ZPE_PROPERTIES, zpeOptions } from './zpe-properties.ts'
