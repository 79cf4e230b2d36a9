import { z } from 'zod'
import { endCookie, readCookie, setCookie } from './cookies.ts'
import type { Notice } from './layout.ts'
import { localPath } from './local-path.ts'
import type { Outcome } from './page.ts'

const COOKIE = 'athenz-notice'
/** The next page takes it; one that never comes should not find it much later. */
const LIFE_SECONDS = 60
const TEXT_MAX_LENGTH = 500
/** Browsers drop cookies beyond 4096 bytes. */
const MAX_LENGTH = 3000

const StoredNotice = z.object({
  text: z.string(),
  undo: z.object({ to: z.string(), action: z.string(), fields: z.record(z.string(), z.string()) }).optional(),
})

/** The cookie that takes the notice of an outcome to the next page. */
export function noticeCookie({ notice, undo }: Pick<Outcome, 'notice' | 'undo'>): string {
  const text = notice.length > TEXT_MAX_LENGTH ? `${notice.slice(0, TEXT_MAX_LENGTH)}…` : notice
  const whole = encoded({ text, ...(undo && { undo }) })
  return setCookie(COOKIE, whole.length > MAX_LENGTH ? encoded({ text }) : whole, { maxAgeSeconds: LIFE_SECONDS })
}

/** Has the browser forget the notice, which is shown once. */
export const END_NOTICE: string = endCookie(COOKIE)

/** The notice that the browser brought. */
export function readNotice(cookies: string | undefined): Notice | undefined {
  const value = readCookie(cookies, COOKIE)
  if (value === undefined) return undefined
  try {
    const { text, undo } = StoredNotice.parse(JSON.parse(Buffer.from(value, 'base64url').toString()))
    return { text, ...(undo && localPath(undo.to) === undo.to && { undo }) }
  } catch {
    return undefined
  }
}

const encoded = (notice: Notice): string => Buffer.from(JSON.stringify(notice)).toString('base64url')
