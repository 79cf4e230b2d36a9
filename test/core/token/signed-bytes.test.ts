import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SignedBytes } from '#core/token/signed-bytes.ts'

/** A cache, and what it has had signed; every signature waits until it is told to end. */
function world() {
  const bytes = new SignedBytes()
  const signed: { text: string; end: (failure?: Error) => void }[] = []
  const get = (key: string, state: string, text = `${key} ${state}`) =>
    bytes.get(key, state, () => {
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      signed.push({ text, end: (failure) => (failure ? reject(failure) : resolve(text)) })
      return promise
    })
  return { signed, get }
}

describe('SignedBytes', () => {
  test('gives what it has at once, and the very same', async () => {
    const { signed, get } = world()
    const first = get('a', '1')
    signed[0]?.end()
    const bytes = await first
    assert.equal(bytes.toString(), 'a 1')
    assert.equal(get('a', '1'), bytes)
    assert.equal(signed.length, 1)
  })

  test('has it signed once for all who ask at the same time', async () => {
    const { signed, get } = world()
    const both = Promise.all([get('a', '1'), get('a', '1')])
    signed[0]?.end()
    const [first, second] = await both
    assert.equal(first, second)
    assert.equal(signed.length, 1)
  })

  test('has it signed for every key and every state', () => {
    const { signed, get } = world()
    for (const [key, state] of [
      ['a', '1'],
      ['a', '2'],
      ['b', '1'],
    ] as const)
      void get(key, state)
    assert.deepEqual(
      signed.map(({ text }) => text),
      ['a 1', 'a 2', 'b 1'],
    )
  })

  test('keeps the latest state asked for, whichever is signed first', async () => {
    const { signed, get } = world()
    const [old, latest] = [get('a', '1'), get('a', '2')]
    signed[1]?.end()
    signed[0]?.end()
    await old
    assert.equal(get('a', '2'), await latest)
    assert.equal(signed.length, 2)
  })

  test('tells those who asked of a failure, and tries again for the next', async () => {
    const { signed, get } = world()
    const failing = [get('a', '1'), get('a', '1')]
    signed[0]?.end(new Error('no key'))
    for (const each of failing) await assert.rejects(async () => each, /no key/)
    const next = get('a', '1')
    signed[1]?.end()
    assert.equal((await next).toString(), 'a 1')
  })

  test('forgets what was not asked for longest when there is too much', async () => {
    const { signed, get } = world()
    const large = 'x'.repeat(20 * 1024 * 1024)
    for (const key of ['a', 'b']) {
      const bytes = get(key, '1', large)
      signed.at(-1)?.end()
      await bytes
    }
    void get('b', '1')
    assert.equal(signed.length, 2)
    void get('a', '1')
    assert.equal(signed.length, 3)
  })
})
