import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { ConfigError } from './config-error.ts'

/**
 * Reads the file that a property names. Throws a ConfigError with property, file and reason when it cannot be read or
 * `parse` throws.
 */
export async function readConfigFile<T>(property: string, file: string, parse: (text: string) => T): Promise<T> {
  try {
    return parse(await readFile(file, 'utf8'))
  } catch (cause) {
    throw Object.assign(new ConfigError([`${property}: ${file} cannot be used: ${reasonOf(cause)}`]), { cause })
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof z.ZodError) return z.prettifyError(cause).replaceAll('\n', ' ')
  if (!(cause instanceof Error)) return String(cause)
  return (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : cause.message
}
