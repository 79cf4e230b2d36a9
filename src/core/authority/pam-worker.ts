/**
 * Process that asks PAM about one login at a time; started by PamPool with the profile as its only argument. It speaks
 * the messages of pam-message.ts with its parent, and ends when the parent closes the channel.
 */
import { constants, setPriority } from 'node:os'
import { loadPamLibrary, type PamLibrary } from './pam-library.ts'
import type { PamAnswer, PamReply, PamRequest } from './pam-message.ts'

const reply = (message: PamReply) => process.send?.(message)

// A signal to the whole process group stops the server, which still answers the requests in flight.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
// Password hashes are costly on purpose; they must not take the processor from the server.
setPriority(constants.priority.PRIORITY_LOW)

try {
  const library = await loadPamLibrary(process.argv[2] ?? '')
  library.probe()
  process.on('message', (request: PamRequest) => {
    reply({ kind: 'answer', id: request.id, ...check(library, request) })
  })
  reply({ kind: 'ready' })
} catch (error) {
  const { message, cause } = error as Error
  reply({ kind: 'unusable', reason: cause instanceof Error ? `${message} (${cause.message})` : message })
  process.disconnect?.()
}

function check(library: PamLibrary, { user, password, remoteAddress }: PamRequest): PamAnswer {
  try {
    return library.check(user, password, remoteAddress)
  } catch (error) {
    return { accepted: false, reason: (error as Error).message, delayMillis: 0 }
  }
}
