import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { readJsonWebKeySet } from '#core/crypto/json-web-keys.ts'
import { findKeyKind } from '#core/crypto/key-kind.ts'
import { verifyJoseSignature, verifySignature } from '#core/crypto/signing.ts'
import { parseCompactJws, verifyCompactJws } from '#core/token/compact-jws.ts'
import { type VectorFile, wycheproofFiles } from '../support/wycheproof.ts'

interface SignatureTest {
  readonly tcId: number
  readonly comment: string
  readonly msg: string
  readonly sig: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

/** Each way in which signatures are verified here, and which vectors are good in it: digest and encoding. */
const WAYS: readonly {
  readonly name: string
  readonly verify: (key: KeyObject, data: Buffer, signature: Buffer) => Promise<boolean> | boolean
  readonly use: 'token' | 'jose'
  readonly fits: (key: KeyObject, digest: string, encoding: 'der' | 'p1363') => boolean
}[] = [
  {
    name: 'of tokens and signed domains',
    verify: verifySignature,
    use: 'token',
    fits: (_key, digest, encoding) => digest === 'SHA-256' && encoding === 'der',
  },
  ...(['256', '384', '512'] as const).map((bits) => ({
    name: `RS${bits}`,
    verify: (key: KeyObject, data: Buffer, signature: Buffer) => verifyJoseSignature(`RS${bits}`, key, data, signature),
    use: 'jose' as const,
    fits: ({ asymmetricKeyType }: KeyObject, digest: string) => asymmetricKeyType === 'rsa' && digest === `SHA-${bits}`,
  })),
  ...(
    [
      ['ES256', 'prime256v1', 'SHA-256'],
      ['ES384', 'secp384r1', 'SHA-384'],
      ['ES512', 'secp521r1', 'SHA-512'],
    ] as const
  ).map(([name, curve, ofAlgorithm]) => ({
    name,
    verify: (key: KeyObject, data: Buffer, signature: Buffer) => verifyJoseSignature(name, key, data, signature),
    use: 'jose' as const,
    fits: ({ asymmetricKeyDetails }: KeyObject, digest: string, encoding: 'der' | 'p1363') =>
      asymmetricKeyDetails?.namedCurve === curve && digest === ofAlgorithm && encoding === 'p1363',
  })),
]

/** Curves that OpenSSL does not know are refused by it. */
function publicKey(pem: unknown): KeyObject | undefined {
  try {
    return createPublicKey(String(pem))
  } catch {
    return undefined
  }
}

const OTHER_DIGEST = /^(?:The message is hashed with|PKCS #1 v1\.5 signature with) (SHA-\d+(?:\/\d+)?)/

async function judge({ name, testGroups }: VectorFile, isPss: boolean): Promise<void> {
  const encoding = name.endsWith('_p1363') ? 'p1363' : 'der'
  for (const { publicKeyPem, sha, tests } of testGroups) {
    const key = publicKey(publicKeyPem)
    if (key === undefined) continue
    for (const way of WAYS) {
      const isTrusted: boolean = typeof findKeyKind(key, way.use) !== 'string'
      const isOurs = (digest: string, pss = false): boolean => isTrusted && !pss && way.fits(key, digest, encoding)
      for (const { tcId, comment, msg, sig, result } of tests as readonly SignatureTest[]) {
        const verified = await way.verify(key, Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex'))
        const what = `${name} ${tcId}, ${way.name}: ${comment}`
        // Some vectors are wrong for their own algorithm, since they are right for another one, which may be this.
        const [, actual] = OTHER_DIGEST.exec(comment) ?? []
        const expected = actual === undefined ? result === 'valid' && isOurs(String(sha), isPss) : isOurs(actual)
        // What is "acceptable" may be refused, but nothing may be accepted that the way is not for.
        if (result !== 'acceptable') assert.equal(verified, expected, what)
        else assert.ok(isOurs(String(sha), isPss) || !verified, what)
      }
    }
  }
}

const count = (files: readonly VectorFile[]): number => files.reduce((sum, { numberOfTests }) => sum + numberOfTests, 0)

const KINDS: readonly (readonly [what: string, names: RegExp])[] = [
  ['ECDSA, on all curves and with all digests', /^ecdsa_.*(?<!bitcoin)$/],
  ['RSA, with PKCS #1 v1.5', /^rsa_signature_/],
  ['RSA, with PSS, which is not used here', /^rsa_pss_\d.*(?<!params)$/],
]

for (const [what, names] of KINDS) {
  const files = await wycheproofFiles(names)
  describe(`published signatures: ${what}`, { skip: typeof files === 'string' && files }, () => {
    if (typeof files === 'string') return
    test(`${count(files)} cases in ${files.length} files get the published answers in each of ${WAYS.length} ways`, async () => {
      assert.ok(files.length > 0)
      for (const file of files) await judge(file, file.name.startsWith('rsa_pss'))
    })
  })
}

/** A key of a smart card that made weak ones (CVE-2017-15361): whoever registers it answers for it, as for any key made badly. */
const ROCA_KEY = 7

const keySets = await wycheproofFiles(/^json_web_key$/)
describe('published sets of JSON web keys', { skip: typeof keySets === 'string' && keySets }, () => {
  if (typeof keySets === 'string') return
  test(`${count(keySets)} cases: what must not be trusted is not`, async () => {
    for (const { testGroups } of keySets) {
      for (const { comment, public: ofOwner, private: ofSigner, tests } of testGroups) {
        const set = (ofOwner ?? ofSigner) as object
        const keys = readJsonWebKeySet('keys' in set ? set : { keys: [set] }) ?? []
        for (const { tcId, jws, result } of tests as readonly { tcId: number; jws: string; result: string }[]) {
          const parsed = parseCompactJws(jws)
          if (typeof parsed === 'string') continue
          const { alg, kid } = parsed.header
          const fitting = keys.filter(
            ({ algorithm, keyId }) => (algorithm ?? alg) === alg && (kid === undefined || keyId === kid),
          )
          const verified = await Promise.all(fitting.map(async ({ key }) => verifyCompactJws(parsed, key)))
          if (result === 'invalid' && tcId !== ROCA_KEY)
            assert.ok(!verified.includes(true), `${tcId} ${String(comment)}`)
        }
      }
    }
  })
})
