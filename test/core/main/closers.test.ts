import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Closers } from '#core/main/closers.ts'

describe('what has been opened', () => {
  test('is closed in the opposite order, once', async () => {
    const closed: string[] = []
    const closers = new Closers()
    const first = closers.keep({ close: () => void closed.push('first') })
    closers.keep(undefined)
    closers.keep({})
    closers.add(async () => void closed.push('second'))
    assert.equal(typeof first.close, 'function')
    await closers.close()
    await closers.close()
    assert.deepEqual(closed, ['second', 'first'])
  })

  test('is closed also when something cannot be, and that is told', async () => {
    const closed: string[] = []
    const closers = new Closers()
    closers.add(() => void closed.push('first'))
    closers.add(() => {
      throw new Error('one')
    })
    await assert.rejects(closers.close(), /^Error: one$/)
    assert.deepEqual(closed, ['first'])
    closers.add(() => Promise.reject(new Error('one')))
    closers.add(() => Promise.reject(new Error('two')))
    await assert.rejects(closers.close(), (error: AggregateError) => error.errors.length === 2)
  })
})
