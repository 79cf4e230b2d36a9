import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { oid, sequence } from '#core/crypto/certificate-asn1.ts'
import { subjectAttributes } from '#core/crypto/certificate-subject.ts'
import { idOf } from '#core/crypto/der-reader.ts'
import { requestFor } from '../support/certificate-requests.ts'
import type { ClientCertificate } from '../support/client-certificate.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { type Answer, AttackedServers, newKey } from './attacked-servers.ts'
import {
  AUTHORITIES,
  asked,
  CLIENT_AUTH,
  CODE_SIGNING,
  DNS_NAME,
  EXTENDED_KEY_USAGE,
  FOREIGN_NAMES,
  IGNORED,
  INVALID,
  instanceUri,
  LONG_NAME,
  NAME,
  NAME_CONSTRAINTS,
  NAMES,
  OWN_PROVIDER,
  POLICIES,
  PROVIDER,
  REFUSED,
  requestKeyPem,
  SERVER_AUTH,
  UNHEARD,
  UNKNOWN,
  UNVOUCHED,
  WRONG_PROOF,
  withExtensions,
} from './crafted-certificate-requests.ts'
import { FakeProvider } from './fake-provider.ts'
import { AUDIENCE, ISSUER, JOB, jobClaims, jobKey, type KeySets, signedJob, startKeySets } from './foreign-jobs.ts'
import { clientAuthority, issued, LEAF } from './issued-certificates.ts'

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
  let keySets: KeySets

  before(async () => {
    keySets = await startKeySets()
    servers = await AttackedServers.start(folder, {
      'athenz.zts.github_actions.issuer': ISSUER,
      'athenz.zts.github_actions.audience': AUDIENCE,
      'athenz.zts.github_actions.jwks_uri': keySets.url,
      'athenz.zts.github_actions.provider_dns_suffix': 'zts.athenz.cloud',
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
    keySets?.[Symbol.dispose]()
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
      github: 'class://com.yahoo.athenz.instance.provider.impl.InstanceGithubActionsProvider',
      last: 'class://com.yahoo.athenz.instance.provider.impl.InstanceZTSProvider',
    }
    await Promise.all(
      Object.entries(endpoints).map(async ([service, providerEndpoint]) => {
        const path = `/zms/v1/domain/victim/service/${service}`
        await servers.tell('PUT', path, { name: `victim.${service}` })
        await servers.tell('PUT', `${path}/meta/system/providerendpoint`, { providerEndpoint })
      }),
    )
    await servers.tell('PUT', `/zms/v1/domain/victim/service/${LONG_NAME}`, { name: `victim.${LONG_NAME}` })
    const members = [PROVIDER, ...Object.keys(endpoints).map((service) => `victim.${service}`)]
    for (const role of ['providers', `provider.${PROVIDER}`]) {
      const path = `/zms/v1/domain/sys.auth/role/${role}/member`
      const adding = members.slice(1).map((memberName) => servers.tell('PUT', `${path}/${memberName}`, { memberName }))
      await Promise.all(adding)
    }
    await servers.tell('PUT', '/zms/v1/domain/victim/role/jobs', {
      name: 'jobs',
      roleMembers: [{ memberName: NAME }],
    })
    await servers.tell('PUT', '/zms/v1/domain/victim/policy/jobs', {
      name: 'jobs',
      assertions: [{ role: 'victim:role.jobs', action: 'github.push', resource: `victim:${JOB.sub}` }],
    })
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

    describe('of jobs in a foreign cloud', () => {
      const id = `${JOB.repository.replace('/', ':')}:${JOB.run_id}`
      const send = async (claims: object, { key = jobKey, instance = id, header = {} } = {}) => {
        const attestationData = signedJob({ ...jobClaims(), ...claims }, key, header)
        const csr = requestFor(NAME, [DNS_NAME, instanceUri(instance, 'victim.github')])
        return register(csr, { provider: 'victim.github', attestationData })
      }
      const JOB_REFUSED = `${UNVOUCHED}Unable to validate Certificate Request: `
      const UNSIGNED = `${JOB_REFUSED}Unable to parse and validate token: `

      test('takes a token of the job', async () => void certificateOf(await send({})))

      for (const [what, claims, reason] of [
        ['for another audience', { aud: 'https://elsewhere.example' }, 'token audience is not ZTS Server audience'],
        [
          'for ours among others',
          { aud: [AUDIENCE, 'https://elsewhere.example'] },
          'token audience is not ZTS Server audience',
        ],
        ['without audience', { aud: undefined }, 'token audience is not ZTS Server audience'],
        ['of another issuer', { iss: `${ISSUER}/` }, 'token issuer is not the configured one'],
        [
          'of another repository',
          { sub: 'repo:me/other:ref:refs/heads/main' },
          'authorization check failed for action github.push, resource: victim:repo:me/other:ref:refs/heads/main',
        ],
        [
          'of another event',
          { event_name: 'pull_request' },
          `authorization check failed for action github.pull_request, resource: victim:${JOB.sub}`,
        ],
        ['of another run', { run_id: '78' }, `invalid instance id: me:app:78/${id}`],
        ['of a run that began long ago', { iat: 1 }, 'job start time is not recent enough, issued at: 1'],
      ] as const) {
        test(`takes none ${what}`, async () => refused(await send(claims), 403, JOB_REFUSED + reason))
      }

      test('takes none that is signed by another key, with none, or has ended', async () => {
        refused(await send({}, { key: newKey() }), 403, `${UNSIGNED}the signature does not match`)
        refused(await send({}, { header: { alg: 'none' } }), 403, `${UNSIGNED}algorithm none is not accepted`)
        refused(await send({}, { header: { kid: 'other' } }), 403, `${UNSIGNED}key other is not known`)
        const { status, message } = await send({ exp: 1 })
        assert.equal(status, 403)
        assert.ok(message.startsWith(`${UNSIGNED}expired at 1, `), message)
      })

      test('vouches for no other instance', async () => {
        refused(await send({}, { instance: 'me:app:78' }), 403, `${JOB_REFUSED}invalid instance id: ${id}/me:app:78`)
      })
    })

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
