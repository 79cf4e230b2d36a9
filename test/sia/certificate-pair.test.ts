import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { removeDurably, writeAtomically } from '#sia/atomic-file.ts'
import { CertificatePair } from '#sia/certificate-pair.ts'
import { TestCa } from '../core/authority/support.ts'
import { clientCertificate } from '../core/http/support.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ca = await TestCa.create()

async function newPair(name = 'sports.api') {
  const { key, cert } = await clientCertificate(ca, name)
  return { key, certificate: cert }
}

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

describe('a file', () => {
  test('is replaced as a whole, with the rights that are wanted', async () => {
    const path = join(temporaryFolder(), 'a', 'b')
    await writeAtomically(path, 'one', { mode: 0o400 })
    assert.deepEqual([await readFile(path, 'utf8'), await modeOf(path)], ['one', '400'])
    await writeAtomically(path, 'two', { mode: 0o444 })
    assert.deepEqual([await readFile(path, 'utf8'), await modeOf(path)], ['two', '444'])
    assert.deepEqual(await readdir(dirname(path)), ['b'])
    await removeDurably(path)
    assert.deepEqual(await readdir(dirname(path)), [])
  })

  test('that cannot be replaced stays, and nothing is left beside it', async () => {
    const folder = temporaryFolder()
    await mkdir(join(folder, 'taken', 'inside'), { recursive: true })
    await assert.rejects(writeAtomically(join(folder, 'taken'), 'x', { mode: 0o400 }), { code: /EISDIR|ENOTEMPTY/ })
    assert.deepEqual(await readdir(folder), ['taken'])
  })
})

describe('a pair', () => {
  test('is a key for its owner and a certificate for everybody', async () => {
    const pair = new CertificatePair(temporaryFolder(), 'sports.api')
    assert.equal(await pair.read(), undefined)
    const { key, certificate } = await newPair()
    await pair.install({ key, certificate })
    const stored = await pair.read()
    assert.deepEqual([stored?.key, stored?.certificate], [key, certificate])
    assert.deepEqual([await modeOf(pair.keyFile), await modeOf(pair.certificateFile)], ['400', '444'])
    assert.deepEqual(await readdir(dirname(pair.keyFile)), ['sports.api.key.pem'])
    await pair.install(await newPair())
    assert.notEqual((await pair.read())?.key, key)
  })

  test('is given to a group', async () => {
    const gid = process.getgid?.() ?? 0
    const pair = new CertificatePair(temporaryFolder(), 'sports.api', { gid })
    await pair.install(await newPair())
    assert.deepEqual([await modeOf(pair.keyFile), (await stat(pair.keyFile)).gid], ['440', gid])
  })

  test('of which the halves do not belong together is not installed, and is not there', async () => {
    const pair = new CertificatePair(temporaryFolder(), 'sports.api')
    const [one, other] = [await newPair(), await newPair()]
    await assert.rejects(pair.install({ key: one.key, certificate: other.certificate }), /does not belong/)
    await pair.install(one)
    await chmod(pair.certificateFile, 0o600)
    await writeFile(pair.certificateFile, other.certificate)
    assert.equal(await pair.read(), undefined)
    await writeFile(pair.certificateFile, 'damaged')
    assert.equal(await pair.read(), undefined)
  })

  for (const crashAfter of ['the draft', 'the key'] as const) {
    test(`is completed after a crash after ${crashAfter} was written`, async () => {
      const folder = temporaryFolder()
      const pair = new CertificatePair(folder, 'sports.api')
      await pair.install(await newPair())
      const next = await newPair()
      const draft = join(folder, 'keys', '.sports.api.draft.pem')
      await writeFile(draft, next.key + next.certificate)
      if (crashAfter === 'the key') await writeAtomically(pair.keyFile, next.key, { mode: 0o400 })
      const stored = await pair.read()
      assert.deepEqual([stored?.key, stored?.certificate], [next.key, next.certificate])
      assert.deepEqual([await modeOf(pair.keyFile), await modeOf(pair.certificateFile)], ['400', '444'])
      assert.deepEqual(await readdir(dirname(draft)), ['sports.api.key.pem'])
    })
  }

  test('stays when a draft is damaged', async () => {
    const folder = temporaryFolder()
    const pair = new CertificatePair(folder, 'sports.api')
    const present = await newPair()
    await pair.install(present)
    await writeFile(join(folder, 'keys', '.sports.api.draft.pem'), (await newPair()).key)
    assert.equal((await pair.read())?.key, present.key)
  })
})
