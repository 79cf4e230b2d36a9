import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadTlsMaterial, readStoreFile } from '#core/http/tls-material.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { TestCa } from '../authority/support.ts'
import { serverCertificate } from './support.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

const fingerprints = (certificates: readonly X509Certificate[]): string[] =>
  certificates.map(({ fingerprint256 }) => fingerprint256).sort()

/** Fingerprints of the certificates that all the fixtures hold: an elliptic one, and one of RSA with an umlaut. */
const authorities = fingerprints(
  readFileSync(fixture('authorities.pem'), 'utf8')
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .filter((text) => text.includes('BEGIN'))
    .map((text) => new X509Certificate(text)),
)

const opensslMissing = (() => {
  try {
    execFileSync('openssl', ['version'])
    return false
  } catch {
    return 'openssl is not installed'
  }
})()

describe('trust stores', () => {
  for (const name of ['authorities.pem', 'java-17-trust.jks', 'java-17-trust.pkcs12']) {
    test(`${name} gives the very certificates put into it`, async () => {
      const { certificates, keys } = await readStoreFile({ file: fixture(name), password: 'changeit' })
      assert.deepEqual([fingerprints(certificates), keys], [authorities, []])
    })
  }

  for (const name of ['java-17-trust.jks', 'java-17-trust.pkcs12']) {
    test(`${name} is not read with a wrong password, or without one`, async () => {
      const file = fixture(name)
      await assert.rejects(readStoreFile({ file, password: 'wrong' }), {
        message: `${file}: it is damaged, or the password is wrong`,
      })
      await assert.rejects(readStoreFile({ file }), { message: `${file}: its password is not configured` })
    })

    test(`${name}: no byte may be changed or missing`, async () => {
      const bytes = readFileSync(fixture(name))
      const file = join(temporaryFolder(), name)
      for (const damage of [
        (copy: Buffer) => copy.subarray(0, copy.length - 1),
        (copy: Buffer) => copy.subarray(0, 40),
        (copy: Buffer) => {
          copy.writeUInt8((copy.readUInt8(300) + 1) % 256, 300)
          return copy
        },
      ]) {
        writeFileSync(file, damage(Buffer.from(bytes)))
        await assert.rejects(readStoreFile({ file, password: 'changeit' }), /damaged/)
      }
    })
  }

  test('JCEKS is refused with the command that converts it', async () => {
    await assert.rejects(
      readStoreFile({ file: fixture('java-17-trust.jceks'), password: 'changeit' }),
      /JCEKS.*keytool -importkeystore -srckeystore .* -deststoretype PKCS12/,
    )
  })

  test('a file of another kind, and one that is not there', async () => {
    const file = join(temporaryFolder(), 'odd')
    writeFileSync(file, 'hello')
    await assert.rejects(readStoreFile({ file }), { message: `${file}: it is neither PEM nor PKCS#12 nor JKS` })
    await assert.rejects(readStoreFile({ file: `${file}.missing` }), { code: 'ENOENT' })
  })

  test('PEM that ends in the middle, also behind what would do alone', async () => {
    const whole = readFileSync(fixture('authorities.pem'), 'utf8').trimEnd()
    const file = join(temporaryFolder(), 'cut')
    const second = whole.lastIndexOf('-----BEGIN ')
    for (const length of [80, whole.length - 1, second + 12, second + 100]) {
      writeFileSync(file, whole.slice(0, length))
      await assert.rejects(readStoreFile({ file }), { message: `${file}: it ends in the middle of a section` })
    }
  })

  test('a trust store without certificates would trust nobody by accident, and is refused', async () => {
    const folder = temporaryFolder()
    const { key, cert } = await serverCertificate(await TestCa.create())
    const own = join(folder, 'own.pem')
    const empty = join(folder, 'empty.pem')
    writeFileSync(own, key + cert)
    writeFileSync(empty, key)
    await assert.rejects(loadTlsMaterial({ key: { file: own }, trust: { file: empty } }), {
      message: `${empty}: there is no certificate`,
    })
  })
})

