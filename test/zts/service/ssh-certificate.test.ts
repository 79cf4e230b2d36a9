import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { refusal, START_MILLIS } from './harness.ts'
import { csrOf, InstanceHarness, identityCertificate, PROVIDER } from './instance-parts.ts'

const PUBLIC_KEY = 'ssh-ed25519 AAAA'

const request = (data: object = {}, meta: object = {}) => ({
  certRequestData: { principals: [], publicKey: PUBLIC_KEY, ...data },
  certRequestMeta: { requestor: 'x', origin: '192.0.2.1', certType: 'host', transId: 't-1', ...meta },
})

const hostRequest = { sshCertRequest: request({ principals: ['h1.example.com', '192.0.2.1'] }) }

async function withHost(options: Parameters<typeof InstanceHarness.open>[0] = {}, attributes: object = {}) {
  const instances = await InstanceHarness.open(options)
  instances.fakes.provider.attributes = { certSSH: 'true', ...attributes }
  return { instances, ...instances.fakes }
}

suite('SSH certificates of instances', () => {
  test('come with the identity when the provider allows it, and are noted', async () => {
    const { instances, sshSigner, sshRecords } = await withHost({}, { instancePrivateIp: '10.0.0.2' })
    const answer = await instances.register({ ...hostRequest, hostname: 'h1.example.com' })
    assert.deepEqual([answer.body.sshCertificate, answer.body.sshCertificateSigner], ['ssh-host-cert', 'ssh-host-ca'])
    assert.equal(answer.body.attributes, undefined)
    assert.deepEqual(sshSigner.requests, [
      {
        principal: 'sports.api',
        certType: 'host',
        principals: ['h1.example.com', '192.0.2.1'],
        keyId: 'sports.api i-1 t-1',
        publicKey: PUBLIC_KEY,
        sources: [],
        command: undefined,
        signerKeyId: undefined,
      },
    ])
    assert.deepEqual(await sshRecords.get('i-1', 'sports.api'), {
      instanceId: 'i-1',
      service: 'sports.api',
      principals: 'h1.example.com,192.0.2.1',
      clientIp: '192.0.2.1',
      privateIp: '10.0.0.2',
      issueTime: START_MILLIS,
    })
    const refreshed = await instances.refresh(identityCertificate(answer), {
      ...hostRequest,
      hostname: 'h1.example.com',
    })
    assert.equal(refreshed.body.sshCertificate, 'ssh-host-cert')
  })

  test('are for the name of the host, or its address, when the request names nothing', async () => {
    const { instances, sshSigner } = await withHost()
    await instances.register({ sshCertRequest: request(), hostname: 'h1.example.com' })
    await instances.register({ sshCertRequest: request() })
    assert.deepEqual(
      sshSigner.requests.map(({ principals }) => principals),
      [['h1.example.com'], ['192.0.2.1']],
    )
  })

  test('may be asked for in the form of old clients', async () => {
    const { instances, sshSigner } = await withHost({}, { attestedSshCertPrincipals: 'h9.example.com' })
    const ssh = JSON.stringify({
      principals: ['h1.example.com'],
      xprincipals: ['192.0.2.1', 'h9.example.com', 'h1.example.com'],
      pubkey: PUBLIC_KEY,
      reqip: '192.0.2.1',
      requser: 'root',
      certtype: 'host',
      transid: 'a b',
    })
    const { body } = await instances.register({ ssh, hostname: 'h1.example.com' })
    assert.equal(body.sshCertificate, 'ssh-host-cert')
    const { principals, keyId } = sshSigner.requests[0] ?? {}
    assert.deepEqual([principals, keyId], [['h1.example.com', '192.0.2.1', 'h9.example.com'], 'sports.api i-1'])
  })

  test('are signed with the key of the service, of the domain, or the one asked for', async () => {
    const services = [{ name: 'sports.api', sshCertSignerKeyId: 'service-key' }]
    for (const [sports, expected] of [
      [{ services, sshCertSignerKeyId: 'domain-key' }, 'service-key'],
      [{ sshCertSignerKeyId: 'domain-key' }, 'domain-key'],
      [{}, 'asked'],
    ] as const) {
      const { instances, sshSigner } = await withHost({ sports })
      await instances.register({ sshCertRequest: request(), sshCertSignerKeyId: 'asked' })
      assert.equal(sshSigner.requests[0]?.signerKeyId, expected)
    }
  })

  test('are left out, and the identity is given, when something is wrong with them', async () => {
    const cases: readonly (readonly [string, object, RegExp | undefined, object?])[] = [
      ['the provider does not allow it', hostRequest, undefined, { certSSH: 'false' }],
      ['nothing is asked for', {}, undefined],
      [
        'a name of another host',
        { sshCertRequest: request({ principals: ['h2.example.com'] }) },
        /not authorized for the SSH principals h2/,
      ],
      ['a pattern', { sshCertRequest: request({ principals: ['*'] }) }, /no host name/],
      [
        'several in one',
        { sshCertRequest: request({ principals: ['h1.example.com,h2.example.com'] }) },
        /no host name/,
      ],
      ['a user', { sshCertRequest: request({}, { certType: 'user' }) }, /not for a host/],
      ['neither', { sshCertRequest: request({}, { certType: 'root' }) }, /neither for a user nor for a host/],
      ['no JSON', { ssh: 'junk' }, /no JSON/],
      ['no object', { ssh: '7' }, /no JSON object/],
      ['names that are none', { ssh: '{"principals":"root"}' }, /no list of texts/],
      ['a key that is none', { ssh: '{"pubkey":7}' }, /pubkey that is no text/],
    ]
    for (const [name, body, reason, attributes] of cases) {
      const { instances, sshSigner, log } = await withHost({}, attributes)
      const answer = await instances.register({ ...body, hostname: 'h1.example.com' })
      assert.equal(answer.status, 201, name)
      assert.equal(answer.body.sshCertificate, undefined, name)
      assert.deepEqual(sshSigner.requests, [], name)
      if (reason) assert.match(log.at(-1) ?? '', reason, name)
    }
    const { instances, sshSigner } = await withHost()
    sshSigner.failure = new Error('no key')
    assert.equal(
      (await instances.register({ ...hostRequest, hostname: 'h1.example.com' })).body.sshCertificate,
      undefined,
    )
  })

  test('are only for requests from the address of the caller where the operator wants that', async () => {
    const { instances, sshSigner } = await withHost({ properties: { ssh_cert_validate_ip: 'true' } })
    await instances.register({ sshCertRequest: request({}, { origin: '192.0.2.2' }) })
    assert.deepEqual(sshSigner.requests, [])
    await instances.register({ sshCertRequest: request() })
    assert.equal(sshSigner.requests.length, 1)
  })

  test('come without the key of the authority where the operator wants that', async () => {
    const { instances } = await withHost({ properties: { resp_ssh_signer_certs: 'false' } })
    const { body } = await instances.register({ sshCertRequest: request() })
    assert.deepEqual([body.sshCertificate, body.sshCertificateSigner], ['ssh-host-cert', undefined])
  })

  test('of users may be renewed alone', async () => {
    const { instances, sshSigner } = await withHost()
    const first = identityCertificate(await instances.register())
    const user = { csr: undefined, sshCertRequest: request({ principals: ['sports.api'] }, { certType: 'user' }) }
    const { status, body } = await instances.refresh(first, user)
    assert.deepEqual(
      [status, body],
      [
        200,
        {
          provider: PROVIDER,
          name: 'sports.api',
          instanceId: 'i-1',
          sshCertificate: 'ssh-user-cert',
          sshCertificateSigner: 'ssh-user-ca',
        },
      ],
    )
    sshSigner.failure = new Error('no key')
    assert.deepEqual(await instances.refresh(first, user), refusal(500, 'unable to generate ssh identity'))
    const without = await InstanceHarness.open({ parts: { sshSigner: undefined } })
    const again = identityCertificate(await without.register())
    const { status: statusWithout, body: bodyWithout } = await without.refresh(again, user)
    const identity = { provider: PROVIDER, name: 'sports.api', instanceId: 'i-1' }
    assert.deepEqual([statusWithout, bodyWithout], [200, identity])
  })
})

