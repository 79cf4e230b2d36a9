import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import type { DomainHistory, domainHistoryEndpoints } from '../api/domain-history.ts'
import type { DomainHistoryEntry, HistoryPlaces } from '../store/domain-history.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { pageLimit } from './keyset-page.ts'
import { auditLogReply } from './role-reply.ts'
import { compact } from './wire-form.ts'

const API = 'getDomainMemberHistory'
/** Places of the last entries that were shown, of roles and of groups; empty for kinds of which none was. */
const SKIP = /^(\d{0,15})\.(\d{0,15})$/

/** The history of the members of whole domains. */
export function domainHistoryService({ store }: ZmsDependencies): Handlers<typeof domainHistoryEndpoints> {
  return {
    async getDomainMemberHistory({ params, query }) {
      const { domainName: domain } = params
      const { filter, skip } = query
      const limit = pageLimit(API, query.limit)
      const before = skip === undefined ? {} : placesOf(skip)
      if ((await store.domain(domain)) === undefined) throw notFound(`${API}: Domain not found: ${domain}`)
      // One more than is shown tells that there are more.
      const found = await store.domainHistory({ domain, limit: limit + 1, before, ...(filter && { filter }) })
      const page = found.slice(0, limit)
      const lines = auditLogReply(page)
      const list = page.map(({ kind, collection: name }, index) => ({ kind, name, ...lines[index] }))
      const next = found.length > limit ? skipAfter(page, before) : undefined
      return ok(compact({ list, next }) as DomainHistory)
    },
  }
}

function placesOf(skip: string): HistoryPlaces {
  const [, role, group] = SKIP.exec(skip) ?? []
  if (role === undefined || group === undefined) throw badRequest(`${API}: skip is not the next of a page: ${skip}`)
  return { ...(role !== '' && { role: Number(role) }), ...(group !== '' && { group: Number(group) }) }
}

function skipAfter(page: readonly DomainHistoryEntry[], before: HistoryPlaces): string {
  const last = (wanted: 'role' | 'group') => page.findLast(({ kind }) => kind === wanted)?.place ?? before[wanted] ?? ''
  return `${last('role')}.${last('group')}`
}
