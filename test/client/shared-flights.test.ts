import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { SharedFlights } from '#client/shared-flights.ts'

function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const signals: AbortSignal[] = []
  const begin = (signal: AbortSignal): Promise<string> => {
    signals.push(signal)
    return promise
  }
  return { begin, signals, resolve, reject }
}

test('many callers share one piece of work', async () => {
  const flights = new SharedFlights<string>()
  const { begin, signals, resolve } = work()
  const all = Array.from({ length: 1000 }, () => flights.run('a', begin))
  resolve('done')
  assert.deepEqual(new Set(await Promise.all(all)), new Set(['done']))
  assert.equal(signals.length, 1)
})

test('work of another key, and after the end, begins anew', async () => {
  const flights = new SharedFlights<string>()
  let count = 0
  const begin = async () => String(++count)
  assert.deepEqual(await Promise.all([flights.run('a', begin), flights.run('b', begin)]), ['1', '2'])
  assert.equal(await flights.run('a', begin), '3')
})

test('a failure reaches all, and is not kept', async () => {
  const flights = new SharedFlights<string>()
  const { begin, reject } = work()
  const all = [flights.run('a', begin), flights.run('a', begin, new AbortController().signal)]
  reject(new Error('no'))
  assert.deepEqual(
    (await Promise.allSettled(all)).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.equal(await flights.run('a', async () => 'again'), 'again')
})

test('a caller that gives up leaves the others waiting', async () => {
  const flights = new SharedFlights<string>()
  const { begin, signals, resolve } = work()
  const [first, second] = [new AbortController(), new AbortController()]
  const [gone, stays] = [flights.run('a', begin, first.signal), flights.run('a', begin, second.signal)]
  first.abort(new Error('enough'))
  await assert.rejects(gone, /enough/)
  assert.equal(signals[0]?.aborted, false)
  resolve('done')
  assert.equal(await stays, 'done')
})

test('with the last caller the work ends, and the next one begins it anew', async () => {
  const flights = new SharedFlights<string>()
  const { begin, signals } = work()
  const callers = [new AbortController(), new AbortController()]
  const gone = callers.map(({ signal }) => flights.run('a', begin, signal))
  for (const caller of callers) caller.abort()
  for (const each of gone) await assert.rejects(each, { name: 'AbortError' })
  assert.equal(signals[0]?.aborted, true)
  assert.equal(await flights.run('a', async () => 'new'), 'new')
})

test('a signal that is aborted already ends the call, and work that only it wanted', async () => {
  const flights = new SharedFlights<string>()
  const { begin, signals } = work()
  await assert.rejects(flights.run('a', begin, AbortSignal.abort()), { name: 'AbortError' })
  assert.equal(signals[0]?.aborted, true)
  await setImmediate()
})
