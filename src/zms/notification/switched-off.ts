import type { Domain, Group, Role, Tags } from '../store/model.ts'

/** What a tag switches off: bits of one number. */
const BITS = { member: 1, admin: 2, beyondAWeek: 4 } as const

const EIGHT_DAYS_MILLIS = 8 * 86_400_000

const REMINDERS = 'zms.DisableReminderNotifications'
const EXPIRATIONS = 'zms.DisableExpirationNotifications'

/** What is told: reminders are about requests and reviews. */
export type NoticeSort = 'reminder' | 'roleExpiration' | 'groupExpiration'

/** Tags that switch it off; for groups also the one that older versions had for everything. */
const TAGS: Readonly<Record<NoticeSort, readonly string[]>> = {
  reminder: [REMINDERS],
  roleExpiration: [EXPIRATIONS],
  groupExpiration: [EXPIRATIONS, REMINDERS],
}

/**
 * Whether somebody is not to be told, because a tag of the role or group, or of its domain, says so. The value of a tag
 * is a number of bits: 1 members, 2 administrators, 4 everything more than eight days ahead; other values do nothing.
 */
export function isSwitchedOff(
  sort: NoticeSort,
  audience: 'member' | 'admin',
  { domain, collection }: { domain: Pick<Domain, 'tags'>; collection: Pick<Role | Group, 'tags'> },
  { time, now }: { time: number | undefined; now: number },
): boolean {
  const bits = TAGS[sort].reduce((all, tag) => all | bitsOf(collection.tags, tag) | bitsOf(domain.tags, tag), 0)
  if ((bits & BITS[audience]) !== 0) return true
  return (bits & BITS.beyondAWeek) !== 0 && time !== undefined && time > now + EIGHT_DAYS_MILLIS
}

function bitsOf(tags: Tags | undefined, tag: string): number {
  const value = tags?.get(tag)?.[0] ?? ''
  return /^[0-9]{1,9}$/.test(value) ? Number(value) : 0
}
