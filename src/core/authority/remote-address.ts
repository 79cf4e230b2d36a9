import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

const LOOPBACK = '127.0.0.1'
const MAPPED_PREFIX = '::ffff:'

/**
 * Address of the client: the direct peer or, if that is exactly 127.0.0.1 (a proxy on this machine), the last entry of
 * `X-Forwarded-For` when it is an IP address. An IPv4 peer of a socket that also takes IPv6 counts as IPv4. Empty when
 * the connection is already gone.
 */
export function remoteAddressOf(request: IncomingMessage): string {
  const peer = peerAddressOf(request)
  if (peer !== LOOPBACK) return peer
  const forwarded = lastEntry(request.headers['x-forwarded-for'])
  return isIP(forwarded) === 0 ? peer : forwarded
}

/** Address of the direct peer, whatever headers say; empty when the connection is already gone. */
export const peerAddressOf = ({ socket }: IncomingMessage): string => plainAddress(socket.remoteAddress ?? '')

/** An address as it is written everywhere: an IPv4 address that a socket for both versions reports counts as IPv4. */
export function plainAddress(address: string): string {
  const mapped = address.startsWith(MAPPED_PREFIX) ? address.slice(MAPPED_PREFIX.length) : address
  return isIP(mapped) === 4 ? mapped : address
}

function lastEntry(header: string | string[] | undefined): string {
  const text = Array.isArray(header) ? (header.at(-1) ?? '') : (header ?? '')
  return text.slice(text.lastIndexOf(',') + 1).trim()
}
