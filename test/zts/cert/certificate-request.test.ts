import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type Asn1,
  bitString,
  boolean,
  contextPrimitive,
  fromDer,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  set,
  utf8String,
} from '#core/crypto/certificate-asn1.ts'
import { alternativeNamesToAsn1 } from '#core/crypto/certificate-name.ts'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { readCertificateRequest } from '#zts/cert/certificate-request.ts'
import {
  extensionRequest,
  REQUEST_KEY,
  type RequestParts,
  requestDer,
  requestFor,
  requestOf,
  requestPem,
} from '../../support/certificate-requests.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { closePrimesPrivateKey, rocaPrivateKey } from '../../support/weak-rsa-keys.ts'

const rsa = (modulusLength: number, publicExponent = 65537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey

/** The reason why a request is refused. */
async function reasonOf(csr: string): Promise<string> {
  const error = await readCertificateRequest(csr).then(
    () => assert.fail('the request is accepted'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ServiceError, String(error))
  assert.equal(error.status, 400)
  return error.message.replace('the certificate request is refused: ', '')
}

const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
const ALTERNATIVE_NAME = '2.5.29.17'

describe('a request that openssl made', () => {
  const folder = temporaryFolder()
  const keys: readonly [string, () => KeyObject][] = [
    ['RSA-2048', () => rsa(2048)],
    ['RSA-4096', () => rsa(4096)],
    ['P-256', () => ec('P-256')],
    ['P-384', () => ec('P-384')],
    ['P-521', () => ec('P-521')],
    ['Ed25519', () => generateKeyPairSync('ed25519').privateKey],
  ]
  for (const [name, make] of keys) {
    it(`is read with a key of kind ${name}`, async () => {
      const key = make()
      const keyFile = join(folder, `${name}.key`)
      writeFileSync(keyFile, key.export({ type: 'pkcs8', format: 'pem' }))
      const names = [
        'DNS:api.sports.athenz.cloud',
        'DNS:i-1.instanceid.athenz.athenz.cloud',
        'IP:10.1.2.3',
        'IP:2001:db8::1',
        'email:sports.api@athenz.cloud',
        'URI:athenz://hostname/h1.example.com',
        'URI:spiffe://sports/sa/api',
        'otherName:1.2.3.4;UTF8:ignored',
      ]
      const options = ['req', '-new', '-utf8', '-key', keyFile, '-subj', '/C=US/O=Athenz Tëst/OU=Testing/CN=sports.api']
      const csr = execFileSync('openssl', [...options, '-addext', `subjectAltName=${names.join(',')}`], {
        encoding: 'utf8',
      })
      const request = await readCertificateRequest(csr)
      const { commonName, organization, organizationalUnit, dnsNames, ipAddresses, emails, uris } = request
      assert.deepEqual(
        { commonName, organization, organizationalUnit, dnsNames, ipAddresses, emails, uris },
        {
          commonName: 'sports.api',
          organization: 'Athenz Tëst',
          organizationalUnit: 'Testing',
          dnsNames: ['api.sports.athenz.cloud', 'i-1.instanceid.athenz.athenz.cloud'],
          ipAddresses: ['10.1.2.3', '2001:db8:0:0:0:0:0:1'],
          emails: ['sports.api@athenz.cloud'],
          uris: ['athenz://hostname/h1.example.com', 'spiffe://sports/sa/api'],
        },
      )
      assert.equal(request.instanceId, 'i-1')
      assert.equal(request.hostname, 'h1.example.com')
      assert.equal(request.spiffeUri, 'spiffe://sports/sa/api')
      assert.equal(request.publicKeyPem, publicKeyPem(key))
      assert.equal(request.publicKey.equals(request.publicKey), true)
      assert.equal(request.pem, csr)
    })
  }
})

describe('readCertificateRequest', () => {
  it('reads both labels, Windows line ends and text around the section', async () => {
    const csr = requestFor('sports.api')
    for (const text of [
      csr.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'),
      csr.replaceAll('\n', '\r\n'),
      `Subject: sports.api\n${csr}more`,
    ]) {
      assert.equal((await readCertificateRequest(text)).commonName, 'sports.api')
    }
  })

  it('gives the request anew, so that nothing but what was checked reaches a signer', async () => {
    const [csr, other] = [requestFor('sports.api'), requestFor('sports.other')]
    assert.equal((await readCertificateRequest(`-----BEGIN X-----\n${csr}${other}`)).pem, csr)
  })

  it('reads what is asked for besides names without taking any of it over', async () => {
    const extensions = [
      { id: BASIC_CONSTRAINTS, value: sequence(), critical: true },
      { id: KEY_USAGE, value: bitString(Buffer.from([0b1110_0000]), 5) },
      { id: '2.5.29.37', value: sequence(oid('1.3.6.1.5.5.7.3.3')) },
      { id: '1.2.3.4', value: Buffer.from('anything'), critical: false },
    ]
    const request = await readCertificateRequest(requestFor('sports.api', ['DNS:a.b'], { extensions }))
    assert.deepEqual(request.alternativeNames, [{ type: 'dns', value: 'a.b' }])
  })

  it('reads a request without attributes, and one with a password for revocation', async () => {
    const password = sequence(oid('1.2.840.113549.1.9.7'), set(utf8String('secret')))
    for (const parts of [{ attributes: [] }, { attributes: [password] }] satisfies RequestParts[]) {
      assert.equal((await readCertificateRequest(requestFor('sports.api', [], parts))).dnsNames.length, 0)
    }
  })

  for (const digest of ['sha384', 'sha512'] as const) {
    it(`verifies signatures with ${digest}`, async () => {
      for (const key of [REQUEST_KEY, rsa(2048)]) {
        assert.ok(await readCertificateRequest(requestFor('sports.api', [], { digest, key })))
      }
    })
  }

  it('takes the instance id of a URI and of a DNS name when both are the same', async () => {
    const names = ['URI:athenz://instanceid/sys.auth.zts/i-1', 'DNS:i-1.instanceid.athenz.x.y']
    const same = await readCertificateRequest(requestFor('a.b', names))
    assert.deepEqual([same.instanceId, same.namesOtherInstances], ['i-1', false])
    const withSlash = requestFor('a.b', ['URI:athenz://instanceid/sys.auth.zts'])
    assert.equal((await readCertificateRequest(withSlash)).instanceId, undefined)
  })

  it('takes the instance id of the URI before those of DNS names, and says that there are others', async () => {
    for (const [names, id] of [
      [['DNS:2.instanceid.athenz.x', 'URI:athenz://instanceid/p/1'], '1'],
      [['DNS:2.instanceid.athenz.x', 'DNS:3.instanceid.athenz.x'], '2'],
    ] as const) {
      const { instanceId, namesOtherInstances } = await readCertificateRequest(requestFor('a.b', names))
      assert.deepEqual([instanceId, namesOtherInstances], [id, true])
    }
    const inCapitals = ['URI:athenz://instanceid/p/I-1', 'DNS:i-1.instanceid.athenz.x']
    assert.equal((await readCertificateRequest(requestFor('a.b', inCapitals))).namesOtherInstances, false)
  })

  it('puts what the operation says before the reason, or in its place where the peer gives none', async () => {
    const twoIds = requestFor('a.b', ['URI:spiffe://a/sa/b', 'URI:spiffe://a/sa/c'])
    const [prefix, known] = ['Unable to parse PKCS10 CSR', 'Invalid SPIFFE URI present in CSR']
    const ours = 'the certificate request is refused: it has more than one host name'
    const twoHosts = requestFor('a.b', ['URI:athenz://hostname/a', 'URI:athenz://hostname/b'])
    const told = { prefix, peerGivesReasons: true }
    const untold = { prefix, peerGivesReasons: false }
    await assert.rejects(readCertificateRequest('junk', told), { message: `${prefix}: Invalid csr provided` })
    await assert.rejects(readCertificateRequest(twoIds, told), { message: `${prefix}: ${known}` })
    await assert.rejects(readCertificateRequest(twoIds, untold), { message: prefix, detail: known })
    await assert.rejects(readCertificateRequest(twoHosts, untold), { message: `${prefix}: ${ours}` })
  })
})

describe('a request is refused', () => {
  const refused = (name: string, csr: () => string, reason: string | RegExp): void => {
    it(`with ${name}`, async () => {
      const found = await reasonOf(csr())
      if (typeof reason === 'string') assert.equal(found, reason)
      else assert.match(found, reason)
    })
  }

  describe('for its form', () => {
    refused('no text', () => '', 'CSR is null or empty')
    refused('junk', () => 'junk', 'Invalid csr provided')
    refused(
      'a certificate in its place',
      () => requestFor('a.b').replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'),
      'Invalid csr provided',
    )
    refused(
      'an empty section',
      () => '-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n',
      'it ends too early',
    )
    refused('no base64', () => requestFor('a.b').replace('M', '!'), 'it is not in base64')
    refused(
      'headers',
      () => requestFor('a.b').replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n\n'),
      'it is not in base64',
    )
    refused(
      'surplus padding',
      () => requestPem(requestDer()).replace(/\n-----END/, '====\n-----END'),
      'it is not in base64',
    )
    refused('more text than a request can have', () => requestPem(Buffer.alloc(100_000, 0x30)), 'it is too long')
    refused(
      'something behind its end',
      () => requestPem(Buffer.concat([requestDer(), Buffer.from([5, 0])])),
      'it has something behind its end',
    )
    refused('another version', () => requestOf({ version: 1 }), 'it is not of version 1')
    refused(
      'the same extension twice',
      () => {
        const value = alternativeNamesToAsn1([{ type: 'dns', value: 'a.b' }])
        return requestOf({
          extensions: [
            { id: ALTERNATIVE_NAME, value },
            { id: ALTERNATIVE_NAME, value },
          ],
        })
      },
      'it asks for the same extension twice',
    )
    refused(
      'two lists of extensions',
      () => {
        const attribute = () =>
          extensionRequest({ id: ALTERNATIVE_NAME, value: alternativeNamesToAsn1([{ type: 'dns', value: 'a.b' }]) })
        return requestOf({ attributes: [attribute(), attribute()] })
      },
      'it has the same attribute twice',
    )
    refused(
      'a BOOLEAN that is neither',
      () => requestOf({ extensions: [{ id: BASIC_CONSTRAINTS, value: Buffer.from([0x30, 3, 1, 1, 1]) }] }),
      'it has a malformed BOOLEAN',
    )
    refused(
      'an extension that is no DER',
      () => requestOf({ extensions: [{ id: ALTERNATIVE_NAME, value: Buffer.from([0x30, 0x80, 0, 0]) }] }),
      'it has an indefinite length',
    )
  })

  describe('for the power that it asks for', () => {
    refused(
      'the constraint of a CA',
      () => requestOf({ extensions: [{ id: BASIC_CONSTRAINTS, value: sequence(boolean(true)) }] }),
      'it asks for a certificate of an authority',
    )
    refused(
      'a CA of some depth',
      () =>
        requestOf({
          extensions: [{ id: BASIC_CONSTRAINTS, value: sequence(boolean(true), integer(3)), critical: true }],
        }),
      'it asks for a certificate of an authority',
    )
    refused(
      'the key usage of a CA',
      () => requestOf({ extensions: [{ id: KEY_USAGE, value: bitString(Buffer.from([0b0000_0100]), 2) }] }),
      'it asks for a certificate of an authority',
    )
    refused(
      'the key usage of a list of revoked certificates',
      () => requestOf({ extensions: [{ id: KEY_USAGE, value: bitString(Buffer.from([0b1000_0010]), 1) }] }),
      'it asks for a certificate of an authority',
    )
  })

  describe('for its names', () => {
    const named = (bytes: Buffer, tag = 2) =>
      requestOf({ extensions: [{ id: ALTERNATIVE_NAME, value: sequence(contextPrimitive(tag, bytes)) }] })
    const subject = (...values: readonly Asn1[]) =>
      requestOf({ subject: sequence(...values.map((value) => set(sequence(oid('2.5.4.3'), value)))) })
    refused(
      'two common names',
      () => subject(utf8String('a.b'), utf8String('a.c')),
      'CSR Subject contains multiple values for the same field.',
    )
    refused(
      'two common names in one',
      () =>
        requestOf({
          subject: sequence(
            set(sequence(oid('2.5.4.3'), utf8String('a.b')), sequence(oid('2.5.4.3'), utf8String('a.c'))),
          ),
        }),
      'CSR Subject contains multiple values for the same field.',
    )
    refused(
      'two organizations',
      () =>
        requestOf({
          subject: [
            { type: 'O', value: 'A' },
            { type: 'O', value: 'B' },
          ],
        }),
      'CSR Subject contains multiple values for the same field.',
    )
    refused(
      'a common name with a NUL',
      () => subject(utf8String('sports.api\0.evil')),
      'its subject has a control character',
    )
    refused(
      'a common name with a line end',
      () => subject(utf8String('sports.api\nCN=x')),
      'its subject has a control character',
    )
    refused('an empty common name', () => subject(utf8String('')), 'its subject has an empty value')
    refused('a common name that is a number', () => subject(integer(5)), 'its subject has a value that is no text')
    refused(
      'a common name that is no UTF-8',
      () => subject(fromDer(Buffer.from([0x0c, 2, 0xc3, 0x28]))),
      'its subject has a text that cannot be read',
    )
    refused(
      'a common name of half a character',
      () => {
        const der = requestDer({ subject: sequence(set(sequence(oid('2.5.4.3'), utf8String('a')))) })
        const text = der.toString('hex').replace('5504030c0161', '5504031e0161')
        return requestPem(Buffer.from(text, 'hex'))
      },
      'its subject has a text that cannot be read',
    )
    refused(
      'two SPIFFE ids',
      () => requestFor('a.b', ['URI:spiffe://a/sa/b', 'URI:SPIFFE://a/sa/c']),
      'Invalid SPIFFE URI present in CSR',
    )
    refused(
      'two instances',
      () => requestFor('a.b', ['URI:athenz://instanceid/p/1', 'URI:athenz://instanceid/p/2']),
      'it has more than one instance id',
    )
    refused(
      'an instance that is a path',
      () => requestFor('a.b', ['URI:athenz://instanceid/p/../../etc']),
      'it has an instance id of another form',
    )
    refused(
      'two host names',
      () => requestFor('a.b', ['URI:athenz://hostname/a', 'URI:athenz://hostname/b']),
      'it has more than one host name',
    )
    refused(
      'a DNS name with a NUL',
      () => named(Buffer.from('evil.com\0.athenz.cloud')),
      'it has an alternative name that is empty or not of visible ASCII',
    )
    refused(
      'an empty DNS name',
      () => named(Buffer.alloc(0)),
      'it has an alternative name that is empty or not of visible ASCII',
    )
    refused(
      'a DNS name with a slash',
      () => named(Buffer.from('evil.com/.athenz.cloud')),
      'it has a DNS name that is none',
    )
    refused(
      'a DNS name with a star inside',
      () => named(Buffer.from('a.*.athenz.cloud')),
      'it has a DNS name that is none',
    )
    refused(
      'an endless DNS name',
      () => named(Buffer.from(`${'a'.repeat(260)}.athenz.cloud`)),
      'it has a DNS name that is none',
    )
    refused(
      'a URI with an umlaut',
      () => named(Buffer.from('spiffe://ü'), 6),
      'it has an alternative name that is empty or not of visible ASCII',
    )
    refused('an address of five bytes', () => named(Buffer.alloc(5), 7), 'it has an address of neither 4 nor 16 bytes')
    refused(
      'a name of an unknown kind',
      () => named(Buffer.from('x'), 9),
      'it has an alternative name of an unknown kind',
    )
  })

  describe('for its key', () => {
    refused(
      'RSA-512',
      () => requestOf({ key: rsa(512) }),
      'its key is refused: an RSA modulus of 512 bits is too short; use 2048 or more',
    )
    refused(
      'RSA-1024',
      () => requestOf({ key: rsa(1024) }),
      'its key is refused: an RSA modulus of 1024 bits is too short; use 2048 or more',
    )
    refused('the exponent 3', () => requestOf({ key: rsa(2048, 3) }), /public exponent/)
    refused(
      'primes of the faulty library of Infineon',
      () => requestOf({ key: rocaPrivateKey() }),
      'its key is refused: the RSA key is of those that can be factored because of how their primes were made (ROCA, CVE-2017-15361)',
    )
    refused(
      'primes next to each other',
      () => requestOf({ key: closePrimesPrivateKey() }),
      'its key is refused: the prime factors of the RSA key are too close to each other',
    )
    refused('P-224', () => requestOf({ key: ec('secp224r1') }), /^its kind of key is not accepted/)
    refused('the curve of Bitcoin', () => requestOf({ key: ec('secp256k1') }), /^its kind of key is not accepted/)
    refused(
      'explicit parameters',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })
        return requestOf({ key: privateKey })
      },
      /^its kind of key is not accepted/,
    )
    refused(
      'DSA',
      () =>
        requestOf({
          publicKey: fromDer(
            generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).publicKey.export({
              type: 'spki',
              format: 'der',
            }),
          ),
        }),
      'its kind of key is not accepted (use RSA, or P-256, P-384 or P-521)',
    )
    refused(
      'X25519',
      () =>
        requestOf({
          publicKey: fromDer(generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' })),
        }),
      'its kind of key is not accepted (use RSA, or P-256, P-384 or P-521)',
    )
    refused(
      'a point that is not on the curve',
      () => {
        const curve = sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7'))
        return requestOf({
          publicKey: sequence(curve, bitString(Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]))),
        })
      },
      'its key does not parse',
    )
    refused(
      'half a key',
      () =>
        requestOf({
          algorithm: sequence(oid('1.2.840.113549.1.1.11'), nullValue()),
          publicKey: sequence(sequence(oid('1.2.840.113549.1.1.1'), nullValue()), bitString(Buffer.alloc(20))),
        }),
      'its key does not parse',
    )
  })

  describe('for its signature', () => {
    refused(
      'one of another key',
      () => requestOf({ publicKey: fromDer(ecPublic()) }),
      'its signature is not that of its key',
    )
    refused(
      'a broken one',
      () => {
        const der = requestDer({ subject: [{ type: 'CN', value: 'a.b' }] })
        der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1)
        return requestPem(der)
      },
      'its signature is not that of its key',
    )
    refused('an empty one', () => requestOf({ signature: Buffer.alloc(0) }), 'its signature is not that of its key')
    refused('SHA-1', () => requestOf({ digest: 'sha1', key: rsa(2048) }), /signature algorithm is not accepted/)
    refused(
      'the algorithm of another kind of key',
      () => requestOf({ algorithm: sequence(oid('1.2.840.113549.1.1.11'), nullValue()) }),
      'it is signed with another kind of key than its own',
    )
    refused(
      'parameters where there are none',
      () => requestOf({ algorithm: sequence(oid('1.2.840.10045.4.3.2'), octetString(Buffer.from('x'))) }),
      'it has something behind its end',
    )
  })
})

const ecPublic = () =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' })
