import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fstatSync } from 'node:fs'
import { describe, test } from 'node:test'
import { SharedCounter } from '#core/workers/shared-counter.ts'

describe('the counter of several processes', () => {
  test('begins at 0, and whoever reads it has the last number', () => {
    const counter = SharedCounter.create()
    const reader = new SharedCounter(counter.fd)
    assert.equal(reader.get(), 0)
    for (const value of [1, 2, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      counter.set(value)
      assert.equal(reader.get(), value)
    }
    counter.close()
  })

  test('leaves no file behind', () => {
    const counter = SharedCounter.create()
    assert.equal(fstatSync(counter.fd).nlink, 0)
    counter.close()
  })

  test('is read by a process that inherits it, never torn while it is written', async () => {
    const counter = SharedCounter.create()
    const source = `
      import { SharedCounter } from ${JSON.stringify(import.meta.resolve('#core/workers/shared-counter.ts'))}
      const counter = new SharedCounter(3)
      let last = 0
      while (last < 20000) {
        const value = counter.get()
        if (value < last || !Number.isInteger(value)) throw new Error(\`\${value} after \${last}\`)
        last = value
      }
    `
    const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
      stdio: ['ignore', 'inherit', 'inherit', counter.fd],
    })
    const ended = once(child, 'exit')
    for (let value = 1; value <= 20_000; value++) {
      counter.set(value)
      if (value % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.deepEqual(await ended, [0, null])
    counter.close()
  })
})
