import assert from 'node:assert/strict'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { freePort } from '../../src/cli/server-port.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ZMS = join(PROJECT_FOLDER, 'bin', 'zms')

describe('bin/zms finds the server', () => {
  const root = temporaryFolder()

  /** Runs the command; gives exit status and what it printed. */
  async function zms(action: string, ...settings: string[]): Promise<readonly [number | null, string]> {
    const given = settings.flatMap((setting) => ['-D', setting])
    const { status, stdout, stderr } = await runProgram(ZMS, [action, '--root', root, ...given])
    return [status, (stdout + stderr).trimEnd()]
  }

  /** Starts with these settings, asks how it is, and stops. */
  async function started(port: number, health: string, ...settings: string[]): Promise<void> {
    const [status, said] = await zms('start', ...settings)
    assert.equal(status, 0, said)
    assert.match(said, new RegExp(`^zms is running: process \\d+, port ${port}$`))
    const [healthy, told] = await zms('status')
    assert.deepEqual([healthy, told.replace(/^.*, up [^,]*, /, '')], [0, health])
    assert.deepEqual(await zms('stop'), [0, 'zms has stopped'])
  }

  before(async () => {
    // A server that has run leaves an installation.
    await using _servers = await startDevServers({ dir: root, zts: false })
  })
  after(() => zms('stop'))

  test('without TLS', async () => {
    const port = await freePort()
    await started(port, 'healthy', 'athenz.tls_port=0', `athenz.port=${port}`, 'athenz.zms.secure_requests_only=false')
  })

  test('on one address, with a port for the status, behind a proxy', async () => {
    const [port, statusPort] = [await freePort(), await freePort()]
    const own = [`athenz.tls_port=${port}`, `athenz.status_port=${statusPort}`]
    await started(port, 'healthy', ...own, 'athenz.listen_host=127.0.0.2', 'athenz.proxy_protocol=true')
  })

  test('that talks only to those who show a certificate', async () => {
    const port = await freePort()
    const health = 'listening, but its status needs a client certificate'
    await started(port, health, `athenz.tls_port=${port}`, 'athenz.ssl_need_client_auth=true')
  })

  test('whose properties files are elsewhere', async () => {
    const port = await freePort()
    const [own, container] = [join(root, 'other.properties'), 'athenz-other.properties']
    copyFileSync(join(root, 'conf/zms_server/zms.properties'), own)
    const tls = ['cert', 'key'].map((part) => `athenz.ts.tls_${part}_file=var/zms_server/certs/zms_${part}.pem\n`)
    writeFileSync(join(root, container), `athenz.port=0\nathenz.tls_port=${port}\n${tls.join('')}`)
    await started(port, 'healthy', `athenz.zms.prop_file=${own}`, `athenz.prop_file=${container}`)
    const absent = join(root, 'absent.properties')
    assert.deepEqual(await zms('start', `athenz.zms.prop_file=${absent}`), [
      1,
      `zms start: zms did not start: ${absent}: the file does not exist`,
    ])
  })
})
