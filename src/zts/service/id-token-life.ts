import { splitPrincipalName } from '#core/names/principal-name.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** Role tag with the life of the id tokens of its members, in seconds; the first value counts. */
const USER_TIMEOUT_TAG = 'zts.UserTokenTimeout'

/** What decides about the life of id tokens. */
export type IdTokenLifeDependencies = Pick<ZtsDependencies, 'config' | 'domains' | 'roleAccess'>

/** How long id tokens live. */
export class IdTokenLife {
  readonly #deps: IdTokenLifeDependencies
  /** Roles of the user domain with a life, by version of the domain. */
  readonly #rolesWithLife = new WeakMap<CachedDomain, ReadonlyMap<string, number>>()

  constructor(deps: IdTokenLifeDependencies) {
    this.#deps = deps
  }

  /**
   * Life in seconds of an id token for a subject (lower-case full name) that asks for `requestedSeconds`; 0 and less ask
   * for nothing. A user may ask for less than the greatest life that one of his roles in the user domain gives him, or
   * the default; a service for any life, and by default gets the longest. Never beyond the server's limit.
   */
  secondsFor(subject: string, requestedSeconds: number | undefined): number {
    const { config } = this.#deps
    const { idTokenDefaultTimeoutSeconds: common, idTokenMaxTimeoutSeconds: longest } = config.zts
    const isUser = splitPrincipalName(subject)?.domain === config.userDomain
    const own = isUser ? Math.min(this.#greatestOfRoles(subject) ?? common, longest) : longest
    return requestedSeconds !== undefined && requestedSeconds > 0 ? Math.min(own, requestedSeconds) : own
  }

  #greatestOfRoles(user: string): number | undefined {
    const { config, domains, roleAccess } = this.#deps
    const domain = domains.get(config.userDomain)
    if (domain === undefined) return undefined
    const lives = this.#rolesOf(domain)
    if (lives.size === 0) return undefined
    const held = roleAccess.rolesOf(domain, user, { names: [...lives.keys()], match: 'exact' })
    return held.length === 0 ? undefined : Math.max(...held.map((role) => lives.get(role) ?? 0))
  }

  #rolesOf(domain: CachedDomain): ReadonlyMap<string, number> {
    let lives = this.#rolesWithLife.get(domain)
    if (lives === undefined) {
      lives = rolesWithLife(domain)
      this.#rolesWithLife.set(domain, lives)
    }
    return lives
  }
}

function rolesWithLife({ roles }: CachedDomain): ReadonlyMap<string, number> {
  const lives = new Map<string, number>()
  for (const { name, tags } of roles.values()) {
    const text = tags.get(USER_TIMEOUT_TAG)?.[0]
    if (text !== undefined && /^[1-9]\d{0,8}$/.test(text)) lives.set(name, Number(text))
  }
  return lives
}
