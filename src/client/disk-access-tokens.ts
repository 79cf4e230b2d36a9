import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isName } from '#core/names/patterns.ts'
import { audiencesOf, parseJwt, timeClaim } from '#core/token/json-web-token.ts'
import type { AccessTokenResponse } from '#zts/api/access-token.ts'
import { roleList } from './cache-key.ts'
import type { KeptToken } from './token-freshness.ts'

/** Where agents leave access tokens. */
export const ACCESS_TOKEN_FOLDER = '/var/lib/sia/tokens'

interface TokenFile {
  readonly state: string
  /** Undefined when the file holds no token that can be told apart. */
  readonly content: { readonly roles: string; readonly kept: KeptToken<AccessTokenResponse> } | undefined
}

const FILES_MAX = 1000
const FILE_MAX_BYTES = 65_536

/**
 * Access tokens that an agent of this machine keeps in files, `FOLDER/DOMAIN/anything`, each the answer of ZTS as JSON.
 * The token itself says for which domain and roles it is, and how long; whether ZTS signed it is for those who take it.
 */
export class DiskAccessTokens {
  readonly #folder: string
  /** What was read, by path. */
  readonly #files = new Map<string, TokenFile>()

  constructor(folder: string = ACCESS_TOKEN_FOLDER) {
    this.#folder = folder
  }

  /** The token for these roles of a domain, the one with the longest life when there are several; undefined for none. */
  async find(domain: string, roles: readonly string[]): Promise<KeptToken<AccessTokenResponse> | undefined> {
    // The name becomes part of a path.
    if (!isName('DomainName', domain)) return undefined
    const folder = join(this.#folder, domain)
    const names = await readdir(folder).catch(() => [])
    const wanted = roleList(roles)
    let best: KeptToken<AccessTokenResponse> | undefined
    for (const name of names.slice(0, FILES_MAX)) {
      const content = await this.#read(join(folder, name), domain)
      if (content?.roles === wanted && content.kept.expiresAtMillis > (best?.expiresAtMillis ?? 0)) best = content.kept
    }
    return best
  }

  async #read(path: string, domain: string): Promise<TokenFile['content']> {
    try {
      const { mtimeMs, size, ino } = await stat(path)
      const state = `${mtimeMs} ${size} ${ino}`
      const known = this.#files.get(path)
      if (known?.state === state) return known.content
      const content = size > FILE_MAX_BYTES ? undefined : tokenIn(await readFile(path, 'utf8'), domain, mtimeMs)
      if (this.#files.size >= FILES_MAX) this.#files.clear()
      this.#files.set(path, { state, content })
      return content
    } catch {
      // Gone, or not for us: as if there was none.
      this.#files.delete(path)
      return undefined
    }
  }
}

function tokenIn(text: string, domain: string, writtenAtMillis: number): TokenFile['content'] {
  let token: AccessTokenResponse
  try {
    token = JSON.parse(text) as AccessTokenResponse
  } catch {
    return undefined
  }
  if (typeof token?.access_token !== 'string') return undefined
  const parsed = parseJwt(token.access_token)
  if (!parsed.ok) return undefined
  const { claims } = parsed.token
  const scopes: unknown = claims['scp']
  const expiresAt = timeClaim(claims, 'exp')
  if (audiencesOf(claims).join() !== domain || expiresAt === undefined) return undefined
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string')) return undefined
  const askedAtMillis = (timeClaim(claims, 'iat') ?? writtenAtMillis / 1000) * 1000
  return { roles: roleList(scopes), kept: { token, askedAtMillis, expiresAtMillis: expiresAt * 1000 } }
}
