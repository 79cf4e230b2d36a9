import type * as fc from 'fast-check'

/** Code that reads bytes of strangers, and what it may be given. */
export interface FuzzTarget {
  /** By which it is asked for on the command line. */
  readonly name: string
  /** Inputs of the right form, which are spoiled. */
  readonly seeds: readonly Buffer[]
  /** Pieces that mean something to this code, which are put into inputs. */
  readonly words: readonly (string | Buffer)[]
  /** Makes inputs of the right grammar with senseless contents, which are spoiled, too. */
  readonly grammar?: fc.Arbitrary<Buffer>
  /**
   * Reads an input. Throws or rejects only with what {@link isRefusal} knows, and asserts whatever must be so of an input
   * that it accepts.
   */
  readonly read: (input: Buffer) => unknown
  /** Whether an error is one that this code declares. */
  readonly isRefusal: (error: unknown) => boolean
}

/** No single input may take the thread longer than this, in which it serves nobody else. */
export const INPUT_LIMIT_MILLIS = 50
/** A slow input is tried as often again: the garbage collector and other programs slow some down by chance. */
const MORE_ATTEMPTS = 5

/** Has the target read an input; throws when it fails in another way than declared, or is slow again and again. */
export async function tryInput(target: FuzzTarget, input: Buffer): Promise<void> {
  const start = performance.now()
  await readOnce(target, input)
  if (performance.now() - start <= INPUT_LIMIT_MILLIS) return
  let fastest = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < MORE_ATTEMPTS && fastest > INPUT_LIMIT_MILLIS; attempt++) {
    // Time of the processor, as the machine may be busy with something else.
    const before = process.threadCpuUsage()
    await readOnce(target, input)
    const { user, system } = process.threadCpuUsage(before)
    fastest = Math.min(fastest, (user + system) / 1000)
  }
  if (fastest > INPUT_LIMIT_MILLIS) throw new Error(`it takes ${fastest.toFixed(0)} ms`)
}

async function readOnce({ read, isRefusal }: FuzzTarget, input: Buffer): Promise<void> {
  try {
    // What it is given is its own: it may keep it, and must not change what others are given.
    await read(Buffer.from(input))
  } catch (error) {
    if (!isRefusal(error)) throw error
  }
}
