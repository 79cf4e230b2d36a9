export { type AccessTokenOptions, accessTokenScope, tokenForm } from './access-tokens.ts'
export type { ApiClientOptions, CallArguments, CallOptions, ClientSeams } from './api-client.ts'
export {
  type CertificateFiles,
  type CertificateFilesOptions,
  certificateFiles,
  type KeyFile,
} from './certificate-files.ts'
export {
  type CertificateRequestOptions,
  newPrivateKey,
  privateKeyPem,
  type RoleCertificateRequestOptions,
  roleCertificateRequest,
  type ServiceCertificateRequestOptions,
  serviceCertificateRequest,
} from './certificate-requests.ts'
export type {
  InstanceOptions,
  RoleCertificateOptions,
  ServiceCertificateOptions,
  SshHostRequest,
} from './certificates.ts'
export { AthenzClientError, type FailureKind } from './client-error.ts'
export type { IdTokenOptions } from './id-tokens.ts'
export {
  certificateIdentity,
  type Identity,
  PRINCIPAL_TOKEN_HEADER,
  type TlsIdentity,
  type TokenIdentityOptions,
  tokenIdentity,
} from './identity.ts'
export { type KeyPairIdentityOptions, keyPairIdentity } from './key-pair-identity.ts'
export { type AssumedRoleCredentials, type LambdaInstance, lambdaInstance } from './lambda-instance.ts'
export type { OperationReply, OperationRequest, OperationResult } from './operation.ts'
export type { RoleTokenOptions } from './role-tokens.ts'
export { apiUrl, DEFAULT_ATHENZ_CONF } from './server-url.ts'
export type { PrefetchEvent } from './token-keeper.ts'
export { ZmsClient } from './zms-client.ts'
export { type SignedPolicyOptions, type TaggedPolicies, ZtsClient, type ZtsClientOptions } from './zts-client.ts'
