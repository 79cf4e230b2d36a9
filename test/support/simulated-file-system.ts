import { basename, dirname } from 'node:path'
import type { FileLock, FileSystem, OpenMode, WritableFile } from '#core/seam/file-system.ts'

/**
 * What one operation does instead of succeeding: fail, or end the process that called it, half done. `abort`: the file system
 * gives up what it keeps its own structures with and takes no changes from then on. A `sync` in that moment is confirmed and
 * has written what was within the former length of its file, but not the new length, as Linux does with ext4.
 */
export type Fault = Error | 'crash' | 'abort'

/** The process of a simulated file system has crashed: nothing it does has an effect any more. */
export class CrashedError extends Error {
  constructor() {
    super('the simulated machine has crashed')
    this.name = 'CrashedError'
  }
}

/** A file: its content as the process sees it, and as much of it as a crash leaves. */
interface Inode {
  current: Buffer
  durable: Buffer
}

interface Folder {
  readonly current: Map<string, Inode | Folder>
  durable: Map<string, Inode | Folder>
}

const isFolder = (node: Inode | Folder | undefined): node is Folder => node !== undefined && node.current instanceof Map

/** Operations that change nothing. */
const READING: ReadonlySet<string> = new Set(['readFile', 'list', 'lock'])

/** Bytes that disks write as a whole. */
const SECTOR = 512

