import { AthenzClientError } from '#client/client-error.ts'
import { type Content, html, withQuery } from './html.ts'
import { FormProblem } from './page.ts'
import type { DeniedAccess } from './zms-calls.ts'

/** What is said of a failure: once in words for a page of its own, once for the top of the page that is shown again. */
export interface Failure {
  readonly status: number
  readonly title: string
  readonly text: Content
  readonly retryAfterSeconds?: number
  /** It was not foreseen, and belongs into the log. */
  readonly unexpected?: boolean
  /** ZMS does not take the credential (any more). */
  readonly signedOut?: boolean
}

/** Who was refused what, as far as it is known. */
export interface Refused {
  readonly principal: string
  readonly denied: DeniedAccess | undefined
  readonly requestId: string
}

/** What people are told of what was thrown while a page was made or a form carried out. */
export function failureOf(error: unknown, { principal, denied, requestId }: Refused): Failure {
  if (error instanceof FormProblem)
    return { status: 400, title: 'This cannot be done as it was written', text: error.message }
  if (!(error instanceof AthenzClientError)) {
    const text = html`Something went wrong on this page; the log tells what, by the request id <code>${requestId}</code>.`
    return { status: 500, title: 'Something went wrong', text, unexpected: true }
  }
  const { status, message, retryAfterSeconds, requestId: zmsRequestId } = error
  const ids = zmsRequestId !== undefined && html` Request id in the log of ZMS: <code>${zmsRequestId}</code>.`
  if (error.kind === 'invalid-request') return { status: 400, title: 'This cannot be asked', text: message }
  if (status === 401) {
    return { status, title: 'Sign in again', text: 'ZMS does not take the sign-in any more.', signedOut: true }
  }
  if (status === 403) {
    const why = withQuery('/access', { principal, action: denied?.action, resource: denied?.resource })
    const text = html`ZMS refuses: ${message}. <a href="${why}">Why, and what would change it</a>.`
    return { status, title: 'You may not do this', text }
  }
  if (status === 404) return { status, title: 'There is no such thing', text: html`ZMS says: ${message}.` }
  // Quotas have the same status; they name no time after which there would be room.
  if (status === 429 && retryAfterSeconds !== undefined) {
    const text = `ZMS asks for a pause. Try again in ${retryAfterSeconds} s.`
    return { status, title: 'Too many requests', text, retryAfterSeconds }
  }
  if (status !== undefined && status < 500) {
    return { status, title: 'ZMS does not accept this', text: html`ZMS says: ${message}.${ids}` }
  }
  const said = status === undefined ? message : `it answers with status ${status}`
  const text = html`ZMS cannot help at the moment: ${said}. Nothing is lost; try again in a moment.${ids}`
  return { status: 503, title: 'ZMS is away', text, retryAfterSeconds: retryAfterSeconds ?? 5 }
}
