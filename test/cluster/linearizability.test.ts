import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { checkRegister, type RegisterOperation, type RegisterValue } from './linearizability.ts'

const write = (value: RegisterValue, calledAt: number, returnedAt?: number): RegisterOperation => ({
  kind: 'write',
  value,
  calledAt,
  returnedAt,
})
const read = (value: RegisterValue, calledAt: number, returnedAt: number): RegisterOperation => ({
  kind: 'read',
  value,
  calledAt,
  returnedAt,
})
const present = (value: boolean, calledAt: number, returnedAt: number): RegisterOperation => ({
  kind: 'present',
  value,
  calledAt,
  returnedAt,
})

describe('a history of a register', () => {
  const accepted: readonly (readonly [what: string, history: readonly RegisterOperation[]])[] = [
    ['nothing at all', []],
    [
      'one after the other',
      [read(undefined, 0, 1), write('a', 2, 3), read('a', 4, 5), write('b', 6, 7), read('b', 8, 9)],
    ],
    ['a read during a write sees the old value', [write('a', 0, 1), write('b', 2, 9), read('a', 3, 4)]],
    ['a read during a write sees the new value', [write('a', 0, 1), write('b', 2, 9), read('b', 3, 4)]],
    ['two writes at once, in either order', [write('a', 0, 5), write('b', 1, 4), read('b', 6, 7), read('b', 8, 9)]],
    ['two writes at once, the other order', [write('a', 0, 5), write('b', 1, 4), read('a', 6, 7), read('a', 8, 9)]],
    [
      'three writes whose order the reads give',
      [write('a', 0, 9), write('b', 0, 9), write('c', 0, 9), read('b', 1, 3), read('a', 4, 5), read('c', 6, 7)],
    ],
    [
      'deleted and made again',
      [write('a', 0, 1), write(undefined, 2, 3), present(false, 4, 5), write('a', 6, 7), present(true, 8, 9)],
    ],
    ['a write of unknown outcome that happened', [write('a', 0, 1), write('b', 2), read('b', 3, 4)]],
    [
      'a write of unknown outcome that never happened',
      [write('a', 0, 1), write('b', 2), read('a', 3, 4), read('a', 8, 9)],
    ],
    [
      'a write of unknown outcome that happened much later',
      [write('a', 0, 1), write('b', 2), read('a', 3, 4), write('c', 5, 6), read('b', 7, 8)],
    ],
    [
      'several writes of unknown outcome',
      [write('a', 0), write('b', 0), write(undefined, 0), present(true, 1, 2), present(false, 3, 4), read('b', 5, 6)],
    ],
    [
      'two unknown writes of the same value, both effective',
      [write('a', 0), write('a', 0), read('a', 1, 2), write('b', 3, 4), read('a', 5, 6)],
    ],
    ['one answer when another is called is no order', [write('a', 0, 1), read(undefined, 1, 2)]],
  ]
  for (const [what, history] of accepted) {
    it(`is accepted: ${what}`, () => assert.equal(checkRegister(history).kind, 'linearizable'))
  }

  const refused: readonly (readonly [what: string, history: readonly RegisterOperation[]])[] = [
    ['a stale read after the write returned', [write('a', 0, 1), write('b', 2, 3), read('a', 4, 5)]],
    ['a lost write', [write('a', 0, 1), read(undefined, 2, 3)]],
    ['a value that nobody wrote', [write('a', 0, 1), read('x', 2, 3)]],
    ['a value before it was written', [read('a', 0, 1), write('a', 2, 3)]],
    ['an unknown write that is seen before its call', [read('a', 0, 1), write('a', 2)]],
    [
      'the new value and then the old one, while the write goes on',
      [write('a', 0, 1), write('b', 2, 99), read('b', 3, 4), read('a', 5, 6)],
    ],
    [
      'readers that disagree on the order of two writes',
      [write('a', 0, 9), write('b', 0, 9), read('a', 10, 11), read('b', 12, 13)],
    ],
    ['an unknown write that is seen and vanishes', [write('a', 0, 1), write('b', 2), read('b', 3, 4), read('a', 5, 6)]],
    ['an unknown write that takes effect twice', [write('a', 0), read('a', 1, 2), write('b', 3, 4), read('a', 5, 6)]],
    ['a deletion that is not seen', [write('a', 0, 1), write(undefined, 2, 3), present(true, 4, 5)]],
    ['a member that is not seen', [write('a', 0, 1), present(false, 2, 3)]],
    [
      'an old value that comes back by itself',
      [write('a', 0, 1), read('a', 2, 3), write('b', 4, 5), read('b', 6, 7), read('a', 8, 9)],
    ],
  ]
  for (const [what, history] of refused) {
    it(`is refused: ${what}`, () => assert.equal(checkRegister(history).kind, 'refused'))
  }

  it('is refused with what does not fit', () => {
    const stale = read('a', 4, 5)
    const verdict = checkRegister([write('a', 0, 1), write('b', 2, 3), stale, read('b', 6, 7)])
    assert.deepEqual(verdict, { kind: 'refused', blocked: [stale], value: 'b' })
  })

  it('begins with the value that the register had', () => {
    assert.equal(checkRegister([read('x', 0, 1)], 'x').kind, 'linearizable')
    assert.equal(checkRegister([read(undefined, 0, 1)], 'x').kind, 'refused')
  })

  it('is given up when there is too much to try', () => {
    const history = [...Array.from({ length: 12 }, (_, index) => write(`${index}`, 0, 100)), read('x', 101, 102)]
    assert.equal(checkRegister(history, undefined, 100).kind, 'undecided')
  })
})

