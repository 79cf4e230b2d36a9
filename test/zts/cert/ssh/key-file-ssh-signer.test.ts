import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { promisify } from 'node:util'
import { ConfigError } from '#core/config/config-error.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { KeyFileSshSigner } from '#zts/cert/ssh/key-file-ssh-signer.ts'
import type { SshSigningRequest } from '#zts/cert/ssh-signer.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

const run = promisify(execFile)
const NOW = Date.now()
const folder = temporaryFolder()

/** Makes a key with ssh-keygen; gives the path of the private one. */
async function sshKey(name: string, type: string, bits?: number): Promise<string> {
  const file = join(folder, name)
  await run('ssh-keygen', [
    '-q',
    '-t',
    type,
    ...(bits === undefined ? [] : ['-b', String(bits)]),
    '-N',
    '',
    '-C',
    'x y',
    '-f',
    file,
  ])
  return file
}

const signerWith = (file: string, certType: 'user' | 'host' = 'host') =>
  KeyFileSshSigner.open({ [certType]: { property: 'ca', file, expiryMinutes: 60 } }, () => NOW)

const request = (members: Partial<SshSigningRequest>): SshSigningRequest => ({
  principal: 'sports.api',
  certType: 'host',
  principals: ['host-1.example.com', '10.0.0.1'],
  publicKey: '',
  keyId: 'sports.api i-1',
  sources: [],
  signerKeyId: undefined,
  ...members,
})

async function describe(certificate: string): Promise<string> {
  const file = join(folder, `cert-${Math.random()}.pub`)
  await writeFile(file, `${certificate}\n`)
  return (await run('ssh-keygen', ['-L', '-f', file])).stdout
}

const AUTHORITIES: readonly (readonly [string, string, number?])[] = [
  ['ed25519', 'ed25519'],
  ['p256', 'ecdsa', 256],
  ['p384', 'ecdsa', 384],
  ['p521', 'ecdsa', 521],
  ['rsa', 'rsa', 2048],
]

