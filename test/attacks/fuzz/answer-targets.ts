import { ok as assertOk, deepStrictEqual, strictEqual } from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { KerberosAuthority } from '#core/authority/kerberos-authority.ts'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { RemoteKeys } from '#core/http/remote-keys.ts'
import { JwtWriter } from '#core/token/json-web-token.ts'
import { signPrincipalToken } from '#core/token/sign-principal-token.ts'
import { type InstanceConfirmation, ProviderRefusal } from '#zts/cert/instance-provider.ts'
import { readConfirmation } from '#zts/cert/providers/https-providers.ts'
import { readProviderAnswer } from '#zts/cert/providers/provider-answer.ts'
import { openIdAddress, TokenIssuer } from '#zts/cert/providers/token-issuer.ts'
import { ZtsProvider } from '#zts/cert/providers/zts-provider.ts'
import { domainsOf } from '../../support/zts-domains.ts'
import type { FuzzTarget } from './fuzz-target.ts'

const NOW_SECONDS = 1_800_000_000
const NOW_MILLIS = NOW_SECONDS * 1000
const text = (input: Buffer): string => input.toString('utf8')
const isRefusal = (error: unknown): boolean => error instanceof ProviderRefusal && error.message !== ''

const newSigner = (id: string) => createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, id)
const own = newSigner('ec0')
const service = newSigner('1')

const QUESTION: InstanceConfirmation = {
  provider: 'sys.auth.zts',
  domain: 'sports',
  service: 'api',
  attestationData: '',
  attributes: {
    instanceId: 'i-1',
    clientIP: '10.0.0.1',
    sanDNS: 'api.sports.zts.athenz.cloud',
    sanURI: 'athenz://instanceid/sys.auth.zts/i-1',
    csrPublicKey: publicKeyPem(service.publicKey),
  },
}
const USAGES: readonly (string | undefined)[] = ['client', 'server', 'codeSigning', 'timestamping', undefined]

/** Answers of providers behind HTTPS: about whoever was asked for, with settings that mean what they say. */
const providerAnswers: FuzzTarget = {
  name: 'provider-answers',
  seeds: [
    { ...QUESTION, attributes: { certUsage: 'client', certExpiryTime: '60', certRefresh: 'false', certSSH: 'true' } },
    { provider: 'sys.auth.zts', domain: 'sports', service: 'api', attestationData: null },
  ].map((each) => Buffer.from(JSON.stringify(each))),
  words: [
    '"certUsage":"ca"',
    '"certExpiryTime":"1e9"',
    '"certExpiryTime":"-1"',
    '"certSubjectOU":"\\u0000"',
    '"attestedSshCertPrincipals":",,"',
    '"domain":"other"',
    '"service":["api"]',
    '"attributes":[]',
    '"__proto__":{}',
    'null',
    '7',
    ',',
    '{',
    '}',
  ],
  isRefusal,
  read: (input) => {
    const confirmation = readConfirmation(text(input))
    const { usage, expiryMins } = readProviderAnswer(QUESTION, confirmation)
    for (const member of ['provider', 'domain', 'service'] as const) {
      const said = confirmation[member] as string | undefined | null
      assertOk(said === undefined || said === null || said.toLowerCase() === QUESTION[member], member)
    }
    assertOk(USAGES.includes(usage), usage)
    assertOk(Number.isSafeInteger(expiryMins) && expiryMins >= 0 && expiryMins < 1e9, String(expiryMins))
  },
}

const provider = new ZtsProvider({
  provider: QUESTION.provider,
  domains: domainsOf({
    name: 'sports',
    services: [{ name: 'sports.api', publicKeys: [{ id: '1', key: encodeYBase64(publicKeyPem(service.publicKey)) }] }],
  }),
  signer: () => own,
  registerTokenKeys: { keyOf: ({ kid }) => (kid === 'ec0' ? own.publicKey : undefined), close: () => {} },
  launches: () => true,
  dnsSuffixes: ['zts.athenz.cloud'],
  registerTokenLifeSeconds: 1800,
  principalTokens: { allowedOffsetSeconds: 300, maxExpirySeconds: 2_592_000 },
  userDomain: 'user',
  addressesOf: async () => [],
  now: () => NOW_MILLIS,
})
const { attestationData: registerToken } = await provider.instanceRegisterToken(QUESTION)
const principalToken = await signPrincipalToken(
  { version: 'S1', domain: 'sports', name: 'api', issueTimeSeconds: NOW_SECONDS },
  service,
)

