import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerSigners } from '#core/crypto/server-signers.ts'
import { RotatingSigners } from '#zts/service/rotating-signers.ts'
import { tokenSigners } from '#zts/service/token-signers.ts'

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const preferences = {
  keyAlgoJsonWebObjects: 'EC',
  keyAlgoProprietaryObjects: 'EC',
  keyAlgoPlugins: 'EC',
  keyAlgoInstanceProviders: 'EC',
} as const

/** Signers over one EC key that a test exchanges. */
async function rotation() {
  const first = newKey()
  const state = { keyId: 'ec1', key: first.privateKey as KeyObject | Error }
  const published = new Map<string, KeyObject>([['ec1', first.publicKey]])
  const lines: string[] = []
  const signers = await RotatingSigners.open({
    load: () =>
      loadServerSigners(
        {
          privateKey: async (_service, _host, _region, algorithm) => {
            if (state.key instanceof Error) throw state.key
            return algorithm === 'ec' ? { key: state.key, keyId: state.keyId } : undefined
          },
          applicationSecret: async () => '',
        },
        'zts',
        'host',
      ),
    byPurpose: (loaded) => tokenSigners(loaded, { zts: preferences as never }),
    log: (level, message) => void lines.push(`${level}: ${message}`),
  })
  const refresh = () => signers.refresh((keyId) => published.get(keyId))
  return { state, published, lines, signers, refresh }
}

describe('signing keys that are exchanged while the server runs', () => {
  it('sign under the new id for every purpose once verifiers can know them', async () => {
    const { state, published, lines, signers, refresh } = await rotation()
    const next = newKey()
    Object.assign(state, { keyId: 'ec2', key: next.privateKey })
    published.set('ec2', next.publicKey)
    await refresh()
    const { proprietaryObjects, plugIns, instanceProviders, all } = signers
    const used = [signers.jsonWebObjects(), proprietaryObjects, plugIns, instanceProviders, ...all]
    assert.deepEqual(new Set(used.map(({ keyId }) => keyId)), new Set(['ec2']))
    assert.deepEqual(lines, ['info: signing keys: "ec2" (P-256)'])
  })

  it('wait until they are published, and that is said once', async () => {
    const { state, published, lines, signers, refresh } = await rotation()
    const next = newKey()
    Object.assign(state, { keyId: 'ec2', key: next.privateKey })
    await refresh()
    published.set('ec2', newKey().publicKey)
    await refresh()
    assert.equal(signers.proprietaryObjects.keyId, 'ec1')
    assert.equal(lines.length, 1)
    assert.match(lines[0] as string, /^warn: .*verifiers do not know the key "ec2" yet/)
    published.set('ec2', next.publicKey)
    await refresh()
    assert.equal(signers.proprietaryObjects.keyId, 'ec2')
  })

  it('are refused under the id of the key in use, whatever its letter case', async () => {
    const { state, published, lines, signers, refresh } = await rotation()
    const next = newKey()
    published.set('EC1', next.publicKey)
    Object.assign(state, { keyId: 'EC1', key: next.privateKey })
    const before = signers.proprietaryObjects
    await refresh()
    assert.equal(signers.proprietaryObjects, before)
    assert.match(lines.join(), /another key has the id "EC1" of the key in use/)
  })

  it('stay as they are while the configured ones cannot be read', async () => {
    const { state, lines, signers, refresh } = await rotation()
    const before = signers.proprietaryObjects
    state.key = new ConfigError(['the private key ec.pem cannot be read: no such file'])
    await refresh()
    await refresh()
    assert.equal(signers.proprietaryObjects, before)
    assert.deepEqual(lines, [
      'warn: signing keys not exchanged, those in use stay: the private key ec.pem cannot be read: no such file',
    ])
  })

  it('are the same objects when nothing has changed, so that what was prepared for them stays', async () => {
    const { signers, lines, refresh } = await rotation()
    const before = signers.proprietaryObjects
    await refresh()
    assert.equal(signers.proprietaryObjects, before)
    assert.deepEqual(lines, [])
  })
})
