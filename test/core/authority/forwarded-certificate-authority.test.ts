import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import type { AuthenticationResult } from '#core/authority/authority.ts'
import { ForwardedCertificateAuthority } from '#core/authority/forwarded-certificate-authority.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { contextOf, type IssuedCertificate, NOW_MILLIS, requestOf, TestCa } from './support.ts'

const folder = temporaryFolder()
const caFile = join(folder, 'ca.pem')
let ca: TestCa
let api: IssuedCertificate
let expired: IssuedCertificate
let role: IssuedCertificate
let foreign: IssuedCertificate
let authority: ForwardedCertificateAuthority

async function start(changes: Readonly<Record<string, string>> = {}, now = () => NOW_MILLIS) {
  const context = contextOf(
    {
      'athenz.ts.forwarded_certificate_proxies': '10.1.0.0/16, 192.0.2.7, 2001:db8::/32',
      'athenz.ts.forwarded_certificate_ca_file': caFile,
      ...changes,
    },
    { now },
  )
  const each = new ForwardedCertificateAuthority()
  await each.initialize(context)
  return each
}

before(async () => {
  ca = await TestCa.create()
  writeFileSync(caFile, ca.cert)
  api = await ca.issue({ subject: [{ type: 'CN', value: 'Sports.API' }] })
  expired = await ca.issue({
    subject: [{ type: 'CN', value: 'sports.api' }],
    notAfter: new Date(NOW_MILLIS - 1000),
  })
  role = await ca.issue({
    subject: [{ type: 'CN', value: 'sports:role.readers' }],
    names: [{ type: 'uri', value: 'athenz://principal/weather.api' }],
  })
  // The same name of the authority, another key.
  foreign = await (await TestCa.create()).issue({ subject: [{ type: 'CN', value: 'sports.api' }] })
  authority = await start()
})

const derOf = ({ certificate }: IssuedCertificate) => certificate.raw.toString('base64')
const ask = (
  header: string | readonly string[],
  remoteAddress = '10.1.2.3',
  by = authority,
  name = 'Client-Cert',
): AuthenticationResult =>
  by.authenticateRequest(requestOf({ rawHeaders: [header].flat().flatMap((each) => [name, each]), remoteAddress }))
const nameOf = (result: AuthenticationResult) => result && 'fullName' in result && result.fullName
const refused = (result: AuthenticationResult, reason: string) =>
  assert.deepEqual(result, { rejected: `ForwardedCertificateAuthority: ${reason}` })

test('is an authority like that of certificates', () => {
  const { id, credentialSource, challenge, allowAuthorization } = authority
  assert.deepEqual(
    [id, credentialSource, challenge, allowAuthorization],
    ['Auth-X509-FORWARDED', 'request', 'AthenzX509Certificate realm="athenz"', true],
  )
})

describe('a certificate from a proxy', () => {
  test('gives the service in it', () => {
    const result = ask(`:${derOf(api)}:`)
    assert.ok(result !== null && 'fullName' in result)
    const { x509Certificate, ...rest } = result
    assert.equal(x509Certificate?.fingerprint256, api.certificate.fingerprint256)
    assert.deepEqual(rest, {
      domain: 'sports',
      name: 'api',
      fullName: 'sports.api',
      authority,
      unsignedCredentials: 'CN=Sports.API',
      issueTimeSeconds: 0,
      issuerIdentity: undefined,
      mtlsRestricted: false,
    })
  })

  test('gives the roles of a role certificate', () => {
    const result = ask(`:${derOf(role)}:`)
    assert.ok(result !== null && 'roles' in result)
    assert.deepEqual([result.roles, result.rolePrincipalName], [['sports:role.readers'], 'weather.api'])
  })

  const forms: readonly [form: string, header: () => string][] = [
    ['in base64 alone', () => derOf(api)],
    ['as PEM with percent signs, as nginx writes it', () => encodeURIComponent(api.cert)],
    [
      'as PEM with only some percent signs, as load balancers write it',
      () => api.cert.replaceAll('\n', '%0A').replaceAll(' ', '%20'),
    ],
    ['as PEM with blanks for line ends, as older proxies write it', () => api.cert.trim().replaceAll('\n', ' ')],
  ]
  for (const [form, header] of forms) {
    test(`may be written ${form}`, () => assert.equal(nameOf(ask(header())), 'sports.api'))
  }

  for (const [address, network] of [
    ['192.0.2.7', 'a single address'],
    ['::ffff:10.1.9.9', 'a network, by a socket for both versions'],
    ['2001:db8:1::5', 'a network of version 6'],
  ] as const) {
    test(`is believed from ${network}`, () => assert.equal(nameOf(ask(derOf(api), address)), 'sports.api'))
  }

  test('may come in another header', async () => {
    const other = await start({ 'athenz.ts.forwarded_certificate_header': 'X-SSL-Client-Cert' })
    assert.equal(nameOf(ask(derOf(api), '10.1.2.3', other, 'x-ssl-client-cert')), 'sports.api')
    assert.equal(ask(derOf(api), '10.1.2.3', other), null)
  })

  test('ends to count when it expires, though it was seen before', async () => {
    let now = NOW_MILLIS
    const clocked = await start({}, () => now)
    const brief = await ca.issue({
      subject: [{ type: 'CN', value: 'sports.brief' }],
      notAfter: new Date(NOW_MILLIS + 1000),
    })
    assert.equal(nameOf(ask(derOf(brief), '10.1.2.3', clocked)), 'sports.brief')
    now += 1001
    refused(ask(derOf(brief), '10.1.2.3', clocked), 'the certificate has expired or is not valid yet')
  })

  test('obeys the settings of certificates', async () => {
    const strict = await start({ 'athenz.auth.certificate.excluded_principals': 'Sports.API' })
    assert.deepEqual(ask(derOf(api), '10.1.2.3', strict), {
      rejected: 'CertificateAuthority: Principal is excluded: CN=Sports.API',
    })
  })
})

