import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

interface Answer {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- parsed JSON, of which tests read single members
  readonly body: any
}

/** Asks with a client certificate, by default that of the administrator. */
function ask(summary: DevSummary, url: string, body?: object, client = summary.adminCert, method = 'PUT'): Answer {
  const key = client === summary.adminCert ? summary.adminKey : client.replace(/\.pem$/, '.key')
  const sent = body && ['-X', method, '-H', 'Content-Type: application/json', '-d', JSON.stringify(body)]
  const tls = ['--cacert', summary.ca, '--cert', client, '--key', key]
  const text = execFileSync('curl', ['-sS', ...tls, ...(sent ?? []), '-w', '\n%{http_code}', url], { encoding: 'utf8' })
  const end = text.lastIndexOf('\n')
  const answer = text.slice(0, end)
  return { status: Number(text.slice(end + 1)), body: answer === '' ? undefined : JSON.parse(answer) }
}

const ybase64 = (text: string): string =>
  Buffer.from(text).toString('base64').replaceAll('+', '.').replaceAll('/', '_').replaceAll('=', '-')

/** Makes a service with a key, and has ZTS issue a certificate for it; gives the file with the certificate. */
function serviceCertificate(summary: DevSummary, folder: string, context: TestContext): string {
  const { zms, zts } = summary
  const [key, publicKey, request] = ['svc.key', 'svc.pub', 'svc.csr'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe', encoding: 'utf8' })
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key)
  openssl('ec', '-in', key, '-pubout', '-out', publicKey)
  const subject = ['-subj', '/O=Athenz/CN=sports.api', '-addext', 'subjectAltName=DNS:api.sports.athenz.cloud']
  openssl('req', '-new', '-key', key, ...subject, '-out', request)
  assert.equal(
    ask(summary, `${zms}/domain`, { name: 'sports', adminUsers: ['user.admin'] }, undefined, 'POST').status,
    200,
  )
  const publicKeys = [{ id: '0', key: ybase64(readFileSync(publicKey, 'utf8')) }]
  assert.equal(ask(summary, `${zms}/domain/sports/service/api`, { name: 'sports.api', publicKeys }).status, 204)
  const written = performance.now()
  while (ask(summary, `${zts}/domain/sports/service/api`).status !== 200);
  const waitedMillis = Math.round(performance.now() - written)
  context.diagnostic(`a change in ZMS was known to ZTS after ${waitedMillis} ms`)
  // Without being told, ZTS would ask every five seconds.
  assert.ok(waitedMillis < 2500, `${waitedMillis} ms`)
  const asked = { csr: readFileSync(request, 'utf8'), keyId: '0' }
  const { status, body } = ask(summary, `${zts}/instance/sports/api/refresh`, asked, undefined, 'POST')
  assert.equal(status, 200, JSON.stringify(body))
  const file = join(folder, 'svc.pem')
  writeFileSync(file, body.certificate)
  return file
}

describe('a pair of servers', () => {
  test('trust each other and the certificates that ZTS issues, and keep all of that over a restart', async (context) => {
    const dir = temporaryFolder()
    const scratch = temporaryFolder()
    let certificate: string
    let modified: unknown
    {
      await using servers = await startDevServers({ dir, zts: true })
      const { summary } = servers
      assert.match(summary.zts ?? '', /^https:\/\/localhost:\d+\/zts\/v1$/)
      for (const url of [summary.zms, summary.zts]) assert.equal(ask(summary, `${url}/status`).status, 200)
      certificate = serviceCertificate(summary, scratch, context)
      const verified = execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', summary.ca, certificate])
      assert.match(verified.toString(), /: OK\n$/)
      modified = ask(summary, `${summary.zms}/domain/sys.auth`).body.modified
    }
    await using servers = await startDevServers({ dir, zts: true })
    const { summary } = servers
    context.diagnostic(`second start: ready after ${summary.readyMillis} ms`)
    assert.ok(summary.readyMillis < 10_000)
    assert.equal(ask(summary, `${summary.zms}/domain/sys.auth`).body.modified, modified, 'was registered again')
    for (const url of [`${summary.zms}/domain/sports`, `${summary.zts}/domain/sports/service/api`]) {
      assert.equal(ask(summary, url, undefined, certificate).status, 200)
    }
    const issuer = ask(summary, `${summary.zts}/.well-known/openid-configuration`).body.issuer
    assert.equal(issuer, summary.zts)
  })

  test('start anew with --reset, and ZMS alone goes on without ZTS', async () => {
    const dir = temporaryFolder()
    const read = (name: string) => readFileSync(join(dir, name), 'utf8')
    const authority = 'var/zts_server/keys/zts_ca_private.pem.certificate.pem'
    let before: string
    {
      await using _servers = await startDevServers({ dir, zts: true })
      before = read(authority)
      assert.ok(read('ca/ca.pem').endsWith(before))
    }
    {
      await using servers = await startDevServers({ dir, zts: true, reset: true })
      assert.notEqual(read(authority), before)
      assert.equal(ask(servers.summary, `${servers.summary.zts}/status`).status, 200)
    }
    await using alone = await startDevServers({ dir, zts: false })
    assert.deepEqual([alone.summary.zts, alone.summary.pids.zts], [null, null])
    assert.ok(existsSync(join(dir, authority)))
  })
})
