import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { startPlain } from './support.ts'

const SEEDS = [
  'GET /api/v1/domain/sports/thing?limit=1&skip=a%20b HTTP/1.1\r\nHost: localhost\r\nx-user: user.admin\r\n\r\n',
  'PUT /api/v1/domain/sports/thing/t1 HTTP/1.1\r\nHost: localhost\r\nx-user: user.admin\r\nContent-Type: application/json\r\n' +
    'Content-Length: 41\r\n\r\n{"name":"t1","members":[{"memberName":1}]}',
  'PUT /api/v1/domain/sports/thing/t1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
    'Transfer-Encoding: chunked\r\n\r\n5\r\n{"nam\r\n8\r\ne":"t1"}\r\n0\r\n\r\n',
  'POST /api/v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b',
].map((text) => Buffer.from(text, 'latin1'))

/** A good request with some bytes replaced, removed, doubled or put in. */
const spoiled = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(
      fc.record({
        at: fc.nat(200),
        drop: fc.nat(8),
        put: fc.oneof(
          fc.uint8Array({ maxLength: 8 }),
          fc.constantFrom('\r\n', '\0', ':', '%', '/', ' ', '{', '"', '\n').map((text) => Buffer.from(text)),
        ),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([seed, changes]) =>
    changes.reduce<Buffer>((bytes, { at, drop, put }) => {
      const start = Math.min(at, bytes.length)
      return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + drop)])
    }, seed),
  )

/** Everything the server sends back to bytes, until it has ended the connection or both sides are done. */
function answerTo(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.end(bytes)
  })
}

describe('bytes that are almost a request', () => {
  test('are answered or cut off, never with a failure of the server, and the server goes on', async () => {
    const limits = {
      headersTimeoutMillis: 300,
      requestTimeoutMillis: 300,
      idleTimeoutMillis: 300,
      checkIntervalMillis: 20,
    }
    await using running = await startPlain({ limits })
    await fc.assert(
      fc.asyncProperty(fc.array(spoiled, { minLength: 20, maxLength: 20 }), async (requests) => {
        const answers = await Promise.all(requests.map((bytes) => answerTo(running.port, bytes)))
        for (const answer of answers) {
          for (const [, status] of answer.matchAll(/HTTP\/1\.1 (\d{3})/g)) assert.ok(Number(status) < 500, answer)
        }
        const after = await fetch(`http://127.0.0.1:${running.port}/api/v1/open`)
        assert.equal(after.status, 200)
      }),
      { numRuns: 25 },
    )
  })
})
