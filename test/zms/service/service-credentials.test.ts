import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { createSecretBox } from '#core/crypto/secret-box.ts'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { serviceIdentityService } from '#zms/service/service-identity.ts'
import { Harness, NOTHING, refusal } from './harness.ts'

const box = createSecretBox('0123456789abcdef0123456789abcdef', 'athenz.zms.svc_creds_key_name')
const file = { services: { 'ui.server': { allowedOperations: [{ name: 'putrole' }] } } }
const services = [serviceIdentityService]
const CREDS = '/domain/sports/service/api/creds'

const zms = await Harness.open({
  services,
  properties: { audit_ref_check_objects: 'service' },
  parts: { credentialsBox: box, authorizedServices: AuthorizedServices.parse(JSON.stringify(file)) },
})
beforeEach(async () => {
  await zms.createDomain('sports')
  await zms.put('/domain/sports/service/api', { name: 'sports.api', description: 'Scores' })
})

const stored = async () => (await zms.domain('sports')).services.get('api')?.creds

describe('putServiceCredsEntry', () => {
  test('stores the value encrypted and keeps it out of the audit log', async () => {
    for (const length of [32, 64]) {
      const value = 'ä'.repeat(length)
      assert.deepEqual(await zms.put(CREDS, { value }), NOTHING)
      const creds = (await stored()) ?? ''
      assert.equal(box.decrypt(creds), value)
      const entry = JSON.stringify(zms.audit.at(-1))
      assert.ok(!entry.includes(value) && !entry.includes(creds))
    }
    assert.equal((await zms.get('/domain/sports/service/api')).body.description, 'Scores')
  })

  test('removes it for an empty or absent value', async () => {
    for (const body of [{ value: '' }, {}]) {
      await zms.put(CREDS, { value: 'c'.repeat(40) })
      assert.deepEqual(await zms.put(CREDS, body), NOTHING)
      assert.equal(await stored(), undefined)
    }
  })

  test('refuses other lengths, missing services, and strangers', async () => {
    for (const length of [1, 31, 65]) {
      assert.deepEqual(
        await zms.put(CREDS, { value: 'c'.repeat(length) }),
        refusal(400, 'Invalid creds value. Must be at least 32 and at most 64 bytes long'),
      )
    }
    assert.deepEqual(
      await zms.put('/domain/sports/service/none/creds', { value: 'c'.repeat(40) }),
      refusal(404, 'Service not found'),
    )
    assert.equal((await zms.put(CREDS, { value: 'c'.repeat(40) }, { as: 'user.eve' })).status, 403)
  })

  test('is not supported without a key, whatever is asked', async () => {
    const without = await Harness.open({ services })
    await without.createDomain('sports')
    for (const value of ['c'.repeat(40), 'short', '']) {
      assert.deepEqual(await without.put(CREDS, { value }), refusal(400, 'Service Credentials are not supported'))
    }
  })

  test('audited domains need a reference, authorized services their place in the file', async () => {
    const body = { value: 'c'.repeat(40) }
    assert.deepEqual(
      await zms.put(CREDS, body, { principal: { authorizedService: 'ui.server' } }),
      refusal(403, 'Unauthorized Operation (putservicecredsentry) for Service ui.server'),
    )
    await zms.createDomain('sports', { auditEnabled: true })
    assert.deepEqual(
      await zms.put(CREDS, body),
      refusal(400, 'putservicecredsentry: Audit reference required for domain: sports'),
    )
  })
})
