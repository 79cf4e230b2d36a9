import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { AssertionView } from '#core/rbac/compiled-policies.ts'
import { RolePolicies } from '#core/rbac/role-policies.ts'
import { naiveGlob } from './naive-model.ts'

/** `EFFECT role action resource`. */
const assertionOf = (rule: string): AssertionView => {
  const [effect, role = '', action = '', resource = ''] = rule.split(' ')
  return { role, action, resource, effect: effect === 'DENY' ? 'DENY' : 'ALLOW' }
}

function decide(assertions: readonly AssertionView[], roles: readonly string[], action: string, resource: string) {
  const policies = new RolePolicies(assertions)
  return policies.decide(policies.plan(roles), action, resource)
}

describe('a decision by the roles of a token', () => {
  const CASES: readonly (readonly [
    behaviour: string,
    rules: readonly string[],
    roles: readonly string[],
    deciding: number,
  ])[] = [
    ['is not granted without roles', ['ALLOW * * *'], [], -1],
    ['is not granted without assertions', [], ['readers'], -1],
    ['is granted to a role', ['ALLOW readers read article'], ['readers'], 0],
    ['does not mind the letter case of assertions', ['ALLOW readers READ Article'], ['readers'], 0],
    ['minds that of roles', ['ALLOW readers read article', 'ALLOW reader? * *'], ['Readers'], -1],
    ['is granted to any role that a glob selects', ['ALLOW *er? read *'], ['guest', 'readers'], 0],
    ['is not granted to other roles', ['ALLOW readers read *'], ['reader', 'sports:role.readers'], -1],
    ['DENY wins', ['ALLOW readers * *', 'DENY r* read *'], ['readers'], 1],
    ['DENY for another role does not', ['ALLOW readers * *', 'DENY writers * *'], ['readers'], 0],
    ['names a DENY for one role first', ['DENY * * *', 'DENY b * *'], ['a', 'b'], 1],
    ['names an ALLOW for one role first', ['ALLOW * * *', 'ALLOW b * *'], ['a', 'b'], 1],
    ['names the first role of the token', ['ALLOW b * *', 'ALLOW a * *'], ['a', 'b'], 1],
    ['names the first assertion for the role', ['ALLOW a write *', 'ALLOW a * *', 'ALLOW a read *'], ['a'], 1],
    ['names the first role among globs', ['ALLOW b* * *', 'ALLOW a* * *'], ['ax', 'bx'], 1],
    ['names the first assertion among globs for one role', ['ALLOW a? * *', 'ALLOW a* * *'], ['ax'], 0],
  ]
  for (const [behaviour, rules, roles, deciding] of CASES) {
    test(behaviour, () => {
      const assertions = rules.map(assertionOf)
      assert.equal(decide(assertions, roles, 'read', 'article'), assertions[deciding])
    })
  }

  /** The order of the tables and within them, by full scans. */
  function naive(
    assertions: readonly AssertionView[],
    roles: readonly string[],
    action: string,
    resource: string,
  ): AssertionView | undefined {
    for (const effect of ['DENY', 'ALLOW']) {
      for (const glob of [false, true]) {
        for (const role of roles) {
          for (const each of assertions) {
            const matches =
              (each.effect ?? 'ALLOW') === effect &&
              /[*?]/.test(each.role) === glob &&
              naiveGlob(each.role, role) &&
              naiveGlob(each.action.toLowerCase(), action) &&
              naiveGlob(each.resource.toLowerCase(), resource)
            if (matches) return each
          }
        }
      }
    }
    return undefined
  }

  const roleName = fc.oneof(
    fc.constantFrom('r', 'rr', 'admin'),
    fc.nat(30).map((n) => `r${n}`),
  )
  const assertion = fc.record({
    role: fc.oneof({ weight: 4, arbitrary: roleName }, fc.constantFrom('*', 'r*', 'r?', '?dmin', '*n')),
    action: fc.constantFrom('read', 'READ', 'write', 'r*', '*', '?ead'),
    resource: fc.constantFrom('thing', 'Thing', 'thong', 'th*', '*', '*ng', 't?ing', 'other', 'other.*.x'),
    effect: fc.constantFrom<(undefined | 'ALLOW' | 'DENY')[]>(undefined, 'ALLOW', 'ALLOW', 'ALLOW', 'DENY'),
  })

  for (const [size, maxLength, roles] of [
    ['few assertions', 10, fc.array(roleName, { maxLength: 4 })],
    ['many assertions', 200, fc.array(roleName, { maxLength: 4 })],
    ['many roles', 200, fc.array(roleName, { minLength: 17, maxLength: 40 })],
  ] as const) {
    test(`is that of full scans, with ${size}`, () => {
      fc.assert(
        fc.property(
          fc.array(assertion, { maxLength, size: 'max' }),
          roles,
          fc.constantFrom('read', 'write', 'list'),
          fc.constantFrom('thing', 'thong', 'other', 'other.a.x', ''),
          (assertions, held, action, resource) => {
            assert.equal(decide(assertions, held, action, resource), naive(assertions, held, action, resource))
          },
        ),
        { numRuns: 500 },
      )
    })
  }
})
