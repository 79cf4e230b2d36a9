import type { AuditHead } from './audit-files.ts'
import { CHAIN_START, type ChainPosition, type FileBeginning, readBeginning, readLine } from './chain-line.ts'
import { type ChainSeal, openSeal } from './chain-seal.ts'
import { linesOf } from './lines.ts'

/** A file to be verified. It may be larger than memory. */
export interface VerifiedFile {
  /** For messages. */
  readonly name: string
  /** Its content from the beginning, in pieces of any size. */
  read(): AsyncIterable<Buffer>
}

/** What is asked of a verification. */
export interface VerifyOptions {
  /** The seals of the keys at hand. With a key, the log must be under one of them at its end. */
  readonly keys?: readonly ChainSeal[]
  /** How far the log must reach at least. */
  readonly head?: AuditHead
  /** A place that was noted elsewhere and must be in the log. */
  readonly contains?: ChainPosition
  /** All files that the log should have are given: those before may be missing only because of their age. */
  readonly complete?: boolean
}

/** What was verified. */
export interface ChainReport {
  readonly files: number
  readonly lines: number
  readonly changes: number
  /** Position of the last line. */
  readonly end: ChainPosition
  /** What is not wrong but worth knowing. */
  readonly notes: readonly string[]
}

/** The first place at which a log is not as it was written. */
export class ChainBreak extends Error {
  readonly file: string
  /** Counted from 1. */
  readonly line: number

  constructor(file: string, line: number, reason: string) {
    super(`${file}:${line}: ${reason}`)
    this.name = 'ChainBreak'
    this.file = file
    this.line = line
  }
}

/** A log cannot be verified because the key of its chain is not at hand. */
export class MissingKey extends Error {
  constructor(file: string, keyId: string | undefined) {
    super(`${file}: the log is under key ${keyId ?? 'unknown'}; give that key`)
    this.name = 'MissingKey'
  }
}

/**
 * Verifies that files, given in their order, hold an unbroken chain of lines. Rejects with ChainBreak at the first place
 * that is wrong, with MissingKey when it cannot be judged, and with whatever reading a file throws.
 */
export async function verifyChain(files: readonly VerifiedFile[], options: VerifyOptions = {}): Promise<ChainReport> {
  const verification = new Verification(options)
  for (const [index, file] of files.entries()) {
    const next = files[index + 1]
    await verification.file(file, { last: next === undefined, next: next && (await beginningOf(next)) })
  }
  return verification.finish()
}

/** One pass over the files. */
class Verification {
  readonly #options: VerifyOptions
  readonly #notes: string[] = []
  #files = 0
  #lines = 0
  #changes = 0
  #position: ChainPosition = CHAIN_START
  #seal: ChainSeal = openSeal
  #contained = false
  #headReached = false
  /** The file at hand, or the last one. */
  #name = ''
  #line = 0
  #bytes = 0
  #beginning: FileBeginning | undefined
  #firstNumber = 0
  #firstName = ''

  constructor(options: VerifyOptions) {
    this.#options = options
    this.#contained = options.contains === undefined
  }

