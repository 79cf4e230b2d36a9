import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { describe, test } from 'node:test'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** What a server answers to somebody without credentials. */
async function ask({ summary }: DevServers, server: 'zms' | 'zts', path: string) {
  const ca = await readFile(summary.ca)
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const sent = request(new URL(path, summary[server] ?? ''), { ca, agent: false }, (response) => {
    const parts: Buffer[] = []
    response.on('data', (part: Buffer) => parts.push(part))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
  })
  sent.on('error', reject).end()
  return promise
}

describe('the pages of the APIs', () => {
  test('are shown by both servers of athenz dev', async () => {
    await using servers = await startDevServers({ dir: temporaryFolder(), zts: true })
    for (const [server, operation] of [
      ['zms', 'putRole'],
      ['zts', 'postInstanceRegisterInformation'],
    ] as const) {
      const page = await ask(servers, server, '/docs')
      assert.equal(page.status, 200)
      assert.match(page.text, new RegExp(`<title>Athenz ${server.toUpperCase()} API</title>`))
      const document = await ask(servers, server, '/docs/openapi.json')
      assert.equal(document.status, 200)
      assert.match(document.text, new RegExp(`"operationId":"${operation}"`))
    }
  })

  test('are not there when the property says so', async () => {
    await using servers = await startDevServers({
      dir: temporaryFolder(),
      zts: true,
      settings: { 'athenz.ts.api_docs': 'false' },
    })
    for (const server of ['zms', 'zts'] as const) {
      for (const path of ['/docs', '/docs/openapi.json', '/docs/swagger-ui.css']) {
        const { status, text } = await ask(servers, server, path)
        assert.deepEqual([status, JSON.parse(text)], [404, { code: 404, message: 'Not Found' }], `${server} ${path}`)
      }
    }
  })
})
