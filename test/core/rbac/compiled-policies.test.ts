import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { type AssertionView, CompiledPolicies, type PolicyView } from '#core/rbac/compiled-policies.ts'
import { type NaiveAssertion, naiveGlob } from './naive-model.ts'

const compile = (assertions: readonly AssertionView[]) => new CompiledPolicies('sports', [{ assertions }])
const filler = (count: number): NaiveAssertion[] =>
  Array.from({ length: count }, (_, i) => ({ role: 'sports:role.none', action: 'none', resource: `sports:none.${i}` }))

describe('compiled policies', () => {
  test('hand back the policies and assertions they were made from, be these in arrays or maps', () => {
    const first = { name: 'first', assertions: [{ role: 'sports:role.r', action: 'Read', resource: 'sports:A*' }] }
    const second = { name: 'second', assertions: new Map([[7, { role: 'r', action: 'read', resource: 'x' }]]) }
    const policies = new CompiledPolicies<PolicyView>('sports', [first, {}, second])
    assert.deepEqual(
      policies.assertions.map((each) => [each.policy, each.assertion, each.order]),
      [
        [first, first.assertions[0], 0],
        [second, second.assertions.get(7), 1],
      ],
    )
    assert.deepEqual(policies.matching('read', 'sports:abc'), [policies.assertions[0]])
  })

  test('an absent effect allows', () => {
    const assertion = { role: 'sports:role.r', action: 'a', resource: 'sports:b' }
    const policies = compile([assertion, { ...assertion, effect: 'ALLOW' }, { ...assertion, effect: 'DENY' }])
    assert.deepEqual(
      policies.assertions.map((each) => each.denies),
      [false, false, true],
    )
  })

  test('find matching assertions in order, however many there are', () => {
    const part = fc.constantFrom('a', 'b', 'ab', 'a.b', '*', '?', '.', 'A', 'role.')
    const pattern = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))
    const assertion = fc.record({
      role: fc.constant('sports:role.r'),
      action: fc.oneof(pattern, fc.constantFrom('read', 'assume_role', 'ASSUME_ROLE')),
      resource: fc.oneof(
        pattern,
        pattern.map((text) => `sports:${text}`),
      ),
    })
    const text = pattern.map((each) => each.replaceAll('*', 'ab').replaceAll('?', 'b'))
    fc.assert(
      fc.property(
        fc.array(assertion, { maxLength: 60 }),
        fc.oneof(text, fc.constant('read')),
        text,
        fc.constantFrom(0, 20, 60),
        (assertions, asked, about, more) => {
          const policies = compile([...assertions, ...filler(more)])
          for (const resource of [about, `sports:${about}`]) {
            const expected = assertions.filter(
              (each) =>
                naiveGlob(each.action.toLowerCase(), asked.toLowerCase()) &&
                naiveGlob(each.resource.toLowerCase(), resource.toLowerCase()),
            )
            const found = policies.matching(asked.toLowerCase(), resource.toLowerCase())
            assert.deepEqual(
              found.map((each) => each.assertion),
              expected,
            )
            assert.equal(policies.first(asked.toLowerCase(), resource.toLowerCase()), found[0])
            const delegating = assertions.filter(
              (each) => each.action.toLowerCase() === 'assume_role' && naiveGlob(each.resource, resource),
            )
            assert.deepEqual(
              policies.delegations(resource).map((each) => each.assertion),
              delegating,
            )
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  test('delegations compare resources with letter case and actions without, and know no action globs', () => {
    const role = 'sports:role.r'
    for (const more of [0, 20]) {
      const delegating = Array.from({ length: more }, () => ({ role, action: 'assume_role', resource: 'other:none' }))
      const policies = compile([
        { role, action: 'Assume_Role', resource: 'other:role.Reader' },
        { role, action: 'assume_role', resource: 'other:role.*' },
        { role, action: 'assume_*', resource: 'other:role.reader' },
        { role, action: '*', resource: '*' },
        ...delegating,
      ])
      const found = (name: string) => policies.delegations(name).map((each) => each.order)
      assert.deepEqual(found('other:role.Reader'), [0, 1])
      assert.deepEqual(found('other:role.reader'), [1])
      assert.deepEqual(found('another:role.reader'), [])
    }
  })

  const ROLES: readonly (readonly [pattern: string, selected: readonly string[], roleNames?: 'local'])[] = [
    ['sports:role.reader', ['reader']],
    ['sports:role.read*', ['reader', 'readers', 'read-all']],
    ['sports:role.*er', ['reader', 'sub.role.deeper']],
    ['sports:role.reader?', ['readers']],
    ['*', ['reader', 'readers', 'read-all', 'sub.role.deeper']],
    ['*:role.reader', ['reader']],
    ['*role.deeper', ['sub.role.deeper']],
    ['s*:role.read??', ['reader']],
    ['other:role.reader', []],
    ['other:role.*', []],
    ['reader', []],
    ['sports:role.', []],
    ['reader', ['reader'], 'local'],
    ['read*', ['reader', 'readers', 'read-all'], 'local'],
    ['*role*', ['sub.role.deeper'], 'local'],
  ]
  for (const [role, selected, roleNames] of ROLES) {
    test(`${roleNames ?? 'full'} role ${role} selects ${selected.join(', ') || 'nothing'}`, () => {
      const policy = { assertions: [{ role, action: 'a', resource: 'b' }] }
      const [assertion] = new CompiledPolicies('sports', [policy], { roleNames }).assertions
      const names = ['reader', 'readers', 'read-all', 'sub.role.deeper']
      assert.deepEqual(
        names.filter((name) => assertion?.selectsRole(name)),
        selected,
      )
    })
  }

  test('may read a final `*` as clients do', () => {
    const policy = { assertions: [{ role: 'r', action: 'a', resource: 'x*' }] }
    assert.equal(new CompiledPolicies('sports', [policy]).matching('a', 'x\ny').length, 0)
    const client = new CompiledPolicies('sports', [policy], { trailingStarCrossesLines: true })
    assert.equal(client.matching('a', 'x\ny').length, 1)
  })
})