/** An error as node:fs throws it. */
export const fileError = (code: string, path: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: simulated, '${path}'`), { code, path })

/**
 * A file system in memory that keeps after a crash only what was synced, and of the rest whatever is the worst: each
 * sector of unsynced content and each unsynced change of a folder may or may not be there. Every operation is counted
 * and may be made to fail, or to be the last.
 */
export class SimulatedFileSystem implements FileSystem {
  #root: Folder = { current: new Map(), durable: new Map() }
  readonly #locks = new Set<string>()
  readonly #random: () => number
  #crashed = false
  #readOnly = false
  /** Operations so far that change something or ask the disk. */
  operations = 0
  /** Decides what happens to an operation; undefined means that it succeeds. */
  faultAt: (operation: number, name: string, path: string) => Fault | undefined = () => undefined
  /** Bytes that fit in all files together. */
  capacity = Number.POSITIVE_INFINITY

  /** @param random numbers from 0 to 1 that decide what a crash leaves */
  constructor(random: () => number) {
    this.#random = random
  }

  /** Lets the machine crash and start again: this file system is dead, and the one returned has what was left. */
  restart(): SimulatedFileSystem {
    this.#crashed = true
    const next = new SimulatedFileSystem(this.#random)
    next.#root = this.#leftOf(this.#root)
    return next
  }

  /** Another file system with the same content, all of it durable. */
  copy(): SimulatedFileSystem {
    const copy = new SimulatedFileSystem(this.#random)
    copy.#root = copyOf(this.#root)
    return copy
  }

  /** Changes the content of a file behind everybody's back. */
  damage(path: string, change: (content: Buffer) => Buffer): void {
    const inode = this.#file(path)
    inode.current = change(Buffer.from(inode.current))
    inode.durable = Buffer.from(inode.current)
  }

  async open(path: string, mode: OpenMode): Promise<WritableFile> {
    await this.#operation('open', path)
    const { current } = this.#folder(dirname(path))
    const known = current.get(basename(path))
    if (isFolder(known)) throw fileError('EISDIR', path)
    if (mode === 'new' && known) throw fileError('EEXIST', path)
    if (mode === 'existing' && !known) throw fileError('ENOENT', path)
    const inode = known ?? { current: Buffer.alloc(0), durable: Buffer.alloc(0) }
    if (mode === 'replace') inode.current = Buffer.alloc(0)
    current.set(basename(path), inode)
    return {
      write: async (data, position) => {
        const fault = await this.#attempt('write', path)
        if (fault === undefined && this.#used() + position + data.length - inode.current.length <= this.capacity) {
          put(inode, data, position)
          return
        }
        // Part of it is written all the same.
        put(inode, data.subarray(0, Math.floor(this.#random() * data.length)), position)
        throw fault === 'crash' ? this.#crash() : (fault ?? fileError('ENOSPC', path))
      },
      truncate: async (bytes) => {
        await this.#operation('truncate', path)
        inode.current = resized(inode.current, bytes)
      },
      sync: async () => {
        const isAborted = await this.#operation('sync', path, () => {
          // A failed sync may have written anything, and the system forgets what it could not write.
          inode.durable = this.#mixed(inode)
        })
        inode.durable = Buffer.from(isAborted ? inode.current.subarray(0, inode.durable.length) : inode.current)
      },
      close: async () => this.#live(),
    }
  }

  async readFile(path: string): Promise<Buffer> {
    await this.#operation('readFile', path)
    return Buffer.from(this.#file(path).current)
  }

  async list(folder: string): Promise<string[]> {
    await this.#operation('list', folder)
    return [...this.#folder(folder).current.keys()]
  }

  async makeFolder(folder: string): Promise<void> {
    await this.#operation('makeFolder', folder)
    let at = this.#root
    for (const name of folder.split('/').filter((part) => part !== '')) {
      let next = at.current.get(name)
      if (!next) {
        next = { current: new Map(), durable: new Map() }
        at.current.set(name, next)
        at.durable.set(name, next)
      }
      if (!isFolder(next)) throw fileError('ENOTDIR', folder)
      at = next
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#operation('rename', from)
    const inode = this.#file(from)
    this.#folder(dirname(from)).current.delete(basename(from))
    this.#folder(dirname(to)).current.set(basename(to), inode)
  }

  async remove(path: string): Promise<void> {
    await this.#operation('remove', path)
    this.#file(path)
    this.#folder(dirname(path)).current.delete(basename(path))
  }

  async syncFolder(folder: string): Promise<void> {
    await this.#operation('syncFolder', folder)
    const found = this.#folder(folder)
    found.durable = new Map(found.current)
  }

  async lock(path: string): Promise<FileLock | undefined> {
    await this.#operation('lock', path)
    if (this.#locks.has(path)) return undefined
    this.#locks.add(path)
    return { release: () => void this.#locks.delete(path) }
  }

  /** Gives whether the file system was aborted in the middle of it. */
  async #operation(name: string, path: string, halfDone: () => void = () => {}): Promise<boolean> {
    const wasReadOnly = this.#readOnly
    const fault = await this.#attempt(name, path)
    if (fault === undefined) return this.#readOnly && !wasReadOnly
    halfDone()
    throw fault === 'crash' ? this.#crash() : fault
  }

  async #attempt(name: string, path: string): Promise<Exclude<Fault, 'abort'> | undefined> {
    this.#live()
    // As on a thread of its own.
    await new Promise((resolve) => setImmediate(resolve))
    this.#live()
    this.operations += 1
    if (this.#readOnly && !READING.has(name)) return fileError('EROFS', path)
    const fault = this.faultAt(this.operations, name, path)
    if (fault !== 'abort') return fault
    this.#readOnly = true
    return name === 'sync' || READING.has(name) ? undefined : fileError('EROFS', path)
  }

  #crash(): CrashedError {
    this.#crashed = true
    return new CrashedError()
  }

  #live(): void {
    if (this.#crashed) throw new CrashedError()
  }

  #folder(path: string): Folder {
    let at: Folder = this.#root
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next = at.current.get(name)
      if (!isFolder(next)) throw fileError('ENOENT', path)
      at = next
    }
    return at
  }

  #file(path: string): Inode {
    const node = this.#folder(dirname(path)).current.get(basename(path))
    if (!node) throw fileError('ENOENT', path)
    if (isFolder(node)) throw fileError('EISDIR', path)
    return node
  }

  #used(folder: Folder = this.#root): number {
    let sum = 0
    for (const node of folder.current.values()) sum += isFolder(node) ? this.#used(node) : node.current.length
    return sum
  }

  /** What a crash leaves of a folder: of its unsynced changes a random part, and of its files likewise. */
  #leftOf(folder: Folder): Folder {
    const left = new Map<string, Inode | Folder>()
    for (const name of new Set([...folder.durable.keys(), ...folder.current.keys()])) {
      const [before, after] = [folder.durable.get(name), folder.current.get(name)]
      const node = before === after || this.#random() < 0.5 ? before : after
      if (isFolder(node)) left.set(name, this.#leftOf(node))
      else if (node) {
        const content = this.#mixed(node)
        left.set(name, { current: content, durable: Buffer.from(content) })
      }
    }
    return { current: left, durable: new Map(left) }
  }

  /** Content of which each unsynced sector is there or not. */
  #mixed({ durable, current }: Inode): Buffer {
    const luck = this.#random()
    if (luck < 0.2) return Buffer.from(durable)
    if (luck < 0.4) return Buffer.from(current)
    const size = this.#random() < 0.5 ? durable.length : current.length
    const mixed = Buffer.alloc(size)
    for (let at = 0; at < size; at += SECTOR) {
      const source = this.#random() < 0.5 ? durable : current
      mixed.set(source.subarray(at, Math.min(at + SECTOR, size)), at)
    }
    return mixed
  }
}

function copyOf(folder: Folder): Folder {
  const current = new Map<string, Inode | Folder>()
  for (const [name, node] of folder.current) {
    if (isFolder(node)) current.set(name, copyOf(node))
    else current.set(name, { current: Buffer.from(node.current), durable: Buffer.from(node.current) })
  }
  return { current, durable: new Map(current) }
}

function put(inode: Inode, data: Uint8Array, position: number): void {
  const content = resized(inode.current, Math.max(inode.current.length, position + data.length))
  content.set(data, position)
  inode.current = content
}

function resized(content: Buffer, bytes: number): Buffer {
  const next = Buffer.alloc(bytes)
  content.copy(next, 0, 0, Math.min(bytes, content.length))
  return next
}
