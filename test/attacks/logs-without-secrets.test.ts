import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { type Answer, AttackedServers, newKey, principalHeader, type Question } from './attacked-servers.ts'

const secret = () => randomBytes(24).toString('base64url')
const pem = (key: ReturnType<typeof newKey>) => key.export({ type: 'pkcs8', format: 'pem' }) as string

/** What no text of a log may look like, whoever wrote it. */
const SHAPES: readonly (readonly [what: string, shape: RegExp])[] = [
  ['a private key', /PRIVATE KEY/],
  ['a signature of a principal or role token', /;s=[\w.-]{20,}/],
  ['a JSON web token with its signature', /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{20,}/],
  ['credentials of HTTP', /\b(?:basic|bearer) [\w+/=.-]{12,}/i],
]

describe('the logs of both servers, as open as they can be', () => {
  const folder = temporaryFolder()
  let servers: AttackedServers
  /** What was sent or answered and must not be written, by what it is. */
  const secrets = new Map<string, string>()
  let last: Answer

  before(async () => {
    servers = await AttackedServers.start(folder, { 'athenz.zts.introspect_support_enabled': 'true' })
    await sendSecrets()
    // The last request is in the logs when all before it are.
    await servers.reasonOf('zts', last)
  })
  after(() => servers[Symbol.asyncDispose]())

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

  test('have lines about the requests', async () => {
    const text = await allLogs(folder)
    assert.ok(text.length > 10_000)
    for (const sign of [
      '"level":"debug"',
      'request refused',
      '/zts/v1/oauth2/token',
      'victim.victim',
      last.requestId,
    ]) {
      assert.ok(text.includes(sign), sign)
    }
  })

  test('have no secret of them', async () => {
    const text = await allLogs(folder)
    assert.ok(secrets.size >= 15)
    for (const [what, hidden] of secrets) {
      assert.ok(hidden.length >= 20, what)
      assert.ok(!text.includes(hidden), what)
      // A part would be enough to guess the rest.
      assert.ok(!text.includes(hidden.slice(-16)), `the end of ${what}`)
    }
  })

  for (const [what, shape] of SHAPES) {
    test(`have nothing that looks like ${what}`, async () => {
      assert.equal(shape.exec(await allLogs(folder))?.[0], undefined)
    })
  }
})

/** All files that the servers write about what they do. */
async function allLogs(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && /\blogs\b/.test(entry.parentPath.slice(folder.length)))
  assert.ok(files.length >= 4, files.map(({ name }) => name).join())
  const texts = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'utf8')))
  return texts.join('\n')
}
