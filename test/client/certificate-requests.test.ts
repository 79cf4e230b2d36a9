import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  lambdaInstance,
  newPrivateKey,
  privateKeyPem,
  roleCertificateRequest,
  serviceCertificateRequest,
  tokenIdentity,
  ZtsClient,
} from '#client/index.ts'
import { buildCertificate, selfIssuer } from '#core/crypto/certificate.ts'
import { parseCertificateRequest, verifiedPublicKey } from '#core/crypto/certificate-request-reader.ts'
import { pemBlocks } from '#core/crypto/pem.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { failedWith } from '../support/client-failure.ts'
import { type FakeAnswer, jsonAnswer, startFakeService } from '../support/fake-service.ts'

/** What a request asks for; its signature holds. */
async function asked(pem: string) {
  const [block] = pemBlocks(pem)
  assert.equal(block?.label, 'CERTIFICATE REQUEST')
  const der = Buffer.from(block.text.split('\n').slice(1, -2).join(''), 'base64')
  const request = parseCertificateRequest(der)
  await verifiedPublicKey(request)
  const names = request.alternativeNames.map(({ type, value }) => `${type}:${value}`)
  return { subject: Object.fromEntries(request.subject), names, kind: request.keyKind.name }
}

const privateKey = await newPrivateKey('ec')

describe('a request of a service', () => {
  for (const [kind, name] of [
    ['rsa', 'RSA'],
    ['ec', 'P-256'],
  ] as const) {
    test(`has its names and is signed with its key, ${name}`, async () => {
      const key = privateKeyPem(await newPrivateKey(kind))
      const options = { domain: 'sports.eu', service: 'api', dnsDomain: 'athenz.cloud', privateKey: key }
      const { subject, names, kind: keyKind } = await asked(await serviceCertificateRequest(options))
      assert.deepEqual(subject, { CN: ['sports.eu.api'] })
      assert.deepEqual(names, ['dns:api.sports-eu.athenz.cloud', 'uri:spiffe://sports.eu/sa/api'])
      assert.equal(keyKind, name)
    })
  }

  test('names the instance, an address, a subject and a trust domain', async () => {
    const { subject, names } = await asked(
      await serviceCertificateRequest({
        domain: 'sports',
        service: 'api',
        dnsDomain: 'athenz.cloud',
        privateKey,
        subject: { country: 'US', organization: 'Athenz', unit: 'Tests' },
        ip: '10.0.0.1',
        dnsNames: ['i1.instanceid.athenz.cloud'],
        spiffeTrustDomain: 'athenz.io',
        instance: { provider: 'sys.auth.zts', id: 'i1' },
      }),
    )
    assert.deepEqual(Object.values(subject).flat(), ['Athenz', 'Tests', 'sports.api'])
    assert.deepEqual(names, [
      'dns:api.sports.athenz.cloud',
      'dns:i1.instanceid.athenz.cloud',
      'ip:10.0.0.1',
      'uri:spiffe://athenz.io/ns/default/sa/sports.api',
      'uri:athenz://instanceid/sys.auth.zts/i1',
    ])
  })

  test('with a key or an address that cannot be is refused', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
    const options = { domain: 'sports', service: 'api', dnsDomain: 'athenz.cloud', privateKey }
    for (const wrong of [{ privateKey: weak }, { privateKey: 'none' }, { ip: '10.0.0' }, { dnsDomain: 'größe' }]) {
      await assert.rejects(
        serviceCertificateRequest({ ...options, ...wrong }),
        failedWith({ kind: 'invalid-request', code: 400 }),
      )
    }
  })
})

describe('a request for a role', () => {
  const options = {
    roleDomain: 'weather',
    roleName: 'readers',
    principal: 'sports.eu.api',
    dnsDomain: 'athenz.cloud',
    privateKey,
  }

  test('has the names of role and service', async () => {
    const { subject, names } = await asked(await roleCertificateRequest(options))
    assert.deepEqual(Object.values(subject), [['weather:role.readers']])
    assert.deepEqual(names, [
      'dns:api.sports-eu.athenz.cloud',
      'email:sports.eu.api@athenz.cloud',
      'uri:spiffe://weather/ra/readers',
      'uri:athenz://principal/sports.eu.api',
    ])
  })

  test('may do without a SPIFFE URI, or have that of a trust domain', async () => {
    const uris = async (more: object) =>
      (await asked(await roleCertificateRequest({ ...options, ...more }))).names.filter((name) =>
        name.startsWith('uri:'),
      )
    assert.deepEqual(await uris({ spiffe: false }), ['uri:athenz://principal/sports.eu.api'])
    assert.equal((await uris({ spiffeTrustDomain: 'athenz.io' }))[0], 'uri:spiffe://athenz.io/ns/weather/ra/readers')
  })
})

