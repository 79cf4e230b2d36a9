import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import { Calls, methodsOf, remote } from '#core/workers/calls.ts'
import { linkedPorts } from './support.ts'

const linked = () => {
  const { left, right, cut } = linkedPorts()
  return { here: new Calls(left), there: new Calls(right), cut }
}

describe('calls between processes', () => {
  test('give what the method of the other process gives', async () => {
    const { here, there } = linked()
    there.serve('sum', { of: (a: number, b: number) => a + b, later: async (map: Map<string, number>) => map.get('x') })
    assert.equal(await here.call('sum.of', 2, 3), 5)
    assert.equal(await here.call('sum.later', new Map([['x', 7]])), 7)
  })

  test('reject with the error of the other process, as what it was', async () => {
    const { here, there } = linked()
    const headers = { 'retry-after': '3' }
    there.serve('bad', {
      known: () => {
        throw new ServiceError('conflict', 'Taken', { detail: 'by joe', headers })
      },
      unknown: () => Promise.reject(new TypeError('broken')),
    })
    await assert.rejects(here.call('bad.known'), (error: unknown) => {
      assert.ok(error instanceof ServiceError)
      assert.deepEqual(
        [error.code, error.message, error.detail, error.headers],
        ['conflict', 'Taken', 'by joe', headers],
      )
      return true
    })
    await assert.rejects(here.call('bad.unknown'), (error: unknown) => {
      assert.ok(error instanceof Error && !(error instanceof ServiceError))
      assert.equal(error.message, 'broken')
      return true
    })
    await assert.rejects(here.call('bad.missing'), /bad\.missing is not served/)
  })

  test('a notice that was sent before a call was answered is there before its answer', async () => {
    const { here, there } = linked()
    const seen: number[] = []
    here.on('news', (value: number) => seen.push(value))
    there.serve('news', {
      send: () => {
        there.notify('news', 1)
        there.notify('news', 2)
      },
    })
    await here.call('news.send')
    assert.deepEqual(seen, [1, 2])
  })

  test('what waits when the other process ends is unavailable, and what is called afterwards', async () => {
    const { here, there, cut } = linked()
    there.serve('slow', { wait: () => new Promise(() => {}) })
    const waiting = here.call('slow.wait')
    cut()
    const isUnavailable = (error: unknown) => error instanceof ServiceError && error.code === 'unavailable'
    await assert.rejects(waiting, isUnavailable)
    await assert.rejects(here.call('slow.wait'), isUnavailable)
  })

  test('an object of the other process is called like one of this', async () => {
    class Counter {
      #count = 0
      add(by: number): Promise<number> {
        this.#count += by
        return Promise.resolve(this.#count)
      }
    }
    const { here, there } = linked()
    there.serve('counter', methodsOf(new Counter(), ['add']))
    const counter = remote<Pick<Counter, 'add'>>(here, 'counter', ['add'])
    assert.equal(await counter.add(2), 2)
    assert.equal(await counter.add(3), 5)
  })
})
