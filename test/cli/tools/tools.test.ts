import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseCertificateRequest } from '#core/crypto/certificate-request-reader.ts'
import { PROJECT_FOLDER } from '../../architecture/sources.ts'
import { athenzTools } from '../../support/athenz-tools.ts'
import { type DevServers, startDevServers } from '../../support/dev-servers.ts'
import { type ProgramEnd, runProgram } from '../../support/program.ts'
import { DNS_DOMAIN, makeSportsService } from '../../support/sports-service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const NAMES = ['zts-svccert', 'zts-rolecert', 'zts-roletoken', 'zts-accesstoken', 'zts-idtoken', 'athenz-conf'] as const
type Name = (typeof NAMES)[number]
type Outcome = ProgramEnd & { readonly stdout: string; readonly stderr: string }

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string

/** What differs between two runs of one command: tokens, certificates, salts, signatures, times. */
const steady = (text: string): string =>
  text
    .replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, '<token>')
    .replaceAll(/;a=[0-9a-f]+;t=\d+;e=\d+;/g, ';<salt and times>;')
    .replaceAll(/;s=[\w.-]+/g, ';<signature>')
    .replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '<time>')
    .replaceAll(/(?<=BEGIN CERTIFICATE-----\n)[\w+/=\n]+/g, '<certificate>')

