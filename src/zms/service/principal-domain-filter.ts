import { badRequest } from '#core/error/service-error.ts'
import type { MemberLookup } from './member-rules.ts'

/** One entry of a principalDomainFilter. */
interface FilterEntry {
  readonly domain: string
  /** `+domain`: the domain and those below it; `-domain`: it is excluded. */
  readonly mark: '' | '+' | '-'
}

const entriesOf = (filter: string): FilterEntry[] =>
  filter
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) =>
      entry.startsWith('+') || entry.startsWith('-')
        ? { mark: entry.charAt(0) as '+' | '-', domain: entry.slice(1) }
        : { mark: '', domain: entry },
    )

/**
 * Whether a principalDomainFilter lets members of a domain in: exclusions win; without any admitting entry everything
 * that is not excluded is let in; a member without a domain (`*`) never is.
 */
export function admitsDomain(filter: string, domain: string): boolean {
  if (domain === '') return false
  const entries = entriesOf(filter)
  if (entries.some((entry) => entry.mark === '-' && entry.domain === domain)) return false
  const admitting = entries.filter((entry) => entry.mark !== '-')
  if (admitting.length === 0) return true
  return admitting.some(
    (entry) => entry.domain === domain || (entry.mark === '+' && domain.startsWith(`${entry.domain}.`)),
  )
}

/** 400 when a filter names a domain that does not exist. */
export async function requireFilterDomains(lookup: MemberLookup, filter: string | undefined): Promise<void> {
  for (const { domain } of filter ? entriesOf(filter) : []) {
    if (!(await lookup.domain(domain))) throw badRequest(`No such domain: ${domain}`)
  }
}
