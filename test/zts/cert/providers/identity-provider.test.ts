import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { loadServerConfig } from '#core/config/server-config.ts'
import { type InstanceConfirmation, ProviderRefusal } from '#zts/cert/instance-provider.ts'
import { personProviderClasses } from '#zts/cert/providers/person-providers.ts'
import { codeChallenge, FakeIdentityProvider, newSigner } from '../../../support/fake-identity-provider.ts'

const CLASS_PATH = 'com.yahoo.athenz.instance.provider.impl'
const NOW = Date.parse('2026-08-02T00:00:00Z')
const VERIFIER = 'v'.repeat(43)
const claims = (more: object = {}) => ({ sub: 'joe', aud: 'athenz', exp: NOW / 1000 + 60, ...more })

/** Settings of an identity provider at an address. */
const settingsOf = (url: string): Readonly<Record<string, string>> => ({
  idp_token_endpoint: `${url}/token`,
  idp_jwks_endpoint: `${url}/keys`,
  idp_client_id: 'zts',
  idp_audience: 'athenz',
})

async function providerOf(kind: 'user' | 'external_member', settings: Readonly<Record<string, string>>) {
  const { config } = await loadServerConfig({
    server: 'zts',
    rootDir: '/nonexistent',
    files: [],
    overrides: Object.entries(settings).map(([key, value]) => [`athenz.zts.${kind}_cert.${key}`, value] as const),
    env: {},
    hostname: 'zts.example.com',
  })
  const privateKeyStore = {
    privateKey: async () => undefined,
    applicationSecret: async (app: string | undefined, group: string | undefined, name: string) =>
      `${app} ${group} ${name}`,
  }
  const classes = personProviderClasses(config, { privateKeyStore, now: () => NOW, log: () => {} })
  const name = kind === 'user' ? 'UserCertificateProvider' : 'ExternalMemberCertificateProvider'
  const provider = classes.get(`${CLASS_PATH}.${name}`)?.('sys.auth.people')
  if (typeof provider !== 'object') throw new Error(provider)
  return provider
}

interface Opened {
  readonly kind?: 'user' | 'external_member'
  readonly settings?: Readonly<Record<string, string>>
}

async function open(t: TestContext, { kind = 'user', settings = {} }: Opened = {}) {
  const idp = await FakeIdentityProvider.start()
  const provider = await providerOf(kind, { ...settingsOf(idp.url), ...settings })
  t.after(() => provider.close?.())
  const confirm = (attestationData: string, service = 'joe') =>
    provider.confirmInstance({
      provider: 'sys.auth.people',
      domain: 'user',
      service,
      attestationData,
      attributes: { clientIP: '10.0.0.1' },
    })
  return { idp, provider, confirm }
}

const withVerifier = (code: string) => `code=${code}&state=x&code_verifier=${VERIFIER}`
const refused =
  (message: string | RegExp, status = 403) =>
  (error: unknown) => {
    assert.ok(error instanceof ProviderRefusal, String(error))
    assert.equal(error.status, status)
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    return true
  }

