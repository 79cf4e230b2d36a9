import { AthenzClientError } from '#client/client-error.ts'
import { CommandRefusal } from './failure.ts'
import type { Flags } from './flags.ts'

const NOT_FOUND = 404

/** What a call gives, or undefined when the server says that there is no such thing. */
export async function ifPresent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof AthenzClientError && error.status === NOT_FOUND) return undefined
    throw error
  }
}

/** Refuses, with these words, to make what is there already, unless it may be overwritten. */
export async function refuseIfPresent(
  { overwrite }: Pick<Flags, 'overwrite'>,
  read: () => Promise<unknown>,
  words: string,
): Promise<void> {
  if (!overwrite && (await ifPresent(read())) !== undefined) throw new CommandRefusal(words)
}