describe('certificates are asked for', () => {
  const bodyOf = async (answer: FakeAnswer, ask: (zts: ZtsClient) => Promise<unknown>) => {
    const service = await startFakeService(answer)
    await using zts = new ZtsClient({ url: service.url, identity: tokenIdentity('t', { name: 'sports.api' }) })
    const result = await ask(zts)
    const [{ method, target, body } = { method: '', target: '', body: '{}' }] = service.seen
    const { csr, ...others } = JSON.parse(body) as { csr: string }
    return { request: `${method} ${target}`, csr: await asked(csr), others, result }
  }

  test('for a role, with the dates of the one that is replaced', async () => {
    const signer = createSigner(privateKey, '', 'certificate')
    const subject = [{ type: 'CN', value: 'x' }] as const
    const [notBefore, notAfter] = [new Date('2026-01-01T00:00:00.000Z'), new Date('2026-01-31T00:00:00.000Z')]
    const issuer = selfIssuer(subject, signer)
    const previousCertificate = await buildCertificate({
      subject,
      publicKey: signer.publicKey,
      issuer,
      notBefore,
      notAfter,
    })
    const { request, csr, others, result } = await bodyOf(jsonAnswer({ x509Certificate: 'PEM' }), (zts) =>
      zts.getRoleCertificate({
        roleDomain: 'weather',
        roleName: 'readers',
        dnsDomain: 'athenz.cloud',
        privateKey,
        expiryMinutes: 60,
        previousCertificate,
      }),
    )
    assert.equal(request, 'POST /zts/v1/rolecert')
    assert.ok(csr.names.includes('uri:athenz://principal/sports.api'))
    assert.deepEqual(others, {
      expiryTime: 60,
      prevCertNotBefore: notBefore.toISOString(),
      prevCertNotAfter: notAfter.toISOString(),
    })
    assert.equal(result, 'PEM')
  })

  test('for an instance, with what its provider knows it by', async () => {
    const lambda = await lambdaInstance(
      { domain: 'sports', service: 'api', account: '123', dnsDomain: 'athenz.cloud' },
      async (arn, session) => ({ AccessKeyId: arn, SecretAccessKey: session, SessionToken: 'token' }),
    )
    const answer = jsonAnswer({ provider: 'athenz.aws', name: 'sports.api', instanceId: 'x' }, 201)
    const { request, csr, others } = await bodyOf(answer, (zts) =>
      zts.registerInstance({
        provider: 'athenz.aws',
        domain: 'sports',
        service: 'api',
        dnsDomain: 'athenz.cloud',
        privateKey,
        athenzJwk: new Date('2026-01-01T00:00:00.000Z'),
        ...lambda,
      }),
    )
    assert.equal(request, 'POST /zts/v1/instance')
    assert.deepEqual(csr.names, [
      'dns:api.sports.athenz.cloud',
      'dns:lambda-123-api.instanceid.athenz.athenz.cloud',
      'uri:spiffe://sports/sa/api',
      'uri:athenz://instanceid/athenz.aws/lambda-123-api',
    ])
    assert.deepEqual(others, {
      provider: 'athenz.aws',
      domain: 'sports',
      service: 'api',
      x509CertInstanceId: 'lambda-123-api',
      attestationData:
        '{"role":"sports.api","access":"arn:aws:iam::123:role/sports.api","secret":"sports.api","token":"token"}',
      athenzJWK: true,
      athenzJWKModified: '2026-01-01T00:00:00.000Z',
    })
  })

  test('for no role without a name of who asks', async () => {
    await using zts = new ZtsClient({ url: 'http://127.0.0.1:1' })
    const wanted = zts.getRoleCertificate({
      roleDomain: 'weather',
      roleName: 'readers',
      dnsDomain: 'athenz.cloud',
      privateKey,
    })
    await assert.rejects(wanted, failedWith({ kind: 'invalid-request' }))
  })
})

test('a function of AWS without credentials has no identity', async () => {
  const names = { domain: 'sports', service: 'api', account: '123', dnsDomain: 'athenz.cloud' }
  await assert.rejects(
    lambdaInstance(names, async () => ({})),
    failedWith({ kind: 'invalid-request' }),
  )
})
