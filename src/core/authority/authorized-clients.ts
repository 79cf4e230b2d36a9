import { readFile } from 'node:fs/promises'

/** What the certificate of a client may do with tokens. */
export interface AuthorizedClient {
  /** Clients of the token issuer whose tokens it may present. */
  readonly clientIds: ReadonlySet<string>
  /** Service by which its operations are limited. */
  readonly service: string
}

/**
 * Reads lines `{client ids between commas}:{principal of the certificate}:{authorized service}`; blank lines and those that
 * begin with `#` mean nothing. A principal may be there several times with the same service. Throws an Error that names
 * file, line and what is wrong with it.
 */
export async function readAuthorizedClients(file: string): Promise<ReadonlyMap<string, AuthorizedClient>> {
  const clients = new Map<string, AuthorizedClient>()
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/)
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    const wrong = (reason: string) => new Error(`${file}:${index + 1}: ${reason}`)
    const [ids = '', principal = '', service = '', ...others] = line.split(':').map((part) => part.trim())
    const clientIds = ids.split(',').flatMap((id) => id.trim() || [])
    if (clientIds.length === 0 || principal === '' || service === '' || others.length > 0) {
      throw wrong('not of the form CLIENT-ID,CLIENT-ID:PRINCIPAL:SERVICE')
    }
    const key = principal.toLowerCase()
    const known = clients.get(key)
    if (known !== undefined && known.service !== service) {
      throw wrong(`${principal} acts for ${known.service} in an earlier line`)
    }
    clients.set(key, { clientIds: new Set([...(known?.clientIds ?? []), ...clientIds]), service })
  }
  return clients
}
