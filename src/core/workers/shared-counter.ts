import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** In memory, where there is such a folder. */
const FOLDERS = ['/dev/shm', tmpdir()]
const NUMBER_BYTES = 8

/**
 * A number that one process sets and others read, with no message between them: whoever reads it after it was set has the
 * new value. It is in a file without a name, which a child process inherits as an open file.
 */
export class SharedCounter {
  /** Number of the open file, to be inherited. */
  readonly fd: number
  readonly #read = Buffer.alloc(2 * NUMBER_BYTES)
  readonly #written = Buffer.alloc(2 * NUMBER_BYTES)

  /** Makes a counter, at 0. Throws the error of the file system when no folder for temporary files can be used. */
  static create(): SharedCounter {
    let failure: unknown
    for (const folder of FOLDERS) {
      try {
        const made = mkdtempSync(join(folder, 'athenz-'))
        try {
          const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL
          const counter = new SharedCounter(openSync(join(made, 'counter'), flags, 0o600))
          counter.set(0)
          return counter
        } finally {
          rmSync(made, { recursive: true, force: true })
        }
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  /** @param fd an open file, as `create` makes it */
  constructor(fd: number) {
    this.fd = fd
  }

  set(value: number): void {
    // Twice, so that a reader who catches a write in the middle notices.
    this.#written.writeDoubleLE(value, 0)
    this.#written.writeDoubleLE(value, NUMBER_BYTES)
    writeSync(this.fd, this.#written, 0, this.#written.length, 0)
  }

  /** About a microsecond: the file is in memory. */
  get(): number {
    for (;;) {
      readSync(this.fd, this.#read, 0, this.#read.length, 0)
      const value = this.#read.readDoubleLE(0)
      if (value === this.#read.readDoubleLE(NUMBER_BYTES)) return value
    }
  }

  close(): void {
    closeSync(this.fd)
  }
}
