import { type FileHandle, open } from 'node:fs/promises'

/** How a batched file tells of trouble. */
export interface BatchedFileOptions {
  /** Called with the error when writing starts to fail, and again only after it has worked in between. */
  readonly onError: (error: unknown) => void
  /** Called with the number of lines lost, when a backlog begins to be dropped and when it ends. */
  readonly onLost: (lines: number) => void
}

/** Lines are collected up to this size, and at most this long: handing a batch to a thread costs more than to write it. */
const BATCH_BYTES = 262_144
const FLUSH_MILLIS = 500
/** A disk that takes no more must not fill the memory. */
const BACKLOG_BATCHES = 64

/**
 * A file that lines are appended to in batches, off the path of whoever writes them: a line costs a copy into memory.
 * Lines are ASCII. What the disk does not take is lost and reported, never waited for.
 */
export class BatchedFile {
  readonly path: string
  readonly #handle: FileHandle
  readonly #options: BatchedFileOptions
  #batch: Buffer = Buffer.allocUnsafe(BATCH_BYTES)
  /** A batch that was written, for the next one. */
  #spare: Buffer | undefined
  #size = 0
  /** Full batches, the one being written first. */
  #full: Buffer[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  #failing = false
  #lost = 0

  /** Opens a file for appending. Rejects when it cannot be written. */
  static async open(path: string, options: BatchedFileOptions): Promise<BatchedFile> {
    return new BatchedFile(path, await open(path, 'a'), options)
  }

  private constructor(path: string, handle: FileHandle, options: BatchedFileOptions) {
    this.path = path
    this.#handle = handle
    this.#options = options
  }

  /** Adds a line, which ends with its line feed. */
  write(line: string): void {
    if (this.#size + line.length > BATCH_BYTES) this.#finishBatch()
    if (this.#full.length > BACKLOG_BATCHES) {
      if (this.#lost++ === 0) this.#options.onLost(1)
      return
    }
    // Copied at once, so that the pieces a line was made of do not live until it is written.
    if (line.length <= BATCH_BYTES) this.#size += this.#batch.write(line, this.#size, 'latin1')
    else this.#full.push(Buffer.from(line, 'latin1'))
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MILLIS).unref()
  }

  /** Writes what is held back and closes the file. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#flush()
    await this.#writing
    await this.#handle.close()
  }

  /** Under load batches are full before their time is over: the timer is left to run, setting it costs more than it saves. */
  #flush(): void {
    this.#timer = undefined
    this.#finishBatch()
  }

  #finishBatch(): void {
    if (this.#size > 0) {
      this.#full.push(this.#batch.subarray(0, this.#size))
      this.#batch = this.#spare ?? Buffer.allocUnsafe(BATCH_BYTES)
      this.#spare = undefined
      this.#size = 0
    }
    if (this.#full.length > 0) this.#writing ??= this.#writeBatches().finally(() => (this.#writing = undefined))
  }

  async #writeBatches(): Promise<void> {
    for (let batch = this.#full[0]; batch; batch = this.#full[0]) {
      try {
        await this.#handle.appendFile(batch)
        this.#failing = false
      } catch (error) {
        if (!this.#failing) this.#options.onError(error)
        this.#failing = true
      }
      this.#full.shift()
      if (batch.buffer.byteLength === BATCH_BYTES) this.#spare ??= Buffer.from(batch.buffer)
    }
    if (this.#lost > 0) this.#options.onLost(this.#lost)
    this.#lost = 0
  }
}
