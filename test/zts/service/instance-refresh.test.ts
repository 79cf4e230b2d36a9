import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { suite, test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { MemoryCertificateRecords } from '#zts/store/memory/memory-certificate-records.ts'
import { TestCa } from '../../core/authority/support.ts'
import { requestFor } from '../../support/certificate-requests.ts'
import { refusal } from './harness.ts'
import {
  csrOf,
  InstanceHarness,
  identityCertificate,
  PROVIDER,
  SPORTS_DOMAIN,
  SYSTEM_DOMAIN,
  serialOf,
} from './instance-parts.ts'

const KEY = [PROVIDER, 'i-1', 'sports.api'] as const
const REVOKED = refusal(403, 'Certificate revoked')
const NO_RECORD = refusal(403, 'Unable to find certificate record')

/** The service by a certificate of one of its roles. */
const ROLE = { principal: { roles: ['sports:role.admin'] } }

/** A harness with an instance, and its first certificate. */
async function registered(options: Parameters<typeof InstanceHarness.open>[0] = {}) {
  const instances = await InstanceHarness.open(options)
  const first = identityCertificate(await instances.register())
  const record = () => instances.fakes.records.get(...KEY)
  const renewed = async (certificate: X509Certificate, body: object = {}) =>
    identityCertificate(await instances.refresh(certificate, body))
  return { instances, first, record, renewed, ...instances.fakes }
}

suite('a renewal', () => {
  test('gives the next certificate, and the one before is remembered', async () => {
    const { instances, first, record, provider } = await registered()
    const answer = await instances.refresh(
      first,
      { hostname: 'h2.example.com' },
      { context: { remoteAddress: '192.0.2.9' } },
    )
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['location'], undefined)
    const second = identityCertificate(answer)
    assert.deepEqual([answer.body.provider, answer.body.name, answer.body.instanceId], [PROVIDER, 'sports.api', 'i-1'])
    const {
      currentSerial,
      prevSerial,
      currentIp,
      prevIp,
      prevTime,
      currentTime,
      expiryTime,
      hostName,
      svcDataUpdateTime,
    } = (await record()) ?? {}
    assert.deepEqual(
      { currentSerial, prevSerial, currentIp, prevIp, prevTime, currentTime, expiryTime, hostName, svcDataUpdateTime },
      {
        currentSerial: serialOf(second),
        prevSerial: serialOf(first),
        currentIp: '192.0.2.9',
        prevIp: '192.0.2.1',
        prevTime: first.validFromDate.getTime(),
        currentTime: second.validFromDate.getTime(),
        expiryTime: second.validToDate.getTime(),
        hostName: 'h2.example.com',
        svcDataUpdateTime: instances.harness.clock.millis,
      },
    )
    assert.equal(provider.asked.at(-1)?.operation, 'refresh')
    assert.equal(instances.signer.last.priority, 'Low')
  })

  test('may be for another key', async () => {
    const { renewed, first } = await registered()
    const key = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
    const second = await renewed(first, { csr: csrOf('i-1', [], { key }) })
    assert.ok(second.checkPrivateKey(key))
  })

  test('is more urgent the less of its life a certificate has left', async () => {
    const { instances } = await registered()
    for (const [part, priority] of [
      [0.25, 'Low'],
      [0.26, 'Medium'],
      [0.74, 'Medium'],
      [0.75, 'High'],
      [1.1, 'High'],
    ] as const) {
      const certificate = identityCertificate(await instances.register())
      const [begin, end] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()]
      instances.harness.clock.millis = begin + part * (end - begin)
      await instances.refresh(certificate)
      assert.equal(instances.signer.last.priority, priority, String(part))
    }
  })

  test('of a certificate for clients is one for clients, whatever the provider says', async () => {
    const instances = await InstanceHarness.open()
    instances.fakes.provider.attributes = { certUsage: 'client' }
    const first = identityCertificate(await instances.register())
    instances.fakes.provider.attributes = {}
    await instances.refresh(first)
    assert.equal(instances.signer.last.usage, 'client')
  })

  test('tells the provider the host name of the certificate', async () => {
    const { instances, provider } = await registered()
    const csr = csrOf('i-1', ['URI:athenz://hostname/h1.example.com'])
    const first = identityCertificate(await instances.register({ csr, hostname: 'h1.example.com' }))
    await instances.refresh(first, { csr, hostname: 'h1.example.com' })
    assert.equal(provider.last.attributes['certHostname'], 'h1.example.com')
  })

  test('gives a token when one is asked for', async () => {
    const { instances, first } = await registered()
    const { body } = await instances.refresh(first, { token: true })
    const parsed = parsePrincipalToken(body.serviceToken)
    assert.ok(parsed.ok)
    assert.deepEqual([parsed.token.domain, parsed.token.name, parsed.token.keyService], ['sports', 'api', 'zts'])
  })

  test('asks no record when the provider says so, and writes none', async () => {
    const { instances, first, record, provider } = await registered()
    await instances.fakes.records.delete(...KEY)
    provider.attributes = { certRefresh: 'false' }
    identityCertificate(await instances.refresh(first))
    assert.equal(await record(), undefined)
  })

  test('is refused', async () => {
    const { instances, first } = await registered()
    const ca = await TestCa.create()
    const issue = async (names: readonly string[]) => {
      const { cert } = await ca.issue({
        subject: [{ type: 'CN', value: 'sports.api' }],
        names: names.map((value) => ({ type: 'uri', value })),
      })
      return new X509Certificate(cert)
    }
    const mismatch = refusal(400, 'CSR validation failed - instance id mismatch')
    const cases: readonly (readonly [string, Promise<unknown>, object])[] = [
      ['nothing is asked for', instances.refresh(first, { csr: undefined }), refusal(400, 'no csr provided')],
      ['empty', instances.refresh(first, { csr: '', ssh: '' }), refusal(400, 'no csr provided')],
      [
        'another service',
        instances.refresh(first, {}, { as: 'sports.web' }),
        refusal(400, 'Principal mismatch: sports.api vs. sports.web'),
      ],
      ['a token', instances.refresh(undefined), refusal(400, 'Unsupported authority for TLS Certs: Auth-TEST')],
      ['a certificate of a role', instances.refresh(first, {}, ROLE), mismatch],
      [
        'a certificate of a role, for SSH',
        instances.refresh(first, { csr: undefined, ssh: '{}' }, ROLE),
        refusal(400, 'Unsupported authority for TLS Certs: Auth-TEST'),
      ],
      ['what is no request', instances.refresh(first, { csr: 'junk' }), refusal(400, 'unable to parse PKCS10 CSR')],
      ['another id in the path', instances.refresh(first, { csr: csrOf('i-1') }, { instanceId: 'i-2' }), mismatch],
      ['another id in the request', instances.refresh(first, { csr: csrOf('i-2') }), mismatch],
      [
        'another id in the certificate',
        instances.refresh(await issue([`athenz://instanceid/${PROVIDER}/i-2`])),
        mismatch,
      ],
      [
        'two ids in the certificate',
        instances.refresh(await issue(['athenz://instanceid/a/i-1', 'athenz://instanceid/a/i-2'])),
        mismatch,
      ],
      ['no id in the certificate', instances.refresh(await issue([])), mismatch],
      [
        'another name',
        instances.refresh(first, {
          csr: requestFor('sports.web', ['DNS:api.sports.example.cloud', `URI:athenz://instanceid/${PROVIDER}/i-1`]),
        }),
        refusal(400, 'CSR validation failed - Unable to validate CSR common name'),
      ],
      [
        'a provider that does not vouch',
        instances.refresh(first, { attestationData: 'wrong' }),
        refusal(
          403,
          'unable to verify attestation data: ResourceException (403): it is not ours client: null clientIP: 192.0.2.1 clientHost: null',
        ),
      ],
    ]
    for (const [name, answer, expected] of cases) assert.deepEqual(await answer, expected, name)
    // Nothing of this has changed what is known of the instance.
    identityCertificate(await instances.refresh(first))
  })

  test('by a provider that may not launch is refused after those who may not ask', async () => {
    const { instances, first } = await registered()
    const { harness } = instances
    harness.receive({ ...SYSTEM_DOMAIN, policies: [] })
    for (const [body, options, expected] of [
      [{ csr: undefined }, {}, refusal(400, 'no csr provided')],
      [{}, { as: 'sports.web' }, refusal(400, 'Principal mismatch: sports.api vs. sports.web')],
      [{}, {}, refusal(403, `provider '${PROVIDER}' not authorized to launch instances in Athenz`)],
    ] as const) {
      assert.deepEqual(await instances.refresh(first, body, options), expected)
    }
    assert.deepEqual(await instances.refresh(undefined), refusal(400, 'Unsupported authority for TLS Certs: Auth-TEST'))
    harness.receive({ ...SPORTS_DOMAIN, services: [] })
    assert.deepEqual(
      await instances.refresh(first, {}, { as: 'sports.web' }),
      refusal(400, 'Service not registered in domain'),
    )
  })
})

