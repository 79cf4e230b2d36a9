import { readFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'
import { JsonClient } from '#core/http/json-client.ts'
import type { PropertyReader } from './authority.ts'
import { integerSetting, textSetting } from './setting.ts'

const CA_PROPERTY = 'athenz.ts.identity_provider_ca_file'
const CONNECT_PROPERTY = 'athenz.auth.jwk_connect_timeout'
const READ_PROPERTY = 'athenz.auth.jwk_read_timeout'

/**
 * What fetches the keys of identity providers. Properties: `athenz.auth.jwk_connect_timeout` and `.jwk_read_timeout`
 * (milliseconds), `athenz.ts.identity_provider_ca_file` (PEM, trusted beside the well-known authorities).
 */
export async function openIssuerClient(property: PropertyReader): Promise<JsonClient> {
  const file = textSetting(property, CA_PROPERTY)
  return new JsonClient({
    connectTimeoutMillis: integerSetting(property, CONNECT_PROPERTY, 10_000),
    readTimeoutMillis: integerSetting(property, READ_PROPERTY, 20_000),
    tls: file === undefined ? undefined : { ca: [...rootCertificates, await readAuthorities(file)] },
  })
}

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1')
  } catch (cause) {
    throw new Error(`${CA_PROPERTY}: the file ${file} cannot be read`, { cause })
  }
}
