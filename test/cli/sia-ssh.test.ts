import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ZmsClient, ZtsClient } from '#client/index.ts'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { runProgram } from '../support/program.ts'
import { administratorOf, DNS_DOMAIN, makeSportsService } from '../support/sports-service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const ATHENZ = join(PROJECT_FOLDER, 'bin', 'athenz')
const PROVIDER = 'sports.machines'

/** A provider that believes everybody, and says in the token whether the machine may have an SSH certificate. */
const PROVIDER_MODULE = `
const answer = async (confirmation) => ({
  ...confirmation,
  attributes: {
    certSSH: String(confirmation.attestationData === 'with SSH'),
    attestedSshCertPrincipals: 'h1.example.com',
  },
})
export default class {
  svidTypes = 'x509'
  inProcess = true
  confirmInstance = answer
  refreshInstance = answer
}
`

describe('athenz sia and the SSH server of its machine', () => {
  const dir = temporaryFolder()
  const at = (name: string) => join(dir, name)
  let servers: DevServers

  before(async () => {
    for (const name of ['ca', 'host', 'other']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'x', '-f', at(name)])
    }
    writeFileSync(at('provider.mjs'), PROVIDER_MODULE)
    servers = await startDevServers({
      dir: at('dev'),
      zts: true,
      settings: {
        'athenz.ts.instance_providers': `test.Machines=${at('provider.mjs')}`,
        'athenz.ts.ssh_host_ca_key_file': at('ca'),
      },
    })
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await makeSportsService(servers, publicKey)
    await letProviderLaunch()
  })
  after(() => servers?.[Symbol.asyncDispose]())

  /** Registers the provider, lets it launch the service under the DNS names of ZTS, and waits until ZTS knows of it. */
  async function letProviderLaunch(): Promise<void> {
    const identity = administratorOf(servers)
    await using zms = new ZmsClient({ url: servers.summary.zms ?? '', identity })
    const machines = { domain: 'sports', service: 'machines' }
    await zms.call('putServiceIdentity', { ...machines, body: { name: PROVIDER } })
    const providerEndpoint = 'class://test.Machines'
    const system = { ...machines, attribute: 'providerendpoint', body: { providerEndpoint } }
    await zms.call('putServiceIdentitySystemMeta', system)
    for (const [domainName, resource] of [
      ['sports', 'sports:service.api'],
      ['sys.auth', 'sys.auth:instance'],
      ['sys.auth', `sys.auth:dns.${DNS_DOMAIN}`],
    ] as const) {
      const name = `machines-${resource.replaceAll(/\W/g, '-')}`
      const role = { name, roleMembers: [{ memberName: PROVIDER }] }
      await zms.call('putRole', { domainName, roleName: name, body: role })
      const assertion = { role: `${domainName}:role.${name}`, action: 'launch', resource, effect: 'ALLOW' } as const
      await zms.call('putPolicy', { domainName, policyName: name, body: { name, assertions: [assertion] } })
    }
    await using zts = new ZtsClient({ url: servers.summary.zts ?? '', identity })
    for (const resource of ['sports:service.api', `sys.auth:dns.${DNS_DOMAIN}`]) {
      const question = { action: 'launch', resource, checkPrincipal: PROVIDER }
      await until(async () => (await zts.call('getResourceAccessExt', question)).granted, { what: resource })
    }
  }

  /** Runs the agent once for an instance; gives what it says. */
  async function agent(instanceId: string, attestation: string, sshHost: object | undefined, ...args: string[]) {
    writeFileSync(at(`${instanceId}.token`), attestation)
    const { zts, ca: caFile } = servers.summary
    const names = { domain: 'sports', service: 'api', provider: PROVIDER, instanceId, dnsDomain: DNS_DOMAIN }
    const places = { zts, caFile, attestationFile: `${instanceId}.token`, folder: instanceId }
    const config = { ...names, ...places, ...(sshHost && { sshHost }) }
    writeFileSync(at(`${instanceId}.json`), JSON.stringify(config))
    const outcome = await runProgram(ATHENZ, ['sia', '--config', at(`${instanceId}.json`), ...args])
    const log = outcome.stderr.replaceAll(/^\S+ /gm, '')
    return { ...outcome, log }
  }
  const serialOf = (instanceId: string) =>
    new X509Certificate(readFileSync(at(`${instanceId}/certs/sports.api.cert.pem`))).serialNumber
  const shown = (file: string) => execFileSync('ssh-keygen', ['-L', '-f', file], { encoding: 'utf8' })

  test('gets a certificate for the key of the host with that of the service, and renews both together', async () => {
    const sshHost = { publicKeyFile: 'host.pub', authorityFile: 'known/authority.pub', principals: ['h1.example.com'] }
    const first = await agent('i1', 'with SSH', sshHost, '--once')
    assert.equal(first.status, 0, first.log)
    // It came with the certificate of the service, and nothing is asked twice.
    assert.match(first.log, /^info service certificate sports\.api is new, [^\n]*\n$/)
    const text = shown(at('host-cert.pub'))
    assert.match(text, /Type: ssh-ed25519-cert-v01@openssh\.com host certificate/)
    assert.match(text, /Principals: \s+h1\.example\.com\n/)
    assert.match(text, /Key ID: "sports\.api i1"/)
    assert.equal((statSync(at('host-cert.pub')).mode & 0o777).toString(8), '444')
    const authority = readFileSync(at('ca.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
    assert.equal(readFileSync(at('known/authority.pub'), 'utf8'), `${authority}\n`)

    const idle = await agent('i1', 'with SSH', sshHost, '--once')
    assert.deepEqual([idle.status, idle.log], [0, ''])
    const checked = await agent('i1', 'with SSH', sshHost, '--check')
    assert.match(checked.stdout, /^SSH certificate sports\.api: (?:29\.\d\d|30\.\d\d) days left, until 20\S+Z$/m)
    const serial = serialOf('i1')
    rmSync(at('host-cert.pub'))
    const again = await agent('i1', 'with SSH', sshHost, '--once')
    assert.match(again.log, /^info SSH certificate sports\.api is new, good until 20\S+Z\n$/)
    assert.match(shown(at('host-cert.pub')), /h1\.example\.com/)
    assert.notEqual(serialOf('i1'), serial)
  })

  test('has the certificate of the service all the same when there is none for SSH', async () => {
    const sshHost = { publicKeyFile: 'other.pub', certificateFile: 'other-certificate.pub' }
    const refused = await agent('i2', 'without', sshHost, '--once')
    assert.equal(refused.status, 1)
    assert.match(refused.log, /^info service certificate sports\.api is new/m)
    assert.match(
      refused.log,
      /^error SSH certificate sports\.api cannot be renewed \(failure 1, there is none\): ZTS gave no SSH certificate/m,
    )
    const foreign = await agent('i3', 'with SSH', { ...sshHost, principals: ['bank.example.com'] }, '--once')
    assert.match(foreign.log, /ZTS gave no SSH certificate/)
    const missing = await agent('i4', 'with SSH', { publicKeyFile: 'absent.pub' }, '--once')
    assert.equal(missing.status, 1)
    assert.match(missing.log, /^error SSH certificate sports\.api cannot be renewed .*absent\.pub/m)
    for (const instanceId of ['i2', 'i3', 'i4']) assert.ok(serialOf(instanceId))
  })

  test('asks for a new one when the host has another key', async () => {
    const sshHost = { publicKeyFile: 'changing.pub' }
    writeFileSync(at('changing.pub'), readFileSync(at('host.pub')))
    assert.equal((await agent('i5', 'with SSH', sshHost, '--once')).status, 0)
    writeFileSync(at('changing.pub'), readFileSync(at('other.pub')))
    const { status, log } = await agent('i5', 'with SSH', sshHost, '--once')
    assert.equal(status, 0)
    assert.match(log, /^info SSH certificate sports\.api is new/)
  })
})
