import { authenticate, authorize, endpoint } from '#core/http/endpoint.ts'
import { kept, lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { optional, record, struct, type ValueOf } from '#core/http/wire.ts'
import { InstanceIdentity, identityRequest, instance } from './instance-identity.ts'
import { instanceId } from './names.ts'
import { identityErrors } from './parameters.ts'

/** An instance that asks for its first identity. */
export const InstanceRegisterInformation = struct('InstanceRegisterInformation', {
  provider: lowered.service,
  domain: lowered.domain,
  service: lowered.simple,
  ...identityRequest,
  x509CertInstanceId: optional(instanceId),
  jwtSVIDInstanceId: optional(instanceId),
  jwtSVIDAudience: maybe.text,
  jwtSVIDNonce: optional(kept.entity),
  jwtSVIDSpiffe: maybe.text,
  jwtSVIDSpiffeSubject: maybe.bool,
  jwtSVIDKeyType: optional(kept.simple),
})
export type InstanceRegisterInformation = ValueOf<typeof InstanceRegisterInformation>

/** A token with which an instance may register. */
export const InstanceRegisterToken = struct('InstanceRegisterToken', {
  provider: shown.service,
  domain: shown.domain,
  service: shown.simple,
  attestationData: shown.text,
  attributes: optional(record(shown.text, shown.text)),
})
export type InstanceRegisterToken = ValueOf<typeof InstanceRegisterToken>

/** First identities of instances. */
export const instanceRegisterEndpoints = {
  postInstanceRegisterInformation: endpoint({
    operation: 'postInstanceRegisterInformation',
    method: 'POST',
    path: '/instance',
    group: 'Instance',
    summary: 'Issues the first identity of an instance for which its provider vouches; `Location` names the instance.',
    body: InstanceRegisterInformation,
    access: authenticate,
    responses: { 201: InstanceIdentity },
    errors: identityErrors,
  }),
  getInstanceRegisterToken: endpoint({
    operation: 'getInstanceRegisterToken',
    method: 'GET',
    path: '/instance/{provider}/{domain}/{service}/{instanceId}/token',
    group: 'Instance',
    summary: 'Issues a token with which an instance of a service may register.',
    params: instance,
    access: authorize('update', '{domain}:service.{service}'),
    responses: { 200: InstanceRegisterToken },
    errors: identityErrors,
  }),
}
