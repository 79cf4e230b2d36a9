import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type InstanceConfirmation, ProviderRefusal } from '#zts/cert/instance-provider.ts'
import { readProviderAnswer } from '#zts/cert/providers/provider-answer.ts'

const ASKED: InstanceConfirmation = {
  provider: 'sys.auth.zts',
  domain: 'sports',
  service: 'api',
  attestationData: 'proof',
  attributes: { instanceId: 'i-1' },
}
const answer = (attributes: Record<string, string>, more: object = {}) =>
  readProviderAnswer(ASKED, { ...ASKED, attributes, ...more })

suite('what a provider answers', () => {
  test('nothing means: both sides of TLS, as long as the signer gives, with a record', () => {
    assert.deepEqual(answer({}), {
      usage: undefined,
      expiryMins: 0,
      keepsRecord: true,
      organizationalUnit: undefined,
      ssh: false,
      privateIp: undefined,
      sshPrincipals: [],
      attributes: {},
    })
  })

  test('what is understood is taken out, and the rest is for the instance', () => {
    assert.deepEqual(
      answer({
        certUsage: 'client',
        certExpiryTime: '360',
        certRefresh: 'false',
        certSubjectOU: 'Testing',
        certSSH: 'true',
        instancePrivateIp: '10.0.0.2',
        attestedSshCertPrincipals: 'a.example.com,,b.example.com',
        zone: 'east',
      }),
      {
        usage: 'client',
        expiryMins: 360,
        keepsRecord: false,
        organizationalUnit: 'Testing',
        ssh: true,
        privateIp: '10.0.0.2',
        sshPrincipals: ['a.example.com', 'b.example.com'],
        attributes: { zone: 'east' },
      },
    )
  })

  test('members that are left out are not held against it', () => {
    const silent = { provider: undefined, domain: null, attributes: undefined } as unknown as object
    assert.equal(readProviderAnswer(ASKED, { ...ASKED, ...silent }).keepsRecord, true)
  })

  test('an answer about another instance, or with attributes that cannot be meant, is a refusal', () => {
    const cases: readonly (readonly [Record<string, string>, object, RegExp])[] = [
      [{}, { provider: 'sys.auth.other' }, /for another provider/],
      [{}, { domain: 'weather' }, /for another domain/],
      [{}, { service: 'admin' }, /for another service/],
      [{ certUsage: 'ca' }, {}, /unknown usage/],
      [{ certUsage: 'Client' }, {}, /unknown usage/],
      [{ certExpiryTime: '1e9' }, {}, /unfit expiry/],
      [{ certExpiryTime: '-1' }, {}, /unfit expiry/],
      [{ certExpiryTime: '99999999999' }, {}, /unfit expiry/],
    ]
    for (const [attributes, more, reason] of cases) {
      assert.throws(
        () => answer(attributes, more),
        (error: unknown) => error instanceof ProviderRefusal && error.status === 403 && reason.test(error.message),
        JSON.stringify([attributes, more]),
      )
    }
  })
})
