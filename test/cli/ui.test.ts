import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { freePort } from '../../src/cli/server-port.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { runProgram, startProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { Visitor } from '../ui/visitor.ts'

const UI = join(PROJECT_FOLDER, 'bin', 'ui')

describe('bin/ui', () => {
  const root = temporaryFolder()
  let settings: readonly string[]
  let port: number

  /** Runs the command; gives exit status and what it printed. */
  async function ui(action: string, ...more: readonly string[]): Promise<readonly [number | null, string]> {
    const given = action === 'start' || action === 'restart' ? settings : []
    const { status, stdout, stderr } = await runProgram(UI, [action, '--root', root, ...given, ...more])
    return [status, (stdout + stderr).trimEnd()]
  }

  before(async () => {
    await using _servers = await startDevServers({ dir: root, zts: false, ui: true })
    port = await freePort()
    const nobody = await freePort()
    settings = [`athenz.tls_port=${port}`, `athenz.ui.zms_url=https://localhost:${nobody}/`].flatMap((setting) => [
      '-D',
      setting,
    ])
  })
  after(() => ui('stop'))

  test('starts, tells of itself, restarts and stops, while ZMS is away', async () => {
    const running = /^ui is running: process \d+, port \d+$/
    const [started, said] = await ui('start')
    assert.deepEqual([started, running.test(said)], [0, true], said)
    assert.deepEqual(await ui('start'), [0, said.replace('is running', 'is already running')])
    const [status, told] = await ui('status')
    assert.equal(status, 0)
    assert.match(told, /^ui is running: process \d+, port \d+, up .*, healthy$/)
    const visitor = new Visitor({ ui: `https://localhost:${port}`, ca: join(root, 'ca', 'ca.pem') })
    assert.equal((await visitor.get('/sign-in')).status, 200)
    const [restarted, again] = await ui('restart')
    assert.equal(restarted, 0, again)
    assert.match(again, /^ui has stopped\nui is running: process \d+, port \d+$/)
    assert.deepEqual(await ui('stop'), [0, 'ui has stopped'])
    assert.deepEqual(await ui('status'), [3, 'ui is not running'])
  })

  test('sends passwords over a network encrypted or not at all', async () => {
    const [status, said] = await ui('start', '-D', 'athenz.ui.zms_url=http://zms.example.com:4080/zms/v1')
    assert.equal(status, 1)
    assert.match(said, /did not start: athenz\.ui\.zms_url: .* would carry passwords unencrypted/)
  })

  test('says in one line why it does not start', async () => {
    rmSync(join(root, 'var', 'ui_server', 'keys', 'ui_private.pem'))
    const [status, said] = await ui('start')
    assert.equal(status, 1)
    assert.match(
      said,
      /^ui start: ui did not start: .*ui_private\.pem cannot be read: no such file \(make one with: openssl/,
    )
    assert.equal(said.split('\n').length, 1)
  })
})

describe('athenz dev', () => {
  test('gives the web page another port when its own is taken, unless that was asked for', async () => {
    const dir = temporaryFolder()
    const [taken, server] = await takenPort()
    try {
      const made = await startDevServers({ dir, zts: false, ui: true })
      await made[Symbol.asyncDispose]()
      const file = join(dir, 'conf', 'ui_server', 'athenz.properties')
      writeFileSync(file, readFileSync(file, 'utf8').replace(/athenz\.tls_port=\d+/, `athenz.tls_port=${taken}`))
      const args = ['dev', '--json', '--dir', dir, '--zms-port', '0', '--no-zts']
      await using program = startProgram(join(PROJECT_FOLDER, 'bin', 'athenz'), args)
      const summary = JSON.parse(await program.line()) as DevSummary
      assert.notEqual(new URL(summary.ui ?? '').port, String(taken))
      assert.equal(await pageStatus(summary.ui ?? '', readFileSync(summary.ca, 'utf8')), 200)
      await program[Symbol.asyncDispose]()
      const asked = await runProgram(join(PROJECT_FOLDER, 'bin', 'athenz'), [...args, '--ui-port', String(taken)])
      assert.equal(asked.status, 1)
      assert.match(asked.stderr, /^athenz dev: port \d+ is taken: .* or choose --ui-port$/m)
    } finally {
      server.close()
    }
  })
})

describe('athenz dev link', () => {
  test('prints a further link, and the one before is not good any more', async () => {
    const dir = temporaryFolder()
    await using servers = await startDevServers({ dir, zts: false, ui: true })
    const { summary } = servers
    const made = await runProgram(join(PROJECT_FOLDER, 'bin', 'athenz'), ['dev', 'link', '--dir', dir])
    assert.equal(made.status, 0, made.stderr)
    const visitor = new Visitor(summary)
    const opened = async (url: string) => {
      const { pathname, search } = new URL(url)
      return (await visitor.get(pathname + search)).status
    }
    assert.equal(await opened(summary.uiSignIn ?? ''), 403)
    assert.equal(await opened(made.stdout.trim()), 303)
    assert.match((await visitor.get('/')).text, /<span>user\.admin<\/span>/)
    // Who reads the log does not get the code.
    assert.ok(!readFileSync(join(dir, 'var', 'ui_server', 'logs', 'ui.log'), 'utf8').includes('code='))
    assert.equal(await pageStatus(summary.ui ?? '', readFileSync(summary.ca, 'utf8')), 200)
  })

  test('says that there is no web page where none was started', async () => {
    const { status, stderr } = await runProgram(join(PROJECT_FOLDER, 'bin', 'athenz'), [
      'dev',
      'link',
      '--dir',
      temporaryFolder(),
    ])
    assert.equal(status, 1)
    assert.match(stderr, /^athenz dev link: there is no .*url: start the servers first/)
  })
})

/** A port on which somebody else listens. */
async function takenPort(): Promise<[number, Server]> {
  const server = createServer().listen({ port: 0 })
  await once(server, 'listening')
  return [(server.address() as AddressInfo).port, server]
}

/** Status of what monitors ask for. */
const pageStatus = (url: string, ca: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(`${url}/status`, { ca, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .once('error', reject)
      .end()
  })
