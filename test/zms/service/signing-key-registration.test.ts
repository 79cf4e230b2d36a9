import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { createSigner } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { signingKeyProblem } from '#zms/service/signing-key-registration.ts'
import type { Domain } from '#zms/store/model.ts'

const signerOf = (keyId: string) => createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, keyId)
const signer = signerOf('Zms.East')
const registered = encodeYBase64(signer.publicKeyPem)

/** A store in which `sys.auth.zms` has these keys; the service does not exist without any. */
const storeWith = (publicKeys?: Readonly<Record<string, string>>) => ({
  domain: (name: string) => {
    assert.equal(name, 'sys.auth')
    const services = publicKeys ? [['zms', { publicKeys: new Map(Object.entries(publicKeys)) }] as const] : []
    return { services: new Map(services) } as unknown as Domain
  },
})

const ADVICE =
  ': ZTS and others who have it from nowhere else cannot verify them (zms-cli -d sys.auth add-public-key zms Zms.East FILE)'

describe('the registration of the key that ZMS signs with', () => {
  test('is as it should be', async () => {
    assert.equal(await signingKeyProblem(storeWith({ 'zms.east': registered, 1: 'other' }), signer), undefined)
  })

  test('is no matter before there is the service', async () => {
    assert.equal(await signingKeyProblem(storeWith(), signer), undefined)
    assert.equal(await signingKeyProblem({ domain: () => undefined }, signer), undefined)
  })

  test('is missing', async () => {
    assert.equal(
      await signingKeyProblem(storeWith({ 0: registered }), signer),
      `the key Zms.East, which domains are signed with, is not among the public keys of sys.auth.zms${ADVICE}`,
    )
  })

  for (const [what, key] of [
    ['another key', encodeYBase64(signerOf('zms.east').publicKeyPem)],
    ['no key at all', 'bm8ga2V5'],
  ] as const) {
    test(`is that of ${what}`, async () => {
      assert.equal(
        await signingKeyProblem(storeWith({ 'zms.east': key }), signer),
        `the key Zms.East, which domains are signed with, is another one than sys.auth.zms has under this id${ADVICE}`,
      )
    })
  }
})
