import { readFile } from 'node:fs/promises'
import type { ApiClientOptions } from '#client/api-client.ts'
import { tokenIdentity } from '#client/identity.ts'
import { ZmsClient } from '#client/zms-client.ts'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { writeAtomically } from '#sia/atomic-file.ts'

/** A user who needs a token. */
export interface UserTokenOptions {
  /** Full name, e.g. `user.joe`. */
  readonly identity: string
  /** Where the token is kept between runs, as the original's tools do in `.ntoken` of the user's folder. */
  readonly file: string
  /** Asks the user for the password. */
  readonly askPassword: (userName: string) => Promise<string>
  /** How ZMS is reached. */
  readonly zms: Omit<ApiClientOptions, 'identity'>
}

const OWNER_ONLY = 0o600
/** A token that ends sooner is of no use to a command that has just begun. */
const LEAST_LIFE_SECONDS = 60

/**
 * The principal token of a user: the one that is kept while it holds, otherwise a new one for the password.
 * @throws AthenzClientError when ZMS refuses
 */
export async function userToken({ identity, file, askPassword, zms: where }: UserTokenOptions): Promise<string> {
  const kept = await keptToken(identity, file)
  if (kept !== undefined) return kept
  const userName = identity.slice(identity.indexOf('.') + 1)
  const basic = Buffer.from(`${userName}:${await askPassword(userName)}`).toString('base64')
  await using zms = new ZmsClient({
    ...where,
    identity: tokenIdentity(`Basic ${basic}`, { header: 'Authorization', name: identity }),
  })
  const { token } = await zms.call('getUserToken', { userName })
  await writeAtomically(file, token, { mode: OWNER_ONLY })
  return token
}

async function keptToken(identity: string, file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const parsed = parsePrincipalToken(text.trim())
  if (!parsed.ok) return undefined
  const { domain, name, expiryTimeSeconds } = parsed.token
  const holds = expiryTimeSeconds > Date.now() / 1000 + LEAST_LIFE_SECONDS
  return holds && `${domain}.${name}` === identity.toLowerCase() ? text.trim() : undefined
}
