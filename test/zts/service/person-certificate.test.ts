import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '#zts/cert/instance-provider.ts'
import { InstanceProviders } from '#zts/cert/instance-providers.ts'
import { externalMemberCertificateService } from '#zts/service/external-member-certificate.ts'
import { userCertificateService } from '#zts/service/user-certificate.ts'
import { requestFor } from '../../support/certificate-requests.ts'
import { certificateOf, minutesOf, NotingSigner, openCertificateParts } from './certificate-parts.ts'
import { type CallOptions, Harness, refusal } from './harness.ts'

const ANONYMOUS: CallOptions = { anonymous: true, headers: { 'user-agent': 'zts-usercert' } }
const role = (name: string, members: readonly string[], tags: Readonly<Record<string, string>> = {}) => ({
  name: `user:role.${name}`,
  roleMembers: members.map((memberName) => ({ memberName })),
  tags: Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, { list: [value] }])),
})
const USER = {
  name: 'user',
  roles: [
    role('long', ['user.joe', 'user.jane'], { 'zts.UserCertTimeout': '90' }),
    role('longer', ['user.joe'], { 'zts.UserCertTimeout': '120' }),
    role('other-key', ['user.joe'], { 'zts.UserCertTimeout': '600', 'zts.UserCertSignerKeyId': 'other' }),
    role('nonsense', ['user.eve'], { 'zts.UserCertTimeout': '-5' }),
  ],
}
const SYS_AUTH = {
  name: 'sys.auth',
  services: [{ name: 'sys.auth.people', publicKeys: [], providerEndpoint: 'class://People' }],
}
const PROPERTIES = {
  user_cert_provider: 'sys.auth.people',
  user_cert_max_timeout: '240',
  user_cert_signer_key_id_list: 'asked,other',
  external_member_cert_provider: 'sys.auth.people',
  external_member_cert_allowed_domains: 'Email,partners',
}

const userAuthority: Authority = {
  id: 'Auth-USERS',
  credentialSource: 'header',
  allowAuthorization: true,
  userType: async (name) => (name === 'user.gone' ? 'suspended' : name === 'user.nobody' ? 'invalid' : 'active'),
}

async function open(
  properties: Readonly<Record<string, string>> = {},
  authority: Authority | undefined = userAuthority,
) {
  const signer = await NotingSigner.create()
  const parts = await openCertificateParts(signer)
  const asked: InstanceConfirmation[] = []
  const provider: InstanceProvider = {
    svidTypes: 'x509',
    inProcess: true,
    confirmInstance: async (confirmation) => {
      asked.push(confirmation)
      if (confirmation.attestationData !== 'code=good') throw new ProviderRefusal('nobody knows him')
      return confirmation
    },
    refreshInstance: () => Promise.reject(new ProviderRefusal('never')),
  }
  const harness = await Harness.open({
    services: [
      (own) => {
        const all = {
          ...own,
          ...parts(own),
          instanceProviders: new InstanceProviders({
            domains: own.domains,
            classes: new Map([['People', () => provider]]),
            unsupported: new Map(),
            remote: () => 'no',
            log: () => {},
          }),
        }
        return { ...userCertificateService(all), ...externalMemberCertificateService(all) }
      },
    ],
    domains: [USER, SYS_AUTH],
    properties: { ...PROPERTIES, ...properties },
    ...(authority && { userAuthority: authority }),
  })
  const body = (name: string, more: object) => ({ name, csr: requestFor(name), attestationData: 'code=good', ...more })
  return {
    signer,
    asked,
    user: (name: string, more: object = {}) => harness.post('/usercert', body(name, more), ANONYMOUS),
    member: (name: string, more: object = {}) => harness.post('/extmembercert', body(name, more), ANONYMOUS),
  }
}

const NOT_CONFIRMED =
  'unable to verify attestation data: ResourceException (403): nobody knows him client: zts-usercert clientIP: 192.0.2.1 clientHost: null'

