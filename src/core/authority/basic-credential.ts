import { isName } from '#core/names/patterns.ts'
import type { Authority } from './authority.ts'
import type { Principal } from './principal.ts'

/** Name and password of a Basic credential. */
export interface BasicCredential {
  readonly name: string
  readonly password: string
}

const PREFIX = 'Basic '
/** Room for a name and a password of the longest kind that PAM or a directory takes. */
const ENCODED_MAX_LENGTH = 4096
const NAME_MAX_LENGTH = 256
/** PAM_MAX_RESP_SIZE, 512, with the final NUL. */
const PASSWORD_MAX_BYTES = 511
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads an `Authorization` header of the scheme Basic (RFC 7617; the prefix exactly `Basic `): the first colon separates
 * name and password. Gives the reason as a string, without any part of the credential, for one that no user can have:
 * not base64 or UTF-8, empty, too long, with a NUL, or with a name that is no simple name.
 */
export function parseBasicCredential(credential: string): BasicCredential | string {
  if (!credential.startsWith(PREFIX)) return "credentials do not start with 'Basic '"
  const encoded = credential.slice(PREFIX.length)
  if (encoded.length > ENCODED_MAX_LENGTH) return 'credentials are too long'
  const text = decode(encoded)
  if (text === undefined) return 'credentials are not base64 of UTF-8 text'
  const colon = text.indexOf(':')
  if (colon === -1) return 'credentials have no colon between name and password'
  const name = text.slice(0, colon)
  const password = text.slice(colon + 1)
  if (name.length > NAME_MAX_LENGTH) return 'the user name is too long'
  // With a period, `user.joe.smith` would be the full name both of a user and of a service in the domain of user joe.
  if (!isName('SimpleName', name)) return 'the user name is not a simple name'
  if (password === '') return 'the password is empty'
  if (Buffer.byteLength(password) > PASSWORD_MAX_BYTES) return 'the password is too long'
  // For C code the password would end here, and whatever follows would not count.
  if (password.includes('\0')) return 'the password has a NUL character'
  return { name, password }
}

/**
 * The principal of a user who gave the right password, under the authority's domain. The password is not kept as its
 * credentials: nothing may forward it.
 */
export function userPrincipal(authority: Authority & { readonly domain: string }, givenName: string): Principal {
  const { domain } = authority
  const name = givenName.toLowerCase()
  return {
    domain,
    name,
    fullName: `${domain}.${name}`,
    authority,
    unsignedCredentials: name,
    issueTimeSeconds: 0,
  }
}

function decode(encoded: string): string | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined
  try {
    return UTF8.decode(Buffer.from(encoded, 'base64'))
  } catch {
    return undefined
  }
}