describe('the search', () => {
  it('says what trying every order says', () => {
    fc.assert(
      fc.property(fc.array(anyOperation, { maxLength: 6 }), (history) => {
        assert.equal(checkRegister(history).kind, hasOrder(history) ? 'linearizable' : 'refused')
      }),
      { numRuns: 3_000 },
    )
  })

  it('accepts what a register with many clients answered, and finds a single answer that is too old', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 8 }), (seed, clients) => {
        const history = simulate(seed, clients, 400)
        assert.equal(checkRegister(history).kind, 'linearizable')
        const acknowledged = history.filter(
          ({ kind, value, returnedAt }) => kind === 'write' && value !== undefined && returnedAt !== undefined,
        )
        const stale = acknowledged.at(-1)?.value as string
        const end = 1 + Math.max(...history.map(({ calledAt, returnedAt = 0 }) => Math.max(calledAt, returnedAt)))
        const final = [...history, write('final', end, end + 1)]
        assert.equal(checkRegister([...final, read('final', end + 2, end + 3)]).kind, 'linearizable')
        assert.equal(checkRegister([...final, read(stale, end + 2, end + 3)]).kind, 'refused')
      }),
      { numRuns: 50 },
    )
  })
})

const anyOperation: fc.Arbitrary<RegisterOperation> = fc
  .record({
    kind: fc.constantFrom('write', 'read', 'present'),
    value: fc.constantFrom('a', 'b', undefined),
    calledAt: fc.integer({ min: 0, max: 8 }),
    lasts: fc.integer({ min: 0, max: 4 }),
    isAnswered: fc.boolean(),
  })
  .map(({ kind, value, calledAt, lasts, isAnswered }) => {
    if (kind === 'write') return write(value, calledAt, isAnswered ? calledAt + lasts : undefined)
    return kind === 'read'
      ? read(value, calledAt, calledAt + lasts)
      : present(value !== undefined, calledAt, calledAt + lasts)
  })

/** Tries every order of the operations with an answer and every selection of the others. */
function hasOrder(history: readonly RegisterOperation[], value?: RegisterValue): boolean {
  const answered = history.filter(({ returnedAt }) => returnedAt !== undefined)
  if (answered.length === 0) return true
  return history.some((operation) => {
    const isFirst = answered.every((other) => other === operation || (other.returnedAt ?? 0) >= operation.calledAt)
    if (!isFirst) return false
    const rest = history.filter((other) => other !== operation)
    if (operation.kind === 'write') return hasOrder(rest, operation.value)
    const answer = operation.kind === 'read' ? value : value !== undefined
    return answer === operation.value && hasOrder(rest, value)
  })
}

/** What clients see of one register that takes effect at a random moment of each operation; some answers are lost. */
function simulate(seed: number, clients: number, count: number): RegisterOperation[] {
  let state = seed >>> 0
  const random = () => {
    // A linear congruential generator: the same seed gives the same history.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const plans: {
    client: number
    at: number
    effectAt: number
    returnAt: number
    value: RegisterValue
    isRead: boolean
  }[] = []
  const free = Array.from({ length: clients }, () => 0)
  for (let index = 0; index < count; index++) {
    const client = index % clients
    const at = (free[client] ?? 0) + random()
    const returnAt = at + 3 * random()
    const isRead = random() < 0.5
    const value = random() < 0.2 ? undefined : `v${index}`
    plans.push({ client, at, effectAt: at + (returnAt - at) * random(), returnAt, value, isRead })
    free[client] = returnAt
  }
  let held: RegisterValue
  const history: RegisterOperation[] = []
  for (const { at, returnAt, value, isRead } of plans.toSorted((a, b) => a.effectAt - b.effectAt)) {
    if (isRead) {
      history.push(read(held, at, returnAt))
      continue
    }
    const [isLost, hasEffect] = [random() < 0.1, random() < 0.5]
    if (!isLost || hasEffect) held = value
    history.push(write(value, at, isLost ? undefined : returnAt))
  }
  return history
}
