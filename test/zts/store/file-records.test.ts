import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { FileCertificateRecords } from '#zts/store/file/file-certificate-records.ts'
import { FileSshRecords } from '#zts/store/file/file-ssh-records.ts'
import { FileWorkloadRecords } from '#zts/store/file/file-workload-records.ts'
import { JournaledFolder } from '#zts/store/file/journaled-folder.ts'
import { RecordFolder } from '#zts/store/file/record-folder.ts'
import { certificateRecord, certificateRecordSuite, sshRecordSuite, workloadRecordSuite } from './record-suites.ts'

let base: string
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'athenz-records-'))
})
after(() => rm(base, { recursive: true }))

const folder = async () => join(await mkdtemp(join(base, 'store-')), 'records')
const open = async () => RecordFolder.open(await folder())
const openJournaled = (place: string) => JournaledFolder.open({ folder: place, log: () => {} })

suite('certificate records in files', () => {
  certificateRecordSuite(async () => new FileCertificateRecords(await openJournaled(await folder())))

  test('are files in the form that existing servers read and write', async () => {
    const place = await folder()
    const files = await openJournaled(place)
    const records = new FileCertificateRecords(files)
    await records.insert(certificateRecord({ hostName: undefined }))
    await files.settle()
    assert.deepEqual(await readdir(place), ['sys.auth.zts-i-1-sports.api'])
    const text = await readFile(join(place, 'sys.auth.zts-i-1-sports.api'), 'utf8')
    assert.equal(
      text,
      '{"provider":"sys.auth.zts","instanceId":"i-1","service":"sports.api",' +
        '"currentSerial":"866613418138986185345813787376037233769251727072","currentTime":1795341600123,"currentIP":"10.0.0.1",' +
        '"prevSerial":"42575910419900123411186377620748142346305427684","prevTime":1795338000123,"prevIP":"fd00::1",' +
        '"clientCert":false,"lastNotifiedTime":null,"lastNotifiedServer":null,"expiryTime":1795345200123,"hostName":null,' +
        '"siaProvider":"openstack","svcDataUpdateTime":null}',
    )
    await writeFile(
      join(place, 'sys.auth.zts-i-2-sports.api'),
      '{"provider":"sys.auth.zts","instanceId":"i-2","service":"sports.api","currentSerial":"1","currentTime":1,"currentIP":"10.0.0.1","prevSerial":"1","prevTime":1,"prevIP":"10.0.0.1","clientCert":true,"later":"unknown"}',
    )
    assert.equal((await records.get('sys.auth.zts', 'i-2', 'sports.api'))?.clientCert, true)
    await records.close()
  })

  test('a damaged record is an error that names the file, not the absence of a record', async () => {
    const place = await folder()
    const records = new FileCertificateRecords(await openJournaled(place))
    const name = 'sys.auth.zts-i-1-sports.api'
    const cases = [
      ['', /this is no record/],
      ['{"provider":', /this is no record/],
      ['null', /this is no record/],
      ['{}', /provider is not what it should be/],
      [
        '{"provider":"sys.auth.zts","instanceId":"i-1","service":"sports.api","currentSerial":1}',
        /currentSerial is not/,
      ],
    ] as const
    for (const [text, reason] of cases) {
      await writeFile(join(place, name), text)
      await assert.rejects(records.get('sys.auth.zts', 'i-1', 'sports.api'), (error: Error) => {
        assert.ok(error.message.includes(name), error.message)
        assert.match(error.message, reason)
        return true
      })
    }
    await records.close()
  })

  test('no name leads out of the folder', async () => {
    const place = await folder()
    const records = new FileCertificateRecords(await openJournaled(place))
    for (const instanceId of ['../../x', 'a/b', 'a\\b', 'a\0b', 'a\nb', 'ä', '%2e%2e%2f']) {
      await assert.rejects(
        records.insert(certificateRecord({ instanceId })),
        (error: unknown) => error instanceof ServiceError && error.code === 'bad-request',
        instanceId,
      )
    }
    assert.deepEqual(await readdir(place), [])
    await records.close()
  })

  test('only one server at a time uses a folder', async () => {
    const place = await folder()
    const first = await RecordFolder.open(place)
    await assert.rejects(
      RecordFolder.open(place),
      (error: unknown) => error instanceof ConfigError && error.message.includes('another server keeps its records'),
    )
    await first.close()
    await (await RecordFolder.open(place)).close()
  })
})

suite('SSH records in files', () => sshRecordSuite(async () => new FileSshRecords(await open())))

suite('workload records in files', () => {
  workloadRecordSuite(async () => new FileWorkloadRecords(await open()))

  test('are there for the next start', async () => {
    const place = await folder()
    const record = {
      provider: 'sys.auth.zts',
      service: 'sports.api',
      ip: '10.0.0.1',
      instanceId: 'i-1',
      hostname: 'h',
      creationTime: 1,
      updateTime: 2,
      certExpiryTime: 3,
    }
    const first = new FileWorkloadRecords(await RecordFolder.open(place))
    await first.put(record)
    await first.close()
    assert.deepEqual((await readdir(place)).toSorted(), ['10.0.0.1-i-1-sports.api', 'sports.api-i-1-10.0.0.1'])
    const second = new FileWorkloadRecords(await RecordFolder.open(place))
    assert.deepEqual(await second.ofService('sports.api'), [record])
    assert.deepEqual(await second.atAddress('10.0.0.1'), [record])
    await second.close()
  })
})
