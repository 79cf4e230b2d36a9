import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Registry } from 'prom-client'
import { loadServerConfig } from '#core/config/server-config.ts'
import { openLogger } from '#core/log/logger.ts'
import type { Notification } from '#core/notification/notice.ts'
import { Outbox } from '#core/notification/outbox.ts'
import { UnrefreshedCertificates } from '#zts/notification/unrefreshed-certificates.ts'
import type { CertificateRecords } from '#zts/store/certificate-records.ts'
import { MemoryCertificateRecords } from '#zts/store/memory/memory-certificate-records.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { domainsOf } from '../../support/zts-domains.ts'
import { certificateRecord } from '../store/record-suites.ts'

const NOW = Date.parse('2030-01-02T10:00:00Z')
const HOUR_MILLIS = 3_600_000
const DAY_MILLIS = 24 * HOUR_MILLIS

const SETTINGS = {
  notification_cert_fail_provider_list: 'sys.auth.zts, sys.auth.aws',
  notification_cert_fail_ignored_services_list: 'sports.web*,Music.Api',
  notification_cert_fail_grace_hours: '48',
  notification_api_hostname: 'zts.example.com',
}

const admins = (domain: string, ...names: readonly string[]) => ({
  name: domain,
  roles: [{ name: `${domain}:role.admin`, roleMembers: names.map((memberName) => ({ memberName })) }],
})
const DOMAINS = domainsOf(admins('sports', 'user.coach'), admins('music', 'user.baton'))

async function open({
  records = new MemoryCertificateRecords(),
  domains = DOMAINS,
}: {
  records?: CertificateRecords
  domains?: typeof DOMAINS
} = {}) {
  const { config } = await loadServerConfig({
    server: 'zts',
    rootDir: temporaryFolder(),
    files: [],
    overrides: Object.entries(SETTINGS).map(([key, value]) => [`athenz.zts.${key}`, value] as const),
    env: {},
    hostname: 'h',
  })
  const clock = { millis: NOW }
  const now = () => clock.millis
  const sent: Notification[] = []
  const log: string[] = []
  const sender = { name: 'keeping', send: async (notification: Notification) => void sent.push(notification) }
  const outbox = new Outbox({
    senders: [sender],
    digest: false,
    now,
    log: openLogger({ level: 'silent' }),
    registry: new Registry(),
  })
  const parts = {
    config,
    domains,
    certificateRecords: records,
    now,
    log: (level: string, message: string) => void log.push(`${level} ${message}`),
  }
  const take = () =>
    sent
      .splice(0)
      .map(({ recipients, sections }) => [
        recipients.join(' '),
        ...sections.flatMap(({ items }) =>
          items.map(({ domain, service, instanceId }) => `${domain}.${service} ${instanceId}`),
        ),
      ])
  return { records, clock, sent, take, log, job: new UnrefreshedCertificates(parts, outbox) }
}

const issued = (hours: number, service: string, more: Parameters<typeof certificateRecord>[0] = {}) =>
  certificateRecord({ service, currentTime: NOW - hours * HOUR_MILLIS, expiryTime: NOW + DAY_MILLIS, ...more })

describe('certificates that are not refreshed', () => {
  test('are told to the administrators of their services', async () => {
    const { records, job, sent, take } = await open()
    await records.insert(issued(49, 'sports.api'))
    await records.insert(issued(47, 'sports.api', { instanceId: 'i-fresh' }))
    await records.insert(issued(50, 'sports.api', { instanceId: 'i-aws', provider: 'sys.auth.aws' }))
    await records.insert(issued(50, 'sports.api', { instanceId: 'i-other', provider: 'sys.auth.azure' }))
    await records.insert(issued(50, 'sports.web-1'))
    await records.insert(issued(50, 'music.api'))
    await records.insert(issued(50, 'music.player'))
    await records.insert(issued(50, 'nowhere.api'))
    await job.run()
    const item = sent[0]?.sections[0]?.items.find(({ instanceId }) => instanceId === 'i-1')
    assert.deepEqual(item, {
      domain: 'sports',
      service: 'api',
      provider: 'sys.auth.zts',
      instanceId: 'i-1',
      hostName: 'host-1.sports.example.com',
      updateTime: NOW - 49 * HOUR_MILLIS,
      expiration: NOW + DAY_MILLIS,
      server: 'zts.example.com',
    })
    assert.deepEqual(take(), [
      ['user.coach', 'sports.api i-1', 'sports.api i-aws'],
      ['user.baton', 'music.player i-1'],
    ])
  })

  test('are told of once a week', async () => {
    const { records, job, clock, take } = await open()
    await records.insert(issued(49, 'sports.api'))
    const days: number[] = []
    for (let day = 0; day <= 15; day++) {
      await job.run()
      await job.run()
      if (take().length > 0) days.push(day)
      clock.millis += DAY_MILLIS
    }
    assert.deepEqual(days, [0, 7, 14])
  })

  test('wait for the domains', async () => {
    const { records, job } = await open({ domains: domainsOf() })
    await records.insert(issued(49, 'sports.api'))
    await assert.rejects(job.run(), /there are no domains yet/)
    assert.equal((await records.get('sys.auth.zts', 'i-1', 'sports.api'))?.lastNotifiedTime, undefined)
  })

  test('are not told of by stores that do not know them, which is worth a warning', async () => {
    const own = new MemoryCertificateRecords()
    const records: CertificateRecords = {
      get: (...key) => own.get(...key),
      insert: (record) => own.insert(record),
      update: (record, replaced) => own.update(record, replaced),
      delete: (...key) => own.delete(...key),
      deleteExpired: (before, limit) => own.deleteExpired(before, limit),
    }
    const { job, clock, log, take } = await open({ records })
    await job.run()
    clock.millis += DAY_MILLIS
    await job.run()
    assert.deepEqual(take(), [])
    assert.deepEqual(log, ['warn the store of certificate records cannot tell which certificates are not refreshed'])
  })
})
