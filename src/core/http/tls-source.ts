import { stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { messageOf } from '../error/message-of.ts'
import { loadTlsMaterial, type TlsFiles, type TlsMaterial } from './tls-material.ts'

/** Where a TLS source tells what it does: values, and a sentence; a server's log takes both. */
export interface TlsSourceLog {
  info(values: object, message: string): void
  error(values: { readonly err: unknown }, message: string): void
}

/** How a TLS source watches its files. */
export interface TlsSourceOptions {
  readonly log: TlsSourceLog
  /** Time between two looks at the files. Default 10 seconds. */
  readonly intervalMillis?: number
}

const DEFAULT_INTERVAL_MILLIS = 10_000

/**
 * Key, certificates and trust anchors of a server, read again when a file changes. What does not load, or does not fit
 * together, is logged and leaves the last good material in use; it is tried again at every look, because key and
 * certificate in separate files change one after the other.
 */
export class TlsSource {
  readonly #files: TlsFiles
  readonly #log: TlsSourceLog
  readonly #timer: NodeJS.Timeout
  readonly #listeners: ((material: TlsMaterial) => void)[] = []
  #material: TlsMaterial
  #state: string
  #problem: string | undefined
  #checking: Promise<boolean> | undefined

  /** Reads the files for the first time. Throws Error that names the file and the reason. */
  static async open(files: TlsFiles, options: TlsSourceOptions): Promise<TlsSource> {
    const state = await fileState(files)
    return new TlsSource(files, options, await loadUsable(files), state)
  }

  private constructor(files: TlsFiles, options: TlsSourceOptions, material: TlsMaterial, state: string) {
    this.#files = files
    this.#log = options.log
    this.#material = material
    this.#state = state
    this.#timer = setInterval(() => void this.check(), options.intervalMillis ?? DEFAULT_INTERVAL_MILLIS)
    this.#timer.unref()
  }

  /** What is in use. */
  get material(): TlsMaterial {
    return this.#material
  }

  /** Why the files as they are cannot be used, as long as that lasts; what was read before stays in use meanwhile. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Calls `listener` with new material from now on. */
  onChange(listener: (material: TlsMaterial) => void): void {
    this.#listeners.push(listener)
  }

  /** Looks at the files now and takes over what has changed; gives whether something was. Never rejects. */
  check(): Promise<boolean> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined
    })
    return this.#checking
  }

  /** Stops watching. */
  close(): void {
    clearInterval(this.#timer)
  }

  get #names() {
    return { files: fileNames(this.#files) }
  }

  async #check(): Promise<boolean> {
    try {
      const state = await fileState(this.#files)
      if (state === this.#state) {
        if (this.#problem !== undefined) this.#log.info(this.#names, 'TLS keys and certificates are there again')
        this.#problem = undefined
        return false
      }
      const material = await loadUsable(this.#files)
      for (const listener of this.#listeners) listener(material)
      this.#material = material
      this.#state = state
      this.#problem = undefined
      this.#log.info(this.#names, 'TLS keys and certificates are read again')
      return true
    } catch (error) {
      const problem = messageOf(error)
      if (problem !== this.#problem) {
        this.#log.error({ err: error }, 'TLS keys and certificates cannot be read again; the old ones stay in use')
      }
      this.#problem = problem
      return false
    }
  }
}

const fileNames = ({ key, certificate, trust }: TlsFiles): string[] =>
  [key, certificate, trust].flatMap((source) => source?.file ?? [])

async function fileState(files: TlsFiles): Promise<string> {
  const stats = await Promise.all(fileNames(files).map((file) => stat(file)))
  return stats.map(({ mtimeMs, size, ino }) => `${mtimeMs}:${size}:${ino}`).join(' ')
}

/** Loads the files and lets TLS try the result before anything depends on it. */
async function loadUsable(files: TlsFiles): Promise<TlsMaterial> {
  const material = await loadTlsMaterial(files)
  const { key, cert, ca } = material
  createSecureContext({ key, cert, ...(ca && { ca: [...ca] }) })
  return material
}
