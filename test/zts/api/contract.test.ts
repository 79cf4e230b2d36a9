import { patterns } from '#core/names/patterns.ts'
import { ztsEndpoints } from '#zts/api/index.ts'
import { ztsPatterns } from '#zts/api/names.ts'
import { describeContract } from '../../support/contract.ts'

/** Where our declarations differ from the published interface on purpose: what differs → why. */
const DIFFERENCES = new Map([
  ['getResourceAccess ?domain: String', 'the original does not check the form of the trust domain'],
  [
    'getResourceAccess ?principal: String',
    'the original does not check the form of the principal, which then has no rights',
  ],
  ['getResourceAccessExt ?domain: String', 'as getResourceAccess'],
  ['getResourceAccessExt ?principal: String', 'as getResourceAccess'],
  ['getJWKList ?service: String', 'the original answers every text but "zms" with the keys of ZTS'],
  ['getOIDCResponse ?redirect_uri: optional', 'the original does not ask for it when the answer is to be JSON'],
  ['getOIDCResponse ?response_type: optional', 'the original’s service answers "invalid response type"'],
  ['getOIDCResponse ?scope: optional', 'the original’s service answers "no scope provided"'],
  ['getRolesRequireRoleCert ?principal: PrincipalName', 'external members are principals too'],
])

/** Published types that no operation mentions. */
const UNUSED = new Set(['CertType', 'DomainDetails', 'DomainMetric', 'DomainMetricType', 'DomainMetrics'])

const {
  SimpleName,
  CompoundName,
  DomainName,
  EntityName,
  ServiceName,
  ActionName,
  ResourceName,
  YBase64,
  YEncoded,
  AuthorityName,
  ExternalMemberName,
  PrincipalName,
} = patterns

describeContract({
  name: 'zts',
  endpoints: ztsEndpoints,
  patterns: {
    SimpleName,
    CompoundName,
    DomainName,
    EntityName,
    ServiceName,
    ActionName,
    ResourceName,
    YBase64,
    YEncoded,
    AuthorityName,
    ExternalMemberName,
    PrincipalName,
    ...ztsPatterns,
  },
  differences: DIFFERENCES,
  unused: UNUSED,
})
