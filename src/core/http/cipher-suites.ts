import { getCiphers } from 'node:tls'

/** Which cipher suites to offer, by their IANA names (those Java uses). */
export interface CipherSuiteChoice {
  /** Only these, in this order of preference; empty means those the runtime offers by default. */
  readonly included: readonly string[]
  readonly excluded: readonly string[]
}

/**
 * The choice as an OpenSSL list, or undefined when nothing is chosen and the defaults of the runtime apply.
 * Throws Error for a name the runtime does not know, or when nothing remains.
 */
export function cipherList({ included, excluded }: CipherSuiteChoice, defaults: string): string | undefined {
  if (included.length === 0 && excluded.length === 0) return undefined
  const barred = new Set(excluded.map(opensslName))
  const offered = included.length > 0 ? included.map(knownOpensslName) : defaults.split(':').filter(isPlainName)
  const remaining = offered.filter((name) => !barred.has(name))
  if (remaining.length === 0) throw new Error('no cipher suite remains')
  return remaining.join(':')
}

/** Exclusions of a list such as `!RC4` only remove what is never offered by name. */
const isPlainName = (name: string): boolean => /^[A-Z0-9]/.test(name)

function knownOpensslName(name: string): string {
  const translated = opensslName(name)
  if (!getCiphers().includes(translated.toLowerCase())) throw new Error(`unknown cipher suite ${name}`)
  return translated
}

/**
 * OpenSSL's name for `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is `ECDHE-RSA-AES128-GCM-SHA256`; TLS 1.3 names have no
 * `WITH` and are the same in both. A name in OpenSSL's own form stays as it is.
 */
function opensslName(name: string): string {
  const match = /^(?:TLS|SSL)_(\w+)_WITH_(\w+)$/.exec(name)
  if (!match) return name
  const [, exchange = '', cipher = ''] = match
  const bulk = cipher
    .replace(/^AES_(128|256)/, 'AES$1')
    .replace('CHACHA20_POLY1305_SHA256', 'CHACHA20_POLY1305')
    .replace('_CBC_', '_')
  return [...(exchange === 'RSA' ? [] : [exchange]), bulk].join('-').replaceAll('_', '-')
}
