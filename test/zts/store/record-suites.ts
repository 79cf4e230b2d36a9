import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import type { CertificateRecord, CertificateRecords } from '#zts/store/certificate-records.ts'
import type { SshRecord, SshRecords } from '#zts/store/ssh-records.ts'
import type { WorkloadRecord, WorkloadRecords } from '#zts/store/workload-records.ts'

const TIME = Date.parse('2026-11-22T10:00:00.123Z')
const HOUR = 3_600_000

export const certificateRecord = (members: Partial<CertificateRecord> = {}): CertificateRecord => ({
  provider: 'sys.auth.zts',
  instanceId: 'i-1',
  service: 'sports.api',
  currentSerial: '866613418138986185345813787376037233769251727072',
  currentTime: TIME,
  currentIp: '10.0.0.1',
  prevSerial: '42575910419900123411186377620748142346305427684',
  prevTime: TIME - HOUR,
  prevIp: 'fd00::1',
  clientCert: false,
  lastNotifiedTime: undefined,
  lastNotifiedServer: undefined,
  expiryTime: TIME + HOUR,
  hostName: 'host-1.sports.example.com',
  siaProvider: 'openstack',
  ...members,
})

const known = ({ svcDataUpdateTime: _, ...record }: CertificateRecord) => record

/** What every store of certificate records does. `open` gives one that is empty. */
export function certificateRecordSuite(open: () => Promise<CertificateRecords>): void {
  const withStore = (name: string, body: (records: CertificateRecords) => Promise<void>): void => {
    test(name, async () => {
      const records = await open()
      try {
        await body(records)
      } finally {
        await records.close?.()
      }
    })
  }
  const get = async (records: CertificateRecords, { provider, instanceId, service } = certificateRecord()) => {
    const found = await records.get(provider, instanceId, service)
    return found && known(found)
  }

  withStore('gives back what was inserted, and nothing for other keys', async (records) => {
    const record = certificateRecord()
    await records.insert(record)
    assert.deepEqual(await get(records), record)
    for (const other of [{ provider: 'sys.auth.aws' }, { instanceId: 'i-2' }, { service: 'sports.web' }]) {
      assert.equal(await get(records, certificateRecord(other)), undefined)
    }
  })

  withStore('keeps a record whose optional members are absent', async (records) => {
    const record = certificateRecord({
      expiryTime: undefined,
      hostName: undefined,
      siaProvider: undefined,
      clientCert: true,
    })
    await records.insert(record)
    assert.deepEqual(await get(records), record)
  })

  withStore('replaces the record of an instance that starts anew', async (records) => {
    await records.insert(certificateRecord())
    const next = certificateRecord({ currentSerial: '7', prevSerial: '7', hostName: undefined })
    await records.insert(next)
    assert.deepEqual(await get(records), next)
  })

  withStore('updates in place of the serial that is there, and only of that', async (records) => {
    await records.insert(certificateRecord({ currentSerial: '1' }))
    const next = certificateRecord({ currentSerial: '2', prevSerial: '1' })
    assert.equal(await records.update(next, '0'), false)
    assert.equal((await get(records))?.currentSerial, '1')
    assert.equal(await records.update(next, '1'), true)
    assert.deepEqual(await get(records), next)
    assert.equal(await records.update(certificateRecord({ instanceId: 'i-2' }), '1'), false)
    assert.equal(await get(records, certificateRecord({ instanceId: 'i-2' })), undefined)
  })

  withStore('an update that changes nothing still finds its record', async (records) => {
    const record = certificateRecord()
    await records.insert(record)
    assert.equal(await records.update(record, record.currentSerial), true)
  })

  withStore('lets one of many concurrent updates through', async (records) => {
    await records.insert(certificateRecord({ currentSerial: '1' }))
    const serials = Array.from({ length: 8 }, (_, index) => String(index + 2))
    const outcomes = await Promise.all(
      serials.map((serial) => records.update(certificateRecord({ currentSerial: serial, prevSerial: '1' }), '1')),
    )
    assert.equal(outcomes.filter(Boolean).length, 1)
    assert.equal((await get(records))?.currentSerial, serials[outcomes.indexOf(true)])
  })

  withStore('concurrent inserts leave one of their records', async (records) => {
    const serials = Array.from({ length: 8 }, (_, index) => String(index + 1))
    await Promise.all(serials.map((serial) => records.insert(certificateRecord({ currentSerial: serial }))))
    assert.ok(serials.includes((await get(records))?.currentSerial ?? ''))
  })

  withStore('deletes one record, and does not mind when there is none', async (records) => {
    await records.insert(certificateRecord())
    await records.insert(certificateRecord({ instanceId: 'i-2' }))
    await records.delete('sys.auth.zts', 'i-1', 'sports.api')
    await records.delete('sys.auth.zts', 'i-1', 'sports.api')
    assert.equal(await get(records), undefined)
    assert.ok(await get(records, certificateRecord({ instanceId: 'i-2' })))
  })

  withStore('gives each record that is not refreshed to one of those who ask, once in a while', async (records) => {
    const old = certificateRecord({ currentTime: TIME - 10 * HOUR })
    await records.insert(old)
    await records.insert(certificateRecord({ instanceId: 'i-2', currentTime: TIME - HOUR }))
    await records.insert(certificateRecord({ instanceId: 'i-3', currentTime: TIME - 10 * HOUR, provider: 'other' }))
    const claim = (server: string, at: number, notSince = at) =>
      records.claimUnrefreshed?.({
        provider: 'sys.auth.zts',
        issuedBefore: TIME - 2 * HOUR,
        server,
        at,
        notSince,
      })
    const answers = await Promise.all([claim('zts1', TIME), claim('zts2', TIME, TIME)])
    const told = answers.flat().map((found) => found && known(found))
    assert.equal(told.length, 1)
    const [first] = told
    assert.ok(first?.lastNotifiedServer === 'zts1' || first?.lastNotifiedServer === 'zts2')
    assert.deepEqual(first, { ...old, lastNotifiedTime: TIME, lastNotifiedServer: first.lastNotifiedServer })
    assert.deepEqual(await get(records), first)
    assert.deepEqual(await claim('zts3', TIME + HOUR, TIME), [])
    assert.equal((await claim('zts3', TIME + HOUR, TIME + 1))?.length, 1)
    const next = certificateRecord({ currentSerial: '2', currentTime: TIME + 2 * HOUR })
    assert.equal(await records.update(next, old.currentSerial), true)
    assert.deepEqual(await claim('zts3', TIME + 3 * HOUR), [])
  })

  withStore('does not take ids that differ in the case of letters for each other', async (records) => {
    const record = certificateRecord({ instanceId: 'i-abc' })
    const other = certificateRecord({ instanceId: 'I-ABC', currentSerial: '9' })
    await records.insert(record)
    assert.equal(await get(records, other), undefined)
    assert.equal(await records.update(other, record.currentSerial), false)
    await records.delete('sys.auth.zts', 'I-ABC', 'sports.api')
    await records.insert(other).catch((error: unknown) => {
      assert.ok(error instanceof ServiceError && error.code === 'conflict', String(error))
    })
    assert.deepEqual(await get(records, record), record)
  })

  withStore('does not take names for each other that are equal when put together', async (records) => {
    const record = certificateRecord({ provider: 'sys.aws-east', instanceId: 'i' })
    const other = certificateRecord({ provider: 'sys.aws', instanceId: 'east-i', currentSerial: '9' })
    await records.insert(record)
    assert.equal(await get(records, other), undefined)
    await records.delete('sys.aws', 'east-i', 'sports.api')
    await records.insert(other).catch((error: unknown) => {
      assert.ok(error instanceof ServiceError && error.code === 'conflict', String(error))
    })
    assert.deepEqual(await get(records, record), record)
  })

  withStore('keeps ids with every character that an id may have', async (records) => {
    for (const instanceId of ['..', '.', '...', '-', '~', 'a~', '$HOME', 'a:b@c,d+e=f', '_', '-rf']) {
      const record = certificateRecord({ instanceId })
      await records.insert(record)
      assert.deepEqual(await get(records, record), record, instanceId)
    }
  })

  withStore('refuses names that are too long instead of cutting them', async (records) => {
    const record = certificateRecord({ instanceId: 'x'.repeat(300) })
    const outcome = await records.insert(record).then(
      () => 'kept',
      (error: unknown) => (error instanceof ServiceError ? error.code : String(error)),
    )
    if (outcome === 'kept') assert.deepEqual(await get(records, record), record)
    else assert.equal(outcome, 'bad-request')
    assert.equal(
      await get(records, certificateRecord({ instanceId: 'x'.repeat(256) })).catch(() => undefined),
      undefined,
    )
  })

  withStore('removes old records, all or a few', async (records) => {
    for (let index = 0; index < 6; index++) {
      await records.insert(certificateRecord({ instanceId: `i-${index}`, currentTime: TIME + index * HOUR }))
    }
    assert.equal(await records.deleteExpired(TIME, 0), 0)
    assert.equal(await records.deleteExpired(TIME + 5 * HOUR, 2), 2)
    assert.equal(await records.deleteExpired(TIME + 5 * HOUR, 0), 3)
    assert.ok(await get(records, certificateRecord({ instanceId: 'i-5' })))
    assert.equal(await get(records, certificateRecord({ instanceId: 'i-4' })), undefined)
  })
}

