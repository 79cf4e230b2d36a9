import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { selfIssuer } from '#core/crypto/certificate.ts'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { PROJECT_FOLDER, type ServerKind, ZMS, ZTS } from '../../src/cli/server-kind.ts'
import { freePort } from '../../src/cli/server-port.ts'
import { serverArguments, serverEnvironment } from '../../src/cli/server-process.ts'
import { runProgram, startProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { formsOf, Visitor } from '../ui/visitor.ts'
import { type Answer, AttackedServers, newKey, principalHeader, type Question } from './attacked-servers.ts'
import { issued } from './issued-certificates.ts'

const secret = () => randomBytes(24).toString('base64url')
const pem = (key: ReturnType<typeof newKey>) => key.export({ type: 'pkcs8', format: 'pem' }) as string

/** What no text of a log may look like, whoever wrote it. */
const SHAPES: readonly (readonly [what: string, shape: RegExp])[] = [
  ['a private key', /PRIVATE KEY/],
  ['a signature of a principal or role token', /;s=[\w.-]{20,}/],
  ['a JSON web token with its signature', /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{20,}/],
  ['credentials of HTTP', /\b(?:basic|bearer) [\w+/=.-]{12,}/i],
]

/** Passwords that a server has no use for here, since what they open is not set. */
const IDLE_PASSWORDS = [
  'athenz.ssl_key_store_password',
  'athenz.ssl_key_manager_password',
  'athenz.ssl_trust_store_password',
  'athenz.zms.jdbc_password',
  'athenz.zms.jdbc_ro_password',
  'athenz.zts.cert_jdbc_password',
  'athenz.zts.ssl_key_store_password',
  'athenz.ts.notification.smtp_password',
  'athenz.ts.vault_token',
  'athenz.ts.vault_secret_id',
]

describe('the logs of all servers, as open as they can be', () => {
  const folder = temporaryFolder()
  let servers: AttackedServers
  /** What was sent or answered and must not be written, by what it is. */
  const secrets = new Map<string, string>()
  let last: Answer
  let agentOutput = ''
  let updaterOutput = ''

  before(async () => {
    const passwords = IDLE_PASSWORDS.map((name): [string, string] => [name, hide(`the setting ${name}`, secret())])
    servers = await AttackedServers.start(
      folder,
      {
        'athenz.zts.introspect_support_enabled': 'true',
        'athenz.ui.password_sign_in': 'true',
        'athenz.zms.workers': '2',
        'athenz.zts.workers': '2',
        ...Object.fromEntries(passwords),
      },
      { ui: true },
    )
    await sendSecrets()
    await sendSecretsToPage()
    await sendSecretsToAgent()
    await sendSecretsToUpdater()
    // What worker has the last request does not matter: all have written when they have ended.
    await servers[Symbol.asyncDispose]()
  })

  const hide = (what: string, text: string): string => {
    secrets.set(what, text)
    return text
  }
  /** Asks both ways: as somebody who is served, and as somebody who is refused. */
  const both = async (question: Question) => {
    const served = await servers.ask({ ...question, certificate: servers.administrator })
    await servers.ask({ ...question, certificate: servers.nobody })
    return served
  }
  const form = (fields: Readonly<Record<string, string>>) => ({
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })

  async function sendSecrets(): Promise<void> {
    const path = '/zms/v1/domain/victim'
    for (const server of ['zms', 'zts'] as const) {
      const root = `/${server}/v1`
      const password = hide(`a password to ${server}`, secret())
      const basic = hide(`a password to ${server}, encoded`, Buffer.from(`joe:${password}`).toString('base64'))
      await servers.ask({ server, path: `${root}/domain`, headers: { authorization: `Basic ${basic}` } })
      await servers.ask({ server, path: `${root}/domain`, headers: { 'x-auth-password': password } })
      const bearer = hide(`an unknown bearer token to ${server}`, `${secret()}.${secret()}.${secret()}`)
      await servers.ask({ server, path: `${root}/domain`, headers: { authorization: `Bearer ${bearer}` } })
      await servers.ask({ server, path: `${root}/domain`, headers: { cookie: `Athenz-Token=${bearer}` } })
      const header = await principalHeader(servers.stranger)
      const token = Object.values(header)[0] ?? ''
      hide(`the signature of a principal token to ${server}`, token.slice(token.indexOf(';s=') + 3))
      await servers.ask({ server, path: `${root}/domain`, headers: header })
      const old = await principalHeader(servers.stranger, 100_000)
      hide(`the signature of an old one to ${server}`, (Object.values(old)[0] ?? '').split(';s=')[1] ?? '')
      await servers.ask({ server, path: `${root}/domain`, headers: old })
      await servers.ask({ server, path: `${root}/domain`, headers: { 'athenz-principal-auth': `${token}x` } })
    }

    const privateKey = newKey()
    hide('a private key', pem(privateKey).split('\n')[1] ?? '')
    assert.equal(loadPrivateKey(pem(privateKey)).type, 'private')
    const publicKeys = [{ id: '0', key: encodeYBase64(pem(privateKey)) }]
    hide('a private key in ybase64', publicKeys[0]?.key.slice(80, 160) ?? '')
    const refused = await both({
      server: 'zms',
      method: 'PUT',
      path: `${path}/service/victim`,
      body: { name: 'victim.victim', publicKeys },
    })
    assert.equal(refused.status, 400)
    const creds = hide('credentials of a service', secret())
    const credsBody = { domain: 'victim', service: 'victim', value: creds }
    await both({ server: 'zms', method: 'PUT', path: `${path}/service/victim/creds`, body: credsBody })
    await both({ server: 'zms', method: 'PUT', path: `${path}/service/victim/creds`, body: `{"value":"${creds}` })

    const roles = { name: 'reader', roleMembers: [{ memberName: 'user.admin' }] }
    await servers.tell('PUT', `${path}/role/reader`, roles)
    let roleToken = ''
    await until(async () => {
      const { status, body } = await both({ server: 'zts', path: '/zts/v1/domain/victim/token' })
      roleToken = String(Reflect.get(Object(body), 'token'))
      return status === 200
    })
    hide('the signature of a role token', roleToken.slice(roleToken.indexOf(';s=') + 3))
    for (const server of ['zms', 'zts'] as const) {
      await servers.ask({ server, path: `/${server}/v1/domain`, headers: { 'athenz-role-auth': roleToken } })
    }
    const granted = await both({
      server: 'zts',
      method: 'POST',
      path: '/zts/v1/oauth2/token',
      ...form({ grant_type: 'client_credentials', scope: 'victim:domain' }),
    })
    const accessToken = String(Reflect.get(Object(granted.body), 'access_token'))
    assert.match(accessToken, /^eyJ/)
    hide('the signature of an access token', accessToken.slice(accessToken.lastIndexOf('.') + 1))
    for (const server of ['zms', 'zts'] as const) {
      await servers.ask({ server, path: `/${server}/v1/domain`, headers: { authorization: `Bearer ${accessToken}` } })
    }
    await both({ server: 'zts', method: 'POST', path: '/zts/v1/oauth2/introspect', ...form({ token: accessToken }) })
    const assertion = hide('a client assertion', `${secret()}.${secret()}.${secret()}`)
    const clientSecret = hide('a secret of a client', secret())
    await both({
      server: 'zts',
      method: 'POST',
      path: '/zts/v1/oauth2/token',
      ...form({
        grant_type: 'client_credentials',
        scope: 'victim:domain',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
        client_secret: clientSecret,
      }),
    })
    const attestation = hide('what an instance proves itself by (a copper argos token)', secret())
    const instance = {
      provider: 'victim.victim',
      domain: 'victim',
      service: 'victim',
      attestationData: attestation,
      csr: 'none',
    }
    await both({ server: 'zts', method: 'POST', path: '/zts/v1/instance', body: instance })
    const refresh = '/zts/v1/instance/victim.victim/victim/victim/i-1'
    await both({ server: 'zts', method: 'POST', path: refresh, body: { attestationData: attestation, csr: 'none' } })
    const externalId = hide('the external id of a role of AWS', secret())
    last = await servers.ask({
      server: 'zts',
      path: `/zts/v1/domain/victim/role/aws/creds?externalId=${externalId}`,
      certificate: servers.nobody,
    })
  }

  async function sendSecretsToPage(): Promise<void> {
    const { uiSignIn } = servers.summary
    const code = hide('the code of the link that signs in', new URL(uiSignIn ?? '').searchParams.get('code') ?? '')
    const visitor = new Visitor(servers.summary)
    const password = hide('a password to the page', secret())
    hide('the same, as it goes to ZMS', Buffer.from(`joe:${password}`).toString('base64'))
    assert.equal((await visitor.post('/sign-in', { user: 'joe', password })).status, 401)
    assert.equal(
      (await visitor.post('/sign-in', { user: 'joe', password }, { origin: 'https://x.example' })).status,
      403,
    )
    const wrongCode = hide('a code that is wrong', secret())
    await visitor.get(`/sign-in/link?code=${wrongCode}`)
    await visitor.follow(uiSignIn ?? '')
    const [cookie = ''] = visitor.cookies.values()
    hide('the cookie of a session', cookie)
    hide('the signature of the token in it', decodeURIComponent(cookie).split(';s=')[1] ?? '')
    // The link is good for one.
    await new Visitor(servers.summary).get(`/sign-in/link?code=${code}`)
    const page = await visitor.get('/domain/victim/roles')
    assert.equal(page.status, 200, page.heading)
    const csrf = hide('the token of a form', formsOf(page.text)[0]?.values.get('csrf') ?? '')
    const credential = hide('the credential of a service', secret())
    for (const path of ['/domain/victim/service/victim', '/domain/victim/roles', '/nowhere']) {
      await visitor.post(path, { csrf, credential, action: 'add', name: '..' })
      await visitor.post(path, { csrf: `${csrf}x`, credential, action: 'none' })
      await visitor.post(path, { csrf, credential }, { 'content-type': 'application/json' })
    }
    await visitor.post('/sign-out', { csrf })
    await visitor.get('/')
  }

  /** The agent of a service, which is refused. */
  async function sendSecretsToAgent(): Promise<void> {
    const [own, proof] = [join(folder, 'sia'), join(folder, 'proof')]
    await writeFile(proof, hide('what the agent proves itself by', secret()))
    const { zts, ca } = servers.summary
    const place = ['--zts', zts ?? '', '--ca-file', ca, '--folder', own, '--attestation-file', proof]
    const name = ['--domain', 'victim', '--service', 'victim', '--dns-domain', 'zts.athenz.cloud']
    const instance = ['--provider', 'sys.auth.zts', '--instance-id', 'i-1']
    const program = join(PROJECT_FOLDER, 'bin', 'athenz')
    const { status, stdout, stderr } = await runProgram(program, ['sia', '--once', ...place, ...name, ...instance])
    agentOutput = stdout + stderr
    assert.equal(status, 1, agentOutput)
  }

  /** The policy updater, whose key does not fit its certificate. */
  async function sendSecretsToUpdater(): Promise<void> {
    const [key, conf] = [join(folder, 'zpu.key'), join(folder, 'zpu.conf')]
    const text = pem(newKey())
    hide('the key of the policy updater', text.split('\n')[1] ?? '')
    await writeFile(key, text)
    await writeFile(conf, JSON.stringify({ domains: 'victim', policyDir: folder, tempPolicyDir: folder }))
    const { zts, ca, adminCert } = servers.summary
    const place = ['-zpuConf', conf, '-logFile', join(folder, 'logs', 'zpu.log'), '-debug']
    const whom = ['-athenzConf', join(folder, 'conf', 'zts_server', 'athenz.conf'), '-zts', zts ?? '', '-cacert', ca]
    const program = join(PROJECT_FOLDER, 'bin', 'zpu')
    const options = [...place, ...whom, '-private-key', key, '-cert-file', adminCert]
    const { status, stdout, stderr } = await runProgram(program, options)
    updaterOutput = stdout + stderr
    assert.notEqual(status, 0, updaterOutput)
  }

  test('have lines about the requests', async () => {
    const text = await allLogs(folder)
    assert.ok(text.length > 10_000)
    for (const sign of [
      '"level":"debug"',
      'request refused',
      '/zts/v1/oauth2/token',
      'victim.victim',
      '"worker":2',
      '"server":"ui"',
      '/sign-in',
      last.requestId,
    ]) {
      assert.ok(text.includes(sign), sign)
    }
  })

  test('have no secret of them', async () => {
    assert.ok(secrets.size >= 35, String(secrets.size))
    assertHidden(secrets, await allLogs(folder))
  })

  test('nor has what the program prints that runs them, but for the link that it is asked for', () => {
    const [output, errors] = servers.printed()
    assert.ok(output.includes('"zts":"https://'))
    assertHidden(secrets, errors)
    assertHidden(secrets, output.replace(servers.summary.uiSignIn ?? '', ''))
  })

  test('nor has what the agent of a service and the policy updater print', () => {
    assert.match(agentOutput, /victim\.victim/)
    assert.match(updaterOutput, /key/)
    assertHidden(secrets, agentOutput + updaterOutput)
  })

  for (const [what, shape] of SHAPES) {
    test(`have nothing that looks like ${what}`, async () => {
      const text = [await allLogs(folder), ...servers.printed(), agentOutput, updaterOutput].join('\n')
      assert.equal(shape.exec(text)?.[0], undefined)
    })
  }
})

/** Starts that fail, each with what it says; `{secret}` stands for a secret, another one each time. */
const FAILING_STARTS: readonly (readonly [
  what: string,
  kind: ServerKind,
  properties: Readonly<Record<string, string>>,
  reason: RegExp,
])[] = [
  [
    'wrong settings among many that are secret, addresses with passwords, and names that nobody knows',
    ZMS,
    {
      ...Object.fromEntries(IDLE_PASSWORDS.map((name) => [name, '{secret}'])),
      'athenz.ts.change_webhook_secret': '{secret}',
      'athenz.ts.notification.webhook_secret': '{secret}',
      'athenz.zms.jdbc_pasword': '{secret}',
      'athenz.smtp_password': '{secret}',
      'athenz.zms.jdbc_store': 'jdbc:mysql://root:{secret}@127.0.0.1:99999/zms_server',
      'athenz.zms.jdbc_ro_store': 'jdbc:oracle://127.0.0.1/zms?password={secret}',
      'athenz.ts.vault_address': 'ftp://root:{secret}@127.0.0.1/',
      'athenz.zms.user_token_timeout': 'x',
    },
    /athenz\.ts\.vault_address: "…@127\.0\.0\.1\/" is not a URL/,
  ],
  [
    'a receiver of messages that is not protected',
    ZMS,
    {
      'athenz.zms.domain_change_publisher_factory_class': 'webhook',
      'athenz.zms.domain_changes_topic_names': 'changes',
      'athenz.ts.change_webhook_url': 'http://joe@receiver.example.com/{secret}',
      'athenz.ts.change_webhook_secret': '{secret}',
    },
    /athenz\.ts\.change_webhook_url: http:\/\/receiver\.example\.com\/… is not encrypted/,
  ],
  [
    'a key store that is none',
    ZTS,
    {
      'athenz.ts.tls_cert_file': '',
      'athenz.ts.tls_key_file': '',
      'athenz.ssl_key_store': 'none.p12',
      'athenz.ssl_key_store_password': '{secret}',
      'athenz.ssl_key_manager_password': '{secret}',
    },
    /none\.p12/,
  ],
]

/** What every server needs before it comes to the reason why it does not start: a certificate and a signing key. */
const { certificate, key } = await issued(
  selfIssuer([{ type: 'CN', value: 'localhost' }], createSigner(newKey(), 'own', 'certificate')),
  'localhost',
)
const OWN_FILES = {
  'cert.pem': certificate,
  'key.pem': key,
  'signing.pem': pem(newKey()),
  'none.p12': 'this is no key store',
}
const OWN_SETTINGS = {
  'athenz.ts.tls_cert_file': 'cert.pem',
  'athenz.ts.tls_key_file': 'key.pem',
  'athenz.auth.private_key_store.private_key': 'signing.pem',
  'athenz.port': '0',
}

/** A server that is about to start in a folder of its own, with these settings, and the secrets among them. */
async function prepared(kind: ServerKind, properties: Readonly<Record<string, string>>) {
  const root = temporaryFolder()
  const secrets = new Map<string, string>()
  const all = { ...OWN_SETTINGS, 'athenz.tls_port': String(await freePort()), ...properties }
  const lines = Object.entries(all).map(([name, value]) => {
    const text = value.replaceAll('{secret}', () => {
      const hidden = secret()
      secrets.set(name, hidden)
      return hidden
    })
    return `${name}=${text}\n`
  })
  const file = join(root, 'server.properties')
  await writeFile(file, lines.join(''))
  for (const [name, text] of Object.entries(OWN_FILES)) await writeFile(join(root, name), text)
  const launch = { kind, root, propertiesFiles: [file], settings: new Map([['athenz.ts.log_level', 'debug']]) }
  return { secrets, args: serverArguments(launch), options: { cwd: root, env: serverEnvironment() } }
}

describe('a start that fails says why, and none of the secrets of its configuration:', () => {
  for (const [what, kind, properties, reason] of FAILING_STARTS) {
    test(what, async () => {
      const { secrets, args, options } = await prepared(kind, properties)
      const { status, stdout, stderr } = await runProgram(process.execPath, args, options)
      assert.equal(status, 1, stdout)
      assert.match(stderr, reason)
      assert.ok(secrets.size > 0)
      assertHidden(secrets, stdout + stderr)
    })
  }
})

test('a server that waits for its database says so without the passwords', async () => {
  const { secrets, args, options } = await prepared(ZMS, {
    'athenz.zms.object_store_factory_class': 'com.yahoo.athenz.zms.store.impl.JDBCObjectStoreFactory',
    'athenz.zms.jdbc_store': 'jdbc:mysql://root:{secret}@127.0.0.1:1/zms_server',
    'athenz.zms.jdbc_user': 'athenz',
    'athenz.zms.jdbc_password': '{secret}',
  })
  await using program = startProgram(process.execPath, args, options)
  const printed = () => program.stdout() + program.stderr()
  await until(() => /ECONNREFUSED|127\.0\.0\.1:1\b/.test(printed()), { timeoutMillis: 30_000, what: 'a complaint' })
  program.kill()
  await program.ended
  assertHidden(secrets, printed())
})

/** No secret, nor the end of one, stands in a text. */
function assertHidden(secrets: ReadonlyMap<string, string>, text: string): void {
  for (const [what, hidden] of secrets) {
    assert.ok(hidden.length >= 20, what)
    const line = text.split('\n').find((each) => each.includes(hidden))
    assert.equal(line, undefined, `${what}: ${line}`)
    // A part would be enough to guess the rest.
    assert.ok(!text.includes(hidden.slice(-16)), `the end of ${what}`)
  }
}

/** All files that the servers write about what they do. */
async function allLogs(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && /\blogs\b/.test(entry.parentPath.slice(folder.length)))
  assert.ok(files.length >= 4, files.map(({ name }) => name).join())
  const texts = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'utf8')))
  return texts.join('\n')
}
