import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { kept, maybe, shown } from '#core/http/scalar-types.ts'
import { list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { instanceId } from './names.ts'

/** What an SSH certificate is to say. */
export const SSHCertRequestData = struct('SSHCertRequestData', {
  principals: list(kept.text),
  sources: optional(list(kept.text)),
  destinations: optional(list(kept.text)),
  publicKey: maybe.text,
  touchPublicKey: maybe.text,
  /** Of the authority: 0 unknown, 1 RSA, 3 ECDSA. */
  caPubKeyAlgo: maybe.int32,
  command: maybe.text,
})
export type SSHCertRequestData = ValueOf<typeof SSHCertRequestData>

/** Who asks for an SSH certificate and what for. */
export const SSHCertRequestMeta = struct('SSHCertRequestMeta', {
  requestor: kept.text,
  origin: kept.text,
  clientInfo: maybe.text,
  sshClientVersion: maybe.text,
  /** `user` or `host`. */
  certType: kept.text,
  keyIdPrincipals: optional(list(kept.text)),
  athenzService: optional(kept.entity),
  instanceId: optional(instanceId),
  prevCertValidFrom: maybe.timestamp,
  prevCertValidTo: maybe.timestamp,
  transId: maybe.text,
})
export type SSHCertRequestMeta = ValueOf<typeof SSHCertRequestMeta>

/** An SSH certificate that is asked for. */
export const SSHCertRequest = struct('SSHCertRequest', {
  certRequestData: SSHCertRequestData,
  certRequestMeta: SSHCertRequestMeta,
  csr: maybe.text,
  attestationData: maybe.text,
})
export type SSHCertRequest = ValueOf<typeof SSHCertRequest>

/** An SSH certificate in the one-line form of OpenSSH. */
export const SSHCertificate = struct('SSHCertificate', {
  certificate: shown.text,
  publicKey: maybe.text,
  privateKey: maybe.text,
})
export type SSHCertificate = ValueOf<typeof SSHCertificate>

/** SSH certificates, and the public key of their authority. */
export const SSHCertificates = struct('SSHCertificates', {
  certificates: list(SSHCertificate),
  certificateSigner: maybe.text,
})
export type SSHCertificates = ValueOf<typeof SSHCertificates>

/** SSH certificates. */
export const sshCertificateEndpoints = {
  postSSHCertRequest: endpoint({
    operation: 'postSSHCertRequest',
    method: 'POST',
    path: '/sshcert',
    group: 'SSHCert',
    summary: 'Issues SSH certificates for a host or a user.',
    body: SSHCertRequest,
    access: authenticate,
    responses: { 201: SSHCertificates },
    errors: [400, 401, 403, 429, 500],
  }),
}
