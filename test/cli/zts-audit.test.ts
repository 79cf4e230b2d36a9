import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { REQUEST_KEY, requestFor } from '../support/certificate-requests.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)

/** Sends a request of the administrator, and again while there is 404: ZTS hears of changes in a moment. */
async function send(summary: DevSummary, method: string, url: string, body?: object): Promise<string> {
  const tls = ['--cacert', summary.ca, '--cert', summary.adminCert, '--key', summary.adminKey]
  const json = body === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)]
  for (;;) {
    const { stdout } = await run('curl', ['-sS', ...tls, ...json, '-X', method, '-w', '\n%{http_code}', url])
    const [text = '', status] = stdout.split(/\n(?=\d+$)/)
    if (status === '404') continue
    assert.match(status ?? '', /^20\d$/, text)
    return text
  }
}

test('a certificate that ZTS has issued is in its audit log, which is whole', { timeout: 60_000 }, async () => {
  const dir = temporaryFolder()
  await using servers = await startDevServers({ dir, zts: true })
  const { summary } = servers
  await send(summary, 'POST', `${summary.zms}/domain`, { name: 'sports', adminUsers: ['user.admin'] })
  const key = encodeYBase64(publicKeyPem(createPublicKey(REQUEST_KEY)))
  await send(summary, 'PUT', `${summary.zms}/domain/sports/service/api`, {
    name: 'sports.api',
    publicKeys: [{ id: '0', key }],
  })
  await send(summary, 'GET', `${summary.zts}/domain/sports/service/api`)
  const csr = requestFor('sports.api', ['DNS:api.sports.athenz.cloud'])
  await send(summary, 'POST', `${summary.zts}/instance/sports/api/refresh`, { keyId: '0', csr })

  const folder = ['--dir', join(dir, 'var', 'zts_server', 'logs', 'audit')]
  const audit = (...args: string[]) => runProgram(join(PROJECT_FOLDER, 'bin', 'athenz'), ['audit', ...args, ...folder])
  const shown = await audit('show', '--json')
  const lines = shown.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
  const issued = lines.find((line) => line['WHAT-api'] === 'postinstancerefreshrequest')
  assert.deepEqual(
    [issued?.['WHO-fullname'], issued?.['WHAT-domain'], issued?.['WHAT-entity']],
    ['user.admin', 'sports', 'api'],
  )
  assert.match(JSON.stringify(issued?.['WHAT-details']), /api\.sports\.athenz\.cloud/)
  assert.equal((await audit('verify')).status, 0)
})
