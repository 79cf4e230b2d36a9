import assert from 'node:assert/strict'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { TlsMaterial } from '#core/http/tls-material.ts'
import { TlsSource } from '#core/http/tls-source.ts'
import { openLogger } from '#core/log/logger.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { TestCa } from '../authority/support.ts'
import { serverCertificate, type TestPki, testPki } from './support.ts'

/** A source that is looked at only when the test says so, and the lines it logs. */
async function openSource(pki: TestPki, intervalMillis = 3_600_000) {
  const lines: string[] = []
  const log = openLogger({ sink: { write: (line) => lines.push(line) } })
  const source = await TlsSource.open(pki.files, { log, intervalMillis })
  const messages = () => lines.map((line) => JSON.parse(line).msg as string)
  return { source, lines, messages, [Symbol.dispose]: () => source.close() }
}

const keyFile = ({ files }: TestPki): string => files.key.file
const certificateFile = ({ files }: TestPki): string => files.certificate?.file ?? ''

describe('a TLS source', () => {
  test('reads nothing again while no file changes', async () => {
    const pki = await testPki(temporaryFolder())
    using opened = await openSource(pki)
    assert.deepEqual([await opened.source.check(), opened.messages()], [false, []])
  })

  test('hands new material to whoever listens', async () => {
    const pki = await testPki(temporaryFolder())
    using opened = await openSource(pki)
    const seen: TlsMaterial[] = []
    opened.source.onChange((material) => seen.push(material))
    const next = await serverCertificate(pki.ca)
    writeFileSync(keyFile(pki), next.key)
    writeFileSync(certificateFile(pki), next.cert)
    assert.equal(await opened.source.check(), true)
    assert.deepEqual(seen, [opened.source.material])
    assert.equal(opened.source.material.cert, next.certificate.toString())
    assert.deepEqual(opened.messages(), ['TLS keys and certificates are read again'])
  })

  test('keeps the old material while key and certificate do not fit, says so once, and goes on when they do', async () => {
    const pki = await testPki(temporaryFolder())
    using opened = await openSource(pki)
    const before = opened.source.material
    const next = await serverCertificate(pki.ca)
    writeFileSync(keyFile(pki), next.key)
    assert.deepEqual([await opened.source.check(), await opened.source.check()], [false, false])
    assert.equal(opened.source.material, before)
    assert.deepEqual(opened.messages(), ['TLS keys and certificates cannot be read again; the old ones stay in use'])
    assert.match(opened.lines[0] ?? '', /no certificate belongs to the private key/)
    writeFileSync(certificateFile(pki), next.cert)
    assert.equal(await opened.source.check(), true)
  })

  for (const [name, spoil] of [
    ['is garbage', (file: string) => writeFileSync(file, 'garbage')],
    ['is empty', (file: string) => writeFileSync(file, '')],
    ['is gone', (file: string) => rmSync(file)],
  ] as const) {
    test(`keeps the old trust anchors when their file ${name}`, async () => {
      const pki = await testPki(temporaryFolder())
      using opened = await openSource(pki)
      const before = opened.source.material
      spoil(pki.files.trust?.file ?? '')
      assert.equal(await opened.source.check(), false)
      assert.equal(opened.source.material, before)
      assert.equal(opened.messages().length, 1)
    })
  }

  test('says what is wrong with its files for as long as that lasts, also when the very same ones come back', async () => {
    const pki = await testPki(temporaryFolder())
    using opened = await openSource(pki)
    const file = certificateFile(pki)
    assert.equal(opened.source.problem, undefined)
    renameSync(file, `${file}.away`)
    await opened.source.check()
    assert.match(opened.source.problem ?? '', /^ENOENT: .*server\.pem/)
    renameSync(`${file}.away`, file)
    assert.deepEqual([await opened.source.check(), opened.source.problem], [false, undefined])
    assert.equal(opened.messages()[1], 'TLS keys and certificates are there again')
    writeFileSync(file, 'garbage')
    await opened.source.check()
    assert.match(opened.source.problem ?? '', /it is neither PEM/)
    const next = await serverCertificate(pki.ca)
    writeFileSync(keyFile(pki), next.key)
    writeFileSync(file, next.cert)
    assert.deepEqual([await opened.source.check(), opened.source.problem], [true, undefined])
  })

  test('looks by itself', async () => {
    const pki = await testPki(temporaryFolder())
    using opened = await openSource(pki, 10)
    const changed = new Promise<TlsMaterial>((resolve) => opened.source.onChange(resolve))
    const ca = await TestCa.create([{ type: 'CN', value: 'Next' }])
    writeFileSync(pki.files.trust?.file ?? '', ca.cert)
    assert.equal((await changed).ca?.[0], ca.cert)
  })

  test('does not open with files that are not usable', async () => {
    const pki = await testPki(temporaryFolder())
    writeFileSync(keyFile(pki), 'garbage')
    await assert.rejects(openSource(pki), /server\.key: it is neither PEM/)
  })
})
