import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { createSecretBox } from '#core/crypto/secret-box.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { openCredentialsDecryption, ServiceKeyStore } from '#zts/service/service-key-store.ts'
import { newSigner } from '../../core/authority/support.ts'
import { domainsOf } from '../../support/zts-domains.ts'

const [zms, zts, registered] = [newSigner(), newSigner(), newSigner()]
const entry = (id: string) => ({ id, key: encodeYBase64(registered.publicKeyPem) })
const domains = domainsOf(
  {
    name: 'sys.auth',
    services: [
      { name: 'sys.auth.zms', publicKeys: [entry('0'), entry('1')] },
      { name: 'sys.auth.zts', publicKeys: [entry('0')] },
    ],
  },
  { name: 'sports', services: [{ name: 'sports.api', publicKeys: [entry('k1')] }] },
)
const serverKeys = () => ({
  zmsPublicKeys: new Map([['0', zms.publicKey]]),
  ztsPublicKeys: new Map([['EC.0', zts.publicKey]]),
})
const store = new ServiceKeyStore({ domains, serverKeys })

test('the keys of the servers are those of athenz.conf, then the registered ones', async () => {
  assert.equal(await store.publicKey('sys.auth', 'zms', '0'), zms.publicKey)
  assert.equal(await store.publicKey('SYS.AUTH', 'ZTS', 'ec.0'), zts.publicKey)
  assert.ok((await store.publicKey('sys.auth', 'zms', '1'))?.equals(registered.publicKey))
  assert.ok((await store.publicKey('sys.auth', 'zts', '0'))?.equals(registered.publicKey))
})

test('the keys of others are those registered, in any letter case', async () => {
  assert.ok((await store.publicKey('Sports', 'API', 'K1'))?.equals(registered.publicKey))
  assert.equal(await store.publicKey('sports', 'zms', '0'), undefined)
  assert.equal(await store.publicKey('sports', 'api', '0'), undefined)
  assert.equal(await store.publicKey('news', 'api', 'k1'), undefined)
})

const SECRET = 'a secret of more than 32 characters in all'
const settings = (name: string | undefined) =>
  ({
    zts: { svcCredsKeyName: name, svcCredsKeyGroup: 'group', svcCredsEncryptionAlgorithm: 'AES/GCM/NoPadding' },
  }) as unknown as ConfigOf['zts']

test('credentials of services are decrypted with the secret of the private key store', async () => {
  const creds = createSecretBox(SECRET, 'test').encrypt('s3cret')
  const withCreds = domainsOf({ name: 'sports', services: [{ name: 'sports.api', creds }, { name: 'sports.web' }] })
  const asked: unknown[] = []
  const decryptCredentials = await openCredentialsDecryption(settings('name'), {
    applicationSecret: async (...given) => {
      asked.push(given)
      return SECRET
    },
  })
  const keys = new ServiceKeyStore({ domains: withCreds, serverKeys, decryptCredentials })
  assert.deepEqual(asked, [['zts', 'group', 'name']])
  assert.equal(await keys.serviceSecret('Sports', 'API'), 's3cret')
  assert.equal(await keys.serviceSecret('sports', 'web'), undefined)
  assert.equal(await keys.serviceSecret('news', 'api'), undefined)
})

test('credentials are none where no secret is configured', async () => {
  const applicationSecret = async () => assert.fail('it is not asked for')
  assert.equal(await openCredentialsDecryption(settings(undefined), { applicationSecret }), undefined)
  const withCreds = domainsOf({ name: 'sports', services: [{ name: 'sports.api', creds: 'x' }] })
  assert.equal(await new ServiceKeyStore({ domains: withCreds, serverKeys }).serviceSecret('sports', 'api'), undefined)
})
