import { readFile } from 'node:fs/promises'
import { messageOf } from '#core/error/message-of.ts'

/** Says something in the server's log that its operator should know. */
export type Warn = (message: string) => void

/** The text of a file that a property names; undefined when it cannot be read, which is said as a warning. */
export async function optionalFile(file: string, property: string, warn: Warn): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    warn(`${property}: ${file} cannot be read and is taken as empty: ${messageOf(cause)}`)
    return undefined
  }
}
