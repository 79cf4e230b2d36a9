import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { healthCheckFilter } from '#core/http/health-check.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startPlain } from './support.ts'

describe('a health check by files', () => {
  const paths = new Set(['/status.html', '/api/v1/open'])

  async function start(sendOk = true) {
    const folder = temporaryFolder()
    const running = await startPlain({ filters: [healthCheckFilter({ paths, folder, sendOk })] })
    const ask = async (path: string, method = 'GET') => {
      const answer = await fetch(`http://127.0.0.1:${running.port}${path}`, { method })
      return [answer.status, await answer.text()]
    }
    return { folder, ask, [Symbol.asyncDispose]: () => running.server.close() }
  }

  test('is good while the file is there', async () => {
    await using server = await start()
    const file = join(server.folder, 'status.html')
    assert.deepEqual(await server.ask('/status.html'), [404, '{"code":404,"message":"Not Found"}'])
    writeFileSync(file, 'anything')
    assert.deepEqual(await server.ask('/status.html?x=1'), [200, 'OK'])
    assert.deepEqual(await server.ask('/status.html', 'HEAD'), [200, ''])
    rmSync(file)
    assert.equal((await server.ask('/status.html'))[0], 404)
  })

  test('may answer without a body', async () => {
    await using server = await start(false)
    writeFileSync(join(server.folder, 'status.html'), '')
    assert.deepEqual(await server.ask('/status.html'), [200, ''])
  })

  test('comes before operations, for its own paths and for reading only', async () => {
    await using server = await start()
    assert.equal((await server.ask('/api/v1/open'))[0], 404)
    assert.equal((await server.ask('/api/v1/open/'))[0], 200)
    assert.equal((await server.ask('/api/v1/open', 'DELETE'))[0], 405)
    writeFileSync(join(server.folder, 'other'), '')
    assert.equal((await server.ask('/other'))[0], 404)
  })
})
