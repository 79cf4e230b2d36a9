import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ensureCa, ensureCertificate } from '../../src/cli/dev-certificates.ts'
import { DevFolder } from '../../src/cli/dev-folder.ts'
import { identify, isRunning } from '../../src/cli/process-identity.ts'
import { freePort } from '../../src/cli/server-port.ts'
import { runProgram, startProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const WRAPPER = join(import.meta.dirname, 'zms-with-fake-server.ts')

async function startErrors(root: string): Promise<string> {
  return (await runProgram(process.execPath, [WRAPPER, 'start', '--root', root])).stderr
}

/** An installation with configuration and certificates, whose server is stopped when it is left. */
class Installation implements AsyncDisposable {
  readonly root: string
  readonly port: number

  private constructor(root: string, port: number) {
    this.root = root
    this.port = port
  }

  static async create(): Promise<Installation> {
    const folder = await DevFolder.open(temporaryFolder())
    const ca = await ensureCa(folder)
    const files = { certificate: 'tls/cert.pem', key: 'tls/key.pem' }
    await ensureCertificate(folder, ca, { commonName: 'sys.auth.zms', use: 'server', files })
    const port = await freePort()
    await folder.write('conf/zms_server/zms.properties', 'athenz.zms.domain_admin=user.admin\n')
    await folder.write(
      'conf/zms_server/athenz.properties',
      [
        `athenz.tls_port=${port}`,
        `athenz.ts.tls_cert_file=${files.certificate}`,
        `athenz.ts.tls_key_file=${files.key}`,
        'athenz.ts.tls_ca_file=ca/ca.pem\n',
      ].join('\n'),
    )
    return new Installation(folder.path, port)
  }

  /** Runs the command and gives exit status, output, errors. */
  async zms(action: string, ...args: string[]): Promise<readonly [number | null, string, string]> {
    const { status, stdout, stderr } = await runProgram(process.execPath, [
      WRAPPER,
      action,
      '--root',
      this.root,
      ...args,
    ])
    return [status, stdout, stderr]
  }

  get pid(): number {
    return Number(readFileSync(this.file('var/zms_server/zms.pid'), 'utf8'))
  }

  file(relative: string): string {
    return join(this.root, relative)
  }

  get(path: string): Promise<string> {
    const options = { rejectUnauthorized: false, agent: false } as const
    return new Promise((resolve, reject) => {
      request(`https://localhost:${this.port}/zms/v1${path}`, options, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.once('end', () => resolve(text))
      })
        .once('error', reject)
        .end()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!existsSync(this.file('var/zms_server/zms.pid'))) return
    const identity = identify(this.pid)
    if (isRunning(identity)) process.kill(this.pid, 'SIGKILL')
  }
}

describe('start', () => {
  test('leaves a server behind that answers, with pid and log files', async () => {
    await using zms = await Installation.create()
    const [status, out, err] = await zms.zms('start')
    assert.deepEqual([status, err], [0, ''])
    assert.equal(out, `zms is running: process ${zms.pid}, port ${zms.port}\n`)
    assert.ok(isRunning({ pid: zms.pid }))
    assert.match(readFileSync(zms.file('var/zms_server/logs/zms.log'), 'utf8'), /listening on/)
    assert.deepEqual(readdirSync(zms.file('var/zms_server')).sort(), ['certs', 'keys', 'logs', 'zms.pid', 'zms.state'])
  })

  test('leaves a running server alone', async () => {
    await using zms = await Installation.create()
    await zms.zms('start')
    const { pid } = zms
    assert.deepEqual(await zms.zms('start'), [0, `zms is already running: process ${pid}, port ${zms.port}\n`, ''])
    assert.equal(zms.pid, pid)
  })

  test('of two at once starts one server', async () => {
    await using zms = await Installation.create()
    const results = await Promise.all([zms.zms('start'), zms.zms('start')])
    const messages = results.map(([, out, err]) => out + err).join('')
    assert.match(messages, new RegExp(`zms is running: process ${zms.pid},`))
    assert.match(messages, /already running|another start is under way/)
  })

  test('passes properties on, and they win', async () => {
    await using zms = await Installation.create()
    await zms.zms('start', '-Dathenz.zms.domain_admin=user.joe', '-D', 'athenz.zms.a.b=c=d')
    const properties = JSON.parse(await zms.get('/properties')) as Record<string, string>
    assert.equal(properties['athenz.zms.domain_admin'], 'user.joe')
    assert.equal(properties['athenz.zms.a.b'], 'c=d')
  })

  test('names the user to the server where no login did', async () => {
    await using zms = await Installation.create()
    const { USER: _, ...env } = process.env
    await runProgram(process.execPath, [WRAPPER, 'start', '--root', zms.root], { env })
    assert.equal(await zms.get('/user'), userInfo().username)
  })

  test('says why the server ended, and leaves no pid file', async () => {
    await using zms = await Installation.create()
    writeFileSync(zms.file('conf/zms_server/zms.properties'), 'fake.mode=fail\n')
    assert.deepEqual(await zms.zms('start'), [
      1,
      '',
      'zms start: zms did not start: the fake server was told to fail\n',
    ])
    assert.equal(existsSync(zms.file('var/zms_server/zms.pid')), false)
    // Only the reason of this start counts, not what is in the file from the one before.
    writeFileSync(zms.file('conf/zms_server/athenz.properties'), 'athenz.tls_port=1\n')
    writeFileSync(zms.file('conf/zms_server/zms.properties'), '')
    const [, , err] = await zms.zms('start')
    assert.doesNotMatch(err, /told to fail/)
  })

  test('gives up on a server that never listens, and ends it', async () => {
    await using zms = await Installation.create()
    assert.deepEqual(await zms.zms('start', '--timeout', '1', '-Dfake.mode=silent'), [
      1,
      '',
      'zms start: zms was not ready in time\n',
    ])
    assert.equal(existsSync(zms.file('var/zms_server/zms.pid')), false)
  })

  test('says that a server runs but is not healthy', async () => {
    await using zms = await Installation.create()
    const [status, , err] = await zms.zms('start', '--timeout', '1', '-Dfake.mode=unhealthy')
    assert.equal(status, 1)
    assert.match(
      err,
      /^zms start: zms runs \(process \d+, port \d+\) but answers its status with 503: see .*zms\.log\n$/,
    )
    const [, out] = await zms.zms('status')
    assert.match(out, /up \d+ s, answers its status with 503\n$/)
  })

  test('takes a status that needs a credential for an answer', async () => {
    await using zms = await Installation.create()
    assert.equal((await zms.zms('start', '-Dfake.mode=private'))[0], 0)
    assert.match((await zms.zms('status'))[1], /answering, but its status needs a credential\n$/)
  })

  test('interrupted leaves nothing behind', async () => {
    await using zms = await Installation.create()
    await using start = startProgram(process.execPath, [WRAPPER, 'start', '--root', zms.root, '-Dfake.mode=silent'])
    while (!existsSync(zms.file('var/zms_server/zms.pid'))) await new Promise((resolve) => setImmediate(resolve))
    const { pid } = zms
    start.kill('SIGINT')
    assert.equal((await start.ended).status, 1)
    assert.equal(start.stderr(), 'zms start: the start was interrupted\n')
    assert.equal(isRunning({ pid }), false)
  })

  test('names a log that cannot be written', async () => {
    await using zms = await Installation.create()
    const log = zms.file('var/zms_server/logs/zms.log')
    mkdirSync(log, { recursive: true })
    assert.deepEqual(await zms.zms('start'), [1, '', `zms start: cannot write to ${log}: it is a folder\n`])
    assert.deepEqual(await zms.zms('status'), [3, 'zms is not running\n', ''])
  })

  test('names a folder that cannot be used', async () => {
    const folder = temporaryFolder()
    const absent = join(folder, 'absent')
    assert.equal(await startErrors(absent), `zms start: cannot use the folder ${absent}: it does not exist\n`)
    const file = join(folder, 'file')
    writeFileSync(file, '')
    assert.equal(await startErrors(file), `zms start: cannot use the folder ${file}: it is not a folder\n`)
    writeFileSync(join(folder, 'var'), '')
    assert.equal(
      await startErrors(folder),
      `zms start: cannot write to ${join(folder, 'var/zms_server')}: a part of the path is not a folder\n`,
    )
  })
})

describe('stop', () => {
  test('waits for requests in flight', async () => {
    await using zms = await Installation.create()
    await zms.zms('start')
    const { pid } = zms
    const answer = zms.get('/slow')
    await zms.get('/status')
    assert.deepEqual(await zms.zms('stop'), [0, 'zms has stopped\n', ''])
    assert.equal(await answer, 'done')
    assert.equal(isRunning({ pid }), false)
    assert.deepEqual(readdirSync(zms.file('var/zms_server')).sort(), ['certs', 'keys', 'logs'])
  })

  test('says after its time that the server still runs', async () => {
    await using zms = await Installation.create()
    await zms.zms('start', '-Dfake.mode=stubborn')
    const [status, , err] = await zms.zms('stop', '--timeout', '1')
    assert.equal(status, 1)
    assert.equal(
      err,
      `zms stop: zms (process ${zms.pid}) has not finished its requests after 1 s: ` +
        `call stop again to wait on, or kill -9 ${zms.pid}\n`,
    )
  })

  test('of a stopped server is no error', async () => {
    await using zms = await Installation.create()
    assert.deepEqual(await zms.zms('stop'), [0, 'zms is not running\n', ''])
  })
})

describe('restart', () => {
  test('replaces the server', async () => {
    await using zms = await Installation.create()
    await zms.zms('start')
    const { pid } = zms
    const [status, out] = await zms.zms('restart')
    assert.equal(status, 0)
    assert.notEqual(zms.pid, pid)
    assert.equal(out, `zms has stopped\nzms is running: process ${zms.pid}, port ${zms.port}\n`)
  })
})

describe('status', () => {
  test('tells process, port, uptime and health', async () => {
    await using zms = await Installation.create()
    await zms.zms('start')
    const [status, out, err] = await zms.zms('status')
    assert.deepEqual([status, err], [0, ''])
    assert.match(out, new RegExp(`^zms is running: process ${zms.pid}, port ${zms.port}, up \\d+ s, healthy\\n$`))
  })

  test('has exit status 3 when the server is stopped', async () => {
    await using zms = await Installation.create()
    assert.deepEqual(await zms.zms('status'), [3, 'zms is not running\n', ''])
  })

  test('has exit status 1 after a crash, and the next start works', async () => {
    await using zms = await Installation.create()
    await zms.zms('start')
    const { pid } = zms
    process.kill(pid, 'SIGKILL')
    while (isRunning({ pid })) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(await zms.zms('status'), [1, `zms is not running (process ${pid} ended unexpectedly)\n`, ''])
    assert.equal((await zms.zms('start'))[0], 0)
  })

  test('is not fooled by another process that has the number now', { skip: !identify().startTicks }, async () => {
    await using zms = await Installation.create()
    await zms.zms('start')
    const { pid } = zms
    await zms.zms('stop')
    const state = { pid: process.pid, startTicks: '1', url: 'https://localhost:1/zms/v1', startedMillis: 1 }
    writeFileSync(zms.file('var/zms_server/zms.state'), JSON.stringify(state))
    assert.equal((await zms.zms('status'))[0], 1)
    assert.deepEqual(await zms.zms('stop'), [0, 'zms is not running\n', ''])
    assert.notEqual(pid, process.pid)
  })
})

describe('run', () => {
  test('becomes the server: same process, its signals and its exit status', async () => {
    await using zms = await Installation.create()
    await using run = startProgram(process.execPath, [WRAPPER, 'run', '--root', zms.root])
    assert.match(await run.line(), /^listening on/)
    assert.equal(zms.pid, run.pid)
    const [status, out] = await zms.zms('status')
    assert.equal(status, 0)
    assert.match(out, new RegExp(`^zms is running: process ${run.pid}, port ${zms.port}, up \\d+ s, healthy\\n$`))
    run.kill('SIGTERM')
    assert.deepEqual(await run.ended, { status: 0, signal: null })
    assert.deepEqual(await zms.zms('status'), [3, 'zms is not running\n', ''])
  })

  test('has the exit status of a server that does not start', async () => {
    await using zms = await Installation.create()
    const [status, , err] = await zms.zms('run', '-Dfake.mode=fail')
    assert.deepEqual([status, err], [1, 'zms: the fake server was told to fail\n'])
  })

  test('refuses beside a running server', async () => {
    await using zms = await Installation.create()
    await zms.zms('start')
    assert.deepEqual(await zms.zms('run'), [
      1,
      '',
      `zms run: zms is already running: process ${zms.pid}, port ${zms.port}\n`,
    ])
  })
})
