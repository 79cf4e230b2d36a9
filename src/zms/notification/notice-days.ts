import { daysBetween, startOfDay } from '#core/notification/days.ts'
import type { NoticeKind, NoticeSubject } from '../store/notices.ts'

const DAY_MILLIS = 86_400_000

/** Days of the calendar (UTC) before a membership ends, or is to be reviewed, on which people are told. */
export const NOTICE_DAYS: ReadonlySet<number> = new Set([0, 1, 3, 7, 14, 21, 28])
const FARTHEST_DAYS = Math.max(...NOTICE_DAYS)

/** Dates that may be due on the day of `now`: from and before when. */
export function spanOf(kind: NoticeKind, now: number): { from: number; until: number } {
  return isRequest(kind)
    ? { from: 0, until: startOfDay(now) }
    : { from: now, until: startOfDay(now) + (FARTHEST_DAYS + 1) * DAY_MILLIS }
}

/**
 * Whether people are told on the day of `now`: of a date that lies some days ahead, and of a request every week on the
 * weekday on which it was made. Each is told of once a day.
 */
export function isDue(kind: NoticeKind, { time, notifiedTime }: NoticeSubject, now: number): boolean {
  if (notifiedTime !== undefined && notifiedTime >= startOfDay(now)) return false
  if (isRequest(kind)) return time < startOfDay(now) && daysBetween(time, now) % 7 === 0
  return time > now && NOTICE_DAYS.has(daysBetween(now, time))
}

const isRequest = (kind: NoticeKind): boolean => kind === 'pendingRole' || kind === 'pendingGroup'
