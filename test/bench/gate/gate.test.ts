import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { GATE_CHECKS, GATE_LIMITS, type GateOutcome, isPassed, measureGate } from './gate.ts'

let outcome: GateOutcome

before(async () => {
  outcome = await measureGate()
})

describe('costs', () => {
  for (const check of GATE_CHECKS) {
    test(`${check} ≤ ${GATE_LIMITS[check]}`, () => {
      const ratio = outcome.ratios.get(check)
      assert.ok(isPassed(check, ratio), `it is ${ratio}`)
    })
  }
})

test('a membership takes the same statements whatever the size of the role', () => {
  const kinds = outcome.statements.map(({ statements }) => statements.map((text) => text.split(' ', 1)[0]))
  assert.deepEqual(kinds[1], kinds[0])
  assert.deepEqual(kinds[2], kinds[0])
})

test('a ratio that was not measured is out of bounds', () => {
  assert.equal(isPassed(GATE_CHECKS[0] as (typeof GATE_CHECKS)[number], undefined), false)
})
