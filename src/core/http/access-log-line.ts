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
  const quotedAgent = lastOne(quoted)
  const frames = new WeakMap<Connection, Frame>()
  return (exchange, epochMillis) => {
    const { request, connection, principal, status, bodyBytes, method, durationMillis } = exchange
    const { headers, url = '', httpVersion } = request
    const target = exchange.secretQuery ? pathOf(url) : url
    let frame = frames.get(connection)
    if (frame === undefined || frame.principal !== principal) {
      frame = frameOf(connection, principal)
      frames.set(connection, frame)
    }
    const address = (logForwardedAddress && forwardedAddress(exchange)) || connection.peerAddress || '-'
    return (
      `${address}${frame.head}${time(epochMillis)}] "${method} ${quotable(target)} HTTP/${httpVersion}" ${status} ${bodyBytes} ` +
      `${quoted(headers.referer)} ${quotedAgent(headers['user-agent'])} ${digits(headers['content-length'])} ` +
      `${Math.round(durationMillis)}${frame.tail}`
    )
  }
}

/** What the lines of a connection have in common as long as its principal is the same. */
interface Frame {
  readonly principal: Principal | undefined
  readonly head: string
  readonly tail: string
}

function frameOf({ protocol, cipher, certificateSerial }: Connection, principal: Principal | undefined): Frame {
  const who = principal ? quotable(principal.fullName).replaceAll(' ', '_') : '-'
  const tail = [principal?.authority.id ?? 'Auth-None', protocol ?? '-', cipher ?? '-', certificateSerial ?? '-']
  return { principal, head: ` - ${who} [`, tail: ` ${tail.join(' ')}\n` }
}

function forwardedAddress(exchange: Exchange): string | undefined {
  const entries = exchange.header('x-forwarded-for')
  const last = entries?.slice(entries.lastIndexOf(',') + 1).trim()
  return last !== undefined && isIP(last) !== 0 ? last : undefined
}

const quoted = (text: string | undefined): string => (text === undefined || text === '' ? '"-"' : `"${quotable(text)}"`)
const digits = (text: string | undefined): string => (text !== undefined && /^\d{1,16}$/.test(text) ? text : '-')

/** Remembers the last result: requests of one client come in rows. */
function lastOne(write: (text: string | undefined) => string): (text: string | undefined) => string {
  let last: string | undefined
  let written = write(last)
  return (text) => {
    if (text !== last) {
      last = text
      written = write(text)
    }
    return written
  }
}

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
