import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const BIN = join(PROJECT_FOLDER, 'bin')

describe('bin/athenz', () => {
  test('works through a link on the path, from any folder', async () => {
    const folder = temporaryFolder()
    symlinkSync(join(BIN, 'athenz'), join(folder, 'first'))
    symlinkSync('first', join(folder, 'athenz'))
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` }
    const { status, stdout } = await runProgram('athenz', ['--help'], { cwd: '/', env })
    assert.equal(status, 0)
    assert.match(stdout, /^Usage: athenz /)
  })

  const misuses: readonly [readonly string[], RegExp][] = [
    [['dev', '--zms-port', '70000'], /'70000' is invalid\. Write a number from 0 to 65535\.$/],
    [['dev', '--zms-port', 'x'], /'x' is invalid\. Write a number from 0 to 65535\.$/],
    [['dev', '--store', 'oracle'], /'oracle' is invalid\. Allowed choices are file, mysql\.$/],
    [['dev', '--set', 'novalue'], /'novalue' is invalid\. Write key=value\.$/],
    [['dev', '--nonsense'], /^error: unknown option '--nonsense'$/],
    [['nonsense'], /^error: unknown command 'nonsense'$/],
  ]
  for (const [args, reason] of misuses) {
    test(`refuses ${args.join(' ')}`, async () => {
      const { status, stdout, stderr } = await runProgram(join(BIN, 'athenz'), args)
      assert.deepEqual([status, stdout], [1, ''])
      assert.match(stderr.trimEnd(), reason)
    })
  }
})

describe('bin/athenz dev', () => {
  test('runs a ZMS that the administrator may use, and keeps its data', async () => {
    const dir = temporaryFolder()
    const create = async (name: string) => {
      await using servers = await startDevServers({ dir, zts: false })
      const { zms, ca, adminCert, adminKey, readyMillis } = servers.summary
      assert.ok(readyMillis < 10_000, `ready after ${readyMillis} ms`)
      const curl = (...args: string[]) =>
        execFileSync('curl', ['-sS', '--cacert', ca, '--cert', adminCert, '--key', adminKey, ...args], {
          encoding: 'utf8',
        })
      const body = JSON.stringify({ name, adminUsers: ['user.admin'] })
      curl('-X', 'POST', '-H', 'Content-Type: application/json', '-d', body, `${zms}/domain`)
      return (JSON.parse(curl(`${zms}/domain`)) as { names: string[] }).names
    }
    assert.ok((await create('first')).includes('first'))
    const names = await create('second')
    assert.ok(names.includes('first') && names.includes('second'), names.join())
  })
})
