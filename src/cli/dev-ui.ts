import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { signPrincipalToken } from '#core/token/sign-principal-token.ts'
import { writeAtomically } from '#sia/atomic-file.ts'
import { newSignInLink, signInLinkPath } from '#ui/sign-in-link.ts'
import { CommandFailure } from './command-failure.ts'
import { ADMINISTRATOR } from './dev-administrator.ts'
import { CA_FILES } from './dev-certificates.ts'
import { adminCredential, publishedKeys } from './dev-credentials.ts'
import { registerUi, UI_SERVICE } from './dev-registration.ts'
import type { DevPair, DevServerPaths } from './dev-server.ts'
import { DevZmsClient } from './dev-zms-client.ts'
import { serverLayout, UI, ZMS } from './server-kind.ts'

const { confFolder, keysFolder, varFolder } = serverLayout(UI, '')

/** The key with which the web page signs for people. */
export const UI_KEY = { id: '0', file: 'ui_private.pem' }
/** Settings that hold the port of ZMS; written at each start. The other properties files win over it. */
export const UI_ADDRESS_PROPERTIES = `${confFolder}/addresses.properties`
/** The sign-in that waits for its link, and the address of the page; both below the folder of the page's data. */
const LINK_FILE = `${varFolder}/sign-in-link.json`
const URL_FILE = `${varFolder}/url`

const OWNER_ONLY = 0o600
const LINK_LIFE_MILLIS = 15 * 60_000
const SESSION_MINUTES = 12 * 60

/** Registers the service of the web page in ZMS, and writes down where ZMS is. */
export async function connectUi({ folder, ca, zmsUrl, port, ztsUrl }: DevPair): Promise<void> {
  const [keys, credential] = await Promise.all([
    publishedKeys(folder, keysFolder, [UI_KEY]),
    adminCredential(folder, ca),
  ])
  const client = new DevZmsClient(zmsUrl, credential)
  try {
    await Promise.all([
      registerUi(client, keys),
      folder.write(
        UI_ADDRESS_PROPERTIES,
        addressProperties({
          zms_url: zmsUrl,
          certificate_sign_in_origin: `https://localhost:${port}`,
          ...(ztsUrl !== undefined && {
            zts_url: ztsUrl,
            zts_ca_file: folder.file(CA_FILES.certificate),
            dns_suffix: DNS_SUFFIX,
          }),
        }),
      ),
      folder.write(URL_FILE, `https://localhost:${port}\n`),
    ])
  } finally {
    client.close()
  }
}

/** At the end of DNS names, as ZTS takes them unless `athenz.zts.cert_dns_suffix` says otherwise. */
const DNS_SUFFIX = 'athenz.cloud'

const addressProperties = (addresses: Readonly<Record<string, string>>): string =>
  `\
# Addresses of this development folder. Written by athenz dev at each start; what ui.properties says wins.

${Object.entries(addresses)
  .map(([name, address]) => `athenz.ui.${name}=${address}\n`)
  .join('')}`

/**
 * Makes a link that signs in as the administrator, once and within a quarter of an hour; the one made before is not good
 * any more. The page takes it on the word of ZMS: the token behind it is signed with the key of ZMS in this folder.
 * @throws CommandFailure when no web page was started in the folder
 */
export async function makeSignInLink(folder: string): Promise<string> {
  const read = async (file: string): Promise<string> =>
    readFile(join(folder, file), 'utf8').catch(() => {
      throw new CommandFailure(`there is no ${join(folder, file)}: start the servers first, athenz dev --dir ${folder}`)
    })
  // One after the other, so that the same file is named each time when both are missing.
  const url = await read(URL_FILE)
  const key = await read(`${serverLayout(ZMS, '').keysFolder}/zms_private.pem`)
  const now = Date.now()
  const issueTimeSeconds = Math.floor(now / 1000)
  const [domain = '', name = ''] = ADMINISTRATOR.split('.')
  const token = await signPrincipalToken(
    {
      version: 'U1',
      domain,
      name,
      host: hostname(),
      issueTimeSeconds,
      expiryTimeSeconds: issueTimeSeconds + SESSION_MINUTES * 60,
      authorizedServices: [UI_SERVICE],
    },
    createSigner(loadPrivateKey(key), '0'),
  )
  const { code, link } = newSignInLink(token, now + LINK_LIFE_MILLIS)
  await writeAtomically(join(folder, LINK_FILE), JSON.stringify(link), { mode: OWNER_ONLY })
  return url.trim() + signInLinkPath(code)
}

/** The properties of the web page itself. */
export const uiProperties = ({ ca }: DevServerPaths): string => `\
# The web page of this development folder. Made by athenz dev when absent; change it as you like.
# Relative paths count from the development folder. Every property: conf/ui_server of the project.

athenz.ui.zms_ca_file=${ca}
athenz.ui.service=${UI_SERVICE}
athenz.ui.session_timeout=${SESSION_MINUTES}
athenz.ui.sign_in_link_file=${LINK_FILE}

# Needs an authority in ZMS that checks passwords, such as com.yahoo.athenz.auth.impl.UserAuthority.
athenz.ui.password_sign_in=false

# Browsers would ask for HTTPS from everything else at this host, too.
athenz.response_headers_json={}
`