describe('a certificate is refused', () => {
  for (const address of ['10.2.0.1', '127.0.0.1', '2001:db9::1', '']) {
    test(`from ${address || 'a connection that is gone'}`, () =>
      refused(ask(derOf(api), address), `a certificate from ${address}, which is no configured proxy`))
  }

  test('from a client that only names a proxy', () => {
    const request = requestOf({
      rawHeaders: ['Client-Cert', derOf(api), 'X-Forwarded-For', '10.1.2.3'],
      remoteAddress: '127.0.0.1',
    })
    refused(authority.authenticateRequest(request), 'a certificate from 127.0.0.1, which is no configured proxy')
  })

  const cases: readonly [behaviour: string, header: () => string | readonly string[], reason: string][] = [
    ['that an authority of the same name has issued', () => derOf(foreign), 'the certificate is not trusted'],
    ['that has expired', () => derOf(expired), 'the certificate has expired or is not valid yet'],
    [
      'of an authority itself',
      () => ca.cert.replaceAll(/-----[A-Z ]+-----|\n/g, ''),
      'the certificate is that of an authority',
    ],
    ['in two headers', () => [derOf(api), derOf(api)], 'several headers client-cert'],
    ['with another one behind it', () => `${derOf(api)},${derOf(role)}`, 'the header is not one certificate'],
    [
      'with another one behind it, as PEM',
      () => encodeURIComponent(api.cert + role.cert),
      'the header is not one certificate',
    ],
    ['that is empty', () => '', 'the header is not one certificate'],
    ['that is only a subject', () => 'CN=sports.api', 'the header is not one certificate'],
    ['that is no certificate', () => 'aGVsbG8=', 'the header is not a certificate'],
    ['with percent signs that mean nothing', () => '%zz', 'the header is not one certificate'],
    ['that is very long', () => 'A'.repeat(32_769), 'the certificate is too long'],
  ]
  for (const [behaviour, header, reason] of cases) {
    test(behaviour, () => refused(ask(header()), reason))
  }

  test('that was changed', () => {
    const der = Buffer.from(api.certificate.raw)
    const at = der.indexOf('Sports.API')
    der.write('Sports.BPI', at)
    refused(ask(der.toString('base64')), 'the certificate is not trusted')
  })
})

test('a request without the header is none of its, whoever sends it', () => {
  assert.equal(authority.authenticateRequest(requestOf({ remoteAddress: '8.8.8.8' })), null)
})

describe('the start fails', () => {
  const proxies = 'athenz.ts.forwarded_certificate_proxies'
  const file = 'athenz.ts.forwarded_certificate_ca_file'
  const wrong = (entry: string) =>
    `${proxies}: "${entry}" is neither an address nor a network (write 10.1.2.3 or 10.1.0.0/16)`
  const cases: readonly [behaviour: string, changes: Readonly<Record<string, string>>, message: string][] = [
    ['without proxies', { [proxies]: '' }, `${proxies} is not set: no proxy would be believed`],
    ['with a name for an address', { [proxies]: 'proxy.example.com' }, wrong('proxy.example.com')],
    ['with a network too long', { [proxies]: '10.0.0.0/33' }, wrong('10.0.0.0/33')],
    ['with a network without length', { [proxies]: '10.0.0.0/' }, wrong('10.0.0.0/')],
    ['without authorities', { [file]: '' }, `${file} is not set: no certificate would be trusted`],
    ['when they cannot be read', { [file]: '/nonexistent' }, `${file}: the file /nonexistent cannot be read`],
    ['when there are none in the file', { [file]: '/dev/null' }, `${file}: /dev/null has no certificate in PEM form`],
  ]
  for (const [behaviour, changes, message] of cases) {
    test(behaviour, () => assert.rejects(start(changes), { message }))
  }
})