  /** @param around.next what the first line behind this file says of it, which is verified when its turn comes */
  async file(file: VerifiedFile, around: { last: boolean; next: FileBeginning | undefined }): Promise<void> {
    const { last, next } = around
    const former = this.#beginning && { beginning: this.#beginning, bytes: this.#bytes }
    this.#name = file.name
    this.#line = 0
    this.#bytes = 0
    this.#beginning = undefined
    this.#files++
    let limit = Number.POSITIVE_INFINITY
    let behind = 0
    for await (const { bytes, whole } of linesOf(file.read())) {
      if (this.#bytes >= limit) {
        behind += bytes.length + (whole ? 1 : 0)
        continue
      }
      this.#line++
      if (!whole) {
        if (!last || this.#line === 1) throw this.#broken('the line is not complete')
        this.#note(
          'the last line is not complete: it is being written, or a crash tore it and the next start cuts it off',
        )
        break
      }
      if (this.#line > 1) this.#continue(bytes)
      else if (this.#begin(bytes, former) === next?.previous?.file) limit = next?.previous?.bytes ?? limit
      this.#bytes += bytes.length + 1
      this.#meet()
    }
    if (!this.#beginning) throw this.#broken('the file is empty')
    this.#end(behind, next)
  }

  finish(): ChainReport {
    const { head, contains, complete, keys = [] } = this.#options
    if (head && !this.#headReached) {
      throw this.#broken(
        head.seq > this.#position.seq
          ? `the log ends with line ${this.#position.seq}, but it had reached line ${head.seq}: lines are missing`
          : `line ${head.seq} is not the one that the log had reached`,
      )
    }
    if (contains && !this.#contained) {
      throw this.#broken(`the log does not have the line ${contains.seq} with the hash ${contains.hash}`)
    }
    if (complete && this.#beginning && this.#firstNumber > this.#beginning.oldest) {
      const reason = `files ${this.#beginning.oldest} to ${this.#firstNumber - 1} are missing before this one`
      throw new ChainBreak(this.#firstName, 1, reason)
    }
    if (keys.length > 0 && this.#files > 0 && this.#seal.keyId === undefined) {
      throw this.#broken('the chain is without a key at its end, though a key was given')
    }
    return {
      files: this.#files,
      lines: this.#lines,
      changes: this.#changes,
      end: this.#position,
      notes: this.#notes,
    }
  }

  /** Reads the first line of a file; gives the number of the file. */
  #begin(line: Buffer, former: { beginning: FileBeginning; bytes: number } | undefined): number {
    const beginning = readBeginning(line)
    if (!beginning) throw this.#broken('this is not the first line of a file of the log')
    const seal = this.#sealOf(beginning)
    const { previous } = beginning
    if (former) {
      if (previous?.file !== former.beginning.file) {
        throw this.#broken(
          `the file follows file ${previous?.file ?? 'none'}, but file ${former.beginning.file} is before it`,
        )
      }
      if (former.beginning.chain === 'hmac-sha256' && seal.keyId === undefined) {
        throw this.#broken('the chain loses its key here')
      }
    } else {
      this.#firstNumber = beginning.file
      this.#firstName = this.#name
      // What is before the first file is not at hand; it says itself what it follows.
      this.#position = { seq: beginning.seq - 1, hash: previous?.hash ?? CHAIN_START.hash }
      if (!previous && beginning.seq !== 1) throw this.#broken('the first file of a log begins with line 1')
    }
    this.#seal = seal
    this.#follow(line)
    if (previous?.damage !== undefined) {
      const damage = `the server found the log before damaged: ${previous.damage}`
      if (former) throw this.#broken(damage)
      this.#note(damage)
    }
    this.#beginning = beginning
    return beginning.file
  }

  #continue(line: Buffer): void {
    const type = this.#follow(line)
    if (type === 'begin') throw this.#broken('the first line of a file stands in the middle of one')
    if (type === 'change') this.#changes++
    else this.#note('changes are missing here because the disk took no lines; the log of the server has them')
  }

  /** The line continues the chain. */
  #follow(bytes: Buffer): 'change' | 'begin' | 'lost' {
    const line = readLine(bytes)
    if (!line) throw this.#broken('this is no line of the audit log')
    const expected = this.#position.seq + 1
    if (line.seq > expected) throw this.#broken(`line ${line.seq} follows ${this.#position.seq}: lines are missing`)
    if (line.seq < expected)
      throw this.#broken(`line ${line.seq} follows ${this.#position.seq}: lines are out of order`)
    if (this.#seal.hash(this.#position.hash, line.sealed) !== line.hash) {
      throw this.#broken('the hash is wrong: this line was changed, or what was before it')
    }
    this.#position = { seq: line.seq, hash: line.hash }
    this.#lines++
    return line.type
  }

  /** Whether this is a place that was asked for. */
  #meet(): void {
    const { head, contains } = this.#options
    const { seq, hash } = this.#position
    if (contains?.seq === seq && contains.hash === hash) this.#contained = true
    if (head?.seq === seq && head.hash === hash) {
      this.#headReached = head.file === this.#beginning?.file && head.bytes === this.#bytes
    }
  }

  /** The file ends where the next one says. */
  #end(behind: number, next: FileBeginning | undefined): void {
    const { previous } = next ?? {}
    if (previous?.file !== this.#beginning?.file || !previous) return
    const { bytes, cut = 0, abandoned } = previous
    if (this.#bytes !== bytes) {
      throw this.#broken(`the file ends after ${this.#bytes} bytes, the next one says after ${bytes}`)
    }
    if (cut > 0) this.#note(`a crash tore ${cut} bytes behind this line, which were cut off`)
    if (abandoned) this.#note('the file was given up behind this line because the disk failed')
    if (behind > 0 && behind !== cut && !abandoned) {
      throw this.#broken(`${behind} bytes were added behind the end of the file`, this.#line + 1)
    }
  }

  #sealOf({ chain, key }: FileBeginning): ChainSeal {
    if (chain === 'sha256') return openSeal
    const seal = this.#options.keys?.find(({ keyId }) => keyId === key)
    if (!seal) throw new MissingKey(this.#name, key)
    return seal
  }

  #note(text: string): void {
    this.#notes.push(`${this.#name}:${Math.max(this.#line, 1)}: ${text}`)
  }

  #broken(reason: string, line = this.#line): ChainBreak {
    return new ChainBreak(this.#name, Math.max(line, 1), reason)
  }
}

/** What the first line of a file says, not verified. */
async function beginningOf(file: VerifiedFile): Promise<FileBeginning | undefined> {
  for await (const { bytes, whole } of linesOf(file.read())) return whole ? readBeginning(bytes) : undefined
  return undefined
}