suite('POST /sshcert', () => {
  const user = (data: object = {}, meta: object = {}) => request(data, { certType: 'user', ...meta })

  test('gives people certificates for their own name', async () => {
    const { harness, fakes } = await InstanceHarness.open()
    const answer = await harness.post(
      '/sshcert',
      user({ principals: ['joe'], sources: ['10.0.0.0/8'], command: 'date' }),
      { as: 'user.joe' },
    )
    assert.deepEqual(answer, {
      status: 201,
      headers: {},
      body: { certificates: [{ certificate: 'ssh-user-cert' }], certificateSigner: 'ssh-user-ca' },
    })
    const [{ principals, sources, command, principal, keyId } = {}] = fakes.sshSigner.requests
    assert.deepEqual(
      [principal, principals, sources, command, keyId],
      ['user.joe', ['joe'], ['10.0.0.0/8'], 'date', 'user.joe t-1'],
    )
    await harness.post('/sshcert', user(), { as: 'user.joe' })
    await harness.post('/sshcert', user(), { as: 'sports.api' })
    assert.deepEqual(
      fakes.sshSigner.requests.slice(1).map((each) => each.principals),
      [['joe'], ['sports.api']],
    )
  })

  test('is signed with the key of the service or of its domain', async () => {
    const services = [{ name: 'sports.api', sshCertSignerKeyId: 'service-key' }]
    for (const [sports, as, expected] of [
      [{ services, sshCertSignerKeyId: 'domain-key' }, 'sports.api', 'service-key'],
      [{ services, sshCertSignerKeyId: 'domain-key' }, 'sports.web', 'domain-key'],
      [{ services }, 'sports.web', undefined],
      [{ services }, 'user.joe', undefined],
    ] as const) {
      const { harness, fakes } = await InstanceHarness.open({ sports })
      assert.equal((await harness.post('/sshcert', user(), { as })).status, 201)
      assert.equal(fakes.sshSigner.requests[0]?.signerKeyId, expected)
    }
  })

  test('is signed for hosts with the key of their service', async () => {
    const { instances, sshSigner } = await withHost({ sports: { sshCertSignerKeyId: 'domain-key' } })
    const x509Certificate = identityCertificate(
      await instances.register({ ...hostRequest, hostname: 'h1.example.com' }),
    )
    await instances.harness.post('/sshcert', request(), { as: 'sports.api', principal: { x509Certificate } })
    assert.deepEqual(
      sshSigner.requests.map(({ signerKeyId }) => signerKeyId),
      ['domain-key', 'domain-key'],
    )
  })

  test('tells the signer what else is asked for', async () => {
    const { harness, fakes } = await InstanceHarness.open()
    const data = { destinations: ['h1.example.com'], touchPublicKey: 'sk-key', caPubKeyAlgo: 3 }
    await harness.post('/sshcert', { ...user(data), attestationData: 'proof' }, { as: 'user.joe' })
    await harness.post('/sshcert', user(), { as: 'user.joe' })
    assert.deepEqual(
      fakes.sshSigner.requests.map(({ further }) => further),
      [{ ...data, attestationData: 'proof' }, undefined],
    )
  })

  test('gives nobody a certificate for somebody else', async () => {
    const { harness, fakes } = await InstanceHarness.open()
    for (const [as, name] of [
      ['user.joe', 'root'],
      ['user.joe', 'user.joe'],
      ['user.joe', 'JOE'],
      ['sports.api', 'api'],
      ['sports.joe', 'joe'],
    ] as const) {
      assert.deepEqual(
        await harness.post('/sshcert', user({ principals: [name] }), { as }),
        refusal(403, `${as} is not authorized for the SSH principal ${name}`),
      )
    }
    assert.deepEqual(
      await harness.post('/sshcert', user({ principals: ['joe', 'root'] }), { as: 'user.joe' }),
      refusal(403, 'user.joe is not authorized for the SSH principal root'),
    )
    assert.deepEqual(
      await harness.post('/sshcert', user(), { as: 'user.joe', principal: { roles: ['sports:role.admin'] } }),
      refusal(403, 'Role Identity not authorized for request'),
    )
    assert.deepEqual(fakes.sshSigner.requests, [])
  })

  test('gives hosts a certificate for what they were given one before', async () => {
    const { instances, sshSigner } = await withHost()
    const x509Certificate = identityCertificate(
      await instances.register({ ...hostRequest, hostname: 'h1.example.com' }),
    )
    const ask = (principals: readonly string[], as = 'sports.api', principal: object = { x509Certificate }) =>
      instances.harness.post('/sshcert', request({ principals }), { as, principal })
    assert.equal((await ask(['h1.example.com'])).status, 201)
    assert.deepEqual(sshSigner.requests.at(-1)?.principals, ['h1.example.com'])
    assert.deepEqual(
      await ask(['h2.example.com']),
      refusal(403, 'the host is not authorized for the SSH principals h2.example.com'),
    )
    assert.deepEqual(
      await ask(['h1.example.com'], 'sports.api', {}),
      refusal(403, 'sports.api is not authorized for an SSH certificate of a host'),
    )
    assert.deepEqual(
      await ask(['h1.example.com'], 'sports.web'),
      refusal(403, 'sports.web is not authorized for an SSH certificate of a host'),
    )
    const other = identityCertificate(await instances.register({ csr: csrOf('i-2') }))
    assert.deepEqual(
      await ask(['h1.example.com'], 'sports.api', { x509Certificate: other }),
      refusal(403, 'sports.api is not authorized for an SSH certificate of a host'),
    )
  })

  test('gives hosts all their names again, whatever they asked for in between', async () => {
    const { instances, sshSigner, sshRecords } = await withHost({}, { attestedSshCertPrincipals: 'h9.example.com' })
    const names = ['h1.example.com', 'h9.example.com']
    const sshCertRequest = request({ principals: names })
    const x509Certificate = identityCertificate(
      await instances.register({ sshCertRequest, hostname: 'h1.example.com' }),
    )
    for (const [asked, given] of [
      [['h1.example.com'], ['h1.example.com']],
      [names, names],
      [[], names],
    ] as const) {
      const answer = await instances.harness.post('/sshcert', request({ principals: asked }), {
        as: 'sports.api',
        principal: { x509Certificate },
      })
      assert.equal(answer.status, 201)
      assert.deepEqual(sshSigner.requests.at(-1)?.principals, given)
    }
    assert.equal((await sshRecords.get('i-1', 'sports.api'))?.principals, names.join(','))
  })

  test('answers with nothing when there is no signer', async () => {
    const { harness } = await InstanceHarness.open({ parts: { sshSigner: undefined } })
    assert.deepEqual(await harness.post('/sshcert', user(), { as: 'user.joe' }), {
      status: 201,
      headers: {},
      body: undefined,
    })
  })
})
