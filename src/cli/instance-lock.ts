import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { identify, isRunning, type ProcessIdentity, parseIdentity } from './process-identity.ts'

/** The lock belongs to a process that is running. */
export class LockHeldError extends Error {
  readonly holder: ProcessIdentity

  constructor(file: string, holder: ProcessIdentity) {
    super(`${file} is held by process ${holder.pid}`)
    this.name = 'LockHeldError'
    this.holder = holder
  }
}

/** What a lock file says: who holds it, and the processes that it has started. */
interface LockContent {
  readonly holder: ProcessIdentity
  readonly children: readonly ProcessIdentity[]
}

const RETRY_MILLIS = 50
// A file that is still unreadable after this time was not being written but left behind half-written.
const UNREADABLE_LIMIT_MILLIS = 1000

/**
 * A file that lets one process at a time work on a folder. It names its holder, so that the lock of a process that was
 * killed is recognised and taken over, and the holder's children, so that they can be found then.
 */
export class InstanceLock implements AsyncDisposable {
  readonly #file: string
  #recorded: Promise<void> = Promise.resolve()
  /** Children of a killed holder that are still running. */
  readonly orphans: readonly ProcessIdentity[]

  private constructor(file: string, orphans: readonly ProcessIdentity[]) {
    this.#file = file
    this.orphans = orphans
  }

  /**
   * Takes the lock, also from a holder that is no longer running.
   * @throws LockHeldError when its holder is running; the error of the file system when the file cannot be made
   */
  static async acquire(file: string): Promise<InstanceLock> {
    const own = serialise([])
    let unreadableSince: number | undefined
    for (;;) {
      if (await createFile(file, own)) return new InstanceLock(file, [])
      const text = await readText(file)
      if (text === undefined) continue
      const content = parse(text)
      if (content === undefined) {
        unreadableSince ??= performance.now()
        if (performance.now() - unreadableSince < UNREADABLE_LIMIT_MILLIS) {
          await pause()
          continue
        }
      } else if (isRunning(content.holder)) {
        throw new LockHeldError(file, content.holder)
      }
      if (await takeOver(file, text, own)) {
        return new InstanceLock(file, content?.children.filter((child) => isRunning(child)) ?? [])
      }
      await pause()
    }
  }

  /** Notes which processes the holder has started. */
  recordChildren(children: readonly ProcessIdentity[]): Promise<void> {
    const text = serialise(children)
    // One note after the other: the last one counts.
    const recorded = this.#record(this.#recorded, text)
    this.#recorded = recorded.catch(() => {})
    return recorded
  }

  async #record(former: Promise<void>, text: string): Promise<void> {
    await former
    const next = `${this.#file}.next`
    await writeFile(next, text, { mode: 0o600 })
    await rename(next, this.#file)
  }

  /** Gives the lock back. */
  async release(): Promise<void> {
    await rm(this.#file, { force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}

// Two processes that find the same abandoned lock must not both replace it: only the one that makes the second file
// may, and only while the lock still says what was judged.
async function takeOver(file: string, judged: string, own: string): Promise<boolean> {
  const guard = `${file}.takeover`
  if (!(await createFile(guard, own))) {
    if (await isAbandoned(guard)) await rm(guard, { force: true })
    return false
  }
  try {
    if ((await readText(file)) !== judged) return false
    await rm(file, { force: true })
    return await createFile(file, own)
  } finally {
    await rm(guard, { force: true })
  }
}

async function isAbandoned(guard: string): Promise<boolean> {
  const text = await readText(guard)
  if (text === undefined) return false
  const holder = parse(text)?.holder
  if (holder !== undefined) return !isRunning(holder)
  const { mtimeMs } = await stat(guard).catch(() => ({ mtimeMs: Date.now() }))
  return Date.now() - mtimeMs > UNREADABLE_LIMIT_MILLIS
}

async function createFile(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, content, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

const serialise = (children: readonly ProcessIdentity[]): string =>
  `${JSON.stringify({ ...identify(), children } satisfies ProcessIdentity & { children: unknown })}\n`

function parse(text: string): LockContent | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const holder = parseIdentity(value)
  if (holder === undefined) return undefined
  const children = typeof value === 'object' && value !== null && 'children' in value ? value.children : []
  const list: readonly unknown[] = Array.isArray(children) ? children : []
  return { holder, children: list.map(parseIdentity).filter((child) => child !== undefined) }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS))
