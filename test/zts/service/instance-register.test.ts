import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { parseJwt } from '#core/token/json-web-token.ts'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { AllowedAddresses } from '#zts/cert/allowed-addresses.ts'
import { ProviderRefusal } from '#zts/cert/instance-provider.ts'
import { MemoryCertificateRecords } from '#zts/store/memory/memory-certificate-records.ts'
import { TestCa } from '../../core/authority/support.ts'
import { REQUEST_KEY, requestFor } from '../../support/certificate-requests.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { refusal, START_MILLIS } from './harness.ts'
import { csrOf, InstanceHarness, identityCertificate, PROVIDER, SYSTEM_DOMAIN, serialOf } from './instance-parts.ts'

/** A harness whose calls can be taken out of it. */
const bound = (harness: InstanceHarness) => ({
  fakes: harness.fakes,
  signer: harness.signer,
  harness: harness.harness,
  register: harness.register.bind(harness),
})

const RECORD = ['sys.host.provider', 'i-1', 'sports.api'] as const

suite('registration', () => {
  test('gives a certificate, notes it, and says where the instance is', async () => {
    const { fakes, signer, register } = bound(await InstanceHarness.open())
    const answer = await register(
      { hostname: 'h1.example.com' },
      { anonymous: true, headers: { host: 'zts.example.com:8443', 'user-agent': 'SIA-openstack 1.2' } },
    )
    assert.equal(answer.status, 201)
    assert.equal(answer.headers['location'], `https://zts.example.com:8443/zts/v1/instance/${PROVIDER}/sports/api/i-1`)
    const certificate = identityCertificate(answer)
    assert.deepEqual(
      { ...answer.body, x509Certificate: undefined },
      {
        provider: PROVIDER,
        name: 'sports.api',
        instanceId: 'i-1',
        x509Certificate: undefined,
        x509CertificateSigner: signer.authority,
      },
    )
    const record = await fakes.records.get(...RECORD)
    assert.deepEqual(record, {
      provider: PROVIDER,
      instanceId: 'i-1',
      service: 'sports.api',
      currentSerial: serialOf(certificate),
      currentTime: certificate.validFromDate.getTime(),
      currentIp: '192.0.2.1',
      prevSerial: serialOf(certificate),
      prevTime: certificate.validFromDate.getTime(),
      prevIp: '192.0.2.1',
      clientCert: false,
      expiryTime: certificate.validToDate.getTime(),
      hostName: 'h1.example.com',
      siaProvider: 'openstack',
    })
    const { priority, usage, provider } = signer.last
    assert.deepEqual([priority, usage, provider], ['High', undefined, PROVIDER])
  })

  test('asks the provider with everything that is known', async () => {
    const { fakes, register } = bound(await InstanceHarness.open())
    const ca = await TestCa.create()
    const { cert } = await ca.issue({
      subject: [
        { type: 'O', value: 'a, b' },
        { type: 'CN', value: 'user.admin' },
      ],
    })
    const names = [
      'IP:10.0.0.1',
      'IP:10.0.0.2',
      'DNS:*.api.sports.example.cloud',
      'DNS:h1.example.com',
      'DNS:x.sports.example.org',
    ]
    await register(
      { csr: csrOf('i-1', names), hostname: 'h1.example.com', cloud: 'aws' },
      { as: 'user.admin', principal: { x509Certificate: new X509Certificate(cert) } },
    )
    const { attributes, ...confirmation } = fakes.provider.last
    assert.deepEqual(confirmation, { provider: PROVIDER, domain: 'sports', service: 'api', attestationData: 'proof' })
    assert.deepEqual(attributes, {
      instanceId: 'i-1',
      clientIP: '192.0.2.1',
      awsAccount: '1234',
      hostname: 'h1.example.com',
      principal: 'user.admin',
      instanceCloud: 'aws',
      serviceFeatureFlags: '2',
      domainFeatureFlags: '4',
      sanDNS: 'api.sports.example.cloud,h1.example.com',
      sanIP: '10.0.0.1,10.0.0.2',
      sanURI: `athenz://instanceid/${PROVIDER}/i-1`,
      csrPublicKey: publicKeyPem(REQUEST_KEY),
      certIssuerDn: new X509Certificate(cert).issuer.split('\n').toReversed().join(','),
      certSubjectDn: 'CN=user.admin,O=a\\, b',
    })
  })

  test('tells a provider elsewhere nothing of the key', async () => {
    const { fakes, register } = bound(await InstanceHarness.open())
    fakes.provider.inProcess = false
    await register()
    assert.equal(fakes.provider.last.attributes['csrPublicKey'], undefined)
  })

  test('gives the life, usage, unit and key that provider, client, domain and settings agree on', async () => {
    const sports = { serviceCertExpiryMins: 300, x509CertSignerKeyId: 'domain-key' }
    const { fakes, signer, register } = bound(await InstanceHarness.open({ sports }))
    fakes.provider.attributes = { certUsage: 'client', certExpiryTime: '360', zone: 'east' }
    const answer = await register({ expiryTime: 240, x509CertSignerKeyId: 'mine' })
    const { usage, expiryMins, signerKeyId } = signer.last
    assert.deepEqual([usage, expiryMins, signerKeyId], ['client', 240, 'domain-key'])
    assert.deepEqual(answer.body.attributes, { zone: 'east' })
    assert.equal((await fakes.records.get(...RECORD))?.clientCert, true)
    await register({ expiryTime: -5 })
    assert.equal(signer.last.expiryMins, 300)
  })

  test('keeps no record when the provider says so', async () => {
    const { fakes, register } = bound(await InstanceHarness.open())
    fakes.provider.attributes = { certRefresh: 'false' }
    assert.equal((await register()).status, 201)
    assert.equal(await fakes.records.get(...RECORD), undefined)
  })

  test('is refused before anything is signed or noted', async () => {
    const { fakes, signer, register } = bound(await InstanceHarness.open())
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const cases: readonly (readonly [object, number, string])[] = [
      [{ domain: 'nosuch' }, 404, 'Domain not found: nosuch'],
      [{ service: 'nosuch' }, 400, 'Service not registered in domain'],
      [{ provider: 'sports.api' }, 403, "provider 'sports.api' not authorized to launch instances in Athenz"],
      [{ service: 'web' }, 403, `provider '${PROVIDER}' not authorized to launch sports.web instances`],
      [{ attestationData: undefined }, 400, 'attestation data is required for x509 certificate request'],
      [{ attestationData: '' }, 400, 'attestation data is required for x509 certificate request'],
      [{ csr: 'junk' }, 400, 'unable to parse PKCS10 CSR: Invalid csr provided'],
      [
        { csr: requestFor('sports.api', ['DNS:api.sports.example.cloud']) },
        400,
        'CSR validation failed - InstanceId cannot be empty',
      ],
      [
        { csr: csrOf('i-1', ['DNS:www.example.net']) },
        400,
        'CSR validation failed - www.example.net does not end with provider/service configured suffix or hostname',
      ],
      [
        { csr: csrOf('i-1', ['DNS:i-2.instanceid.athenz.example.cloud']) },
        400,
        'CSR validation failed - more than one instance is named',
      ],
      [
        { csr: csrOf('i-1', ['URI:https://a/b,athenz://hostname/x']) },
        400,
        'CSR validation failed - a URI has a comma',
      ],
      [
        { hostname: 'h1.secret.example.com' },
        400,
        'CSR validation failed - Unable to validate Instance hostname: h1.secret.example.com',
      ],
      [
        { attestationData: 'wrong', hostname: 'h1.example.com', csr: csrOf('i-1', [], { key: other }) },
        403,
        'unable to verify attestation data: ResourceException (403): it is not ours client: null clientIP: 192.0.2.1 clientHost: h1.example.com',
      ],
    ]
    for (const [body, status, message] of cases) {
      assert.deepEqual(await register(body), refusal(status, message))
    }
    assert.deepEqual(signer.requests, [])
    assert.equal(await fakes.records.get(...RECORD), undefined)
  })

  test('by a service that is not registered is possible where the operator allows it', async () => {
    const sports = { services: [] }
    const anywhere = bound(await InstanceHarness.open({ sports, properties: { validate_service_identity: 'false' } }))
    assert.equal((await anywhere.register()).status, 201)
    for (const [list, status] of [
      ['sports', 201],
      ['spo*', 201],
      ['sport', 400],
      ['weather,other*', 400],
    ] as const) {
      const listed = bound(await InstanceHarness.open({ sports, properties: { validate_service_skip_domains: list } }))
      assert.equal((await listed.register()).status, status, list)
    }
  })

  test('is refused when the provider cannot be had, or is of the other kind', async () => {
    const { fakes, harness, register } = bound(await InstanceHarness.open())
    fakes.provider.svidTypes = 'jwt'
    assert.deepEqual(await register(), refusal(400, `invalid instance provider type for X509: ${PROVIDER}`))
    harness.receive({
      name: 'sys.host',
      modified: '2026-08-03T00:00:00.000Z',
      services: [{ name: PROVIDER, providerEndpoint: 'class://com.example.Gone' }],
    })
    assert.deepEqual(await register(), refusal(400, `unable to get instance for provider: ${PROVIDER}`))
    assert.match(fakes.log.at(-1) ?? '', /class com.example.Gone is not known/)
  })

  test('is refused when the provider lies, fails or does not answer', async () => {
    const { fakes, signer, register } = bound(await InstanceHarness.open())
    const where = 'client: curl clientIP: 192.0.2.1 clientHost: null'
    const attempt = () => register({}, { anonymous: true, headers: { 'user-agent': 'curl' } })
    const expected = (status: number, reason: string) =>
      refusal(status, `unable to verify attestation data: ResourceException (${status}): ${reason} ${where}`)
    for (const [lie, reason] of [
      [{ provider: 'sys.auth.zts' }, 'the provider answered for another provider'],
      [{ domain: 'weather' }, 'the provider answered for another domain'],
      [{ service: 'admin' }, 'the provider answered for another service'],
    ] as const) {
      fakes.provider.lie = lie
      assert.deepEqual(await attempt(), expected(403, reason))
    }
    fakes.provider.lie = {}
    fakes.provider.attributes = { certUsage: 'ca' }
    assert.deepEqual(await attempt(), expected(403, 'the provider named an unknown usage'))
    fakes.provider.attributes = {}
    fakes.provider.failure = new Error('password of the database is 123')
    assert.deepEqual(await attempt(), expected(403, 'the provider has failed'))
    fakes.provider.failure = new ProviderRefusal('the provider does not answer', 504)
    assert.deepEqual(await attempt(), expected(504, 'the provider does not answer'))
    assert.deepEqual(signer.requests, [])
  })

  test('is refused when signer or records fail', async () => {
    const { signer, register } = bound(await InstanceHarness.open())
    signer.failure = new Error('the key is locked')
    assert.deepEqual(await register(), refusal(500, 'unable to generate identity'))
    for (const [error, status, message] of [
      [new Error('disk full'), 500, 'unable to update cert db'],
      [
        new ServiceError('unavailable', 'Records of instances are not available'),
        503,
        'Records of instances are not available',
      ],
      [new ServiceError('bad-request', 'too long'), 400, 'too long'],
    ] as const) {
      const certificateRecords = Object.assign(new MemoryCertificateRecords(), { insert: () => Promise.reject(error) })
      const broken = bound(await InstanceHarness.open({ parts: { certificateRecords } }))
      assert.deepEqual(await broken.register(), refusal(status, message))
    }
  })

  test('again starts a new record', async () => {
    const { fakes, register } = bound(await InstanceHarness.open())
    const first = identityCertificate(await register())
    const second = identityCertificate(await register())
    const record = await fakes.records.get(...RECORD)
    assert.notEqual(serialOf(first), serialOf(second))
    assert.deepEqual([record?.currentSerial, record?.prevSerial], [serialOf(second), serialOf(second)])
  })

  test('notes where the instance runs, when that is on', async () => {
    const off = bound(await InstanceHarness.open())
    await off.register({ csr: csrOf('i-1', ['IP:10.0.0.1']) })
    assert.deepEqual(await off.fakes.workloads.ofService('sports.api'), [])
    const on = bound(await InstanceHarness.open({ properties: { workload_enable_store_feature: 'true' } }))
    const csr = csrOf('i-1', ['IP:10.0.0.1', 'IP:2001:db8::1'])
    const certificate = identityCertificate(await on.register({ csr }))
    const [first, second] = await on.fakes.workloads.ofService('sports.api')
    assert.deepEqual(first, {
      provider: PROVIDER,
      service: 'sports.api',
      instanceId: 'i-1',
      ip: '10.0.0.1',
      hostname: 'sports.api.10.0.0.1',
      creationTime: START_MILLIS,
      updateTime: START_MILLIS,
      certExpiryTime: certificate.validToDate.getTime(),
    })
    assert.equal(second?.ip, '2001:db8:0:0:0:0:0:1')
    await on.register({ csr, hostname: 'h1.example.com' })
    assert.equal((await on.fakes.workloads.atAddress('10.0.0.1'))[0]?.hostname, 'h1.example.com')
  })

  test('does not note that of instances whose provider is left out', async () => {
    const { fakes, register, harness } = bound(
      await InstanceHarness.open({ properties: { workload_enable_store_feature: 'true' } }),
    )
    const excluded = {
      name: 'sys.auth:role.workload.store.excluded.providers',
      roleMembers: [{ memberName: PROVIDER }],
    }
    harness.receive({ ...SYSTEM_DOMAIN, roles: [...SYSTEM_DOMAIN.roles, excluded] })
    await register({ csr: csrOf('i-1', ['IP:10.0.0.1']) })
    assert.deepEqual(await fakes.workloads.ofService('sports.api'), [])
    harness.receive(SYSTEM_DOMAIN)
    await register({ csr: csrOf('i-1', ['IP:10.0.0.1']) })
    assert.equal((await fakes.workloads.ofService('sports.api')).length, 1)
  })

  test('succeeds when it cannot be noted where the instance runs', async () => {
    const workloadRecords = {
      ofService: async () => [],
      atAddress: async () => [],
      put: () => Promise.reject(new Error('no disk')),
    }
    const { fakes, register } = bound(
      await InstanceHarness.open({ properties: { workload_enable_store_feature: 'true' }, parts: { workloadRecords } }),
    )
    assert.equal((await register({ csr: csrOf('i-1', ['IP:10.0.0.1']) })).status, 201)
    assert.deepEqual(fakes.log, ['warn workloads of instance i-1 of sports.api are not recorded: no disk'])
  })

  test('gives a token and the keys of the servers when they are asked for', async () => {
    const { harness, register } = bound(await InstanceHarness.open())
    const { body } = await register({ token: true, athenzJWK: true })
    const parsed = parsePrincipalToken(body.serviceToken)
    assert.ok(parsed.ok)
    const { domain, name, host, ip, keyService, issueTimeSeconds, expiryTimeSeconds, version } = parsed.token
    assert.deepEqual(
      [version, domain, name, host, ip, keyService, issueTimeSeconds, expiryTimeSeconds],
      ['S1', 'sports', 'api', 'zts.example.com', '192.0.2.1', 'zts', START_MILLIS / 1000, START_MILLIS / 1000 + 86_400],
    )
    assert.deepEqual(
      body.athenzJWK.zts.keys.map(({ kid, crv }: { kid: string; crv: string }) => [kid, crv]),
      [['ec0', 'P-256']],
    )
    assert.equal(body.athenzJWK.modified, new Date(START_MILLIS).toISOString())
    harness.clock.millis += 60_000
    const known = (modified: string) => register({ athenzJWK: true, athenzJWKModified: modified })
    assert.equal((await known(body.athenzJWK.modified)).body.athenzJWK, undefined)
    assert.deepEqual((await known('2026-08-01T00:00:00.000Z')).body.athenzJWK, body.athenzJWK)
    assert.equal((await register({ athenzJWK: false })).body.athenzJWK, undefined)
  })

  test('gives a JSON web token in place of a principal token where the operator wants that', async () => {
    const { register } = bound(await InstanceHarness.open({ properties: { cert_request_token_type_jwt: 'true' } }))
    const { body } = await register({ token: true, jwtSVIDAudience: 'other', jwtSVIDNonce: 'n1' })
    const parsed = parseJwt(body.serviceToken)
    assert.ok(parsed.ok)
    const { sub, aud, nonce, iss } = parsed.token.claims
    assert.deepEqual([sub, aud, nonce, iss], ['sports.api', 'other', 'n1', 'zts.example.com'])
  })

  test('repeats no host that is none', async () => {
    const { register } = bound(await InstanceHarness.open())
    for (const host of ['evil.com/x', 'a b', 'x\r\ny', '']) {
      const { headers } = await register({}, { anonymous: true, headers: { host } })
      assert.equal(headers['location'], `/zts/v1/instance/${PROVIDER}/sports/api/i-1`)
    }
  })
})

