import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { readSshCertificate } from '#core/crypto/ssh-certificate-reader.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const keygen = (...args: string[]) => promisify(execFile)('ssh-keygen', ['-q', ...args])

describe('an SSH certificate', () => {
  const folder = temporaryFolder()
  const at = (name: string) => join(folder, name)
  before(() => keygen('-t', 'ed25519', '-N', '', '-f', at('ca')))

  /** A certificate as ssh-keygen makes it, and the key that it is for. */
  async function certified(name: string, key: readonly string[], certificate: readonly string[]) {
    await keygen(...key, '-N', '', '-C', '', '-f', at(name))
    await keygen('-s', at('ca'), ...certificate, at(`${name}.pub`))
    const line = readFileSync(at(`${name}-cert.pub`), 'utf8')
    return { line, publicKey: readFileSync(at(`${name}.pub`), 'utf8').trim(), facts: readSshCertificate(line) }
  }

  for (const [kind, key] of [
    ['ed25519', ['-t', 'ed25519']],
    ['p256', ['-t', 'ecdsa', '-b', '256']],
    ['p521', ['-t', 'ecdsa', '-b', '521']],
    ['rsa', ['-t', 'rsa', '-b', '2048']],
  ] as const) {
    test(`of ssh-keygen for a key of kind ${kind} is read`, async () => {
      const validity = ['-V', '20260101000000Z:20270101000000Z']
      const { facts, publicKey } = await certified(kind, key, [
        '-h',
        '-I',
        'id 1',
        '-n',
        'a.example.com,10.0.0.1',
        ...validity,
      ])
      assert.deepEqual(facts, {
        publicKey,
        certType: 'host',
        keyId: 'id 1',
        principals: ['a.example.com', '10.0.0.1'],
        validAfter: Date.parse('2026-01-01') / 1000,
        validBefore: Date.parse('2027-01-01') / 1000,
      })
    })
  }

  test('may be for a user, with options and without an end', async () => {
    const options = ['-O', 'force-command=ls', '-O', 'source-address=10.0.0.0/8']
    const { facts } = await certified('user', ['-t', 'ed25519'], ['-I', 'joe', '-n', 'joe', ...options])
    assert.deepEqual([facts.certType, facts.validAfter, facts.validBefore], ['user', 0, Number.POSITIVE_INFINITY])
  })

  test('is none when it is something else, torn, or another kind than it says', async () => {
    const { line, publicKey } = await certified('torn', ['-t', 'ed25519'], ['-h', '-I', 'x', '-n', 'x'])
    const [type = '', base64 = ''] = line.split(' ')
    const bytes = Buffer.from(base64, 'base64')
    const shorter = bytes.subarray(0, -3).toString('base64')
    const longer = Buffer.concat([bytes, Buffer.from('x')]).toString('base64')
    for (const [text, reason] of [
      ['', /no SSH certificate/],
      [publicKey, /no SSH certificate/],
      [`${type} ${shorter}`, /ends too early/],
      [`${type} ${longer}`, /something behind it/],
      [line.replace('ed25519', 'rsa'), /kind is not that of the line/],
      [line.replace('ssh-ed25519', 'sk-ssh-ed25519@openssh.com'), /no SSH certificate/],
      [`${line}\n${line}`, /no SSH certificate/],
    ] as const) {
      assert.throws(() => readSshCertificate(text), { name: 'RangeError', message: reason }, text.slice(0, 40))
    }
  })
})