/** What an instance proves itself by: only the very texts that were given out, down to the bits of their signatures. */
const attestation: FuzzTarget = {
  name: 'attestation',
  seeds: [registerToken, principalToken].map((each) => Buffer.from(each)),
  words: ['.', ';', '=', 'v=S1;', ';d=', ';n=', ';s=', ';bs=', ';k=', 'eyJhbGciOiJub25lIn0.', '\u0000', '%'],
  isRefusal,
  read: async (input) => {
    const attestationData = text(input)
    await provider.confirmInstance({ ...QUESTION, attestationData })
    const signed = (token: string) => token.slice(0, Math.max(token.indexOf(';s='), 0)) || token
    assertOk(
      attestationData === registerToken || signed(attestationData) === signed(principalToken),
      `accepted: ${attestationData}`,
    )
  },
}

const ISSUER = 'https://issuer.example'
const AUDIENCE = 'https://zts.example'
const idToken = await new JwtWriter('jwt').write(own, { iss: ISSUER, aud: AUDIENCE, sub: 'x', exp: NOW_SECONDS + 60 })
const keySet = JSON.stringify({
  keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'ec0', use: 'sig', alg: 'ES256' }],
})

/**
 * Key sets and configurations of foreign issuers, a line each: a broken one is as if there were none, and no key is used
 * for another algorithm than its own.
 */
const remoteKeys: FuzzTarget = {
  name: 'remote-keys',
  seeds: [`${keySet}\n{"issuer":"${ISSUER}","jwks_uri":"${ISSUER}/keys"}`].map((each) => Buffer.from(each)),
  words: [
    '"kty":"RSA"',
    '"crv":"P-521"',
    '"alg":"none"',
    '"kid":1',
    '"x":""',
    '"jwks_uri":',
    'http:',
    'file:',
    'null',
    '[',
    ']',
    '{',
    '}',
    '\n',
  ],
  isRefusal: (error) =>
    isRefusal(error) || (error instanceof Error && /names no jwks_uri|is not protected/.test(error.message)),
  read: async (input) => {
    const [set = '', configuration = ''] = text(input).split('\n')
    const client = {
      ask: async ({ pathname }: URL) => ({ status: 200, value: parsed(pathname === '/keys' ? set : configuration) }),
    }
    const options = { client, now: () => NOW_MILLIS, log: () => {} }
    const keys = new RemoteKeys({ ...options, url: new URL(`${ISSUER}/keys`) })
    for (const alg of ['ES256', 'ES384', 'RS256', 'none', 'HS256']) {
      const key = await keys.keyOf({ alg, kid: 'ec0' })
      if (key === undefined) continue
      strictEqual(key.type, 'public')
      strictEqual(key.asymmetricKeyType, alg.startsWith('RS') ? 'rsa' : alg.startsWith('ES') ? 'ec' : undefined)
    }
    const issuer = new TokenIssuer({ ...options, issuer: ISSUER, audience: AUDIENCE, keySet: `${ISSUER}/keys` })
    const claims = await issuer.claims(idToken).catch((error: unknown) => {
      if (!isRefusal(error)) throw error
    })
    // It verifies with the key that it was signed with, or not at all.
    if (claims) deepStrictEqual([claims['iss'], claims['aud']], [ISSUER, AUDIENCE])
    const found = await openIdAddress(client, new URL(`${ISSUER}/.well-known/openid-configuration`), 'jwks_uri')
    strictEqual(found.protocol, 'https:')
  },
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}

/** Nothing but base64 of bounded length goes on to the processes that know Kerberos; without them this says so. */
const kerberos = new KerberosAuthority()
const WITHOUT_PROCESSES = 'KerberosAuthority is not initialized'
const negotiation: FuzzTarget = {
  name: 'negotiate-header',
  seeds: [Buffer.from(`Negotiate ${Buffer.from('607306062b0601050502', 'hex').toString('base64')}`)],
  words: ['Negotiate ', 'Negotiate\t', ' ', '=', '==', '\n', '\u0000', '-', '_', '!'],
  isRefusal: () => false,
  read: async (input) => {
    const header = input.toString('latin1')
    const result = await kerberos.authenticateHeader(header).catch((error: Error) => error)
    if (result instanceof Error) {
      strictEqual(result.message, WITHOUT_PROCESSES)
      assertOk(/^Negotiate [A-Za-z0-9+/]{1,131072}={0,2}$/.test(header))
    } else {
      assertOk(result !== null && 'rejected' in result)
    }
  },
}

/** Readers of what other services answer, and of what they vouch for. */
export const ANSWER_TARGETS: readonly FuzzTarget[] = [providerAnswers, attestation, remoteKeys, negotiation]