suite('registration without a certificate', () => {
  const jwt = { csr: undefined, jwtSVIDInstanceId: 'i-9', jwtSVIDAudience: 'https://other.example.com' }

  test('gives a JSON web token', async () => {
    const { fakes, register } = bound(await InstanceHarness.open())
    fakes.provider.svidTypes = 'both'
    fakes.provider.attributes = { zone: 'east' }
    const answer = await register({
      ...jwt,
      attestationData: undefined,
      expiryTime: 600,
      jwtSVIDSpiffe: 'spiffe://sports/sa/api',
      jwtSVIDNonce: 'n1',
    })
    assert.equal(answer.status, 201)
    const { serviceToken, ...identity } = answer.body
    assert.deepEqual(identity, { provider: PROVIDER, name: 'sports.api', instanceId: 'i-9' })
    const parsed = parseJwt(serviceToken)
    assert.ok(parsed.ok)
    assert.deepEqual(parsed.token.claims, {
      sub: 'sports.api',
      aud: 'https://other.example.com',
      ver: 1,
      iss: 'zts.example.com',
      nonce: 'n1',
      spiffe: 'spiffe://sports/sa/api',
      iat: START_MILLIS / 1000,
      auth_time: START_MILLIS / 1000,
      exp: START_MILLIS / 1000 + 600,
    })
    assert.equal(fakes.provider.last.attributes['instanceId'], 'i-9')
  })

  test('gives one about the SPIFFE id', async () => {
    const { fakes, register } = bound(await InstanceHarness.open())
    fakes.provider.svidTypes = 'jwt'
    const { body } = await register({ ...jwt, jwtSVIDSpiffe: 'spiffe://sports/sa/api', jwtSVIDSpiffeSubject: true })
    const parsed = parseJwt(body.serviceToken)
    assert.ok(parsed.ok)
    const { sub, spiffe, nonce } = parsed.token.claims
    assert.deepEqual([sub, spiffe, nonce], ['spiffe://sports/sa/api', undefined, undefined])
  })

  test('is refused', async () => {
    const { fakes, register } = bound(await InstanceHarness.open())
    fakes.provider.svidTypes = 'jwt'
    const cases: readonly (readonly [object, number, string])[] = [
      [{ jwtSVIDAudience: undefined }, 400, 'Audience is required for jwt SVID requests'],
      [{ jwtSVIDSpiffe: 'spiffe://sports/sa/web' }, 400, 'SPIFFE URI validation failed'],
      [{ jwtSVIDSpiffeSubject: true }, 400, 'SPIFFE URI is required when jwtSVIDSpiffeSubject is true'],
      [
        { attestationData: 'wrong' },
        403,
        'unable to verify attestation data: ResourceException (403): it is not ours client: null clientIP: 192.0.2.1 clientHost: null',
      ],
    ]
    for (const [body, status, message] of cases)
      assert.deepEqual(await register({ ...jwt, ...body }), refusal(status, message))
    fakes.provider.svidTypes = 'x509'
    assert.deepEqual(await register(jwt), refusal(400, `invalid instance provider type for JWT: ${PROVIDER}`))
  })
})

