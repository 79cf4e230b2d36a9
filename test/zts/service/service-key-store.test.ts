import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { ServiceKeyStore } from '#zts/service/service-key-store.ts'
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

test('credentials of services are decrypted where that is supported', async () => {
  const services = [{ name: 'sports.api', creds: 'terces' }, { name: 'sports.web' }]
  const withCreds = domainsOf({ name: 'sports', services })
  const decryptCredentials = (creds: string) => creds.split('').toReversed().join('')
  const keys = new ServiceKeyStore({ domains: withCreds, serverKeys, decryptCredentials })
  assert.equal(await keys.serviceSecret('Sports', 'API'), 'secret')
  assert.equal(await keys.serviceSecret('sports', 'web'), undefined)
  assert.equal(await keys.serviceSecret('news', 'api'), undefined)
  assert.equal(await new ServiceKeyStore({ domains: withCreds, serverKeys }).serviceSecret('sports', 'api'), undefined)
})