const sshRecord = (members: Partial<SshRecord> = {}): SshRecord => ({
  instanceId: 'i-1',
  service: 'sports.api',
  principals: 'host-1.example.com,10.0.0.1',
  clientIp: '10.0.0.1',
  privateIp: '10.0.0.2',
  issueTime: TIME,
  ...members,
})

/** What every store of SSH records does. */
export function sshRecordSuite(open: () => Promise<SshRecords>): void {
  const withStore = (name: string, body: (records: SshRecords) => Promise<void>): void => {
    test(name, async () => {
      const records = await open()
      try {
        await body(records)
      } finally {
        await records.close?.()
      }
    })
  }

  withStore('gives back what was put, and the latest of it', async (records) => {
    assert.equal(await records.get('i-1', 'sports.api'), undefined)
    await records.put(sshRecord())
    assert.deepEqual(await records.get('i-1', 'sports.api'), sshRecord())
    await records.put(sshRecord({ principals: 'other', issueTime: TIME + 1 }))
    assert.deepEqual(await records.get('i-1', 'sports.api'), sshRecord({ principals: 'other', issueTime: TIME + 1 }))
    assert.equal(await records.get('i-1', 'sports.web'), undefined)
    assert.equal(await records.get('I-1', 'sports.api'), undefined)
  })

  withStore('concurrent writers of a new record do not disturb each other', async (records) => {
    await Promise.all(['a', 'b', 'c', 'd'].map((principals) => records.put(sshRecord({ principals }))))
    assert.ok(['a', 'b', 'c', 'd'].includes((await records.get('i-1', 'sports.api'))?.principals ?? ''))
  })

  withStore('deletes', async (records) => {
    await records.put(sshRecord())
    await records.delete('i-1', 'sports.api')
    await records.delete('i-1', 'sports.api')
    assert.equal(await records.get('i-1', 'sports.api'), undefined)
  })
}

