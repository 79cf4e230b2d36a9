import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { freePort } from '../../src/cli/server-port.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ZTS = join(PROJECT_FOLDER, 'bin', 'zts')

describe('bin/zts', () => {
  const root = temporaryFolder()
  let settings: readonly string[]

  /** Runs the command; gives exit status and what it printed. */
  async function zts(action: string): Promise<readonly [number | null, string]> {
    const given = action === 'start' || action === 'restart' ? settings : []
    const { status, stdout, stderr } = await runProgram(ZTS, [action, '--root', root, ...given])
    return [status, (stdout + stderr).trimEnd()]
  }

  before(async () => {
    // A pair that has run leaves an installation with a copy of the domains.
    await using _servers = await startDevServers({ dir: root, zts: true })
    const [port, nobody] = [await freePort(), await freePort()]
    settings = [`athenz.tls_port=${port}`, `athenz.zts.zms_url=https://localhost:${nobody}/`].flatMap((setting) => [
      '-D',
      setting,
    ])
  })
  after(() => zts('stop'))

  test('starts, tells of itself, restarts and stops, while ZMS is away', async () => {
    const running = /^zts is running: process \d+, port \d+$/
    const [started, said] = await zts('start')
    assert.deepEqual([started, running.test(said)], [0, true], said)
    assert.deepEqual(await zts('start'), [0, said.replace('is running', 'is already running')])
    const [status, told] = await zts('status')
    assert.equal(status, 0)
    assert.match(told, /^zts is running: process \d+, port \d+, up .*, healthy$/)
    const [restarted, again] = await zts('restart')
    assert.equal(restarted, 0, again)
    assert.match(again, /^zts has stopped\nzts is running: process \d+, port \d+$/)
    assert.deepEqual(await zts('stop'), [0, 'zts has stopped'])
    assert.deepEqual(await zts('status'), [3, 'zts is not running'])
  })

  test('says in one line why it does not start', async () => {
    const file = join(root, 'conf', 'zts_server', 'athenz.conf')
    rmSync(file)
    const [status, said] = await zts('start')
    assert.equal(status, 1)
    assert.match(said, /^zts start: zts did not start: .*athenz\.conf: .*there is no such file.*$/)
    assert.equal(said.split('\n').length, 1)
  })
})
