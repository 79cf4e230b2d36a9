import { authenticate, endpoint, nothing } from '#core/http/endpoint.ts'
import { lowered, maybe, shown } from '#core/http/scalar-types.ts'
import {
  bool,
  enumeration,
  initially,
  int64,
  list,
  mapOf,
  nullable,
  optional,
  record,
  struct,
  time,
  type ValueOf,
} from '#core/http/wire.ts'
import { conditional, inDomain, openReadErrors } from './parameters.ts'

/** An assertion as clients evaluate it. */
export const Assertion = struct('Assertion', {
  role: shown.text,
  resource: shown.text,
  action: shown.text,
  effect: optional(enumeration('AssertionEffect', ['ALLOW', 'DENY'])),
  id: optional(int64()),
  caseSensitive: maybe.bool,
})
export type Assertion = ValueOf<typeof Assertion>

/** A policy under its full name; without assertions these are null. */
export const Policy = struct('Policy', {
  name: shown.resource,
  modified: maybe.time,
  assertions: nullable(list(Assertion)),
  caseSensitive: maybe.bool,
  version: maybe.simple,
  active: maybe.bool,
})
export type Policy = ValueOf<typeof Policy>

/** The policies of a domain. */
export const PolicyData = struct('PolicyData', { domain: shown.domain, policies: list(Policy) })
export type PolicyData = ValueOf<typeof PolicyData>

/** Policies with the signature of ZMS over their canonical form, and how long they count. */
export const SignedPolicyData = struct('SignedPolicyData', {
  policyData: PolicyData,
  zmsSignature: maybe.text,
  zmsKeyId: maybe.text,
  modified: time(),
  expires: time(),
})
export type SignedPolicyData = ValueOf<typeof SignedPolicyData>

/** The same with the signature of ZTS. */
export const DomainSignedPolicyData = struct('DomainSignedPolicyData', {
  signedPolicyData: SignedPolicyData,
  signature: shown.text,
  keyId: shown.text,
})
export type DomainSignedPolicyData = ValueOf<typeof DomainSignedPolicyData>

/** Policies as a JSON web signature in its flattened form; the payload is a {@link SignedPolicyData}. */
export const JWSPolicyData = struct('JWSPolicyData', {
  payload: shown.text,
  protected: shown.text,
  header: record(shown.text, shown.text),
  signature: shown.text,
})
export type JWSPolicyData = ValueOf<typeof JWSPolicyData>

/** Which version of which policy is wanted instead of the active one, and the form of signatures by EC keys. */
export const SignedPolicyRequest = struct('SignedPolicyRequest', {
  policyVersions: mapOf(lowered.text, lowered.text),
  /** Signatures in the form of the JOSE standards instead of ASN.1. */
  signatureP1363Format: initially(false, bool()),
})
export type SignedPolicyRequest = ValueOf<typeof SignedPolicyRequest>

/** Policies for decisions by clients. Replies carry an `ETag`. */
export const signedPoliciesEndpoints = {
  getDomainSignedPolicyData: endpoint({
    operation: 'getDomainSignedPolicyData',
    method: 'GET',
    path: '/domain/{domainName}/signed_policy_data',
    group: 'SignedPolicies',
    summary: 'Reads the active policies of a domain with signatures over their canonical form.',
    params: inDomain,
    headers: conditional,
    access: authenticate,
    responses: { 200: DomainSignedPolicyData, 304: nothing },
    errors: openReadErrors,
  }),
  postSignedPolicyRequest: endpoint({
    operation: 'postSignedPolicyRequest',
    method: 'POST',
    path: '/domain/{domainName}/policy/signed',
    group: 'SignedPolicies',
    summary: 'Reads the policies of a domain, in the versions asked for, as a JSON web signature.',
    params: inDomain,
    headers: conditional,
    body: SignedPolicyRequest,
    access: authenticate,
    responses: { 200: JWSPolicyData, 304: nothing },
    errors: openReadErrors,
    writes: false,
  }),
}