const workloadRecord = (members: Partial<WorkloadRecord> = {}): WorkloadRecord => ({
  provider: 'sys.auth.zts',
  service: 'sports.api',
  ip: '10.0.0.1',
  instanceId: 'i-1',
  hostname: 'host-1.example.com',
  creationTime: TIME,
  updateTime: TIME,
  certExpiryTime: TIME + HOUR,
  ...members,
})

/** What every store of workload records does. */
export function workloadRecordSuite(open: () => Promise<WorkloadRecords>): void {
  const withStore = (name: string, body: (records: WorkloadRecords) => Promise<void>): void => {
    test(name, async () => {
      const records = await open()
      try {
        await body(records)
      } finally {
        await records.close?.()
      }
    })
  }
  const sorted = (records: readonly WorkloadRecord[]) =>
    records.toSorted((a, b) => `${a.instanceId} ${a.ip}`.localeCompare(`${b.instanceId} ${b.ip}`))

  withStore('finds records by service and by address', async (records) => {
    const all = [
      workloadRecord(),
      workloadRecord({ ip: 'fd00:0:0:0:0:0:0:1' }),
      workloadRecord({ instanceId: 'i-2' }),
      workloadRecord({ instanceId: 'i-3', service: 'sports.web' }),
    ] as const
    for (const record of all) await records.put(record)
    assert.deepEqual(sorted(await records.ofService('sports.api')), sorted(all.slice(0, 3)))
    assert.deepEqual(sorted(await records.atAddress('10.0.0.1')), sorted([all[0], all[2], all[3]]))
    assert.deepEqual(await records.atAddress('fd00:0:0:0:0:0:0:1'), [all[1]])
    assert.deepEqual(await records.ofService('sports'), [])
    assert.deepEqual(await records.atAddress('10.0.0'), [])
  })

  withStore('a later record replaces the earlier one, whose creation time stays', async (records) => {
    await records.put(workloadRecord())
    const later = { creationTime: TIME + HOUR, updateTime: TIME + HOUR, hostname: 'h2', provider: 'sys.auth.aws' }
    await records.put(workloadRecord(later))
    const expected = [workloadRecord({ ...later, creationTime: TIME })]
    assert.deepEqual(await records.ofService('sports.api'), expected)
    assert.deepEqual(await records.atAddress('10.0.0.1'), expected)
  })

  withStore('concurrent writers of a new record do not disturb each other', async (records) => {
    await Promise.all(['a', 'b', 'c', 'd'].map((hostname) => records.put(workloadRecord({ hostname }))))
    assert.equal((await records.ofService('sports.api')).length, 1)
  })
}
