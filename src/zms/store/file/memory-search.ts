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

/** Searches everything in memory; looks at each name once, and keeps little more than it gives. */
export function searchMemory({ domains, names, principals }: Memory, query: SearchQuery): SearchFindings {
  const { limit } = query
  const terms = searchTerms(query)
  const known = new Least<string>(limit, (a, b) => byRank(a, b, terms.domain))
  const [roles, groups, services] = [leastNames(limit), leastNames(limit), leastNames(limit)]
  const tags = new Least<FoundTag>(limit, byTag)
  const accounts: SearchFindings['accounts'][number][] = []
  for (const name of names.from('')) {
    const domain = domains.get(name) as Domain
    if (name.includes(terms.domain)) known.offer(name)
    offerNames(roles, name, domain.roles, terms.role)
    offerNames(groups, name, domain.groups, terms.group)
    offerNames(services, name, domain.services, terms.service)
    for (const tag of tagsOf(domain, terms.tag)) tags.offer(tag)
    if (accounts.length < limit) accounts.push(...matchingAccounts(domain, terms.account))
  }
  const members = new Least<string>(limit, byText)
  for (const name of principals.keys()) {
    if (terms.principals.some((prefix) => name.startsWith(prefix)) && isPrincipal(name)) members.offer(name)
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

function* tagsOf(domain: Domain, term: SearchTerms['tag']): Generator<FoundTag> {
  yield* matchingTags(domain.name, 'domain', '', domain.tags, term)
  for (const { name, tags } of domain.roles.values()) yield* matchingTags(domain.name, 'role', name, tags, term)
  for (const { name, tags } of domain.groups.values()) yield* matchingTags(domain.name, 'group', name, tags, term)
  for (const { name, tags } of domain.services.values()) yield* matchingTags(domain.name, 'service', name, tags, term)
  for (const versions of domain.policies.values()) {
    for (const { name, tags, active } of versions.values()) {
      if (active) yield* matchingTags(domain.name, 'policy', name, tags, term)
    }
  }
}

function* matchingTags(
  domain: string,
  kind: TaggedKind,
  name: string,
  tags: Tags | undefined,
  { key: wanted, value: beginning }: SearchTerms['tag'],
): Generator<FoundTag> {
  for (const [key, values] of tags ?? []) {
    if (beginning === undefined ? !key.startsWith(wanted) : key !== wanted) continue
    for (const value of values) {
      if (beginning === undefined || value.toLowerCase().startsWith(beginning)) yield { key, value, domain, kind, name }
    }
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
