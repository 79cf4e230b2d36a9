import { kept, lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { list, optional, record, struct, type ValueOf } from '#core/http/wire.ts'
import { JWKList } from './keys.ts'
import { instanceId, shownInstanceId, shownToken } from './names.ts'
import { SSHCertRequest } from './ssh-certificate.ts'

/** Members of the requests of instances for identities. */
export const identityRequest = {
  attestationData: maybe.text,
  /** PKCS #10 in PEM; without it a JSON web token is asked for. */
  csr: maybe.text,
  /** In place of `sshCertRequest`, by old clients. */
  ssh: maybe.text,
  sshCertRequest: optional(SSHCertRequest),
  /** Asks for a service token, too. */
  token: maybe.bool,
  /** Minutes. */
  expiryTime: maybe.int32,
  hostname: optional(kept.domain),
  hostCnames: optional(list(kept.domain)),
  /** Asks for the public keys of the servers, if they changed after `athenzJWKModified`. */
  athenzJWK: maybe.bool,
  athenzJWKModified: maybe.timestamp,
  namespace: optional(kept.simple),
  cloud: optional(kept.simple),
  x509CertSignerKeyId: optional(kept.simple),
  sshCertSignerKeyId: optional(kept.simple),
}

/** The public keys of both servers. */
export const AthenzJWKConfig = struct('AthenzJWKConfig', { zms: JWKList, zts: JWKList, modified: maybe.time })
export type AthenzJWKConfig = ValueOf<typeof AthenzJWKConfig>

/** What an instance identifies itself with. */
export const InstanceIdentity = struct('InstanceIdentity', {
  provider: shown.service,
  name: shown.service,
  instanceId: shownInstanceId,
  x509Certificate: maybe.text,
  x509CertificateSigner: maybe.text,
  sshCertificate: maybe.text,
  sshCertificateSigner: maybe.text,
  serviceToken: optional(shownToken),
  attributes: optional(record(shown.text, shown.text)),
  athenzJWK: optional(AthenzJWKConfig),
})
export type InstanceIdentity = ValueOf<typeof InstanceIdentity>

/** An instance, named by the path. */
export const instance = {
  provider: lowered.service,
  domain: lowered.domain,
  service: lowered.simple,
  instanceId,
}
