import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { buildCertificate, issuerOf, selfIssuer } from '#core/crypto/certificate.ts'
import {
  type AlternativeName,
  addressBytes,
  type DistinguishedName,
  encodeName,
} from '#core/crypto/certificate-name.ts'
import { buildCertificateRequest } from '#core/crypto/certificate-request.ts'
import { createSigner, type Signer } from '#core/crypto/signing.ts'

const folder = mkdtempSync(join(tmpdir(), 'certificate-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let fileCount = 0
function file(content: string): string {
  const path = join(folder, `${++fileCount}.pem`)
  writeFileSync(path, content)
  return path
}
const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' })

const ec = () => createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, '0', 'certificate')
const signers: Readonly<Record<string, Signer>> = Object.fromEntries(
  [
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    generateKeyPairSync('ed25519'),
  ].map(({ privateKey }) => {
    const signer = createSigner(privateKey, '0', 'certificate')
    return [signer.kind.name, signer]
  }),
)
const p256 = ec()
const caName: DistinguishedName = [
  { type: 'C', value: 'US' },
  { type: 'O', value: 'Test Authority', encoding: 'printable' },
  { type: 'CN', value: 'Tëst CA' },
]
const validity = { notBefore: new Date('2026-01-01T00:00:00.750Z'), notAfter: new Date('2099-12-31T23:59:59Z') }

async function makeCa(signer: Signer) {
  const pem = await buildCertificate({
    subject: caName,
    publicKey: signer.publicKey,
    issuer: selfIssuer(caName, signer),
    ...validity,
    ca: { pathLength: 0 },
    keyUsage: ['keyCertSign', 'crlSign'],
  })
  return { pem, issuer: issuerOf(new X509Certificate(pem), signer) }
}

const san = (type: AlternativeName['type'], value: string) => ({ subjectAlternativeNames: [{ type, value }] })

describe('buildCertificate', () => {
  for (const [kind, signer] of Object.entries(signers)) {
    test(`a chain signed with ${kind} satisfies openssl`, async () => {
      const ca = await makeCa(signer)
      const leaf = await buildCertificate({
        subject: [{ type: 'CN', value: 'sports.api' }],
        publicKey: p256.publicKey,
        issuer: ca.issuer,
        ...validity,
        ca: false,
        keyUsage: ['digitalSignature'],
        extendedKeyUsage: ['serverAuth', 'clientAuth'],
        subjectAlternativeNames: [{ type: 'dns', value: 'localhost' }],
      })
      const [caFile, leafFile] = [file(ca.pem), file(leaf)]
      assert.match(openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', caFile, leafFile), /: OK\n$/)
      assert.match(openssl('verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', caFile, leafFile), /: OK\n$/)
      assert.ok(new X509Certificate(leaf).verify(signer.publicKey))
    })
  }

  test('every extension is read back by openssl as it was asked for', async () => {
    const { issuer } = await makeCa(p256)
    const pem = await buildCertificate({
      subject: [
        { type: 'O', value: 'Grüße' },
        { type: 'OU', value: 'Athenz', encoding: 'printable' },
        { type: 'CN', value: 'sports.api' },
      ],
      publicKey: signers['RSA']!.publicKey,
      issuer,
      ...validity,
      serialNumber: Buffer.from('00ff01', 'hex'),
      ca: false,
      keyUsage: ['digitalSignature', 'keyEncipherment'],
      extendedKeyUsage: ['clientAuth', 'codeSigning'],
      subjectAlternativeNames: [
        { type: 'dns', value: 'api.sports.athenz.cloud' },
        { type: 'uri', value: 'spiffe://sports/sa/api' },
        { type: 'ip', value: '10.0.0.1' },
        { type: 'ip', value: '2001:db8::192.0.2.1' },
        { type: 'email', value: 'joe@sports.athenz.cloud' },
      ],
    })
    const text = openssl('x509', '-in', file(pem), '-noout', '-text', '-nameopt', 'utf8,sep_comma_plus,show_type')
    const lines = text.split('\n').map((line) => line.trim())
    const below = (title: string) => lines[lines.findIndex((line) => line === title) + 1]
    assert.ok(lines.includes('Serial Number: 65281 (0xff01)'), text)
    assert.ok(lines.includes('Subject: O=UTF8STRING:Grüße,OU=PRINTABLESTRING:Athenz,CN=UTF8STRING:sports.api'), text)
    assert.ok(
      lines.includes('Issuer: C=PRINTABLESTRING:US,O=PRINTABLESTRING:Test Authority,CN=UTF8STRING:Tëst CA'),
      text,
    )
    assert.ok(lines.includes('Not Before: Jan  1 00:00:00 2026 GMT'), text)
    assert.ok(lines.includes('Not After : Dec 31 23:59:59 2099 GMT'), text)
    assert.equal(below('X509v3 Basic Constraints: critical'), 'CA:FALSE')
    assert.equal(below('X509v3 Key Usage: critical'), 'Digital Signature, Key Encipherment')
    assert.equal(below('X509v3 Extended Key Usage:'), 'TLS Web Client Authentication, Code Signing')
    assert.equal(
      below('X509v3 Subject Alternative Name:'),
      'DNS:api.sports.athenz.cloud, URI:spiffe://sports/sa/api, IP Address:10.0.0.1, ' +
        'IP Address:2001:DB8:0:0:0:0:C000:201, email:joe@sports.athenz.cloud',
    )
    assert.equal(below('X509v3 Authority Key Identifier:')?.replace(/^keyid:/, ''), colons(issuer.keyIdentifier!))
  })

  test('every single key usage is encoded as openssl names it', async () => {
    const names = {
      digitalSignature: 'Digital Signature',
      nonRepudiation: 'Non Repudiation',
      keyEncipherment: 'Key Encipherment',
      dataEncipherment: 'Data Encipherment',
      keyAgreement: 'Key Agreement',
      keyCertSign: 'Certificate Sign',
      crlSign: 'CRL Sign',
    } as const
    const signer = p256
    for (const [usage, name] of Object.entries(names)) {
      const pem = await buildCertificate({
        subject: caName,
        publicKey: signer.publicKey,
        issuer: selfIssuer(caName, signer),
        ...validity,
        keyUsage: [usage as keyof typeof names],
      })
      const shown = openssl('x509', '-in', file(pem), '-noout', '-ext', 'keyUsage')
      assert.deepEqual(shown.trim().split(/\n\s*/), ['X509v3 Key Usage: critical', name])
    }
  })

  test("the issuer's name bytes are those of the CA certificate, however they were encoded", async () => {
    const key = ec()
    const keyFile = file(key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    const caPem = openssl('req', '-x509', '-new', '-key', keyFile, '-days', '2', '-subj', '/C=US/ST=CA/O=Öl/OU=a+CN=b')
    const issuer = issuerOf(new X509Certificate(caPem), key)
    const leaf = await buildCertificate({
      subject: [{ type: 'CN', value: 'x' }],
      publicKey: ec().publicKey,
      issuer,
      ...validity,
    })
    assert.ok(new X509Certificate(leaf).raw.includes(issuer.nameDer))
    assert.ok(new X509Certificate(caPem).raw.includes(issuer.nameDer))
    assert.match(openssl('verify', '-CAfile', file(caPem), file(leaf)), /: OK\n$/)
  })

  test('serial numbers are random, positive and 16 bytes long', async () => {
    const { issuer } = await makeCa(p256)
    const specification = { subject: caName, publicKey: ec().publicKey, issuer, ...validity }
    const pems = await Promise.all(Array.from({ length: 16 }, () => buildCertificate(specification)))
    const serials = pems.map((pem) => new X509Certificate(pem).serialNumber)
    assert.equal(new Set(serials).size, serials.length)
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/)
  })

  test('alternative names are critical when the subject is empty', async () => {
    const { issuer } = await makeCa(p256)
    const pem = await buildCertificate({
      subject: [],
      publicKey: ec().publicKey,
      issuer,
      ...validity,
      subjectAlternativeNames: [{ type: 'uri', value: 'spiffe://x/y' }],
    })
    const shown = openssl('x509', '-in', file(pem), '-noout', '-ext', 'subjectAltName')
    assert.match(shown, /Subject Alternative Name: critical\n\s+URI:spiffe:\/\/x\/y/)
  })

  describe('refuses what cannot be written', () => {
    const signer = p256
    const base = {
      subject: caName,
      publicKey: signer.publicKey,
      issuer: selfIssuer(caName, signer),
      ...validity,
    }
    const cases: readonly [string, object, RegExp][] = [
      ['a name outside ASCII', san('dns', 'bücher.example'), /not printable ASCII/],
      ['a name with a NUL', san('dns', 'good.example\0.evil.example'), /not printable ASCII/],
      ['an empty name', san('email', ''), /empty alternative name of type email/],
      ['an address that is none', san('ip', '10.0.0'), /not an IP address/],
      ['an address with a zone', san('ip', 'fe80::1%eth0'), /not an IP address/],
      ['a country outside PrintableString', { subject: [{ type: 'C', value: 'Ü' }] }, /not a PrintableString/],
      ['a negative path length', { ca: { pathLength: -1 } }, /path length: -1/],
      ['an end before the beginning', { notAfter: new Date('2025-01-01') }, /ends before it begins/],
      ['a serial number of zero', { serialNumber: Buffer.alloc(4) }, /must be positive/],
      ['a serial number of 21 bytes', { serialNumber: Buffer.alloc(21, 1) }, /more than 20 bytes/],
      ['a serial number of 20 bytes with its first bit set', { serialNumber: Buffer.alloc(20, 0x80) }, /more than 20/],
    ]
    for (const [what, change, reason] of cases) {
      test(what, async () => {
        await assert.rejects(buildCertificate({ ...base, ...change }), (error: Error) => {
          assert.ok(error instanceof RangeError)
          assert.match(error.message, reason)
          return true
        })
      })
    }
  })
})

describe('issuerOf', () => {
  test('refuses a key that is not the certificate’s', async () => {
    const { pem } = await makeCa(p256)
    assert.throws(() => issuerOf(new X509Certificate(pem), ec()), /does not fit the CA certificate/)
  })

  test('refuses a certificate that is not that of a CA', async () => {
    const signer = p256
    const pem = await buildCertificate({
      subject: caName,
      publicKey: signer.publicKey,
      issuer: selfIssuer(caName, signer),
      ...validity,
      ca: false,
    })
    assert.throws(() => issuerOf(new X509Certificate(pem), signer), /not that of a CA/)
  })
})

describe('buildCertificateRequest', () => {
  for (const [kind, signer] of Object.entries(signers)) {
    test(`a request signed with ${kind} satisfies openssl and carries its names`, async () => {
      const pem = await buildCertificateRequest({
        subject: [{ type: 'CN', value: 'sports.api' }],
        signer,
        subjectAlternativeNames: [{ type: 'dns', value: 'api.sports.athenz.cloud' }],
        extendedKeyUsage: ['clientAuth'],
      })
      const text = openssl('req', '-in', file(pem), '-verify', '-noout', '-text')
      assert.match(text, /Subject: CN = sports\.api/)
      assert.match(text, /DNS:api\.sports\.athenz\.cloud/)
      assert.match(text, /TLS Web Client Authentication/)
    })
  }

  test('a request without extensions has no attribute', async () => {
    const pem = await buildCertificateRequest({
      subject: [{ type: 'CN', value: 'a.b' }],
      signer: ec(),
    })
    assert.match(openssl('req', '-in', file(pem), '-noout', '-text'), /Attributes:\s+\(none\)/)
  })
})

describe('addressBytes', () => {
  const cases: readonly [string, string][] = [
    ['127.0.0.1', '7f000001'],
    ['::', '00'.repeat(16)],
    ['::1', `${'00'.repeat(15)}01`],
    ['1::', `0001${'00'.repeat(14)}`],
    ['2001:db8::ff00:42:8329', '20010db8000000000000ff0000428329'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::ffff:192.0.2.33', '00000000000000000000ffffc0000221'],
  ]
  for (const [text, hex] of cases) {
    test(`${text} is ${hex}`, () => assert.equal(addressBytes(text).toString('hex'), hex))
  }
})

test('encodeName gives the same bytes as openssl for UTF8String names', () => {
  const key = file(ec().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
  const pem = openssl('req', '-x509', '-new', '-utf8', '-key', key, '-days', '2', '-subj', '/C=US/O=Öl/CN=a.b')
  const name = encodeName([
    { type: 'C', value: 'US' },
    { type: 'O', value: 'Öl' },
    { type: 'CN', value: 'a.b' },
  ])
  assert.ok(new X509Certificate(pem).raw.includes(name))
})

const colons = (bytes: Buffer): string => bytes.toString('hex').toUpperCase().match(/../g)!.join(':')
