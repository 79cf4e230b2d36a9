import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { certificateFiles, certificateIdentity, keyPairIdentity, tokenIdentity, ZtsClient } from '#client/index.ts'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { validatePrincipalToken } from '#core/token/validate-principal-token.ts'
import { TestCa } from '../core/authority/support.ts'
import { clientCertificate } from '../core/http/support.ts'
import { failedWith } from '../support/client-failure.ts'
import { jsonAnswer, startFakeService } from '../support/fake-service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startTlsService } from './tls-service.ts'

const KEYS = {
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EC: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}

describe('a key pair', () => {
  for (const [kind, { privateKey, publicKey }] of Object.entries(KEYS)) {
    test(`of ${kind} signs tokens that servers accept`, async () => {
      const now = 1_800_000_000_000
      const identity = keyPairIdentity({
        domain: 'sports',
        service: 'api',
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
        keyId: 'v1',
        tokenLifeSeconds: 600,
        clock: () => now,
      })
      assert.equal(identity.name, 'sports.api')
      const { 'athenz-principal-auth': token = '' } = (await identity.headers?.()) ?? {}
      const outcome = await validatePrincipalToken(token, {
        userDomain: 'user',
        nowSeconds: now / 1000,
        maxExpirySeconds: 3600,
        allowedOffsetSeconds: 0,
        publicKey: async (...reference) => (reference.join() === 'sports,api,v1' ? publicKey : undefined),
      })
      assert.ok(outcome.ok, JSON.stringify(outcome))
      const { version, keyId, issueTimeSeconds, expiryTimeSeconds } = outcome.token
      assert.deepEqual([version, keyId, expiryTimeSeconds - issueTimeSeconds], ['S1', 'v1', 600])
    })
  }

  test('uses a token for half of its life, and makes a new one when the server refuses it', async () => {
    let now = 1_800_000_000_000
    const service = await startFakeService(jsonAnswer({ code: 401, message: 'who?' }, 401))
    const identity = keyPairIdentity({
      domain: 'sports',
      service: 'api',
      privateKey: KEYS.EC.privateKey,
      keyId: '0',
      clock: () => now,
    })
    const first = await identity.token()
    now += 1799_000
    assert.equal(await identity.token(), first)
    await using zts = new ZtsClient({ url: service.url, identity })
    await assert.rejects(zts.call('getJWKList'), failedWith({ status: 401, message: 'who?' }))
    assert.equal(service.seen[0]?.headers['athenz-principal-auth'], first)
    assert.notEqual(await identity.token(), first)
  })

  test('that tokens cannot be signed with is refused', () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    for (const key of [privateKey, publicKeyPem(KEYS.EC.publicKey), 'nothing']) {
      const options = { domain: 'sports', service: 'api', keyId: '0', privateKey: key }
      assert.throws(() => keyPairIdentity(options), failedWith({ kind: 'invalid-request' }))
    }
  })
})

describe('a token', () => {
  test('is sent as it is, and names its owner when it is a principal token', async () => {
    const signing = keyPairIdentity({ domain: 'sports', service: 'api', privateKey: KEYS.EC.privateKey, keyId: '0' })
    const token = await signing.token()
    assert.ok(parsePrincipalToken(token).ok)
    assert.equal(tokenIdentity(token).name, 'sports.api')
    assert.equal(tokenIdentity('Bearer x', { header: 'Authorization' }).name, undefined)
    assert.deepEqual(await tokenIdentity(async () => 'Bearer x', { header: 'Authorization' }).headers?.(), {
      authorization: 'Bearer x',
    })
  })

  test('that cannot be had ends the call', async () => {
    const service = await startFakeService(jsonAnswer({}))
    const identity = tokenIdentity(() => {
      throw new Error('no agent')
    })
    await using zts = new ZtsClient({ url: service.url, identity })
    const expected = { kind: 'invalid-request', message: 'no credentials: no agent' }
    await assert.rejects(zts.call('getJWKList'), failedWith(expected))
    assert.equal(service.seen.length, 0)
  })
})