describe('key stores', () => {
  test('PEM: key and chain in one file in any order, or in two', async () => {
    const folder = temporaryFolder()
    const ca = await TestCa.create()
    const { key, cert } = await serverCertificate(ca)
    const both = join(folder, 'both.pem')
    writeFileSync(both, ca.cert + key + cert)
    // The root is not sent to clients: they have it or do not believe it.
    assert.equal((await loadTlsMaterial({ key: { file: both } })).cert, new X509Certificate(cert).toString())
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    writeFileSync(keyFile, key)
    writeFileSync(certFile, cert)
    const material = await loadTlsMaterial({
      key: { file: keyFile },
      certificate: { file: certFile },
      trust: { file: both },
    })
    assert.deepEqual(material.ca?.length, 2)
    assert.ok(new X509Certificate(material.cert).checkPrivateKey(createPrivateKey(material.key)))
  })

  test('PEM: an encrypted key needs its password', async () => {
    const folder = temporaryFolder()
    const { key, cert } = await serverCertificate(await TestCa.create())
    const file = join(folder, 'encrypted.pem')
    const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const
    writeFileSync(file, (createPrivateKey(key).export(options) as string) + cert)
    assert.ok((await loadTlsMaterial({ key: { file, password: 'secret' } })).key.includes('BEGIN PRIVATE KEY'))
    for (const password of ['wrong', undefined]) {
      await assert.rejects(loadTlsMaterial({ key: { file, ...(password && { password }) } }), /its password is wrong/)
    }
  })

  test('key and certificate must belong together', async () => {
    const folder = temporaryFolder()
    const ca = await TestCa.create()
    const file = join(folder, 'mixed.pem')
    writeFileSync(file, (await serverCertificate(ca)).key + (await serverCertificate(ca)).cert)
    await assert.rejects(loadTlsMaterial({ key: { file } }), {
      message: `${file}: no certificate belongs to the private key`,
    })
    writeFileSync(file, (await serverCertificate(ca)).cert)
    await assert.rejects(loadTlsMaterial({ key: { file } }), { message: `${file}: there is no private key` })
  })

  for (const kind of ['ec', 'rsa'] as const) {
    for (const legacy of [false, true]) {
      test(`PKCS#12 from OpenSSL, ${kind}, ${legacy ? 'old' : 'present'} ciphers`, {
        skip: opensslMissing,
      }, async () => {
        const folder = temporaryFolder()
        const path = (name: string) => join(folder, name)
        const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
        const newKey = kind === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
        openssl(
          'req',
          '-x509',
          '-newkey',
          ...newKey,
          '-nodes',
          '-keyout',
          'ca.key',
          '-out',
          'ca.pem',
          '-subj',
          '/CN=Root',
        )
        openssl('req', '-newkey', ...newKey, '-nodes', '-keyout', 'own.key', '-out', 'own.csr', '-subj', '/CN=zms')
        openssl(
          'x509',
          '-req',
          '-in',
          'own.csr',
          '-CA',
          'ca.pem',
          '-CAkey',
          'ca.key',
          '-set_serial',
          '7',
          '-out',
          'own.pem',
        )
        const pack = ['-inkey', 'own.key', '-in', 'own.pem', '-certfile', 'ca.pem', '-passout', 'pass:ge heim!']
        openssl('pkcs12', '-export', ...(legacy ? ['-legacy'] : []), ...pack, '-out', 'own.p12')
        const material = await loadTlsMaterial({ key: { file: path('own.p12'), password: 'ge heim!' } })
        const own = new X509Certificate(readFileSync(path('own.pem')))
        assert.equal(new X509Certificate(material.cert).fingerprint256, own.fingerprint256)
        assert.ok(own.checkPrivateKey(createPrivateKey(material.key)))
        // Its own authority in a key store is no reason to believe clients that have one from there.
        assert.equal(material.ca, undefined)
      })
    }
  }

  test('JKS, with a password of its own for the key', async () => {
    const folder = temporaryFolder()
    const ca = await TestCa.create()
    const { key, cert } = await serverCertificate(ca)
    const file = join(folder, 'own.jks')
    writeFileSync(file, jksWithKey(key, [cert, ca.cert], 'storepass', 'keypass'))
    const material = await loadTlsMaterial({ key: { file, password: 'storepass', keyPassword: 'keypass' } })
    assert.ok(new X509Certificate(material.cert).checkPrivateKey(createPrivateKey(material.key)))
    await assert.rejects(loadTlsMaterial({ key: { file, password: 'storepass' } }), {
      message: `${file}: the password of the private key is wrong`,
    })
  })

  test('a copy under another name is recognised by its contents', async () => {
    const file = join(temporaryFolder(), 'trust.p12')
    copyFileSync(fixture('java-17-trust.jks'), file)
    assert.deepEqual(fingerprints((await readStoreFile({ file, password: 'changeit' })).certificates), authorities)
  })
})

/** Writes a JKS store with one key entry, as Java's documentation of the format has it. */
function jksWithKey(key: string, chain: readonly string[], storePassword: string, keyPassword: string): Buffer {
  const wide = (text: string) => Buffer.from(text, 'utf16le').swap16()
  const sha1 = (...parts: Buffer[]) => createHash('sha1').update(Buffer.concat(parts)).digest()
  const uint32 = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes
  }
  const text = (value: string) => Buffer.concat([uint32(value.length).subarray(2), Buffer.from(value)])
  const tlv = (tag: number, value: Buffer) => {
    const long = Buffer.from([tag, 0x82, value.length >> 8, value.length & 0xff])
    return Buffer.concat([value.length < 128 ? Buffer.from([tag, value.length]) : long, value])
  }
  const plain = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' })
  const salt = sha1(Buffer.from('salt'))
  const keystream: Buffer[] = []
  for (let link = salt; keystream.length * 20 < plain.length; ) {
    link = sha1(wide(keyPassword), link)
    keystream.push(link)
  }
  const pad = Buffer.concat(keystream)
  const encrypted = Buffer.from(plain.map((byte, index) => byte ^ (pad[index] as number)))
  const secret = Buffer.concat([salt, encrypted, sha1(wide(keyPassword), plain)])
  const algorithm = tlv(0x30, Buffer.from('060a2b060104012a021101010500', 'hex'))
  const protectedKey = tlv(0x30, Buffer.concat([algorithm, tlv(0x04, secret)]))
  const certificates = chain.map((pem) => {
    const { raw } = new X509Certificate(pem)
    return Buffer.concat([text('X.509'), uint32(raw.length), raw])
  })
  const entry = [uint32(1), text('own'), Buffer.alloc(8), uint32(protectedKey.length), protectedKey]
  const body = Buffer.concat([
    uint32(0xfeedfeed),
    uint32(2),
    uint32(1),
    ...entry,
    uint32(chain.length),
    ...certificates,
  ])
  return Buffer.concat([body, sha1(wide(storePassword), Buffer.from('Mighty Aphrodite'), body)])
}
