import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { kept, lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { lower, optional, record, struct, text, unchecked, type ValueOf } from '#core/http/wire.ts'
import { patterns } from '#core/names/patterns.ts'
import { shownToken } from './names.ts'
import { identityErrors } from './parameters.ts'

const compound = text(patterns.CompoundName, undefined, 'CompoundName')

/** A certificate that a service asks for with a registered key. */
export const InstanceRefreshRequest = struct('InstanceRefreshRequest', {
  /** PKCS #10 in PEM. */
  csr: kept.text,
  /** Minutes. */
  expiryTime: maybe.int32,
  keyId: optional(lowered.text),
  namespace: optional(kept.simple),
  cloud: optional(kept.simple),
  x509CertSignerKeyId: optional(kept.simple),
})
export type InstanceRefreshRequest = ValueOf<typeof InstanceRefreshRequest>

/** What identifies a service. */
export const Identity = struct('Identity', {
  name: unchecked(compound),
  certificate: maybe.text,
  caCertBundle: maybe.text,
  sshCertificate: maybe.text,
  sshCertificateSigner: maybe.text,
  serviceToken: optional(shownToken),
  attributes: optional(record(shown.text, shown.text)),
})
export type Identity = ValueOf<typeof Identity>

/** Certificates for registered keys. */
export const serviceRefreshEndpoints = {
  postInstanceRefreshRequest: endpoint({
    operation: 'postInstanceRefreshRequest',
    method: 'POST',
    path: '/instance/{domain}/{service}/refresh',
    group: 'Identity',
    summary: 'Issues a certificate for a public key that is registered for a service.',
    params: { domain: lower(compound), service: lowered.simple },
    body: InstanceRefreshRequest,
    access: authenticate,
    responses: { 200: Identity },
    errors: identityErrors,
  }),
}
