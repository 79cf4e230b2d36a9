import { join } from 'node:path'
import type { Journal } from '#core/journal/journal.ts'
import type { FileSystem } from '#core/seam/file-system.ts'
import type { Locks } from '../locks.ts'
import { encodeDocument, readDocument, replaceFile } from './document.ts'
import type { DomainDocuments } from './domain-documents.ts'
import { domainPieces } from './domain-form.ts'
import type { Globals, Memory } from './memory.ts'

/** Document of what belongs to no domain. */
const GLOBALS_FILE = 'global.json'

/** Text that is put together before others get their turn. */
const TURN_CHARACTERS = 256 * 1024

/**
 * Writes the documents of what has changed since they were written, and then removes the journal files that are no longer
 * needed. Runs beside reads and writes; when it is interrupted at any point, documents and journal still make the whole.
 */
export class Checkpoint {
  readonly #folder: string
  readonly #fileSystem: FileSystem
  readonly #documents: DomainDocuments
  readonly #memory: Memory
  readonly #locks: Locks
  readonly #journal: Journal
  /** Domains whose documents are behind → sequence of their last transaction. */
  #changed: Map<string, number>
  #sequence: number

  constructor(options: {
    folder: string
    fileSystem: FileSystem
    documents: DomainDocuments
    memory: Memory
    locks: Locks
    journal: Journal
    /** Last transaction that was applied. */
    sequence: number
    /** Domains whose documents are behind → sequence of their last transaction. */
    changed: Map<string, number>
  }) {
    this.#folder = options.folder
    this.#fileSystem = options.fileSystem
    this.#documents = options.documents
    this.#memory = options.memory
    this.#locks = options.locks
    this.#journal = options.journal
    this.#sequence = options.sequence
    this.#changed = options.changed
  }

  /** Notes a transaction that was applied and the domains it changed. */
  note(sequence: number, domains: Iterable<string>): void {
    this.#sequence = sequence
    for (const domain of domains) this.#changed.set(domain, sequence)
  }

  /** Runs once. When it fails, the journal stays, and the next run does what is left. */
  async run(): Promise<void> {
    const number = await this.#journal.rotate()
    const sequence = this.#sequence
    const changed = this.#changed
    this.#changed = new Map()
    const obsolete = this.#memory.history.takeObsolete()
    try {
      for (const [domain, last] of changed) await this.#writeDomain(domain, last)
      await this.#documents.sync(changed.keys())
      await this.#writeGlobals(sequence)
    } catch (error) {
      for (const [domain, last] of changed) if (!this.#changed.has(domain)) this.#changed.set(domain, last)
      throw error
    }
    await this.#journal.removeBefore(number)
    // Only now does no document that a crash could bring back speak of them. Those left are removed by the next start.
    for (const { domain, since } of obsolete) await this.#documents.removeHistory(domain, since)
  }

  async #writeDomain(name: string, noted: number): Promise<void> {
    // Nobody changes the domain while its text is put together; writing the text needs no lock.
    const { history } = this.#memory
    const state = await this.#locks.hold([name], async () => {
      const domain = this.#memory.domains.get(name)
      if (!domain) return undefined
      const addition = history.additionTo(name)
      return { sequence: this.#changed.get(name) ?? noted, content: await inTurns(domainPieces(domain)), addition }
    })
    if (state) {
      const extent = await this.#documents.write(name, state.sequence, state.content, state.addition)
      if (extent) history.added(name, state.addition?.lines.length ?? 0, extent)
    } else await this.#documents.remove(name)
  }

  #writeGlobals(sequence: number): Promise<void> {
    return writeGlobals(this.#fileSystem, this.#folder, { sequence, globals: this.#memory.globals() })
  }
}

/** What belongs to no domain, with the sequence up to which all is in documents. */
export interface StoredGlobals {
  readonly sequence: number
  readonly globals: Globals
}

/** Writes what belongs to no domain; it survives a crash then. */
export async function writeGlobals(
  fileSystem: FileSystem,
  folder: string,
  { sequence, globals }: StoredGlobals,
): Promise<void> {
  const pieces = await inTurns(globalPieces(globals))
  await replaceFile(fileSystem, folder, GLOBALS_FILE, encodeDocument({ sequence }, pieces))
  await fileSystem.syncFolder(folder)
}

/** What belongs to no domain as the last checkpoint wrote it. */
export async function readGlobals(fileSystem: FileSystem, folder: string): Promise<StoredGlobals | undefined> {
  const document = await readDocument(fileSystem, join(folder, GLOBALS_FILE))
  return document && { sequence: document.sequence, globals: document.content as Globals }
}

/** Texts as bytes, put together with pauses in which the event loop serves others. */
async function inTurns(texts: Iterable<string>): Promise<Buffer[]> {
  const pieces: Buffer[] = []
  let turn: string[] = []
  let length = 0
  for (const text of texts) {
    turn.push(text)
    length += text.length
    if (length < TURN_CHARACTERS) continue
    pieces.push(Buffer.from(turn.join('')))
    ;[turn, length] = [[], 0]
    await new Promise((resolve) => setImmediate(resolve))
  }
  pieces.push(Buffer.from(turn.join('')))
  return pieces
}

/** Principals that are put into text at once. */
const PIECE_SIZE = 1000

function* globalPieces({ principals, dependencies, ...rest }: Globals): Generator<string> {
  const pairs = [...dependencies].map(([domain, services]) => [domain, [...services]])
  yield `${JSON.stringify({ ...rest, dependencies: pairs }).slice(0, -1)},"principals":[`
  let piece: (readonly [string, number])[] = []
  let separator = ''
  for (const pair of principals) {
    if (piece.push(pair) < PIECE_SIZE) continue
    yield separator + JSON.stringify(piece).slice(1, -1)
    ;[piece, separator] = [[], ',']
  }
  if (piece.length > 0) yield separator + JSON.stringify(piece).slice(1, -1)
  yield ']}'
}
