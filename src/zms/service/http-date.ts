const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const FORM =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) (?:GMT|UTC|Z)$/

/** Epoch milliseconds of an HTTP date (RFC 9110, IMF-fixdate), or undefined when the text is none. */
export function parseHttpDate(text: string): number | undefined {
  const match = FORM.exec(text.trim())
  if (!match) return undefined
  const [, day, month, year, hour, minute, second] = match
  const monthIndex = MONTHS.indexOf(month as string)
  if (monthIndex < 0) return undefined
  const time = Date.UTC(Number(year), monthIndex, Number(day), Number(hour), Number(minute), Number(second))
  return new Date(time).getUTCDate() === Number(day) && Number(hour) < 24 ? time : undefined
}