describe('postUserCertificateRequest', () => {
  it('issues a certificate for a user for whom the provider vouches', async () => {
    const { user, signer, asked } = await open()
    const csr = requestFor('user.joe', ['URI:spiffe://athenz.io/ns/default/sa/user.joe'])
    const certificate = certificateOf(await user('User.Joe', { csr, x509CertSignerKeyId: 'asked' }))
    assert.equal(certificate.subject, 'O=Athenz\nCN=user.joe')
    const { provider, usage, priority, signerKeyId } = signer.last
    assert.deepEqual([provider, usage, priority, signerKeyId], ['sys.auth.people', 'client', 'High', 'asked'])
    assert.deepEqual(asked, [
      {
        provider: 'sys.auth.people',
        domain: 'user',
        service: 'joe',
        attestationData: 'code=good',
        attributes: { clientIP: '192.0.2.1' },
      },
    ])
  })

  for (const [what, name, body, minutes] of [
    ['the most that his roles say', 'user.joe', {}, 120],
    ['less when less is asked for', 'user.joe', { expiryTime: 30 }, 30],
    ['not more than his roles say', 'user.joe', { expiryTime: 500 }, 120],
    ['what his roles say for the key in use, up to the maximum', 'user.joe', { x509CertSignerKeyId: 'other' }, 240],
    ['the default without roles', 'user.jim', {}, 60],
    ['the default when his roles say nonsense', 'user.eve', {}, 60],
    ['the default when less than nothing is asked for', 'user.jim', { expiryTime: -5 }, 60],
    ['not more than the default without roles', 'user.jim', { expiryTime: 200 }, 60],
  ] as const) {
    it(`gives ${what}`, async () => {
      const { user } = await open()
      assert.equal(minutesOf(certificateOf(await user(name, body))), minutes)
    })
  }

  it('gives the default, even where the maximum is less', async () => {
    const { user, member } = await open({
      user_cert_default_timeout: '300',
      external_member_cert_default_timeout: '90',
    })
    assert.equal(minutesOf(certificateOf(await user('user.jim', {}))), 300)
    assert.equal(minutesOf(certificateOf(await member('email:ext.joe@example.com', {}))), 90)
  })

  it('passes over a key that users may not ask for', async () => {
    const { user, signer } = await open({ user_cert_signer_key_id_list: 'one,two' })
    certificateOf(await user('user.joe', { x509CertSignerKeyId: 'other' }))
    assert.equal(signer.last.signerKeyId, undefined)
    certificateOf(await user('user.joe', { x509CertSignerKeyId: 'two' }))
    assert.equal(signer.last.signerKeyId, 'two')
  })

  it('passes over every key that is asked for when none is allowed', async () => {
    const { user, signer } = await open({ user_cert_signer_key_id_list: '' })
    certificateOf(await user('user.joe', { x509CertSignerKeyId: 'other' }))
    assert.equal(signer.last.signerKeyId, undefined)
  })

  it('is signed with the key that the user authority chooses', async () => {
    const chosen = new Map([['user.joe other', 'own']])
    const { user, signer } = await open(
      { user_cert_signer_key_id_list: 'other' },
      { ...userAuthority, signerKeyId: async (name, requested) => chosen.get(`${name} ${requested}`) },
    )
    certificateOf(await user('user.joe', { x509CertSignerKeyId: 'other' }))
    assert.equal(signer.last.signerKeyId, 'own')
    certificateOf(await user('user.jim', { x509CertSignerKeyId: 'other' }))
    assert.equal(signer.last.signerKeyId, 'other')
  })

  describe('refuses', () => {
    const invalid = 'User name is not valid for certificate request'
    const unfit = 'Unable to validate cert request'
    const joe = (...names: string[]) => ({ csr: requestFor('user.joe', names) })
    const cases: readonly [string, string, object, number, string][] = [
      ['a service', 'sports.api', {}, 400, invalid],
      ['a wildcard', 'user.*', { csr: requestFor('user.joe') }, 400, invalid],
      ['a name below a user', 'user.joe.x', {}, 400, invalid],
      ['no name', 'user.', { csr: requestFor('user.joe') }, 400, invalid],
      ['a suspended user', 'user.gone', {}, 400, invalid],
      ['an unknown user', 'user.nobody', {}, 400, invalid],
      ['what is no request', 'user.joe', { csr: 'junk' }, 400, 'Unable to parse PKCS10 CSR: Invalid csr provided'],
      [
        'the common name of somebody else',
        'user.joe',
        { csr: requestFor('user.jane') },
        400,
        'User Certificate Request mismatch: user.jane/user.joe',
      ],
      [
        'no common name',
        'user.joe',
        { csr: requestFor(undefined) },
        400,
        'User Certificate Request mismatch: null/user.joe',
      ],
      ['a DNS name', 'user.joe', joe('DNS:joe.athenz.cloud'), 400, unfit],
      ['an address', 'user.joe', joe('IP:10.0.0.1'), 400, unfit],
      ['an e-mail address', 'user.joe', joe('email:joe@example.com'), 400, unfit],
      ['an instance', 'user.joe', joe('URI:athenz://instanceid/p/1'), 400, unfit],
      ['another URI', 'user.joe', joe('URI:athenz://principal/user.joe'), 400, unfit],
      ['the SPIFFE id of somebody else', 'user.joe', joe('URI:spiffe://athenz.io/ns/default/sa/user.jane'), 400, unfit],
      ['a SPIFFE id in another namespace', 'user.joe', joe('URI:spiffe://athenz.io/ns/prod/sa/user.joe'), 400, unfit],
      ['one for whom the provider does not vouch', 'user.joe', { attestationData: 'code=bad' }, 403, NOT_CONFIRMED],
    ]
    for (const [what, name, body, status, message] of cases) {
      it(what, async () => {
        const { user, signer } = await open()
        assert.deepEqual(await user(name, body), refusal(status, message))
        assert.equal(signer.requests.length, 0)
      })
    }

    it('everybody without a provider, without an authority of users, and with a provider that is none', async () => {
      const unset = 'User authority configuration is not set'
      assert.deepEqual(await (await open({ user_cert_provider: '' })).user('user.joe'), refusal(400, unset))
      const { config } = { config: await open({}, { ...userAuthority, userType: () => 'invalid' }) }
      assert.deepEqual(await config.user('user.joe'), refusal(400, invalid))
      const other = await open({ user_cert_provider: 'sys.auth.other' })
      assert.deepEqual(
        await other.user('user.joe'),
        refusal(400, 'unable to get instance for provider: sys.auth.other'),
      )
    })

    it('when the signer fails, without saying why', async () => {
      const { user, signer } = await open()
      signer.failure = new Error('secret')
      assert.deepEqual(await user('user.joe'), refusal(500, 'Unable to create certificate from the cert signer'))
    })
  })
})

