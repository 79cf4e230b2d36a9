import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CaBundles } from '#zts/cert/ca-bundles.ts'
import { caBundleService } from '#zts/service/ca-bundle.ts'
import { serviceRefreshService } from '#zts/service/service-refresh.ts'
import { type RequestParts, requestFor } from '../../support/certificate-requests.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { certificateOf, minutesOf, NotingSigner, openCertificateParts } from './certificate-parts.ts'
import { type CallOptions, Harness, refusal } from './harness.ts'
import { serviceKey } from './token-parts.ts'

const api = serviceKey()
const rsa = serviceKey('rsa')
const SPORTS = {
  name: 'sports',
  serviceCertExpiryMins: 500,
  roles: [{ name: 'sports:role.admin', roleMembers: [{ memberName: 'user.admin' }] }],
  policies: [
    { name: 'sports:policy.admin', assertions: [{ role: 'sports:role.admin', action: '*', resource: 'sports:*' }] },
  ],
  services: [
    {
      name: 'sports.api',
      publicKeys: [
        { id: '0', key: api.registered },
        { id: 'k2', key: rsa.registered },
      ],
    },
    { name: 'sports.web', publicKeys: [{ id: '0', key: api.registered }] },
  ],
}
const DNS = 'DNS:api.sports.athenz.cloud'
const csrOf = (
  commonName: string,
  names: readonly string[] = [DNS],
  key: KeyObject = api.privateKey,
  more: RequestParts = {},
) => requestFor(commonName, names, { key, ...more })
const CSR = csrOf('sports.api')
const TARGET = '/instance/sports/api/refresh'
const AS: CallOptions = { as: 'sports.api', principal: { keyId: '0' } }
const folder = temporaryFolder()

async function open(properties: Readonly<Record<string, string>> = {}, serviceAddresses?: string, sports: object = {}) {
  const signer = await NotingSigner.create()
  const parts = await openCertificateParts(signer, serviceAddresses)
  const harness = await Harness.open({
    services: [(own) => ({ ...serviceRefreshService({ ...own, ...parts(own) }) })],
    domains: [{ ...SPORTS, ...sports }, { name: 'user' }],
    properties,
  })
  const ask = (body: object = {}, options = AS, target = TARGET) => harness.post(target, { csr: CSR, ...body }, options)
  return { harness, signer, ask }
}

