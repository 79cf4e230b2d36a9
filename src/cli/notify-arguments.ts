import { InvalidArgumentError } from 'commander'

const DAYS_MAX = 366

/** A date (its beginning, UTC) or an ISO time with its zone, in epoch milliseconds. */
export function parseTime(text: string): number {
  const isTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
  const time = isTime ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw new InvalidArgumentError('Write a date as 2030-01-31 or a time as 2030-01-31T12:00Z.')
  return time
}

/** A number of days. */
export function parseDays(text: string): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (days < 1 || days > DAYS_MAX) throw new InvalidArgumentError(`Write a number from 1 to ${DAYS_MAX}.`)
  return days
}