describe('an identity provider', () => {
  it('vouches for the user that its token is about', async (t) => {
    const { idp, confirm } = await open(t)
    idp.grants.set('c1', { claims: claims(), challenge: codeChallenge(VERIFIER) })
    const answer: InstanceConfirmation = await confirm(withVerifier('c1'))
    assert.deepEqual(answer.attributes, {})
    assert.equal(answer.service, 'joe')
    const [trade] = idp.service.seen
    assert.deepEqual(
      [trade?.method, trade?.target, trade?.headers['content-type']],
      ['POST', '/token', 'application/x-www-form-urlencoded'],
    )
    assert.deepEqual(Object.fromEntries(new URLSearchParams(trade?.body)), {
      grant_type: 'authorization_code',
      client_id: 'zts',
      redirect_uri: 'http://127.0.0.1:9213/oauth2/callback',
      code: 'c1',
      code_verifier: VERIFIER,
    })
  })

  it('is found by its description', async (t) => {
    const { idp, confirm } = await open(t)
    const provider = await providerOf('user', {
      idp_config_endpoint: `${idp.url}/config`,
      idp_client_id: 'zts',
      idp_audience: 'athenz',
    })
    t.after(() => provider.close?.())
    assert.ok(confirm)
    idp.grants.set('c1', { claims: claims() })
    const confirmation = {
      provider: 'p',
      domain: 'user',
      service: 'joe',
      attestationData: withVerifier('c1'),
      attributes: {},
    }
    await provider.confirmInstance(confirmation)
    assert.deepEqual(
      idp.service.seen.map(({ target }) => target),
      ['/config', '/token', '/keys'],
    )
  })

  it('gets the secret of this server, and then needs no verifier', async (t) => {
    const names = { idp_client_secret_app: 'a', idp_client_secret_keygroup: 'b', idp_client_secret_keyname: 'c' }
    const { idp, confirm } = await open(t, { settings: names })
    idp.clientSecret = 'a b c'
    idp.grants.set('c1', { claims: claims() })
    await confirm('code=c1')
    idp.clientSecret = 'other'
    idp.grants.set('c2', { claims: claims() })
    await assert.rejects(confirm('code=c2'), refused('the identity provider refuses the code with status 400'))
  })

  for (const [what, more, settings] of [
    ['the name alone', { sub: 'joe' }, {}],
    ['the full name', { sub: 'user.joe' }, {}],
    ['the name in capitals', { sub: 'Joe' }, {}],
    ['the configured claim', { sub: 'x-1', login: 'joe' }, { user_name_claim: 'login' }],
    ['several audiences', { aud: ['other', 'athenz'] }, {}],
  ] as const) {
    it(`may say who it is by ${what}`, async (t) => {
      const { idp, confirm } = await open(t, { settings })
      idp.grants.set('c1', { claims: claims(more) })
      await confirm(withVerifier('c1'))
    })
  }

  it('may say it in an id token', async (t) => {
    const { idp, confirm } = await open(t)
    idp.grants.set('c1', { claims: claims(), members: ['id_token'] })
    await confirm(withVerifier('c1'))
  })

  for (const [what, more, reason] of [
    ['about somebody else', { sub: 'jane' }, 'the token of the identity provider is about somebody else'],
    ['about nobody', { sub: undefined }, 'the token of the identity provider is about somebody else'],
    [
      'with the name in a claim that does not count',
      { sub: 'x', login: 'joe' },
      'the token of the identity provider is about somebody else',
    ],
    ['for another audience', { aud: 'other' }, 'the token of the identity provider is for another audience'],
    ['for nobody', { aud: undefined }, 'the token of the identity provider is for another audience'],
    ['that has expired', { exp: NOW / 1000 - 3600 }, /refused: expired/],
    ['without an end', { exp: undefined }, /refused: no time of expiry/],
  ] as const) {
    it(`does not vouch by a token ${what}`, async (t) => {
      const { idp, confirm } = await open(t)
      idp.grants.set('c1', { claims: claims(more) })
      await assert.rejects(confirm(withVerifier('c1')), refused(reason))
    })
  }

  it('does not vouch by the subject of a token where another claim is configured', async (t) => {
    const { idp, confirm } = await open(t, { settings: { user_name_claim: 'login' } })
    for (const [code, more] of [
      ['c1', { sub: 'joe' }],
      ['c2', { sub: 'joe', login: 'jane' }],
    ] as const) {
      idp.grants.set(code, { claims: claims(more) })
      await assert.rejects(
        confirm(withVerifier(code)),
        refused('the token of the identity provider is about somebody else'),
      )
    }
  })

  it('does not vouch by a token of another key', async (t) => {
    const { idp, confirm } = await open(t)
    idp.signer = newSigner('idp')
    idp.grants.set('c1', { claims: claims() })
    await assert.rejects(confirm(withVerifier('c1')), refused(/refused: the signature does not match/))
  })

  it('takes a code once', async (t) => {
    const { idp, confirm } = await open(t)
    idp.grants.set('c1', { claims: claims() })
    await confirm(withVerifier('c1'))
    await assert.rejects(confirm(withVerifier('c1')), refused('the identity provider refuses the code with status 400'))
  })

  it('compares the verifier with the challenge', async (t) => {
    const { idp, confirm } = await open(t)
    idp.grants.set('c1', { claims: claims(), challenge: codeChallenge('another') })
    await assert.rejects(confirm(withVerifier('c1')), refused(/refuses the code/))
  })

  for (const [what, data, reason] of [
    ['nothing', '', 'the attestation data has no authorization code'],
    ['no code', 'state=x', 'the attestation data has no authorization code'],
    ['an empty code', 'code=', 'the attestation data has no authorization code'],
    ['two codes', 'code=a&code=b', 'the attestation data has no authorization code'],
    ['an endless text', `code=${'a'.repeat(20_000)}`, 'the attestation data has no authorization code'],
    ['no verifier and no secret', 'code=c1', 'code_verifier is required, since no client secret is configured'],
  ] as const) {
    it(`is not asked with ${what}`, async (t) => {
      const { idp, confirm } = await open(t)
      await assert.rejects(confirm(data), refused(reason))
      assert.equal(idp.service.seen.length, 0)
    })
  }

  it('that is away is another matter than one that refuses', async (t) => {
    const { idp, confirm } = await open(t)
    idp.service.close()
    await assert.rejects(confirm(withVerifier('c1')), refused('the identity provider does not answer', 504))
  })

  it('that answers nonsense does not vouch', async (t) => {
    const { idp, confirm } = await open(t)
    idp.service.answer = (response) => response.end('junk')
    await assert.rejects(confirm(withVerifier('c1')), refused('the identity provider gave no token'))
  })

  it('never renews a certificate', async (t) => {
    const { provider } = await open(t)
    const confirmation = { provider: 'p', domain: 'user', service: 'joe', attestationData: '', attributes: {} }
    await assert.rejects(provider.refreshInstance(confirmation), refused('certificates of people cannot be refreshed'))
  })

  it('vouches for external members by their whole name', async (t) => {
    const { idp, confirm } = await open(t, { kind: 'external_member', settings: { member_name_claim: 'email' } })
    idp.grants.set('c1', { claims: claims({ sub: 'x', email: 'email:ext.joe@example.com' }) })
    await confirm(withVerifier('c1'), 'email:ext.joe@example.com')
    idp.grants.set('c2', { claims: claims({ sub: 'x', email: 'joe@example.com' }) })
    await assert.rejects(confirm(withVerifier('c2'), 'email:ext.joe@example.com'), refused(/about somebody else/))
  })

  it('needs its settings, and TLS unless it is on this machine', async () => {
    const prefix = 'athenz.zts.user_cert.'
    const missing = [
      `${prefix}idp_client_id: not set`,
      `${prefix}idp_audience: not set`,
      `${prefix}idp_token_endpoint: not set, and neither is ${prefix}idp_config_endpoint`,
      `${prefix}idp_jwks_endpoint: not set, and neither is ${prefix}idp_config_endpoint`,
    ]
    await assert.rejects(providerOf('user', {}), { name: 'ConfigError', problems: missing })
    const settings = { ...settingsOf('https://idp.example.com'), idp_token_endpoint: 'http://idp.example.com/token' }
    const message = `${prefix}idp_token_endpoint: http://idp.example.com/token is reached without TLS`
    await assert.rejects(providerOf('user', settings), { name: 'ConfigError', problems: [message] })
  })
})
