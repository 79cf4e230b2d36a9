import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { readPolicyDocument, UnusablePolicies } from '#zpe/policy-document.ts'
import { newSigner } from '../core/authority/support.ts'
import { NOW_MILLIS, type PolicyFile, ZpeWorld } from './zpe-world.ts'

const world = new ZpeWorld()
const p384 = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'p384')
const rsa = createSigner(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'rsa')
const signers = [world.zts, p384, rsa]

const read = (text: string, checkZmsSignature = false) =>
  readPolicyDocument(text, {
    checkZmsSignature,
    keys: {
      zts: (keyId) => signers.find((signer) => signer.keyId === keyId)?.publicKey,
      zms: async (keyId) => (keyId === world.zms.keyId ? world.zms.publicKey : undefined),
    },
  })

/** Why a text is no policies. */
async function problem(text: string, checkZmsSignature = false): Promise<string> {
  try {
    await read(text, checkZmsSignature)
    return 'none'
  } catch (error) {
    assert.ok(error instanceof UnusablePolicies, String(error))
    return error.message
  }
}

const FILE: PolicyFile = { rules: ['ALLOW readers read data.*', 'DENY guests * *'] }
const forms: readonly (readonly [name: string, make: (file: PolicyFile) => Promise<string>])[] = [
  ['signed policies', (file) => world.signedFile('sports', file)],
  ['a web signature', (file) => world.jwsFile('sports', file)],
  ['a web signature in ASN.1', (file) => world.jwsFile('sports', file, 'der')],
]

for (const [name, make] of forms) {
  describe(name, () => {
    for (const signer of signers) {
      test(`with a key ${signer.kind.name} is read`, async () => {
        const document = await read(await make({ ...FILE, signer, modified: NOW_MILLIS - 1000, expires: NOW_MILLIS }))
        assert.equal(document.domain, 'sports')
        assert.equal(document.keyId, signer.keyId)
        assert.deepEqual([document.modifiedMillis, document.expiresMillis], [NOW_MILLIS - 1000, NOW_MILLIS])
        assert.deepEqual(
          document.assertions.map(({ effect, role, action, resource }) => [effect, role, action, resource]),
          [
            ['ALLOW', 'sports:role.readers', 'read', 'sports:data.*'],
            ['DENY', 'sports:role.guests', '*', 'sports:*'],
          ],
        )
        assert.deepEqual(document.policies, ['sports:policy.all'])
        assert.deepEqual(await read(document.text), document)
      })
    }

    test('of a key that is not known is refused, for now', async () => {
      const text = await make({ ...FILE, signer: newSigner('zts.9') })
      await assert.rejects(read(text), (error) => {
        assert.ok(error instanceof UnusablePolicies)
        assert.equal(error.message, 'it is signed with the key "zts.9" of ZTS, which is not known')
        assert.equal(error.unknownKey, true)
        return true
      })
    })

    test('of somebody else is refused', async () => {
      assert.equal(await problem(await make({ ...FILE, signer: newSigner('zts.0') })), 'its signature is wrong')
    })

    test('is refused wherever it is cut off', async () => {
      const text = await make(FILE)
      for (let length = 0; length < text.length; length += 7) {
        assert.equal(await problem(text.slice(0, length)), 'it is no JSON object, or not all of it')
      }
    })

    test('is refused with any character changed', async () => {
      const text = await make(FILE)
      const genuine = (await read(text)).assertions
      await fc.assert(
        fc.asyncProperty(
          fc.nat(text.length - 1),
          fc.constantFrom('a', 'Z', '0', '*', '"', ',', '}', ' '),
          async (at, by) => {
            const changed = text.slice(0, at) + by + text.slice(at + 1)
            // White space and the like may change without changing anything.
            const outcome = await read(changed).catch((error: unknown) => error)
            if (outcome instanceof UnusablePolicies) return
            assert.deepEqual((outcome as Awaited<ReturnType<typeof read>>).assertions, genuine)
          },
        ),
        { numRuns: 300 },
      )
    })

    const MALFORMED: readonly (readonly [what: string, policies: unknown, reason: RegExp])[] = [
      ['policies that are no list', {}, /names no domain/],
      ['a policy that is no object', ['x'], /a policy that is no object/],
      ['a policy without name', [{ assertions: [] }], /no name/],
      ['assertions that are no list', [{ name: 'p', assertions: {} }], /assertions are no list/],
      ['an assertion that is no object', [{ name: 'p', assertions: [null] }], /an assertion that is no object/],
      ['an assertion without role', [{ name: 'p', assertions: [{ action: 'a', resource: 'r' }] }], /no role/],
      [
        'an action that is no text',
        [{ name: 'p', assertions: [{ role: 'r', action: 7, resource: 'r' }] }],
        /no action/,
      ],
      [
        'an effect that is not known',
        [{ name: 'p', assertions: [{ role: 'r', action: 'a', resource: 'r', effect: 'deny' }] }],
        /unknown effect/,
      ],
    ]
    for (const [what, policies, reason] of MALFORMED) {
      test(`with ${what} is refused`, async () => assert.match(await problem(await make({ policies })), reason))
    }

    test('may have policies without assertions, and assertions without effect', async () => {
      const policies = [
        { name: 'sports:policy.none' },
        { name: 'sports:policy.some', assertions: [{ role: 'sports:role.r', action: 'a', resource: 'sports:b' }] },
      ]
      const { assertions } = await read(await make({ policies }))
      assert.deepEqual(
        assertions.map(({ policy, effect }) => [policy, effect]),
        [['sports:policy.some', 'ALLOW']],
      )
    })
  })
}

