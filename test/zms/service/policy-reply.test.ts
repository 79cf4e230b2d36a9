import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { listedPolicyReply, policyReply, signedPolicyReply, wholePolicyReply } from '#zms/service/policy-reply.ts'
import type { Policy } from '#zms/store/model.ts'

const modified = Date.UTC(2030, 0, 2, 3, 4, 5, 6)
const name = 'sports:policy.access'
const time = '2030-01-02T03:04:05.006Z'

const policy: Policy = {
  name: 'access',
  version: 'v1',
  active: true,
  modified,
  created: modified,
  tags: new Map([['Tier', ['gold']]]),
  resourceOwnership: new Map([
    ['object', 'tf'],
    ['assertions', 'ui'],
  ]),
  rowId: 7,
  assertions: new Map([
    [5, { id: 5, role: 'readers', resource: 'sports:x', action: 'read', effect: 'ALLOW' }],
    [
      6,
      {
        id: 6,
        role: 'writers',
        resource: '*:y',
        action: 'write',
        effect: 'DENY',
        conditions: new Map([[2, new Map([['inst', { operator: 'EQUALS', value: 'a' }]])]]),
      },
    ],
  ]),
}
const empty: Policy = { name: 'empty', version: '0', active: false, modified, created: modified, assertions: new Map() }

const read = { role: 'sports:role.readers', resource: 'sports:x', action: 'read', effect: 'ALLOW' }
const write = { role: 'sports:role.writers', resource: '*:y', action: 'write', effect: 'DENY' }
const conditions = { conditionsList: [{ id: 2, conditionsMap: { inst: { operator: 'EQUALS', value: 'a' } } }] }
const assertions = [
  { ...read, id: 5 },
  { ...write, id: 6, conditions },
]
const tags = { Tier: { list: ['gold'] } }
const listed = { name, modified: time, assertions: null, version: 'v1', active: true, tags }
const resourceOwnership = { objectOwner: 'tf', assertionsOwner: 'ui' }

describe('forms of a policy', () => {
  test('alone it has everything, and a list of assertions even when there are none', () => {
    assert.deepEqual(policyReply('sports', policy), { ...listed, assertions, resourceOwnership })
    assert.deepEqual(policyReply('sports', empty)['assertions'], [])
  })

  test('whole in a list it has everything, and null when there are no assertions', () => {
    assert.deepEqual(wholePolicyReply('sports', policy), { ...listed, assertions, resourceOwnership })
    assert.equal(wholePolicyReply('sports', empty)['assertions'], null)
  })

  test('listed it has neither assertions nor owners', () => {
    assert.deepEqual(listedPolicyReply('sports', policy), listed)
  })

  test('signed it has its assertions only, with ids and conditions for those who ask for conditions', () => {
    const signed = { name, modified: time }
    assert.deepEqual(signedPolicyReply('sports', policy, { conditions: false }), {
      ...signed,
      assertions: [read, write],
    })
    assert.deepEqual(signedPolicyReply('sports', policy, { conditions: true }), { ...signed, assertions })
    for (const asked of [true, false]) {
      assert.equal(signedPolicyReply('sports', empty, { conditions: asked })['assertions'], null)
    }
  })
})
