import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Locks } from '#zms/store/locks.ts'

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('locks', () => {
  test('let one in at a time, in the order they came', async () => {
    const locks = new Locks()
    const events: string[] = []
    const work = (name: string) =>
      locks.hold(['a'], async () => {
        events.push(`${name} in`)
        await turns(3)
        events.push(`${name} out`)
      })
    await Promise.all([work('1'), work('2'), work('3')])
    assert.deepEqual(events, ['1 in', '1 out', '2 in', '2 out', '3 in', '3 out'])
  })

  test('of different names do not wait for each other', async () => {
    const locks = new Locks()
    const events: string[] = []
    await Promise.all([
      locks.hold(['a'], async () => {
        await turns(10)
        events.push('a')
      }),
      locks.hold(['b'], async () => void events.push('b')),
    ])
    assert.deepEqual(events, ['b', 'a'])
  })

  test('of several names are taken in one order by everybody, and each once', async () => {
    const locks = new Locks()
    let holding = 0
    const work = (names: string[]) =>
      locks.hold(names, async () => {
        holding += 1
        assert.equal(holding, 1)
        await turns(2)
        holding -= 1
      })
    await Promise.all([work(['a', 'b', 'c']), work(['c', 'b']), work(['b', 'a', 'b']), work(['c', 'a', 'b'])])
  })

  test('are given back when the work fails', async () => {
    const locks = new Locks()
    await assert.rejects(
      locks.hold(['a', 'b'], () => Promise.reject(new Error('no'))),
      /^Error: no$/,
    )
    assert.equal(await locks.hold(['b', 'a'], () => Promise.resolve('held')), 'held')
  })
})
