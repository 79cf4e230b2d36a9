import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a user wrote down once for all tools. */
export interface DefaultConfig {
  readonly 'svc-key-file'?: string
  readonly 'svc-cert-file'?: string
  readonly zts?: string
  readonly zms?: string
}

const NAMES = ['svc-key-file', 'svc-cert-file', 'zts', 'zms'] as const

/**
 * Reads `.athenz/config` of a folder, a YAML file whose texts stand in for flags that are not given. A file that is not
 * there, or not readable, says nothing, as for the original's tools.
 */
export async function readDefaultConfig(home: string): Promise<DefaultConfig> {
  let text: string
  try {
    text = await readFile(join(home, '.athenz', 'config'), 'utf8')
  } catch {
    return {}
  }
  const { parse } = await import('yaml')
  try {
    const values: unknown = parse(text)
    if (typeof values !== 'object' || values === null) return {}
    const known = NAMES.map((name) => [name, Object.hasOwn(values, name) ? Reflect.get(values, name) : undefined])
    return Object.fromEntries(known.filter(([, value]) => typeof value === 'string' && value !== ''))
  } catch {
    return {}
  }
}
