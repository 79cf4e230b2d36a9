import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type InstanceConfirmation, ProviderRefusal } from '#zts/cert/instance-provider.ts'
import { type ClaimsJudge, CodeSigningProvider } from '#zts/cert/providers/code-signing-provider.ts'
import { RoleBasedProvider } from '#zts/cert/providers/role-based-provider.ts'

const question = (attestationData: string, attributes: Record<string, string> = {}): InstanceConfirmation => ({
  provider: 'sys.auth.other',
  domain: 'sports',
  service: 'api',
  attestationData,
  attributes,
})

const refusal = (reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ProviderRefusal, String(error))
  assert.match(error.message, reason)
  assert.equal(error.status, 403)
  return true
}

suite('services that sign code', () => {
  const provider = new CodeSigningProvider({
    issuer: {
      async claims(token) {
        if (token === 'bad') throw new ProviderRefusal('bad token')
        return { sub: token }
      },
    },
    expiryMins: 15,
    close: async () => {},
  })

  test('get a certificate for that when an id token is theirs', async () => {
    const { attributes } = await provider.confirmInstance(question('{"identityToken":"sports.api"}'))
    assert.deepEqual(attributes, { certExpiryTime: '15', certUsage: 'codeSigning', certRefresh: 'false' })
  })

  test('get none otherwise, and never another one for it', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /invalid attestation data/],
      ['junk', /invalid attestation data/],
      ['null', /invalid attestation data/],
      ['{"identityToken":7}', /invalid attestation data/],
      ['{"identityToken":"bad"}', /bad token/],
      ['{"identityToken":"sports.web"}', /subject mismatch/],
    ]
    for (const [attestation, reason] of cases) {
      await assert.rejects(provider.confirmInstance(question(attestation)), refusal(reason), attestation)
    }
    await assert.rejects(provider.refreshInstance(), refusal(/cannot be refreshed/))
  })
})

suite('services that sign code, with a judge of their claims', () => {
  const judged = (accepts: ClaimsJudge['accepts']) =>
    new CodeSigningProvider({
      issuer: { claims: async (token) => ({ sub: token, team: 'red' }) },
      judge: { accepts },
      expiryMins: 15,
      close: async () => {},
    }).confirmInstance(question('{"identityToken":"sports.api"}'))

  test('get a certificate when it accepts', async () => {
    const seen: unknown[] = []
    await judged((claims, service) => {
      seen.push(claims['team'], service)
      return true
    })
    assert.deepEqual(seen, ['red', { domain: 'sports', service: 'api' }])
  })

  test('get none when it does not, or fails, or says nothing clear', async () => {
    const unclear = () => 'yes' as unknown as boolean
    await assert.rejects(
      judged(async () => false),
      refusal(/not accepted/),
    )
    await assert.rejects(judged(unclear), refusal(/not accepted/))
    await assert.rejects(
      judged(() => {
        throw new Error('directory is away')
      }),
      refusal(/cannot be validated/),
    )
  })
})

suite('services that act as others by their roles', () => {
  const asked: string[] = []
  const providerOf = (issuerNames: readonly string[] = []) =>
    new RoleBasedProvider({
      issuerNames,
      mayPrincipal: (principal, action, resource) => {
        asked.push(`${principal} ${action} ${resource}`)
        return principal === 'weather.batch'
      },
    })
  const certificate = (certSubjectDn: string, certIssuerDn = 'CN=Athenz CA,O=Athenz,C=US') => ({
    certSubjectDn,
    certIssuerDn,
  })

  test('may when the policies of the domain say so', async () => {
    await providerOf().confirmInstance(question('', certificate('CN=weather.batch,O=Athenz')))
    await providerOf().confirmInstance(question('', certificate('O=Athenz,CN=Weather.Batch')))
    assert.equal(asked[0], 'weather.batch zts.assume_service sports:service.api')
  })

  test('may with a certificate of a named issuer only, in whatever order its name is written', async () => {
    const provider = providerOf(['C=US, O=Athenz, CN=Athenz CA', 'CN=Other'])
    await provider.confirmInstance(question('', certificate('CN=weather.batch')))
    for (const issuer of ['CN=Athenz CA,O=Athenz', 'CN=Evil', '', '=']) {
      await assert.rejects(
        provider.confirmInstance(question('', certificate('CN=weather.batch', issuer))),
        refusal(/Invalid issuer DN/),
        issuer,
      )
    }
  })

  test('may not otherwise', async () => {
    const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{}, /Invalid issuer DN/],
      [{ certIssuerDn: 'CN=Athenz CA' }, /No certificate subject DN/],
      [certificate('O=Athenz'), /Invalid certificate subject CN/],
      [certificate('CN=batch'), /Invalid certificate subject CN/],
      [certificate('CN=weather:role.readers'), /Invalid certificate subject CN/],
      [certificate('O=x\\,CN=weather.batch\\,y'), /Invalid certificate subject CN/],
      [certificate('O=x\\,CN=weather.batch,CN=sports.evil'), /Service: sports.evil not authorized/],
      [certificate('CN=weather.batch,CN=sports.evil'), /Invalid certificate subject CN/],
      [certificate('CN=weather.*'), /Invalid certificate subject CN/],
      [certificate('CN=weather.other'), /not authorized to assume identity: sports.api/],
    ]
    for (const [attributes, reason] of cases) {
      await assert.rejects(
        providerOf().confirmInstance(question('', attributes)),
        refusal(reason),
        JSON.stringify(attributes),
      )
    }
    await assert.rejects(providerOf().refreshInstance(), refusal(/cannot be refreshed/))
  })
})
