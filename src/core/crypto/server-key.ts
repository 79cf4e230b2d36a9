import type { KeyObject } from 'node:crypto'
import { ConfigError } from '../config/config-error.ts'
import { messageOf } from '../error/message-of.ts'
import { keyKind } from './key-kind.ts'
import { loadPrivateKey } from './keys.ts'

/** Which key of a server is wanted: that of an algorithm, or the generic one, which may be of either. */
export type ServerKeyUse = 'generic' | 'rsa' | 'ec'

/**
 * The private key in a PEM text. Throws a ConfigError that begins with `what` when there is none or it is of another
 * algorithm; nothing of the text is in the message.
 */
export function serverKeyOf(pem: string, use: ServerKeyUse, what: string): KeyObject {
  try {
    const key = loadPrivateKey(pem)
    const { name, family } = keyKind(key)
    if (use !== 'generic' && family !== use) {
      throw new TypeError(`a key of kind ${name} is not the ${use.toUpperCase()} key that belongs here`)
    }
    return key
  } catch (cause) {
    const reason = messageOf(cause)
    throw Object.assign(new ConfigError([`${what} cannot be used: ${reason}`]), { cause })
  }
}
