import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { WaitingRoom } from '#core/http/waiting-room.ts'

mock.timers.enable({ apis: ['setTimeout'] })
const patience = (signal?: AbortSignal) => ({ millis: 1000, signal })

describe('WaitingRoom', () => {
  test('lets somebody go who is told of news', async () => {
    const room = new WaitingRoom<string>()
    const waiting = room.wait('a', patience())
    for (const { about, end } of room) if (about === 'a') end(true)
    assert.deepEqual([await waiting, room.size], [true, 0])
  })

  test('lets somebody go whose time is over', async () => {
    const room = new WaitingRoom<string>()
    const waiting = room.wait('a', patience())
    mock.timers.tick(999)
    assert.equal(room.size, 1)
    mock.timers.tick(1)
    assert.deepEqual([await waiting, room.size], [false, 0])
  })

  test('lets somebody go who gives up, and leaves no listener behind', async () => {
    const room = new WaitingRoom<string>()
    const aborter = new AbortController()
    const waiting = [room.wait('a', patience(aborter.signal)), room.wait('b', patience())]
    aborter.abort()
    assert.deepEqual([await waiting[0], room.size], [false, 1])
    mock.timers.tick(1000)
    assert.equal(await waiting[1], false)
  })

  test('does not let anybody wait who has given up already or has no time', async () => {
    const room = new WaitingRoom<string>()
    assert.equal(await room.wait('a', patience(AbortSignal.abort())), false)
    assert.equal(await room.wait('a', { millis: 0, signal: undefined }), false)
    assert.equal(room.size, 0)
  })

  test('has room for so many', async () => {
    const room = new WaitingRoom<string>({ maxWaiters: 2 })
    const waiting = ['a', 'b'].map((name) => room.wait(name, patience()))
    assert.equal(room.wait('c', patience()), undefined)
    mock.timers.tick(1000)
    for (const each of waiting) assert.equal(await each, false)
    assert.notEqual(room.wait('c', patience()), undefined)
    mock.timers.tick(1000)
  })

  test('says when the last one has left', async () => {
    const left = mock.fn()
    const room = new WaitingRoom<string>({ onEmpty: left })
    void room.wait('a', patience())
    void room.wait('b', patience())
    const [first, second] = [...room]
    first?.end(true)
    assert.equal(left.mock.callCount(), 0)
    second?.end(true)
    assert.equal(left.mock.callCount(), 1)
  })
})
