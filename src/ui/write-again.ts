import { AthenzClientError } from '#client/client-error.ts'

/** So often something is read and written anew: others are not that busy with the same object. */
const ATTEMPTS = 4

/**
 * Reads something and writes it whole, `unchangedSince` it was read: anew when somebody else has changed it in between.
 * Throws what `write` throws, and the refusal of ZMS (409) when others come first every time.
 */
export async function writeAgain(write: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await write()
      return
    } catch (error) {
      const isLate = error instanceof AthenzClientError && error.status === 409
      if (!isLate || attempt === ATTEMPTS) throw error
    }
  }
}