describe('postExternalMemberCertificateRequest', () => {
  const JOE = 'email:ext.joe@example.com'

  it('issues a certificate for a member for whom the provider vouches', async () => {
    const { member, signer, asked } = await open()
    const certificate = certificateOf(await member(JOE))
    assert.equal(certificate.subject, `O=Athenz\nCN=${JOE}`)
    assert.equal(minutesOf(certificate), 60)
    assert.deepEqual([signer.last.usage, signer.last.provider], ['client', 'sys.auth.people'])
    assert.deepEqual(
      asked.map(({ domain, service }) => [domain, service]),
      [['user', JOE]],
    )
  })

  for (const [what, body, minutes] of [
    ['less when less is asked for', { expiryTime: 30 }, 30],
    ['not more than the maximum', { expiryTime: 500 }, 60],
    ['the default when nothing is asked for', { expiryTime: 0 }, 60],
  ] as const) {
    it(`gives ${what}`, async () => {
      const { member } = await open()
      assert.equal(minutesOf(certificateOf(await member(JOE, body))), minutes)
    })
  }

  it('gives not more than the default, whatever the maximum', async () => {
    const { member } = await open({ external_member_cert_max_timeout: '240' })
    assert.equal(minutesOf(certificateOf(await member(JOE, { expiryTime: 200 }))), 60)
  })

  it('is signed only with a key that members may ask for', async () => {
    for (const [list, expected] of [
      ['', undefined],
      ['one', undefined],
      ['one,two', 'two'],
    ] as const) {
      const { member, signer } = await open({ external_member_cert_signer_key_id_list: list })
      certificateOf(await member(JOE, { x509CertSignerKeyId: 'two' }))
      assert.equal(signer.last.signerKeyId, expected)
    }
  })

  const unfit = 'Unable to validate cert request'
  for (const [what, name, body, status, message] of [
    [
      'a domain that is not in the list',
      'sports:ext.joe',
      {},
      400,
      'External member name is not valid for certificate request',
    ],
    ['a wildcard', 'email:ext.*', {}, 400, 'External member name is not valid for certificate request'],
    [
      'the common name of somebody else',
      JOE,
      { csr: requestFor('email:ext.jane@example.com') },
      400,
      `External Member Certificate Request mismatch: email:ext.jane@example.com/${JOE}`,
    ],
    ['an alternative name', JOE, { csr: requestFor(JOE, ['email:joe@example.com']) }, 400, unfit],
    ['a SPIFFE id', JOE, { csr: requestFor(JOE, ['URI:spiffe://email/sa/joe']) }, 400, unfit],
    ['one for whom the provider does not vouch', JOE, { attestationData: 'x' }, 403, NOT_CONFIRMED],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { member, signer } = await open()
      assert.deepEqual(await member(name, body), refusal(status, message))
      assert.equal(signer.requests.length, 0)
    })
  }

  it('refuses everybody without its settings', async () => {
    const message = 'External member certificate configuration is not set'
    for (const properties of [{ external_member_cert_provider: '' }, { external_member_cert_allowed_domains: '' }]) {
      assert.deepEqual(
        await (await open(properties as unknown as Record<string, string>)).member(JOE),
        refusal(400, message),
      )
    }
  })
})
