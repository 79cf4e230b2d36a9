import { patterns } from '#core/names/patterns.ts'
import { zmsEndpoints } from '#zms/api/index.ts'
import { describeContract } from '../../support/contract.ts'

/** Where our declarations differ from the published interface on purpose: what differs → why. */
const DIFFERENCES = new Map([
  [
    'DependentService.service: optional',
    'the original does not check this body; its service answers "service is mandatory"',
  ],
  [
    'DependentService.service: String',
    'for the same reason: only a system administrator’s choice of the service counts',
  ],
  ['Access.explanation: ours', 'explains the decision to those who ask for it with the parameter below'],
  ['getAccess ?explain: ours', 'asks for an explanation; the original ignores it'],
  ['getAccessExt ?explain: ours', 'as getAccess'],
  ['Entity.value: optional', 'the original’s service answers "Entity value is empty"'],
  ['getAccess ?domain: String', 'the original does not check the form of the trust domain'],
  ['getAccess ?principal: String', 'the original does not check the form of the principal, which then has no rights'],
  ['getAccessExt ?domain: String', 'as getAccess'],
  ['getAccessExt ?principal: String', 'as getAccess'],
  ...[
    'getPendingDomainRoleMembersList',
    'getPendingDomainGroupMembersList',
    'getRolesForReview',
    'getGroupsForReview',
  ].map((operation): [string, string] => [
    `${operation} ?principal: PrincipalName`,
    'external members are principals too; the original answers about them',
  ]),
  [
    'getDomainMetaStoreValidValuesList ?attribute: optional',
    'the original’s service answers "attributeName is mandatory"',
  ],
])

/** Published types that no operation mentions. */
const UNUSED = new Set([
  'DomainAttributes',
  'DomainMetaList',
  'DomainOptions',
  'PrincipalMember',
  'TemplateList',
  'User',
])

describeContract({ name: 'zms', endpoints: zmsEndpoints, patterns, differences: DIFFERENCES, unused: UNUSED })
