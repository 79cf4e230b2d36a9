import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { openCredentialsBox, openPrivateKeyStore } from '#core/crypto/open-private-key-store.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const SECRET = 'a secret of more than 32 characters in all'

/** A store with one secret, which notes what it was asked for. */
const storeOf = (secret: string, asked: unknown[] = []): PrivateKeyStore => ({
  privateKey: () => Promise.resolve(undefined),
  applicationSecret: (...given) => {
    asked.push(given)
    return Promise.resolve(secret)
  },
})

const setting = {
  svcCredsKeyGroup: 'group',
  svcCredsKeyName: 'name',
  svcCredsEncryptionAlgorithm: 'AES/GCM/NoPadding',
}

describe('what encrypts credentials of services', () => {
  test('has the secret of the private key store', async () => {
    const asked: unknown[] = []
    const box = await openCredentialsBox('zts', setting, storeOf(SECRET, asked))
    assert.deepEqual(asked, [['zts', 'group', 'name']])
    assert.equal(box?.decrypt(box.encrypt('s3cret')), 's3cret')
  })

  test('is none where no secret is configured', async () => {
    const asked: unknown[] = []
    const none = { ...setting, svcCredsKeyName: undefined }
    assert.equal(await openCredentialsBox('zms', none, storeOf(SECRET, asked)), undefined)
    assert.deepEqual(asked, [])
  })

  test('is refused with a secret that is too short, by the name of its property', async () => {
    await assert.rejects(openCredentialsBox('zms', setting, storeOf('short')), /athenz\.zms\.svc_creds_key_name: /)
  })
})

describe('the private key store', () => {
  const selected = (className: string) =>
    openPrivateKeyStore(
      { properties: { get: () => undefined } },
      { property: 'athenz.zts.private_key_store_factory_class', className, rootDir: '/nonexistent' },
    )

  test('is that of files by the class name of the original', async () => {
    const store = await selected('com.yahoo.athenz.auth.impl.FilePrivateKeyStoreFactory')
    assert.equal(typeof store.privateKey, 'function')
  })

  for (const [className, problem] of [
    ['athenz.ts.VaultPrivateKeyStore', 'athenz.ts.vault_address is not set'],
    [
      'io.athenz.server.aws.common.key.impl.ParameterStorePrivateKeyStoreFactory',
      'athenz.zts.private_key_store_factory_class: the AWS library is not installed (npm install @aws-sdk/client-ssm@3)',
    ],
    [
      'io.athenz.server.aws.common.key.impl.S3PrivateKeyStoreFactory',
      'athenz.zts.private_key_store_factory_class: the AWS library is not installed (npm install @aws-sdk/client-s3@3)',
    ],
    [
      'athenz.ts.SecretsManagerPrivateKeyStore',
      'athenz.zts.private_key_store_factory_class: the AWS library is not installed (npm install @aws-sdk/client-secrets-manager@3)',
    ],
  ] as const) {
    test(`is ${className}, which says what it needs`, async () => {
      const opened = await selected(className).then(
        () => undefined,
        (error: unknown) => error,
      )
      // Where the library is installed, it opens.
      if (opened === undefined && className !== 'athenz.ts.VaultPrivateKeyStore') return
      assert.ok(opened instanceof ConfigError, String(opened))
      assert.equal(opened.message, problem)
    })
  }

  test('may be a module of the operator, which is given the properties', async () => {
    const file = join(temporaryFolder(), 'store.mjs')
    writeFileSync(
      file,
      `export default class {
        constructor({ property, rootDirectory, log }) { Object.assign(this, { property, rootDirectory, log }) }
        async privateKey() {}
        async applicationSecret(app, group, name) {
          this.log('info', 'asked')
          return [this.property('site.prefix'), this.rootDirectory, name].join(' ')
        }
      }`,
    )
    const lines: string[] = []
    const store = await openPrivateKeyStore(
      { properties: { get: (key) => (key === 'site.prefix' ? 'site' : undefined) } },
      { property: 'p', className: file, rootDir: '/root-dir', log: (_level, message) => lines.push(message) },
    )
    assert.equal(await store.applicationSecret('app', 'group', 'name'), 'site /root-dir name')
    assert.deepEqual(lines, ['asked'])
  })

  test('is refused when nobody knows it, by the name of its property', async () => {
    await assert.rejects(selected('com.example.KeyStore'), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /athenz\.zts\.private_key_store_factory_class: "com\.example\.KeyStore"/)
      return true
    })
  })
})
