import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { FilePrivateKeyStore } from '#core/crypto/file-private-key-store.ts'

const PREFIX = 'athenz.auth.private_key_store.'
const root = mkdtempSync(join(tmpdir(), 'athenz-keys-'))
after(() => rmSync(root, { recursive: true }))

const write = (name: string, key: KeyObject) => {
  const path = join(root, name)
  writeFileSync(path, key.export({ type: 'pkcs8', format: 'pem' }))
  return path
}
const rsaPath = write('rsa.pem', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
const ecPath = write('ec.pem', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const weakPath = write('weak.pem', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)
for (const service of ['zms', 'zts']) mkdirSync(join(root, `var/${service}_server/keys`), { recursive: true })
write('var/zms_server/keys/zms_private.pem', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)

const storeOf = (properties: Record<string, string> = {}) => {
  const values = new Map(Object.entries(properties))
  return new FilePrivateKeyStore((name) => values.get(name), root)
}

const configured = (property: string, path: string, algorithm?: 'ec' | 'rsa') =>
  storeOf({ [`${PREFIX}${property}`]: path }).privateKey('zms', 'host', undefined, algorithm)

const rejects = (promise: Promise<unknown>, problem: RegExp) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, problem)
    return true
  })

describe('FilePrivateKeyStore', () => {
  it('finds the generic key at its default path, under id 0', async () => {
    const found = await storeOf().privateKey('zms', 'host')
    assert.equal(found?.keyId, '0')
    assert.equal(found?.key.asymmetricKeyType, 'rsa')
  })

  it('reads path and id of each key from its properties', async () => {
    const store = storeOf({
      [`${PREFIX}private_key`]: ecPath,
      [`${PREFIX}private_key_id`]: 'g1',
      [`${PREFIX}private_ec_key`]: 'ec.pem',
      [`${PREFIX}private_ec_key_id`]: 'e1',
      [`${PREFIX}private_rsa_key`]: ` ${rsaPath} `,
      [`${PREFIX}private_rsa_key_id`]: 'r1',
    })
    const kindAndId = async (algorithm?: 'ec' | 'rsa') => {
      const found = await store.privateKey('zts', 'host', 'region', algorithm)
      return [found?.key.asymmetricKeyType, found?.keyId]
    }
    assert.deepEqual(await kindAndId(), ['ec', 'g1'])
    assert.deepEqual(await kindAndId('ec'), ['ec', 'e1'])
    assert.deepEqual(await kindAndId('rsa'), ['rsa', 'r1'])
  })

  it('has no key of an algorithm unless one is configured', async () => {
    assert.equal(await storeOf().privateKey('zms', 'host', undefined, 'ec'), undefined)
    assert.equal(
      await storeOf({ [`${PREFIX}private_rsa_key`]: '' }).privateKey('zms', 'host', undefined, 'rsa'),
      undefined,
    )
  })

  it('says for a missing file which property, which path, and the command that works', async () => {
    const path = join(root, 'var/zts_server/keys/zts_private.pem')
    await rejects(
      storeOf().privateKey('zts', 'host'),
      new RegExp(
        `^athenz\\.auth\\.private_key_store\\.private_key: the private key ${path} cannot be read: no such file \\(make one with: openssl genrsa -out ${path} 2048\\)$`,
      ),
    )
    execFileSync('openssl', ['genrsa', '-out', path, '2048'], { stdio: 'ignore' })
    assert.equal((await storeOf().privateKey('zts', 'host'))?.key.asymmetricKeyType, 'rsa')
    rmSync(path)

    const ecStore = storeOf({ [`${PREFIX}private_ec_key`]: 'new-ec.pem' })
    const failure = await ecStore.privateKey('zts', 'host', undefined, 'ec').catch((error: unknown) => error)
    assert.ok(failure instanceof ConfigError)
    const command = /make one with: openssl (.*)\)$/.exec(failure.message)?.[1] ?? ''
    execFileSync('openssl', command.split(' '), { stdio: 'ignore' })
    assert.equal((await ecStore.privateKey('zts', 'host', undefined, 'ec'))?.key.asymmetricKeyType, 'ec')
  })

  it('refuses a key that cannot be used, with property, path and reason', async () => {
    writeFileSync(join(root, 'garbage.pem'), 'garbage')
    await rejects(
      configured('private_key', 'garbage.pem'),
      /private_key: .*garbage\.pem cannot be used: no private key in PEM form/,
    )
    await rejects(configured('private_key', weakPath), /weak\.pem cannot be used: .*1024 bits is too short/)
    await rejects(configured('private_ec_key', rsaPath, 'ec'), /private_ec_key: .*a key of kind RSA is not the EC key/)
    await rejects(
      configured('private_rsa_key', ecPath, 'rsa'),
      /private_rsa_key: .*a key of kind P-256 is not the RSA key/,
    )
    await rejects(
      configured('private_key', root),
      /private_key: .*cannot be read: EISDIR \(give the user of the server the right to read the file\)$/,
    )
  })

  it('takes the name of a secret for the secret itself', async () => {
    assert.equal(await storeOf().applicationSecret('app', 'group', 'changeit'), 'changeit')
    assert.equal(await storeOf().applicationSecret(undefined, undefined, ''), '')
  })

  it('reads a secret from a file, without its last line end', async () => {
    writeFileSync(join(root, 'secret'), 'pass word\n')
    writeFileSync(join(root, 'secret-crlf'), 'pass\nword\r\n')
    assert.equal(await storeOf().applicationSecret(undefined, undefined, 'file:secret'), 'pass word')
    assert.equal(await storeOf().applicationSecret(undefined, undefined, `file:${root}/secret-crlf`), 'pass\nword')
    await rejects(storeOf().applicationSecret(undefined, undefined, 'file:none'), /secret file:none: .*no such file/)
  })
})
