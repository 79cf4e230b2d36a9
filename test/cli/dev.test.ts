import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { DevOptions } from '../../src/cli/dev.ts'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import { identify, isRunning, waitForEnd } from '../../src/cli/process-identity.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { type Program, startProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const WRAPPER = join(import.meta.dirname, 'dev-with-fake-server.ts')

type Change = Partial<Omit<DevOptions, 'settings'>> & { settings?: Record<string, string> }

function startDev(dir: string, change: Change = {}): Program {
  const options = { dir, ports: { zms: 0 }, settings: {}, reset: false, json: true, ...change }
  return startProgram(process.execPath, [WRAPPER, JSON.stringify(options)])
}

async function ready(program: Program): Promise<DevSummary> {
  return JSON.parse(await program.line()) as DevSummary
}

/** Asks the server with the administrator's certificate. */
function ask(summary: DevSummary, path: string): Promise<{ status: number; text: string }> {
  const tls = {
    ca: readFileSync(summary.ca),
    cert: readFileSync(summary.adminCert),
    key: readFileSync(summary.adminKey),
  }
  return new Promise((resolve, reject) => {
    const asked = request(`${summary.zms}${path}`, { ...tls, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.once('error', reject).end()
  })
}

async function failure(program: Program): Promise<string> {
  assert.deepEqual(await program.ended, { status: 1, signal: null }, program.stderr())
  assert.equal(program.stdout(), '')
  const lines = program.stderr().trimEnd().split('\n')
  assert.equal(lines.length, 1, program.stderr())
  return lines[0] ?? ''
}

describe('a start in a new folder', () => {
  test('prints one line of JSON with the agreed members, and the server answers its status', async () => {
    const dir = join(temporaryFolder(), 'not', 'there')
    await using dev = startDev(dir)
    const summary = await ready(dev)
    assert.deepEqual(Object.keys(summary).sort(), [
      'adminCert',
      'adminKey',
      'ca',
      'clientCa',
      'clientCaKey',
      'pids',
      'readyMillis',
      'ui',
      'uiSignIn',
      'zms',
      'zts',
    ])
    assert.match(summary.zms ?? '', /^https:\/\/localhost:\d+\/zms\/v1$/)
    assert.equal(summary.zts, null)
    assert.ok(isRunning({ pid: summary.pids.zms ?? 0 }))
    assert.ok(summary.readyMillis > 0 && summary.readyMillis < 5000, `ready after ${summary.readyMillis} ms`)
    assert.equal((await ask(summary, '/status')).status, 200)
    dev.kill('SIGTERM')
    assert.deepEqual(await dev.ended, { status: 0, signal: null })
    assert.equal(dev.stdout().trimEnd().split('\n').length, 1)
    assert.equal(isRunning({ pid: summary.pids.zms ?? 0 }), false)
  })

  test('makes certificates that openssl accepts for every local name and for the administrator', async () => {
    const dir = temporaryFolder()
    await using dev = startDev(dir)
    const { ca, adminCert } = await ready(dev)
    const verify = (...args: string[]) =>
      execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', ca, ...args], { encoding: 'utf8' })
    const serverCert = join(dir, 'var/zms_server/certs/zms_cert.pem')
    for (const name of [
      ['-verify_hostname', 'localhost'],
      ['-verify_ip', '127.0.0.1'],
      ['-verify_ip', '::1'],
    ]) {
      assert.match(verify('-purpose', 'sslserver', ...name, serverCert), /: OK\n$/)
    }
    assert.match(verify('-purpose', 'sslclient', adminCert), /: OK\n$/)
    assert.match(
      execFileSync('openssl', ['x509', '-in', adminCert, '-noout', '-subject'], { encoding: 'utf8' }),
      /CN = user\.admin\n$/,
    )
  })

  test('lets only their owner read the private keys', async () => {
    const dir = temporaryFolder()
    await using dev = startDev(dir)
    await ready(dev)
    const keys = ['ca/ca.key', 'admin/user.admin.key', 'var/zms_server/certs/zms_key.pem']
    for (const key of [...keys, 'var/zms_server/keys/zms_private.pem', 'conf/zms_server/store.properties']) {
      assert.equal(statSync(join(dir, key)).mode & 0o777, 0o600, key)
    }
  })

  test('tells people where everything is, with a curl line that works', async () => {
    const dir = temporaryFolder()
    await using dev = startDev(dir, { json: false })
    while (!dev.stdout().includes('Ctrl-C stops it')) await dev.line()
    const curl = /^ {2}(curl .*)$/m.exec(dev.stdout())?.[1] ?? ''
    assert.match(curl, /--cert \S+user\.admin\.pem/)
    const answer = execFileSync('sh', ['-c', `${curl} -s -o /dev/null -w '%{http_code}'`], { encoding: 'utf8' })
    assert.equal(answer, '200')
  })
})

describe('the next start', () => {
  test('goes on with the same files, edited ones included', async () => {
    const dir = temporaryFolder()
    await using first = startDev(dir)
    await ready(first)
    first.kill('SIGINT')
    assert.equal((await first.ended).status, 0)
    const properties = join(dir, 'conf/zms_server/zms.properties')
    writeFileSync(properties, `${readFileSync(properties, 'utf8')}athenz.zms.user_token_timeout=77\n`)
    const before = snapshot(dir)

    await using second = startDev(dir)
    const answer = await ask(await ready(second), '/properties')
    assert.equal((JSON.parse(answer.text) as Record<string, string>)['athenz.zms.user_token_timeout'], '77')
    second.kill('SIGTERM')
    assert.equal((await second.ended).status, 0)
    assert.deepEqual(snapshot(dir), before)
  })

  test('gives options precedence over files, and each server only its own', async () => {
    const settings = {
      'athenz.zms.domain_admin': 'user.other',
      'athenz.zts.some_setting': 'x',
      'athenz.token_max_expiry': '5',
    }
    await using dev = startDev(temporaryFolder(), { settings })
    const { text } = await ask(await ready(dev), '/properties')
    const properties = JSON.parse(text) as Record<string, string>
    assert.equal(properties['athenz.zms.domain_admin'], 'user.other')
    assert.equal(properties['athenz.token_max_expiry'], '5')
    assert.equal(properties['athenz.zts.some_setting'], undefined)
  })

  test('deletes with --reset what earlier runs made, and nothing else', async () => {
    const dir = temporaryFolder()
    await using first = startDev(dir)
    const { ca } = await ready(first)
    first.kill()
    await first.ended
    const oldCa = readFileSync(ca, 'utf8')
    mkdirSync(join(dir, 'var/zms_server/store'), { recursive: true })
    writeFileSync(join(dir, 'var/zms_server/store/data'), 'x')
    writeFileSync(join(dir, 'notes.txt'), 'mine')
    writeFileSync(join(dir, 'conf/zms_server/mine.json'), '{}')
    writeFileSync(join(dir, 'ca/mine.pem'), 'mine')

    await using second = startDev(dir, { reset: true })
    await ready(second)
    assert.notEqual(readFileSync(ca, 'utf8'), oldCa)
    assert.equal(existsSync(join(dir, 'var/zms_server/store')), false)
    for (const kept of ['notes.txt', 'conf/zms_server/mine.json', 'ca/mine.pem']) {
      assert.ok(existsSync(join(dir, kept)), kept)
    }
  })
})

describe('a stop', () => {
  test('waits for requests in flight', async () => {
    await using dev = startDev(temporaryFolder())
    const summary = await ready(dev)
    const answer = ask(summary, '/slow')
    await ask(summary, '/status')
    dev.kill()
    assert.deepEqual(await answer, { status: 200, text: 'done' })
    assert.equal((await dev.ended).status, 0)
  })

  test('during the start ends everything with status 0', async () => {
    const dir = temporaryFolder()
    await using dev = startDev(dir, { settings: { 'fake.mode': 'silent' } })
    const [child] = await childrenInLock(dir)
    dev.kill('SIGINT')
    assert.deepEqual(await dev.ended, { status: 0, signal: null }, dev.stderr())
    assert.equal(dev.stdout(), '')
    assert.equal(isRunning({ pid: child ?? 0 }), false)
  })

  test('asked for a second time kills a server that does not end, and says so', async () => {
    await using dev = startDev(temporaryFolder(), { settings: { 'fake.mode': 'stubborn' } })
    const server = { pid: (await ready(dev)).pids.zms ?? 0 }
    // Signals that follow the first at once are its echo.
    const again = setInterval(() => {
      if (isRunning(server)) dev.kill('SIGINT')
    }, 20)
    const end = await dev.ended
    clearInterval(again)
    assert.equal(end.status, 1)
    assert.match(dev.stderr(), /^athenz dev: zms did not stop cleanly \(ended by SIGKILL\)\n$/)
  })
})

describe('one clear line and status 1', () => {
  test('for a second instance on the same folder, and the first goes on', async () => {
    const dir = temporaryFolder()
    await using first = startDev(dir)
    const summary = await ready(first)
    const message = await failure(startDev(dir))
    assert.equal(
      message,
      `athenz dev: already running on ${dir} (process ${first.pid}): stop it or choose another --dir`,
    )
    assert.equal((await ask(summary, '/status')).status, 200)
  })

  test('for a taken port', async () => {
    const holder = createServer().listen(0)
    await once(holder, 'listening')
    const { port } = holder.address() as { port: number }
    const dir = temporaryFolder()
    const message = await failure(startDev(dir, { ports: { zms: port } }))
    holder.close()
    assert.equal(message, `athenz dev: port ${port} is taken: stop the process that uses it, or choose --zms-port`)
    await using retry = startDev(dir)
    await ready(retry)
  })

  test('for a file in the place of the folder', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, 'x')
    assert.equal(await failure(startDev(file)), `athenz dev: cannot write to ${file}: it is not a folder`)
    const below = join(file, 'dev')
    assert.equal(
      await failure(startDev(below)),
      `athenz dev: cannot write to ${below}: a part of the path is not a folder`,
    )
    assert.equal(readFileSync(file, 'utf8'), 'x')
  })

  test('for a folder where the system makes none', {
    skip: !existsSync('/proc/self') && 'there is no /proc',
  }, async () => {
    const message = await failure(startDev('/proc/none'))
    assert.equal(message, 'athenz dev: cannot write to /proc/none: operation not permitted')
  })

  test('for a log that cannot be written', async () => {
    const dir = temporaryFolder()
    await using first = startDev(dir)
    await ready(first)
    first.kill()
    await first.ended
    const log = join(dir, 'var/zms_server/logs/zms.log')
    rmSync(log)
    mkdirSync(log)
    assert.equal(await failure(startDev(dir)), `athenz dev: cannot write to ${log}: it is a folder`)
    assert.equal(existsSync(join(dir, 'dev.lock')), false)
  })

  test('for a folder that holds something else, which is left as it was', async () => {
    const dir = temporaryFolder()
    writeFileSync(join(dir, 'thesis.txt'), 'x')
    const message = await failure(startDev(dir, { reset: true }))
    assert.equal(message, `athenz dev: ${dir} is not empty and was not made by athenz dev: choose another --dir`)
    assert.deepEqual(readdirSync(dir), ['thesis.txt'])
  })

  test('for a server that does not start: its own reason', async () => {
    const dir = temporaryFolder()
    const message = await failure(startDev(dir, { settings: { 'fake.mode': 'fail' } }))
    assert.equal(message, 'athenz dev: zms did not start: the fake server was told to fail')
    assert.equal(existsSync(join(dir, 'dev.lock')), false)
  })

  test('for a database that cannot be reached, before anything is deleted', async () => {
    const dir = temporaryFolder()
    await using first = startDev(dir)
    const { ca } = await ready(first)
    first.kill()
    await first.ended
    const before = readFileSync(ca, 'utf8')
    const message = await failure(startDev(dir, { reset: true, mysqlUrl: 'mysql://u:secret@127.0.0.1:1/db' }))
    assert.equal(message, 'athenz dev: cannot use database db at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1')
    assert.equal(readFileSync(ca, 'utf8'), before)
  })

  for (const [mode, reason] of [
    ['unhealthy', 'did not answer its status with 200 within 1 s (last answer 503)'],
    ['silent', 'was not ready within 1 s'],
  ] as const) {
    test(`for a server that stays ${mode}, which is stopped`, async () => {
      const dir = temporaryFolder()
      const dev = startDev(dir, { readyTimeoutMillis: 1000, settings: { 'fake.mode': mode } })
      const [child] = await childrenInLock(dir)
      assert.equal(await failure(dev), `athenz dev: zms ${reason}`)
      assert.equal(isRunning({ pid: child ?? 0 }), false)
    })
  }

  test('for a server that ends by itself', async () => {
    await using dev = startDev(temporaryFolder())
    const summary = await ready(dev)
    await assert.rejects(ask(summary, '/exit'))
    assert.equal((await dev.ended).status, 1)
    assert.equal(
      dev.stderr(),
      `athenz dev: zms (process ${summary.pids.zms}) ended: the fake server was asked to exit\n`,
    )
  })

  test('for a port switched off in the configuration', async () => {
    const message = await failure(startDev(temporaryFolder(), { ports: {}, settings: { 'athenz.tls_port': '0' } }))
    assert.equal(message, 'athenz dev: athenz.tls_port is 0, so zms would not offer HTTPS: choose a port')
  })

  test('for what is no port, which the server refuses with its place', async () => {
    const dir = temporaryFolder()
    const settings = { 'athenz.tls_port': 'many', 'fake.mode': 'fail' }
    const message = await failure(startDev(dir, { ports: {}, settings }))
    assert.equal(message, 'athenz dev: zms did not start: the fake server was told to fail')
  })

  const storeCases: readonly [string, Change, string][] = [
    ['MySQL without a URL', { store: 'mysql' }, '--store mysql needs --mysql-url mysql://user:password@host:port/db'],
    [
      'a URL with the file store',
      { store: 'file', mysqlUrl: 'mysql://h/d' },
      '--mysql-url does not go with --store file',
    ],
    [
      'a URL without database',
      { mysqlUrl: 'mysql://u:secret@h' },
      '--mysql-url: no database is named (write jdbc:mysql://host:3306/database)',
    ],
  ]
  for (const [what, change, reason] of storeCases) {
    test(`for ${what}`, async () => {
      assert.equal(await failure(startDev(temporaryFolder(), change)), `athenz dev: ${reason}`)
    })
  }
})

