import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { roleCertificateService } from '#zts/service/role-certificate.ts'
import { TestCa } from '../../core/authority/support.ts'
import { requestFor, requestOf } from '../../support/certificate-requests.ts'
import { certificateOf, minutesOf, NotingSigner, openCertificateParts } from './certificate-parts.ts'
import { type CallOptions, Harness, type HarnessOptions, principalOf, refusal, START_MILLIS } from './harness.ts'

const member = (...names: string[]) => names.map((memberName) => ({ memberName }))
const role = (name: string, members: object[], more: object = {}) => ({
  name: `sports:role.${name}`,
  roleMembers: members,
  ...more,
})
const SPORTS = {
  name: 'sports',
  roleCertExpiryMins: 120,
  x509CertSignerKeyId: 'sports-key',
  roles: [
    role('readers', member('media.api', 'user.proxy', 'user.joe')),
    role('super-readers', member('media.web')),
    role('short', member('media.api'), { certExpiryMins: 30 }),
    role('hers', member('user.jane')),
  ],
}
const MEDIA = {
  name: 'media',
  x509CertSignerKeyId: 'media-key',
  services: [
    { name: 'media.api', publicKeys: [] },
    { name: 'media.web', publicKeys: [], x509CertSignerKeyId: 'web-key' },
  ],
}
const URI = 'URI:athenz://principal/media.api'
const CSR = requestFor('sports:role.readers', [URI])
const AS: CallOptions = { as: 'media.api' }

async function open(
  properties: Readonly<Record<string, string>> = {},
  sports: object = {},
  parts: HarnessOptions['parts'] = {},
) {
  const signer = await NotingSigner.create()
  const certificateParts = await openCertificateParts(signer)
  const harness = await Harness.open({
    services: [(own) => ({ ...roleCertificateService({ ...own, ...certificateParts(own) }) })],
    parts,
    domains: [{ ...SPORTS, ...sports }, MEDIA],
    properties: { authorized_proxy_users: 'user.proxy', ...properties },
  })
  const ask = (body: object, options: CallOptions = AS) => harness.post('/rolecert', { csr: CSR, ...body }, options)
  return { harness, signer, ask }
}

