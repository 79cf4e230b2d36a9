import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startOnTerminal } from '../support/terminal.ts'

const ATHENZ = join(PROJECT_FOLDER, 'bin', 'athenz')
/** Stands for what erases a line. */
const ERASED = '⌫'

describe('long work', () => {
  const work = temporaryFolder()
  const at = (file: string) => join(work, file)
  const env = { PATH: process.env['PATH'], HOME: work, ATHENZ_CONTEXTS: at('contexts.yaml') }
  let servers: DevServers

  before(async () => {
    servers = await startDevServers({ dir: at('dev'), zts: true })
    assert.equal((await run('context', 'set', 'dev', '--dev', at('dev'))).status, 0)
  })
  after(() => servers[Symbol.asyncDispose]())

  const run = (...args: string[]) => runProgram(ATHENZ, args, { cwd: work, env })

  /** What a command shows on a terminal that is so wide; its standard output is kept away from it, in a file. */
  async function onTerminal(args: readonly string[], columns = 100) {
    const line = 'stty cols "$1"; shift; "$0" "$@" >out'
    await using terminal = startOnTerminal('sh', ['-c', line, ATHENZ, String(columns), ...args], { cwd: work, env })
    const { status } = await terminal.ended
    return {
      status,
      screen: terminal.screen().replaceAll('\r\u001B[K', ERASED),
      output: readFileSync(at('out'), 'utf8'),
    }
  }

  const manifest = (domain: string, roles: number) => {
    const file = at(`${domain}.json`)
    const names = Array.from({ length: roles }, (_, index) => [`role${index}`, { members: ['user.joe'] }])
    writeFileSync(file, JSON.stringify({ domain, admins: ['user.admin'], roles: Object.fromEntries(names) }))
    return file
  }

  test('of several steps tells a terminal which one it is at, in one line that is gone at the end', async () => {
    const { status, screen, output } = await onTerminal(['apply', '-f', manifest('rain', 4)])
    assert.equal(status, 0)
    const shown = screen.split(ERASED)
    assert.deepEqual(shown, [
      '',
      'reading rain',
      '',
      '[1/5] domain rain',
      ...[0, 1, 2, 3].map((index) => `[${index + 2}/5] role rain:role.role${index}`),
      '',
    ])
    assert.equal(output.split('\n')[0], 'created domain rain')
    assert.doesNotMatch(output, /\[\d/)
    assert.ok(!output.includes('\u001B'))
  })

  test('is told in no more than the terminal is wide', async () => {
    const { screen } = await onTerminal(['apply', '-f', manifest('hail', 4)], 20)
    for (const line of screen.split(ERASED)) assert.ok(line.length < 20, line)
    assert.match(screen, /\[2\/5\] role hail:rol⌫/)
  })

  test('that fails leaves nothing before the reason', async () => {
    const file = manifest('snow', 3)
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('"role1":{"members":["user.joe"]', '"role1":{"members":["x"]'),
    )
    const { status, screen } = await onTerminal(['apply', '-f', file])
    assert.equal(status, 3, screen)
    assert.match(screen, /\[3\/4\] role snow:role\.role1⌫athenz apply: 404 unknown domain - x/)
  })

  test('says what it waits for, and how long already', async () => {
    assert.equal((await run('domain', 'create', 'fog')).status, 0)
    const args = ['policy', 'wait', 'fog', '--modified', '2090-01-01', '--timeout', '4']
    const { status, screen } = await onTerminal(args)
    assert.equal(status, 6)
    assert.match(screen, /⌫waiting for fog of 2090-01-01T00:00:00\.000Z \(0 s\)⌫/)
    assert.match(screen, /\([123] s\)⌫(?:.*⌫)*athenz policy wait: ZTS serves that of/)
  })

  test('tells which check goes on', async () => {
    const { status, screen, output } = await onTerminal(['doctor', '--root', at('dev')])
    assert.equal(status, 0, output)
    const checks = ['ZMS', 'ZTS', 'who you are to ZMS', 'how ZTS and ZMS get on', `the installation in ${at('dev')}`]
    assert.deepEqual(screen.split(ERASED), ['', ...checks.map((check) => `checking ${check}`.slice(0, 99)), ''])
  })

  test('tells how many rows were moved', async () => {
    const file = at('data.jsonl')
    const exported = await onTerminal(['export', file, '--store-dir', at('dev/var/zms_server/store')])
    // The servers hold the store; nobody else may read it meanwhile.
    assert.equal(exported.status, 1)
    await servers[Symbol.asyncDispose]()
    const { status, screen } = await onTerminal(['export', file, '--store-dir', at('dev/var/zms_server/store')])
    assert.equal(status, 0, screen)
    assert.match(screen, /^⌫\d+ rows⌫(?:.*⌫)*\d+ rows exported\r\n$/)
    const imported = await onTerminal(['import', file, '--store-dir', at('copy')])
    assert.equal(imported.status, 0, imported.screen)
    assert.match(imported.screen, /⌫\d+ rows⌫(?:.*⌫)*\d+ rows imported\r\n$/)
  })

  test('tells nothing of all this to another program', async () => {
    const { status, stderr } = await run('import', at('data.jsonl'), '--store-dir', at('second'))
    assert.equal(status, 0)
    assert.match(stderr, /^\d+ rows imported\n$/)
  })
})
