import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CertificateAuthority } from '#core/authority/certificate-authority.ts'
import type { Principal } from '#core/authority/principal.ts'
import type { AlternativeName, DistinguishedName } from '#core/crypto/certificate-name.ts'
import { contextOf, peerOf, TestCa } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'certificate-authority-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let fileCount = 0
function fileOf(content: string): string {
  const path = join(folder, `${++fileCount}`)
  writeFileSync(path, content)
  return path
}

const caName: DistinguishedName = [
  { type: 'C', value: 'US' },
  { type: 'O', value: 'Sports, Inc' },
  { type: 'CN', value: 'Service CA' },
]
let ca: TestCa
before(async () => {
  ca = await TestCa.create(caName)
})

async function newAuthority(properties: Readonly<Record<string, string>> = {}): Promise<CertificateAuthority> {
  const authority = new CertificateAuthority()
  await authority.initialize(contextOf(properties))
  return authority
}

interface Given {
  readonly cn?: string | readonly string[]
  readonly ou?: readonly string[]
  readonly names?: readonly AlternativeName[]
  readonly properties?: Readonly<Record<string, string>>
}

async function authenticate({ cn = [], ou = [], names, properties }: Given): Promise<Principal | string | null> {
  const subject: DistinguishedName = [
    { type: 'O', value: 'Athenz' },
    ...ou.map((value) => ({ type: 'OU', value }) as const),
    ...[cn].flat().map((value) => ({ type: 'CN', value }) as const),
  ]
  const authority = await newAuthority(properties)
  const result = authority.authenticateCertificate(peerOf((await ca.issue({ subject, names })).certificate))
  if (result === null) return null
  return 'rejected' in result ? result.rejected : result
}

const uri = (value: string): AlternativeName => ({ type: 'uri', value })
const email = (value: string): AlternativeName => ({ type: 'email', value })

test('is a certificate authority with its own challenge', async () => {
  const { id, credentialSource, challenge, allowAuthorization, domain } =
    (await newAuthority()) as CertificateAuthority & {
      domain?: string
    }
  assert.deepEqual(
    { id, credentialSource, challenge, allowAuthorization, domain },
    {
      id: 'Auth-X509',
      credentialSource: 'certificate',
      challenge: 'AthenzX509Certificate realm="athenz"',
      allowAuthorization: true,
      domain: undefined,
    },
  )
})

test('gives a principal with everything that is known', async () => {
  const authority = await newAuthority()
  const subject: DistinguishedName = [
    { type: 'C', value: 'US' },
    { type: 'OU', value: 'Athenz' },
    { type: 'CN', value: 'Sports.Backend.API' },
  ]
  const { certificate } = await ca.issue({ subject })
  assert.deepEqual(authority.authenticateCertificate(peerOf(certificate)), {
    domain: 'sports.backend',
    name: 'api',
    fullName: 'sports.backend.api',
    authority,
    unsignedCredentials: 'CN=Sports.Backend.API, OU=Athenz, C=US',
    issueTimeSeconds: 0,
    x509Certificate: certificate,
    issuerIdentity: undefined,
    mtlsRestricted: false,
  })
})

