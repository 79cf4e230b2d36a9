import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { measuredOpensslLimit } from './openssl-limit.ts'

describe('what OpenSSL alone does', () => {
  test('is limited by all operations, and measured once for each key', async () => {
    const asked: string[] = []
    const limit = measuredOpensslLimit(async (family) => {
      asked.push(family)
      return family === 'RSA' ? { signs: 100, verifies: 4000 } : { signs: 2000, verifies: 1000 }
    })
    assert.equal(await limit(['sign-rsa']), 100)
    // 1 ms, 0.25 ms and 0.5 ms.
    assert.equal(Math.round((await limit(['verify-request-ec', 'verify-rsa', 'sign-ec'])) * 1.75), 1000)
    assert.deepEqual(asked, ['RSA', 'EC', 'RSA'])
  })

  test('is what the program on this machine says', async () => {
    const [signing, both] = [
      await measuredOpensslLimit()(['sign-ec']),
      await measuredOpensslLimit()(['sign-ec', 'verify-request-ec']),
    ]
    assert.ok(both > 0 && both < signing, `${both} of ${signing}`)
  })
})
