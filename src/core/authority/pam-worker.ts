/** Process that asks PAM about one login at a time; started by PamPool with the profile as its only argument. */
import { loadPamLibrary, type PamLibrary } from './pam-library.ts'
import type { PamAnswer, PamQuestion } from './pam-message.ts'
import { servePool } from './serve-pool.ts'

await servePool(async () => {
  const library = await loadPamLibrary(process.argv[2] ?? '')
  library.probe()
  return (question: PamQuestion) => check(library, question)
})

function check(library: PamLibrary, { user, password, remoteAddress }: PamQuestion): PamAnswer {
  try {
    return library.check(user, password, remoteAddress)
  } catch (error) {
    return { accepted: false, reason: (error as Error).message, delayMillis: 0 }
  }
}