describe('identity', () => {
  const good: readonly [behaviour: string, given: Given, fullName: string, roles: readonly string[] | undefined][] = [
    ['is the common name', { cn: 'sports.api' }, 'sports.api', undefined],
    ['is lower case', { cn: 'USER.Admin' }, 'user.admin', undefined],
    ['is not an alternative name', { cn: 'sports.api', names: [uri('spiffe://x/sa/y')] }, 'sports.api', undefined],
    [
      'is not a principal among the alternative names of a service',
      { cn: 'sports.api', names: [uri('athenz://principal/user.admin')] },
      'sports.api',
      undefined,
    ],
    ['may be an external member', { cn: 'email:ext.Joe@Example.com' }, 'email:ext.joe@example.com', undefined],
    [
      'of a role certificate may be an external member',
      { cn: 'sports:role.readers', names: [uri('athenz://principal/email:ext.joe@example.com')] },
      'email:ext.joe@example.com',
      ['sports:role.readers'],
    ],
    [
      'of a role certificate is the principal among its URIs',
      { cn: 'sports:role.readers', names: [uri('athenz://principal/User.Joe')] },
      'user.joe',
      ['sports:role.readers'],
    ],
    [
      'of a role certificate is the first principal among its URIs',
      {
        cn: 'sports:role.readers',
        names: [
          uri('athenz://role/sports/readers'),
          uri('athenz://principal/user.joe'),
          uri('athenz://principal/user.jane'),
        ],
      },
      'user.joe',
      ['sports:role.readers'],
    ],
    [
      'of a role certificate is the e-mail address',
      { cn: 'sports:role.readers', names: [email('user.joe@zts.athenz.cloud')] },
      'user.joe',
      ['sports:role.readers'],
    ],
    [
      'of a role certificate is the URI rather than the e-mail address',
      { cn: 'sports:role.readers', names: [email('user.jane@x'), uri('athenz://principal/user.joe')] },
      'user.joe',
      ['sports:role.readers'],
    ],
    [
      'of a role certificate leaves the role name as it is written',
      { cn: 'Sports:role.Readers', names: [email('sports.api@x')] },
      'sports.api',
      ['Sports:role.Readers'],
    ],
  ]
  for (const [behaviour, given, fullName, roles] of good) {
    test(behaviour, async () => {
      const principal = (await authenticate(given)) as Principal
      assert.equal(principal.fullName, fullName)
      assert.equal(`${principal.domain}.${principal.name}`, fullName)
      assert.deepEqual(principal.roles, roles)
      assert.equal(principal.rolePrincipalName, roles && fullName)
    })
  }

  const NO_IDENTITY = 'Principal is not a valid service identity'
  const NO_HOLDER = 'Invalid role cert, no role principal'
  const bad: readonly [behaviour: string, given: Given, reason: string][] = [
    ['is refused without common name', {}, 'Certificate principal is empty'],
    [
      'is refused with two common names',
      { cn: ['sports.api', 'user.admin'] },
      'Certificate has more than one common name',
    ],
    ['is refused without domain', { cn: 'nodots' }, NO_IDENTITY],
    ['is refused with an empty domain', { cn: '.api' }, NO_IDENTITY],
    ['is refused with an empty name', { cn: 'sports.' }, NO_IDENTITY],
    ['is refused with an empty part', { cn: 'sports..api' }, NO_IDENTITY],
    ['is refused with a wildcard', { cn: 'user.*' }, NO_IDENTITY],
    ['is refused with the name of a group', { cn: 'sports:group.admins' }, NO_IDENTITY],
    ['is refused with a group of external members', { cn: 'email:ext.x:group.admins' }, NO_IDENTITY],
    ['is refused with a wildcard for external members', { cn: 'email:ext.*' }, NO_IDENTITY],
    ['is refused with an external member that lowers to another', { cn: 'email:ext.mi\u212ae' }, NO_IDENTITY],
    ['is refused with an external member that no token can name', { cn: 'email:ext.joe;n=x' }, NO_IDENTITY],
    ['is refused with a NUL', { cn: 'user.admin\0.evil' }, NO_IDENTITY],
    ['is refused with a line feed', { cn: 'user.admin\n' }, NO_IDENTITY],
    ['is refused with a letter that lowers to another', { cn: 'user.mi\u212ae' }, NO_IDENTITY],
    ['is refused with a blank', { cn: ' user.admin' }, NO_IDENTITY],
    ['of a role certificate is refused without holder', { cn: 'sports:role.readers' }, NO_HOLDER],
    [
      'of a role certificate is refused with other URIs only',
      { cn: 'sports:role.readers', names: [uri('athenz://role/sports/readers'), uri('ATHENZ://principal/user.joe')] },
      NO_HOLDER,
    ],
    [
      'of a role certificate is refused with two e-mail addresses',
      { cn: 'sports:role.readers', names: [email('user.joe@x'), email('user.jane@x')] },
      NO_HOLDER,
    ],
    [
      'of a role certificate is refused with an e-mail address without local part',
      { cn: 'sports:role.readers', names: [email('@user.joe')] },
      NO_HOLDER,
    ],
    [
      'of a role certificate is refused with an e-mail address without domain',
      { cn: 'sports:role.readers', names: [email('user.joe')] },
      NO_HOLDER,
    ],
    [
      'of a role certificate is refused with a holder without domain',
      { cn: 'sports:role.readers', names: [uri('athenz://principal/joe')] },
      NO_IDENTITY,
    ],
    [
      'of a role certificate is refused with an empty holder',
      { cn: 'sports:role.readers', names: [uri('athenz://principal/')] },
      NO_IDENTITY,
    ],
    [
      'of a role certificate is refused with a role as holder',
      { cn: 'sports:role.readers', names: [uri('athenz://principal/sports:role.admin')] },
      NO_IDENTITY,
    ],
    [
      'is refused when it is excluded',
      { cn: 'sports.api', properties: { 'athenz.auth.certificate.excluded_principals': 'a.b, sports.api' } },
      'Principal is excluded',
    ],
    [
      'of a role certificate is refused when the role is excluded',
      {
        cn: 'sports:role.readers',
        names: [email('user.joe@x')],
        properties: { 'athenz.auth.certificate.excluded_principals': 'sports:role.readers' },
      },
      'Principal is excluded',
    ],
    [
      'of a role certificate is refused where those are excluded',
      {
        cn: 'sports:role.readers',
        names: [email('user.joe@x')],
        properties: { 'athenz.auth.certificate.exclude_role_certificates': 'TRUE' },
      },
      'Role Certificates not allowed',
    ],
  ]
  for (const [behaviour, given, reason] of bad) {
    test(behaviour, async () => {
      const result = await authenticate(given)
      assert.ok(typeof result === 'string', JSON.stringify(result))
      assert.ok(result.startsWith(`CertificateAuthority: ${reason}: `), result)
    })
  }

  test('is not excluded in another letter case, nor by the holder of a role', async () => {
    const properties = { 'athenz.auth.certificate.excluded_principals': 'user.joe' }
    const upper = (await authenticate({ cn: 'User.Joe', properties })) as Principal
    const names = [email('user.joe@x')]
    const role = (await authenticate({ cn: 'sports:role.readers', names, properties })) as Principal
    assert.deepEqual([upper.fullName, role.fullName], ['user.joe', 'user.joe'])
  })

  test('of a role certificate is not found inside another kind of name', async () => {
    const configuration = fileOf(`[req]
distinguished_name = dn
x509_extensions = extensions
prompt = no
[dn]
CN = sports:role.readers
[extensions]
subjectAltName = @names
[names]
otherName.1 = 1.3.6.1.4.1.311.20.2.3;FORMAT:UTF8,UTF8:"x", URI:athenz://principal/user.admin, email:user.admin@x
DNS.1 = "a, URI:athenz://principal/user.admin"
`)
    const pem = execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        '/dev/null',
        '-config',
        configuration,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    const certificate = new X509Certificate(pem)
    assert.match(certificate.subjectAltName ?? '', /URI:athenz:\/\/principal\/user.admin/)
    assert.deepEqual((await newAuthority()).authenticateCertificate(peerOf(certificate)), {
      rejected: `CertificateAuthority: ${NO_HOLDER}: CN=sports:role.readers`,
    })
  })
})