describe('after a kill', () => {
  test('the real server stops by itself', async () => {
    await using servers = await startDevServers({ dir: temporaryFolder(), zts: false })
    const identity = identify(servers.summary.pids.zms ?? 0)
    assert.equal(isRunning(identity), true)
    servers.program.kill('SIGKILL')
    assert.equal(await waitForEnd(identity, 30_000), true)
  })

  test('the next start stops the server left behind and takes the folder over', async () => {
    const dir = temporaryFolder()
    await using first = startDev(dir)
    const left = (await ready(first)).pids.zms ?? 0
    first.kill('SIGKILL')
    await first.ended
    assert.ok(isRunning({ pid: left }))

    await using second = startDev(dir)
    const summary = await ready(second)
    assert.equal(isRunning({ pid: left }), false)
    assert.equal((await ask(summary, '/status')).status, 200)
    assert.match(second.stderr(), new RegExp(`stopping the server it left behind \\(process ${left}\\)`))
  })
})

/** Contents of all files but logs. */
function snapshot(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  // Logs grow, and each start says anew where its servers are.
  const paths = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/logs/') && !path.endsWith('/context.json'))
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(path, 'utf8')]))
}

async function childrenInLock(dir: string): Promise<number[]> {
  for (;;) {
    const text = existsSync(join(dir, 'dev.lock')) ? readFileSync(join(dir, 'dev.lock'), 'utf8') : ''
    const pids = Array.from(text.matchAll(/"pid":(\d+)/g), ([, pid]) => Number(pid)).slice(1)
    if (pids.length > 0) return pids
    await new Promise((resolve) => setImmediate(resolve))
  }
}
