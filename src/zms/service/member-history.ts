import { badRequest } from '#core/error/service-error.ts'
import type { MemberHistory } from '../api/collection-search.ts'
import type { MemberAudit } from '../store/model.ts'
import { contains, type PageQuery } from './keyset-page.ts'
import { auditLogReply } from './role-reply.ts'
import { compact } from './wire-form.ts'

const PLACE = /^\d{1,15}$/

/**
 * A part of a history, newest first: entries about a member or by somebody whose name contains the filter. Entries are
 * known by their place counted from the oldest, which newer ones do not move; 400 when `skip` is no such place.
 */
export function historyPage(
  api: string,
  history: readonly MemberAudit[],
  { filter, limit, skip }: PageQuery & { readonly limit: number; readonly skip?: string | undefined },
): MemberHistory {
  if (skip !== undefined && !PLACE.test(skip)) throw badRequest(`${api}: skip is not the next of a page: ${skip}`)
  const before = skip === undefined ? history.length : Number(skip)
  const page: MemberAudit[] = []
  let [total, last, more] = [0, 0, false]
  for (let place = history.length - 1; place >= 0; place--) {
    const entry = history[place] as MemberAudit
    if (!contains(entry.member, filter) && !contains(entry.admin, filter)) continue
    total++
    if (place >= before) continue
    if (page.length === limit) {
      more = true
      continue
    }
    page.push(entry)
    last = place
  }
  const list = auditLogReply(page) as MemberHistory['list']
  return compact<MemberHistory>({ list, total, next: more ? String(last) : undefined })
}
