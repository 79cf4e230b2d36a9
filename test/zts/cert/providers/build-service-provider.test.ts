import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { suite, test } from 'node:test'
import { createSigner } from '#core/crypto/signing.ts'
import { signJwt } from '#core/token/json-web-token.ts'
import { type InstanceConfirmation, ProviderRefusal } from '#zts/cert/instance-provider.ts'
import { type BuildService, BuildServiceProvider } from '#zts/cert/providers/build-service-provider.ts'
import { buildkite, gitHubActions, harness, spacelift } from '#zts/cert/providers/build-services.ts'
import { TokenIssuer } from '#zts/cert/providers/token-issuer.ts'

const NOW = Date.parse('2026-08-02T00:00:00Z')
const NOW_SECONDS = NOW / 1000
const ISSUER = 'https://builds.example.com'
const signer = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'k1')
const KEYS = { keys: [{ ...signer.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' }] }

interface Options {
  readonly allowed?: readonly string[]
  readonly documents?: Readonly<Record<string, unknown>>
  readonly keySet?: string
}

/** Documents that the issuer serves, and what was asked for. */
function providerOf(service: BuildService, { allowed = [], keySet, documents }: Options = {}) {
  const asked: string[] = []
  const decisions: string[] = []
  const served = new Map(
    Object.entries(
      documents ?? {
        [`${ISSUER}/.well-known/openid-configuration`]: { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` },
        [`${ISSUER}/keys`]: KEYS,
      },
    ),
  )
  const client = {
    async ask(url: URL) {
      asked.push(url.href)
      return served.has(url.href) ? { status: 200, value: served.get(url.href) } : { status: 404, value: undefined }
    },
  }
  const now = () => NOW
  const provider = new BuildServiceProvider({
    service,
    issuer: new TokenIssuer({ issuer: ISSUER, audience: 'athenz.io', keySet, client, now, log: () => {} }),
    mayService: (name, action, resource) => {
      decisions.push(`${name} ${action} ${resource}`)
      return allowed.includes(`${action} ${resource}`)
    },
    maxAgeSeconds: 300,
    expiryMins: 360,
    dnsSuffixes: ['builds.athenz.io'],
    now,
    close: async () => {},
  })
  return { provider, asked, decisions }
}

const CLAIMS = { iss: ISSUER, aud: 'athenz.io', iat: NOW_SECONDS - 10, exp: NOW_SECONDS + 600 }
const GITHUB = {
  ...CLAIMS,
  sub: 'repo:acme/shop:ref:refs/heads/main',
  repository: 'acme/shop',
  run_id: '77',
  event_name: 'push',
  enterprise: 'acme',
}
const GITHUB_RIGHT = 'github.push sports:repo:acme/shop:ref:refs/heads/main'

const question = (attestationData: string, instanceId: string, attributes: object = {}): InstanceConfirmation => ({
  provider: 'sys.builds',
  domain: 'sports',
  service: 'api',
  attestationData,
  attributes: {
    instanceId,
    clientIP: '10.0.0.1',
    sanDNS: 'api.sports.builds.athenz.io',
    sanURI: `athenz://instanceid/sys.builds/${instanceId},spiffe://sports/sa/api`,
    ...attributes,
  },
})

const refusal = (reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ProviderRefusal, String(error))
  assert.match(error.message, reason)
  return true
}

suite('jobs of build services', () => {
  const rows: readonly (readonly [string, BuildService, object, string, string])[] = [
    ['GitHub Actions', gitHubActions('acme'), GITHUB, 'acme:shop:77', GITHUB_RIGHT],
    [
      'Buildkite',
      buildkite,
      {
        ...CLAIMS,
        sub: 'organization:acme:pipeline:shop:ref:refs/heads/main:commit:1:step:build',
        organization_slug: 'acme',
        pipeline_slug: 'shop',
        build_number: 5,
        job_id: 'j-1',
      },
      'acme:shop:5:j-1',
      'build-kite.build sports:organization:acme:pipeline:shop:ref:refs/heads/main:commit:1:step:build',
    ],
    [
      'Spacelift',
      spacelift,
      { ...CLAIMS, sub: 'space:s:stack:t:run_type:TRACKED:scope:write', spaceId: 's', callerId: 't', runId: '01H' },
      's:t:01H',
      'spacelift.run sports:space:s:stack:t:run_type:TRACKED:scope:write',
    ],
    [
      'Harness',
      harness('acc'),
      {
        ...CLAIMS,
        sub: 'account/acc:org/o:project/p:pipeline/x',
        account_id: 'acc',
        organization_id: 'o',
        project_id: 'p',
        pipeline_id: 'x',
        context: 'triggerType:Webhook/triggerEvent:PR/sequenceId:9',
      },
      'o:p:x:9',
      'harness.Webhook.PR sports:account/acc:org/o:project/p:pipeline/x',
    ],
  ]
  for (const [name, service, claims, id, right] of rows) {
    test(`${name}: the id and the action are those of the token, and the domain decides`, async () => {
      const { provider, asked } = providerOf(service, { allowed: [right] })
      const token = await signJwt(signer, claims)
      const answer = await provider.confirmInstance(question(token, id))
      assert.deepEqual(answer.attributes, { certRefresh: 'false', certUsage: 'client', certExpiryTime: '360' })
      assert.deepEqual(asked, [`${ISSUER}/.well-known/openid-configuration`, `${ISSUER}/keys`])
      await provider.confirmInstance(question(token, id))
      assert.equal(asked.length, 2)

      const refused = providerOf(service, { allowed: [] })
      await assert.rejects(refused.provider.confirmInstance(question(token, id)), refusal(/authorization check failed/))
      assert.deepEqual(refused.decisions, [`sports.api ${right}`])
      await assert.rejects(provider.confirmInstance(question(token, `${id}x`)), refusal(/invalid instance id/))
      await assert.rejects(provider.refreshInstance(), refusal(/cannot be refreshed/))
    })

    test(`${name}: a token without a part of the id is refused`, async () => {
      const { provider } = providerOf(service, { allowed: [right] })
      for (const claim of Object.keys(claims).filter((key) => !(key in CLAIMS))) {
        const token = await signJwt(signer, { ...claims, [claim]: undefined })
        await assert.rejects(provider.confirmInstance(question(token, id)), ProviderRefusal, claim)
      }
    })
  }

  test('GitHub Actions: with the check of workflows the called one needs the right too', async () => {
    const WORKFLOW_RIGHT = 'github.push sports:acme/tools/.github/workflows/build.yml@refs/heads/main'
    const service = gitHubActions('acme', true)
    const claims = { ...GITHUB, job_workflow_ref: 'acme/tools/.github/workflows/build.yml@refs/heads/main' }
    const ask = async (allowed: readonly string[], token: object) =>
      providerOf(service, { allowed: [...allowed] }).provider.confirmInstance(
        question(await signJwt(signer, { ...token }), 'acme:shop:77'),
      )
    await ask([GITHUB_RIGHT, WORKFLOW_RIGHT], claims)
    await assert.rejects(ask([GITHUB_RIGHT], claims), refusal(/authorization check failed .*workflows\/build/))
    await assert.rejects(ask([WORKFLOW_RIGHT], claims), refusal(/authorization check failed .*repo:acme/))
    await assert.rejects(ask([GITHUB_RIGHT, WORKFLOW_RIGHT], GITHUB), refusal(/does not contain required claims/))
  })

  test('Harness: without an event the action is the type alone', async () => {
    const claims = {
      ...CLAIMS,
      sub: 'account/acc:org/o:project/p',
      account_id: 'acc',
      organization_id: 'o',
      project_id: 'p',
      pipeline_id: 'x',
      context: 'triggerType:manual/triggerEvent:null/sequenceId:9',
    }
    const { provider } = providerOf(harness(undefined), {
      allowed: ['harness.manual sports:account/acc:org/o:project/p'],
    })
    await provider.confirmInstance(question(await signJwt(signer, claims), 'o:p:x:9'))
    const foreign = await signJwt(signer, { ...claims, sub: 'account/other:org/o:project/p' })
    await assert.rejects(provider.confirmInstance(question(foreign, 'o:p:x:9')), refusal(/subject does not match/))
  })
})

suite('tokens that prove nothing', () => {
  test('those of others, for others, or of another time', async () => {
    const { provider } = providerOf(gitHubActions('acme'), { allowed: [GITHUB_RIGHT] })
    const strange = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'k1')
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /Service credentials not provided/],
      ['junk', /not three parts/],
      [await signJwt(strange, GITHUB), /signature does not match/],
      [await signJwt(createSigner(signer.privateKey, 'k2'), GITHUB), /key .*k2.* is not known/],
      [await signJwt(signer, { ...GITHUB, iss: 'https://builds.example.com/' }), /issuer is not the configured one/],
      [await signJwt(signer, { ...GITHUB, aud: 'https://other.example.com' }), /audience is not ZTS/],
      [await signJwt(signer, { ...GITHUB, aud: ['athenz.io', 'other'] }), /audience is not ZTS/],
      [await signJwt(signer, { ...GITHUB, aud: undefined }), /audience is not ZTS/],
      [await signJwt(signer, { ...GITHUB, exp: NOW_SECONDS - 61 }), /expired/],
      [await signJwt(signer, { ...GITHUB, exp: undefined }), /no time of expiry/],
      [await signJwt(signer, { ...GITHUB, iat: NOW_SECONDS - 301 }), /not recent enough/],
      [await signJwt(signer, { ...GITHUB, iat: undefined }), /not recent enough/],
      [await signJwt(signer, { ...GITHUB, enterprise: 'other' }), /enterprise is not the configured one/],
    ]
    for (const [token, reason] of cases) {
      await assert.rejects(provider.confirmInstance(question(token, 'acme:shop:77')), refusal(reason), String(reason))
    }
  })

  test('those whose keys cannot be had', async () => {
    const token = await signJwt(signer, GITHUB)
    const configuration = `${ISSUER}/.well-known/openid-configuration`
    for (const documents of [
      {},
      { [configuration]: {} },
      { [configuration]: { jwks_uri: 'no url' } },
      { [configuration]: { jwks_uri: 'http://builds.example.com/keys' }, 'http://builds.example.com/keys': KEYS },
    ]) {
      const { provider } = providerOf(gitHubActions(undefined), { allowed: [GITHUB_RIGHT], documents })
      await assert.rejects(provider.confirmInstance(question(token, 'acme:shop:77')), refusal(/is not known/))
    }
    const { provider, asked } = providerOf(gitHubActions(undefined), {
      allowed: [GITHUB_RIGHT],
      keySet: `${ISSUER}/keys`,
    })
    await provider.confirmInstance(question(token, 'acme:shop:77'))
    assert.deepEqual(asked, [`${ISSUER}/keys`])
  })

  test('requests with addresses, hosts or names that are not those of a job', async () => {
    const { provider } = providerOf(gitHubActions(undefined), { allowed: [GITHUB_RIGHT] })
    const token = await signJwt(signer, GITHUB)
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ sanIP: '10.0.0.1' }, /must not have any sanIP/],
      [{ hostname: 'h.example.com' }, /must not have any hostname/],
      [{ sanURI: 'https://example.com' }, /request URI values/],
      [{ sanDNS: 'api.weather.builds.athenz.io' }, /sanDNS entries/],
      [{ sanDNS: '' }, /sanDNS entries/],
    ]
    for (const [attributes, reason] of cases) {
      await assert.rejects(provider.confirmInstance(question(token, 'acme:shop:77', attributes)), refusal(reason))
    }
  })
})
