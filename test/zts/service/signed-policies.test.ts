import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type FlattenedJWS, flattenedVerify } from 'jose'
import type { EcdsaEncoding } from '#core/crypto/signing.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { principalTypes } from '#core/names/principal-name.ts'
import { DomainSigner } from '#zms/service/domain-signer.ts'
import { newDomain } from '#zms/service/new-domain.ts'
import { signedPoliciesService } from '#zts/service/signed-policies.ts'
import { verifySignedDomain, verifySignedPolicyData } from '../../conformance/canonical.mjs'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { DOMAIN_MODIFIED, type DomainJson } from '../../support/zts-domains.ts'
import { type Answer, Harness, type HarnessOptions, refusal, START_MILLIS } from './harness.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey

const assertion = (action: string, more: object = {}) => ({
  role: 'sports:role.readers',
  resource: 'sports:data.*',
  action,
  effect: 'ALLOW',
  ...more,
})
const policy = (name: string, action: string, more: object = {}) => ({
  name: `sports:policy.${name}`,
  modified: DOMAIN_MODIFIED,
  assertions: [assertion(action, { id: 7 })],
  ...more,
})
/** As ZMS sends it in web signatures: with all versions. */
const VERSIONED: DomainJson = {
  name: 'sports',
  policies: [
    policy('data', 'read', { version: '0', active: true }),
    policy('data', 'write', { version: 'v2', active: false }),
    policy('case', 'Read', { version: '0', active: true, caseSensitive: true }),
    policy('empty', '', { version: '0', active: true, assertions: [] }),
  ],
}
/** As ZMS sends it otherwise: active ones only, without their versions. */
const PLAIN: DomainJson = {
  name: 'sports',
  policies: [policy('data', 'read'), policy('empty', '', { assertions: null })],
}
const TAG = `"${DOMAIN_MODIFIED}"`
const EXPIRES = new Date(START_MILLIS + 604_800_000).toISOString()

const open = (options: Partial<HarnessOptions> = {}) =>
  Harness.open({ services: [signedPoliciesService], domains: [VERSIONED], keys: { ec }, ...options })

const PATH = '/domain/sports/signed_policy_data'
const post = (zts: Harness, policyVersions: object = {}, signatureP1363Format?: boolean, headers = {}) =>
  zts.post('/domain/sports/policy/signed', { policyVersions, signatureP1363Format }, { headers })

const fromYBase64 = (text: string) =>
  Buffer.from(text.replaceAll('.', '+').replaceAll('_', '/').replaceAll('-', '='), 'base64')
const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
const payloadOf = ({ body }: Answer) => decoded(body.payload)
/** Versions and actions of the policies in a payload, by local name. */
const told = (answer: Answer) =>
  payloadOf(answer).policyData.policies.map(
    ({ name, version, assertions }: { name: string; version?: string; assertions?: { action: string }[] }) =>
      [name.slice('sports:policy.'.length), version, assertions?.map(({ action }) => action).join()].join(' '),
  )