describe("the tools for tokens and certificates, beside the original's where they are installed", async () => {
  const installed = await athenzTools(NAMES)
  const theirs = 'folder' in installed ? installed.folder : undefined
  const work = temporaryFolder()
  const at = (file: string) => join(work, file)
  const modeOf = (file: string) => (statSync(at(file)).mode & 0o777).toString(8)
  const environment = { PATH: process.env['PATH'], HOME: at('home'), USER: 'somebody' }
  let servers: DevServers

  before(async () => {
    writeFileSync(at('api.key'), pemOf(rsa.privateKey))
    writeFileSync(at('other.key'), pemOf(ec.privateKey))
    servers = await startDevServers({ dir: at('servers'), zts: true })
    await makeSportsService(servers, rsa.publicKey)
    const certificate = await ours('zts-svccert', [...registeredKey(), '-cert-file', 'api.pem'])
    assert.equal(certificate.status, 0, certificate.stderr)
    const conf = await ours('athenz-conf', [...confFlags(), '-o', 'athenz.conf'])
    assert.equal(conf.status, 0, conf.stderr)
  })

  after(() => servers[Symbol.asyncDispose]())

  const ztsUrl = () => servers.summary.zts ?? ''
  const registeredKey = () => [...service(), '-private-key', 'api.key', '-key-version', 'v1']
  const service = () => [...names, '-zts', ztsUrl(), '-cacert', servers.summary.ca]
  const names = ['-domain', 'sports', '-service', 'api', '-dns-domain', DNS_DOMAIN]
  const trusting = () => ['-zts', ztsUrl(), '-svc-cacert-file', servers.summary.ca]
  const caller = () => [...trusting(), '-svc-key-file', 'api.key', '-svc-cert-file', 'api.pem']
  const roleCertificate = () => {
    const role = ['-role-domain', 'weather', '-role-name', 'readers', '-dns-domain', DNS_DOMAIN]
    return [
      '-zts',
      ztsUrl(),
      '-cacert',
      servers.summary.ca,
      '-svc-key-file',
      'api.key',
      '-svc-cert-file',
      'api.pem',
      ...role,
    ]
  }
  const administrator = () => ['-svc-cert-file', servers.summary.adminCert, '-svc-key-file', servers.summary.adminKey]
  const confFlags = () => {
    const { zms, zts, ca } = servers.summary
    return ['-z', zms ?? '', '-t', zts ?? '', '-c', ca, ...administrator()]
  }

  const run = (folder: string, name: Name, args: readonly string[]): Promise<Outcome> =>
    runProgram(join(folder, name), args, { cwd: work, env: environment })
  const ours = (name: Name, args: readonly string[]) => run(join(PROJECT_FOLDER, 'bin'), name, args)

  /** Runs a command with our tool, and before it with the original's, which must end and print alike. */
  async function both(name: Name, args: readonly string[], between = () => {}): Promise<Outcome> {
    const peer = theirs === undefined ? undefined : await run(theirs, name, args)
    if (peer !== undefined) between()
    const outcome = await ours(name, args)
    if (peer === undefined) return outcome
    assert.equal(outcome.status, peer.status, `${outcome.stderr} in place of ${peer.stderr}`)
    assert.equal(steady(outcome.stdout), steady(peer.stdout))
    return outcome
  }

  async function succeeds(name: Name, args: readonly string[], pattern: RegExp, between?: () => void): Promise<string> {
    const { status, stdout, stderr } = await both(name, args, between)
    assert.equal(stderr, '')
    assert.match(stdout, pattern)
    assert.equal(status, 0)
    return stdout
  }

  /** What is refused, with the words of the server, or with our own where it was not asked. */
  async function fails(name: Name, args: readonly string[], pattern: RegExp): Promise<void> {
    const { status, stdout, stderr } = await both(name, args)
    assert.equal(stdout, '')
    assert.match(stderr, /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /)
    assert.match(stderr, pattern)
    assert.equal(status, 1)
  }

  /** What shows the ways to call the tool, in words of our own. */
  async function misused(name: Name, args: readonly string[], status: number, pattern: RegExp): Promise<void> {
    const outcome = await ours(name, args)
    assert.match(outcome.stdout + outcome.stderr, new RegExp(`usage: ${name} `))
    assert.match(outcome.stderr, pattern)
    assert.equal(outcome.status, status)
    if (theirs !== undefined) assert.equal((await run(theirs, name, args)).status, status)
  }

  const requestIn = (pem: string) => {
    const { subject, alternativeNames, publicKeyDer } = parseCertificateRequest(requestDer(pem))
    const alternatives = alternativeNames.map(({ type, value }) => `${type}:${value}`).sort()
    return { subject: [...subject], alternatives, publicKeyDer }
  }

  describe('zts-svccert', () => {
    const NONE = /^$/
    const writable =
      (...files: string[]) =>
      () =>
        files.forEach((file) => chmodSync(at(file), 0o644))

    test('writes a certificate for a registered key, and those of its authorities, for reading only', async () => {
      const files = ['-cert-file', 'one.pem', '-signer-cert-file', 'signer.pem']
      await succeeds('zts-svccert', [...registeredKey(), ...files, '-expiry-time', '60'], NONE)
      assert.deepEqual([modeOf('one.pem'), modeOf('signer.pem')], ['444', '444'])
      const certificate = new X509Certificate(readFileSync(at('one.pem')))
      assert.equal(certificate.subject, 'C=US\nO=Oath Inc.\nOU=Athenz\nCN=sports.api')
      assert.ok(certificate.checkIssued(new X509Certificate(readFileSync(at('signer.pem')))))
      // A tool that runs again takes the place of what it wrote.
      await succeeds('zts-svccert', [...registeredKey(), ...files], NONE, writable('one.pem'))
    })

    test('prints it when no file is named', async () => {
      await succeeds(
        'zts-svccert',
        registeredKey(),
        /^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n\n$/,
      )
    })

    test('calls with a certificate of the service', async () => {
      const more = ['-service-cert', 'api.pem', '-cert-file', 'again.pem']
      await succeeds('zts-svccert', [...registeredKey(), ...more], NONE)
    })

    for (const more of [
      [],
      ['-ip', '10.0.0.1', '-spiffe-trust-domain', 'athenz.io'],
      ['-spiffe=false', '-subj-c', 'DE', '-subj-o', 'Company', '-subj-ou', 'Team'],
      ['-provider', 'sys.auth.zts', '-instance', 'id1'],
      ['-instance', 'id1'],
    ]) {
      test(`the certificate request says the same: ${more.join(' ')}`, async () => {
        const args = [...names, '-private-key', 'api.key', '-csr', ...more]
        const own = await ours('zts-svccert', args)
        assert.equal(own.status, 0, own.stderr)
        assert.ok(requestIn(own.stdout).alternatives.includes(`dns:api.sports.${DNS_DOMAIN}`))
        if (theirs === undefined) return
        const peer = await run(theirs, 'zts-svccert', args)
        assert.deepEqual(requestIn(own.stdout), requestIn(peer.stdout))
      })
    }

    test('leaves out what is empty', async () => {
      const { stdout } = await ours('zts-svccert', [...names, '-private-key', 'api.key', '-csr', '-subj-ou='])
      assert.deepEqual(requestIn(stdout).subject, [
        ['O', ['Oath Inc.']],
        ['CN', ['sports.api']],
      ])
    })

    test('gets a register token, and a certificate with it and a key that it makes', async () => {
      const place = [...service(), '-provider', 'sys.auth.zts', '-instance', 'id1', ...administrator()]
      await succeeds('zts-svccert', ['-get-instance-register-token', ...place], /^eyJ.+\n$/)
      const toFile = ['-get-instance-register-token', ...place, '-attestation-data', 'token']
      await succeeds('zts-svccert', toFile, NONE, writable('token'))
      assert.equal(modeOf('token'), '444')
      const out = ['-cert-file', 'instance.pem', '-private-key', 'instance.key']
      await succeeds('zts-svccert', ['-use-instance-register-token', ...place, ...out], NONE, writable('instance.pem'))
      assert.equal(modeOf('instance.key'), '400')
      assert.match(readFileSync(at('instance.key'), 'utf8'), /^-----BEGIN RSA PRIVATE KEY-----/)
      const { subjectAltName } = new X509Certificate(readFileSync(at('instance.pem')))
      assert.match(subjectAltName ?? '', /URI:athenz:\/\/instanceid\/sys\.auth\.zts\/id1/)
      const attested = [...place, '-attestation-data', 'token', '-private-key', 'instance.key']
      await succeeds('zts-svccert', attested, /^-----BEGIN CERTIFICATE-----/)
    })

    test('says why there is none', async () => {
      const id = (version: string) => [...service(), '-private-key', 'api.key', '-key-version', version]
      await fails('zts-svccert', id('v9'), / 401 Invalid credentials/)
      await fails('zts-svccert', [...service(), '-private-key', 'api.key'], /missing key-version/)
      await fails('zts-svccert', [...service(), '-private-key', 'absent.key', '-key-version', 'v1'], /absent\.key/)
      await fails('zts-svccert', [...registeredKey(), '-cert-file', 'absent/api.pem'], /absent\/api\.pem/)
      await fails('zts-svccert', [...registeredKey(), '-zts', 'https://localhost:1/zts/v1'], /ECONNREFUSED/)
      await fails('zts-svccert', [...registeredKey(), '-cacert', 'absent.pem'], /absent\.pem/)
      const place = ['-provider', 'sports.api', '-instance', 'id1', ...administrator()]
      await fails('zts-svccert', ['-get-instance-register-token', ...service(), ...place], / 40[03] /)
    })

    test('shows how it is called', async () => {
      await misused('zts-svccert', [], 1, /missing required attributes/)
      await misused('zts-svccert', [...names, '-private-key', 'api.key'], 1, /missing ZTS Server url/)
      await misused('zts-svccert', ['-bogus'], 2, /flag provided but not defined: -bogus/)
      await misused('zts-svccert', ['-zts'], 2, /flag needs an argument: -zts/)
      await misused('zts-svccert', ['-expiry-time', 'x'], 2, /invalid value "x" for flag -expiry-time/)
      await misused('zts-svccert', ['-csr=maybe'], 2, /invalid boolean value "maybe" for -csr/)
    })
  })

  describe('zts-rolecert', () => {
    test('writes and prints a certificate of a role, for a key of its own when one is named', async () => {
      const files = ['-role-key-file', 'other.key', '-role-cert-file', 'role.pem']
      await succeeds('zts-rolecert', [...roleCertificate(), ...files], /^$/)
      assert.equal(modeOf('role.pem'), '644')
      const certificate = new X509Certificate(readFileSync(at('role.pem')))
      assert.match(certificate.subject, /CN=weather:role\.readers$/)
      assert.ok(certificate.checkPrivateKey(ec.privateKey))
      const again = [...roleCertificate(), '-old-role-cert', 'role.pem', '-expiry-time', '30']
      await succeeds('zts-rolecert', again, /^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n\n$/)
    })

    test('the certificate request says the same', async () => {
      const args = [...roleCertificate(), '-csr', '-ip', '10.0.0.1', '-spiffe-trust-domain', 'athenz.io']
      const own = await ours('zts-rolecert', args)
      assert.ok(requestIn(own.stdout).alternatives.includes('uri:athenz://principal/sports.api'))
      if (theirs === undefined) return
      assert.deepEqual(requestIn(own.stdout), requestIn((await run(theirs, 'zts-rolecert', args)).stdout))
    })

    test('says why there is none', async () => {
      await fails(
        'zts-rolecert',
        [...roleCertificate(), '-role-name', 'absent'],
        /weather:role\.absent.* 403 .*not included/,
      )
      await fails('zts-rolecert', [...roleCertificate(), '-old-role-cert', 'absent.pem'], /absent\.pem/)
      await fails('zts-rolecert', [...roleCertificate(), '-svc-cert-file', 'api.key'], /api\.key/)
      await fails('zts-rolecert', [...roleCertificate(), '-role-name', ''], /missing required attributes/)
    })
  })

  describe('zts-roletoken', () => {
    const domain = ['-domain', 'weather']

    test('prints a token, which it finds good', async () => {
      const token = await succeeds(
        'zts-roletoken',
        [...caller(), ...domain, '-role', 'readers'],
        /^v=Z1;d=weather;r=readers;p=sports\.api;/,
      )
      await succeeds('zts-roletoken', [...caller(), ...domain], /;c=1;/)
      const short = await succeeds('zts-roletoken', [...caller(), ...domain, '-expire-time', '30'], /^v=Z1;/)
      const [, issued = '', expires = ''] = /;t=(\d+);e=(\d+);/.exec(short) ?? []
      assert.equal(Number(expires) - Number(issued), 1800)
      const check = (text: string) => ['-validate', '-conf', 'athenz.conf', '-role-token', text]
      await succeeds('zts-roletoken', check(token.trim()), /^Role Token successfully validated\n$/)
      await fails('zts-roletoken', check(token.trim().replace('r=readers', 'r=writers')), /signature/)
      await fails('zts-roletoken', check('v=Z1;d=weather;r=readers;e=1;t=1;a=1;k=0;s=x'), /expired/)
      await fails('zts-roletoken', check('no token'), /not valid/)
      await fails('zts-roletoken', ['-validate', '-conf', 'absent.conf', '-role-token', token], /absent\.conf/)
    })

    test('takes what is left out from the configuration of the user', async () => {
      mkdirSync(join(work, 'home', '.athenz'), { recursive: true })
      const config = join(work, 'home', '.athenz', 'config')
      writeFileSync(config, `zts: ${ztsUrl()}\nsvc-key-file: ${at('api.key')}\nsvc-cert-file: ${at('api.pem')}\n`)
      const args = [...domain, '-svc-cacert-file', servers.summary.ca]
      await succeeds('zts-roletoken', args, /^v=Z1;/)
      await succeeds('zts-accesstoken', args, /^\{"access_token":/)
      writeFileSync(config, 'zts: [')
      await misused('zts-roletoken', args, 1, /-zts/)
    })

    test('says why there is none', async () => {
      await fails('zts-roletoken', [...caller(), ...domain, '-role', 'absent'], / 403 .*sports\.api is not included/)
      await fails('zts-roletoken', [...caller(), '-domain', 'absent'], / 404 /)
      await fails(
        'zts-roletoken',
        [...trusting(), ...domain, '-ntoken', 'v=S1;d=a;n=b;s=c'],
        /401|certificate|authority/,
      )
      await fails('zts-roletoken', [...trusting(), ...domain, '-ntoken-file', 'absent'], /absent/)
      await fails('zts-roletoken', [...caller(), ...domain, '-svc-key-file', 'other.key'], /./)
      await misused('zts-roletoken', caller(), 1, /-domain/)
      await misused('zts-roletoken', [...trusting(), ...domain], 1, /certificate/)
      await misused('zts-roletoken', ['-validate'], 1, /-role-token/)
    })
  })

  describe('zts-accesstoken', () => {
    const domain = ['-domain', 'weather']
    const check = (token: string, ...more: string[]) => [
      '-validate',
      '-conf',
      'athenz.conf',
      '-access-token',
      token,
      ...more,
    ]

    test('prints the answer, or the token alone, which it finds good', async () => {
      const roles = [...caller(), ...domain, '-roles', 'readers']
      await succeeds('zts-accesstoken', roles, /"expires_in":7200\}\n$/)
      await succeeds(
        'zts-accesstoken',
        [...caller(), ...domain, '-expire-time', '10'],
        /"expires_in":600,"scope":"weather:role\.readers"/,
      )
      await succeeds(
        'zts-accesstoken',
        [...roles, '-proxy-principal-spiffe-uris', 'spiffe://a/sa/b,spiffe://c/sa/d'],
        /access_token/,
      )
      const token = await succeeds('zts-accesstoken', [...roles, '-token-only'], /^eyJ[^\n]+$/)
      await succeeds('zts-accesstoken', check(token), /^Access Token successfully validated\n$/)
      const claims = await ours('zts-accesstoken', check(token, '-claims'))
      assert.match(claims.stdout, /^claim\[scp\] value\[\["readers"\]\]$/m)
      assert.match(claims.stdout, /^claim\[aud\] value\[weather\]$/m)
      await fails('zts-accesstoken', check(`${token.slice(0, -4)}AAAA`), /Unable to validate access token/)
      await fails('zts-accesstoken', check('abc'), /Unable to validate access token/)
    })

    test('trades tokens', async () => {
      writeFileSync(at('subject'), 'abc\n')
      const trade = [...caller(), ...domain, '-roles', 'readers', '-grant-type', 'token-exchange']
      const outcome = await ours('zts-accesstoken', [...trade, '-subject-token', 'subject'])
      assert.match(outcome.stderr, / 400 .*subject token/i)
      assert.equal(outcome.status, 1)
      const grant = await ours('zts-accesstoken', [...caller(), '-grant-type', 'jwt-bearer', '-assertion', 'subject'])
      assert.match(grant.stderr, / 400 .*assertion/i)
      const none = await ours('zts-accesstoken', trade)
      assert.match(none.stderr, /token-exchange needs -subject-token/)
    })

    test('says why there is none', async () => {
      await fails('zts-accesstoken', [...caller(), ...domain, '-roles', 'a,b'], / 403 /)
      await fails('zts-accesstoken', [...caller(), '-domain', 'absent'], / 404 /)
      await fails('zts-accesstoken', [...caller(), ...domain, '-authorization-details', '{"a"'], / 400 /)
      await misused('zts-accesstoken', caller(), 1, /-domain/)
      await misused('zts-accesstoken', [...trusting(), ...domain], 1, /certificate/)
    })
  })

  describe('zts-idtoken', () => {
    const client = ['-client-id', 'sports.api', '-scope', 'openid', '-nonce', 'abc']

    test('prints a token, which it finds good, or what kubectl takes', async () => {
      const token = (await succeeds('zts-idtoken', [...caller(), ...client], /^eyJ.+\n$/)).trim()
      await succeeds(
        'zts-idtoken',
        ['-validate', '-conf', 'athenz.conf', '-id-token', token],
        /^Id Token successfully validated\n$/,
      )
      const credential = await succeeds(
        'zts-idtoken',
        [...caller(), ...client, '-format', 'kubectl', '-key-type', 'EC'],
        /^\{"kind":"ExecCredential"/,
      )
      const { status } = JSON.parse(credential) as { status: { expirationTimestamp: string } }
      assert.match(status.expirationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      const inMinutes = (Date.parse(status.expirationTimestamp) - Date.now()) / 60_000
      assert.ok(inMinutes > 58 && inMinutes <= 60, `${inMinutes}`)
    })

    test('says why there is none', async () => {
      await fails('zts-idtoken', caller(), /unable to fetch id token: 400 /)
      await fails(
        'zts-idtoken',
        [...caller(), '-client-id', 'sports.api', '-scope', 'openid'],
        /unable to fetch id token: 400 /,
      )
      await fails('zts-idtoken', [...trusting(), ...client], /unable to fetch id token/)
      await misused('zts-idtoken', ['-validate'], 1, /-id-token/)
    })
  })

  describe('athenz-conf', () => {
    test('writes the same file', async () => {
      assert.equal(modeOf('athenz.conf'), '644')
      const own = readFileSync(at('athenz.conf'), 'utf8')
      const { zmsUrl, ztsPublicKeys } = JSON.parse(own) as { zmsUrl: string; ztsPublicKeys: object[] }
      assert.equal(zmsUrl, servers.summary.zms?.replace('zms/v1', ''))
      assert.ok(ztsPublicKeys.length > 0)
      if (theirs === undefined) return
      await run(theirs, 'athenz-conf', [...confFlags(), '-o', 'peer.conf'])
      assert.equal(own, readFileSync(at('peer.conf'), 'utf8'))
    })

    test('takes the addresses from the environment, and trusts anybody when told so', async () => {
      const { zms, zts } = servers.summary
      const env = { ...environment, ZMS: zms ?? '', ZTS: zts ?? '' }
      const args = ['-k', ...administrator(), '-o', 'any.conf']
      const outcome = await runProgram(join(PROJECT_FOLDER, 'bin', 'athenz-conf'), args, { cwd: work, env })
      assert.equal(outcome.status, 0, outcome.stderr)
      assert.equal(readFileSync(at('any.conf'), 'utf8'), readFileSync(at('athenz.conf'), 'utf8'))
    })

    test('says why there is none', async () => {
      const { zms, ca } = servers.summary
      const where = ['-z', zms ?? '', '-c', ca]
      await fails(
        'athenz-conf',
        [...where, '-svc-cert-file', servers.summary.adminCert],
        /Both service key and certificate/,
      )
      await fails('athenz-conf', [...where, '-f', 'absent'], /absent/)
      await fails(
        'athenz-conf',
        ['-z', 'https://localhost:1', '-c', ca, ...administrator()],
        /Unable to retrieve zms service details/,
      )
      await fails('athenz-conf', ['-z', zms ?? '', ...administrator()], /Unable to retrieve zms service details/)
      await fails('athenz-conf', [...confFlags(), '-o', 'absent/athenz.conf'], /absent\/athenz\.conf/)
      const asking = await ours('athenz-conf', where)
      assert.match(asking.stderr, /Unable to get NToken: there is no terminal/)
      assert.equal(asking.status, 1)
    })
  })

  test('each has a version and help', async () => {
    for (const name of NAMES) {
      const version = await ours(name, ['-version'])
      assert.match(version.stdout, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\n$`))
      const help = await ours(name, ['-help'])
      assert.match(help.stdout, new RegExp(`usage: ${name} `))
      assert.deepEqual([version.status, help.status], [0, 0])
    }
  })
})

/** DER of a certificate request in PEM. */
function requestDer(pem: string): Buffer {
  const [, body = ''] = /-----BEGIN CERTIFICATE REQUEST-----([^-]+)-----END/.exec(pem) ?? []
  return Buffer.from(body, 'base64')
}
