import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { evaluateRoles } from '#core/rbac/evaluate-roles.ts'
import { domainOf } from './fixtures.ts'

const decide = (rules: readonly string[], roles: readonly string[]) =>
  evaluateRoles(domainOf({ rules }).policies, roles, 'read', 'sports:article')

describe('a decision by the roles of a token', () => {
  const CASES: readonly (readonly [
    behaviour: string,
    rules: readonly string[],
    roles: readonly string[],
    answer: string,
  ])[] = [
    ['is not granted without roles', ['ALLOW * * *'], [], 'no-match'],
    ['is not granted without assertions', [], ['readers'], 'no-match'],
    ['is granted to a role', ['ALLOW readers read sports:article'], ['readers'], 'allow readers 0'],
    ['is granted to any role that a glob selects', ['ALLOW *er? read *'], ['guest', 'readers'], 'allow readers 0'],
    ['is not granted to other roles', ['ALLOW readers read *'], ['reader', 'sports:role.readers'], 'no-match'],
    ['DENY wins', ['ALLOW readers * *', 'DENY r* read *'], ['readers'], 'deny readers 1'],
    ['DENY for another role does not', ['ALLOW readers * *', 'DENY writers * *'], ['readers'], 'allow readers 0'],
    ['names a DENY for one role first', ['DENY * * *', 'DENY b * *'], ['a', 'b'], 'deny b 1'],
    ['names an ALLOW for one role first', ['ALLOW * * *', 'ALLOW b * *'], ['a', 'b'], 'allow b 1'],
    ['names the first role of the token', ['ALLOW b * *', 'ALLOW a * *'], ['a', 'b'], 'allow a 1'],
    [
      'names the first assertion for the role',
      ['ALLOW a write *', 'ALLOW a * *', 'ALLOW a read *'],
      ['a'],
      'allow a 1',
    ],
    ['names the first role among globs', ['ALLOW b* * *', 'ALLOW a* * *'], ['ax', 'bx'], 'allow ax 1'],
  ]
  for (const [behaviour, rules, roles, answer] of CASES) {
    test(behaviour, () => {
      const decision = decide(rules, roles)
      const told =
        decision.outcome === 'no-match'
          ? 'no-match'
          : `${decision.outcome} ${decision.role} ${decision.policy.assertions.indexOf(decision.assertion)}`
      assert.equal(told, answer)
    })
  }
})