describe('getDomainSignedPolicyData', () => {
  test('tells the active policies and no more of them than their signatures cover', async () => {
    const zts = await open()
    zts.receive({
      ...VERSIONED,
      policies: {
        contents: { policies: VERSIONED.policies },
        signature: 'of.ZMS-',
        keyId: '5',
      },
    })
    const { status, headers, body } = await zts.get(PATH)
    assert.deepEqual([status, headers], [200, { etag: TAG }])
    assert.deepEqual(
      { ...body, signature: '' },
      {
        signedPolicyData: {
          policyData: {
            domain: 'sports',
            policies: [
              { name: 'sports:policy.data', modified: DOMAIN_MODIFIED, assertions: [assertion('read')] },
              { name: 'sports:policy.case', modified: DOMAIN_MODIFIED, assertions: [assertion('Read')] },
              { name: 'sports:policy.empty', modified: DOMAIN_MODIFIED, assertions: null },
            ],
          },
          zmsSignature: 'of.ZMS-',
          zmsKeyId: '5',
          modified: DOMAIN_MODIFIED,
          expires: EXPIRES,
        },
        signature: '',
        keyId: 'ec0',
      },
    )
  })

  test('tells the effect of assertions of which ZMS says none', async () => {
    const domain = {
      name: 'sports',
      policies: [policy('data', '', { assertions: [assertion('read', { effect: null })] })],
    }
    const { body } = await (await open({ domains: [domain] })).get(PATH)
    assert.deepEqual(body.signedPolicyData.policyData.policies[0].assertions, [assertion('read')])
    assert.ok(verifySignedPolicyData(body.signedPolicyData, createPublicKey(ec), fromYBase64(body.signature)))
  })

  for (const [kind, keys, key, keyId] of [
    ['RSA', { rsa }, rsa, '0'],
    ['P-256', { ec }, ec, 'ec0'],
    ['P-384', { ec: p384 }, p384, 'ec0'],
  ] as const) {
    test(`is signed over the canonical text with a key of kind ${kind}`, async () => {
      const { body } = await (await open({ keys })).get(PATH)
      assert.equal(body.keyId, keyId)
      const signature = fromYBase64(body.signature)
      assert.ok(verifySignedPolicyData(body.signedPolicyData, createPublicKey(key), signature))
      const later = { ...body.signedPolicyData, expires: '2099-01-01T00:00:00.000Z' }
      assert.ok(!verifySignedPolicyData(later, createPublicKey(key), signature))
    })
  }

  test('is signed so that openssl agrees', async () => {
    const { body } = await (await open({ domains: [{ name: 'sports', policies: [] }] })).get(PATH)
    const folder = temporaryFolder()
    const [text, signature, key] = ['text', 'signature', 'key'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    const { policyData: _, ...rest } = body.signedPolicyData
    writeFileSync(
      text,
      `{"expires":"${rest.expires}","modified":"${rest.modified}","policyData":{"domain":"sports","policies":[]},"zmsKeyId":"${rest.zmsKeyId}","zmsSignature":"${rest.zmsSignature}"}`,
    )
    writeFileSync(signature, fromYBase64(body.signature))
    writeFileSync(key, createPublicKey(ec).export({ type: 'spki', format: 'pem' }))
    const said = execFileSync('openssl', ['dgst', '-sha256', '-verify', key, '-signature', signature, text])
    assert.equal(said.toString().trim(), 'Verified OK')
  })

  test('hands on the signature of ZMS, which covers the policies as they are told', async () => {
    const zmsKey = createSigner(rsa, '0')
    const signer = new DomainSigner(zmsKey, () => principalTypes.user)
    const domain = newDomain({ name: 'sports', admins: ['user.a'], requestPrincipal: 'user.a' })
    const plain = JSON.parse((await signer.signed(domain, { conditions: false })).toString()).domain
    const web = JSON.parse((await signer.jws(domain, { credentials: false, encoding: 'der' })).toString())
    for (const sentByZms of [plain, decoded(web.payload)]) {
      const { policyData, zmsSignature } = (await (await open({ domains: [sentByZms] })).get(PATH)).body
        .signedPolicyData
      assert.equal(policyData.policies.length, 1)
      assert.ok(verifySignedDomain({ contents: policyData }, zmsKey.publicKey, fromYBase64(zmsSignature)))
    }
  })

  test('answers 304 to its own tag only, as it is written', async () => {
    const zts = await open()
    const ask = (tag: string) => zts.get(PATH, { headers: { 'If-None-Match': tag } })
    assert.deepEqual(await ask(TAG), { status: 304, headers: { etag: TAG }, body: undefined })
    for (const tag of [DOMAIN_MODIFIED, '*', '"2020-01-01T00:00:00.000Z"', '"2099-01-01T00:00:00.000Z"', '']) {
      assert.equal((await ask(tag)).status, 200)
    }
  })

  test('answers 404 for a domain that is not known', async () => {
    const answer = await (await open()).get('/domain/nosuch/signed_policy_data')
    assert.deepEqual(answer, refusal(404, "Domain not found: 'nosuch'"))
  })

  test('counts as long as the server is set to', async () => {
    const { body } = await (await open({ properties: { signed_policy_timeout: '60' } })).get(PATH)
    assert.equal(body.signedPolicyData.expires, new Date(START_MILLIS + 60_000).toISOString())
  })
})

describe('what was signed', () => {
  const signatureOf = async (zts: Harness): Promise<string> => (await zts.get(PATH)).body.signature

  test('is sent again, byte for byte', async () => {
    const zts = await open()
    assert.equal(await signatureOf(zts), await signatureOf(zts))
  })

  test('is shared by those who ask at the same time', async () => {
    const zts = await open({ keys: { ec: p384 } })
    const signatures = await Promise.all([1, 2, 3].map(() => signatureOf(zts)))
    assert.equal(new Set(signatures).size, 1)
  })

  test('is signed again when the domain was replaced, also by one of the same moment', async () => {
    const zts = await open()
    await zts.get(PATH)
    zts.receive({ name: 'sports', policies: [] })
    assert.deepEqual((await zts.get(PATH)).body.signedPolicyData.policyData.policies, [])
  })

  test('is signed again when a thousandth of its life is over', async () => {
    const zts = await open()
    await zts.get(PATH)
    zts.clock.millis += 604_800
    const { expires } = (await zts.get(PATH)).body.signedPolicyData
    assert.equal(expires, new Date(zts.clock.millis + 604_800_000).toISOString())
  })

  test('is not kept when it has no life', async () => {
    const zts = await open({ properties: { signed_policy_timeout: '0' } })
    await zts.get(PATH)
    zts.clock.millis += 1
    assert.equal((await zts.get(PATH)).body.signedPolicyData.expires, new Date(zts.clock.millis).toISOString())
  })
})

describe('postSignedPolicyRequest', () => {
  test('tells all that ZMS said of the active versions', async () => {
    const answer = await post(await open())
    assert.deepEqual(answer.headers, { etag: TAG })
    const { policyData, ...rest } = payloadOf(answer)
    assert.deepEqual(rest, { modified: DOMAIN_MODIFIED, expires: EXPIRES })
    const [data, withCase, empty] = policyData.policies
    const version = { modified: DOMAIN_MODIFIED, version: '0', active: true }
    assert.deepEqual(data, { name: 'sports:policy.data', assertions: [assertion('read', { id: 7 })], ...version })
    assert.equal(withCase.caseSensitive, true)
    assert.deepEqual(empty, { name: 'sports:policy.empty', assertions: null, ...version })
  })

  test('says nothing of versions when ZMS has not', async () => {
    const { policyData } = payloadOf(await post(await open({ domains: [PLAIN] })))
    assert.deepEqual(
      policyData.policies.map((each: object) => Object.keys(each)),
      [
        ['name', 'modified', 'assertions'],
        ['name', 'modified', 'assertions'],
      ],
    )
  })

  const cases: { why: string; versions: object; expected: string[] }[] = [
    { why: 'another version', versions: { data: 'v2' }, expected: ['data v2 write', 'case 0 Read', 'empty 0 '] },
    {
      why: 'a version by the full name',
      versions: { 'sports:policy.data': 'v2' },
      expected: ['data v2 write', 'case 0 Read', 'empty 0 '],
    },
    {
      why: 'a version in upper case',
      versions: { DATA: 'V2' },
      expected: ['data v2 write', 'case 0 Read', 'empty 0 '],
    },
    { why: 'the active version', versions: { data: '0' }, expected: ['data 0 read', 'case 0 Read', 'empty 0 '] },
    {
      why: 'the active version for an empty one',
      versions: { data: '' },
      expected: ['data 0 read', 'case 0 Read', 'empty 0 '],
    },
    { why: 'no policy without the version', versions: { data: 'v9' }, expected: ['case 0 Read', 'empty 0 '] },
    {
      why: 'all when the policy is not there',
      versions: { nosuch: 'v2' },
      expected: ['data 0 read', 'case 0 Read', 'empty 0 '],
    },
    {
      why: 'all when it is of another domain',
      versions: { 'other:policy.data': 'v2' },
      expected: ['data 0 read', 'case 0 Read', 'empty 0 '],
    },
    {
      why: 'all when it is called as what every object has',
      versions: JSON.parse('{"__proto__":"v2","constructor":"v2"}'),
      expected: ['data 0 read', 'case 0 Read', 'empty 0 '],
    },
  ]
  for (const { why, versions, expected } of cases) {
    test(`tells ${why}`, async () => assert.deepEqual(told(await post(await open(), versions)), expected))
  }

  test('keeps answers about different versions apart', async () => {
    const zts = await open()
    for (const { versions, expected } of [...cases, ...cases])
      assert.deepEqual(told(await post(zts, versions)), expected)
  })

  describe('is signed', () => {
    /** The answer of a server with these keys. */
    const signed = async (keys: HarnessOptions['keys'], format?: boolean): Promise<FlattenedJWS & { header: object }> =>
      (await post(await open({ keys }), {}, format)).body
    /** By the library, which does not accept that the key id stands in the open as well. */
    const verifyWith = ({ header: _, ...jws }: FlattenedJWS, key: KeyObject, algorithm: string) =>
      flattenedVerify(jws, createPublicKey(key), { algorithms: [algorithm] })
    const verifies = ({ protected: head, payload, signature }: FlattenedJWS, key: KeyObject, encoding: EcdsaEncoding) =>
      verify(
        'sha256',
        Buffer.from(`${head}.${payload}`),
        { key: createPublicKey(key), dsaEncoding: encoding === 'der' ? 'der' : 'ieee-p1363' },
        Buffer.from(signature, 'base64url'),
      )

    test('with an EC key in ASN.1 unless asked otherwise', async () => {
      for (const jws of [await signed({ ec }), await signed({ ec }, false)]) {
        assert.deepEqual([decoded(jws.protected ?? ''), jws.header], [{ kid: 'ec0', alg: 'ES256' }, { kid: 'ec0' }])
        assert.ok(verifies(jws, ec, 'der'))
      }
    })

    test('with an EC key as the standards want it', async () => {
      const jws = await signed({ ec }, true)
      const { protectedHeader } = await verifyWith(jws, ec, 'ES256')
      assert.deepEqual(protectedHeader, { kid: 'ec0', alg: 'ES256' })
      assert.equal(Buffer.from(jws.signature, 'base64url').length, 64)
    })

    test('with a larger EC key as the standards want it', async () => {
      await verifyWith(await signed({ ec: p384 }, true), p384, 'ES384')
    })

    test('with an RSA key, whatever the format', async () => {
      for (const format of [undefined, false, true]) {
        await verifyWith(await signed({ rsa }, format), rsa, 'RS256')
      }
    })

    test('with the key for web signatures, not the one for proprietary objects', async () => {
      const properties = { key_algo_json_web_objects: 'RSA', key_algo_proprietary_objects: 'EC' }
      const zts = await open({ keys: { rsa, ec }, properties })
      assert.deepEqual((await post(zts)).body.header, { kid: '0' })
      assert.equal((await zts.get(PATH)).body.keyId, 'ec0')
    })
  })

  test('answers 304 to its own tag, whatever versions are asked for', async () => {
    const zts = await open()
    for (const versions of [{}, { data: 'v2' }]) {
      const answer = await post(zts, versions, true, { 'If-None-Match': TAG })
      assert.deepEqual(answer, { status: 304, headers: { etag: TAG }, body: undefined })
    }
    assert.equal((await post(zts, {}, true, { 'If-None-Match': 'x' })).status, 200)
  })

  test('refuses a request without versions and one that is none', async () => {
    const zts = await open()
    assert.equal((await zts.post('/domain/sports/policy/signed', {})).status, 400)
    assert.deepEqual(
      await zts.post('/domain/sports/policy/signed', '{"policyVersions":'),
      refusal(400, 'Invalid Object'),
    )
  })

  test('answers 404 for a domain that is not known', async () => {
    const answer = await (await open()).post('/domain/nosuch/policy/signed', { policyVersions: {} })
    assert.deepEqual(answer, refusal(404, "Domain not found: 'nosuch'"))
  })
})
