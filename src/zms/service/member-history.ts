import { badRequest } from '#core/error/service-error.ts'
import type { MemberHistory } from '../api/collection-search.ts'
import type { Store } from '../store/store.ts'
import { type PageQuery, pageLimit } from './keyset-page.ts'
import { auditLogReply } from './role-reply.ts'
import { compact } from './wire-form.ts'

const PLACE = /^\d{1,15}$/

/** Whose history is asked for. */
export interface HistoryPlace {
  readonly domain: string
  readonly kind: 'role' | 'group'
  /** Local name of the role or group. */
  readonly collection: string
}

/**
 * A part of the history of members, newest first: entries about a member or by somebody whose name contains the filter.
 * Newer entries do not move it: `next` is the place of its last one. 400 when `skip` is no such place.
 */
export async function memberHistory(
  api: string,
  store: Pick<Store, 'domainHistory'>,
  { domain, kind, collection }: HistoryPlace,
  query: PageQuery & { readonly skip?: string | undefined },
): Promise<MemberHistory> {
  const { filter, skip } = query
  const limit = pageLimit(api, query.limit)
  if (skip !== undefined && !PLACE.test(skip)) throw badRequest(`${api}: skip is not the next of a page: ${skip}`)
  const found = await store.domainHistory({
    domain,
    of: { kind, collection },
    // One more than is shown tells that there are more.
    limit: limit + 1,
    ...(filter !== undefined && { filter }),
    ...(skip !== undefined && { before: { [kind]: Number(skip) } }),
  })
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const list = auditLogReply(page) as MemberHistory['list']
  return compact<MemberHistory>({ list, next: last && found.length > limit ? String(last.place) : undefined })
}