describe('restriction', () => {
  const properties = { 'athenz.crypto.restricted_ou': 'test-*, ?x' }
  const cases: readonly [behaviour: string, given: Given, restricted: boolean][] = [
    ['is absent without unit', { cn: 'a.b' }, false],
    ['is absent with another unit', { cn: 'a.b', ou: ['Athenz'] }, false],
    ['comes from a unit with the suffix', { cn: 'a.b', ou: ['Athenz:restricted'] }, true],
    ['comes from the suffix alone', { cn: 'a.b', ou: [':restricted'] }, true],
    ['is absent with the suffix elsewhere', { cn: 'a.b', ou: ['Athenz:restricted:not'] }, false],
    ['is absent with the suffix in other letters', { cn: 'a.b', ou: ['Athenz:Restricted'] }, false],
    ['comes from any of several units', { cn: 'a.b', ou: ['Athenz', 'x:restricted', 'y'] }, true],
    ['comes from a pattern', { cn: 'a.b', ou: ['test-1'], properties }, true],
    ['comes from the second pattern', { cn: 'a.b', ou: ['ax'], properties }, true],
    ['is absent when no pattern fits the whole unit', { cn: 'a.b', ou: ['my test-1'], properties }, false],
    ['comes from the suffix beside patterns', { cn: 'a.b', ou: ['Athenz:restricted'], properties }, true],
    ['applies to role certificates', { cn: 'a:role.b', ou: ['x:restricted'], names: [email('a.b@x')] }, true],
  ]
  for (const [behaviour, given, restricted] of cases) {
    test(behaviour, async () => assert.equal(((await authenticate(given)) as Principal).mtlsRestricted, restricted))
  }
})

describe('trusted issuers', () => {
  test('accept what one of the subjects in the file has issued', async () => {
    const other = await TestCa.create([{ type: 'CN', value: 'Other CA' }])
    const properties = { 'athenz.authority.truststore.path': fileOf(`${other.cert}\nsome text\n${ca.cert}`) }
    assert.equal(((await authenticate({ cn: 'sports.api', properties })) as Principal).fullName, 'sports.api')
  })

  test('make the certificates of others no credential, without a word', async () => {
    const other = await TestCa.create([{ type: 'CN', value: 'Other CA' }])
    const properties = { 'athenz.authority.truststore.path': fileOf(other.cert) }
    assert.equal(await authenticate({ cn: 'sports.api', properties }), null)
  })
})

