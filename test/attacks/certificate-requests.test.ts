import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { bitString, boolean, integer, oid, sequence, set, utf8String } from '#core/crypto/certificate-asn1.ts'
import { alternativeNamesToAsn1 } from '#core/crypto/certificate-name.ts'
import { subjectAttributes } from '#core/crypto/certificate-subject.ts'
import { idOf } from '#core/crypto/der-reader.ts'
import {
  extensionRequest,
  REQUEST_KEY,
  type RequestedExtension,
  type RequestParts,
  requestFor,
} from '../support/certificate-requests.ts'
import type { ClientCertificate } from '../support/client-certificate.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { type Answer, AttackedServers, newKey } from './attacked-servers.ts'
import { clientAuthority, issued, LEAF } from './issued-certificates.ts'

const PROVIDER = 'sys.auth.zts'
const OWN_PROVIDER = 'victim.provider'
const NAME = 'victim.victim'
const DNS_NAME = 'DNS:victim.victim.zts.athenz.cloud'
/** Local name of a service whose full name is longer than the 64 letters of RFC 5280. */
const LONG_NAME = 'v'.repeat(60)
const instanceUri = (id: string, provider = PROVIDER) => `URI:athenz://instanceid/${provider}/${id}`
const NAMES = [DNS_NAME, instanceUri('i-1')]

const requestKeyPem = REQUEST_KEY.export({ type: 'pkcs8', format: 'pem' }) as string

/** What precedes the reasons: of readers, of checks, and of providers. */
const UNREADABLE = 'unable to parse PKCS10 CSR: '
const REFUSED = `${UNREADABLE}the certificate request is refused: `
const INVALID = 'CSR validation failed - '
const UNVOUCHED = 'unable to verify attestation data: ResourceException (403): '
const UNHEARD = 'unable to verify attestation data: ResourceException (504): '
const WRONG_DNS = 'Unable to validate certificate request DNS'
const WRONG_PROOF = `${UNVOUCHED}Unable to validate Certificate Request Auth Token`

const ALTERNATIVE_NAME = '2.5.29.17'
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const NAME_CONSTRAINTS = '2.5.29.30'
const POLICIES = '2.5.29.32'
const UNKNOWN = '1.3.6.1.4.1.99999.1'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'

const asked = (names: readonly string[], more: RequestParts = {}) => requestFor(NAME, [...NAMES, ...names], more)
const withExtensions = (...extensions: RequestedExtension[]) => asked([], { extensions })
const subjects = (...names: readonly string[]) =>
  asked([], { subject: sequence(...names.map((name) => set(sequence(oid('2.5.4.3'), utf8String(name))))) })
const alternativeNames = (...values: readonly string[]) => ({
  id: ALTERNATIVE_NAME,
  value: alternativeNamesToAsn1(values.map((value) => ({ type: 'dns', value }))),
})

