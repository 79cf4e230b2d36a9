import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import { MemoryCertificateRecords } from '#zts/store/memory/memory-certificate-records.ts'
import { PostponedCertificateRecords, type PostponedRecordsOptions } from '#zts/store/postponed-certificate-records.ts'
import { certificateRecord, certificateRecordSuite } from './record-suites.ts'

/** A store that a test takes away. */
class FragileRecords extends MemoryCertificateRecords {
  failure: Error | undefined
  inserted = 0

  override async get(...key: [string, string, string]) {
    this.#check()
    return super.get(...key)
  }

  override async insert(record: Parameters<MemoryCertificateRecords['insert']>[0]) {
    this.#check()
    this.inserted++
    return super.insert(record)
  }

  override async update(...change: Parameters<MemoryCertificateRecords['update']>) {
    this.#check()
    return super.update(...change)
  }

  override async delete(...key: [string, string, string]) {
    this.#check()
    return super.delete(...key)
  }

  #check(): void {
    if (this.failure) throw this.failure
  }
}

const AWAY = new ServiceError('unavailable', 'Records of instances are not available')
const KEY = ['sys.auth.zts', 'i-1', 'sports.api'] as const

function open(options: Partial<PostponedRecordsOptions> = {}) {
  const store = new FragileRecords()
  const log: string[] = []
  const records = new PostponedCertificateRecords(store, {
    log: (level, message) => log.push(`${level} ${message}`),
    retryMillis: 60_000,
    ...options,
  })
  return { store, records, log }
}

suite('postponed records of a store that is there', () => {
  certificateRecordSuite(async () => new PostponedCertificateRecords(new MemoryCertificateRecords(), { log: () => {} }))
})

suite('postponed records of a store that is away', () => {
  test('those of new instances are kept and written when it is back', async () => {
    const { store, records, log } = open()
    store.failure = AWAY
    await records.insert(certificateRecord())
    await records.insert(certificateRecord({ instanceId: 'i-2' }))
    assert.equal(records.postponed, 2)
    assert.deepEqual(await records.get(...KEY), certificateRecord())
    await records.write()
    assert.equal(records.postponed, 2)
    store.failure = undefined
    await records.write()
    assert.equal(records.postponed, 0)
    assert.deepEqual(await store.get(...KEY), certificateRecord())
    assert.deepEqual(log, [
      'error certificate records cannot be written: registrations go on, renewals wait',
      'info certificate records can be written again, and all that waited are written',
    ])
  })

  test('are written by themselves', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { store, records } = open({ retryMillis: 5, log: (level) => level === 'info' && resolve() })
    store.failure = AWAY
    await records.insert(certificateRecord())
    store.failure = undefined
    await promise
    assert.equal(store.inserted, 1)
    await records.close()
  })

  test('are renewed as if they were written; others wait', async () => {
    const { store, records } = open()
    await records.insert(certificateRecord({ instanceId: 'i-2' }))
    store.failure = AWAY
    await records.insert(certificateRecord({ currentSerial: '1' }))
    const next = certificateRecord({ currentSerial: '2', prevSerial: '1' })
    assert.equal(await records.update(next, '0'), false)
    assert.equal(await records.update(next, '1'), true)
    assert.deepEqual(await records.get(...KEY), next)
    await assert.rejects(records.get('sys.auth.zts', 'i-2', 'sports.api'), AWAY)
    await assert.rejects(records.update(certificateRecord({ instanceId: 'i-2' }), '1'), AWAY)
    await assert.rejects(records.delete(...KEY), AWAY)
    store.failure = undefined
    await records.write()
    assert.deepEqual(await store.get(...KEY), next)
  })

  test('a renewal while they are written is not lost', async () => {
    const { store, records } = open()
    store.failure = AWAY
    await records.insert(certificateRecord({ currentSerial: '1' }))
    store.failure = undefined
    const next = certificateRecord({ currentSerial: '2', prevSerial: '1' })
    const insert = store.insert.bind(store)
    store.insert = async (record) => {
      await insert(record)
      store.insert = insert
      assert.equal(await records.update(next, '1'), true)
    }
    await records.write()
    assert.equal(records.postponed, 1)
    await records.write()
    assert.deepEqual(await store.get(...KEY), next)
    assert.equal(records.postponed, 0)
  })

  test('a removed one is not written later', async () => {
    const { store, records } = open()
    store.failure = AWAY
    await records.insert(certificateRecord())
    store.failure = undefined
    await records.delete(...KEY)
    await records.write()
    assert.equal(await store.get(...KEY), undefined)
  })

  test('there are so many and no more', async () => {
    const { store, records } = open({ limit: 2 })
    store.failure = AWAY
    await records.insert(certificateRecord({ instanceId: 'i-1' }))
    await records.insert(certificateRecord({ instanceId: 'i-2' }))
    await assert.rejects(records.insert(certificateRecord({ instanceId: 'i-3' })), AWAY)
    await records.insert(certificateRecord({ instanceId: 'i-2', currentSerial: '2' }))
    assert.equal(records.postponed, 2)
  })

  test('what the store refuses is refused, and what it refuses later is told', async () => {
    const { store, records, log } = open()
    store.failure = new ServiceError('bad-request', 'too long')
    await assert.rejects(records.insert(certificateRecord()), store.failure)
    store.failure = AWAY
    await records.insert(certificateRecord())
    store.failure = new ServiceError('bad-request', 'too long')
    await records.write()
    assert.equal(records.postponed, 0)
    assert.match(log[1] ?? '', /error the certificate record of i-1 of sports.api is lost: too long/)
  })

  test('at the end they are written, or it is told that they are lost', async () => {
    for (const [failure, last] of [
      [undefined, /can be written again/],
      [AWAY, /1 certificate records are lost/],
    ] as const) {
      const { store, records, log } = open()
      store.failure = AWAY
      await records.insert(certificateRecord())
      store.failure = failure
      await records.close()
      assert.match(log.at(-1) ?? '', last)
    }
  })
})