describe('signed policies', () => {
  const signed = async (file: PolicyFile = FILE) => JSON.parse(await world.signedFile('sports', file))

  test('that say something else with the same canonical text are refused', async () => {
    const document = await signed()
    const [, deny] = document.signedPolicyData.policyData.policies[0].assertions
    // The text that is signed has no escapes, so this denial can be hidden in the action of another assertion.
    deny.action = `${deny.action}","effect":"${deny.effect}`
    delete deny.effect
    assert.match(await problem(JSON.stringify(document)), /action that could end early, which its signature does not/)
  })

  test('may have quotation marks, backslashes and control characters', async () => {
    const texts = ['say "hi"', '"', '""', 'a\\b', 'line\nfeed', '\u0000', ', }', '"x"', 'ü😀<&>']
    const policies = [
      {
        name: 'p',
        assertions: texts.map((action) => ({ role: 'sports:role.r', action, resource: 'sports:x', effect: 'DENY' })),
      },
    ]
    const data = {
      expires: new Date(NOW_MILLIS).toISOString(),
      modified: new Date(NOW_MILLIS).toISOString(),
      policyData: { domain: 'sports', policies },
    }
    const signature = encodeYBase64(await world.zts.sign(canonicalText(data, canonicalShapes.signedPolicyData)))
    const document = await read(JSON.stringify({ signedPolicyData: data, keyId: world.zts.keyId, signature }))
    assert.deepEqual(
      document.assertions.map(({ action }) => action),
      texts,
    )
    assert.deepEqual(await read(document.text), document)
  })

  test('that could be read in two ways are refused, others never are', async () => {
    const unit = fc.constantFrom('"', ',', '}', ':', '{', '[', ']', 'effect', 'action', 'a', '\\')
    const text = fc.string({ unit, maxLength: 8 })
    const policyOf = fc.record({ role: text, action: text, resource: text, effect: fc.constantFrom('ALLOW', 'DENY') })
    const dataOf = fc.array(policyOf, { minLength: 1, maxLength: 3 }).map((assertions) => ({
      policyData: { domain: 'sports', policies: [{ name: 'p', assertions }] },
    }))
    const seen = new Map<string, string>()
    await fc.assert(
      fc.asyncProperty(dataOf, async (data) => {
        const canonical = canonicalText(data, canonicalShapes.signedPolicyData)
        const isSafe = data.policyData.policies.every(({ assertions }) =>
          assertions.every(
            ({ role, action, resource }) => ![role, action, resource].some((each) => /"[,}]/.test(each)),
          ),
        )
        if (!isSafe) return
        const json = JSON.stringify(data)
        assert.equal(seen.get(canonical) ?? json, json)
        seen.set(canonical, json)
      }),
      { numRuns: 5000 },
    )
  })

  test('have no members that are not signed', async () => {
    const document = await signed()
    const { policyData } = document.signedPolicyData
    policyData.policies[0].active = false
    policyData.policies[0].assertions[1].conditions = { conditionsList: [] }
    const { assertions } = await read(JSON.stringify(document))
    assert.equal(assertions.length, 2)
  })

  test('need the signature of ZMS where that is wanted', async () => {
    const text = (file: PolicyFile) => world.signedFile('sports', { ...FILE, ...file })
    assert.equal(await problem(await text({ zmsSigner: world.zms }), true), 'none')
    assert.equal(await problem(await text({}), true), 'it has no signature of ZMS')
    assert.equal(await problem(await text({ zmsSigner: newSigner('0') }), true), 'its signature is wrong')
    assert.match(
      await problem(await text({ zmsSigner: newSigner('7') }), true),
      /the key "7" of ZMS, which is not known/,
    )
    assert.equal(await problem(await text({ zmsSigner: newSigner('7') })), 'none')
  })

  test('without parts are refused', async () => {
    for (const part of ['signature', 'keyId']) {
      const document = await signed()
      delete document[part]
      assert.equal(await problem(JSON.stringify(document)), 'it has no policies, no signature or no key id')
    }
    const document = await signed()
    assert.match(await problem(JSON.stringify({ ...document, signature: 'a+b=' })), /plain base64 where ybase64/)
  })

  test('with times that are none are refused', async () => {
    const data = {
      expires: 'soon',
      modified: '2026-01-01T00:00:00.000Z',
      policyData: { domain: 'sports', policies: [] },
    }
    const text = `{"expires":"soon","modified":"${data.modified}","policyData":{"domain":"sports","policies":[]}}`
    const signature = encodeYBase64(await world.zts.sign(text))
    const document = { signedPolicyData: data, keyId: world.zts.keyId, signature }
    assert.equal(await problem(JSON.stringify(document)), 'its expires is no time')
  })
})

describe('a web signature', () => {
  const parts = async (signer: Signer = world.zts) => JSON.parse(await world.jwsFile('sports', { ...FILE, signer }))
  const header = (members: object) => Buffer.from(JSON.stringify(members)).toString('base64url')

  test('whose headers name different keys is refused', async () => {
    const document = { ...(await parts()), header: { kid: 'p384' } }
    assert.match(await problem(JSON.stringify(document)), /names no key, or another one/)
  })

  for (const alg of ['none', 'HS256', 'ES512', 'RS256', 'EdDSA']) {
    test(`of a P-256 key with the algorithm ${alg} is refused`, async () => {
      const document = await parts()
      const changed = { ...document, protected: header({ kid: 'zts.0', alg }) }
      const input = `${changed.protected}.${document.payload}`
      changed.signature = (await world.zts.sign(input)).toString('base64url')
      assert.equal(await problem(JSON.stringify(changed)), 'its signature is wrong')
    })
  }

  test('that is none is refused', async () => {
    assert.match(await problem('{}'), /neither signed policies nor a web signature/)
    assert.match(await problem(JSON.stringify({ ...(await parts()), signature: '' })), /the signature is missing/)
    const crit = { ...(await parts()), protected: header({ kid: 'zts.0', alg: 'ES256', crit: ['x'] }) }
    assert.match(await problem(JSON.stringify(crit)), /crit, which is not supported/)
  })
})