suite('certificates that somebody has copied', () => {
  test('the one before is accepted, and stays the one before', async () => {
    const { renewed, first, record } = await registered()
    await renewed(first)
    const third = await renewed(first)
    const { currentSerial, prevSerial } = (await record()) ?? {}
    assert.deepEqual([currentSerial, prevSerial], [serialOf(third), serialOf(first)])
    await renewed(third)
  })

  test('an older one ends the renewals of the instance, for everybody, until it registers again', async () => {
    const { instances, renewed, first, record, log } = await registered()
    const second = await renewed(first)
    const third = await renewed(second)
    const signed = instances.signer.requests.length
    assert.deepEqual(await instances.refresh(first), REVOKED)
    const { currentSerial, prevSerial } = (await record()) ?? {}
    assert.deepEqual([currentSerial, prevSerial], ['-1', '-1'])
    assert.match(log.at(-1) ?? '', /warn instance i-1 of sports.api .* is revoked/)
    for (const certificate of [third, second, first]) assert.deepEqual(await instances.refresh(certificate), REVOKED)
    assert.equal(instances.signer.requests.length, signed)
    const fourth = identityCertificate(await instances.register())
    const fifth = await renewed(fourth)
    assert.deepEqual(await instances.refresh(third), REVOKED)
    assert.deepEqual(await instances.refresh(fifth), REVOKED)
  })

  test('one that was never issued here ends them, too', async () => {
    const { instances, first } = await registered()
    const ca = await TestCa.create()
    const { cert } = await ca.issue({
      subject: [{ type: 'CN', value: 'sports.api' }],
      names: [{ type: 'uri', value: `athenz://instanceid/${PROVIDER}/i-1` }],
    })
    assert.deepEqual(await instances.refresh(new X509Certificate(cert)), REVOKED)
    assert.deepEqual(await instances.refresh(first), REVOKED)
  })

  test('without a record nothing is renewed', async () => {
    const { instances, first, records } = await registered()
    await records.delete(...KEY)
    assert.deepEqual(await instances.refresh(first), NO_RECORD)
  })

  test('certificates from before a reset may begin a new record, or go on with the one there is', async () => {
    const future = String(Date.now() + 3_600_000)
    const past = '1000'
    const reset = await registered({ properties: { cert_refresh_reset_time: future } })
    await reset.records.delete(...KEY)
    const second = await reset.renewed(reset.first)
    assert.equal((await reset.record())?.currentSerial, serialOf(second))
    await reset.renewed(second)
    await reset.renewed(reset.first)
    await reset.renewed(reset.first)
    const late = await registered({ properties: { cert_refresh_reset_time: past } })
    await late.records.delete(...KEY)
    assert.deepEqual(await late.instances.refresh(late.first), NO_RECORD)
  })

  test('two renewals at once: both succeed, one after the other, and the certificate of the first is an older one then', async () => {
    const { instances, first, record } = await registered()
    const answers = await Promise.all([instances.refresh(first), instances.refresh(first)])
    const serials = answers.map((answer) => serialOf(identityCertificate(answer)))
    const { currentSerial = '', prevSerial } = (await record()) ?? {}
    assert.equal(prevSerial, serialOf(first))
    assert.ok(serials.includes(currentSerial))
    const orphan = answers[serials.indexOf(currentSerial) === 0 ? 1 : 0]
    assert.ok(orphan)
    assert.deepEqual(await instances.refresh(identityCertificate(orphan)), REVOKED)
  })

  test('a renewal and the copy of an older certificate at once: whoever comes first, the instance is revoked', async () => {
    const { instances, renewed, first } = await registered()
    const second = await renewed(first)
    const third = await renewed(second)
    const [good, copy] = await Promise.all([instances.refresh(third), instances.refresh(first)])
    assert.deepEqual(copy, REVOKED)
    if (good.status !== 200) assert.deepEqual(good, REVOKED)
    assert.deepEqual(await instances.refresh(third), REVOKED)
    if (good.status === 200) assert.deepEqual(await instances.refresh(identityCertificate(good)), REVOKED)
  })

  test('many renewals at once leave a record that is in order', async () => {
    const { instances, first, record } = await registered()
    const answers = await Promise.all(Array.from({ length: 5 }, () => instances.refresh(first)))
    const issued = answers.filter(({ status }) => status === 200).map((answer) => serialOf(identityCertificate(answer)))
    for (const { status } of answers) assert.ok(status === 200 || status === 409, String(status))
    assert.ok(issued.includes((await record())?.currentSerial ?? ''))
    assert.equal((await record())?.prevSerial, serialOf(first))
  })

  test('a renewal that meets a removal gives nothing', async () => {
    const records = new MemoryCertificateRecords()
    const { instances, first } = await registered({ parts: { certificateRecords: records } })
    const update = records.update.bind(records)
    records.update = async (record, replaced) => {
      await records.delete(...KEY)
      return update(record, replaced)
    }
    assert.deepEqual(await instances.refresh(first), NO_RECORD)
  })
})

