import { certificateOf } from './certificate-caller.ts'
import { CERTIFICATE_FLAGS, openZts, PROXY_FLAG, withDefaults } from './connection.ts'
import { text, toggle, wholeNumber } from './flags.ts'
import { checkJsonWebToken } from './json-web-token-check.ts'
import { failureText, MisuseFailure, ToolFailure, tool } from './tool.ts'
import { DEFAULT_CONF } from './zts-roletoken.ts'

const FLAGS = {
  ...CERTIFICATE_FLAGS,
  ...PROXY_FLAG,
  'svc-cacert-file': text('authorities that vouch for ZTS'),
  'client-id': text('service that the token is for, by its full name or its registered client id'),
  scope: text('openid, and the roles or groups that are wanted'),
  'redirect-uri': text('taken for the sake of older scripts; ZTS knows those of the client'),
  nonce: text('text that the token repeats; ZTS demands one'),
  state: text('text that the answer repeats'),
  'key-type': text('key that ZTS signs with: RSA or EC', 'RSA'),
  'full-arn': toggle('full names of roles and groups'),
  'role-in-aud-claim': toggle('the role in the audience, when there is exactly one'),
  'all-scope-present': toggle('everything that the scope names must be held'),
  'expire-time': wholeNumber('life of the token in minutes', 60),
  format: text('token, or kubectl: an ExecCredential of Kubernetes', 'token'),
  validate: toggle('check an id token instead'),
  'id-token': text('the token to check'),
  claims: toggle('with -validate: print the claims'),
  conf: text('athenz.conf with the public keys of ZTS', DEFAULT_CONF),
}

/** `zts-idtoken`: prints an id token of the caller for a service, or checks one. */
export const ztsIdToken = tool({
  name: 'zts-idtoken',
  about: 'Gets an id token from ZTS, or checks one.',
  usages: [
    '-zts <url> -client-id <service> -scope <scope> -nonce <text> -svc-key-file <file> -svc-cert-file <file> [-svc-cacert-file <file>] [-key-type RSA|EC] [-format token|kubectl]',
    '-validate -id-token <token> [-conf <athenz.conf>] [-claims]',
  ],
  flags: FLAGS,
  async run(flags, machine) {
    if (flags.validate) {
      const { 'id-token': token, claims, conf } = flags
      if (token === '') throw new MisuseFailure('a check needs -id-token')
      await checkJsonWebToken(token, { conf, claims, kind: 'Id' }, machine)
      return
    }
    const given = await withDefaults(flags, machine)
    const { zts: url, 'svc-cacert-file': caFile, proxy, nonce, state, scope } = given
    if (url === '') throw new MisuseFailure('-zts is needed')
    const keyType = given['key-type']
    if (keyType !== 'RSA' && keyType !== 'EC') throw new MisuseFailure('-key-type is RSA or EC')
    try {
      const identity = await certificateOf(given['svc-cert-file'], given['svc-key-file'])
      await using zts = openZts({ url, caFile, identity, proxy }, machine)
      const answer = await zts.call('getOIDCResponse', {
        responseType: 'id_token',
        clientId: given['client-id'],
        scope,
        nonce,
        keyType,
        fullArn: given['full-arn'],
        roleInAudClaim: given['role-in-aud-claim'],
        allScopePresent: given['all-scope-present'],
        output: 'json',
        ...(state !== '' && { state }),
        ...(given['expire-time'] > 0 && { expiryTime: given['expire-time'] * 60 }),
      })
      if (answer === undefined) throw new ToolFailure('ZTS answers with a redirection in place of a token')
      const { id_token: token, expiration_time: expiresAtSeconds } = answer
      machine.print(given.format === 'kubectl' ? execCredential(token, expiresAtSeconds) : `${token}\n`)
    } catch (error) {
      throw new ToolFailure(`unable to fetch id token: ${failureText(error)}`)
    }
  },
})

/** What `kubectl` takes from its credential plug-ins. */
function execCredential(token: string, expiresAtSeconds: number): string {
  const expirationTimestamp = new Date(expiresAtSeconds * 1000).toISOString().replace('.000Z', 'Z')
  return `${JSON.stringify({
    kind: 'ExecCredential',
    apiVersion: 'client.authentication.k8s.io/v1',
    spec: { interactive: false },
    status: { expirationTimestamp, token },
  })}\n`
}
