import type { KeyObject } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { parseAthenzConf } from '#core/config/athenz-conf.ts'
import { type PublicJsonWebKey, readJsonWebKeySet } from '#core/crypto/json-web-keys.ts'
import { messageOf } from '#core/error/message-of.ts'
import type { ZpeLog } from './policy-folder.ts'

/** Public keys of both servers by id. */
export interface ServerKeys {
  readonly zts: ReadonlyMap<string, KeyObject>
  readonly zms: ReadonlyMap<string, KeyObject>
}

/** No keys. */
export const NO_KEYS: ServerKeys = { zts: new Map(), zms: new Map() }

/** A file with public keys of the servers, in use: what it held when it was last in order counts. */
export class KeyFile {
  readonly #file: string
  readonly #parse: (text: string) => ServerKeys
  readonly #log: ZpeLog
  #state = ''
  #keys = NO_KEYS

  constructor(file: string, parse: (text: string) => ServerKeys, log: ZpeLog) {
    this.#file = file
    this.#parse = parse
    this.#log = log
  }

  /** The keys; none when there is no such file. */
  get keys(): ServerKeys {
    return this.#keys
  }

  /** Reads the file if it has changed, and gives whether there are other keys than before. Never rejects. */
  async refresh(): Promise<boolean> {
    const state = await stateOf(this.#file)
    if (state === this.#state) return false
    const isFirst = this.#state === ''
    this.#state = state
    // A file that is being replaced is missing for a moment.
    if (state === '') return false
    try {
      this.#keys = this.#parse(await readFile(this.#file, 'utf8'))
    } catch (error) {
      this.#log('warn', `${this.#file} cannot be used, the former keys stay in use: ${messageOf(error)}`)
      return false
    }
    if (!isFirst) this.#log('info', `${this.#file} is read again`)
    return true
  }
}

/** Differs when the file was written or replaced; empty when it is not there. */
async function stateOf(file: string): Promise<string> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(file)
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`
  } catch {
    return ''
  }
}

/** The keys in an athenz.conf. Throws an Error that names every key that cannot be used. */
export function athenzConfKeys(text: string, file: string): ServerKeys {
  const { ztsPublicKeys: zts, zmsPublicKeys: zms } = parseAthenzConf(text, file, { keys: 'optional' })
  return { zts, zms }
}

/**
 * The keys in the file that agents write beside certificates: `{"zts": {"keys": [JWK…]}, "zms": {"keys": [JWK…]}}`.
 * Throws an Error when it is no such file.
 */
export function jsonWebKeyFileKeys(text: string): ServerKeys {
  const document: unknown = JSON.parse(text)
  return { zts: keysOf(document, 'zts'), zms: keysOf(document, 'zms') }
}

function keysOf(document: unknown, server: 'zts' | 'zms'): ReadonlyMap<string, KeyObject> {
  const set: unknown = typeof document === 'object' && document !== null ? Reflect.get(document, server) : undefined
  if (set === undefined || set === null) return new Map()
  const keys: readonly PublicJsonWebKey[] | undefined = readJsonWebKeySet(set)
  if (keys === undefined) throw new Error(`its member ${server} is no key set`)
  return new Map(keys.flatMap(({ keyId, key }) => (keyId === undefined ? [] : [[keyId, key] as const])))
}
