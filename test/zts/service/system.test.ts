import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import { type SystemParts, systemService } from '#zts/service/system.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { Harness, refusal } from './harness.ts'

const program = { name: 'athenz ZTS', version: '1.2.3', vendor: 'athenz' }
const SYS_AUTH = {
  name: 'sys.auth',
  roles: [{ name: 'sys.auth:role.admin', roleMembers: [{ memberName: 'user.admin' }] }],
  policies: [
    {
      name: 'sys.auth:policy.admin',
      assertions: [{ role: 'sys.auth:role.admin', action: '*', resource: 'sys.auth:*' }],
    },
  ],
}
interface Setting extends Partial<SystemParts> {
  /** Certificates of the authority. */
  readonly caCertificate?: () => Promise<string | undefined>
}
const open = (setting: Setting = {}, properties: Record<string, string> = {}) => {
  const { caCertificate = () => Promise.reject(new Error('asked')), ...parts } = setting
  return Harness.open({
    services: [(deps) => systemService({ ...deps, certificateIssuer: { caCertificate } }, { program, ...parts })],
    properties,
    domains: [SYS_AUTH],
  })
}

describe('getStatus', () => {
  test('says that all is well, to anybody', async () => {
    const { status, body } = await (await open()).get('/status', { anonymous: true })
    assert.deepEqual([status, body], [200, { code: 200, message: 'OK' }])
  })

  test('answers 404 as long as the health file is not there', async () => {
    const file = join(temporaryFolder(), 'in-rotation')
    const zts = await open({}, { health_check_path: file })
    assert.deepEqual(await zts.get('/status'), refusal(404, 'Error - no status available'))
    writeFileSync(file, '')
    assert.equal((await zts.get('/status')).status, 200)
  })

  test('answers what a status checker throws', async () => {
    const statusChecker = { check: () => Promise.reject(new ServiceError('unavailable', 'not today')) }
    assert.deepEqual(await (await open({ statusChecker })).get('/status'), refusal(503, 'not today'))
  })

  describe('with a certificate signer that is asked', () => {
    const asked = { status_cert_signer: 'true' }
    test('says that all is well when it answers', async () => {
      const zts = await open({ caCertificate: async () => 'PEM' }, asked)
      assert.equal((await zts.get('/status')).status, 200)
    })

    test('answers 404 when it does not', async () => {
      const zts = await open({ caCertificate: async () => undefined }, asked)
      assert.deepEqual(await zts.get('/status'), refusal(404, 'Unable to communicate with cert signer'))
    })
  })
})

describe('getInfo', () => {
  test('names the program and the runtime to those who may know', async () => {
    const { body } = await (await open()).get('/sys/info')
    assert.deepEqual(body, {
      buildJdkSpec: process.version,
      implementationTitle: 'athenz ZTS',
      implementationVersion: '1.2.3',
      implementationVendor: 'athenz',
    })
  })

  test('refuses others', async () => {
    assert.deepEqual(await (await open()).get('/sys/info', { as: 'user.eve' }), refusal(403, 'Forbidden'))
  })
})

test('getRdlSchema describes the operations', async () => {
  const { body } = await (await open()).get('/schema')
  assert.deepEqual([body.name, body.base, body.resources.length], ['ZTS', '/zts/v1', 38])
})