describe('a certificate', () => {
  test('is what connections are made with', async () => {
    const authority = await TestCa.create()
    const service = await startTlsService(authority)
    const { cert, key } = await clientCertificate(authority, 'sports.api')
    const identity = certificateIdentity({ cert, key, ca: [authority.cert] })
    assert.equal(identity.name, 'sports.api')
    await using zts = new ZtsClient({ url: service.url, identity })
    await zts.call('getJWKList')
    assert.deepEqual(service.callers, ['sports.api'])
  })

  test('of a server that nobody vouches for is not accepted', async () => {
    const service = await startTlsService(await TestCa.create())
    const other = await TestCa.create()
    await using zts = new ZtsClient({ url: service.url, ca: other.cert })
    await assert.rejects(zts.call('getJWKList'), failedWith({ kind: 'untrusted', code: 400 }))
  })

  test('of a server is accepted by authorities in a file, and by others when it changes', async () => {
    const [first, second] = [await TestCa.create(), await TestCa.create()]
    const [service, later] = [await startTlsService(first), await startTlsService(second)]
    const caFile = join(temporaryFolder(), 'ca.pem')
    await writeFile(caFile, first.cert)
    let now = 0
    await using zts = new ZtsClient({ url: service.url, caFile, seams: { clock: () => now } })
    await zts.call('getJWKList')
    await writeFile(caFile, 'damaged')
    now += 3_600_000
    await zts.call('getJWKList')
    await using both = new ZtsClient({ url: later.url, caFile, seams: { clock: () => now } })
    await assert.rejects(both.call('getJWKList'), failedWith({ kind: 'invalid-request' }))
    await writeFile(caFile, first.cert)
    await assert.rejects(both.call('getJWKList'), failedWith({ kind: 'untrusted' }))
    await writeFile(caFile, first.cert + second.cert)
    now += 3_600_000
    await both.call('getJWKList')
  })
})

describe('certificate files', () => {
  const written = async (folder: string, { cert, key }: { cert: string; key: string }) => {
    await writeFile(join(folder, 'key.new'), key)
    await rename(join(folder, 'key.new'), join(folder, 'key.pem'))
    await writeFile(join(folder, 'cert.pem'), cert)
  }
  const paths = (folder: string) => ({ key: join(folder, 'key.pem'), certificate: join(folder, 'cert.pem') })

  test('that change give new connections a new certificate', async () => {
    const authority = await TestCa.create()
    const service = await startTlsService(authority)
    const folder = temporaryFolder()
    await written(folder, await clientCertificate(authority, 'sports.old'))
    await writeFile(join(folder, 'ca.pem'), authority.cert)
    const identity = await certificateFiles({ ...paths(folder), ca: join(folder, 'ca.pem') })
    let changes = 0
    const unsubscribe = identity.onChange(() => void changes++)
    await using zts = new ZtsClient({ url: service.url, identity })
    await zts.call('getJWKList')
    await written(folder, await clientCertificate(authority, 'sports.new'))
    assert.equal(await identity.check(), true)
    assert.equal(identity.name, 'sports.new')
    await zts.call('getJWKList')
    await zts.call('getJWKList')
    assert.deepEqual(service.callers, ['sports.old', 'sports.new', 'sports.new'])
    assert.equal(changes, 1)
    unsubscribe()
    identity.close()
  })

  test('that do not belong together leave the former ones in use', async () => {
    const authority = await TestCa.create()
    const folder = temporaryFolder()
    await written(folder, await clientCertificate(authority, 'sports.old'))
    const errors: unknown[] = []
    const identity = await certificateFiles({ ...paths(folder), onError: (error) => errors.push(error) })
    const former = identity.tls()
    const { key, cert } = await clientCertificate(authority, 'sports.new')
    await writeFile(join(folder, 'key.pem'), key)
    assert.deepEqual([await identity.check(), await identity.check()], [false, false])
    assert.equal(identity.tls(), former)
    assert.equal(errors.length, 1)
    await writeFile(join(folder, 'cert.pem'), cert)
    assert.equal(await identity.check(), true)
    assert.equal(identity.name, 'sports.new')
    identity.close()
  })

  test('that are missing are named', async () => {
    const key = join(temporaryFolder(), 'absent.pem')
    await assert.rejects(certificateFiles({ key }), (error: Error) => {
      failedWith({ kind: 'invalid-request' })(error)
      assert.ok(error.message.includes(key))
      return true
    })
  })
})
