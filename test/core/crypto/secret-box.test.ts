import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { createSecretBox } from '#core/crypto/secret-box.ts'
import { ServiceError } from '#core/error/service-error.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const box = createSecretBox(SECRET, 'athenz.zms.svc_creds_key_name')

const refuses = (encrypted: string, detail: RegExp) =>
  assert.throws(
    () => box.decrypt(encrypted),
    (error) => {
      assert.ok(error instanceof ServiceError)
      assert.equal(error.status, 500)
      assert.equal(error.message, 'stored credentials cannot be decrypted')
      assert.match(error.detail ?? '', detail)
      return true
    },
  )

const isNotMade = (make: () => unknown, problem: RegExp) =>
  assert.throws(make, (error) => error instanceof ConfigError && problem.test(error.message))

describe('a secret box', () => {
  it('reads what Java wrote with AES/GCM/NoPadding, a 16-byte IV in front', () => {
    const written = 'AAECAwQFBgcICQoLDA0OD7aQXSMp6gCmXtRNxwSamTCMJsNZ0RyWu/j+nBsfYlGpqLUE/5Qvuf7Sh3K1yqM='
    assert.equal(box.decrypt(written), "a service's credentials, grün")
  })

  it('gives back what it took, writing it differently each time', () => {
    for (const text of ['', 'x'.repeat(64), 'ключ 🔑']) {
      assert.equal(box.decrypt(box.encrypt(text)), text)
      assert.notEqual(box.encrypt(text), box.encrypt(text))
    }
  })

  it('refuses a value with any byte changed', () => {
    const bytes = Buffer.from(box.encrypt('some credentials'), 'base64')
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(bytes.readUInt8(index) ^ 1, index)
      refuses(changed.toString('base64'), /altered/)
    }
  })

  it('refuses a value cut short, an empty one and plain text', () => {
    const bytes = Buffer.from(box.encrypt('some credentials'), 'base64')
    refuses(bytes.subarray(0, -1).toString('base64'), /altered/)
    refuses(bytes.subarray(0, 31).toString('base64'), /shorter/)
    refuses('', /shorter/)
    refuses('credentials that were never encrypted and are long', /altered/)
  })

  it('refuses a value of another secret', () => {
    const other = createSecretBox(`${SECRET}!`, 'p')
    refuses(other.encrypt('some credentials'), /another secret/)
  })

  it('is not made with a short secret or another algorithm', () => {
    isNotMade(() => createSecretBox(SECRET.slice(1), 'a.key'), /^a\.key: the secret has 31 characters, fewer than 32$/)
    isNotMade(() => createSecretBox(SECRET, 'a.key', 'AES/CBC/PKCS5Padding'), /^a\.key: the algorithm "AES\/CBC/)
  })
})
