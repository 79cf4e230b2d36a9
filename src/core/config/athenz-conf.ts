import type { KeyObject } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { loadPublicKey } from '../crypto/keys.ts'
import { ConfigError, problemLine } from './config-error.ts'

/** What athenz.conf says: where the servers are, and the public keys with which their signatures are verified. */
export interface AthenzConf {
  readonly file: string
  readonly zmsUrl: string | undefined
  readonly ztsUrl: string | undefined
  /** By key id, as the file writes it. */
  readonly zmsPublicKeys: ReadonlyMap<string, KeyObject>
  /** Likewise those of ZTS. */
  readonly ztsPublicKeys: ReadonlyMap<string, KeyObject>
}

/** What is asked of an athenz.conf. */
export interface AthenzConfDemands {
  /**
   * Whether there must be keys of both servers, as there must be for a server (the default); clients may have their keys
   * from elsewhere.
   */
  readonly keys?: 'needed' | 'optional'
}

/**
 * Reads an athenz.conf: a JSON object with `zmsUrl`, `ztsUrl` and the lists `zmsPublicKeys` and `ztsPublicKeys` of
 * `{"id": …, "key": PEM in ybase64}`. Other members are ignored. Throws a ConfigError that names the file and every key
 * that cannot be used.
 */
export async function readAthenzConf(file: string, demands?: AthenzConfDemands): Promise<AthenzConf> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw new ConfigError([
      problemLine(file, 'athenz.athenz_conf', `${reason}; it holds the public keys of ZMS and ZTS`),
    ])
  }
  return parseAthenzConf(text, file, demands)
}

/** As {@link readAthenzConf}, of the text of the file. */
export function parseAthenzConf(text: string, file: string, { keys = 'needed' }: AthenzConfDemands = {}): AthenzConf {
  const problems: string[] = []
  const problem = (key: string, reason: string) => void problems.push(problemLine(file, key, reason))
  const conf = jsonObject(text, (reason) => problem('the whole file', reason))
  const url = (name: string): string | undefined => {
    const value = conf[name]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value === 'string' && URL.canParse(value)) return value
    problem(name, `${JSON.stringify(value)} is no URL`)
    return undefined
  }
  const read = {
    file,
    zmsUrl: url('zmsUrl'),
    ztsUrl: url('ztsUrl'),
    zmsPublicKeys: publicKeys(conf, 'zmsPublicKeys', keys, problem),
    ztsPublicKeys: publicKeys(conf, 'ztsPublicKeys', keys, problem),
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return read
}

type Conf = Readonly<Record<string, unknown>>
type Complain = (key: string, reason: string) => void

function jsonObject(text: string, complain: (reason: string) => void): Conf {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Conf
    complain('it is no JSON object')
  } catch (error) {
    complain(`it is no JSON: ${(error as Error).message}`)
  }
  return {}
}

function publicKeys(
  conf: Conf,
  name: string,
  demand: AthenzConfDemands['keys'],
  complain: Complain,
): ReadonlyMap<string, KeyObject> {
  const keys = new Map<string, KeyObject>()
  const list = conf[name] ?? []
  if (!Array.isArray(list) || (list.length === 0 && demand === 'needed')) {
    complain(name, 'there must be at least one key: [{"id": "0", "key": "PEM in ybase64"}]')
    return keys
  }
  for (const [index, entry] of list.entries()) {
    const { id, key } = (typeof entry === 'object' && entry !== null ? entry : {}) as Conf
    const place = `${name}[${index}]${typeof id === 'string' ? ` (id ${JSON.stringify(id)})` : ''}`
    if (typeof id !== 'string' || id === '') complain(place, 'its "id" is missing')
    else if (typeof key !== 'string' || key === '') complain(place, 'its "key" is missing')
    else if (keys.has(id)) complain(place, 'another key has the same id')
    else {
      try {
        keys.set(id, loadPublicKey(key))
      } catch (error) {
        complain(place, (error as Error).message)
      }
    }
  }
  return keys
}

/** How an athenz.conf is followed. */
export interface AthenzConfOptions extends AthenzConfDemands {
  readonly log: (level: 'info' | 'warn', message: string) => void
  /** Time between two looks at the file. */
  readonly lookMillis?: number
}

const LOOK_MILLIS = 60_000

/** An athenz.conf in use: it is looked at now and then, and read again when it has changed, so that
 * new keys need no restart. */
export class AthenzConfFile {
  readonly #log: AthenzConfOptions['log']
  readonly #demands: AthenzConfDemands
  #current: AthenzConf
  #state: string
  #refreshing: Promise<boolean> | undefined
  readonly #timer: NodeJS.Timeout

  /** Reads the file for the first time. Throws a ConfigError as {@link readAthenzConf} does. */
  static async open(file: string, options: AthenzConfOptions): Promise<AthenzConfFile> {
    const state = await stateOf(file)
    return new AthenzConfFile(await readAthenzConf(file, options), state, options)
  }

  private constructor(current: AthenzConf, state: string, options: AthenzConfOptions) {
    const { log, lookMillis, keys } = options
    this.#demands = { ...(keys !== undefined && { keys }) }
    this.#current = current
    this.#state = state
    this.#log = log
    this.#timer = setInterval(() => void this.refresh(), lookMillis ?? LOOK_MILLIS)
    this.#timer.unref()
  }

  /** Looks at the file no more. */
  close(): void {
    clearInterval(this.#timer)
  }

  /** What the file said when it was last in order. */
  get current(): AthenzConf {
    return this.#current
  }

  /** Takes over the file if it has changed, and gives whether it did. One that is not in order changes nothing. */
  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #refresh(): Promise<boolean> {
    const { file } = this.#current
    const state = await stateOf(file)
    if (state === this.#state) return false
    this.#state = state
    try {
      this.#current = await readAthenzConf(file, this.#demands)
    } catch (error) {
      this.#log(
        'warn',
        `${file} has changed and cannot be used; the former keys stay in use: ${(error as Error).message}`,
      )
      return false
    }
    this.#log('info', `${file} is read again`)
    return true
  }
}

/** Differs when the file was written or replaced; empty when it is not there. */
async function stateOf(file: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(file)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    return ''
  }
}
