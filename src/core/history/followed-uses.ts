import { open } from 'node:fs/promises'
import { Pace } from '../seam/pace.ts'
import type { AuthUses } from './auth-use.ts'
import { parseUseLine } from './auth-use-lines.ts'
import { AuthUseTable } from './auth-use-table.ts'

const READ_BYTES = 65_536
const LINE_FEED = 0x0a

/**
 * The uses in a file that another process writes: each look reads what was added since the last one, or everything when the
 * file was replaced.
 */
export class FollowedUses {
  readonly #path: string
  readonly #maxUses: number
  #table: AuthUseTable
  #inode = 0n
  #position = 0
  /** The beginning of a line whose end is not read yet. */
  #rest: Buffer = Buffer.alloc(0)
  #reading: Promise<void> | undefined

  constructor(path: string, maxUses: number) {
    this.#path = path
    this.#maxUses = maxUses
    this.#table = new AuthUseTable(maxUses)
  }

  /** The uses of a domain as the file has them now. Rejects when it cannot be read. */
  async ofDomain(domain: string): Promise<AuthUses> {
    // Those who ask while it is read want what was written before they asked: a reading of their own follows.
    if (this.#reading !== undefined) await this.#reading.catch(() => {})
    this.#reading ??= this.#readOn().finally(() => (this.#reading = undefined))
    await this.#reading
    return this.#table.ofDomain(domain)
  }

  async #readOn(): Promise<void> {
    const file = await open(this.#path, 'r')
    try {
      const { ino, size } = await file.stat({ bigint: true })
      if (ino !== this.#inode || size < BigInt(this.#position)) {
        this.#table = new AuthUseTable(this.#maxUses)
        this.#inode = ino
        this.#position = 0
        this.#rest = Buffer.alloc(0)
      }
      const pace = new Pace()
      const buffer = Buffer.allocUnsafe(READ_BYTES)
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, READ_BYTES, this.#position)
        if (bytesRead === 0) return
        this.#position += bytesRead
        this.#take(Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]))
        await pace.pause()
      }
    } finally {
      await file.close()
    }
  }

  #take(text: Buffer): void {
    const end = text.lastIndexOf(LINE_FEED) + 1
    this.#rest = text.subarray(end)
    for (const line of text.toString('utf8', 0, end).split('\n')) {
      const use = line === '' ? undefined : parseUseLine(line)
      if (use !== undefined) this.#table.put(use)
    }
  }
}
