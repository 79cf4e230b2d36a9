import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { policyForm, policyWire, readAssertion, readPolicy } from '../../../src/cli/control/policy-form.ts'

describe('policies as people write them', () => {
  const full = { effect: 'ALLOW', action: 'read', role: 'weather:role.readers', resource: 'weather:rain.*' }

  test('an assertion is a text with names of the domain in short', () => {
    assert.deepEqual(readAssertion('policy p', 'weather', 'grant Read to readers on Rain.*'), full)
    assert.deepEqual(readAssertion('policy p', 'weather', 'DENY read to other:role.x on other:y'), {
      effect: 'DENY',
      action: 'read',
      role: 'other:role.x',
      resource: 'other:y',
    })
  })

  test('one that keeps its letters, or has conditions, is an object and comes back as it was', () => {
    const wire = {
      name: 'weather:policy.p',
      assertions: [
        { ...full, action: 'Read', caseSensitive: true },
        {
          ...full,
          conditions: { conditionsList: [{ conditionsMap: { env: { operator: 'EQUALS', value: 'prod' } } }] },
        },
        { ...full, resource: 'other:a b' },
      ],
    }
    const form = policyForm('weather', wire)
    const read = readPolicy('policy p', 'weather', form)
    assert.deepEqual(read, form)
    const { assertions } = policyWire('weather', 'p', read)
    const inOrder = (each: object) =>
      JSON.stringify(each, [...Object.keys(each), 'conditionsList', 'conditionsMap', 'env', 'operator', 'value'].sort())
    assert.deepEqual(assertions.map(inOrder).sort(), wire.assertions.map(inOrder).sort())
  })

  const mistakes: readonly [unknown, RegExp][] = [
    ['grant read', /write grant\|deny ACTION to ROLE on RESOURCE/],
    ['allow read to r on x', /write grant/],
    [42, /neither a text nor an object/],
    [{ action: 'read' }, /needs action, role and resource/],
    [{ ...full, effect: 'PERHAPS' }, /effect is ALLOW or DENY/],
    [{ ...full, color: 'red' }, /has color, which is not known/],
  ]
  for (const [given, reason] of mistakes) {
    test(`refuses ${JSON.stringify(given)}`, () => {
      assert.throws(() => readAssertion('policy p', 'weather', given), { name: 'CommandFailure', message: reason })
    })
  }
})
