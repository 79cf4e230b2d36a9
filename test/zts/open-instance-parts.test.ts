import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { silentLogger } from '#core/log/logger.ts'
import { type InstancePartsOptions, openInstanceParts } from '#zts/open-instance-parts.ts'
import { loadOwnProviders } from '#zts/own-providers.ts'
import { PostponedCertificateRecords } from '#zts/store/postponed-certificate-records.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { NotingSigner, openCertificateParts } from './service/certificate-parts.ts'
import { Harness, type HarnessParts, START_MILLIS } from './service/harness.ts'
import { tokenParts } from './service/token-parts.ts'
import { certificateRecord } from './store/record-suites.ts'

const FILES = 'com.yahoo.athenz.zts.'
const folder = temporaryFolder()
let db: MariaDb
before(async () => {
  db = await startMariaDb({ durable: true })
})
after(() => db.stop())

/** Options as a server has them, with these properties. */
async function optionsWith(properties: Readonly<Record<string, string>>, domains: readonly object[] = []) {
  let parts: HarnessParts | undefined
  const services = [(own: HarnessParts) => ((parts = own), {})]
  await Harness.open({ services, properties, domains: domains as never })
  const own = parts as unknown as HarnessParts
  const log: string[] = []
  const certificates = (await openCertificateParts(await NotingSigner.create()))(own)
  const options: InstancePartsOptions = {
    ...own,
    ...tokenParts(own),
    requestRules: certificates.requestRules,
    maxExpiryMins: 43_200,
    logger: silentLogger(),
    log: (level, message) => void log.push(`${level} ${message}`),
  }
  return { options, log }
}

async function open(properties: Readonly<Record<string, string>> = {}, domains?: readonly object[]) {
  const { options, log } = await optionsWith(
    { cert_file_store_path: join(folder, String(Math.random())), ...properties },
    domains,
  )
  return { parts: await openInstanceParts(options), log, options }
}

const configProblem = (reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ConfigError, String(error))
  assert.match(error.message, reason)
  return true
}

