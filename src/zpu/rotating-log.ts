import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Clock } from '#core/seam/clock.ts'
import type { LogLimits } from './zpu-config.ts'

const DAY_MILLIS = 86_400_000
/** How the rest of the name of a former file begins. */
const ROTATION_TIME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z/

/**
 * A log that begins anew when it has reached its size: the former file gets the time into its name, and the oldest of
 * those are removed. Lines are written in order; `close` waits for them.
 */
export class RotatingLog {
  readonly #file: string
  readonly #limits: LogLimits
  readonly #clock: Clock
  #stream: WriteStream
  #bytes: number
  #work: Promise<void> = Promise.resolve()

  /** Rejects with errors of node:fs when the file cannot be written. */
  static async open(file: string, limits: LogLimits, clock: Clock): Promise<RotatingLog> {
    await mkdir(dirname(file), { recursive: true })
    const handle = await open(file, 'a')
    const { size } = await handle.stat()
    await handle.close()
    return new RotatingLog(file, size, limits, clock)
  }

  private constructor(file: string, bytes: number, limits: LogLimits, clock: Clock) {
    this.#file = file
    this.#bytes = bytes
    this.#limits = limits
    this.#clock = clock
    this.#stream = this.#opened()
  }

  /** Adds a line; what cannot be written is lost. */
  write(message: string): void {
    const line = `${localTime(this.#clock())} ${message.replaceAll(/[\r\n]+/g, ' ')}\n`
    this.#work = this.#work.then(() => this.#append(line)).catch(() => {})
  }

  /** Resolves when all lines are written. */
  async close(): Promise<void> {
    await this.#work
    await ended(this.#stream)
  }

  async #append(line: string): Promise<void> {
    if (this.#bytes > 0 && this.#bytes + Buffer.byteLength(line) > this.#limits.maxBytes) await this.#rotate()
    this.#bytes += Buffer.byteLength(line)
    await new Promise<void>((resolve) => {
      this.#stream.write(line, () => resolve())
    })
  }

  #opened(): WriteStream {
    const stream = createWriteStream(this.#file, { flags: 'a' })
    // A full disk must not end the updater.
    stream.on('error', () => {})
    return stream
  }

  async #rotate(): Promise<void> {
    await ended(this.#stream)
    const time = new Date(this.#clock()).toISOString().replaceAll(':', '-')
    const extension = extname(this.#file)
    const former = join(dirname(this.#file), `${basename(this.#file, extension)}-${time}${extension}`)
    await rename(this.#file, former)
    this.#stream = this.#opened()
    this.#bytes = 0
    if (this.#limits.compress) await compress(former)
    await this.#removeOld()
  }

  async #removeOld(): Promise<void> {
    const folder = dirname(this.#file)
    const extension = extname(this.#file)
    const start = `${basename(this.#file, extension)}-`
    const names = (await readdir(folder)).filter(
      (name) => name.startsWith(start) && ROTATION_TIME.test(name.slice(start.length)),
    )
    // Their names end with times, so that the order of names is that of time.
    const old = names.toSorted().slice(0, Math.max(0, names.length - this.#limits.maxBackups))
    for (const name of names) {
      const { mtimeMs } = await stat(join(folder, name))
      const isTooOld = this.#clock() - mtimeMs > this.#limits.maxAgeDays * DAY_MILLIS
      if (isTooOld || old.includes(name)) await unlink(join(folder, name))
    }
  }
}

const ended = (stream: WriteStream): Promise<void> =>
  new Promise((resolve) => {
    stream.end(() => resolve())
  })

async function compress(file: string): Promise<void> {
  const handle = await open(file)
  try {
    await pipeline(handle.createReadStream(), createGzip(), createWriteStream(`${file}.gz`))
  } finally {
    await handle.close()
  }
  await unlink(file)
}

const two = (value: number): string => String(value).padStart(2, '0')

/** Date and time of this machine, as lines of the original's log begin. */
function localTime(millis: number): string {
  const time = new Date(millis)
  const day = `${time.getFullYear()}/${two(time.getMonth() + 1)}/${two(time.getDate())}`
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}
