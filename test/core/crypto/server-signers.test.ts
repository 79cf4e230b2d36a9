import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import type { PrivateKeyStore, ServerPrivateKey } from '#core/crypto/private-key-store.ts'
import { loadServerSigners } from '#core/crypto/server-signers.ts'

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

interface Keys {
  ec?: ServerPrivateKey
  rsa?: ServerPrivateKey
  generic?: ServerPrivateKey
}

const load = (keys: Keys) => {
  const store: PrivateKeyStore = {
    privateKey: async (_service, _host, _region, algorithm) => keys[algorithm ?? 'generic'],
    applicationSecret: async () => '',
  }
  return loadServerSigners(store, 'zts', 'zts.example.com', 'west')
}

const ids = (signers: readonly { keyId: string }[]) => signers.map(({ keyId }) => keyId)

const rejects = (keys: Keys, problem: RegExp) =>
  assert.rejects(load(keys), (error) => error instanceof ConfigError && problem.test(error.message))

describe('loadServerSigners', () => {
  const both = { ec: { key: EC, keyId: 'ec0' }, rsa: { key: RSA, keyId: '0' } }

  it('prefers the EC key of two unless RSA is wanted, and publishes both', async () => {
    const signers = await load(both)
    assert.deepEqual(ids([signers.preferred(), signers.preferred('EC'), signers.preferred('RSA')]), ['ec0', 'ec0', '0'])
    assert.deepEqual(ids(signers.all), ['ec0', '0'])
  })

  it('takes the one there is, whatever is wanted', async () => {
    for (const keys of [{ ec: both.ec }, { rsa: both.rsa }, { generic: both.rsa }, { generic: both.ec }]) {
      const signers = await load(keys)
      const [id] = ids(signers.all)
      assert.deepEqual(ids([signers.preferred('EC'), signers.preferred('RSA'), ...signers.all]), [id, id, id])
    }
  })

  it('does not ask for the generic key when there is another', async () => {
    const keys = {
      ...both,
      get generic() {
        return assert.fail('asked for')
      },
    }
    assert.deepEqual(ids((await load(keys)).all), ['ec0', '0'])
  })

  it('refuses two keys with one id', () =>
    rejects({ ...both, ec: { key: EC, keyId: '0' } }, /^zts: .*have the same id "0"/))

  it('refuses to go without a key', () => rejects({}, /^zts: no private key/))

  it('passes on why a configured key cannot be used', async () => {
    await assert.rejects(
      load({
        ...both,
        get ec() {
          return assert.fail('unreadable')
        },
      }),
      /unreadable/,
    )
  })
})
