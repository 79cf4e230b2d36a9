import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CanonicalPart, canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'

// Members are given in descending order, so that the order of the text is the writer's own.
const cases: { name: string; shape: keyof typeof canonicalShapes; value: unknown; text: string }[] = [
  {
    name: 'a policy, assertions without ids and conditions',
    shape: 'policy',
    value: {
      version: '0',
      name: 'sports:policy.p',
      modified: '2026-01-02T03:04:05.678Z',
      assertions: [
        { role: 'sports:role.r', resource: 'sports:x', id: 7, effect: 'ALLOW', conditions: {}, action: 'read' },
      ],
      active: true,
    },
    text: '{"assertions":[{"action":"read","effect":"ALLOW","resource":"sports:x","role":"sports:role.r"}],"modified":"2026-01-02T03:04:05.678Z","name":"sports:policy.p"}',
  },
  {
    name: 'a policy without assertions',
    shape: 'policy',
    value: { name: 'n', modified: 'm', assertions: [] },
    text: '{"modified":"m","name":"n"}',
  },
  {
    name: 'a domain without policies',
    shape: 'contents',
    value: { domain: 'd' },
    text: '{"domain":"d","policies":[]}',
  },
  {
    name: 'signed policy data',
    shape: 'signedPolicyData',
    value: { zmsSignature: 's', zmsKeyId: 'k', policyData: { domain: 'd' }, modified: 'm', expires: 'e' },
    text: '{"expires":"e","modified":"m","policyData":{"domain":"d","policies":[]},"zmsKeyId":"k","zmsSignature":"s"}',
  },
  {
    name: 'a role, members without reminders and types',
    shape: 'role',
    value: {
      trust: 't',
      tags: { a: { list: ['b'] } },
      selfServe: true,
      roleMembers: [
        { systemDisabled: 4, reviewReminder: 'r', principalType: 1, memberName: 'user.a', expiration: 'e' },
        { memberName: '*' },
      ],
      name: 'sports:role.r',
      modified: 'm',
      memberReviewDays: 2,
      memberExpiryDays: 1,
      description: 'd',
      auditEnabled: false,
    },
    text: '{"auditEnabled":false,"memberExpiryDays":1,"memberReviewDays":2,"modified":"m","name":"sports:role.r","roleMembers":[{"expiration":"e","memberName":"user.a","systemDisabled":4},{"memberName":"*"}],"selfServe":true,"trust":"t"}',
  },
  {
    name: 'a group',
    shape: 'group',
    value: { reviewEnabled: true, name: 'g', modified: 'm', groupMembers: [{ memberName: 'user.a', groupName: 'g' }] },
    text: '{"groupMembers":[{"groupName":"g","memberName":"user.a"}],"modified":"m","name":"g","reviewEnabled":true}',
  },
  {
    name: 'a service, always with keys, hosts as texts',
    shape: 'service',
    value: { user: 'u', name: 'sports.api', hosts: ['h1', 'h2'], description: 'd', clientId: 'c', modified: 'm' },
    text: '{"description":"d","hosts":["h1","h2"],"modified":"m","name":"sports.api","publicKeys":[],"user":"u"}',
  },
  {
    name: 'keys of a service',
    shape: 'service',
    value: { name: 'n', publicKeys: [{ key: 'k', id: '0' }] },
    text: '{"name":"n","publicKeys":[{"id":"0","key":"k"}]}',
  },
  {
    name: 'a domain, with roles and services even if there are none, without groups if there are none',
    shape: 'domain',
    value: {
      ypmId: 0,
      policies: { signature: 's', keyId: 'k', contents: { policies: [], domain: 'd' } },
      name: 'd',
      groups: [],
      entities: [{ name: 'e' }],
      enabled: true,
      description: 'x',
      account: 'a',
    },
    text: '{"account":"a","enabled":true,"name":"d","policies":{"contents":{"domain":"d","policies":[]},"keyId":"k","signature":"s"},"roles":[],"services":[],"ypmId":0}',
  },
]

describe('canonicalText', () => {
  for (const { name, shape, value, text } of cases) {
    test(`writes ${name}`, () => assert.equal(canonicalText(value, canonicalShapes[shape]), text))
  }

  test('escapes nothing', () => {
    const description = 'a "quoted" \\ text\nof two lines'
    assert.equal(
      canonicalText({ description, name: 'n' }, canonicalShapes.service),
      `{"description":"${description}","name":"n","publicKeys":[]}`,
    )
  })

  test('takes over what was written before', () => {
    const policies = new CanonicalPart('[1,2]')
    assert.equal(canonicalText({ domain: 'd', policies }, canonicalShapes.contents), '{"domain":"d","policies":[1,2]}')
  })

  test('leaves out members that are null or undefined', () => {
    const value = { name: null, modified: undefined }
    assert.equal(canonicalText(value, canonicalShapes.policy), '{}')
  })
})