/** Names that are not those of the instance, each in a request that is right otherwise. */
const FOREIGN_NAMES: readonly (readonly [what: string, csr: string, status: number, reason: string])[] = [
  ['the DNS name of another service', asked(['DNS:api.other.zts.athenz.cloud']), 403, UNVOUCHED + WRONG_DNS],
  [
    'the DNS name of another service of the domain',
    asked(['DNS:api.victim.zts.athenz.cloud']),
    403,
    UNVOUCHED + WRONG_DNS,
  ],
  ['a wildcard for everybody', asked(['DNS:*.zts.athenz.cloud']), 403, UNVOUCHED + WRONG_DNS],
  ['a wildcard for the domain', asked(['DNS:*.victim.zts.athenz.cloud']), 403, UNVOUCHED + WRONG_DNS],
  [
    'a DNS name elsewhere',
    asked(['DNS:www.example.com']),
    400,
    `${INVALID}www.example.com does not end with provider/service configured suffix or hostname`,
  ],
  [
    'a DNS name whose end only looks like ours',
    asked(['DNS:victim.victim.evilzts.athenz.cloud']),
    400,
    `${INVALID}victim.victim.evilzts.athenz.cloud does not end with provider/service configured suffix or hostname`,
  ],
  [
    'a DNS name that goes on elsewhere',
    asked(['DNS:victim.victim.zts.athenz.cloud.example.com']),
    400,
    `${INVALID}victim.victim.zts.athenz.cloud.example.com does not end with provider/service configured suffix or hostname`,
  ],
  [
    'an address that it does not come from',
    asked(['IP:192.0.2.1']),
    403,
    `${UNVOUCHED}Unable to validate request IP address`,
  ],
  ['a URI of another scheme', asked(['URI:https://victim.example.com/']), 400, INVALID],
  [
    'a host that nobody has named',
    asked(['URI:athenz://hostname/h1.example.com']),
    400,
    `${INVALID}Instance/Uri hostname mismatch: null vs. h1.example.com`,
  ],
  [
    'the SPIFFE id of another service',
    asked(['URI:spiffe://other/sa/api']),
    400,
    `${INVALID}Unable to validate Service SPIFFE URI`,
  ],
  [
    'two SPIFFE ids',
    asked(['URI:spiffe://victim/sa/victim', 'URI:spiffe://other/sa/api']),
    400,
    `${UNREADABLE}Invalid SPIFFE URI present in CSR`,
  ],
  ['two instances', asked([instanceUri('i-2')]), 400, `${REFUSED}it has more than one instance id`],
  ['another instance', requestFor(NAME, [DNS_NAME, instanceUri('i-2')]), 403, WRONG_PROOF],
  [
    'two lists of names',
    requestFor(NAME, NAMES, { extensions: [alternativeNames('www.example.com')] }),
    400,
    `${REFUSED}it asks for the same extension twice`,
  ],
  [
    'two lists of extensions',
    requestFor(NAME, [], {
      attributes: [alternativeNames('a.b'), alternativeNames('c.d')].map((names) => extensionRequest(names)),
    }),
    400,
    `${REFUSED}it has the same attribute twice`,
  ],
  [
    'the common name of another service',
    requestFor('other.api', NAMES),
    400,
    `${INVALID}Unable to validate CSR common name`,
  ],
  ['the common name of a user', requestFor('user.admin', NAMES), 400, `${INVALID}Unable to validate CSR common name`],
  [
    'the common name of a role',
    requestFor('victim:role.admin', NAMES),
    400,
    `${INVALID}Unable to validate CSR common name`,
  ],
  [
    'a common name with a letter that only looks the same',
    requestFor('victim.v\u0456ctim', NAMES),
    400,
    `${INVALID}Unable to validate CSR common name`,
  ],
  [
    'a common name of 65 letters that begins right',
    requestFor(NAME.padEnd(65, 'm'), NAMES),
    400,
    `${INVALID}Unable to validate CSR common name`,
  ],
  [
    'a common name of 40,000 letters',
    requestFor('v.'.repeat(20_000), NAMES),
    400,
    `${INVALID}Unable to validate CSR common name`,
  ],
  [
    'a common name with a NUL',
    requestFor(`${NAME}\0.example.com`, NAMES),
    400,
    `${REFUSED}its subject has a control character`,
  ],
  [
    'two common names',
    subjects(NAME, 'other.api'),
    400,
    `${UNREADABLE}CSR Subject contains multiple values for the same field.`,
  ],
  ['no name at all', requestFor(undefined, NAMES), 400, `${INVALID}CSR contains neither a CommonName nor a SPIFFE URI`],
]

