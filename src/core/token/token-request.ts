import type { TokenFailure } from './token-fields.ts'

/** The request that a token came with, as far as the address rules need it. */
export interface TokenRequest {
  readonly remoteAddress: string
  /** HTTP method, upper case. */
  readonly method: string
}

/** Whether an operation of this HTTP method (upper case) writes, for the rules about addresses and endless tokens. */
export function isWriteMethod(method: string): boolean {
  return method === 'PUT' || method === 'POST' || method === 'DELETE' || method === 'PATCH'
}

/**
 * Whether a token is presented from the address it was issued to. An IPv4 address inside IPv6 counts as the IPv4
 * address; a token without an address comes from nowhere.
 */
export function isFromTokenAddress(tokenAddress: string | undefined, request: TokenRequest): boolean {
  return tokenAddress !== undefined && plainAddress(tokenAddress) === plainAddress(request.remoteAddress)
}

/** The failure of an address rule. */
export function addressMismatch(tokenAddress: string | undefined, request: TokenRequest): TokenFailure {
  return {
    code: 'address-mismatch',
    reason: `issued to ${tokenAddress ?? 'no address'}, presented from ${request.remoteAddress}`,
  }
}

const MAPPED_PREFIX = '::ffff:'

function plainAddress(address: string): string {
  const lower = address.toLowerCase()
  return lower.startsWith(MAPPED_PREFIX) && lower.includes('.') ? lower.slice(MAPPED_PREFIX.length) : lower
}