describe('postInstanceRefreshRequest', () => {
  it('issues a certificate for the key that signed the token', async () => {
    const { ask, signer } = await open()
    const answer = await ask()
    const certificate = certificateOf(answer, 'certificate')
    assert.deepEqual([answer.body.name, answer.body.caCertBundle], ['sports.api', signer.authority])
    assert.ok(certificate.checkPrivateKey(api.privateKey))
    assert.equal(minutesOf(certificate), 500)
    const { provider, usage, priority, signerKeyId } = signer.last
    assert.deepEqual([provider, usage, priority, signerKeyId], [undefined, undefined, 'High', undefined])
  })

  it('keeps the certificate of the authority to itself when the setting says so', async () => {
    const { ask } = await open({ resp_x509_signer_certs: 'false' })
    assert.deepEqual(Object.keys((await ask()).body as object), ['name', 'certificate'])
  })

  it('issues a certificate for the key that an administrator names', async () => {
    const { ask } = await open()
    const csr = csrOf('sports.api', [DNS], rsa.privateKey)
    const certificate = certificateOf(await ask({ csr, keyId: 'K2' }, { as: 'user.admin' }), 'certificate')
    assert.ok(certificate.checkPrivateKey(rsa.privateKey))
  })

  it('accepts names of instances, SPIFFE ids and no name at all', async () => {
    const { ask } = await open()
    for (const names of [[], [DNS, 'DNS:i-1.instanceid.athenz.athenz.cloud'], [DNS, 'URI:spiffe://sports/sa/api']]) {
      certificateOf(await ask({ csr: csrOf('sports.api', names) }), 'certificate')
    }
    const csr = csrOf('sports.api', ['URI:spiffe://athenz.io/ns/prod/sa/sports.api'])
    certificateOf(await ask({ csr, namespace: 'prod' }), 'certificate')
  })

  for (const [asked, given] of [
    [60, 60],
    [600, 500],
    [0, 500],
  ] as const) {
    it(`gives ${given} minutes when ${asked} are asked for and the domain allows 500`, async () => {
      const { ask } = await open()
      assert.equal(minutesOf(certificateOf(await ask({ expiryTime: asked }), 'certificate')), given)
    })
  }

  it('takes the default life when neither domain nor client says anything', async () => {
    const { ask } = await open({ service_cert_default_expiry_mins: '77' }, undefined, { serviceCertExpiryMins: 0 })
    assert.equal(minutesOf(certificateOf(await ask(), 'certificate')), 77)
  })

  describe('refuses', () => {
    const noKey = (keyId: string) => `Unable to retrieve public key for sports.api with key id: ${keyId}`
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const strict = {
      cert_request_verify_ip: 'true',
      cert_allowed_o_values: 'Athenz',
      cert_request_verify_subject_ou: 'true',
      validate_cert_uri_schemes: 'true',
    }
    const unit = {
      subject: [
        { type: 'OU', value: 'x' },
        { type: 'CN', value: 'sports.api' },
      ],
    } as const
    const organization = {
      subject: [
        { type: 'O', value: 'x' },
        { type: 'CN', value: 'sports.api' },
      ],
    } as const
    const cases: readonly [string, object, CallOptions, number, string, string?][] = [
      [
        'a role identity',
        {},
        { ...AS, principal: { roles: ['readers'] } },
        403,
        'Role Identity not authorized for request',
      ],
      ['somebody else', {}, { as: 'user.eve' }, 400, 'Principal mismatch: sports.api vs. user.eve'],
      ['another service', {}, { as: 'sports.web' }, 400, 'Principal mismatch: sports.api vs. sports.web'],
      [
        'an unknown domain',
        {},
        { as: 'user.admin' },
        400,
        'Principal mismatch: other.api vs. user.admin',
        '/instance/other/api/refresh',
      ],
      [
        'users',
        {},
        { as: 'user.admin' },
        400,
        'TLS Certificates require ServiceTokens: user.admin',
        '/instance/user/admin/refresh',
      ],
      ['an administrator without a key id', {}, { as: 'user.admin' }, 400, noKey('null')],
      ['an unknown key id', { keyId: 'k9' }, { as: 'user.admin' }, 400, noKey('k9')],
      [
        'a token of a key that is not registered any more',
        {},
        { ...AS, principal: { keyId: 'old' } },
        400,
        noKey('old'),
      ],
      [
        'the key id of the body when there is a token',
        { keyId: '0' },
        { ...AS, principal: { keyId: 'k2' } },
        400,
        'Invalid CSR - public key mismatch',
      ],
      ['what is no request', { csr: 'junk' }, AS, 400, 'Unable to parse PKCS10 certificate request'],
      [
        'a request that is damaged',
        { csr: CSR.replace('M', '!') },
        AS,
        400,
        'Unable to parse PKCS10 certificate request: the certificate request is refused: it is not in base64',
      ],
      [
        'two SPIFFE ids',
        {
          csr: csrOf('sports.api', [
            DNS,
            'URI:spiffe://sports/sa/api',
            'URI:spiffe://athenz.io/ns/default/sa/sports.api',
          ]),
        },
        AS,
        400,
        'Unable to parse PKCS10 certificate request',
      ],
      [
        'two instances',
        {
          csr: csrOf('sports.api', [
            'URI:athenz://instanceid/sys.auth.zts/i-1',
            'DNS:i-2.instanceid.athenz.athenz.cloud',
          ]),
        },
        AS,
        400,
        'Invalid CSR - more than one instance is named',
      ],
      ['another common name', { csr: csrOf('sports.web') }, AS, 400, 'Invalid CSR - data mismatch'],
      [
        'a DNS name of another service',
        { csr: csrOf('sports.api', ['DNS:web.sports.athenz.cloud']) },
        AS,
        400,
        'Invalid CSR - data mismatch',
      ],
      [
        'a DNS name in front of the service',
        { csr: csrOf('sports.api', ['DNS:x.api.sports.athenz.cloud']) },
        AS,
        400,
        'Invalid CSR - data mismatch',
      ],
      [
        'a DNS name that ends otherwise',
        { csr: csrOf('sports.api', ['DNS:api.sports.example.com']) },
        AS,
        400,
        'Invalid CSR - data mismatch',
      ],
      [
        'a URI that nobody knows',
        { csr: csrOf('sports.api', ['URI:https://x']) },
        AS,
        400,
        'Invalid CSR - data mismatch',
      ],
      [
        'another organization',
        { csr: csrOf('sports.api', [], api.privateKey, organization) },
        AS,
        400,
        'Invalid CSR - invalid Subject O field',
      ],
      [
        'another unit',
        { csr: csrOf('sports.api', [], api.privateKey, unit) },
        AS,
        400,
        'Invalid CSR - invalid Subject OU field',
      ],
      ['another key', { csr: csrOf('sports.api', [DNS], other) }, AS, 400, 'Invalid CSR - public key mismatch'],
      [
        'another address',
        { csr: csrOf('sports.api', [DNS, 'IP:10.9.9.9']) },
        AS,
        400,
        'Invalid CSR - IP address mismatch',
      ],
      [
        'two addresses',
        { csr: csrOf('sports.api', [DNS, 'IP:192.0.2.1', 'IP:10.9.9.9']) },
        AS,
        400,
        'Invalid CSR - IP address mismatch',
      ],
      [
        'another SPIFFE id',
        { csr: csrOf('sports.api', ['URI:spiffe://sports/sa/web']) },
        AS,
        400,
        'Invalid CSR - spiffe uri mismatch',
      ],
    ]
    for (const [what, body, options, status, message, target] of cases) {
      it(what, async () => {
        const { ask } = await open(strict)
        assert.deepEqual(await ask(body, options, target), refusal(status, message))
      })
    }

    it('when the signer fails, without saying why', async () => {
      const { ask, signer } = await open()
      signer.failure = new Error('secret')
      assert.deepEqual(await ask(), refusal(500, 'Unable to generate identity'))
    })
  })

  describe('with the present certificate', () => {
    const present = async (ask: Awaited<ReturnType<typeof open>>['ask']): Promise<CallOptions> => ({
      as: 'sports.api',
      principal: { x509Certificate: certificateOf(await ask(), 'certificate') },
    })

    it('issues the next one, urgent as its end is near', async () => {
      const { ask, signer, harness } = await open()
      const options = await present(ask)
      harness.clock.millis = options.principal?.x509Certificate?.validFromDate.getTime() ?? 0
      certificateOf(await ask({ keyId: '0' }, options), 'certificate')
      assert.equal(signer.last.priority, 'Low')
    })

    it('needs the key id in the body', async () => {
      const { ask } = await open()
      const message = 'Unable to retrieve public key for sports.api with key id: null'
      assert.deepEqual(await ask({}, await present(ask)), refusal(400, message))
    })

    it('refuses other names, and another key', async () => {
      const { ask } = await open()
      const options = await present(ask)
      const more = csrOf('sports.api', [DNS, 'DNS:api.sports.zts.athenz.cloud'])
      assert.deepEqual(
        await ask({ csr: more, keyId: '0' }, options),
        refusal(400, 'Request validation failed: DNS_NAME_MISMATCH'),
      )
      const otherKey = csrOf('sports.api', [DNS], rsa.privateKey)
      const answer = await ask({ csr: otherKey, keyId: 'k2' }, options)
      assert.deepEqual(answer, refusal(400, 'Request validation failed: PUBLIC_KEY_MISMATCH'))
    })

    it('refuses other networks than those of the file', async () => {
      const file = join(folder, 'networks.json')
      writeFileSync(file, '{"prefixes":[{"ip_prefix":"10.0.0.0/8"}]}')
      const { ask } = await open({}, file)
      const options = await present(ask)
      assert.deepEqual(await ask({ keyId: '0' }, options), refusal(403, 'IP not allowed for refresh: 192.0.2.1'))
      certificateOf(await ask({ keyId: '0' }, { ...options, context: { remoteAddress: '10.1.2.3' } }), 'certificate')
    })

    it('of an administrator says nothing about the service', async () => {
      const { ask } = await open()
      const { principal } = await present(ask)
      certificateOf(
        await ask({ keyId: '0', csr: csrOf('sports.api', []) }, { as: 'user.admin', ...(principal && { principal }) }),
        'certificate',
      )
    })
  })
})

describe('getCertificateAuthorityBundle', () => {
  it('gives bundles by their names', async () => {
    writeFileSync(join(folder, 'ca.txt'), 'certificates')
    const file = join(folder, 'bundles.json')
    writeFileSync(file, '{"certBundles":[{"name":"athenz","filename":"ca.txt"}]}')
    const caBundles = await CaBundles.read(file, folder)
    const harness = await Harness.open({ services: [() => ({ ...caBundleService({ caBundles }) })] })
    assert.deepEqual((await harness.get('/cacerts/ATHENZ')).body, { name: 'athenz', certs: 'certificates' })
    const message = 'getCertificateAuthorityBundle: No such bundle: other'
    assert.deepEqual(await harness.get('/cacerts/other'), refusal(404, message))
  })
})
