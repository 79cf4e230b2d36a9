import { accessTokenScope, tokenForm } from '#client/access-tokens.ts'
import type { Identity } from '#client/identity.ts'
import {
  CERTIFICATE_FLAGS,
  callerOf,
  namesCaller,
  openZts,
  PROXY_FLAG,
  TOKEN_FLAGS,
  withDefaults,
} from './connection.ts'
import { type FlagValues, text, toggle, wholeNumber } from './flags.ts'
import { checkJsonWebToken } from './json-web-token-check.ts'
import { MisuseFailure, readGivenFile, tool } from './tool.ts'
import { DEFAULT_CONF } from './zts-roletoken.ts'

const FLAGS = {
  ...CERTIFICATE_FLAGS,
  ...TOKEN_FLAGS,
  ...PROXY_FLAG,
  'svc-cacert-file': text('authorities that vouch for ZTS'),
  domain: text('domain in which the roles are'),
  roles: text('roles of the domain, by commas; all that are held unless given'),
  service: text('service of the domain that an id token is wanted for, too'),
  'expire-time': wholeNumber('life of the token in minutes'),
  'authorization-details': text('authorization details, a JSON text'),
  'proxy-principal-spiffe-uris': text('proxies that may present the token: SPIFFE URIs, by commas'),
  actor: text('who may act for the principal'),
  'role-in-aud-claim': toggle('the role in the audience, when there is exactly one'),
  'openid-issuer': toggle('the issuer of OpenID Connect'),
  'token-only': toggle('print the token alone, without a line break'),
  'grant-type': text('token-exchange or jwt-bearer; client credentials unless given'),
  'subject-token': text('token-exchange: file with the token that is traded'),
  'subject-token-type': text('its type: id_token, access_token, jwt or a full name', 'id_token'),
  'requested-token-type': text(
    'token-exchange: what is wanted: id-jag, access_token, id_token or a full name',
    'id-jag',
  ),
  audience: text('token-exchange: whom the new token is for; the domain unless given'),
  'actor-token': text('token-exchange: file with a token of who acts'),
  'actor-token-type': text('its type'),
  assertion: text('jwt-bearer: file with the grant'),
  validate: toggle('check an access token instead'),
  'access-token': text('the token to check'),
  claims: toggle('with -validate: print the claims'),
  conf: text('athenz.conf with the public keys of ZTS', DEFAULT_CONF),
}
type Given = FlagValues<typeof FLAGS>

const GRANT_TYPES: ReadonlyMap<string, string> = new Map([
  ['', 'client_credentials'],
  ['token-exchange', 'urn:ietf:params:oauth:grant-type:token-exchange'],
  ['jwt-bearer', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
])
const TOKEN_TYPE_ROOT = 'urn:ietf:params:oauth:token-type:'
const SHORT_TOKEN_TYPES: ReadonlySet<string> = new Set(['id-jag', 'id_token', 'access_token', 'jwt'])

/** `zts-accesstoken`: prints an access token of the caller, or trades tokens for one, or checks one. */
export const ztsAccessToken = tool({
  name: 'zts-accesstoken',
  about: 'Gets an access token from ZTS, trades another token for one, or checks one.',
  usages: [
    '-zts <url> -domain <domain> [-roles <roles>] [-service <service>] -svc-key-file <file> -svc-cert-file <file> [-svc-cacert-file <file>] [-expire-time <minutes>] [-token-only]',
    '-zts <url> -domain <domain> [-roles <roles>] [-service <service>] -ntoken-file <file> [-hdr <header>]',
    '-zts <url> -grant-type token-exchange -domain <domain> -roles <roles> -subject-token <file> [-audience <name>] -svc-key-file <file> -svc-cert-file <file>',
    '-zts <url> -grant-type jwt-bearer -assertion <file> -svc-key-file <file> -svc-cert-file <file>',
    '-validate -access-token <token> [-conf <athenz.conf>] [-claims]',
  ],
  flags: FLAGS,
  async run(flags, machine) {
    if (flags.validate) {
      const { 'access-token': token, claims, conf } = flags
      if (token === '') throw new MisuseFailure('a check needs -access-token')
      await checkJsonWebToken(token, { conf, claims, kind: 'Access' }, machine)
      return
    }
    const given = await withDefaults(flags, machine)
    const { zts: url, 'svc-cacert-file': caFile, proxy } = given
    const body = await formOf(given)
    if (url === '') throw new MisuseFailure('-zts is needed')
    if (!namesCaller(given)) throw new MisuseFailure('a certificate with its key, or a token, is needed')
    const identity: Identity = await callerOf(given)
    await using zts = openZts({ url, caFile, identity, proxy }, machine)
    const answer = await zts.call('postAccessTokenRequest', { body })
    // A program that asked for the token alone gets it as it is.
    machine.print(given['token-only'] ? (answer.access_token ?? '') : `${JSON.stringify(answer)}\n`)
  },
})

async function formOf(given: Given): Promise<string> {
  const grantType = GRANT_TYPES.get(given['grant-type'])
  if (grantType === undefined) throw new MisuseFailure('-grant-type is token-exchange or jwt-bearer')
  if (given['grant-type'] === 'jwt-bearer') {
    if (given.assertion === '') throw new MisuseFailure('jwt-bearer needs -assertion')
    return tokenForm({ grant_type: grantType, assertion: await tokenIn(given.assertion, 'assertion') })
  }
  const { domain, roles, service } = given
  if (domain === '') throw new MisuseFailure('-domain is needed')
  const roleNames = roles === '' ? [] : roles.split(',')
  return tokenForm({
    grant_type: grantType,
    scope: accessTokenScope(domain, roleNames, service || undefined),
    expires_in: given['expire-time'] > 0 ? given['expire-time'] * 60 : undefined,
    authorization_details: given['authorization-details'],
    proxy_principal_spiffe_uris: given['proxy-principal-spiffe-uris'],
    actor: given.actor,
    role_in_aud_claim: given['role-in-aud-claim'],
    openid_issuer: given['openid-issuer'],
    ...(given['grant-type'] === 'token-exchange' && (await tradeOf(given))),
  })
}

async function tradeOf(given: Given): Promise<Readonly<Record<string, string | undefined>>> {
  if (given['subject-token'] === '') throw new MisuseFailure('token-exchange needs -subject-token')
  const actor = given['actor-token']
  return {
    requested_token_type: tokenType(given['requested-token-type']),
    audience: given.audience || given.domain,
    subject_token: await tokenIn(given['subject-token'], 'subject token'),
    subject_token_type: tokenType(given['subject-token-type']),
    ...(actor !== '' && {
      actor_token: await tokenIn(actor, 'actor token'),
      actor_token_type: tokenType(given['actor-token-type']),
    }),
  }
}

const tokenIn = async (file: string, what: string): Promise<string> => (await readGivenFile(file, what)).trim()

const tokenType = (name: string): string => (SHORT_TOKEN_TYPES.has(name) ? TOKEN_TYPE_ROOT + name : name)