const issuerMap = (content: object) => ({
  'athenz.auth.certificate.identity_issuer_map_fname': fileOf(JSON.stringify(content)),
})
const issuerEntry = (...names: string[]) => ({
  'issuer-cert-dn': names,
  'issuer-identity': 'sys.auth.zts',
  'issuer-signer-key': ['k'],
})

describe('identity issuer', () => {
  const cases: readonly [behaviour: string, content: object, expected: string | undefined][] = [
    [
      'is found by the name of the issuer',
      { 'issuer-identities': [issuerEntry('CN=Service CA,O=Sports\\, Inc,C=US')] },
      'sys.auth.zts',
    ],
    [
      'is found whatever the order',
      { 'issuer-identities': [issuerEntry('C=US, O="Sports, Inc", CN=Service CA')] },
      'sys.auth.zts',
    ],
    [
      'is found by the second name',
      { 'issuer-identities': [issuerEntry('CN=x', 'c=US;2.5.4.10=Sports\\2C Inc;cn=Service CA')] },
      'sys.auth.zts',
    ],
    ['is not found by a part of the name', { 'issuer-identities': [issuerEntry('CN=Service CA,C=US')] }, undefined],
    [
      'is not found in other letters',
      { 'issuer-identities': [issuerEntry('CN=Service ca,O=Sports\\, Inc,C=US')] },
      undefined,
    ],
    [
      'is the default otherwise',
      { 'default-issuer-identity': 'corp', 'issuer-identities': [issuerEntry('CN=x')] },
      'corp',
    ],
    ['may be the default alone', { 'default-issuer-identity': 'corp' }, 'corp'],
  ]
  for (const [behaviour, content, expected] of cases) {
    test(behaviour, async () => {
      const principal = (await authenticate({ cn: 'sports.api', properties: issuerMap(content) })) as Principal
      assert.equal(principal.issuerIdentity, expected)
    })
  }
})

describe('start', () => {
  const issuers = 'athenz.auth.certificate.identity_issuer_map_fname'
  const trust = 'athenz.authority.truststore.path'
  const cases: readonly [behaviour: string, properties: Record<string, string>, message: RegExp][] = [
    [
      'fails on a switch that is none',
      { 'athenz.auth.certificate.exclude_role_certificates': 'yes' },
      /^athenz\.auth\.certificate\.exclude_role_certificates: "yes" is neither true nor false$/,
    ],
    [
      'fails without the file of issuers',
      { [trust]: '/nonexistent/ca.pem' },
      /^athenz\.authority\.truststore\.path: ENOENT.*ca\.pem/,
    ],
    [
      'fails on a file without certificate',
      { [trust]: fileOf('nothing') },
      /truststore\.path: .* has no certificate in PEM form$/,
    ],
    [
      'fails on a certificate that is none',
      { [trust]: fileOf('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') },
      /truststore\.path: /,
    ],
    ['fails without the map', { [issuers]: '/nonexistent/map' }, /identity_issuer_map_fname: ENOENT/],
    [
      'fails on a map that is no JSON',
      { [issuers]: fileOf('{') },
      /identity_issuer_map_fname: .*: not a map of identity issuers: /,
    ],
    [
      'fails on a map of another form',
      { [issuers]: fileOf('{"issuer-identities":[{"issuer-cert-dn":"x"}]}') },
      /not a map of identity issuers: /,
    ],
    [
      'fails on a name that is none',
      { [issuers]: fileOf('{"issuer-identities":[{"issuer-cert-dn":["Service CA"],"issuer-identity":"a"}]}') },
      /: "Service CA" is not a distinguished name$/,
    ],
    [
      'fails on a name with two identities',
      {
        [issuers]: fileOf(
          '{"issuer-identities":[{"issuer-cert-dn":["CN=a,O=b"],"issuer-identity":"x"},{"issuer-cert-dn":["O=b,CN=a"],"issuer-identity":"y"}]}',
        ),
      },
      /: "O=b,CN=a" is both x and y$/,
    ],
  ]
  for (const [behaviour, properties, message] of cases) {
    test(behaviour, () => assert.rejects(newAuthority(properties), { message }))
  }
})
