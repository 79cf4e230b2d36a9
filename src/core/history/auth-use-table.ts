import { type AuthUse, type AuthUses, useKey } from './auth-use.ts'

/** Uses in memory, found by either domain; the least recent ones make room for others. */
export class AuthUseTable {
  readonly #maxUses: number
  /** In the order of their latest use. */
  readonly #uses = new Map<string, AuthUse>()
  readonly #byUriDomain = new Map<string, Map<string, AuthUse>>()
  readonly #byPrincipalDomain = new Map<string, Map<string, AuthUse>>()

  constructor(maxUses: number) {
    this.#maxUses = maxUses
  }

  get size(): number {
    return this.#uses.size
  }

  /** Takes a use over, unless a later one of the same principal and domain is known. */
  put(use: AuthUse): void {
    const key = useKey(use)
    const known = this.#uses.get(key)
    if (known !== undefined && known.epochSeconds > use.epochSeconds) return
    this.#uses.delete(key)
    this.#uses.set(key, use)
    index(this.#byUriDomain, use.uriDomain, key, use)
    index(this.#byPrincipalDomain, use.principalDomain, key, use)
    if (this.#uses.size > this.#maxUses) this.#forgetFirst()
  }

  /** Forgets what was used last before a time, in epoch seconds. */
  forgetBefore(epochSeconds: number): void {
    for (const use of this.#uses.values()) {
      // Those behind it may be older still when they came from elsewhere; they go when they are the first.
      if (use.epochSeconds >= epochSeconds) return
      this.#forgetFirst()
    }
  }

  ofDomain(domain: string): AuthUses {
    return {
      incoming: [...(this.#byUriDomain.get(domain)?.values() ?? [])],
      outgoing: [...(this.#byPrincipalDomain.get(domain)?.values() ?? [])],
    }
  }

  /** All uses, the least recent first. */
  values(): IterableIterator<AuthUse> {
    return this.#uses.values()
  }

  #forgetFirst(): void {
    const [first] = this.#uses
    if (first === undefined) return
    const [key, use] = first
    this.#uses.delete(key)
    unindex(this.#byUriDomain, use.uriDomain, key)
    unindex(this.#byPrincipalDomain, use.principalDomain, key)
  }
}

type Index = Map<string, Map<string, AuthUse>>

function index(map: Index, domain: string, key: string, use: AuthUse): void {
  let uses = map.get(domain)
  if (uses === undefined) map.set(domain, (uses = new Map()))
  uses.delete(key)
  uses.set(key, use)
}

function unindex(map: Index, domain: string, key: string): void {
  const uses = map.get(domain)
  uses?.delete(key)
  if (uses?.size === 0) map.delete(domain)
}