suite('register tokens', () => {
  const target = `/instance/${PROVIDER}/sports/api/i-1/token`

  test('are given where no provider has instances, too', async (t) => {
    const folder = temporaryFolder()
    const [networks, providers] = [join(folder, 'networks.json'), join(folder, 'providers.json')]
    writeFileSync(networks, JSON.stringify({ prefixes: [{ ip_prefix: '10.0.0.0/8' }] }))
    writeFileSync(providers, JSON.stringify({ ipblocks: [{ filename: networks, providers: [PROVIDER] }] }))
    const allowedAddresses = await AllowedAddresses.open(
      { services: undefined, providers, rootDirectory: folder },
      () => {},
    )
    t.after(() => allowedAddresses.close())
    const { fakes, harness, register } = bound(await InstanceHarness.open({ parts: { allowedAddresses } }))
    fakes.provider.instanceRegisterToken = async (confirmation) => confirmation
    assert.deepEqual(await register({}), refusal(403, `Unknown IP: 192.0.2.1 for Provider: ${PROVIDER}`))
    assert.equal((await harness.get(target)).status, 200)
  })

  test('are those of the provider', async () => {
    const { fakes, harness } = await InstanceHarness.open()
    fakes.provider.instanceRegisterToken = async (confirmation) => ({
      ...confirmation,
      attestationData: JSON.stringify(confirmation.attributes),
    })
    const { status, body } = await harness.get(target)
    assert.equal(status, 200)
    const { attestationData, ...names } = body
    assert.deepEqual(names, { provider: PROVIDER, domain: 'sports', service: 'api' })
    const { instanceId, principal } = JSON.parse(attestationData) as Record<string, string>
    assert.deepEqual([instanceId, principal], ['i-1', 'user.admin'])
  })

  test('are refused', async () => {
    const { fakes, harness } = await InstanceHarness.open()
    assert.deepEqual(await harness.get(target, { as: 'user.joe' }), refusal(403, 'Forbidden'))
    assert.deepEqual(
      await harness.get(target),
      refusal(400, 'unable to get instance register token: ResourceException (501): Not Implemented'),
    )
    fakes.provider.instanceRegisterToken = () => Promise.reject(new ProviderRefusal('not today'))
    assert.deepEqual(
      await harness.get(target),
      refusal(400, 'unable to get instance register token: ResourceException (403): not today'),
    )
  })
})
