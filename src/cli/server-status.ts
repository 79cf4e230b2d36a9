import { request } from 'node:https'

/** What a server answers when asked for its status: the HTTP status, or why there was no answer. */
export type StatusAnswer = { readonly status: number } | { readonly unreachable: string }

/** How the server's certificate is judged. */
export interface StatusTrust {
  /** PEM of the CA; without it any certificate is taken: the answer is only shown, and nothing secret is sent. */
  readonly ca?: string
}

const ANSWER_TIMEOUT_MILLIS = 5000

/** Asks a server for its status over a new connection. `url` is the base of its REST interface. */
export function askStatus(url: string, trust: StatusTrust = {}): Promise<StatusAnswer> {
  const { ca } = trust
  return new Promise((resolve) => {
    const options = {
      agent: false,
      timeout: ANSWER_TIMEOUT_MILLIS,
      ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
    } as const
    const asked = request(`${url}/status`, options, (response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0 })
    })
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MILLIS / 1000} s`)))
    // A refused connection to several addresses has no message of its own.
    asked.once('error', (error: NodeJS.ErrnoException) => resolve({ unreachable: error.message || `${error.code}` }))
    asked.end()
  })
}

/** Asks until the status is 200 or `signal` is aborted; gives the last answer. */
export async function awaitStatusOk(url: string, trust: StatusTrust, signal: AbortSignal): Promise<StatusAnswer> {
  for (;;) {
    const answer = await askStatus(url, trust)
    if (('status' in answer && answer.status === 200) || signal.aborted) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
