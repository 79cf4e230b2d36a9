import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createServer as createTlsServer, TLSSocket, Server as TlsServer } from 'node:tls'
import type { AuthenticationResult } from '#core/authority/authority.ts'
import { LdapAuthority } from '#core/authority/ldap-authority.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { basic, contextOf, type IssuedCertificate, TestCa } from './support.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
// Answers as OpenLDAP writes them; message 1, result 0 and result 49.
const ACCEPTED = hex('30 0c 02 01 01 61 07 0a 01 00 04 00 04 00')
const WRONG = hex('30 0c 02 01 01 61 07 0a 01 31 04 00 04 00')

const folder = temporaryFolder()
const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
})

interface Directory {
  readonly port: number
  /** What arrived, one text per piece. */
  readonly seen: Buffer[]
}

/** A directory that answers whatever it gets. */
async function directory(answer: (socket: Socket, piece: Buffer) => void, server = createServer()): Promise<Directory> {
  const seen: Buffer[] = []
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    socket.on('error', () => {})
    socket.on('data', (piece: Buffer) => {
      seen.push(piece)
      answer(socket, piece)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return { port: (server.address() as AddressInfo).port, seen }
}

const newContext = (port: number, further: Readonly<Record<string, string>> = {}) =>
  contextOf({
    'athenz.auth.ldap.hostname': '127.0.0.1',
    'athenz.auth.ldap.port': String(port),
    'athenz.auth.ldap.base_dn': 'ou=people,o=Athenz',
    ...further,
  })

async function login(
  port: number,
  credential: string,
  further: Readonly<Record<string, string>> = {},
  timeoutMillis?: number,
): Promise<AuthenticationResult> {
  const authority = new LdapAuthority(timeoutMillis)
  await authority.initialize(newContext(port, further))
  return authority.authenticateHeader(credential)
}
const refusal = (reason: string | RegExp) => (result: AuthenticationResult) => {
  assert.ok(result !== null && 'rejected' in result)
  if (typeof reason === 'string') assert.equal(result.rejected, `LDAPAuthority: failed: ${reason}`)
  else assert.match(result.rejected, reason)
}

test('is an authority of users that only get tokens', () => {
  const { id, credentialSource, domain, header, challenge, allowAuthorization } = new LdapAuthority()
  assert.deepEqual(
    [id, credentialSource, domain, header, challenge, allowAuthorization],
    ['Auth-LDAP', 'header', 'user', 'Authorization', 'LDAPAuthentication realm="athenz"', false],
  )
})

describe('a login', () => {
  test('is a simple bind, and gives a user without the password', async () => {
    const { port, seen } = await directory((socket) => socket.write(ACCEPTED))
    const authority = new LdapAuthority()
    await authority.initialize(newContext(port))
    assert.deepEqual(await authority.authenticateHeader(basic('Joe:se:cret')), {
      domain: 'user',
      name: 'joe',
      fullName: 'user.joe',
      authority,
      unsignedCredentials: 'joe',
      issueTimeSeconds: 0,
    })
    const name = Buffer.from('cn=Joe,ou=people,o=Athenz')
    const password = Buffer.from('se:cret')
    const bind = [hex('30 2c 02 01 01 60 27 02 01 03 04 19'), name, hex('80 07'), password]
    assert.deepEqual(Buffer.concat(seen), Buffer.concat(bind))
  })

  test('is understood in the long lengths of other directories, also in pieces', async () => {
    const answer = hex('30 84 00 00 00 10 02 01 01 61 84 00 00 00 07 0a 01 00 04 00 04 00')
    const { port } = await directory((socket) => {
      socket.write(answer.subarray(0, 4))
      setImmediate(() => socket.write(answer.subarray(4)))
    })
    const result = await login(port, basic('joe:x'))
    assert.ok(result !== null && 'fullName' in result)
  })

  test('takes a long password', async () => {
    const { port, seen } = await directory((socket) => socket.write(ACCEPTED))
    const result = await login(port, basic(`joe:${'p'.repeat(511)}`))
    assert.ok(result !== null && 'fullName' in result)
    assert.ok(Buffer.concat(seen).includes('p'.repeat(511)))
  })

  const answers: readonly [behaviour: string, answer: Buffer, reason: string | RegExp][] = [
    ['a wrong password', WRONG, 'Wrong credentials of joe'],
    [
      'a directory that is busy, in its words',
      hex('30 10 02 01 01 61 0b 0a 01 33 04 00 04 04 62 75 73 79'),
      'login of joe: result 51 (busy)',
    ],
    ['a referral to another directory', hex('30 0c 02 01 01 61 07 0a 01 0a 04 00 04 00'), 'login of joe: result 10'],
    [
      'a bind that would go on with another step',
      hex('30 0c 02 01 01 61 07 0a 01 0e 04 00 04 00'),
      'login of joe: result 14',
    ],
    [
      'the answer to another message',
      hex('30 0c 02 01 02 61 07 0a 01 00 04 00 04 00'),
      /^LDAPAuthority: failed: login of joe: 127\.0\.0\.1:\d+ does not speak LDAP$/,
    ],
    ['the answer to another operation', hex('30 0c 02 01 01 65 07 0a 01 00 04 00 04 00'), /does not speak LDAP$/],
    ['an answer without result', hex('30 05 02 01 01 61 00'), /does not speak LDAP$/],
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'.padEnd(200, ' ')), /LDAP/],
  ]
  for (const [behaviour, answer, reason] of answers) {
    test(`is refused with ${behaviour}`, async () => {
      const { port } = await directory((socket) => socket.write(answer))
      refusal(reason)(await login(port, basic('joe:x')))
    })
  }

  test('is refused when the directory is silent', async () => {
    const { port } = await directory(() => {})
    refusal(/^LDAPAuthority: failed: login of joe: no answer from 127\.0\.0\.1:\d+ within 200 ms$/)(
      await login(port, basic('joe:x'), {}, 200),
    )
  })

  test('is refused when the directory closes the connection or is not there', async () => {
    const { port } = await directory((socket) => socket.end())
    refusal('login of joe: the directory closed the connection')(await login(port, basic('joe:x')))
    const gone = await directory(() => {})
    await new Promise((resolve) => servers.pop()?.close(resolve))
    refusal(/login of joe: .*ECONNREFUSED/)(await login(gone.port, basic('joe:x')))
  })

  for (const [behaviour, credential, reason] of [
    ['an empty password, which directories take for nobody', basic('joe:'), 'the password is empty'],
    ['a name that would change the entry', basic('joe,ou=admins:x'), 'the user name is not a simple name'],
    ['a wildcard', basic('*:x'), 'the user name is not a simple name'],
    ['another scheme', 'Bearer x', "credentials do not start with 'Basic '"],
  ] as const) {
    test(`is refused with ${behaviour}, before the directory sees it`, async () => {
      const { port, seen } = await directory((socket) => socket.write(ACCEPTED))
      refusal(reason)(await login(port, credential))
      assert.deepEqual(seen, [])
    })
  }

  test('beyond 64 at the same time is refused', async () => {
    const release = new AbortController()
    const { port } = await directory((socket) => {
      if (release.signal.aborted) socket.write(ACCEPTED)
      else release.signal.addEventListener('abort', () => socket.write(ACCEPTED))
    })
    const authority = new LdapAuthority()
    await authority.initialize(newContext(port))
    const logins = Array.from({ length: 65 }, () => authority.authenticateHeader(basic('joe:x')))
    refusal('too many logins at the same time')((await logins.pop()) as AuthenticationResult)
    release.abort()
    const results = await Promise.all(logins)
    assert.ok(results.every((result) => result !== null && 'fullName' in result))
  })
})

describe('a protected connection', () => {
  let certificate: IssuedCertificate
  let caFile: string
  before(async () => {
    const ca = await TestCa.create()
    certificate = await ca.issue({
      subject: [{ type: 'CN', value: 'directory' }],
      names: [{ type: 'ip', value: '127.0.0.1' }],
    })
    caFile = join(folder, 'ca.pem')
    writeFileSync(caFile, ca.cert)
  })
  const secure = (tls: string) => ({ 'athenz.ts.ldap_tls': tls, 'athenz.ts.ldap_ca_file': caFile })
  const tlsServer = () => createTlsServer({ cert: certificate.cert, key: certificate.key })
  /** Takes StartTLS, then binds with the second message. */
  const startTlsDirectory = (answer: Buffer) =>
    directory((socket) => {
      socket.removeAllListeners('data')
      socket.write(answer)
      const secured = new TLSSocket(socket, { isServer: true, cert: certificate.cert, key: certificate.key })
      secured.on('error', () => {})
      secured.on('data', () => secured.write(hex('30 0c 02 01 02 61 07 0a 01 00 04 00 04 00')))
    })

  test('has TLS from the beginning', async () => {
    const { port, seen } = await directory((socket) => socket.write(ACCEPTED), tlsServer())
    const result = await login(port, basic('joe:secret'), secure('ldaps'))
    assert.ok(result !== null && 'fullName' in result)
    assert.ok(Buffer.concat(seen).includes('secret'))
  })

  test('has TLS after the operation StartTLS, before the password', async () => {
    const { port, seen } = await startTlsDirectory(hex('30 0c 02 01 01 78 07 0a 01 00 04 00 04 00'))
    const result = await login(port, basic('joe:secret'), secure('starttls'))
    assert.ok(result !== null && 'fullName' in result)
    assert.equal(seen[0]?.toString('latin1').includes('1.3.6.1.4.1.1466.20037'), true)
    assert.ok(!Buffer.concat(seen).includes('secret'))
  })

  test('sends no password where StartTLS is refused', async () => {
    const { port, seen } = await directory((socket) => socket.write(hex('30 0c 02 01 01 78 07 0a 01 02 04 00 04 00')))
    refusal('login of joe: no TLS: result 2')(await login(port, basic('joe:secret'), secure('starttls')))
    assert.ok(!Buffer.concat(seen).includes('secret'))
  })

  test('is not made with a directory that nobody trusts', async () => {
    const { port, seen } = await directory((socket) => socket.write(ACCEPTED), tlsServer())
    refusal(/^LDAPAuthority: failed: login of joe: .*(certificate|issuer)/)(
      await login(port, basic('joe:secret'), { 'athenz.ts.ldap_tls': 'ldaps' }),
    )
    assert.deepEqual(seen, [])
  })

  test('is not made with a directory of another name', async () => {
    const { port, seen } = await directory((socket) => socket.write(ACCEPTED), tlsServer())
    refusal(/Hostname\/IP does not match certificate's altnames/)(
      await login(port, basic('joe:secret'), { ...secure('ldaps'), 'athenz.auth.ldap.hostname': 'localhost' }),
    )
    assert.deepEqual(seen, [])
  })
})

describe('the start', () => {
  const start = async (settings: Readonly<Record<string, string>>) => {
    const context = contextOf(settings)
    await new LdapAuthority().initialize(context)
    return context.lines
  }

  test('warns of passwords that would go through the network unprotected', async () => {
    assert.deepEqual(await start({ 'athenz.auth.ldap.hostname': 'ldap.example.com' }), [
      'warn LDAPAuthority: passwords go to ldap.example.com unprotected (set athenz.ts.ldap_tls to starttls or ldaps)',
    ])
    assert.deepEqual(await start({}), [])
    assert.deepEqual(await start({ 'athenz.auth.ldap.hostname': 'a.b', 'athenz.ts.ldap_tls': 'ldaps' }), [])
  })

  for (const [behaviour, settings, message] of [
    [
      'an unknown protection',
      { 'athenz.ts.ldap_tls': 'ssl' },
      'athenz.ts.ldap_tls: "ssl" is none of off, ldaps, starttls',
    ],
    ['a port that is none', { 'athenz.auth.ldap.port': '0' }, 'athenz.auth.ldap.port: 0 is no port'],
    [
      'authorities that cannot be read',
      { 'athenz.ts.ldap_ca_file': '/nonexistent' },
      'athenz.ts.ldap_ca_file: the file /nonexistent cannot be read',
    ],
  ] as const) {
    test(`fails on ${behaviour}`, () => assert.rejects(start(settings), { message }))
  }
})
