import type { ConfigOf } from '#core/config/server-tables.ts'
import { Glob } from '#core/rbac/glob.ts'
import { parseIdTokenScope, type Scope } from './scope.ts'

/** What reads scopes of id tokens by the server's settings; it throws what {@link parseIdTokenScope} throws. */
export function idTokenScopeReader({ zts }: Pick<ConfigOf['zts'], 'zts'>): (text: string) => Scope {
  const freeRoles = new RolePatterns(() => zts.idTokenAllowedRoles.value)
  const rules = { maxDomains: zts.idTokenMaxDomains, isFreeRole: (role: string) => freeRoles.match(role) }
  return (text) => parseIdTokenScope(text, rules)
}

/** Patterns of full role names from a setting that may change; they are compiled when it does. */
class RolePatterns {
  readonly #setting: () => readonly string[]
  #texts: readonly string[] = []
  #patterns: readonly Glob[] = []

  constructor(setting: () => readonly string[]) {
    this.#setting = setting
  }

  match(role: string): boolean {
    const texts = this.#setting()
    if (texts !== this.#texts) {
      this.#texts = texts
      this.#patterns = texts.map((text) => new Glob(text.toLowerCase()))
    }
    return this.#patterns.some((pattern) => pattern.matches(role))
  }
}
