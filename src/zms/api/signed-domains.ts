import { authenticate, endpoint, header, nothing, query } from '#core/http/endpoint.ts'
import { lowered, maybe, queried, shown } from '#core/http/scalar-types.ts'
import { flag, list, nullable, optional, record, struct, time, type ValueOf } from '#core/http/wire.ts'
import { domainSettings } from './domain-meta.ts'
import { Entity } from './entity.ts'
import { Group } from './group.ts'
import { openReadErrors, readErrors } from './parameters.ts'
import { Policy } from './policy.ts'
import { Role } from './role.ts'
import { ServiceIdentity } from './service-identity.ts'

/** The policies of a domain. */
export const DomainPolicies = struct('DomainPolicies', { domain: shown.domain, policies: list(Policy) })
export type DomainPolicies = ValueOf<typeof DomainPolicies>

/** The policies of a domain with the server's signature over their canonical form. */
export const SignedPolicies = struct('SignedPolicies', {
  contents: DomainPolicies,
  signature: shown.text,
  keyId: shown.text,
})
export type SignedPolicies = ValueOf<typeof SignedPolicies>

/** A domain with all it holds; what it holds is null where only settings were asked for. */
export const DomainData = struct('DomainData', {
  ...domainSettings,
  name: shown.domain,
  roles: nullable(list(Role)),
  policies: nullable(SignedPolicies),
  services: nullable(list(ServiceIdentity)),
  entities: nullable(list(Entity)),
  groups: nullable(list(Group)),
  modified: time(),
})
export type DomainData = ValueOf<typeof DomainData>

/** A domain with the server's signature over its canonical form, which is absent where only settings were asked for. */
export const SignedDomain = struct('SignedDomain', { domain: DomainData, signature: maybe.text, keyId: maybe.text })
export type SignedDomain = ValueOf<typeof SignedDomain>

/** Several signed domains. */
export const SignedDomains = struct('SignedDomains', { domains: list(SignedDomain) })
export type SignedDomains = ValueOf<typeof SignedDomains>

/** A domain as a JSON web signature in its flattened form; the payload is a {@link DomainData}. */
export const JWSDomain = struct('JWSDomain', {
  payload: shown.text,
  protected: shown.text,
  header: record(shown.text, shown.text),
  signature: shown.text,
})
export type JWSDomain = ValueOf<typeof JWSDomain>

const conditional = { matchingTag: header('If-None-Match', maybe.text) }
const switched = optional(flag())

/** Domains as ZTS fetches them. Both replies carry an `ETag`. */
export const signedDomainsEndpoints = {
  getSignedDomains: endpoint({
    operation: 'getSignedDomains',
    method: 'GET',
    path: '/sys/modified_domains',
    group: 'SignedDomains',
    summary: 'Reads the domains that changed since the given tag, or one of them, with signatures.',
    query: {
      domain: query('domain', queried.domain),
      /** `true` in any letter case leaves out all but the settings. */
      metaOnly: query('metaonly', maybe.text),
      /** Setting that must be there, or `all`. */
      metaAttr: query('metaattr', queried.simple),
      /** Only principals of the system domains may ask for the copy that counts. */
      master: query('master', switched),
      conditions: query('conditions', switched),
    },
    headers: conditional,
    access: authenticate,
    responses: { 200: SignedDomains, 304: nothing },
    errors: readErrors,
  }),
  getJWSDomain: endpoint({
    operation: 'getJWSDomain',
    method: 'GET',
    path: '/domain/{name}/signed',
    group: 'SignedDomains',
    summary:
      'Reads a domain as a JSON web signature, with the signature in ASN.1 or in the form of the JOSE standards.',
    params: { name: lowered.domain },
    query: { signatureP1363Format: query('signaturep1363format', switched) },
    headers: conditional,
    access: authenticate,
    responses: { 200: JWSDomain, 304: nothing },
    errors: openReadErrors,
  }),
}