suite('records', () => {
  test('are in files unless something else is said', async () => {
    const place = join(folder, 'files')
    const { parts } = await open({
      cert_file_store_path: place,
      ssh_file_store_path: place,
      workload_file_store_path: place,
      ssh_record_store_factory_class: `${FILES}cert.impl.FileSSHRecordStoreFactory`,
      workload_record_store_factory_class: `${FILES}workload.impl.FileWorkloadRecordStoreFactory`,
    })
    await parts.certificateRecords.insert(certificateRecord({ currentTime: START_MILLIS }))
    await parts.close()
    assert.deepEqual(
      readdirSync(place)
        .filter((name) => !name.endsWith('.lock'))
        .toSorted(),
      ['zts_cert_records', 'zts_cert_records.journal', 'zts_ssh_records', 'zts_workload_records'],
    )
    assert.deepEqual(readdirSync(join(place, 'zts_cert_records')), ['sys.auth.zts-i-1-sports.api'])
  })

  test('of SSH certificates and workloads are not kept unless a store is named', async () => {
    const { parts, log } = await open()
    assert.deepEqual([parts.sshRecords, parts.workloadRecords, parts.sshSigner], [undefined, undefined, undefined])
    const workloadLines = (lines: readonly string[]) => lines.filter((line) => line.includes('workload'))
    assert.deepEqual(workloadLines(log), [])
    await parts.close()
    const wanted = await open({ workload_enable_store_feature: 'true' })
    assert.deepEqual(workloadLines(wanted.log), [
      'warn athenz.zts.workload_enable_store_feature: where services run is not recorded, since athenz.zts.workload_record_store_factory_class names no store',
    ])
    await wanted.parts.close()
  })

  test('are in the database that is named, by either name of its class', async () => {
    const name = await db.freshDatabase('schema/zts_server.sql')
    const jdbc = db.jdbcUrl(name)
    for (const path of ['zts', 'common.server']) {
      const { parts } = await open({
        cert_record_store_factory_class: `com.yahoo.athenz.${path}.cert.impl.JDBCCertRecordStoreFactory`,
        cert_jdbc_store: jdbc,
        cert_jdbc_user: 'root',
        ssh_record_store_factory_class: `com.yahoo.athenz.${path}.cert.impl.JDBCSSHRecordStoreFactory`,
        ssh_jdbc_store: jdbc,
        ssh_jdbc_user: 'root',
        workload_record_store_factory_class: `${FILES}workload.impl.JDBCWorkloadRecordStoreFactory`,
        workload_jdbc_store: jdbc,
        workload_jdbc_user: 'root',
      })
      await parts.certificateRecords.insert(certificateRecord({ currentTime: START_MILLIS }))
      assert.equal(await parts.sshRecords?.get('i-1', 'sports.api'), undefined)
      assert.deepEqual(await parts.workloadRecords?.ofService('sports.api'), [])
      await parts.close()
    }
    const rows = await db.query(`SELECT service FROM ${name}.certificates`)
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [{ service: 'sports.api' }],
    )
  })

  test('of new instances are postponed while the database is away, where the operator wants that', async () => {
    const { options, log } = await optionsWith({
      cert_record_store_factory_class: `${FILES}cert.impl.JDBCCertRecordStoreFactory`,
      cert_jdbc_store: db.jdbcUrl(await db.freshDatabase('schema/zts_server.sql')),
      cert_jdbc_user: 'root',
    })
    const { config } = options
    const parts = await openInstanceParts({
      ...options,
      config: { ...config, zts: { ...config.zts, certRecordsAway: 'register' } },
    })
    const { certificateRecords: records, recordChecks } = parts
    assert.ok(records instanceof PostponedCertificateRecords)
    const remark = () => recordChecks.get('cert records')?.()
    assert.equal(await remark(), undefined)
    const said = /^the database of cert records cannot be used: new instances are registered and recorded later/
    await db.crash()
    try {
      assert.match(String(await remark()), said)
      await records.insert(certificateRecord({ currentTime: START_MILLIS }))
      assert.equal(records.postponed, 1)
      assert.match(String(await remark()), said)
    } finally {
      await db.restart()
    }
    await records.write()
    assert.equal(await remark(), undefined)
    assert.equal(log.filter((line) => line.startsWith('error the database of cert records cannot be used')).length, 1)
    assert.equal(log.filter((line) => line === 'info the database of cert records answers again').length, 1)
    assert.equal(records.postponed, 0)
    assert.ok(await records.get('sys.auth.zts', 'i-1', 'sports.api'))
    await parts.close()
  })

  test('have checks, which say what follows while a database is away', async () => {
    const { parts } = await open({
      ssh_record_store_factory_class: `${FILES}cert.impl.JDBCSSHRecordStoreFactory`,
      ssh_jdbc_store: 'jdbc:mysql://127.0.0.1:1/zts_store',
      ssh_jdbc_user: 'root',
    })
    assert.deepEqual([...parts.recordChecks.keys()], ['cert records', 'ssh records'])
    assert.equal(await parts.recordChecks.get('cert records')?.(), undefined)
    assert.match(String(await parts.recordChecks.get('ssh records')?.()), /not recorded, .* \(.*ECONNREFUSED.*\)$/)
    await parts.close()
  })

  test('that cannot be opened stop the start, and what was opened before is closed', async () => {
    const place = join(folder, 'twice')
    const jdbcClass = `${FILES}cert.impl.JDBCCertRecordStoreFactory`
    const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{ cert_record_store_factory_class: jdbcClass }, /athenz.zts.cert_jdbc_store: not set/],
      [
        { cert_record_store_factory_class: jdbcClass, cert_jdbc_store: 'jdbc:mysql://h/zts_store' },
        /athenz.zts.cert_jdbc_user: not set/,
      ],
      [
        { cert_record_store_factory_class: 'com.example.Store' },
        /cert_record_store_factory_class: "com.example.Store" is neither/,
      ],
      [{ ssh_record_store_factory_class: 'com.example.Store' }, /ssh_record_store_factory_class/],
      [{ workload_record_store_factory_class: 'com.example.Store' }, /workload_record_store_factory_class/],
      [{ ssh_signer_factory_class: 'com.example.Signer' }, /ssh_signer_factory_class/],
      [{ ssh_host_ca_cert_fname: '/nonexistent' }, /ssh_host_ca_cert_fname/],
    ]
    for (const [properties, reason] of cases) {
      await assert.rejects(open({ cert_file_store_path: place, ...properties }), configProblem(reason))
    }
    await (await open({ cert_file_store_path: place })).parts.close()
  })
})

