import {
  type Auditor,
  type DecidableRequest,
  type DueReview,
  type DutyQueries,
  type DutyQuery,
  type EndingMembership,
  type ReviewDates,
  reviewDue,
} from '../duties.ts'
import type { Domain, PendingRoleMember, RoleBase } from '../model.ts'
import type { Memory } from './memory.ts'

/** What somebody has to do, answered from memory. */
export class MemoryDuties implements DutyQueries {
  readonly #memory: Memory

  constructor(memory: Memory) {
    this.#memory = memory
  }

  async administeredDomains(query: DutyQuery): Promise<string[]> {
    return this.#administered(query).map(({ name }) => name)
  }

  async dueReviews(query: DutyQuery & { readonly percent: number }): Promise<DueReview[]> {
    const found: DueReview[] = []
    for (const { name: domain, roles, groups } of this.#administered(query)) {
      const offer = (kind: DueReview['kind'], object: ReviewDates & { readonly name: string }) => {
        const due = reviewDue(object, query.percent)
        if (due === undefined || due > query.at) return
        const { name, lastReviewedDate } = object
        found.push({ kind, domain, name, due, ...(lastReviewedDate !== undefined && { lastReviewedDate }) })
      }
      for (const role of roles.values()) if (!role.trust) offer('role', role)
      for (const group of groups.values()) offer('group', group)
    }
    return found
  }

  async decidableRequests({
    auditor,
    ...query
  }: DutyQuery & { readonly auditor: Auditor }): Promise<DecidableRequest[]> {
    const found: DecidableRequest[] = []
    const search = (domain: Domain, audited: boolean) => {
      for (const [kind, collections] of [
        ['role', domain.roles],
        ['group', domain.groups],
      ] as const) {
        for (const { name, pending, auditEnabled = false } of (collections as RequestLists).values()) {
          if (pending.size === 0 || auditEnabled !== audited) continue
          const place = { kind, domain: domain.name, name, ...reason(domain, auditEnabled) }
          for (const each of pending.values()) found.push({ ...place, pending: each })
        }
      }
    }
    for (const domain of this.#administered(query)) search(domain, false)
    for (const domain of this.#audited(auditor)) search(domain, true)
    return found
  }

  async endingMemberships(principal: string, before: number): Promise<EndingMembership[]> {
    const { membership } = this.#memory
    const found: EndingMembership[] = []
    const search = (kind: EndingMembership['kind'], domain: Domain, collections: MemberLists) => {
      for (const [name, { members, selfRenew, selfRenewMins = 0, auditEnabled }] of collections) {
        const expiration = members.get(principal)?.expiration
        if (expiration === undefined || expiration >= before) continue
        const renewal = selfRenew && selfRenewMins > 0 && { selfRenewMins }
        found.push({ kind, domain: domain.name, name, expiration, ...renewal, ...reason(domain, auditEnabled) })
      }
    }
    for (const domain of this.#existing(membership.roles.domainsOf(principal))) search('role', domain, domain.roles)
    for (const domain of this.#existing(membership.groups.domainsOf(principal))) search('group', domain, domain.groups)
    return found
  }

  #existing(names: Iterable<string>): Domain[] {
    return [...names].flatMap((name) => this.#memory.domains.get(name) ?? [])
  }

  #audited({ domains: names, orgs }: Auditor): Iterable<Domain> {
    const { domains } = this.#memory
    const found = new Set(this.#existing(names))
    if (orgs.size === 0) return found
    for (const domain of domains.values()) if (domain.org !== undefined && orgs.has(domain.org)) found.add(domain)
    return found
  }

  /** Ascending by name. */
  #administered({ principal, at }: DutyQuery): Domain[] {
    const { domains, membership } = this.#memory
    return membership.roles.domainsOf(principal).flatMap((name) => {
      const domain = domains.get(name)
      const member = domain?.roles.get('admin')?.members.get(principal)
      const counts = member && !member.systemDisabled && (member.expiration === undefined || member.expiration >= at)
      return domain !== undefined && counts ? [domain] : []
    })
  }
}

/** Whether a change needs a reason. */
const reason = (domain: Domain, auditEnabled = false): Pick<EndingMembership, 'audited'> =>
  domain.auditEnabled || auditEnabled ? { audited: true } : {}

type RequestLists = ReadonlyMap<
  string,
  Pick<RoleBase, 'name' | 'auditEnabled'> & { readonly pending: ReadonlyMap<string, PendingRoleMember> }
>

type MemberLists = ReadonlyMap<
  string,
  Pick<RoleBase, 'selfRenew' | 'selfRenewMins' | 'auditEnabled'> & {
    readonly members: { get(name: string): { readonly expiration?: number } | undefined }
  }
>