/** Power that no certificate has. */
const AUTHORITIES: readonly (readonly [what: string, csr: string, reason: string])[] = [
  [
    'to be an authority',
    withExtensions({ id: BASIC_CONSTRAINTS, value: sequence(boolean(true)), critical: true }),
    `${REFUSED}it asks for a certificate of an authority`,
  ],
  [
    'to be an authority of some depth',
    withExtensions({ id: BASIC_CONSTRAINTS, value: sequence(boolean(true), integer(3)) }),
    `${REFUSED}it asks for a certificate of an authority`,
  ],
  [
    'to be none and then one',
    withExtensions(
      { id: BASIC_CONSTRAINTS, value: sequence() },
      { id: BASIC_CONSTRAINTS, value: sequence(boolean(true)) },
    ),
    `${REFUSED}it asks for the same extension twice`,
  ],
  [
    'to sign certificates',
    withExtensions({ id: KEY_USAGE, value: bitString(Buffer.from([0b1000_0100]), 2), critical: true }),
    `${REFUSED}it asks for a certificate of an authority`,
  ],
]

/** What is read and does not reach the certificate. */
const IGNORED: readonly (readonly [what: string, extension: RequestedExtension])[] = [
  ['to sign code', { id: EXTENDED_KEY_USAGE, value: sequence(oid(CODE_SIGNING)), critical: true }],
  ['for any purpose', { id: EXTENDED_KEY_USAGE, value: sequence(oid('2.5.29.37.0')) }],
  ['for no purpose', { id: EXTENDED_KEY_USAGE, value: sequence() }],
  ['constraints of names', { id: NAME_CONSTRAINTS, value: sequence(), critical: true }],
  ['a policy', { id: POLICIES, value: sequence(sequence(oid('2.5.29.32.0'))) }],
  ['a critical extension that nobody knows', { id: UNKNOWN, value: Buffer.from('anything'), critical: true }],
]

const objectId = (dotted: string): Buffer => Buffer.from(idOf(dotted), 'hex')
/** Both sides of TLS. */
const USUAL_PURPOSES = [CLIENT_AUTH, SERVER_AUTH]
/** Digital signature and key encipherment, as they stand in every certificate. */
const USUAL_KEY_USAGE = /0603551d0f(?:0101ff)?0404030205a0/

