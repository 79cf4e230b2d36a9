import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startOnTerminal } from '../support/terminal.ts'

const ZMS_CLI = join(PROJECT_FOLDER, 'bin', 'zms-cli')
const PROMPT = 'Enter password for joe: '
const basic = (password: string) => `Basic ${Buffer.from(`joe:${password}`).toString('base64')}`

describe('a password', () => {
  const asked: (string | undefined)[] = []
  let server: Server
  let url: string

  before(async () => {
    const token = `v=U1;d=user;n=joe;t=1;e=${Math.floor(Date.now() / 1000) + 3600};s=c2lnbmF0dXJl`
    server = createServer(({ headers, url: path }, response) => {
      const { authorization } = headers
      if (path?.endsWith('/token')) asked.push(authorization)
      const isKnown = authorization === basic('s3cret') || headers['athenz-principal-auth'] === token
      const answer = path?.endsWith('/token') ? { token } : { names: ['weather'] }
      response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' })
      response.end(JSON.stringify(isKnown ? answer : { code: 401, message: 'Invalid credentials' }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/zms/v1`
  })
  after(() => server.close())
  beforeEach(() => asked.splice(0))

  const environment = () => ({ PATH: process.env['PATH'], HOME: temporaryFolder(), USER: 'joe' })
  /** Our zms-cli on a terminal; what the terminal does with typed text is told after its end. */
  const listDomains = () => {
    const line = '"$0" -z "$1" list-domain; echo "status $?"; stty -a | grep -ow -e "-\\?echo"'
    return startOnTerminal('sh', ['-c', line, ZMS_CLI, url], { env: environment() })
  }

  test('is asked for on the terminal, and nobody sees it', async () => {
    await using terminal = listDomains()
    await terminal.shows(PROMPT)
    terminal.type('s3cretly')
    // Two characters too many are taken back.
    terminal.type('\u007F\u007F')
    terminal.type('\r')
    await terminal.ended
    assert.deepEqual(asked, [basic('s3cret')])
    assert.match(terminal.screen(), /- weather\r\n/)
    assert.match(terminal.screen(), /status 0\r\necho\r\n$/)
    assert.doesNotMatch(terminal.screen(), /s3c|cret|ly|\*/)
  })

  test('that is wrong is told', async () => {
    await using terminal = listDomains()
    await terminal.shows(PROMPT)
    terminal.type('wr0ng\r')
    await terminal.ended
    assert.deepEqual(asked, [basic('wr0ng')])
    assert.match(terminal.screen(), /Unable to get NToken: .*Invalid credentials/)
    assert.match(terminal.screen(), /status 1\r\necho\r\n$/)
    assert.doesNotMatch(terminal.screen(), /wr0ng/)
  })

  for (const [what, key, reason] of [
    ['Ctrl-C', '\u0003', 'ended at the wish of the user'],
    ['Ctrl-D', '\u0004', 'no password was given'],
  ] as const) {
    test(`is not sent after ${what}, which ends the command and leaves the terminal as it was`, async () => {
      await using terminal = listDomains()
      await terminal.shows(PROMPT)
      terminal.type(what === 'Ctrl-C' ? `s3cret${key}` : key)
      await terminal.ended
      assert.deepEqual(asked, [])
      assert.match(terminal.screen(), new RegExp(`Unable to get NToken: ${reason}\r\n`))
      assert.match(terminal.screen(), /status 1\r\necho\r\n$/)
      assert.doesNotMatch(terminal.screen(), /s3cret/)
    })
  }

  test('is not asked for where there is no terminal', async () => {
    const { status, stdout, stderr } = await runProgram(ZMS_CLI, ['-z', url, 'list-domain'], { env: environment() })
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /there is no terminal to ask for a password/)
    assert.deepEqual(asked, [])
  })
})
