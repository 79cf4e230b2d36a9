import type { NotificationTopic } from '#core/notification/topics.ts'
import { type CollectionKind, groupKind, roleKind } from '../service/collection.ts'
import type { NoticeKind } from '../store/notices.ts'
import type { NoticeSort } from './switched-off.ts'

/** How notices of one kind are told. */
export interface NoticeWay {
  readonly kind: NoticeKind
  readonly collection: CollectionKind
  readonly sort: NoticeSort
  /** To those who speak for the member; undefined when only those who look after the role or group are told. */
  readonly memberTopic?: NotificationTopic
  readonly adminTopic: NotificationTopic
  /** Member of an item that has the date. */
  readonly date: 'expiration' | 'reviewReminder' | 'requestTime'
}

/** The kinds in the order of a daily run. */
export const NOTICE_WAYS: readonly NoticeWay[] = [
  { kind: 'pendingRole', collection: roleKind, sort: 'reminder', adminTopic: 'roleReminder', date: 'requestTime' },
  { kind: 'pendingGroup', collection: groupKind, sort: 'reminder', adminTopic: 'groupReminder', date: 'requestTime' },
  {
    kind: 'roleExpiry',
    collection: roleKind,
    sort: 'roleExpiration',
    memberTopic: 'roleExpiry',
    adminTopic: 'roleExpiryAdmin',
    date: 'expiration',
  },
  {
    kind: 'roleReview',
    collection: roleKind,
    sort: 'reminder',
    memberTopic: 'roleReview',
    adminTopic: 'roleReviewAdmin',
    date: 'reviewReminder',
  },
  {
    kind: 'groupExpiry',
    collection: groupKind,
    sort: 'groupExpiration',
    memberTopic: 'groupExpiry',
    adminTopic: 'groupExpiryAdmin',
    date: 'expiration',
  },
]
