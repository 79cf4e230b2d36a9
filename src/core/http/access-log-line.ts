import { isIP } from 'node:net'
import type { Principal } from '../authority/principal.ts'
import type { Connection } from './connection.ts'
import type { Exchange } from './exchange.ts'
import { pathOf } from './request-target.ts'

/** Writes the line of one exchange, with its line feed. */
export type AccessLogLine = (exchange: Exchange, epochMillis: number) => string

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
/** What may not stand in a quoted field as it is: quotes, backslashes, control characters, and all beyond ASCII. */
const UNQUOTABLE = /["\\]|[^\x20-\x7e]/
const UNQUOTABLE_ALL = /["\\]|[^\x20-\x7e]/g

/**
 * The original's line: address, `-`, principal, `[time]`, `"method target protocol"`, status, bytes, `"referer"`,
 * `"agent"`, bytes of the request, milliseconds, authority, TLS version, cipher suite, serial number of the certificate;
 * `-` for what is missing. A query with secrets is left out. With `logForwardedAddress` the last address in X-Forwarded-For stands for that of the peer.
 */
export function accessLogLine(logForwardedAddress: boolean): AccessLogLine {
  const time = clockText()
  const outcome = outcomeText()
  return (exchange, epochMillis) => {
    const { request, connection, principal, method, durationMillis } = exchange
    const url = request.url ?? ''
    const address = (logForwardedAddress && forwardedAddress(exchange)) || connection.peerAddress || '-'
    const { head, tail } = frameOf(connection, principal, address, time(epochMillis))
    const target = exchange.secretQuery ? pathOf(url) : url
    return `${head}${method} ${quotable(target)}${outcome(exchange)}${Math.round(durationMillis)}${tail}`
  }
}

/** What the lines of a connection have in common for a second, as long as its principal is the same. */
interface Frame {
  readonly principal: Principal | undefined
  readonly address: string
  readonly time: string
  readonly head: string
  readonly tail: string
}

const FRAME = Symbol('frame of log lines')

function frameOf(
  connection: Connection & { [FRAME]?: Frame },
  principal: Principal | undefined,
  address: string,
  time: string,
): Frame {
  const known = connection[FRAME]
  if (known?.time === time && known.principal === principal && known.address === address) return known
  const who = principal ? quotable(principal.fullName).replaceAll(' ', '_') : '-'
  const { protocol, cipher, certificateSerial } = connection
  const tail = [principal?.authority.id ?? 'Auth-None', protocol ?? '-', cipher ?? '-', certificateSerial ?? '-']
  const frame = { principal, address, time, head: `${address} - ${who} [${time}] "`, tail: ` ${tail.join(' ')}\n` }
  connection[FRAME] = frame
  return frame
}

/** Protocol, status, sizes and agent; what it wrote last is kept, since requests of one kind come in rows. */
function outcomeText(): (exchange: Exchange) => string {
  let last: readonly (string | number | undefined)[] = []
  let text = ''
  return ({ request, status, bodyBytes }) => {
    const { headers, httpVersion } = request
    const { referer, 'user-agent': agent, 'content-length': length } = headers
    const [version, lastStatus, lastBytes, lastReferer, lastAgent, lastLength] = last
    const isSame =
      status === lastStatus &&
      bodyBytes === lastBytes &&
      agent === lastAgent &&
      referer === lastReferer &&
      length === lastLength &&
      httpVersion === version
    if (!isSame) {
      last = [httpVersion, status, bodyBytes, referer, agent, length]
      text = ` HTTP/${httpVersion}" ${status} ${bodyBytes} ${quoted(referer)} ${quoted(agent)} ${digits(length)} `
    }
    return text
  }
}

function forwardedAddress(exchange: Exchange): string | undefined {
  const entries = exchange.header('x-forwarded-for')
  const last = entries?.slice(entries.lastIndexOf(',') + 1).trim()
  return last !== undefined && isIP(last) !== 0 ? last : undefined
}

const quoted = (text: string | undefined): string => (text === undefined || text === '' ? '"-"' : `"${quotable(text)}"`)
const digits = (text: string | undefined): string => (text !== undefined && /^\d{1,16}$/.test(text) ? text : '-')

/** A client's text, unable to end a field or a line. */
function quotable(text: string): string {
  if (!UNQUOTABLE.test(text)) return text
  return text.replaceAll(UNQUOTABLE_ALL, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Times as `22/Nov/2026:05:18:59 +0000`, made once a second. */
function clockText(): (epochMillis: number) => string {
  let second = -1
  let text = ''
  return (epochMillis) => {
    const now = Math.floor(epochMillis / 1000)
    if (now !== second) {
      second = now
      const [year, month, day] = new Date(now * 1000).toISOString().slice(0, 10).split('-')
      text = `${day}/${MONTHS[Number(month) - 1]}/${year}:${new Date(now * 1000).toISOString().slice(11, 19)} +0000`
    }
    return text
  }
}
