import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { freePort } from '../../src/cli/server-port.ts'
import { askStatus } from '../../src/cli/server-status.ts'

test('a server is asked for its status without TLS', async () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/zms/v1/status' ? 204 : 404
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  assert.deepEqual(await askStatus({ url: `http://127.0.0.1:${port}/zms/v1` }), { status: 204 })
  server.close()
})

for (const scheme of ['http', 'https']) {
  for (const proxyProtocol of [undefined, true] as const) {
    test(`nobody listening is told with ${scheme}${proxyProtocol ? ' and the PROXY protocol' : ''}`, async () => {
      const url = `${scheme}://127.0.0.1:${await freePort()}/zms/v1`
      const answer = await askStatus({ url, certificateNeeded: true, ...(proxyProtocol && { proxyProtocol }) })
      assert.ok('unreachable' in answer)
      assert.match(answer.unreachable, /ECONNREFUSED/)
    })
  }
}
