import type { X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import { TLSSocket } from 'node:tls'
import { messageOf } from '#core/error/message-of.ts'
import { clockDifference } from './clock-difference.ts'

/** What a server shows to somebody who asks for its status, or why there was no answer. */
export type ServerInspection =
  | { readonly unreachable: string }
  | {
      readonly status: number
      /** By how much its clock is ahead; undefined when it does not tell the time. */
      readonly clockDifferenceMillis: number | undefined
      readonly certificate: X509Certificate | undefined
      /** Why its certificate is not accepted. */
      readonly distrust: string | undefined
    }

const ANSWER_TIMEOUT_MILLIS = 5000
/** The header with the time has whole seconds. */
const HEADER_STEP_MILLIS = 1000

/**
 * Asks a server for its status over a new connection, whoever it is: nothing secret is sent. `url` is the base of its REST
 * interface; `ca` (PEM) vouches for it, the authorities of the system unless given.
 */
export function inspectServer(url: string, ca: string | undefined): Promise<ServerInspection> {
  return new Promise((resolve) => {
    if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
      resolve({ unreachable: `${url} is no https URL` })
      return
    }
    const sent = Date.now()
    const options = {
      agent: false,
      timeout: ANSWER_TIMEOUT_MILLIS,
      rejectUnauthorized: false,
      ...(ca !== undefined && { ca }),
    } as const
    const asked = request(`${url}/status`, options, (response) => {
      response.resume()
      const { socket, headers, statusCode: status = 0 } = response
      const told = headers.date === undefined ? Number.NaN : Date.parse(headers.date)
      const difference = clockDifference(told, { sent, answered: Date.now(), stepMillis: HEADER_STEP_MILLIS })
      resolve({
        status,
        clockDifferenceMillis: difference,
        certificate: socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined,
        distrust: socket instanceof TLSSocket && !socket.authorized ? reasonText(socket.authorizationError) : undefined,
      })
    })
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MILLIS / 1000} s`)))
    asked.once('error', (error: NodeJS.ErrnoException) => resolve({ unreachable: error.message || `${error.code}` }))
    asked.end()
  })
}

const reasonText = (error: unknown): string =>
  error === null || error === undefined ? 'it is not accepted' : messageOf(error)
