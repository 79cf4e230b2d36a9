import { setImmediate as othersTurn } from 'node:timers/promises'
import type { Domain, Tags } from '../model.ts'
import {
  type FoundName,
  type FoundTag,
  isPrincipal,
  matchingAccounts,
  type NameTerm,
  type SearchFindings,
  type SearchQuery,
  type SearchTerms,
  searchTerms,
  type TaggedKind,
} from '../search.ts'
import type { Memory } from './memory.ts'

/** After so many objects, others get their turn: a search looks at all there are. */
const TURN = 20_000

/** Searches everything in memory; looks at each name once, keeps little more than it gives, and lets others in between. */
export async function searchMemory(
  { domains, names, principals }: Memory,
  query: SearchQuery,
): Promise<SearchFindings> {
  const { limit } = query
  const terms = searchTerms(query)
  const known = new Least<string>(limit, (a, b) => byRank(a, b, terms.domain))
  const [roles, groups, services] = [leastNames(limit), leastNames(limit), leastNames(limit)]
  const tags = new Least<FoundTag>(limit, byTag)
  const accounts: SearchFindings['accounts'][number][] = []
  let seen = 0
  // A copy: names come and go while others have their turn.
  const all = [...names.from('')]
  for (const name of all) {
    const domain = domains.get(name)
    if (!domain) continue
    if (name.includes(terms.domain)) known.offer(name)
    offerNames(roles, name, domain.roles, terms.role)
    offerNames(groups, name, domain.groups, terms.group)
    offerNames(services, name, domain.services, terms.service)
    offerTags(tags, domain, terms.tag)
    if (accounts.length < limit) accounts.push(...matchingAccounts(domain, terms.account))
    seen += 1 + domain.roles.size + domain.groups.size + domain.services.size + domain.policies.size
    if (seen < TURN) continue
    seen = 0
    await othersTurn()
  }
  const members = new Least<string>(limit, byText)
  for (const name of principals.keys()) {
    if (terms.principals.some((prefix) => name.startsWith(prefix)) && isPrincipal(name)) members.offer(name)
    seen++
    if (seen < TURN) continue
    seen = 0
    await othersTurn()
  }
  return {
    domains: known.get(),
    roles: roles.get(),
    groups: groups.get(),
    services: services.get(),
    principals: members.get(),
    tags: tags.get(),
    accounts: accounts.slice(0, limit),
  }
}

/** The least of what is offered. */
class Least<T> {
  readonly #limit: number
  readonly #compare: (a: T, b: T) => number
  #kept: T[] = []

  constructor(limit: number, compare: (a: T, b: T) => number) {
    this.#limit = limit
    this.#compare = compare
  }

  offer(item: T): void {
    this.#kept.push(item)
    // Sorting seldom costs less than to find the place of each.
    if (this.#kept.length > 16 * this.#limit) this.#kept = this.get()
  }

  get(): T[] {
    return this.#kept.sort(this.#compare).slice(0, this.#limit)
  }
}

const leastNames = (limit: number) =>
  new Least<FoundName>(limit, (a, b) => byText(a.name, b.name) || byText(a.domain, b.domain))

function offerNames(
  least: Least<FoundName>,
  domain: string,
  objects: ReadonlyMap<string, unknown>,
  term: NameTerm | undefined,
): void {
  if (!term || (term.domain !== undefined && term.domain !== domain)) return
  for (const name of objects.keys()) if (name.startsWith(term.prefix)) least.offer({ domain, name })
}

function offerTags(least: Least<FoundTag>, domain: Domain, term: SearchTerms['tag']): void {
  const offer = (kind: TaggedKind, name: string, tags: Tags | undefined): void => {
    if (tags === undefined) return
    for (const [key, values] of tags) {
      if (term.value === undefined ? !key.startsWith(term.key) : key !== term.key) continue
      for (const value of values) {
        const fits = term.value === undefined || value.toLowerCase().startsWith(term.value)
        if (fits) least.offer({ key, value, domain: domain.name, kind, name })
      }
    }
  }
  offer('domain', '', domain.tags)
  for (const { name, tags } of domain.roles.values()) offer('role', name, tags)
  for (const { name, tags } of domain.groups.values()) offer('group', name, tags)
  for (const { name, tags } of domain.services.values()) offer('service', name, tags)
  for (const versions of domain.policies.values()) {
    for (const { name, tags, active } of versions.values()) if (active) offer('policy', name, tags)
  }
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const byRank = (a: string, b: string, text: string) =>
  Number(b.startsWith(text)) - Number(a.startsWith(text)) || byText(a, b)

const byTag = (a: FoundTag, b: FoundTag) =>
  byText(a.key, b.key) ||
  byText(a.value, b.value) ||
  byText(a.domain, b.domain) ||
  byText(a.kind, b.kind) ||
  byText(a.name, b.name)