suite('old records', () => {
  test('are removed when no certificate can be as old as they are', async () => {
    const place = join(folder, 'old')
    const day = 24 * 3_600_000
    const { parts } = await open({ cert_file_store_path: place })
    await parts.certificateRecords.insert(
      certificateRecord({ instanceId: 'old', currentTime: START_MILLIS - 31 * day }),
    )
    await parts.certificateRecords.insert(
      certificateRecord({ instanceId: 'new', currentTime: START_MILLIS - 29 * day }),
    )
    await parts.close()
    const { options, log } = await optionsWith({ cert_file_store_path: place })
    const { promise, resolve } = Promise.withResolvers<void>()
    const again = await openInstanceParts({
      ...options,
      log: (level, message) => {
        options.log(level, message)
        if (message.includes('removed')) resolve()
      },
    })
    await promise
    await again.close()
    assert.ok(log.includes('info 1 records of certificates that have ended are removed'))
    assert.deepEqual(readdirSync(join(place, 'zts_cert_records')), ['sys.auth.zts-new-sports.api'])
  })
})

suite("providers of the operator's own", () => {
  const module = join(folder, 'provider.mjs')
  before(() => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      module,
      `export default class { svidTypes = 'x509'; inProcess = true
         constructor(parts) { this.parts = parts }
         async confirmInstance(c) { return c } async refreshInstance(c) { return c } }
       export const incomplete = { svidTypes: 'x509', confirmInstance() {} }`,
    )
  })
  const load = async (...entries: readonly string[]) => {
    const { options } = await optionsWith({})
    const { config } = options
    return loadOwnProviders({ zts: { ...config.zts, instanceProviders: entries } }, options)
  }

  test('are found by the class that an endpoint names', async () => {
    const { options } = await optionsWith({}, [
      { name: 'sys.host', services: [{ name: 'sys.host.provider', providerEndpoint: 'class://com.example.Hosts' }] },
    ])
    const { config } = options
    const zts = {
      ...config.zts,
      instanceProviders: [`com.example.Hosts=${module}`],
      certFileStorePath: join(folder, 'own'),
    }
    const parts = await openInstanceParts({ ...options, config: { ...config, zts } })
    const provider = parts.instanceProviders.provider('sys.host.provider') as unknown as { parts: object } | undefined
    assert.ok(provider?.parts)
    assert.equal(parts.instanceProviders.provider('sys.host.other'), undefined)
    await parts.close()
  })

  test('stop the start when they cannot be loaded', async () => {
    assert.equal((await load()).size, 0)
    const cases: readonly (readonly [string, RegExp])[] = [
      ['com.example.Hosts', /does not name a class and a module/],
      ['=./x.mjs', /does not name a class/],
      ['com.example.Hosts=', /does not name a class/],
      ['../x=./x.mjs', /does not name a class/],
      ['com.example.Hosts=/nonexistent.mjs', /cannot be loaded/],
      [`com.example.Hosts=${module}#missing`, /has no export "missing"/],
      [`com.example.Hosts=${module}#incomplete`, /lacks method refreshInstance, inProcess/],
    ]
    for (const [entry, reason] of cases) await assert.rejects(load(entry), configProblem(reason), entry)
  })
})
