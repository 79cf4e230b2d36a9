import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { ServiceError } from '#core/error/service-error.ts'
import type { ZmsDependencies } from '#zms/service/dependencies.ts'
import { type SystemParts, systemService } from '#zms/service/system.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { Harness } from './harness.ts'

const program = { name: 'athenz ZMS', version: '1.2.3', vendor: 'athenz' }

const open = (
  parts: Partial<SystemParts> = {},
  properties: Record<string, string> = {},
  deps: Partial<ZmsDependencies> = {},
) =>
  Harness.open({
    services: [(all) => systemService(all, { health: { healthy: true }, program, ...parts })],
    properties,
    parts: deps,
  })

describe('getStatus', () => {
  test('says that all is well, to anybody', async () => {
    const { status, body } = await (await open()).get('/status', { anonymous: true })
    assert.deepEqual([status, body], [200, { code: 200, message: 'OK' }])
  })

  test('answers 404 when the store does not answer, and 200 when it does again', async () => {
    const health = { healthy: false }
    const zms = await open({ health })
    const { status, body } = await zms.get('/status')
    assert.deepEqual([status, body.message], [404, 'Error - no domains available'])
    health.healthy = true
    assert.equal((await zms.get('/status')).status, 200)
  })

  test('answers 404 as long as the health file is not there', async () => {
    const file = join(temporaryFolder(), 'in-rotation')
    const zms = await open({}, { health_check_path: file })
    const { status, body } = await zms.get('/status')
    assert.deepEqual([status, body.message], [404, 'Error - no status available'])
    writeFileSync(file, '')
    assert.equal((await zms.get('/status')).status, 200)
  })

  test('answers what a status checker throws', async () => {
    const statusChecker = { check: () => Promise.reject(new ServiceError('unavailable', 'not today')) }
    const { status, body } = await (await open({ statusChecker })).get('/status')
    assert.deepEqual([status, body.message], [503, 'not today'])
  })
})

describe('getInfo', () => {
  test('names the program and the runtime', async () => {
    const { body } = await (await open()).get('/sys/info')
    assert.deepEqual(body, {
      buildJdkSpec: process.version,
      implementationTitle: 'athenz ZMS',
      implementationVersion: '1.2.3',
      implementationVendor: 'athenz',
    })
  })

  test('refuses who may not', async () => {
    assert.equal((await (await open()).get('/sys/info', { as: 'user.eve' })).status, 403)
  })
})

describe('getUserAuthorityAttributeMap', () => {
  const authority: Authority = { id: 'x', credentialSource: 'header', allowAuthorization: true }

  test('lists the attributes that the user authority knows, by kind', async () => {
    const userAuthority: Authority = {
      ...authority,
      booleanAttributes: () => new Set(['onsite', 'employee']),
      dateAttributes: () => new Set(['contract_end']),
    }
    const { body } = await (await open({}, {}, { userAuthority })).get('/authority/user/attribute')
    assert.deepEqual(body, {
      attributes: { bool: { values: ['employee', 'onsite'] }, date: { values: ['contract_end'] } },
    })
  })

  test('is empty without a user authority; one without attributes has none of each kind', async () => {
    assert.deepEqual((await (await open()).get('/authority/user/attribute')).body, { attributes: {} })
    const zms = await open({}, {}, { userAuthority: authority })
    assert.deepEqual((await zms.get('/authority/user/attribute')).body, {
      attributes: { bool: { values: [] }, date: { values: [] } },
    })
  })
})

describe('getRdlSchema', () => {
  test('describes the interface', async () => {
    const { body } = await (await open()).get('/schema')
    assert.equal(body.name, 'ZMS')
    assert.ok(body.types.length > 0)
    assert.ok(body.resources.some(({ path }: { path: string }) => path.startsWith('/access/{action}')))
  })
})
