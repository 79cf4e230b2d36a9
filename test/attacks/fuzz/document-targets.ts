import { ok as assertOk, deepStrictEqual, strictEqual } from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { parseAthenzConf } from '#core/config/athenz-conf.ts'
import { ConfigError } from '#core/config/config-error.ts'
import { parseProperties } from '#core/config/properties.ts'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { flattenedJws } from '#core/token/flattened-jws.ts'
import { readPolicyDocument, UnusablePolicies } from '#zpe/policy-document.ts'
import { readDomainData } from '#zts/cache/domain-data.ts'
import { MalformedDomain } from '#zts/cache/json-reading.ts'
import { DomainVerifier, UnverifiedDomain } from '#zts/sync/domain-verifier.ts'
import { domainData } from '../../support/zts-domains.ts'
import type { FuzzTarget } from './fuzz-target.ts'

const signer = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, '0')
const text = (input: Buffer): string => input.toString('utf8')
const JSON_WORDS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  'null',
  '7',
  '"__proto__":{}',
  '"*"',
  '"DENY"',
  '"ALLOW"',
  '\\u0041',
]

const properties: FuzzTarget = {
  name: 'properties',
  seeds: [
    '# comment\nathenz.zms.a=1\n! other\nathenz.zms.b : two \\\n  lines\nathenz.c\\=d = \\u00e9\\t\n',
    'athenz.home=${ROOT}/var\nathenz.key=${ROOT}${NONE}\n',
  ].map((each) => Buffer.from(each)),
  words: [
    '\\',
    '\\u',
    '\\u00',
    '\\uD800',
    '\n',
    '\r',
    '=',
    ':',
    '#',
    '${',
    '}',
    '${ROOT}',
    '__proto__=1\n',
    '\f',
    '\u0000',
  ],
  isRefusal: () => false,
  read: (input) => {
    const { entries, problems } = parseProperties(input, 'x.properties', { ROOT: '/opt' })
    assertOk(entries instanceof Map)
    if (problems.length > 0) strictEqual(entries.size, 0)
  },
}

const publicKey = encodeYBase64(publicKeyPem(signer.publicKey))
const athenzConf: FuzzTarget = {
  name: 'athenz-conf',
  seeds: [
    JSON.stringify({
      zmsUrl: 'https://zms.example.com:4443/',
      ztsUrl: 'https://zts.example.com:4443/',
      zmsPublicKeys: [{ id: '0', key: publicKey }],
      ztsPublicKeys: [{ id: '0', key: publicKey }],
    }),
  ].map((each) => Buffer.from(each)),
  words: [...JSON_WORDS, 'https://', 'file://', '"id":', '"key":', publicKey],
  isRefusal: (error) => error instanceof ConfigError,
  read: (input) => {
    for (const key of parseAthenzConf(text(input), 'athenz.conf').zmsPublicKeys.values())
      strictEqual(key.type, 'public')
  },
}

const time = (millis: number): string => new Date(millis).toISOString()
const policyData = {
  expires: time(1_800_000_000_000),
  modified: time(1_780_000_000_000),
  policyData: {
    domain: 'sports',
    policies: [
      {
        assertions: [
          { action: 'read', effect: 'ALLOW', resource: 'sports:data.*', role: 'sports:role.readers' },
          { action: '*', effect: 'DENY', resource: 'sports:*', role: 'sports:role.guests' },
        ],
        modified: time(0),
        name: 'sports:policy.all',
      },
    ],
  },
}
const signedText = canonicalText(policyData, canonicalShapes.signedPolicyData)
const policyTexts = [
  `{"signedPolicyData":${signedText},"keyId":"0","signature":"${encodeYBase64(await signer.sign(signedText))}"}`,
  await flattenedJws(signer, JSON.stringify(policyData), 'p1363'),
  await flattenedJws(signer, JSON.stringify(policyData), 'der'),
]
const readPolicies = (document: string | Buffer) =>
  readPolicyDocument(document, {
    checkZmsSignature: false,
    keys: { zts: (keyId) => (keyId === '0' ? signer.publicKey : undefined), zms: () => undefined },
  })
const goodPolicies = await readPolicies(policyTexts[0] ?? '')

/** Policy files on the disk of an application, which anybody may have changed who got there. */
const policies: FuzzTarget = {
  name: 'policy-files',
  seeds: policyTexts.map((each) => Buffer.from(each)),
  words: [...JSON_WORDS, '"signedPolicyData":', '"protected":', '"payload":', '"signature":', '"kid":"0"'],
  isRefusal: (error) => error instanceof UnusablePolicies,
  read: async (input) => {
    const { domain, assertions } = await readPolicies(input)
    deepStrictEqual([domain, assertions], [goodPolicies.domain, goodPolicies.assertions])
  },
}

const sports = domainData({
  name: 'sports',
  tags: { a: { list: ['b'] } },
  roles: [
    { name: 'sports:role.readers', roleMembers: [{ memberName: 'user.joe', expiration: '2027-01-01T00:00:00.000Z' }] },
    { name: 'sports:role.far', trust: 'weather' },
  ],
  groups: [{ name: 'sports:group.g', groupMembers: [{ memberName: 'user.jane' }] }],
  services: [{ name: 'sports.api', publicKeys: [{ id: '0', key: publicKey }], hosts: ['h1'] }],
  policies: [{ name: 'sports:policy.p', assertions: policyData.policyData.policies[0]?.assertions ?? [] }],
})
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const protectedPart = part({ kid: '0', alg: 'ES256' })
const webSignature = Buffer.from(await signer.sign(`${protectedPart}.${part(sports)}`)).toString('base64url')
const domainText = canonicalText(sports, canonicalShapes.domain)
const verifier = new DomainVerifier({
  keys: {
    current: { file: 'athenz.conf', zmsPublicKeys: new Map([['0', signer.publicKey]]) },
    refresh: async () => false,
  },
  webSignaturesOnly: false,
})

/** What ZMS answers, or somebody in its place. */
const signedDomains: FuzzTarget = {
  name: 'signed-domains',
  seeds: [
    JSON.stringify({ domain: sports, signature: encodeYBase64(await signer.sign(domainText)), keyId: '0' }),
    JSON.stringify({ payload: part(sports), protected: protectedPart, header: { kid: '0' }, signature: webSignature }),
  ].map((each) => Buffer.from(each)),
  words: [...JSON_WORDS, '"domain":', '"payload":', '"kid":', '"alg":"none"', '"crit":[]', '"signature":'],
  isRefusal: (error) => error instanceof UnverifiedDomain,
  read: async (input) => {
    const domain = await verifier.verify(input)
    // Settings that the plain form does not sign may differ; what gives rights may not.
    strictEqual(canonicalText(domain, canonicalShapes.domain), domainText)
  },
}

/** Contents of domains that are signed, and broken all the same: by an older server, or a fault of it. */
const domainContents: FuzzTarget = {
  name: 'domain-contents',
  seeds: [Buffer.from(JSON.stringify(sports))],
  words: [...JSON_WORDS, '"roles":', '"members":', '"trust":', '"enabled":false', '"expiration":', '"publicKeys":'],
  isRefusal: (error) => error instanceof MalformedDomain || error instanceof SyntaxError,
  read: (input) => {
    const { name } = readDomainData(JSON.parse(text(input)))
    strictEqual(name, name.toLowerCase())
  },
}

/** Readers of files and of what servers tell each other. */
export const DOCUMENT_TARGETS: readonly FuzzTarget[] = [properties, athenzConf, policies, signedDomains, domainContents]
