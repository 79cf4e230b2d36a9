import type { Change, MutableDomain } from '../change.ts'
import { type NoticeClaim, type NoticeKind, withNotice } from '../notices.ts'
import type { FoundMembership } from '../store.ts'

/** Note that people are notified of a membership or request; it moves no stamp, so it is no `Change`. */
export interface NoticeChange extends FoundMembership, Pick<NoticeClaim, 'at' | 'server'> {
  readonly kind: 'noteNotice'
  readonly notice: NoticeKind
}

/** What the journal holds. */
export type LoggedChange = Change | NoticeChange

/** Applies the note to its domain, in place; one about something that is gone does nothing. */
export function applyNotice(domain: MutableDomain, { notice, collection, member, ...note }: NoticeChange): void {
  switch (notice) {
    case 'roleExpiry':
    case 'roleReview': {
      const members = domain.roles.get(collection)?.members
      const found = members?.get(member)
      if (found) members?.set(withNotice(notice, found, note))
      return
    }
    case 'groupExpiry': {
      const members = domain.groups.get(collection)?.members
      const found = members?.get(member)
      if (found) members?.set(withNotice(notice, found, note))
      return
    }
    case 'pendingRole':
    case 'pendingGroup': {
      const pending = (notice === 'pendingRole' ? domain.roles : domain.groups).get(collection)?.pending
      const found = pending?.get(member)
      if (found) pending?.set(member, withNotice(notice, found, note))
      return
    }
  }
}
