import { randomBytes } from 'node:crypto'

const ACCEPTED = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/

/** Whether a client's X-Request-Id may stand in logs and answers as it is. */
export const isRequestId = (text: string): boolean => ACCEPTED.test(text)

/** A source of request ids: a random prefix for this process and a running number. Cheap, unique, tells nothing. */
export function requestIds(): () => string {
  const prefix = randomBytes(6).toString('base64url').replaceAll(/[-_]/g, '0')
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}
