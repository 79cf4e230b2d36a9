import { join } from 'node:path'
import { AthenzClientError } from '#client/client-error.ts'
import { type Identity, PRINCIPAL_TOKEN_HEADER, tokenIdentity } from '#client/identity.ts'
import { apiUrl } from '#client/server-url.ts'
import { ZmsClient } from '#client/zms-client.ts'
import { certificateOf } from './certificate-caller.ts'
import { readDefaultConfig } from './default-config.ts'
import { type FlagValues, text, toggle, wholeNumber } from './flags.ts'
import { ORDINARY, writeOutput } from './output-file.ts'
import { failureText, type Machine, readGivenFile, ToolFailure, tool } from './tool.ts'

const FLAGS = {
  z: text('URL of ZMS; that in the environment (ZMS) or in the configuration of the user unless given'),
  t: text('URL of ZTS, which goes into the file; likewise (ZTS)'),
  o: text('where the configuration goes', 'athenz.conf'),
  i: text('who calls, when there is neither a certificate nor a token; user.$USER unless given'),
  f: text('file with a principal token of the caller'),
  'svc-key-file': text('private key of the caller'),
  'svc-cert-file': text('certificate of the caller'),
  hdr: text('header in which the token is sent', PRINCIPAL_TOKEN_HEADER),
  c: text('authorities that vouch for ZMS'),
  k: toggle('trust ZMS whoever it is'),
  s: text('SOCKS5 proxy, host:port'),
  m: wholeNumber('seconds that ZMS may take', 15),
}
type Given = FlagValues<typeof FLAGS>

const ZMS_URL = 'https://localhost:4443/'
const ZTS_URL = 'https://localhost:8443/'

/** `athenz-conf`: writes where the servers are, and their public keys, for programs of Athenz. */
export const athenzConf = tool({
  name: 'athenz-conf',
  about: 'Writes athenz.conf: the addresses of the servers, and their public keys as ZMS has them.',
  usages: [
    '-z <zms-url> -t <zts-url> [-svc-key-file <file> -svc-cert-file <file> | -f <token-file> | -i <user>] [-o <file>]',
  ],
  flags: FLAGS,
  async run(given, machine) {
    const config = await readDefaultConfig(machine.home)
    const zmsUrl = given.z || machine.env['ZMS'] || config.zms || ZMS_URL
    const ztsUrl = given.t || machine.env['ZTS'] || config.zts || ZTS_URL
    const where = connectionOf(zmsUrl, given, machine)
    await using zms = new ZmsClient({ ...where, identity: await callerOf(given, where, machine) })
    const zmsPublicKeys = await publicKeys(zms, 'zms').catch((error: unknown) => {
      throw new ToolFailure(`Unable to retrieve zms service details, err: ${failureText(error)}`)
    })
    // An installation may have no ZTS.
    const ztsPublicKeys = await publicKeys(zms, 'zts').catch((error: unknown) => {
      if (error instanceof AthenzClientError && error.status === 404) return undefined
      throw new ToolFailure(`Unable to retrieve zts service details, err: ${failureText(error)}`)
    })
    const conf = {
      zmsUrl: baseOf(zmsUrl, '/zms/v1'),
      ztsUrl: baseOf(ztsUrl, '/zts/v1'),
      zmsPublicKeys,
      ...(ztsPublicKeys && { ztsPublicKeys }),
    }
    await writeOutput(given.o, `${JSON.stringify(conf, undefined, 2)}\n`, ORDINARY)
  },
})

type Connection = NonNullable<ConstructorParameters<typeof ZmsClient>[0]>

function connectionOf(url: string, given: Given, { env }: Machine): Connection {
  const socksProxy = given.s || env['SOCKS5_PROXY']
  return {
    url,
    readTimeoutMillis: given.m * 1000,
    connectTimeoutMillis: given.m * 1000,
    trustAnyServer: given.k,
    ...(given.c !== '' && { caFile: given.c }),
    ...(socksProxy && { proxyUrl: `socks5://${socksProxy}` }),
  }
}

async function callerOf(given: Given, where: Connection, { env, home }: Machine): Promise<Identity> {
  const { f: tokenFile, hdr: header, 'svc-cert-file': certificateFile, 'svc-key-file': keyFile } = given
  if (certificateFile !== '' && keyFile !== '') return certificateOf(certificateFile, keyFile)
  if (certificateFile !== '' || keyFile !== '') {
    throw new ToolFailure('Both service key and certificate must be provided')
  }
  if (tokenFile !== '') return tokenIdentity((await readGivenFile(tokenFile, 'token')).trim(), { header })
  const name = given.i || `user.${env['USER'] ?? ''}`
  const { askPassword } = await import('../ask-password.ts')
  const { userToken } = await import('../user-token.ts')
  const token = await userToken({
    identity: name.includes('.') ? name : `user.${name}`,
    file: join(home, '.ntoken'),
    askPassword: (userName) => askPassword(`Enter password for ${userName}: `),
    zms: where,
  }).catch((error: unknown) => {
    throw new ToolFailure(`Unable to get NToken: ${failureText(error)}`)
  })
  return tokenIdentity(token, { header })
}

async function publicKeys(zms: ZmsClient, serviceName: string) {
  const { publicKeys: keys = [] } = await zms.call('getServiceIdentity', { domain: 'sys.auth', service: serviceName })
  return keys.map(({ id, key }) => ({ id, key }))
}

/** The address without the path of the API, with a slash at its end. */
function baseOf(url: string, apiRoot: string): string {
  const api = apiUrl(url, apiRoot)
  return `${api.origin}${api.pathname.slice(0, -apiRoot.length)}/`
}
