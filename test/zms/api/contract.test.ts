import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticate, type Endpoint } from '#core/http/endpoint.ts'
import { patterns } from '#core/names/patterns.ts'
import { ownEndpoints, zmsEndpoints } from '#zms/api/index.ts'
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
  ...Object.keys(ownEndpoints).map((operation): [string, string] => [
    `${operation}: ours`,
    'lists for people, a part at a time, below /sys; whoever may read the whole may read a part',
  ]),
  ['getPageUserToken: ours', 'a token of a user with a certificate, for the web page of a service'],
  ['Access.explanation: ours', 'explains the decision to those who ask for it with the parameter below'],
  ['getAccess ?explain: ours', 'asks for an explanation; the original ignores it'],
  ['getAccessExt ?explain: ours', 'as getAccess'],
  [
    'putRoleReview ?partial: ours',
    'decides about some members of a role whose review goes on; the original ignores it',
  ],
  ['putGroupReview ?partial: ours', 'as putRoleReview'],
  [
    'putServiceIdentity ?unchangedSince: ours',
    'a whole write that brings no change of others back; the original ignores it',
  ],
  ...['putDomainMeta', 'putRoleMeta', 'putGroupMeta'].map((operation): [string, string] => [
    `${operation} ?unchangedSince: ours`,
    'as putServiceIdentity',
  ]),
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

test('every operation of ours is below /sys, open to those who may read the whole, and changes nothing', () => {
  for (const { path, access, method } of Object.values<Endpoint>(ownEndpoints)) {
    assert.match(path, /^\/sys\//)
    assert.deepEqual([method, access], ['GET', authenticate])
  }
})

describeContract({ name: 'zms', endpoints: zmsEndpoints, patterns, differences: DIFFERENCES, unused: UNUSED })
