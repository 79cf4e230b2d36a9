import { constants, setPriority } from 'node:os'
import type { PoolReply, PoolRequest } from './process-pool.ts'

/**
 * The life of a process of a pool: it opens what it asks, and answers one question at a time until the server closes the
 * channel. `open` rejects with an Error that says what is missing; what it gives must not throw, and takes the questions
 * that the server's side of the pool asks.
 */
export async function servePool(open: () => Promise<(question: never) => object>): Promise<void> {
  // A signal to the whole process group stops the server, which still answers the requests in flight.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  // Such checks are costly, some on purpose; they must not take the processor from the server.
  setPriority(constants.priority.PRIORITY_LOW)
  try {
    const answer = await open()
    process.on('message', (request: PoolRequest<object>) => {
      reply({ kind: 'answer', id: request.id, ...answer(request as never) })
    })
    reply({ kind: 'ready' })
  } catch (error) {
    const { message, cause } = error as Error
    reply({ kind: 'unusable', reason: cause instanceof Error ? `${message} (${cause.message})` : message })
    process.disconnect?.()
  }
}

function reply(message: PoolReply<object>): void {
  process.send?.(message)
}