suite('records that are away', () => {
  test('nothing is renewed, and nothing is signed for it', async () => {
    const records = new MemoryCertificateRecords()
    const { instances, first } = await registered({ parts: { certificateRecords: records } })
    const signed = instances.signer.requests.length
    records.get = () => Promise.reject(new ServiceError('unavailable', 'Records of instances are not available'))
    assert.deepEqual(await instances.refresh(first), refusal(503, 'Records of instances are not available'))
    assert.equal(instances.signer.requests.length, signed)
  })

  test('a certificate that cannot be noted is not given', async () => {
    for (const [error, status, message] of [
      [new Error('disk full'), 500, 'unable to update cert db'],
      [
        new ServiceError('unavailable', 'Records of instances are not available'),
        503,
        'Records of instances are not available',
      ],
    ] as const) {
      const records = new MemoryCertificateRecords()
      const { instances, first } = await registered({ parts: { certificateRecords: records } })
      records.update = () => Promise.reject(error)
      assert.deepEqual(await instances.refresh(first), refusal(status, message))
    }
  })
})

suite('removal', () => {
  const target = `/instance/${PROVIDER}/sports/api/i-1`

  test('is for the provider and for who may delete instances of the domain; then nothing is renewed', async () => {
    for (const as of [PROVIDER, 'user.admin']) {
      const { instances, first, record, sshRecords } = await registered()
      await sshRecords.put({
        instanceId: 'i-1',
        service: 'sports.api',
        principals: 'h',
        clientIp: '',
        privateIp: '',
        issueTime: 0,
      })
      assert.deepEqual(await instances.harness.delete(target, { as }), { status: 204, headers: {}, body: undefined })
      assert.equal(await record(), undefined)
      assert.equal(await sshRecords.get('i-1', 'sports.api'), undefined)
      assert.equal((await instances.harness.delete(target, { as })).status, 204)
      assert.deepEqual(await instances.refresh(first), NO_RECORD)
    }
  })

  test('is refused to others', async () => {
    const { instances, record } = await registered()
    const denied = refusal(403, 'principal not authorized to delete the requested instance record')
    for (const as of ['user.joe', 'sports.api', 'sys.host.other']) {
      assert.deepEqual(await instances.harness.delete(target, { as }), denied, as)
    }
    assert.deepEqual(
      await instances.harness.delete(target, { as: 'user.admin', principal: { roles: ['sports:role.admin'] } }),
      refusal(403, 'Role Identity not authorized for request'),
    )
    assert.deepEqual(
      await instances.harness.delete(`/instance/${PROVIDER}/nosuch/api/i-1`, { as: 'user.admin' }),
      refusal(404, 'Domain not found'),
    )
    assert.ok(await record())
  })
})