suite('SSH certificates of a key file, read by ssh-keygen', () => {
  for (const [name, type, bits] of AUTHORITIES) {
    test(`a ${name} authority signs for keys of every kind`, async () => {
      const ca = await sshKey(`ca-${name}`, type, bits)
      const signer = await signerWith(ca)
      const caLine = (await readFile(`${ca}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ')
      assert.equal(await signer.signerKey('host', undefined), caLine)
      const { stdout: fingerprint } = await run('ssh-keygen', ['-l', '-f', `${ca}.pub`])
      for (const [subject, subjectType, subjectBits] of AUTHORITIES) {
        const key = await sshKey(`${name}-${subject}`, subjectType, subjectBits)
        const { certificates } = await signer.sign(request({ publicKey: await readFile(`${key}.pub`, 'utf8') }))
        const text = await describe(certificates[0]?.certificate ?? '')
        assert.match(text, /host certificate/)
        assert.ok(text.includes(fingerprint.split(' ')[1] ?? '?'), text)
        assert.match(text, /Key ID: "sports.api i-1"/)
        assert.match(text, /Principals: \n\s+host-1.example.com\n\s+10.0.0.1\n/)
        assert.match(text, /Critical Options: \(none\)\n\s+Extensions: \(none\)/)
      }
    })
  }

  test('a certificate of a user limits addresses and command, and allows what ssh-keygen allows', async () => {
    const signer = await signerWith(await sshKey('ca-user', 'ed25519'), 'user')
    const key = await sshKey('joe', 'ed25519')
    const { certificates } = await signer.sign(
      request({
        certType: 'user',
        principals: ['joe'],
        publicKey: await readFile(`${key}.pub`, 'utf8'),
        sources: ['10.0.0.0/8', 'fd00::1'],
        command: '/bin/date',
      }),
    )
    const text = await describe(certificates[0]?.certificate ?? '')
    assert.match(text, /user certificate/)
    assert.match(text, /force-command \/bin\/date\n\s+source-address 10.0.0.0\/8,fd00::1/)
    for (const extension of ['X11-forwarding', 'agent-forwarding', 'port-forwarding', 'pty', 'user-rc']) {
      assert.ok(text.includes(`permit-${extension}`), text)
    }
  })

  test('OpenSSH accepts signatures of a certified key by the authority, for the named principal only', async () => {
    for (const [name, type, bits] of AUTHORITIES) {
      const ca = await sshKey(`ca-verify-${name}`, type, bits)
      const signer = await signerWith(ca, 'user')
      const key = await sshKey(`verify-${name}`, 'ed25519')
      const { certificates } = await signer.sign(
        request({ certType: 'user', principals: ['joe'], publicKey: await readFile(`${key}.pub`, 'utf8') }),
      )
      await writeFile(`${key}-cert.pub`, `${certificates[0]?.certificate}\n`)
      const message = join(folder, `message-${name}`)
      await writeFile(message, 'hello')
      const allowed = join(folder, `allowed-${name}`)
      await writeFile(allowed, `joe,jane cert-authority ${await signer.signerKey('user', undefined)}\n`)
      await run('ssh-keygen', ['-q', '-Y', 'sign', '-f', `${key}-cert.pub`, '-n', 'file', message])
      const verify = (principal: string) =>
        run('sh', [
          '-c',
          'ssh-keygen -Y verify -f "$1" -I "$2" -n file -s "$3.sig" < "$3"',
          'sh',
          allowed,
          principal,
          message,
        ])
      assert.match((await verify('joe')).stdout, /Good "file" signature for joe/)
      await assert.rejects(verify('jane'), name)
    }
  })
})

suite('what the signer refuses', () => {
  const refusal = (reason: RegExp) => (error: unknown) => {
    assert.ok(error instanceof ServiceError && error.code === 'bad-request', String(error))
    assert.match(error.message, reason)
    return true
  }

  test('public keys that are none, of another kind, or too short', async () => {
    const signer = await signerWith(await sshKey('ca-refuse', 'ed25519'))
    const good = (await readFile(`${await sshKey('good', 'ed25519')}.pub`, 'utf8')).trim()
    const [, base64 = ''] = good.split(' ')
    const withTail = Buffer.concat([Buffer.from(base64, 'base64'), Buffer.from([0])]).toString('base64')
    const short = await sshKey('short', 'rsa', 1024)
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /not in the form/],
      ['junk', /not in the form/],
      [`${good}\nssh-ed25519 AAAA`, /not in the form/],
      ['ssh-ed25519 AAAA', /ends too early/],
      [`ssh-ed25519 ${base64.slice(0, 40)}`, /ends too early/],
      [`ssh-rsa ${base64}`, /the type is not that of the line/],
      [`ssh-ed25519 ${withTail}`, /something behind/],
      ['ssh-dss AAAA', /type ssh-dss are not accepted/],
      ['sk-ssh-ed25519@openssh.com AAAA', /are not accepted/],
      ['x'.repeat(100_000), /not in the form/],
      [await readFile(`${short}.pub`, 'utf8'), /1024 bits is too short/],
    ]
    for (const [publicKey, reason] of cases) {
      await assert.rejects(signer.sign(request({ publicKey })), refusal(reason), publicKey.slice(0, 40))
    }
  })

  test('certificates for nobody, for the other kind, of another key, and with sources that are none', async () => {
    const signer = await signerWith(await sshKey('ca-refuse-2', 'ed25519'), 'user')
    const publicKey = await readFile(`${await sshKey('good-2', 'ed25519')}.pub`, 'utf8')
    const user = { certType: 'user', publicKey, principals: ['joe'] } as const
    const cases: readonly (readonly [Partial<SshSigningRequest>, RegExp])[] = [
      [{ ...user, principals: [] }, /must name principals/],
      [{ ...user, principals: ['joe', ''] }, /must name principals/],
      [{ ...user, certType: 'host' }, /for a host are not issued here/],
      [{ ...user, signerKeyId: 'other' }, /no SSH signing key other/],
      [{ ...user, sources: ['10.0.0.1,0.0.0.0/0'] }, /source is not an address/],
      [{ ...user, sources: ['10.0.0.0/33'] }, /source is not an address/],
      [{ ...user, sources: ['host'] }, /source is not an address/],
    ]
    for (const [members, reason] of cases) await assert.rejects(signer.sign(request(members)), refusal(reason))
  })
})

suite('files of the authority', () => {
  test('PEM is read, too', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const file = join(folder, 'ca.pem')
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const signer = await signerWith(file)
    const publicKey = await readFile(`${await sshKey('for-pem', 'ed25519')}.pub`, 'utf8')
    const { certificates } = await signer.sign(request({ publicKey }))
    assert.match(await describe(certificates[0]?.certificate ?? ''), /Signing CA: ECDSA/)
  })

  test('a file that cannot be used stops the start with its property, its name and the reason', async () => {
    const locked = join(folder, 'locked')
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', locked])
    const junk = join(folder, 'junk')
    await writeFile(junk, 'junk')
    const cases: readonly (readonly [string, RegExp])[] = [
      [join(folder, 'missing'), /ENOENT/],
      [junk, /no private key in PEM form/],
      [locked, /has a passphrase/],
    ]
    for (const [file, reason] of cases) {
      await assert.rejects(signerWith(file), (error: unknown) => {
        assert.ok(error instanceof ConfigError)
        assert.ok(error.message.includes(`ca: ${file}`), error.message)
        assert.match(error.message, reason)
        return true
      })
    }
  })
})
