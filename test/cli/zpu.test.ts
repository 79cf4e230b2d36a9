import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ZmsClient } from '#client/zms-client.ts'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { athenzTools } from '../support/athenz-tools.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { type ProgramEnd, runProgram, startProgram } from '../support/program.ts'
import { administratorOf } from '../support/sports-service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

type Outcome = ProgramEnd & { readonly stdout: string; readonly stderr: string }

const OURS = join(PROJECT_FOLDER, 'bin', 'zpu')
/** A change is to reach the files within this time. */
const CHANGE_MILLIS = 2_000

describe("zpu, beside the original's where it is installed", async () => {
  const installed = await athenzTools(['zpu'])
  const theirs = 'folder' in installed ? join(installed.folder, 'zpu') : undefined
  const work = temporaryFolder()
  const at = (...parts: string[]) => join(work, ...parts)
  let servers: DevServers

  before(async () => {
    servers = await startDevServers({ dir: at('servers'), zts: true })
    await using zms = new ZmsClient({ url: servers.summary.zms ?? '', identity: administratorOf(servers) })
    await zms.call('postTopLevelDomain', { body: { name: 'sports', adminUsers: ['user.admin'] } })
    await putPolicy('data.*')
    cpSync(at('servers', 'conf', 'zts_server', 'athenz.conf'), at('athenz.conf'))
    await until(async () => (await update('first', 'ours', { domains: 'sports' })).status === 0, { what: 'the domain' })
  })

  after(() => servers[Symbol.asyncDispose]())

  async function putPolicy(resource: string): Promise<void> {
    await using zms = new ZmsClient({ url: servers.summary.zms ?? '', identity: administratorOf(servers) })
    const assertion = { role: 'sports:role.readers', action: 'read' }
    const assertions = [
      { ...assertion, resource: `sports:${resource}`, effect: 'ALLOW' as const },
      { ...assertion, resource: 'sports:data.secret', effect: 'DENY' as const },
    ]
    await zms.call('putPolicy', { domainName: 'sports', policyName: 'data', body: { name: 'data', assertions } })
  }

  /** A folder of its own for each tool, made for `zpu.conf` in it. */
  function prepare(name: string, tool: 'ours' | 'theirs', conf: object): string {
    const folder = at(name, tool)
    for (const part of ['policies', 'tmp', 'logs']) mkdirSync(join(folder, part), { recursive: true })
    const folders = { policyDir: join(folder, 'policies'), tempPolicyDir: join(folder, 'tmp') }
    writeFileSync(
      join(folder, 'zpu.conf'),
      JSON.stringify({ ...folders, metricsDir: join(folder, 'metrics'), ...conf }),
    )
    return folder
  }

  const caller = () => ['-cert-file', servers.summary.adminCert, '-private-key', servers.summary.adminKey]

  function argumentsOf(folder: string, flags: readonly string[], identity = caller()): string[] {
    const files = ['-athenzConf', at('athenz.conf'), '-zpuConf', join(folder, 'zpu.conf')]
    const log = ['-logFile', join(folder, 'logs', 'zpu.log'), '-sia-dir', join(folder, 'none')]
    const server = ['-zts', servers.summary.zts ?? '', '-cacert', servers.summary.ca]
    return [...files, ...log, ...server, ...identity, ...flags]
  }

  function update(
    name: string,
    tool: 'ours' | 'theirs',
    conf: object,
    flags: readonly string[] = [],
    identity = caller(),
  ): Promise<Outcome> {
    const folder = prepare(name, tool, conf)
    return runProgram(tool === 'ours' ? OURS : (theirs ?? ''), argumentsOf(folder, flags, identity), { env: {} })
  }

  /** Runs both tools, which must end and print alike; the words of reasons are our own. */
  async function both(
    name: string,
    conf: object,
    flags: readonly string[] = [],
    identity = caller(),
  ): Promise<Outcome> {
    const outcome = await update(name, 'ours', conf, flags, identity)
    if (theirs === undefined) return outcome
    const peer = await update(name, 'theirs', conf, flags, identity)
    assert.equal(outcome.status, peer.status, `${outcome.stderr} in place of ${peer.stderr}`)
    const steady = (text: string) =>
      text.replaceAll(/"2\d{3}-[^"]*Z"|(?<="zmsSignature": ")[^"]*/g, '<varies>').trimEnd()
    assert.equal(
      steady(outcome.stdout).replace(/(: its signature is wrong|: it is no JSON).*/, ''),
      steady(peer.stdout).replace(/(: verification of data|: unexpected).*/, ''),
    )
    return outcome
  }

  const policyFile = (name: string, tool: 'ours' | 'theirs', domain = 'sports') =>
    at(name, tool, 'policies', `${domain}.pol`)

  /** Does the same to the files of both tools. */
  function change(name: string, by: (text: string) => string): void {
    for (const tool of ['ours', 'theirs'] as const) {
      const file = policyFile(name, tool)
      if (existsSync(file)) writeFileSync(file, by(readFileSync(file, 'utf8')))
    }
  }

  const SPORTS = { domains: 'sports,sys.auth' }

  test('writes the same files, and says the same of them', async () => {
    assert.equal((await both('files', SPORTS, ['-check-status'])).status, 1)
    assert.equal((await both('files', SPORTS, ['-check-details'])).status, 1)
    assert.equal((await both('files', SPORTS)).status, 0)
    // ZTS keeps what it has signed for a while, so that both were given the same.
    if (theirs)
      assert.equal(
        readFileSync(policyFile('files', 'ours'), 'utf8'),
        readFileSync(policyFile('files', 'theirs'), 'utf8'),
      )
    const { stdout } = await both('files', SPORTS, ['-check-status'])
    assert.deepEqual(JSON.parse(stdout), {
      application: 'zpu-check',
      status_code: 0,
      status_msg: 'All policy files are valid',
    })
    assert.match(
      (await both('files', SPORTS, ['-check-details'])).stdout,
      /"policy_expiry_minutes":7199,"valid_signature":true/,
    )
    assert.match((await both('files', SPORTS, ['-view-domain', 'sports'])).stdout, /"resource": "sports:data\.secret"/)
    assert.equal((await both('files', SPORTS, ['-view-domain', 'none'])).status, 1)
    assert.match(
      readFileSync(at('files', 'ours', 'metrics', 'zpu.prom'), 'utf8'),
      /athenz_zpu_policy_version_timestamp_seconds\{domain="sports"\} \d+/,
    )
  })

  test('does not fetch again what has not changed, and does what is damaged', async () => {
    assert.equal((await both('again', SPORTS)).status, 0)
    const good = readFileSync(policyFile('again', 'ours'), 'utf8')
    assert.equal((await both('again', SPORTS)).status, 0)
    assert.match(
      readFileSync(at('again', 'ours', 'logs', 'zpu.log'), 'utf8'),
      /Policies not updated since last fetch for domain: sports\n/,
    )
    for (const damage of [(text: string) => text.replace('"read"', '"reed"'), () => '{']) {
      change('again', damage)
      assert.equal((await both('again', SPORTS, ['-check-status'])).status, 1)
      assert.equal((await both('again', SPORTS, ['-check-details'])).status, 1)
      assert.equal((await both('again', SPORTS, ['-view-domain', 'sports'])).status, 1)
      assert.equal((await both('again', SPORTS)).status, 0)
      assert.equal(readFileSync(policyFile('again', 'ours'), 'utf8'), good)
    }
  })

  test('says that policies are due, and fetches them, long before they expire', async () => {
    const soon = { ...SPORTS, expiryCheck: 20_000 }
    assert.equal((await both('soon', soon)).status, 0)
    assert.match(
      (await both('soon', soon, ['-check-status'])).stdout,
      /policy file expired for domain sports; policy file/,
    )
    assert.match(
      (await both('soon', soon, ['-check-details'])).stdout,
      /"policy_expiry_minutes":-99\d\d,"valid_signature":true/,
    )
  })

  test('takes web signatures', async () => {
    const jws = { ...SPORTS, jwsPolicySupport: true, policyVersions: {} }
    assert.equal((await both('jws', jws)).status, 0)
    assert.deepEqual(Object.keys(JSON.parse(readFileSync(policyFile('jws', 'ours'), 'utf8'))), [
      'payload',
      'protected',
      'header',
      'signature',
    ])
    assert.equal((await both('jws', jws, ['-check-status'])).status, 0)
    assert.equal((await both('jws', jws, ['-view-domain', 'sports'])).status, 0)
    assert.equal((await both('jws', jws)).status, 0)
  })

  test('goes on after a domain that fails, and ends with 1', async () => {
    const outcome = await both('failing', { domains: 'nosuch,sports' })
    assert.equal(outcome.status, 1)
    assert.match(outcome.stderr, /failed to get policies for domain: nosuch, Error: Domain not found: 'nosuch'/)
    assert.ok(existsSync(policyFile('failing', 'ours')))
  })

  test('ends with 1 when it cannot begin, and with 2 for flags that do not exist', async () => {
    assert.match((await both('bad', { domains: '' })).stderr, /^zpu: no domain list to process from configuration\n$/)
    const alone = ['-cert-file', servers.summary.adminCert]
    assert.match(
      (await both('bad', SPORTS, [], alone)).stderr,
      /both private key and cert file are required, missing private key file/,
    )
    assert.equal((await both('bad', SPORTS, ['-athenzConf', '/none/athenz.conf'])).status, 1)
    assert.equal((await both('bad', SPORTS, ['-zpuConf', '/none/zpu.conf'])).status, 1)
    assert.equal((await both('bad', SPORTS, ['-nosuch'])).status, 2)
  })

  test('as a daemon, brings changes within two seconds', async () => {
    const folder = prepare('daemon', 'ours', { domains: 'sports' })
    await using daemon = startProgram(OURS, argumentsOf(folder, ['-daemon']), { env: {} })
    const file = policyFile('daemon', 'ours')
    await until(() => existsSync(file), { what: 'the first file' })
    for (const resource of ['one', 'two', 'three']) {
      await putPolicy(resource)
      const what = `the change ${resource}`
      await until(() => readFileSync(file, 'utf8').includes(`sports:${resource}"`), {
        timeoutMillis: CHANGE_MILLIS,
        what,
      })
    }
    daemon.kill('SIGTERM')
    assert.deepEqual([(await daemon.ended).status, daemon.stderr()], [0, ''])
  })
})
