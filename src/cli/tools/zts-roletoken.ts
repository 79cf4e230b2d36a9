import { readAthenzConf } from '#core/config/athenz-conf.ts'
import { validateRoleToken } from '#core/token/validate-role-token.ts'
import {
  CERTIFICATE_FLAGS,
  callerOf,
  namesCaller,
  openZts,
  PROXY_FLAG,
  TOKEN_FLAGS,
  withDefaults,
} from './connection.ts'
import { text, toggle, wholeNumber } from './flags.ts'
import { MisuseFailure, ToolFailure, tool } from './tool.ts'

/** Where the tools look for the public keys of the servers unless told otherwise. */
export const DEFAULT_CONF = '/home/athenz/conf/athenz.conf'

const FLAGS = {
  ...CERTIFICATE_FLAGS,
  ...TOKEN_FLAGS,
  ...PROXY_FLAG,
  'svc-cacert-file': text('authorities that vouch for ZTS'),
  ntoken: text('principal token of the caller'),
  domain: text('domain in which the roles are'),
  role: text('role of the domain; several by commas; all that are held unless given'),
  'expire-time': wholeNumber('life of the token in minutes'),
  validate: toggle('check a role token instead'),
  'role-token': text('the token to check'),
  conf: text('athenz.conf with the public keys of ZTS', DEFAULT_CONF),
}

/** Clocks may differ by so much. */
const ALLOWED_OFFSET_SECONDS = 300

/** `zts-roletoken`: prints a role token of the caller, or checks one. */
export const ztsRoleToken = tool({
  name: 'zts-roletoken',
  about: 'Gets a role token from ZTS, or checks one.',
  usages: [
    '-zts <url> -domain <domain> [-role <role>] -svc-key-file <file> -svc-cert-file <file> [-svc-cacert-file <file>] [-expire-time <minutes>]',
    '-zts <url> -domain <domain> [-role <role>] -ntoken <token>|-ntoken-file <file> [-hdr <header>] [-expire-time <minutes>]',
    '-validate -role-token <token> [-conf <athenz.conf>]',
  ],
  flags: FLAGS,
  async run(flags, machine) {
    if (flags.validate) {
      if (flags['role-token'] === '') throw new MisuseFailure('a check needs -role-token')
      await validate(flags['role-token'], flags.conf)
      machine.print('Role Token successfully validated\n')
      return
    }
    const given = await withDefaults(flags, machine)
    const { domain, role, zts: url } = given
    if (domain === '' || url === '') throw new MisuseFailure('-domain and -zts are needed')
    if (!namesCaller(given)) throw new MisuseFailure('a certificate with its key, or a token, is needed')
    const expirySeconds = given['expire-time'] > 0 ? given['expire-time'] * 60 : undefined
    const identity = await callerOf(given)
    await using zts = openZts({ url, caFile: given['svc-cacert-file'], identity, proxy: given.proxy }, machine)
    const { token } = await zts.getRoleToken(domain, {
      ...(role !== '' && { role }),
      ...(expirySeconds !== undefined && { minExpirySeconds: expirySeconds, maxExpirySeconds: expirySeconds }),
    })
    machine.print(`${token}\n`)
  },
})

async function validate(token: string, confFile: string): Promise<void> {
  const { ztsPublicKeys } = await readAthenzConf(confFile, { keys: 'optional' })
  const outcome = await validateRoleToken(token, {
    nowSeconds: Math.floor(Date.now() / 1000),
    allowedOffsetSeconds: ALLOWED_OFFSET_SECONDS,
    // How long a server may make tokens live is its own business.
    maxExpirySeconds: Number.MAX_SAFE_INTEGER,
    publicKey: async (_domain, _service, keyId) => ztsPublicKeys.get(keyId),
  })
  if (!outcome.ok) throw new ToolFailure(`Role Token is not valid: ${outcome.failure.reason}`)
}
