import type { ClientRequest } from 'node:http'
import { request } from 'node:https'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { request as requestPlain } from '#core/http/node-http.ts'

/** Where and how a server is asked for its status. */
export interface StatusTarget {
  /** Base of its REST interface, on the port where it answers its status. */
  readonly url: string
  /** Connections begin with the header of the PROXY protocol. */
  readonly proxyProtocol?: true
  /** It talks only to those who show a client certificate. */
  readonly certificateNeeded?: true
}

/** What a server answers when asked for its status: the HTTP status, or why there was no answer. */
export type StatusAnswer =
  | { readonly status: number }
  | { readonly unreachable: string }
  /** It is there, and talks only to those who show a client certificate. */
  | { readonly certificateNeeded: true }

/** How the server's certificate is judged, and which one it is shown. */
export interface StatusTrust {
  /** PEM of the CA; without it any certificate is taken: the answer is only shown, and nothing secret is sent. */
  readonly ca?: string
  /** PEM of a client certificate and its key. */
  readonly cert?: string
  readonly key?: string
}

const ANSWER_TIMEOUT_MILLIS = 5000
/** A connection of one's own, not on behalf of somebody else. */
const PROXY_HEADER = 'PROXY UNKNOWN\r\n'

/** Asks a server for its status over a new connection. */
export function askStatus(target: StatusTarget, trust: StatusTrust = {}): Promise<StatusAnswer> {
  return new Promise((resolve) => {
    let isTalking = false
    const asked = send(target, trust)
    asked.once('response', (response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0 })
    })
    // With TLS 1.3 the handshake is over for the client before the server looks at its certificate.
    asked.once('socket', (socket) => socket.once('secureConnect', () => (isTalking = true)))
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MILLIS / 1000} s`)))
    asked.once('error', (error: NodeJS.ErrnoException) => {
      const isRefused = target.certificateNeeded && (isTalking || error.code?.startsWith('ERR_SSL'))
      // A refused connection to several addresses has no message of its own.
      resolve(isRefused ? { certificateNeeded: true } : { unreachable: error.message || `${error.code}` })
    })
    asked.end()
  })
}

function send({ url, proxyProtocol }: StatusTarget, trust: StatusTrust): ClientRequest {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const tls = trust.ca === undefined ? { ...trust, rejectUnauthorized: false } : trust
  const isTls = protocol === 'https:'
  const throughProxy = (): Socket => {
    const socket = connect(Number(port), host)
    socket.write(PROXY_HEADER)
    return isTls ? connectTls({ socket, ...(isIP(host) === 0 && { servername: host }), ...tls }) : socket
  }
  // With an agent, also with none, it is that which connects.
  const connection = proxyProtocol ? { createConnection: throughProxy } : ({ agent: false } as const)
  const options = { timeout: ANSWER_TIMEOUT_MILLIS, ...connection }
  return isTls ? request(`${url}/status`, { ...options, ...tls }) : requestPlain(`${url}/status`, options)
}

/** Asks until the status is 200 or `signal` is aborted; gives the last answer. */
export async function awaitStatusOk(
  target: StatusTarget,
  trust: StatusTrust,
  signal: AbortSignal,
): Promise<StatusAnswer> {
  for (;;) {
    const answer = await askStatus(target, trust)
    if (('status' in answer && answer.status === 200) || signal.aborted) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
