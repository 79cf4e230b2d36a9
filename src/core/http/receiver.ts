import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { ConfigError } from '../config/config-error.ts'
import { messageOf } from '../error/message-of.ts'

/** Whether a host is this machine: what goes there crosses no network. */
export const isThisMachine = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/**
 * PEM certificates of the file that a property names.
 * @throws ConfigError when it cannot be read
 */
export async function readAuthorities(property: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw Object.assign(new ConfigError([`${property}: ${messageOf(cause)}`]), { cause })
  }
}