describe('postRoleCertificateRequestExt', () => {
  it('issues a certificate for the role, for clients', async () => {
    const { ask, signer } = await open()
    const certificate = certificateOf(await ask({ expiryTime: 60 }))
    assert.equal(certificate.subject, 'O=Athenz\nCN=sports:role.readers')
    assert.equal(certificate.subjectAltName, URI)
    assert.equal(minutesOf(certificate), 60)
    const { provider, usage, priority, signerKeyId } = signer.last
    assert.deepEqual([provider, usage, priority, signerKeyId], [undefined, 'client', 'High', 'media-key'])
  })

  it('reads the name of the role in any letter case', async () => {
    const { ask } = await open()
    certificateOf(await ask({ csr: requestFor('Sports:role.READERS', [URI]) }))
  })

  describe('chooses the life', () => {
    for (const [name, asked, given] of [
      ['readers', 0, 120],
      ['readers', -5, 120],
      ['readers', 60, 60],
      ['readers', 500, 120],
      ['short', 0, 30],
      ['short', 60, 30],
      ['short', 10, 10],
    ] as const) {
      it(`of ${given} minutes when ${asked} are asked for the role ${name}`, async () => {
        const { ask } = await open()
        const certificate = certificateOf(
          await ask({ csr: requestFor(`sports:role.${name}`, [URI]), expiryTime: asked }),
        )
        assert.equal(minutesOf(certificate), given)
      })
    }

    it('leaves it to the signer when nobody says anything', async () => {
      const { ask, signer } = await open({}, { roleCertExpiryMins: 0 })
      assert.equal(minutesOf(certificateOf(await ask({}))), 43_200)
      assert.equal(signer.last.expiryMins, 0)
    })
  })

  describe('tells the signer how urgent it is', () => {
    const dates = (before: number, after: number) => ({
      prevCertNotBefore: new Date(START_MILLIS + before * 60_000).toISOString(),
      prevCertNotAfter: new Date(START_MILLIS + after * 60_000).toISOString(),
    })
    for (const [what, body, priority] of [
      ['without the former certificate', {}, 'High'],
      ['when it has a quarter left', dates(-75, 25), 'High'],
      ['when it has more than a quarter left', dates(-74, 26), 'Medium'],
      ['when it has three quarters left', dates(-25, 75), 'Low'],
      ['when it has ended', dates(-75, -25), 'High'],
      ['when its dates make no sense', dates(75, 25), 'High'],
    ] as const) {
      it(`${priority} ${what}`, async () => {
        const { ask, signer } = await open()
        certificateOf(await ask(body))
        assert.equal(signer.last.priority, priority)
      })
    }
  })

  describe('chooses the key of the signer', () => {
    it('of the service, before that of its domain', async () => {
      const { ask, signer } = await open({}, { roles: [role('readers', member('media.web'))] })
      const csr = requestFor('sports:role.readers', ['URI:athenz://principal/media.web'])
      certificateOf(await ask({ csr, x509CertSignerKeyId: 'asked' }, { as: 'media.web' }))
      assert.equal(signer.last.signerKeyId, 'web-key')
    })

    it('of the domain of the role, when its tag says so', async () => {
      const { ask, signer } = await open({}, { tags: { 'zts.RoleCertUseDomainSignerKeyId': { list: ['true'] } } })
      certificateOf(await ask({}))
      assert.equal(signer.last.signerKeyId, 'sports-key')
    })

    it('of the caller, when only another value of that tag says so', async () => {
      const { ask, signer } = await open({}, { tags: { 'zts.RoleCertUseDomainSignerKeyId': { list: ['no', 'true'] } } })
      certificateOf(await ask({}))
      assert.equal(signer.last.signerKeyId, 'media-key')
    })

    for (const [list, key] of [
      ['', 'asked'],
      ['asked,other', 'asked'],
      ['other', undefined],
    ] as const) {
      it(`${key} when nobody has one and ${list || 'anything'} may be asked for`, async () => {
        const { ask, signer } = await open({ svc_cert_signer_key_id_list: list })
        const csr = requestFor('sports:role.readers', ['URI:athenz://principal/user.joe'])
        certificateOf(await ask({ csr, x509CertSignerKeyId: 'asked' }, { as: 'user.joe' }))
        assert.equal(signer.last.signerKeyId, key)
      })
    }
  })

  describe('for somebody else', () => {
    const names = ['URI:athenz://principal/user.joe', 'URI:athenz://proxyuser/user.proxy']
    const proxied = { csr: requestFor('sports:role.readers', names), proxyForPrincipal: 'User.Joe' }

    it('names both', async () => {
      const { ask } = await open()
      const certificate = certificateOf(await ask(proxied, { as: 'user.proxy' }))
      assert.equal(certificate.subjectAltName, names.join(', '))
    })

    it('takes the alias of the user domain for it', async () => {
      const { config } = (await open()).harness.parts
      const { ask } = await open({}, {}, { config: { ...config, userDomainAlias: 'people' } })
      certificateOf(await ask({ ...proxied, proxyForPrincipal: 'People.Joe' }, { as: 'user.proxy' }))
    })

    it('is for callers of the list only', async () => {
      const { ask } = await open()
      assert.deepEqual(
        await ask(proxied),
        refusal(403, 'Principal: media.api not authorized for proxy role certificate request'),
      )
    })

    it('needs the role of both', async () => {
      const { ask } = await open()
      const answer = await ask({ ...proxied, proxyForPrincipal: 'user.jane' }, { as: 'user.proxy' })
      const message =
        'postrolecertificaterequestext: principal user.jane is not included in the requested role(s) in domain sports'
      assert.deepEqual(answer, refusal(403, message))
    })

    it('needs the name of the caller in the request', async () => {
      const { ask } = await open()
      const csr = requestFor('sports:role.readers', [names[0] ?? ''])
      assert.deepEqual(
        await ask({ ...proxied, csr }, { as: 'user.proxy' }),
        refusal(400, 'Unable to validate cert request'),
      )
    })
  })

  describe('refuses', () => {
    const notHeld = (principal: string, domain = 'sports') =>
      `postrolecertificaterequestext: principal ${principal} is not included in the requested role(s) in domain ${domain}`
    const cases: readonly [string, object, CallOptions, number, string][] = [
      ['what is no request', { csr: 'junk' }, AS, 400, 'Unable to parse PKCS10 CSR: Invalid csr provided'],
      ['an empty request', { csr: '' }, AS, 400, 'Unable to parse PKCS10 CSR: CSR is null or empty'],
      [
        'a request without a common name',
        { csr: requestFor(undefined, [URI]) },
        AS,
        400,
        'Unable to parse PKCS10 CSR: Role Certificate CN is not a valid role: null',
      ],
      [
        'a service as common name',
        { csr: requestFor('media.api', [URI]) },
        AS,
        400,
        'Unable to parse PKCS10 CSR: Role Certificate CN is not a valid role: media.api',
      ],
      [
        'a role with a blank',
        { csr: requestFor('sports:role.a b', [URI]) },
        AS,
        400,
        'Invalid EntityName error: not a valid EntityName',
      ],
      [
        'a domain with a blank',
        { csr: requestFor('spo rts:role.readers', [URI]) },
        AS,
        400,
        'Invalid DomainName error: not a valid DomainName',
      ],
      [
        'no name of a role',
        { csr: requestFor('sports:role.', [URI]) },
        AS,
        400,
        'Unable to parse PKCS10 CSR: Role Certificate CN is not a valid role: sports:role.',
      ],
      ['an unknown domain', { csr: requestFor('other:role.readers', [URI]) }, AS, 404, 'No such domain: other'],
      [
        'a role that the caller does not hold',
        { csr: requestFor('sports:role.hers', [URI]) },
        AS,
        403,
        notHeld('media.api'),
      ],
      [
        'a role whose name is the end of one that he holds',
        { csr: requestFor('sports:role.readers', ['URI:athenz://principal/media.web']) },
        { as: 'media.web' },
        403,
        notHeld('media.web'),
      ],
      [
        'a role identity',
        {},
        { as: 'media.api', principal: { roles: ['readers'] } },
        403,
        'Role Identity not authorized for request',
      ],
      [
        'a service that acts for somebody',
        {},
        { as: 'media.api', principal: { authorizedService: 'media.web' } },
        403,
        'Authorized Service Principals not allowed',
      ],
      [
        'another principal in the URI',
        { csr: requestFor('sports:role.readers', ['URI:athenz://principal/media.web']) },
        AS,
        400,
        'Unable to validate cert request',
      ],
    ]
    for (const [what, body, options, status, message] of cases) {
      it(what, async () => {
        const { ask } = await open()
        assert.deepEqual(await ask(body, options), refusal(status, message))
      })
    }

    it('when the signer fails, without saying why', async () => {
      const { ask, signer } = await open()
      signer.failure = new Error('secret')
      assert.deepEqual(await ask({}), refusal(500, 'Unable to create certificate from the cert signer'))
    })
  })

  it('compares unit, instance and addresses with the certificate of the caller', async () => {
    const { ask } = await open({ cert_request_verify_subject_ou: 'true', cert_request_verify_ip: 'true' })
    const ca = await TestCa.create()
    const names = [
      { type: 'ip', value: '10.0.0.1' },
      { type: 'uri', value: 'athenz://instanceid/sys.auth.zts/i-1' },
    ] as const
    const { certificate } = await ca.issue({
      subject: [
        { type: 'OU', value: 'Testing' },
        { type: 'CN', value: 'media.api' },
      ],
      names,
    })
    const subject = [
      { type: 'OU', value: 'Testing' },
      { type: 'CN', value: 'sports:role.readers' },
    ] as const
    const csr = requestOf({ subject, names: [...names, { type: 'uri', value: 'athenz://principal/media.api' }] })
    const { authority } = principalOf('media.api')
    certificateOf(await ask({ csr }, { as: 'media.api', principal: { authority, x509Certificate: certificate } }))
    assert.deepEqual(await ask({ csr }), refusal(400, 'Unable to validate cert request'))
  })
})

describe('postRoleCertificateRequest', () => {
  const old = '/domain/sports/role/readers/token'

  it('gives the certificate as a token, with its end', async () => {
    const { harness } = await open()
    const answer = await harness.post(old, { csr: CSR, expiryTime: 60 }, AS)
    const certificate = certificateOf(answer, 'token')
    assert.equal(answer.body.expiryTime, certificate.validToDate.getTime() / 1000)
    assert.equal(minutesOf(certificate), 60)
  })

  it('refuses a request for another role than that of the path', async () => {
    const { harness } = await open()
    const answer = await harness.post('/domain/sports/role/short/token', { csr: CSR }, AS)
    assert.deepEqual(answer, refusal(400, 'Role Certificate Request mismatch: sports:role.readers/sports:role.short'))
  })

  it('says who does not hold the role', async () => {
    const { harness } = await open()
    const answer = await harness.post(old, { csr: CSR }, { as: 'user.eve' })
    const message =
      'postrolecertificaterequest: principal user.eve is not included in the requested role(s) in domain sports'
    assert.deepEqual(answer, refusal(403, message))
  })
})