describe('instances at the real servers', () => {
  const folder = temporaryFolder()
  let servers: AttackedServers
  let proof = ''
  let fake: FakeProvider

  before(async () => {
    servers = await AttackedServers.start(folder, {
      // An instance has nothing to show before its first certificate.
      'athenz.zts.no_auth_uri_list': '/zts/v1/status,/zts/v1/instance',
      'athenz.zts.validate_cert_uri_schemes': 'true',
      'athenz.zts.provider_endpoints': 'localhost',
      'athenz.zts.cert_dns_suffix': '.zts.athenz.cloud',
    })
    fake = await FakeProvider.start(servers, OWN_PROVIDER)
    await launchers()
    proof = await proofOf('i-1')
  })
  after(async () => {
    fake?.[Symbol.dispose]()
    await servers?.[Symbol.asyncDispose]()
  })

  /** Lets ZTS and some services of the victim launch its instances, and waits until ZTS knows. */
  async function launchers(): Promise<void> {
    const { port } = fake
    const endpoints = {
      provider: `https://localhost:${port}/`,
      impostor: `https://localhost:${port}/`,
      loopback: `https://127.0.0.1:${port}/`,
      metadata: 'https://169.254.169.254/latest/',
      plain: `http://localhost:${port}/`,
      guest: `https://nobody:secret@localhost:${port}/`,
      code: 'class://./evil.mjs',
      last: 'class://com.yahoo.athenz.instance.provider.impl.InstanceZTSProvider',
    }
    for (const [service, providerEndpoint] of Object.entries(endpoints)) {
      const path = `/zms/v1/domain/victim/service/${service}`
      await servers.tell('PUT', path, { name: `victim.${service}` })
      await servers.tell('PUT', `${path}/meta/system/providerendpoint`, { providerEndpoint })
    }
    await servers.tell('PUT', `/zms/v1/domain/victim/service/${LONG_NAME}`, { name: `victim.${LONG_NAME}` })
    const members = [PROVIDER, ...Object.keys(endpoints).map((service) => `victim.${service}`)]
    for (const role of ['providers', `provider.${PROVIDER}`]) {
      const path = `/zms/v1/domain/sys.auth/role/${role}/member`
      for (const memberName of members.slice(1)) await servers.tell('PUT', `${path}/${memberName}`, { memberName })
    }
    await servers.tell('PUT', '/zms/v1/domain/victim/role/launcher', {
      name: 'launcher',
      roleMembers: members.map((memberName) => ({ memberName })),
    })
    await servers.tell('PUT', '/zms/v1/domain/victim/policy/launcher', {
      name: 'launcher',
      assertions: ['victim', LONG_NAME].map((service) => ({
        role: 'victim:role.launcher',
        action: 'launch',
        resource: `victim:service.${service}`,
      })),
    })
    const { administrator: certificate } = servers
    const path = '/zts/v1/instance/victim.last/victim/victim/i-0/token'
    const known = async () => (await servers.ask({ server: 'zts', path, certificate })).status === 200
    await until(known, { timeoutMillis: 30_000, what: 'that ZTS knows who may launch' })
  }

  /** What the administrator gives an instance, so that it can prove that it is one. */
  async function proofOf(instanceId: string, provider = PROVIDER, service = 'victim'): Promise<string> {
    const path = `/zts/v1/instance/${provider}/victim/${service}/${instanceId}/token`
    const { status, message, body } = await servers.ask({ server: 'zts', path, certificate: servers.administrator })
    assert.equal(status, 200, message)
    return String(Reflect.get(Object(body), 'attestationData'))
  }

  const register = (csr: string, more: object = {}): Promise<Answer> =>
    servers.ask({
      server: 'zts',
      method: 'POST',
      path: '/zts/v1/instance',
      body: { provider: PROVIDER, domain: 'victim', service: 'victim', attestationData: proof, csr, ...more },
    })
  const certificateOf = ({ status, message, body }: Answer): string => {
    assert.ok(status === 200 || status === 201, `${status} ${message}`)
    return String(Reflect.get(Object(body), 'x509Certificate'))
  }
  const refused = (answer: Answer, status: number, reason: string): void => {
    // Who asked, and from where, stands behind what a provider says.
    assert.deepEqual([answer.status, answer.message.replace(/ client: .*$/s, '')], [status, reason])
  }

  describe('a request for a certificate', () => {
    test('is good with the names of the instance', async () => {
      const certificate = new X509Certificate(certificateOf(await register(asked([]))))
      assert.match(certificate.subject, /CN=victim\.victim$/)
    })

    for (const [what, csr, status, reason] of FOREIGN_NAMES) {
      test(`is refused with ${what}: ${status}`, async () => refused(await register(csr), status, reason))
    }

    test('in capitals is one of the same service, and no other', async () => {
      const certificate = certificateOf(await register(requestFor('VICTIM.Victim', NAMES)))
      const answer = await servers.ask({
        server: 'zms',
        path: '/zms/v1/access/update/victim:service.victim',
        certificate: { certificate, key: requestKeyPem },
      })
      assert.deepEqual([answer.status, answer.body], [200, { granted: false }])
    })

    test('with a common name of more than 64 letters is good for a service of that name, as one with a SPIFFE id alone', async () => {
      const service = { service: LONG_NAME, attestationData: await proofOf('i-1', PROVIDER, LONG_NAME) }
      const names = [`DNS:${LONG_NAME}.victim.zts.athenz.cloud`, instanceUri('i-1')]
      const spiffe = `URI:spiffe://victim/sa/${LONG_NAME}`
      const named = certificateOf(await register(requestFor(`victim.${LONG_NAME}`, names), service))
      assert.ok(new X509Certificate(named).subject.endsWith(`CN=victim.${LONG_NAME}`))
      const certificate = { certificate: named, key: requestKeyPem }
      const answer = await servers.ask({ server: 'zms', path: '/zms/v1/domain/victim', certificate })
      assert.equal(answer.status, 200, answer.message)
      const unnamed = certificateOf(await register(requestFor(undefined, [...names, spiffe]), service))
      assert.doesNotMatch(new X509Certificate(unnamed).subject, /CN=/)
    })

    test('without any subject is good with the SPIFFE id of the service, and so is its certificate for TLS alone', async () => {
      const csr = asked(['URI:spiffe://victim/sa/victim'], { subject: [] })
      const certificate = certificateOf(await register(csr))
      assert.deepEqual(subjectAttributes(new X509Certificate(certificate)), [])
      const nobody = { certificate, key: requestKeyPem }
      const answer = await servers.ask({ server: 'zts', path: '/zts/v1/domain/victim/token', certificate: nobody })
      assert.deepEqual([answer.status, answer.message], [401, 'Invalid credentials'])
      assert.match(await servers.reasonOf('zts', answer), /Certificate principal is empty/)
    })

    test('that names the administrator by e-mail and as principal gives a certificate of the service still', async () => {
      const names = ['email:user.admin@zts.athenz.cloud', 'URI:athenz://principal/user.admin']
      const certificate = { certificate: certificateOf(await register(asked(names))), key: requestKeyPem }
      const path = '/zms/v1/domain/victim/role/victim'
      const answer = await servers.ask({ server: 'zms', method: 'PUT', path, certificate, body: { name: 'victim' } })
      assert.deepEqual([answer.status, answer.message], [403, 'Forbidden'])
    })

    for (const [what, csr, reason] of AUTHORITIES) {
      test(`is refused if it asks ${what}`, async () => refused(await register(csr), 400, reason))
    }

    for (const [what, extension] of IGNORED) {
      test(`gets nothing of it if it asks ${what}`, async () => {
        const certificate = new X509Certificate(certificateOf(await register(withExtensions(extension))))
        assert.deepEqual([certificate.ca, certificate.keyUsage], [false, USUAL_PURPOSES])
        assert.match(certificate.raw.toString('hex'), USUAL_KEY_USAGE)
        for (const id of [NAME_CONSTRAINTS, POLICIES, UNKNOWN, CODE_SIGNING, '2.5.29.37.0']) {
          assert.ok(!certificate.raw.includes(objectId(id)), id)
        }
      })
    }

    test('is refused for a key that is too weak to be one', async () => {
      const { privateKey: weak } = generateKeyPairSync('rsa', { modulusLength: 1024 })
      refused(
        await register(asked([], { key: weak })),
        400,
        `${REFUSED}its key is refused: an RSA modulus of 1024 bits is too short; use 2048 or more`,
      )
    })
  })

  describe('a request for a certificate of a role', () => {
    const HOLDER = 'URI:athenz://principal/user.x'
    const request = (csr: string, certificate: ClientCertificate) =>
      servers.ask({ server: 'zts', method: 'POST', path: '/zts/v1/rolecert', body: { csr }, certificate })

    for (const [what, commonName, names, status, message, reason] of [
      [
        'for a role that the caller does not have',
        'victim:role.launcher',
        [HOLDER],
        403,
        /^postRoleCertificateRequestExt: principal user\.x is not included in the requested role\(s\) in domain victim$/i,
        /./,
      ],
      [
        'for a role that does not exist',
        'victim:role.none',
        [HOLDER],
        403,
        /^postRoleCertificateRequestExt: principal user\.x is not included in the requested role\(s\) in domain victim$/i,
        /./,
      ],
      [
        'for a service',
        'victim.victim',
        [HOLDER],
        400,
        /^Unable to parse PKCS10 CSR: Role Certificate CN is not a valid role: victim\.victim$/,
        /./,
      ],
      [
        'in the name of the administrator',
        'victim:role.victim',
        ['URI:athenz://principal/user.admin'],
        400,
        /^Unable to validate cert request$/,
        /the URI is not that of the principal/,
      ],
      [
        'that also names the administrator',
        'victim:role.victim',
        [HOLDER, 'URI:athenz://principal/user.admin'],
        400,
        /^Unable to validate cert request$/,
        /named more than once/,
      ],
      [
        'in the name of nobody',
        'victim:role.victim',
        [],
        400,
        /^Unable to validate cert request$/,
        /the principal is not named/,
      ],
      [
        'with the SPIFFE id of another role',
        'victim:role.victim',
        [HOLDER, 'URI:spiffe://victim/ra/admin'],
        400,
        /^Unable to validate cert request$/,
        /the SPIFFE URI is not that of the role/,
      ],
      [
        'with a URI of another scheme',
        'victim:role.victim',
        [HOLDER, 'URI:https://victim.example.com/'],
        400,
        /^Unable to validate cert request$/,
        /^$|Unable/,
      ],
      [
        'of another instance',
        'victim:role.victim',
        [HOLDER, instanceUri('i-1')],
        400,
        /^Unable to validate cert request$/,
        /the instance is not that of the caller/,
      ],
    ] as const) {
      test(`is refused ${what}: ${status}`, async () => {
        const holder = await issued(await clientAuthority(servers.summary), 'user.x')
        const answer = await request(requestFor(commonName, names), holder)
        assert.equal(answer.status, status, answer.message)
        assert.match(answer.message, message)
        assert.match(await servers.reasonOf('zts', answer), reason)
      })
    }

    test('is good for a role that the caller has, and its certificate for nothing else', async () => {
      const holder = await issued(await clientAuthority(servers.summary), 'user.x')
      const extensions = [{ id: EXTENDED_KEY_USAGE, value: sequence(oid(CODE_SIGNING)) }]
      const { status, message, body } = await request(
        requestFor('victim:role.victim', [HOLDER], { extensions }),
        holder,
      )
      assert.equal(status, 200, message)
      const certificate = new X509Certificate(String(Reflect.get(Object(body), 'x509Certificate')))
      assert.deepEqual([certificate.ca, certificate.keyUsage], [false, USUAL_PURPOSES])
    })
  })

  describe('a renewal', () => {
    const key = requestKeyPem
    const refresh = (
      certificate: ClientCertificate,
      { id = 'i-1', provider = PROVIDER, csr = asked([]), data = proof } = {},
    ) =>
      servers.ask({
        server: 'zts',
        method: 'POST',
        path: `/zts/v1/instance/${provider}/victim/victim/${id}`,
        certificate,
        body: { csr, attestationData: data },
      })
    const registered = async (id: string) => {
      const [data, csr] = [await proofOf(id), requestFor(NAME, [DNS_NAME, instanceUri(id)])]
      const certificate = certificateOf(await register(csr, { attestationData: data }))
      return { first: { certificate, key }, data, csr, id }
    }
    const MISMATCH = `${INVALID}instance id mismatch`

    test('is given to the instance, for another key too', async () => {
      const { first, data, id } = await registered('i-2')
      const other = newKey()
      const csr = requestFor(NAME, [DNS_NAME, instanceUri(id)], { key: other })
      const second = new X509Certificate(certificateOf(await refresh(first, { id, data, csr })))
      assert.ok(second.checkPrivateKey(other))
    })

    test('is refused to another instance, by path, request or certificate', async () => {
      const [one, two] = [await registered('i-3'), await registered('i-4')]
      refused(await refresh(one.first, { ...one, id: two.id }), 400, MISMATCH)
      refused(await refresh(one.first, { ...one, csr: two.csr }), 400, MISMATCH)
      refused(await refresh(two.first, one), 400, MISMATCH)
      refused(await refresh(two.first, { ...two, data: one.data }), 403, WRONG_PROOF)
    })

    test('is refused to another provider, although that one vouches', async () => {
      const { first, id, csr } = await registered('i-5')
      fake.answer = (question) => [200, question]
      const answer = await refresh(first, { id, csr, provider: OWN_PROVIDER })
      refused(answer, 403, 'Unable to find certificate record')
    })

    test('is refused with a certificate of another service, of a user, and without any', async () => {
      const authority = await clientAuthority(servers.summary)
      const names = [{ type: 'uri', value: `athenz://instanceid/${PROVIDER}/i-1` }] as const
      for (const name of ['other.api', 'user.admin']) {
        const answer = await refresh(await issued(authority, name, { ...LEAF, names }))
        refused(answer, 400, `Principal mismatch: ${NAME} vs. ${name}`)
      }
      const { status, message } = await servers.ask({
        server: 'zts',
        method: 'POST',
        path: `/zts/v1/instance/${PROVIDER}/victim/victim/i-1`,
        body: { csr: asked([]), attestationData: proof },
      })
      assert.deepEqual([status, message], [401, 'Invalid credentials'])
    })

    test('is refused with a certificate of the service that ZTS has not issued for this instance', async () => {
      const { data, csr, id } = await registered('i-6')
      const names = [{ type: 'uri', value: `athenz://instanceid/${PROVIDER}/${id}` }] as const
      const forged = await issued(await clientAuthority(servers.summary), NAME, { ...LEAF, names })
      refused(await refresh(forged, { data, csr, id }), 403, 'Certificate revoked')
    })

    test('with an older certificate is refused, and so is every other one until the instance registers again', async () => {
      const { first, ...instance } = await registered('i-7')
      const next = async (certificate: ClientCertificate) => ({
        certificate: certificateOf(await refresh(certificate, instance)),
        key,
      })
      const third = await next(await next(first))
      refused(await refresh(first, instance), 403, 'Certificate revoked')
      refused(await refresh(third, instance), 403, 'Certificate revoked')
      const { first: again } = await registered('i-7')
      await next(again)
    })

    test('is refused when the instance was removed', async () => {
      const { first, ...instance } = await registered('i-8')
      const path = `/zts/v1/instance/${PROVIDER}/victim/victim/i-8`
      const { nobody, administrator } = servers
      const denied = await servers.ask({ server: 'zts', method: 'DELETE', path, certificate: nobody })
      assert.deepEqual(
        [denied.status, denied.message],
        [403, 'principal not authorized to delete the requested instance record'],
      )
      const removed = await servers.ask({ server: 'zts', method: 'DELETE', path, certificate: administrator })
      assert.equal(removed.status, 204, removed.message)
      refused(await refresh(first, instance), 403, 'Unable to find certificate record')
    })
  })

  describe('a provider', () => {
    const ask = (provider: string, attestationData = 'proof') =>
      register(requestFor(NAME, [DNS_NAME, instanceUri('i-1', provider)]), { provider, attestationData })

    test('that is where it should be and who it should be is asked', async () => {
      fake.answer = (question) => [200, question]
      certificateOf(await ask(OWN_PROVIDER))
      assert.equal(fake.asked.at(-1)?.['provider'], OWN_PROVIDER)
    })

    for (const [service, reason] of [
      ['loopback', /127\.0\.0\.1 is not among athenz\.zts\.provider_endpoints/],
      ['metadata', /169\.254\.169\.254 is not among athenz\.zts\.provider_endpoints/],
      ['plain', /is neither class:\/\/ nor https:\/\//],
      ['guest', /names a user that has no meaning/],
      ['code', /the class \.\/evil\.mjs is not known/],
    ] as const) {
      test(`at an endpoint of the kind ${service} is not asked`, async () => {
        const told = fake.asked.length
        refused(await ask(`victim.${service}`), 400, `unable to get instance for provider: victim.${service}`)
        assert.equal(fake.asked.length, told)
        await until(async () =>
          (await servers.linesAbout('zts', `provider victim.${service}:`)).some((line) => reason.test(line)),
        )
      })
    }

    test('behind which another one answers is told nothing', async () => {
      const told = fake.asked.length
      refused(await ask('victim.impostor'), 504, `${UNHEARD}the provider does not answer`)
      assert.equal(fake.asked.length, told)
    })

    for (const [what, answer, reason] of [
      [
        'sends elsewhere',
        () => [307, {}, { location: 'https://169.254.169.254/latest/' }],
        'the provider answered with status 307',
      ],
      [
        'answers about another service',
        (question) => [200, { ...question, service: 'api' }],
        'the provider answered for another service',
      ],
      [
        'answers about another domain',
        (question) => [200, { ...question, domain: 'other' }],
        'the provider answered for another domain',
      ],
      [
        'answers as another provider',
        (question) => [200, { ...question, provider: PROVIDER }],
        'the provider answered for another provider',
      ],
      [
        'names a usage of its own',
        (question) => [200, { ...question, attributes: { certUsage: 'ca' } }],
        'the provider named an unknown usage',
      ],
      [
        'names an endless life',
        (question) => [200, { ...question, attributes: { certExpiryTime: '1e99' } }],
        'the provider named an unfit expiry',
      ],
      ['answers with a list', () => [200, []], 'the answer of the provider is no confirmation'],
      ['refuses', () => [403, { code: 403, message: 'not one of mine' }], 'not one of mine'],
    ] satisfies readonly (readonly [string, FakeProvider['answer'], string])[]) {
      test(`that ${what} vouches for nobody`, async () => {
        fake.answer = answer
        refused(await ask(OWN_PROVIDER), 403, UNVOUCHED + reason)
      })
    }

    test('that may not launch the service is not asked', async () => {
      const told = fake.asked.length
      refused(await ask('victim.victim'), 403, `provider 'victim.victim' not authorized to launch instances in Athenz`)
      assert.equal(fake.asked.length, told)
    })

    test('takes no proof that was made for another instance, provider or purpose', async () => {
      const csr = asked([])
      const token = await servers.ask({
        server: 'zts',
        method: 'POST',
        path: '/zts/v1/oauth2/token',
        certificate: servers.administrator,
        body: 'grant_type=client_credentials&scope=victim:domain',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      for (const attestationData of [
        await proofOf('i-2'),
        await proofOf('i-1', 'victim.last'),
        String(Reflect.get(Object(token.body), 'access_token')),
        `${proof.slice(0, proof.lastIndexOf('.') + 1)}AAAA`,
        'v=S1;d=victim;n=victim;s=AAAA',
      ]) {
        refused(await register(csr, { attestationData }), 403, WRONG_PROOF)
      }
      refused(
        await register(csr, { attestationData: '' }),
        400,
        'attestation data is required for x509 certificate request',
      )
    })
  })
})

type Question = Readonly<Record<string, unknown>>

/** A provider of instances behind HTTPS, which answers what the test says. */
class FakeProvider implements Disposable {
  /** Status, body and headers for a question. */
  answer: (question: Question) => readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>] =
    (question) => [200, question]
  readonly asked: Question[] = []
  readonly port: number
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('request', (request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const question = JSON.parse(Buffer.concat(parts).toString()) as Question
        this.asked.push(question)
        const [status, body, headers = {}] = this.answer(question)
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
      })
    })
  }

  /** Starts one that has a certificate of the service `name`. */
  static async start({ summary }: AttackedServers, name: string): Promise<FakeProvider> {
    const { certificate, key } = await issued(await clientAuthority(summary), name, {
      ...LEAF,
      extendedKeyUsage: ['serverAuth'],
    })
    const server = createServer({ cert: certificate, key })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new FakeProvider(server)
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
