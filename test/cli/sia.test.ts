import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { chmodSync, cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { certificateFiles, privateKeyPem, ZtsClient } from '#client/index.ts'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { runProgram, startProgram } from '../support/program.ts'
import { administratorOf, DNS_DOMAIN, makeSportsService } from '../support/sports-service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const ATHENZ = join(PROJECT_FOLDER, 'bin', 'athenz')
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
const NAMES = [
  'service certificate sports.api',
  'role certificate weather:role.readers',
  'access token weather/readers',
]

describe('athenz sia', () => {
  const dir = temporaryFolder()
  let servers: DevServers

  before(async () => {
    servers = await startDevServers({ dir, zts: true })
    await makeSportsService(servers, keys.publicKey)
  })

  after(() => servers[Symbol.asyncDispose]())

  const run = (...args: string[]) => runProgram(ATHENZ, ['sia', ...args])
  const place = (instanceId: string) => ({ provider: 'sys.auth.zts', domain: 'sports', service: 'api', instanceId })

  /** A configuration for an instance that has a register token, and the paths of what the agent writes. */
  async function instance(instanceId: string, more: object = {}) {
    const folder = temporaryFolder()
    const { zts: url, ca } = servers.summary
    await using zts = new ZtsClient({ url: url ?? '', identity: administratorOf(servers) })
    const { attestationData } = await zts.call('getInstanceRegisterToken', place(instanceId))
    writeFileSync(join(folder, 'token'), attestationData)
    const file = join(folder, 'sia.json')
    const settings = {
      ...place(instanceId),
      zts: url,
      caFile: ca,
      dnsDomain: DNS_DOMAIN,
      attestationFile: 'token',
      folder: 'sia',
    }
    writeFileSync(file, JSON.stringify({ ...settings, ...more }))
    return { file, folder, ...pathsIn(join(folder, 'sia')) }
  }

  const pathsIn = (folder: string) => ({
    key: join(folder, 'keys', 'sports.api.key.pem'),
    certificate: join(folder, 'certs', 'sports.api.cert.pem'),
  })
  const serialOf = (file: string) => new X509Certificate(readFileSync(file)).serialNumber
  const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)

  test('gets everything that is configured, for programs of the machine to use', async () => {
    const { file, folder, key, certificate } = await instance('i1', {
      keyKind: 'ec',
      roleCertificates: [{ domain: 'weather', role: 'readers' }],
      accessTokens: [{ domain: 'weather', roles: ['readers'] }],
      afterRenewal: [['sh', '-c', 'echo renewed >>"$0"', join(dir, 'hook')], ['false']],
      metricsFile: 'metrics.prom',
    })
    const { status, stderr } = await run('--config', file, '--once')
    assert.equal(status, 0, stderr)
    for (const name of NAMES) assert.match(stderr, new RegExp(`info ${name} is new, good until 20`))
    assert.match(stderr, /error false ended with 1/)
    assert.equal(readFileSync(join(dir, 'hook'), 'utf8'), 'renewed\n')
    const { url, ca } = { url: servers.summary.zts ?? '', ca: servers.summary.ca }
    const role = join(folder, 'sia', 'certs', 'weather:role.readers.cert.pem')
    const tokens = join(folder, 'sia', 'tokens')
    const published = [
      certificate,
      role,
      join(folder, 'sia', 'certs', 'ca.cert.pem'),
      join(folder, 'sia', 'athenz.conf'),
    ]
    assert.deepEqual(published.map(modeOf), ['444', '444', '444', '444'])
    const secrets = [
      key,
      join(folder, 'sia', 'keys', 'weather:role.readers.key.pem'),
      join(tokens, 'weather', 'readers'),
    ]
    assert.deepEqual(secrets.map(modeOf), ['400', '400', '400'])
    assert.ok(JSON.parse(readFileSync(join(folder, 'sia', 'athenz.conf'), 'utf8')).zts.keys.length > 0)

    const identity = await certificateFiles({ key, certificate, ca })
    await using zts = new ZtsClient({ url, identity, accessTokenFolder: tokens })
    assert.match((await zts.getRoleToken('weather')).token, /;p=sports\.api;/)
    const kept = JSON.parse(readFileSync(join(tokens, 'weather', 'readers'), 'utf8')) as { access_token: string }
    assert.equal((await zts.getAccessToken('weather', { roles: ['readers'] })).access_token, kept.access_token)
    identity.close()

    const metrics = readFileSync(join(folder, 'metrics.prom'), 'utf8')
    assert.match(metrics, /^athenz_sia_days_left\{kind="service certificate",name="sports\.api"\} (29|30)\.?\d*$/m)
    assert.match(
      metrics,
      /^athenz_sia_renewals_total\{kind="access token",name="weather\/readers",outcome="renewed"\} 1$/m,
    )
  })

  test('leaves alone what is not due, and renews it when it is told to', async () => {
    const { file, key, certificate } = await instance('i2')
    assert.equal((await run('--config', file, '--once')).status, 0)
    const [serial, formerKey] = [serialOf(certificate), readFileSync(key, 'utf8')]
    const idle = await run('--config', file, '--once')
    assert.deepEqual([idle.status, idle.stderr, serialOf(certificate)], [0, '', serial])
    assert.equal((await run('--config', file, '--once', '--renew')).status, 0)
    assert.notEqual(serialOf(certificate), serial)
    assert.notEqual(readFileSync(key, 'utf8'), formerKey)
  })

  test('registers again when ZTS does not take its certificate any more', async () => {
    const { file, folder, key, certificate } = await instance('i3')
    assert.equal((await run('--config', file, '--once')).status, 0)
    for (const path of [key, certificate]) cpSync(path, `${path}.old`)
    for (let count = 0; count < 2; count++) assert.equal((await run('--config', file, '--once', '--renew')).status, 0)
    // A copy of an old certificate: ZTS revokes all of the instance.
    for (const path of [key, certificate]) {
      chmodSync(path, 0o600)
      cpSync(`${path}.old`, path)
    }
    const { status, stderr } = await run('--config', file, '--once', '--renew')
    assert.equal(status, 0, stderr)
    assert.match(
      stderr,
      /warn ZTS does not renew the certificate of sports\.api \(.*revoked.*\); the instance registers again/i,
    )
    assert.notEqual(serialOf(certificate), serialOf(`${certificate}.old`))

    writeFileSync(join(folder, 'token'), '')
    for (const path of [key, certificate]) {
      chmodSync(path, 0o600)
      cpSync(`${path}.old`, path)
    }
    const without = await run('--config', file, '--once', '--renew')
    assert.equal(without.status, 1)
    assert.match(
      without.stderr,
      /error service certificate sports\.api cannot be renewed \(failure 1, the present one is good until/,
    )
  })

  test('certifies a registered key, without a configuration file', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'sports.key'), privateKeyPem(keys.privateKey))
    const { zts, ca } = servers.summary
    const names = [
      '--zts',
      zts ?? '',
      '--ca-file',
      ca,
      '--domain',
      'sports',
      '--service',
      'api',
      '--dns-domain',
      DNS_DOMAIN,
    ]
    const args = [...names, '--folder', folder, '--key-file', join(folder, 'sports.key'), '--key-id', 'v1']
    const missing = await run(...args, '--check')
    assert.deepEqual([missing.status, missing.stdout], [1, `${NAMES[0]}: missing\n`])
    assert.equal((await run(...args, '--once')).status, 0)
    const { key, certificate } = pathsIn(folder)
    assert.equal(readFileSync(key, 'utf8'), privateKeyPem(keys.privateKey))
    const checked = await run(...args, '--check')
    assert.equal(checked.status, 0)
    assert.match(checked.stdout, /^service certificate sports\.api: (29\.\d\d|30\.00) days left, until 20\S+Z\n$/)
    const [state] = JSON.parse((await run(...args, '--check', '--json')).stdout) as {
      until: string
      daysLeft: number
    }[]
    assert.equal(
      new Date(state?.until ?? '').getTime(),
      new X509Certificate(readFileSync(certificate)).validToDate.getTime(),
    )
  })

  test('runs until it is told to end, with metrics on a port, alone in its folder', async () => {
    const { file, certificate } = await instance('i4', { metricsPort: 0 })
    await using agent = startProgram(ATHENZ, ['sia', '--config', file])
    const printed = async (pattern: RegExp) => {
      for (;;) {
        const match = pattern.exec(agent.stderr())
        if (match) return match[1] ?? ''
        assert.equal(agent.process.exitCode, null, agent.stderr())
        assert.doesNotMatch(agent.stderr(), / error /)
        await new Promise((resolve) => agent.process.stderr?.once('data', resolve))
      }
    }
    const metrics = await printed(/metrics are at (\S+)/)
    await printed(/(is new)/)
    assert.ok(existsSync(certificate))
    // What is new is shown after the whole pass, which goes on behind the printed line.
    await until(async () => (await fetch(metrics.replace('/metrics', '/readyz'))).status === 200)
    assert.match(await (await fetch(metrics)).text(), /^athenz_sia_expiry_timestamp_seconds\{[^}]*\} \d{10}$/m)
    const second = await run('--config', file, '--once')
    assert.equal(second.status, 2)
    assert.match(second.stderr, /^athenz sia: another agent works in \S+\n$/)
    agent.kill()
    assert.deepEqual(await agent.ended, { status: 0, signal: null })
  })

  test('says what is wrong with ZTS or its settings', async () => {
    const { file } = await instance('i5', { zts: 'https://localhost:1' })
    const away = await run('--config', file, '--once')
    assert.equal(away.status, 1)
    assert.match(
      away.stderr,
      /cannot be renewed \(failure 1, there is none\): localhost:1 cannot be reached: .*ECONNREFUSED/,
    )
    const unusable = await run('--config', file, '--domain', '../x', '--once')
    assert.equal(unusable.status, 2)
    assert.match(unusable.stderr, /^athenz sia: \S+ cannot be used:\n {2}domain: no DomainName\n$/)
  })
})
