import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { AuthenticationResult } from '#core/authority/authority.ts'
import { AuthorityChain } from '#core/authority/chain.ts'
import { KerberosAuthority } from '#core/authority/kerberos-authority.ts'
import { loadAuthorities } from '#core/authority/load.ts'
import { type Kdc, startKdc } from '../../support/kdc.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { contextOf } from './support.ts'

const run = promisify(execFile)
const PREFIX = 'athenz.auth.kerberos.'

test('is an authority of clients that may do everything', () => {
  const authority = new KerberosAuthority()
  const { id, credentialSource, header, challenge, allowAuthorization } = authority
  assert.deepEqual(
    [id, credentialSource, header, challenge, allowAuthorization, 'domain' in authority],
    ['Auth-KERB', 'header', 'Authorization', 'Negotiate', true, false],
  )
})

describe('a realm of the test', () => {
  const service = 'HTTP/zms.example.com@EXAMPLE.COM'
  const other = 'HTTP/other.example.com@EXAMPLE.COM'
  let kdc: Kdc
  let keyTable: string
  const settings = (further: Readonly<Record<string, string>> = {}) => ({
    [`${PREFIX}service_principal`]: service,
    [`${PREFIX}keytab_location`]: keyTable,
    [`${PREFIX}user_realm`]: 'EXAMPLE.COM',
    'athenz.ts.kerberos_config_file': kdc.configFile,
    ...further,
  })
  const authorities: KerberosAuthority[] = []
  async function start(further: Readonly<Record<string, string>> = {}): Promise<KerberosAuthority> {
    const authority = new KerberosAuthority({ workerMaxCount: 2 })
    await authority.initialize(contextOf(settings(further)))
    authorities.push(authority)
    return authority
  }

  /** The header that curl, logged in as somebody, sends to a host. */
  async function headerFor(name: string, host = 'zms.example.com'): Promise<string> {
    const user = await kdc.login(name, `secret-of-${name}`)
    let sent = ''
    const server = createServer(({ headers }, response) => {
      sent = headers.authorization ?? ''
      response.writeHead(sent === '' ? 401 : 200, sent === '' ? { 'www-authenticate': 'Negotiate' } : {}).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const to = ['--resolve', `${host}:${port}:127.0.0.1`, `http://${host}:${port}/`]
    await run('curl', ['-sS', '--noproxy', '*', '--negotiate', '-u', ':', ...to], { env: user })
    server.close()
    assert.match(sent, /^Negotiate /)
    return sent
  }
  const refused = (result: AuthenticationResult): string => {
    assert.ok(result !== null && 'rejected' in result, `accepted: ${result && 'fullName' in result}`)
    return result.rejected
  }

  let authority: KerberosAuthority
  before(async () => {
    kdc = await startKdc()
    for (const name of ['joe', 'Jane', 'joe.smith', 'joe/admin']) await kdc.addPrincipal(name, `secret-of-${name}`)
    await kdc.addPrincipal(service)
    await kdc.addPrincipal(other)
    keyTable = await kdc.keyTable('zms.keytab', [service, other])
    authority = await start()
  })
  after(async () => {
    for (const each of authorities) each.close()
    await kdc?.stop()
  })

  test('gives the user behind the ticket of a real client', async () => {
    assert.deepEqual(await authority.authenticateHeader(await headerFor('joe')), {
      domain: 'user',
      name: 'joe',
      fullName: 'user.joe',
      authority,
      unsignedCredentials: 'joe@EXAMPLE.COM',
      issueTimeSeconds: 0,
    })
  })

  test('lets a real client in that the chain has challenged', async () => {
    const { list } = await loadAuthorities(
      { property: 'list', classNames: ['com.yahoo.athenz.auth.impl.KerberosAuthority'], directory: '/' },
      contextOf(settings()),
    )
    const chain = new AuthorityChain(list)
    const answer = async (request: IncomingMessage, response: ServerResponse) => {
      const { principal, failure } = await chain.authenticate(request, false)
      response.writeHead(failure === undefined ? 200 : 401, failure?.headers).end(principal?.fullName)
    }
    const server = createServer((request, response) => void answer(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const user = await kdc.login('joe', 'secret-of-joe')
    const host = `zms.example.com:${port}`
    const options = ['-sS', '--noproxy', '*', '--resolve', `${host}:127.0.0.1`, '-w', ' %{http_code}']
    const { stdout } = await run('curl', [...options, '--negotiate', '-u', ':', `http://${host}/`], { env: user })
    const without = await run('curl', [...options, `http://${host}/`], { env: user })
    assert.deepEqual([stdout, without.stdout], ['user.joe 200', ' 401'])
    server.close()
    await chain.close()
  })

  test('gives clients of the other realm in their own domain', async () => {
    const both = await start({ [`${PREFIX}krb_user_realm`]: 'EXAMPLE', [`${PREFIX}krb_user_domain`]: 'Partner' })
    const principal = await both.authenticateHeader(await headerFor('joe'))
    assert.equal(principal !== null && 'fullName' in principal && principal.fullName, 'partner.joe')
  })

  test('puts users into the configured domain', async () => {
    const renamed = await start({ 'athenz.user_domain': 'person' })
    const principal = await renamed.authenticateHeader(await headerFor('joe'))
    assert.equal(principal !== null && 'fullName' in principal && principal.fullName, 'person.joe')
  })

  test('refuses a header that was used before, in every process', async () => {
    const header = await headerFor('joe')
    const first = await authority.authenticateHeader(header)
    assert.ok(first !== null && 'fullName' in first)
    const replays = await Promise.all([1, 2, 3, 4].map(() => authority.authenticateHeader(header)))
    for (const replay of replays) {
      assert.match(refused(replay), /^KerberosAuthority:authenticate: token validation failure: Request is a replay$/)
    }
    const another = await start()
    assert.match(refused(await another.authenticateHeader(header)), /Request is a replay$/)
  })

  test('refuses a ticket for another service, though its key is in the key table', async () => {
    const header = await headerFor('joe', 'other.example.com')
    assert.match(
      refused(await authority.authenticateHeader(header)),
      /^KerberosAuthority:authenticate: token validation failure: (Cannot decrypt ticket for|Wrong principal)/,
    )
    const forOther = await start({ [`${PREFIX}service_principal`]: other })
    const accepted = await forOther.authenticateHeader(await headerFor('joe', 'other.example.com'))
    assert.ok(accepted !== null && 'fullName' in accepted)
  })

  for (const [behaviour, realm] of [
    ['another realm', 'USER_REALM'],
    ['a realm that only ends like the configured one', 'AMPLE.COM'],
    ['a realm in other letters', 'example.com'],
  ] as const) {
    test(`refuses clients where ${behaviour} is configured`, async () => {
      const strict = await start({ [`${PREFIX}user_realm`]: realm })
      assert.equal(
        refused(await strict.authenticateHeader(await headerFor('joe'))),
        'KerberosAuthority:authenticate: token validation failure: clients of the realm EXAMPLE.COM are not accepted',
      )
    })
  }

  for (const [name, reason] of [
    ['Jane', 'Jane@EXAMPLE.COM has capital letters'],
    ['joe.smith', 'joe.smith@EXAMPLE.COM is not a simple name'],
    ['joe/admin', 'joe/admin@EXAMPLE.COM is not a simple name'],
  ] as const) {
    test(`refuses the client ${name}`, async () => {
      assert.equal(
        refused(await authority.authenticateHeader(await headerFor(name))),
        `KerberosAuthority:authenticate: token validation failure: ${reason}`,
      )
    })
  }

  for (const [behaviour, credential, reason] of [
    ['another scheme', 'Basic am9lOngK', "credentials do not start with 'Negotiate '"],
    ['a scheme in other letters', 'negotiate YQ==', "credentials do not start with 'Negotiate '"],
    ['no base64', 'Negotiate !!', 'credentials are not base64'],
    ['an empty token', 'Negotiate ', 'credentials are not base64'],
    ['a very long token', `Negotiate ${'A'.repeat(131_073)}`, 'credentials are too long'],
  ] as const) {
    test(`refuses ${behaviour} before Kerberos sees it`, async () => {
      assert.equal(
        refused(await authority.authenticateHeader(credential)),
        `KerberosAuthority:authenticate: Invalid token: ${reason}`,
      )
    })
  }

  test('refuses damaged tokens, and serves on', async () => {
    const header = await headerFor('joe')
    const token = Buffer.from(header.slice('Negotiate '.length), 'base64')
    const damaged = [Buffer.from('hello'), token.subarray(0, 40), token.subarray(0, token.length - 1)]
    for (let index = 0; index < token.length; index += 97) {
      const changed = Buffer.from(token)
      changed[index] = (changed[index] as number) ^ 0x55
      damaged.push(changed)
    }
    // Some bytes are only hints that no signature covers: what is accepted must be joe all the same, once.
    for (const each of damaged) {
      const result = await authority.authenticateHeader(`Negotiate ${each.toString('base64')}`)
      assert.ok(result !== null)
      if ('fullName' in result) assert.equal(result.fullName, 'user.joe')
    }
    const next = await authority.authenticateHeader(await headerFor('joe'))
    assert.ok(next !== null && 'fullName' in next)
  })

  test('refuses the token of a mechanism that is not Kerberos', async () => {
    // SPNEGO (RFC 4178) that offers NTLM alone.
    const offer = 'YDAGBisGAQUFAqAmMCSgDjAMBgorBgEEAYI3AgIKohIEEE5UTE1TU1AAAQAAAAAAAAA='
    assert.match(refused(await authority.authenticateHeader(`Negotiate ${offer}`)), /token validation failure: \S/)
  })

  test('serves many at the same time, each its own', async () => {
    const headers = await Promise.all(Array.from({ length: 8 }, () => headerFor('joe')))
    const results = await Promise.all(headers.map((header) => authority.authenticateHeader(header)))
    assert.ok(results.every((result) => result !== null && 'fullName' in result))
  })

  test('refuses tickets for a key that is no longer in the key table', async () => {
    const file = await kdc.keyTable('old.keytab', [service])
    const header = await headerFor('joe')
    const current = await start({ [`${PREFIX}keytab_location`]: file })
    const old = await start()
    assert.match(refused(await old.authenticateHeader(header)), /token validation failure: .*(key|kvno)/i)
    const accepted = await current.authenticateHeader(header)
    assert.ok(accepted !== null && 'fullName' in accepted)
  })

  describe('the start fails', () => {
    const cases: readonly [behaviour: string, further: () => Readonly<Record<string, string>>, message: RegExp][] = [
      [
        'without principal',
        () => ({ [`${PREFIX}service_principal`]: '' }),
        /^athenz\.auth\.kerberos\.service_principal is not set$/,
      ],
      [
        'without key table',
        () => ({ [`${PREFIX}keytab_location`]: ' ' }),
        /^athenz\.auth\.kerberos\.keytab_location is not set$/,
      ],
      [
        'when the key table cannot be read',
        () => ({ [`${PREFIX}keytab_location`]: '/nonexistent' }),
        /^athenz\.auth\.kerberos\.keytab_location: the file \/nonexistent cannot be read$/,
      ],
      [
        'when the settings of Kerberos cannot be read',
        () => ({ 'athenz.ts.kerberos_config_file': '/nonexistent' }),
        /^athenz\.ts\.kerberos_config_file: the file \/nonexistent cannot be read$/,
      ],
      [
        'when the key table has no such key',
        () => ({ [`${PREFIX}service_principal`]: 'HTTP/none.example.com@EXAMPLE.COM' }),
        /^Kerberos cannot be used: the key table has no key of HTTP\/none\.example\.com@EXAMPLE\.COM: .*; install the system package libgssapi-krb5-2 and the npm package koffi, and check/,
      ],
    ]
    for (const [behaviour, further, message] of cases) {
      test(behaviour, () => assert.rejects(start(further()), { message }))
    }
  })

  test('refuses everything when it is closed', async () => {
    const closed = await start()
    closed.close()
    assert.equal(
      refused(await closed.authenticateHeader('Negotiate YQ==')),
      'KerberosAuthority:authenticate: token validation failure: the server is stopping',
    )
  })
})

test('says what is to be installed when its process cannot start', async () => {
  const folder = temporaryFolder()
  const authority = new KerberosAuthority({ program: join(folder, 'none.js') })
  const context = contextOf({
    [`${PREFIX}service_principal`]: 'HTTP/a@B',
    [`${PREFIX}keytab_location`]: '/etc/hostname',
  })
  await assert.rejects(authority.initialize(context), {
    message:
      /^Kerberos cannot be used: exit status 1; install the system package libgssapi-krb5-2 and the npm package koffi/,
  })
})
