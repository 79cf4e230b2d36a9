import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RegisterOperation, RegisterValue } from './linearizability.ts'
import { backwardSteps, impossibleDecisions, type Sighting } from './zts-watch.ts'

const write = (value: RegisterValue, calledAt: number, returnedAt?: number): RegisterOperation => ({
  kind: 'write',
  value,
  calledAt,
  returnedAt,
})
const saw = (value: Sighting['value'], at: number): Sighting => ({ value, at })

/** A member is added, removed, and added again. */
const CHANGES = [write('a', 10, 11), write(undefined, 20, 21), write('b', 30, 31)]

describe('decisions of a ZTS', () => {
  const possible: readonly (readonly [
    what: string,
    seen: readonly Sighting[],
    history: readonly RegisterOperation[],
  ])[] = [
    ['none', [], CHANGES],
    ['one after the other', [saw(false, 1), saw(true, 15), saw(false, 25), saw(true, 35)], CHANGES],
    ['long after the changes', [saw(false, 100), saw(true, 200), saw(false, 300), saw(true, 400)], CHANGES],
    ['some of them left out', [saw(true, 35)], CHANGES],
    ['behind, with what was revoked', [saw(true, 29)], CHANGES],
    ['as soon as a write has begun', [saw(true, 10.5)], CHANGES],
    ['a write of unknown outcome, or none', [saw(true, 6), saw(false, 9)], [write('a', 5), write(undefined, 7)]],
    ['a write of unknown outcome much later', [saw(false, 6), saw(true, 100)], [write('a', 5)]],
  ]
  for (const [what, seen, history] of possible) {
    it(`may be: ${what}`, () => assert.deepEqual(impossibleDecisions(seen, history), []))
  }

  const impossible: readonly (readonly [what: string, seen: readonly Sighting[], problem: string])[] = [
    ['granted before anybody asked for it', [saw(true, 9)], 'granted at 9.0, which cannot be'],
    [
      'granted again after the revocation was shown',
      [saw(true, 15), saw(false, 25), saw(true, 29)],
      'granted at 29.0, which cannot be',
    ],
    [
      'not granted again without a further revocation',
      [saw(true, 15), saw(false, 25), saw(true, 35), saw(false, 40)],
      'not granted at 40.0, which cannot be',
    ],
  ]
  for (const [what, seen, problem] of impossible) {
    it(`cannot be: ${what}`, () => assert.deepEqual(impossibleDecisions(seen, CHANGES), [problem]))
  }
})

describe('values that a ZTS shows', () => {
  it('may be behind, but do not go back', () => {
    assert.deepEqual(backwardSteps([saw('a', 40), saw(undefined, 41), saw('b', 42)], CHANGES), [])
    assert.deepEqual(backwardSteps([saw('b', 40), saw('a', 41)], CHANGES), ['a after b, which was written later'])
    assert.deepEqual(backwardSteps([saw('c', 40)], CHANGES), ['c was never written'])
  })
})
