export type { ApiClientOptions, CallArguments, CallOptions, ClientSeams } from './api-client.ts'
export {
  type CertificateFiles,
  type CertificateFilesOptions,
  certificateFiles,
  type KeyFile,
} from './certificate-files.ts'
export { AthenzClientError, type FailureKind } from './client-error.ts'
export {
  certificateIdentity,
  type Identity,
  PRINCIPAL_TOKEN_HEADER,
  type TlsIdentity,
  type TokenIdentityOptions,
  tokenIdentity,
} from './identity.ts'
export { type KeyPairIdentityOptions, keyPairIdentity } from './key-pair-identity.ts'
export type { OperationReply, OperationRequest, OperationResult } from './operation.ts'
export { apiUrl, DEFAULT_ATHENZ_CONF } from './server-url.ts'
export { ZmsClient } from './zms-client.ts'
export { ZtsClient } from './zts-client.ts'
